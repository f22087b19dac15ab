"""`swarm-mcp tasks …`: what each command does to the board, and what it shows where."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len
from terminals import terminal

from swarm_mcp import operations
from swarm_mcp.model import ids
from swarm_mcp.repository import graph, tasks, work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from board import Board

    Program = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.sqlite
HOSTILE = "\x1b[2J\x1b]0;mine\x07[red]Sow\nand\treap\x9b31m \u202egnitaerc [/nope]"
SEED = "種をまく前に土を耕して、よく乾かしておくこと。それから水をやり、毎日様子を見ること"
SHOWN = "␛[2J␛]0;mine␇[red]Sow and reap�31m �gnitaerc [/nope]"


@pytest.fixture
def hands(board: Board, program: Program, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Run the program on the board of this test, at the time that it is."""
    board.clock.now = datetime.now(UTC) - timedelta(minutes=1)
    for agent in ("lead", "ada", "bob"):
        board.inbox(agent)
    monkeypatch.setenv("SWARM_DATABASE", str(board.place))
    monkeypatch.setenv("SWARM_AGENT", "nobody")  # the environment makes nobody an agent
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return program


def seen(hands: Program, columns: int, *words: object, typed: str = "", code: int = 0) -> str:
    """What a terminal of so many columns shows of a command; nothing in it is wider, or does anything to it."""
    with terminal(columns, typed) as screen:
        ended = hands(*words)
    assert ended[0] == code, ended
    assert screen.obeyed == []
    assert max(map(cell_len, screen.text.split("\n"))) <= columns
    return screen.text


def asked(hands: Program, *words: object) -> Any:
    """What a program is told."""
    code, out, err = hands(*words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def named(board: Board, monkeypatch: pytest.MonkeyPatch, task: str, title: str, **said: Any) -> str:
    """A task of just this id, a little younger than the one before."""
    board.clock.advance(seconds=1)
    with monkeypatch.context() as patch:
        patch.setattr(ids, "new_task_id", lambda: task)
        return board.create(title, **said)


def done(hands: Program, *words: object) -> str:
    """The first sentence of what a command says that succeeds."""
    code, out, err = hands(*words)
    assert (code, err) == (0, "")
    return out.partition("\n")[0]


# --- changes --------------------------------------------------------------------------------------------------------


def test_a_task_is_added_with_everything_that_can_be_said_of_it(board: Board, hands: Program) -> None:
    above, before = board.create("Above"), board.create("Before")
    added = asked(
        hands, "tasks", "add", "Build it", "--description", "All of it.", "--parent", above[:5], "--depends-on", before,
        "--depends-on", f"related:{above}", "--priority", "high", "--assignee", "ada", "--criterion", "It works.",
        "--check", "failed == 0", "--deadline", "2099-12-31", "--hours", "2.5", "--tag", "a", "--tag", "b", "--area",
        "web", "--touches", "src", "--review", "--complexity", "high", "--phase", "3", "--type", "feature", "--source",
        "plan.md", "--key", "once",
    )  # fmt: skip
    row = board.row(added["task"]["id"])
    assert [row.title, row.description, row.parent_id, row.priority, float(row.estimated_hours)] == [
        "Build it", "All of it.", above, "high", 2.5
    ]  # fmt: skip
    assert [row.tags, row.area, row.touches, row.needs_review, row.complexity, row.phase] == [
        ["a", "b"], "web", ["src"], True, "high", 3
    ]  # fmt: skip
    assert (row.task_type, row.source, f"{row.deadline:%Y-%m-%d}", row.creator_id) == (
        "feature", "plan.md", "2099-12-31", None
    )  # fmt: skip
    assert (board.status(row.id), board.assignee(row.id)) == ("blocked", "ada")
    criteria = board.swarm.read(lambda db: [(each.text, each.measurable) for each in work.criteria(db, row.id)])
    assert criteria == [("It works.", ""), ("", "failed == 0")]
    edges = board.swarm.read(lambda db: {(each.depends_on_id, each.type) for each in graph.edges_of(db, row.id)})
    assert edges == {(before, "blocks"), (above, "related")}
    code, out, _ = hands("tasks", "add", "Build it", "--key", "once", "--agent", "ada")
    assert (code, out.startswith("Created")) == (0, True), "another's key"


def test_a_task_is_edited_and_acted_upon(board: Board, hands: Program) -> None:
    task, other = board.create("A task", tags=["old"], criteria=["It works."]), board.create("Another")
    said = done(
        hands, "tasks", "update", task, "--title", "Better", "--priority", "low", "--tag", "new", "--depends-on", other,
        "--drop-criterion", "1", "--criterion", "It is fast.", "--area", "web", "--phase", "2", "--review",
        "--touches", "src", "--type", "bug", "--clear", "description",
    )  # fmt: skip
    assert said.startswith(f"{task} changed area, needs_review, phase, task_type, touches. {task} changed description")
    row = board.row(task)
    assert [row.title, row.priority, row.tags, row.area, row.phase, row.task_type, row.touches, row.needs_review] == [
        "Better", "low", ["new"], "web", 2, "bug", ["src"], True
    ]  # fmt: skip
    assert board.status(task) == "blocked"
    version = row.version
    assert done(hands, "tasks", "update", task, "--no-review", "--clear", "area", "--clear", "touches")
    row = board.row(task)
    assert (row.needs_review, row.area, row.touches) == (False, "", [])
    code, _, err = hands("tasks", "update", task, "--area", "db", "--version", version)
    assert (code, board.row(task).area) == (1, ""), "it has changed since"
    assert f"{task} is at version" in err
    done(hands, "tasks", "update", task, "--drop-depends-on", other)
    for action, status in (("hold", "blocked"), ("resume", "pending"), ("cancel", "cancelled"), ("reopen", "pending")):
        done(hands, "tasks", "update", task, "--action", action, "--reason", "So it is.")
        assert board.status(task) == status
    board.update("lead", task, drop_criteria=[2])
    board.finish("ada", task)
    done(hands, "tasks", "update", task, "--action", "archive")
    assert [each["id"] for each in asked(hands, "tasks", "list")["tasks"]] == [other]
    assert [each["id"] for each in asked(hands, "tasks", "list", "--archived")["tasks"]] == [task]
    done(hands, "tasks", "update", task, "--action", "unarchive")
    assert len(asked(hands, "tasks", "list")["tasks"]) == 2
    kinds = [each.kind for each in board.events(task) if each.via == "command line"]
    assert kinds.count("edited") == 3


def test_whoever_works_on_a_task_does_not_waive_its_review(board: Board, hands: Program) -> None:
    task = board.create("A task", needs_review=True)
    board.delegate("lead", task, "ada")
    board.claim("ada", task)
    code, _, err = hands("tasks", "update", task, "--no-review", "--agent", "ada")
    assert (code, board.row(task).needs_review) == (1, True)
    assert "ada" in err
    for words, sentence in (
        (("--phase", "11"), "phase is 1 to 10"),
        (("--complexity", "hgh"), "Did you mean `high`?"),
        (
            ("--clear", "areas"),
            "`areas` cannot be cleared; --clear takes assignee, parent, deadline, tags, description, e",
        ),
        (("--action", "retry"), "retry is for failed and partial work.\n"),
        (("--area", "x", "--clear", "area"), "both set and cleared"),
        ((), "Nothing to change"),
        (("--action", "hodl"), "Did you mean `hold`?"),
    ):
        code, out, err = hands("tasks", "update", task, *words)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert sentence in err
    assert board.row(task).version == 3


def test_work_is_handed_down_done_and_judged(board: Board, hands: Program) -> None:
    task, other = board.create("A task"), board.create("Another")
    assert done(
        hands, "tasks", "delegate", task, "ada", "--reasoning", "She can.", "--deliverable", "A page", "--risk", "Rain",
        "--resource", "A pen", "--context", "The plan", "--criterion", "It is read.", "--minutes", "30",
        "--priority", "high",
    ) == f"{task} is handed to ada, pending."  # fmt: skip
    (made,) = board.swarm.read(lambda db: work.delegations(db, task))
    assert (made.reasoning, made.expected_deliverables, made.risk_factors, made.estimated_minutes) == (
        "She can.", ["A page"], ["Rain"], 30
    )  # fmt: skip
    assert (made.required_resources, made.context_requirements) == (["A pen"], ["The plan"])
    code, out, err = hands("tasks", "claim", task)
    assert (code, out, err) == (1, "", "The operator holds no tasks. Act as an agent to claim one.\n")
    assert asked(hands, "tasks", "claim", "--agent", "ada", "--minutes", "90")["task"]["id"] == task
    assert board.row(task).lease_minutes == 90
    assert done(hands, "tasks", "report", task, "Half.", "--percent", "50", "--agent", "ada")
    assert board.line(task).progress == 50
    code, _, err = hands("tasks", "report", task, "Half.")
    assert (code, err.startswith(f"operator does not hold {task}; ada does.")) == (1, True)
    done(
        hands,
        "tasks",
        "report",
        task,
        "Which?",
        "--status",
        "requires_assistance",
        "--ask",
        "operator",
        "--agent",
        "ada",
    )
    assert board.asked(task) == ""
    done(hands, "tasks", "report", task, "--status", "in_progress", "--agent", "ada")
    done(hands, "tasks", "report", task, "First.", "--status", "blocked", "--depends-on", other, "--agent", "ada")
    assert board.status(task) == "blocked"
    board.finish("bob", other)
    code, _, err = hands("tasks", "review", task, "accept", "--notes", "Good.")
    assert (code, err.count("\n")) == (1, 1)
    board.claim("ada", task)
    board.complete("ada", task, outcome="partial", attempt=board.row(task).attempt)
    done(hands, "tasks", "review", task, "rework", "--notes", "The end is missing.", "--quality", "3")
    assert board.status(task) == "pending"
    assert hands("tasks", "review", task, "acept")[2].startswith("`acept` is no verdict: accept, rework")
    shown = hands("tasks", "show", task)[1]
    assert "Review:\n- operator (rework): The end is missing." in shown
    (line,) = [each for each in board.call("lead", operations.list_agents).agents if each.name == "ada"]
    assert (line.quality, line.ratings) == (3, 1)


def test_deleting_asks_a_person_and_needs_a_yes_from_everybody_else(board: Board, hands: Program) -> None:
    task, waiter = board.create(HOSTILE), board.create("Waits")
    part = board.create("A part", parent=task)
    board.update("lead", waiter, add_depends_on=[part])
    assert hands("tasks", "delete", task)[:2] == (2, "")
    assert hands("tasks", "delete", "nothing2", "--yes")[0] == 1
    for words, sentence in (((), "1 task below it"), (("--subtree",), f"{waiter} still waits for {task}")):
        code, out, err = hands("tasks", "delete", task, "--yes", *words)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert sentence in err
    board.update("lead", waiter, drop_depends_on=[part])
    with terminal(80, "n\n") as screen:
        code, _, err = hands("tasks", "delete", task, "--subtree")
    assert (code, screen.text.strip(), board.status(task)) == (1, "", "blocked")
    assert f"Delete {task} {SHOWN}, and everything below it, for good?" in err
    shown = seen(hands, 300, "tasks", "delete", task, "--subtree", typed="y\n")
    assert shown.strip().startswith(f"Deleted {task} {SHOWN} with 1 below it. The board as it was before is in")
    assert [each["id"] for each in asked(hands, "tasks", "list")["tasks"]] == [waiter]
    gone = asked(hands, "tasks", "delete", waiter[:6], "--yes")
    assert gone["deleted"] == [waiter]
    assert board.swarm.read(lambda db: tasks.task_rows(db, [task, part, waiter])) == {}


# --- lists ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def garden(board: Board, hands: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board with something of everything."""
    _ = hands
    named(board, monkeypatch, "grdn2222", "Make a garden with beds and a path, and a bench under the old apple tree")
    named(board, monkeypatch, "bedd2222", "Dig the beds", parent="grdn2222", priority="critical", tags=["soil"])
    named(board, monkeypatch, "seed2222", SEED, parent="grdn2222",
          depends_on=["bedd2222"], assignee="bob", area="plants")  # fmt: skip
    named(board, monkeypatch, "wtrr2222", "Water", parent="seed2222", depends_on=["related:bedd2222"])
    named(board, monkeypatch, "bnch2222", HOSTILE, deadline="2025-02-03", depends_on=["enables:seed2222"])
    named(board, monkeypatch, "done2222", "Measure")
    board.claim("ada", "bedd2222")
    board.report("ada", "bedd2222", percent=40)
    board.finish("ada", "done2222")
    board.update("lead", "bnch2222", action="hold", reason="No\nwood \x1b[31m")


def test_lists_have_every_filter_and_page(board: Board, hands: Program, garden: None) -> None:
    def listed(*words: str) -> list[str]:
        return [each["id"] for each in asked(hands, "tasks", "list", *words)["tasks"]]

    for words, found in (
        (("--status", "in_progress", "--status", "done"), ["bedd2222", "done2222"]),
        (("--assignee", "bob"), ["seed2222"]),
        (("--text", "apple bench"), ["grdn2222"]),
        (("--under", "grdn", "--sort", "created"), ["bedd2222", "seed2222", "wtrr2222"]),
        (("--ready",), []),
        (("--overdue",), ["bnch2222"]),
        (("--priority", "critical"), ["bedd2222"]),
        (("--tag", "soil"), ["bedd2222"]),
        (("--area", "plants"), ["seed2222"]),
        (("--archived",), []),
        (("--status", "failed"), []),
    ):
        assert listed(*words) == found, words
    first = asked(hands, "tasks", "list", "--limit", "4", "--sort", "created")
    assert (first["message"], len(first["tasks"]), first["total"]) == ("4 of 6 tasks.", 4, 6)
    rest = asked(hands, "tasks", "list", "--sort", "created", "--cursor", first["next_cursor"])
    assert [each["id"] for each in rest["tasks"]] == ["bnch2222", "done2222"]
    code, out, err = hands("tasks", "list", "--limit", "1", "--status", "blocked", "--sort", "deadline")
    assert (code, out) == (0, f"bnch2222\tblocked\tmedium\t0\t\t\t2025-02-03T23:59:59.999999+00:00\t\t{SHOWN}\n")
    assert err.startswith("There are more: --all lists them, and --cursor ")
    code, out, err = hands("tasks", "list", "--all", "--status", "in_progress")
    assert (out, err) == ("bedd2222\tin_progress\tcritical\t40\t\tada\t\t\tDig the beds\n", "")
    for words, sentence in (
        (("--status", "pendign"), "Did you mean `pending`?"), (("--assignee", "bobb"), "Did you mean `bob`?"),
        (("--sort", "urgent"), "Did you mean `urgency`?"), (("--under", "nothing2"), "No task `nothing2`."),
        (("--cursor", "x"), "is no cursor"),
    ):  # fmt: skip
        code, out, err = hands("tasks", "list", *words)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert sentence in err
    assert hands("tasks", "list", "--limit", "0")[0] == 2


def test_long_lists_are_read_to_their_end(board: Board, hands: Program) -> None:
    for part in range(2):
        board.plan(*({"title": f"Task {n} of part {part}, which has a longer title"} for n in range(230)))
    found = asked(hands, "tasks", "list", "--all")
    assert (found["message"], len({each["id"] for each in found["tasks"]})) == ("460 of 460 tasks.", 460)
    assert "next_cursor" not in found
    some = asked(hands, "tasks", "list", "--limit", "300")
    assert (some["message"], some["tasks"]) == ("300 of 460 tasks.", found["tasks"][:300])
    code, out, err = hands("tasks", "list", "--all")
    assert (code, err, out.count("\n")) == (0, "", 460)
    assert [line.partition("\t")[0] for line in out.splitlines()] == [each["id"] for each in found["tasks"]]
    code, out, err = hands("tasks", "tree", "--limit", "3")
    assert (out.count("\n"), err.startswith("There are more: --all shows them")) == (3, True)
    assert len(asked(hands, "tasks", "tree", "--all")["nodes"]) == 460


def test_a_list_is_a_table_on_a_terminal(hands: Program, garden: None) -> None:
    wide = seen(hands, 200, "tasks", "list", "--sort", "created")
    assert [line.split() for line in wide.splitlines()[:2]] == [["6", "of", "6", "tasks."], []]
    heading = next(line for line in wide.splitlines() if "status" in line)
    assert heading.split() == ["task", "status", "%", "priority", "title", "who", "due", "besides"]
    rows = {line.split()[0]: line for line in wide.splitlines() if "2222 " in line[:10]}
    assert list(rows) == ["grdn2222", "bedd2222", "seed2222", "wtrr2222", "bnch2222", "done2222"]
    assert re.search(r"▶ in_progress +40 +critical +Dig the beds +ada", rows["bedd2222"])
    assert rows["bnch2222"].rstrip().endswith("2025-02-03   held: No wood ␛[31m")
    assert SHOWN in rows["bnch2222"]
    narrow = seen(hands, 80, "tasks", "list", "--sort", "created")
    assert len(narrow.splitlines()) == len(wide.splitlines()), "each task stays in one line"
    assert all(each in narrow for each in rows)
    assert "priority" not in seen(hands, 80, "tasks", "list", "--status", "completed"), "nothing would stand there"


def test_no_colours_where_none_are_wished(hands: Program, garden: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> str:
        with terminal(80) as screen:
            hands("tasks", "tree")
        return screen.raw

    assert "\x1b[32m" in shown()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", shown())


# --- trees and graphs -----------------------------------------------------------------------------------------------

PIPED = f"""\
◌ blocked grdn2222 Make a garden with beds and a path, and a bench under the old apple tree 20%
  ▶ in_progress bedd2222 Dig the beds 40% → ada
  ◌ blocked seed2222 {SEED} → bob · waits for bedd2222
    ◌ blocked wtrr2222 Water
◌ blocked bnch2222 {SHOWN} · held: No wood ␛[31m
● completed done2222 Measure
"""
WIDE = f"""\
◌ grdn2222 Make a garden with beds and a path, and a bench under the old apple tree  blocked 20%
├─ ▶ bedd2222 Dig the beds  in_progress 40% → ada
└─ ◌ seed2222 {SEED}  blocked → bob · waits for bedd2222
   └─ ◌ wtrr2222 Water  blocked
◌ bnch2222 {SHOWN}  blocked · held: No wood ␛[31m
● done2222 Measure  completed
"""
NARROW = """\
◌ grdn2222 Make a garden with beds and a path, and a bench under t…  blocked 20%
├─ ▶ bedd2222 Dig the beds  in_progress 40% → ada
└─ ◌ seed2222 種をまく前に土を耕して、よく乾かしておくこと。それ…  blocked → bob
   └─ ◌ wtrr2222 Water  blocked
◌ bnch2222 ␛[2J␛]0;mine␇[red]Sow and reap�31m �gnitaerc [/nope]  blocked
● done2222 Measure  completed
"""


def test_the_tree_in_a_pipe_and_at_two_widths(hands: Program, garden: None) -> None:
    assert hands("tasks", "tree") == (0, PIPED, "")
    assert seen(hands, 200, "tasks", "tree") == WIDE
    assert seen(hands, 80, "tasks", "tree") == NARROW
    branch = asked(hands, "tasks", "tree", "seed")["nodes"]
    assert [(each["id"], each.get("depth", 0), each.get("depends_on", [])) for each in branch] == [
        ("seed2222", 0, ["bedd2222"]), ("wtrr2222", 1, [])
    ]  # fmt: skip
    assert hands("tasks", "tree", "nothing2")[2].startswith("No task `nothing2`.")


def test_a_tree_deeper_than_the_terminal_is_wide_keeps_its_tasks(board: Board, hands: Program) -> None:
    parent = ""
    for n in range(40):
        parent = board.create(f"Level {n}", parent=parent)
    lines = seen(hands, 80, "tasks", "tree").splitlines()
    assert len(lines) == 40
    assert all(f"Level {n}  blocked" in line for n, line in enumerate(lines[:39]))
    assert lines[39].startswith("… ")


def test_a_board_without_tasks_says_so_and_a_task_without_a_name_is_wrong_usage(hands: Program) -> None:
    with terminal(80) as screen:
        hands("tasks", "tree")
    assert screen.text.strip() == "There are no tasks yet."
    assert hands("tasks", "tree") == (0, "", "")
    assert hands("tasks", "show", " ")[:2] == (2, "")


def test_the_graph_as_lines_a_table_and_mermaid(board: Board, hands: Program, garden: None) -> None:
    assert hands("tasks", "graph")[1].splitlines() == [
        "seed2222\tblocks\tbedd2222\tblocked\tin_progress", "wtrr2222\trelated\tbedd2222\tblocked\tin_progress",
        "bnch2222\tenables\tseed2222\tblocked\tblocked",
    ]  # fmt: skip
    assert [each["task"] for each in asked(hands, "tasks", "graph", "seed2222")["edges"]] == ["seed2222", "wtrr2222"]
    shown = seen(hands, 80, "tasks", "graph")
    assert re.search(r"◌ seed2222 種を.+… +waits for +▶ bedd2222 Dig the beds", shown)
    assert re.search(r"◌ bnch2222 ␛.+… +enables +◌ seed2222 種を.+…", shown)
    code, out, _ = hands("tasks", "graph", "grdn2222", "--mermaid")
    assert (code, out.startswith("graph TD\n"), "bedd2222 --> seed2222" in out) == (0, True, True)
    assert hands("tasks", "graph", "--mermaid")[0] == 2


# --- one task -------------------------------------------------------------------------------------------------------


def test_one_task_is_shown_whole_and_nothing_of_it_moves_the_cursor(board: Board, hands: Program, garden: None) -> None:
    board.update("lead", "bnch2222", description=f"First.\n{HOSTILE}\nLast.")
    code, out, _ = hands("tasks", "show", "bnch", "--all")
    assert (code, "\x1b" in out, "\x9b" in out) == (0, False, False)
    assert "First.\n␛[2J␛]0;mine␇[red]Sow\nand\treap�31m �gnitaerc [/nope]\nLast." in out
    assert re.search(r"History:\n- \d+ .* lead created", out)
    shown = seen(hands, 80, "tasks", "show", "bnch2222", "--include", "history")
    assert re.search(r"^To do\nFirst\.$", shown, re.MULTILINE)
    assert re.search(r"^In the way\n- held by lead", shown, re.MULTILINE)
    code, out, _ = hands("tasks", "show", "bnch2222", "--json")
    found = json.loads(out)
    assert (found["task"]["title"], found["description"].split("\n")[-1]) == (HOSTILE, "Last.")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out), "in JSON, too"
    assert hands("tasks", "show", "bnch2222", "--include", "histroy")[0] == 1
    board.call("ada", operations.add_note, task="bedd2222", text="Mine alone.")
    assert "Mine alone." in hands("tasks", "show", "bedd2222", "--include", "notes", "--agent", "ada")[1]
    assert "Mine alone." not in hands("tasks", "show", "bedd2222", "--include", "notes", "--agent", "bob")[1]


def test_what_is_not_known_or_not_clear_is_one_sentence_for_every_command(
    board: Board, hands: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alike = ("m2qa7c4d", "m2qa7c4e")
    for name in alike:
        named(board, monkeypatch, name, "Alike")
    commands = (
        ("show",), ("tree",), ("graph",), ("update", "--title", "x"), ("delegate", "ada"), ("claim", "--agent", "ada"),
        ("report", "x", "--agent", "ada"), ("done", "--agent", "ada"), ("review", "accept"), ("delete", "--yes"),
    )  # fmt: skip
    before = [board.row(each).version for each in alike]
    for name, *rest in commands:
        for task, sentence in (("m2qa", "m2qa7c4d"), ("zz\x1b[31m", "No task `zz␛[31m`"), ("nothing2", "No task")):
            code, out, err = hands("tasks", name, task, *rest)
            assert (code, out, err.count("\n")) == (1, "", 1), (name, task, err)
            assert sentence in err, (name, task, err)
            assert "\x1b" not in err
    after = [board.row(each).version for each in alike]
    assert before == after
    assert hands("tasks", "list", "--project", "nowhere")[::2] == (
        1, "No project `nowhere`. Create it first: swarm-mcp project create nowhere.\n"
    )  # fmt: skip
