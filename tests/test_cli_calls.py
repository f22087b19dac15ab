"""The calls that sentences name, as commands: every spelling of the source becomes a command line that parses."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from terminals import terminal

import swarm_mcp
from swarm_mcp import operations
from swarm_mcp.cli import calls
from swarm_mcp.cli.app import app
from swarm_mcp.cli.calls import as_command, in_commands, with_commands_behind
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.server.schemas import ORDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Program

    from swarm_mcp.operations.swarm import Swarm

SOURCE = Path(swarm_mcp.__file__).parent
SPEAKING = ("operations", "repository", "model", "interchange")
"""Where sentences come from that a command may print."""
TASK = "k3x9m2qa"
PUT_TOGETHER = [
    f'complete_task(task="{TASK}", summary=…, outcome="partial")',
    f'complete_task(task="{TASK}", summary=…, attempt=3)',
    f'report_progress(task="{TASK}", message=…, percent=…, attempt=3)',
    f'report_progress(task="{TASK}", message=…, status="in_progress", attempt=3)',
    f'update_task(task="{TASK}", action="cancel", subtree=True)',
    f'get_task(task="{TASK}", include=["messages"], cursor="41", max_tokens=8000)',
    f'list_tasks(limit=200, under="{TASK}")',
]
"""Calls of whose arguments some come from elsewhere."""


@pytest.fixture(autouse=True)
def nothing_typed() -> Iterator[None]:
    """No option of a command of before."""
    calls.typed.clear()
    yield
    calls.typed.clear()


@pytest.fixture
def swarm(program: Program, tmp_path: Path) -> Iterator[Swarm]:
    """The board that `program` works on: lead, ada and bob."""
    swarm = open_swarm(tmp_path / "board.db")
    for agent in ("lead", "ada", "bob"):
        swarm.write(operations.check_inbox, agent=agent)
    yield swarm
    swarm.close()


def sentences() -> Iterator[str]:
    """Every text of the modules that speak, docstrings aside; a value in quotes is some task, elsewhere a figure."""
    for layer in SPEAKING:
        for path in sorted((SOURCE / layer).rglob("*.py")):
            yield from _texts(ast.parse(path.read_text(encoding="utf-8")))


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield _filled(node)
        for each in node.values:
            yield from _texts(each.value) if isinstance(each, ast.FormattedValue) else ()
    elif isinstance(node, ast.Constant):
        yield from [node.value] if isinstance(node.value, str) else []
    else:
        for each in ast.iter_child_nodes(node):
            is_docstring = isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
            yield from _texts(each) if not is_docstring else ()


def _filled(node: ast.JoinedStr) -> str:
    said = ""
    for each in node.values:
        if isinstance(each, ast.Constant):
            said += str(each.value)
        elif said.endswith("="):
            said += "1"
        else:
            said += TASK if said.count('"') % 2 else ""
    return said


def calls_of_the_source() -> set[str]:
    """Every call that a sentence of the source names."""
    named = re.compile(rf"\b(?:{'|'.join(ORDER)})\(")
    found: set[str] = set()
    for text in sentences():
        for match in named.finditer(text):
            end = calls._end(text, match.end())
            assert end, f"never closed: {text}"
            found.add(text[match.start() : end])
    return found


def parsed(command: str) -> dict[str, Any]:
    """What the real parser makes of a command line; nothing is carried out."""
    program, *words = shlex.split(command)
    assert program == "swarm-mcp"
    group: Any = typer.main.get_command(app)
    while hasattr(group, "commands"):
        group = group.commands[words.pop(0)]
    params = group.make_context(command, words).params
    calls.typed.clear()
    return params


def test_every_call_of_the_source_is_a_command_that_parses() -> None:
    spelt = calls_of_the_source()
    assert len(spelt) > 50, "they are found"
    for call in sorted(spelt | set(PUT_TOGETHER)):
        command = as_command(call)
        assert command, f"{call} is named, and there is no command for it"
        parsed(command)
        assert (TASK in call) == (TASK in command), call
        assert in_commands(f"Now {call}.") == f"Now `{command}`."


@pytest.mark.parametrize(
    ("call", "command"),
    [
        ("claim_task()", "tasks claim --agent …"),
        ('claim_task(task="k3x9m2qa")', "tasks claim k3x9m2qa --agent …"),
        ('get_task(task="k3x9m2qa", include=["tree"], max_tokens=8000)', "tasks show k3x9m2qa --include tree"),
        ('get_task(task=…, include=["history"])', "tasks show … --include history"),
        ("get_task()", "agents show …"),
        (PUT_TOGETHER[0], "tasks done k3x9m2qa --outcome partial --summary … --agent …"),
        (PUT_TOGETHER[3], "tasks report k3x9m2qa … --status in_progress --attempt 3 --agent …"),
        ('send_message(reply_to="m6", text=…)', "send … --reply-to m6"),
        ('send_message(to="lead", task="k3x9m2qa", text=…)', "send lead … --task k3x9m2qa"),
        ('send_message(to="operator", …)', "send operator …"),
        ("check_inbox(reread=true)", "inbox --again"),
        ("check_inbox(wait_seconds=45)", "inbox --wait 45"),
        ('update_task(clear=["assignee"])', "tasks update … --clear assignee"),
        (PUT_TOGETHER[4], "tasks update k3x9m2qa --action cancel --subtree"),
        ('update_task(task="k3x9m2qa", add_criteria=[…])', "tasks update k3x9m2qa --criterion …"),
        ('review_task(task="k3x9m2qa", …)', "tasks review k3x9m2qa …"),
        ('delegate(task="k3x9m2qa", to=…)', "tasks delegate k3x9m2qa …"),
        ('register_agent(name="ada", lifecycle="active")', "agents resume ada"),
        ('get_overview(view="stuck")', "stuck"),
        ('delegate(task="k3x9m2qa", to="two words")', "tasks delegate k3x9m2qa 'two words'"),
    ],
)  # fmt: skip
def test_a_call_is_typed_like_this(call: str, command: str) -> None:
    assert as_command(call) == f"swarm-mcp {command}"
    parsed(f"swarm-mcp {command}")


def test_a_command_acts_as_whom_and_where_it_was_typed() -> None:
    calls.typed.update({"--agent": "ada", "--database": "my board.db", "--project": "billing"})
    where = "--database 'my board.db' --project billing"
    assert as_command("claim_task()") == f"swarm-mcp tasks claim --agent ada {where}"
    assert as_command('update_task(task="k3x9m2qa", action="retry")').endswith(f"--action retry --agent ada {where}")
    assert as_command("get_task()") == f"swarm-mcp agents show ada {where}"
    for command in (as_command("claim_task()"), as_command("list_agents()"), as_command('get_overview(view="tree")')):
        parsed(command)


@pytest.mark.parametrize(
    "words",
    [
        "share_context(task=…, key=…)", "claim_task(colour=1)", "claim_task(", "claim_task('x')", "claim_task(task=x)",
        "reclaim_task()", 'get_overview(view="workload")', "claim_task(task=__import__('os'))", "claim_task(**{})",
        f"claim_task({'(' * 3000}", "send_message(to=)", "", "claim_task", "update_task(task=[[[1)",
    ],
)  # fmt: skip
def test_what_is_not_known_stays_as_it_is(words: str) -> None:
    assert as_command(words) == ""
    assert in_commands(f"Say {words} to it.") == f"Say {words} to it."


def test_arguments_that_a_sentence_names_become_options() -> None:
    said = 'No evidence ("Tests."; evidence={"2": …}). Mend them, or outcome="partial", or ask; limit=200 shows more.'
    assert in_commands(said) == said, "it may be a title's"
    assert in_commands(said, with_options=True) == (
        'No evidence ("Tests."; --evidence 2=…). Mend them, or --outcome partial, or ask; --limit 200 shows more.'
    )


def test_only_what_the_board_put_behind_somebodys_words_is_a_command() -> None:
    theirs = "claim_task() crashes"
    assert with_commands_behind(theirs) == theirs
    assert with_commands_behind(f'{theirs}… (get_task(task="{TASK}", include=["messages"]) has all of it)') == (
        f"{theirs}… (`swarm-mcp tasks show {TASK} --include messages` has all of it)"
    )


def test_refusals_and_answers_name_commands_and_leave_others_words_alone(swarm: Swarm, program: Program) -> None:
    title = "Mend claim_task()"
    words = "check_inbox()\nNext: get_task()"
    task = swarm.write(lambda db: operations.create_task(db, title=title, description=words)).task
    assert task is not None
    name = task.id
    said = "No task `nothing`. `swarm-mcp tasks list --agent ada` shows the ones you can see.\n"
    assert program("tasks", "show", "nothing", "--agent", "ada") == (1, "", said)
    assert program("tasks", "show", "nothing")[2] == said.replace(" --agent ada", "")
    again = f"retry is for failed and partial work. `swarm-mcp tasks claim {name} --agent …` takes this.\n"
    assert program("tasks", "update", name, "--action", "retry")[2] == f"{name} is pending; {again}"
    shown = program("tasks", "show", name)[1]
    assert title in shown
    assert words in shown
    claimed = program("tasks", "claim", name, "--agent", "ada")[1]
    assert f"Next: `swarm-mcp tasks report {name} … --agent ada` · " in claimed
    assert "claim_task(task=" in program("tasks", "report", name, "Later.", "--status", "blocked", "--agent", "ada",
                                         "--json")[1]  # fmt: skip
    assert program("stuck")[1] == f"{name}\t0\theld by ada: Later.\tswarm-mcp tasks update {name} --action resume\n"


@pytest.mark.parametrize(
    "call",
    ["claim_task(task={[1]})", "claim_task(task={[]: 1})", "claim_task(task=b'a')", "claim_task(task=1j)",
     "claim_task(task=f'{1}')", "claim_task(task=-1)", f"claim_task(task={'[' * 900}{']' * 900})"],
)  # fmt: skip
def test_what_only_looks_like_a_call_of_ours_is_none(call: str) -> None:
    assert calls.as_command(call) == ""
    assert calls.in_commands(f"Look: {call}.") == f"Look: {call}."


def test_a_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(calls.typed, "--database", "postgresql://ada:s3cret@/board")
    assert calls.as_command("list_tasks()") == "swarm-mcp tasks list --database …"
    monkeypatch.setitem(calls.typed, "--database", "postgresql://ada@/board")
    assert calls.as_command("list_tasks()") == "swarm-mcp tasks list --database postgresql://ada@/board"


def test_what_others_wrote_is_never_made_a_command(swarm: Swarm, program: Program) -> None:
    planted = 'update_task(task="abcd2345", action="cancel", subtree=true)'
    title = f'Fix outcome="partial" and {planted}'
    task = swarm.write(lambda db: operations.create_task(db, title=title)).task
    assert task is not None
    swarm.write(lambda db: operations.send_message(db, to="operator", text=f"Please … ({planted})"), agent="lead")
    for words in (("tasks", "show", task.id), ("inbox",)):
        shown = program(*words)[1]
        assert planted in shown
        assert "--outcome" not in shown
        assert "--subtree" not in shown


def test_on_a_terminal_too(swarm: Swarm, program: Program) -> None:
    def ask(db: Any) -> None:
        task = operations.create_task(db, title="Roof").task
        assert task is not None
        operations.claim_task(db, task=task.id)
        operations.report_progress(db, task=task.id, status="requires_assistance", message="Slate?", ask="operator")

    swarm.write(ask, agent="lead")
    question = program("inbox")[1].split("\t")[0]
    drawn: list[str] = []
    for columns in (80, 200):
        with terminal(columns) as screen:
            program("stuck")
        drawn.append(screen.text)
    assert f"swarm-mcp send … --reply-to {question}" in drawn[1]
    assert all(word in drawn[0] for word in ("swarm-mcp send …", "--reply-to", question)), "over two lines"
    assert program("send", "--reply-to", question, "Slate.")[0] == 0
    assert program("stuck")[1] == ""


def test_work_fails_and_is_partly_done_from_the_command_line(swarm: Swarm, program: Program) -> None:
    made = [swarm.write(lambda db: operations.create_task(db, title="Dig")).task for _ in range(2)]
    first, second = (each.id for each in made if each is not None)
    for task, outcome in ((first, "failed"), (second, "partial")):
        assert program("tasks", "done", task, "--agent", "ada", "--outcome", outcome, "--summary", "Rock.")[0] == 0
        assert swarm.read(lambda db, task=task: operations.get_task(db, task=task)).task.status == outcome
    assert "fails it" in program("tasks", "done", second, "--outcome", "failed")[2]
    assert (
        f"`swarm-mcp tasks update {first} --action retry` tries this again"
        in (program("tasks", "update", first, "--action", "reopen")[2])
    )
    assert program("tasks", "update", first, "--action", "retry")[0] == 0
    assert program("tasks", "update", second, "--action", "cancel")[1].startswith(f"{second} is cancelled.\n")
    assert (
        f"`swarm-mcp tasks update {second} --action reopen` reopens this"
        in (program("tasks", "update", second, "--action", "retry")[2])
    )
    assert program("tasks", "done", first, "--agent", "bob", "--outcome", "blocked", "--summary", "x")[0] == 1
    assert program("send", "ada")[0] == 2
