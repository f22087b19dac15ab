"""The command line: exit codes, where words go, and what programs can read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from terminals import terminal

from swarm_mcp import __version__, open_swarm, operations
from swarm_mcp.cli.app import app
from swarm_mcp.cli.importing import show
from swarm_mcp.cli.options import settings
from swarm_mcp.interchange.imported import Imported, Mapped
from swarm_mcp.repository import agents, events, migrate, tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Program

    from swarm_mcp.operations.swarm import Swarm

PLAN = {
    "tasks": [
        {"id": 1, "title": "Sow", "status": "done"},
        {"id": 2, "title": "Water", "status": "in-progress", "dependencies": [1, 9]},
        {"id": 3, "title": "Reap", "status": "done", "dependencies": [2]},
    ]
}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A small Taskmaster file."""
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(PLAN))
    return path


def commands(group: Any, *names: str) -> Iterator[tuple[str, ...]]:
    """Every command of the program, as the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *names, name)
        else:
            yield (*names, name)


@pytest.mark.parametrize("words", list(commands(typer.main.get_command(app))), ids=" ".join)
def test_the_help_of_every_command_shows_an_example(program: Program, words: tuple[str, ...]) -> None:
    code, out, err = program(*words, "--help")
    assert (code, err) == (0, "")
    assert f"Example: swarm-mcp {' '.join(words)}" in " ".join(out.split())


def test_without_arguments_the_program_prints_its_help(program: Program) -> None:
    _, out, err = program()
    assert "import" in out
    assert err == ""


def test_the_program_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "swarm_mcp", "version"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"{__version__}\n", "")


def test_an_import_reports_in_lines_when_it_is_piped(program: Program, plan: Path) -> None:
    code, out, err = program("import", "taskmaster", plan)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Imported 3 tasks with 2 dependencies from tasks.json.",
        "status: done → completed: 2",
        "status: in-progress → pending: 1",
        "dependencies: blocks: 2",
        "dangling: 2: it refers to 9, which is not there; that was left out.",
        "guessed: Nobody here holds what is in progress there, so that it waits to be claimed: 2.",
        "contradiction: 3: it is done, with this in its way: it waits for 2 (pending).",
    ]
    assert program("import", "taskmaster", plan)[1].startswith(
        "Imported 0 tasks from tasks.json; 3 were there already.\n"
    )


def test_an_import_is_shown_as_tables_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    sentences = [f"{n}: it is [bold]odd[/bold]." for n in range(25)]
    report = Imported(
        message="Imported 3,000 tasks from plan.", format="beads", name="plan", created=3000, subtasks=2, archived=1,
        edges={"blocks": 1200}, mapped=[Mapped(word="closed", status="completed", tasks=3000)],
        brought={"comments": 7}, people=["zoe"], guessed=sentences,
    )  # fmt: skip
    show(report)
    shown = capsys.readouterr().out
    rows = [" ".join(line.split()) for line in shown.splitlines()]
    assert [row for row in rows if row and "─" not in row][:9] == [
        "Imported 3,000 tasks from plan.", "status there status here tasks", "closed completed 3,000", "what came",
        "subtasks 2", "archived 1", "dependencies: blocks 1,200", "comments 7", "New here, and not yet seen: zoe.",
    ]  # fmt: skip
    assert "guessed 19: it is [bold]odd[/bold]." in rows
    assert rows[-1] == "guessed … and 5 more; --json shows all."
    show(Imported(message="Imported 0 tasks from plan.", format="beads", name="plan", created=0))
    assert capsys.readouterr().out == "Imported 0 tasks from plan.\n", "no empty tables"


def test_an_import_reports_as_json_when_asked(program: Program, plan: Path) -> None:
    code, out, err = program("import", "taskmaster", plan, "--json")
    report = json.loads(out)
    assert (code, err) == (0, "")
    assert (report["created"], report["edges"], report["statuses"]) == (
        3,
        {"blocks": 2},
        {"completed": 2, "pending": 1},
    )
    assert set(report["ids"]) == {"1", "2", "3"}


def test_times_without_an_offset_are_of_the_zone_that_was_named(program: Program, tmp_path: Path) -> None:
    issue = {"id": "b-1", "title": "Sow", "status": "open", "created_at": "2025-07-01T12:00:00", "assignee": "a b"}
    path = tmp_path / "issues.jsonl"
    path.write_text(json.dumps(issue))
    _, out, _ = program("import", "beads", path, "--timezone", "Europe/Berlin")
    assert out.splitlines() == [
        "Imported 1 task from issues.jsonl.",
        "status: open → pending: 1",
        "announced: a_b",
        "guessed: 1 time without an offset was taken as Europe/Berlin.",
    ]
    swarm = open_swarm(tmp_path / "board.db")
    assert swarm.read(lambda db: tasks.resolve_task(db, "b-1")).created_at == datetime(2025, 7, 1, 10, tzinfo=UTC)
    swarm.close()


def test_a_dry_run_does_not_even_create_the_database(program: Program, plan: Path, tmp_path: Path) -> None:
    code, out, err = program("import", "taskmaster", plan, "--dry-run")
    assert (code, err) == (0, "")
    assert out.startswith("Would import 3 tasks")
    assert [each.name for each in tmp_path.iterdir()] == ["tasks.json"]


def test_a_dry_run_on_a_board_leaves_it_as_it_is(program: Program, plan: Path) -> None:
    program("project", "create", "garden")
    assert program("import", "taskmaster", plan, "--dry-run", "--project", "garden")[1].startswith(
        "Would import 3 tasks"
    )
    listed = json.loads(program("project", "list", "--json")[1])
    assert listed == [{"slug": "default", "tasks": {}}, {"slug": "garden", "tasks": {}}]


def test_what_cannot_be_done_is_one_sentence_on_stderr(program: Program, plan: Path) -> None:
    refused = [
        (program("import", "taskmaster", "nowhere.json"), "There is no file `nowhere.json`"),
        (program("import", "taskmaster", plan, "--project", "nowhere"), "No project `nowhere`."),
        (program("import", "taskmaster", plan, "--parent", "zzzz"), "No task `zzzz`."),
        (program("import", "taskmaster", plan, "--namespace", "a b"), "`a b` is no namespace"),
        (program("project", "create", "No Name"), "`No Name` is no name for a project"),
    ]
    for (code, out, err), beginning in refused:
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith(beginning)


def test_a_full_disk_behind_stdout_and_closed_streams_are_no_crash(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        for words, code in ((("version",), 0), (("send", "ada", "-"), 1)):
            for name in ("stdin", "stdout"):
                without.setattr(sys, name, None)
            assert program(*words)[0] == code
            sys.stdin.close()
            sys.stdout.close()
    full = Path("/dev/full")
    if full.exists():
        with full.open("w") as stdout:
            with monkeypatch.context() as without:
                without.setattr(sys, "stdout", stdout)
                said = program("project", "create", "garden")
            sentence = "The answer could not be printed: No space left on device. What the command did is done.\n"
            assert said == (1, "", sentence)
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())  # where what is left of it may go
        assert "garden\t0\n" in program("project", "list")[1]


def test_wrong_usage_is_told_apart_from_a_refusal(program: Program, plan: Path) -> None:
    wrong = [
        program("import", "yaks", plan), program("import", "taskmaster"), program("nonsense"),
        program("import", "taskmaster", plan, "--nope"),
        program("import", "taskmaster", plan, "--timezone", "Mars/Olympus"),
        program("demo", "--workers", "0"), program("serve", "--profile", "king"),
    ]  # fmt: skip
    assert [(code, out) for code, out, _ in wrong] == [(2, "")] * len(wrong)
    assert all(err for _, _, err in wrong)
    assert "Known: taskmaster, beads" in " ".join(wrong[0][2].replace("│", " ").split())


def test_a_project_is_created_once(program: Program) -> None:
    assert program("project", "create", "garden") == (0, "Created the project garden.\n", "")
    again = program("project", "create", "garden")
    assert again == (0, "There is a project garden already; it was left as it is.\n", "")
    assert program("project", "list") == (0, "default\t0\ngarden\t0\n", "")


def test_projects_are_listed_with_what_is_in_them(program: Program, plan: Path) -> None:
    program("project", "create", "garden")
    program("import", "taskmaster", plan, "--project", "garden")
    listed = json.loads(program("project", "list", "--json")[1])
    assert listed[1] == {"slug": "garden", "tasks": {"completed": 2, "pending": 1}}


def test_the_doctor_looks_and_touches_nothing(program: Program, plan: Path, tmp_path: Path) -> None:
    code, out, _ = program("doctor", "--json")
    found = json.loads(out)
    assert (code, found["health"], found["swarm-mcp"]) == (0, "new", __version__)
    assert not (tmp_path / "board.db").exists()
    program("import", "taskmaster", plan)
    found = json.loads(program("doctor", "--json")[1])
    assert (found["health"], found["revision"]) == ("ok", migrate.HEAD)
    assert found["sqlite"].count(".") == 2


def test_the_doctor_says_what_is_wrong(program: Program, plan: Path) -> None:
    code, out, err = program("doctor", "--database", plan)
    assert (code, err) == (1, "")
    assert "is not a board of swarm-mcp" in out
    code, out, err = program("doctor", "--database", "mysql://ada@host/board")
    assert (code, err, "postgresql:// address" in out, "db check" in out) == (1, "", True, False)


def test_the_version_is_told_as_a_command_and_as_an_option(program: Program) -> None:
    assert program("version") == program("--version") == (0, f"{__version__}\n", "")
    assert json.loads(program("version", "--json")[1]) == {"version": __version__}


@pytest.mark.parametrize(
    "words",
    [
        ("export", "csv", "-"), ("archive", "--to", "put-away"), ("stats",), ("stuck",), ("critical-path",), ("inbox",),
        ("tasks", "list"), ("tasks", "tree"), ("tasks", "graph"), ("tasks", "show", "k3x9"), ("agents", "list"),
        ("teams", "list"), ("project", "list"), ("project", "show"), ("token", "list"), ("token", "revoke", "k3x9m2qa"),
    ],
)  # fmt: skip
def test_whoever_looks_where_no_board_is_makes_none(words: tuple[str, ...], program: Program, tmp_path: Path) -> None:
    said = (1, "", "There is no board there yet. `swarm-mcp db init` makes one.\n")
    assert program(*words, "--database", tmp_path / "typo" / "board.db") == said
    assert not (tmp_path / "typo").exists()


# --- undo, and the operator's hands -----------------------------------------------------------------------------------


@pytest.fixture
def board(tmp_path: Path, program: Program) -> Iterator[Swarm]:
    """The board that the program works on, with a root director on it."""
    swarm = open_swarm(tmp_path / "board.db")
    with swarm.writing(agent="lead") as db:
        operations.check_inbox(db)
    yield swarm
    swarm.close()


def created(board: Swarm, **said: Any) -> str:
    with board.writing(agent="lead") as db:
        task = operations.create_task(db, **{"title": "A task", **said}).task
    assert task is not None
    return task.id


def status(board: Swarm, task: str) -> str:
    with board.reading() as db:
        return next(each.status for each in operations.list_tasks(db, limit=200).tasks if each.id == task)


def last_event(board: Swarm, task: str) -> int:
    with board.reading() as db:
        return events.latest_task_events(db, task, limit=1)[0].seq


def test_an_event_is_undone_as_the_operator_whatever_the_environment_says(
    program: Program, board: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_AGENT", "ada")
    task = created(board)
    for agent, more in (("lead", ("--json",)), ("", ())):
        with board.writing(agent="lead") as db:
            operations.update_task(db, task=task, title="Another")
        seq = last_event(board, task)
        code, out, err = program("undo", seq, *(("--agent", agent) if agent else ()), *more)
        assert (code, err) == (0, "")
        said = f"Event {seq} (edited) is undone: {task} A task is pending."
        assert (json.loads(out)["message"] if more else out.splitlines()[0]) == said
    with board.reading() as db:
        last = events.latest_task_events(db, task, limit=1)[0]
    assert (last.kind, last.agent_id, last.via) == ("undone", None, "command line")


def test_an_undo_that_is_refused_is_one_sentence_and_registers_nobody(program: Program, board: Swarm) -> None:
    task = created(board)
    seq = last_event(board, task)
    why = f"a creation is not undone. `swarm-mcp tasks update {task} --action cancel` ends the task."
    assert program("undo", seq) == (1, "", f"Event {seq} (created) cannot be undone: {why}\n")
    code, out, err = program("undo", seq, "--agent", "stranger")
    assert (code, out) == (1, "")
    assert err.startswith("stranger may not undo: root directors and the operator may.")
    assert program("undo", 0)[0] == program("undo", "seven")[0] == 2
    with board.reading() as db:
        assert agents.find_agent(db, "stranger") is None


def test_tasks_done_completes_as_an_agent_and_unblocks_what_waits(program: Program, board: Swarm) -> None:
    task = created(board, criteria=["It works."], checks=["failed == 0"])
    waiter = created(board, title="Next", depends_on=[task])
    words = ("tasks", "done", task[:6], "--agent", "ada", "--summary", "Deployed.")
    code, out, err = program(*words)
    assert (code, out) == (1, "")
    assert err.startswith("Not completed: criterion 1 has no evidence")
    assert status(board, task) == "pending", "the claim is not kept when the completion is refused"
    code, out, err = program(*words, "--evidence", "1=CI run 42", "--measure", "failed=0")
    assert (code, err) == (0, "ada is new.\n")
    assert f"unblocked {waiter} Next" in out.splitlines()
    assert (status(board, task), status(board, waiter)) == ("completed", "pending")


def test_tasks_done_completes_what_the_agent_holds(program: Program, board: Swarm) -> None:
    task = created(board)
    with board.writing(agent="ada") as db:
        operations.claim_task(db, task=task)
    code, out, err = program("tasks", "done", task, "--summary", "Deployed.")
    assert (code, out) == (1, "")
    assert err == (
        f"ada holds {task}; the operator completes nothing by itself. As an agent: swarm-mcp tasks done {task} "
        "--agent ada --summary …\n"
    )
    assert "ada holds" in program("tasks", "done", task, "--agent", "bob", "--summary", "Mine.")[2]
    answer = json.loads(program("tasks", "done", task, "--agent", "ada", "--summary", "Deployed.", "--json")[1])
    assert (answer["task"]["id"], answer["task"]["status"]) == (task, "completed")


def test_tasks_done_accepts_what_was_handed_in(program: Program, board: Swarm) -> None:
    task = created(board, needs_review=True)
    waiter = created(board, depends_on=[task])
    program("tasks", "done", task, "--agent", "ada", "--summary", "Deployed.")
    assert status(board, task) == "in_review"
    assert "ask lead" in program("tasks", "done", task, "--agent", "ada")[2]
    assert "is waived, not shown" in program("tasks", "done", task, "--evidence", "1=x")[2]
    assert program("tasks", "done", task)[::2] == (0, "")
    assert (status(board, task), status(board, waiter)) == ("completed", "pending")


def test_tasks_done_says_what_cannot_be_done(program: Program, board: Swarm) -> None:
    task = created(board)
    waiter = created(board, depends_on=[task])
    said = "swarm-mcp tasks done {} --agent NAME --summary …"
    refused = [
        (program("tasks", "done", "nothing2"), "No task `nothing2`."),
        (program("tasks", "done", task), said.format(task)),
        (program("tasks", "done", waiter), f"{waiter} is blocked and nobody holds it"),
        (program("tasks", "done", waiter, "--agent", "ada", "--summary", "x"), f"{waiter} is not ready"),
        (program("tasks", "done", task, "--agent", "ada"), "needs a summary"),
    ]
    for (code, out, err), words in refused:
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert words in err
    assert program("tasks", "done", task, "--evidence", "CI run 42")[0] == 2
    program("tasks", "done", task, "--agent", "ada", "--summary", "Deployed.")
    assert program("tasks", "done", task) == (1, "", f"{task} is completed already.\n")


def test_stuck_names_what_does_not_move_and_the_command_that_frees_it(program: Program, tmp_path: Path) -> None:
    with open_swarm(tmp_path / "board.db").writing(agent="lead") as db:
        task = operations.create_task(db, title="Sow").task
        assert task is not None
        operations.create_task(db, title="Reap", depends_on=[task.id])
        operations.update_task(db, task=task.id, action="hold", reason="No\train.\n")
    call = f'update_task(task="{task.id}", action="resume")'
    command = f"swarm-mcp tasks update {task.id} --action resume"
    assert program("stuck") == (0, f"{task.id}\t1\theld by lead: No rain.\t{command}\n", "")
    code, out, _ = program("stuck", "--json")
    assert (code, json.loads(out)["items"][0]["call"]) == (0, call)
    assert program("stuck", "--under", "nothing")[0] == 1


def test_on_a_board_that_moves_nothing_is_stuck(program: Program) -> None:
    assert program("db", "init")[0] == 0
    assert program("stuck") == (0, "", "")


def test_tokens_are_made_listed_and_revoked(program: Program) -> None:
    code, out, err = program("token", "create", "Ada", "--scope", "director", "--expires", "30d")
    assert code == 0
    assert re.fullmatch(r"swarm_[a-z0-9]{8}_[A-Za-z0-9_-]{43}\n", out)
    token = out.split("_")[1]
    assert err == f"Token {token} lets ada in as director, valid for 30d. It is shown this once.\n"
    assert re.fullmatch(rf"{token}\tada\tdirector\tvalid\texpires .*\tnever used\n", program("token", "list")[1])
    assert program("token", "revoke", token)[1] == f"Token {token} of ada opens nothing any more.\n"
    (listed,) = json.loads(program("token", "list", "--json")[1])
    assert (listed["state"], "digest" in listed, "secret" in listed) == ("revoked", False, False)
    assert json.loads(program("token", "create", "bob", "--json")[1])["token"]["expires_at"] is None
    with terminal(80) as screen:
        assert not program("token", "list")[0]
    assert "2 tokens, 1 of them valid.\n" in screen.text
    assert re.search(rf"\n *{token} +ada +director +revoked +20\d\d-\d\d-\d\d \d\d:\d\dZ +never", screen.text)
    assert program("token", "create", "ada", "--expires", "soon")[0] == 2
    assert program("token", "revoke", "nothing2") == (
        1, "", "No token `nothing2`; swarm-mcp token list names them.\n"
    )  # fmt: skip


def test_where_nobody_may_look_there_are_no_settings_and_an_unreadable_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dotenv = tmp_path / ".env"
    dotenv.write_text("SWARM_PROJECT=told\n")
    assert settings().project == "told"
    is_root = os.geteuid() == 0
    try:
        dotenv.chmod(0)
        tmp_path.chmod(0o711)
        if is_root:
            os.seteuid(65534)
        with pytest.raises(typer.BadParameter, match=r"\.env of this folder"):
            settings()
        if is_root:
            os.seteuid(0)
        tmp_path.chmod(0)
        if is_root:
            os.seteuid(65534)
        assert settings(port="1").project == "default"
    finally:
        if is_root:
            os.seteuid(0)
        tmp_path.chmod(0o700)


# --- boards on their way ----------------------------------------------------------------------------------------------


def test_a_board_leaves_as_a_file_and_arrives_in_another_database(
    program: Program, board: Swarm, tmp_path: Path
) -> None:
    done = created(board, title="Sow")
    waiter = created(board, title="Reap", depends_on=[done])
    code, out, err = program("export", "swarm", "board.jsonl")
    assert (code, out.startswith("Exported 2 tasks in "), err) == (0, True, "")
    assert program("export", "swarm", "board.jsonl") == (
        1, "", "There is a `board.jsonl` already. Name another place, or replace it with --force.\n"
    )  # fmt: skip
    report = json.loads(program("export", "swarm", "part.jsonl", "--task", waiter[:6], "--json")[1])
    assert (report["tasks"], report["name"], report["counts"]["dependency"]) == (1, "part.jsonl", 1)
    code, out, err = program("export", "swarm", "-")
    assert (code, err.startswith("Exported 2 tasks in ")) == (0, True)
    assert out.splitlines()[1:] == (tmp_path / "board.jsonl").read_text().splitlines()[1:]
    elsewhere = ("--database", tmp_path / "another.db")
    rehearsal = program("import", "swarm", "board.jsonl", "--dry-run", *elsewhere)
    assert rehearsal[1].startswith("Would import 2 tasks in")
    assert not (tmp_path / "another.db").exists()
    code, out, err = program("import", "swarm", "board.jsonl", *elsewhere)
    assert (code, out.splitlines()[1:4], err) == (
        0, ["status: pending → pending: 1", "status: blocked → blocked: 1", "dependencies: blocks: 1"], ""
    )  # fmt: skip
    program("export", "swarm", "again.jsonl", *elsewhere)
    assert (tmp_path / "again.jsonl").read_text().splitlines()[1:] == out_of(tmp_path / "board.jsonl")
    wrong = [
        program("export", "carrier-pigeon", "x"), program("export", "swarm", "-", "--json"),
        program("export", "swarm", "x", "--since", "yesterday"), program("archive", "--older-than", "long"),
    ]  # fmt: skip
    assert [(code, out) for code, out, _ in wrong] == [(2, "")] * len(wrong)


def out_of(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


def test_finished_work_is_put_away_and_read_again(program: Program, board: Swarm, tmp_path: Path) -> None:
    task = created(board, title="Sow")
    program("tasks", "done", task, "--summary", "Sown.", "--agent", "ada")
    assert program("archive") == (0, "Archived 0 tasks.\n", ""), "nothing is 30 days old"
    (tmp_path / "put-away").mkdir()
    code, out, err = program("archive", "--older-than", "0d", "--to", "put-away", "--json")
    report = json.loads(out)
    assert (code, report["tasks"], report["topmost"], err) == (0, 1, [task], "")
    (name,) = report["files"]
    code, out, err = program("import", "archive", f"put-away/{name}", "--database", tmp_path / "another.db")
    assert (code, out.splitlines()[0].startswith("Imported 1 task in "), err) == (0, True, "")
    again = program("import", "archive", f"put-away/{name}")[1].splitlines()
    assert again[0] == f"Imported 0 tasks in 0 rows from {name}; 1 was there already."
    assert re.fullmatch(r"skipped: 1 task is here already; it was left as it is, with \d+ rows about it\.", again[1])
