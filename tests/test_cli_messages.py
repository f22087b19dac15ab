"""What the operator says and hears, and the policies of a project, from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from terminals import terminal

from swarm_mcp import operations
from swarm_mcp.operations.projects import project_facts
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository.events import events_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from swarm_mcp.operations.swarm import Swarm

    Program = Callable[..., tuple[int, str, str]]

HOSTILE = "[red]now[/red]\x1b[2J\nsecond line"


@pytest.fixture
def swarm(tmp_path: Path) -> Iterator[Swarm]:
    """The board that `program` works on, with lead and ada on it."""
    swarm = open_swarm(tmp_path / "board.db")
    for agent in ("lead", "ada"):
        swarm.write(operations.check_inbox, agent=agent)
    for _ in range(2):
        swarm.write(operations.check_inbox)  # who leads is told to the operator
    yield swarm
    swarm.close()


def test_a_question_is_heard_and_answered(swarm: Swarm, program: Program) -> None:
    task = swarm.write(lambda db: operations.create_task(db, title="Roof")).task
    assert task is not None

    def ask(db: Any) -> None:
        operations.claim_task(db, task=task.id)
        operations.report_progress(db, task=task.id, status="requires_assistance", message=HOSTILE)

    swarm.write(ask, agent="lead")
    code, out, _ = program("inbox")
    (question,) = [line.split("\t") for line in out.splitlines() if "\tquestion\t" in line]
    assert code == 0
    assert question[2:4] == ["lead", task.id]
    assert "\x1b" not in out
    assert question[4] == "[red]now[/red]␛[2J second line", "markup is no markup, and a line is a line"
    assert question[0] in program("inbox", "--again")[1]
    code, out, _ = program("send", "", "Slate.", "--reply-to", question[0])
    assert (code, "resumes" in out or task.id in out) == (0, True), out
    assert swarm.read(lambda db: operations.get_task(db, task=task.id)).task.status == "in_progress"
    assert program("inbox")[1] == "", "what was shown counts as read"
    heard = json.loads(program("inbox", "--agent", "lead", "--json")[1])
    assert [each["text"] for each in heard["items"]] == ["Slate."]


def test_messages_go_to_whom_they_name_and_from_whom_the_command_names(swarm: Swarm, program: Program) -> None:
    assert program("send", "ada", "As the operator.")[0] == 0
    assert program("send", "ada", "As lead.", "--agent", "lead")[0] == 0
    items = swarm.write(operations.check_inbox, agent="ada").items
    assert [(each.sender, each.text) for each in items] == [("operator", "As the operator."), ("lead", "As lead.")]
    for words, said in (
        (("send", "adda", "Hello."), "Nobody is called `adda`. Did you mean `ada`?"),
        (("send", "ada", " "), "The message is empty."),
        (("send", "ada", "Hello.", "--task", "zzzz"), "zzzz"),
        (("inbox", "--agent", "operator"), "operator"),
    ):
        code, out, err = program(*words)
        assert (code, out) == (1, "")
        assert said in err, err
        assert len(err.splitlines()) == 1
    assert program("inbox", "--wait", "-1")[0] == 2


def test_an_agent_that_was_not_here_before_is_told_of(swarm: Swarm, program: Program) -> None:
    assert program("send", "lead", "Hello.", "--agent", "adda")[2] == "adda is new; there is also ada.\n"
    assert program("send", "lead", "Hello.", "--agent", "adda")[2] == ""
    assert program("send", "lead", "Hello.", "--agent", "ada")[2] == ""
    assert program("send", "lead", "Hello.", "--agent", "somebody_else")[2] == "somebody_else is new.\n"


def test_an_inbox_on_a_terminal_leaves_room_for_words(swarm: Swarm, program: Program) -> None:
    said = "the words have room"
    assert program("send", "operator", said, "--agent", "ada")[0] == 0
    with terminal(80) as screen:
        program("inbox")
    assert said in screen.text
    assert "+00:00" not in screen.text
    assert program("inbox", "--again")[1].endswith("+00:00\n")


def test_whoever_waits_hears_of_what_comes_meanwhile(swarm: Swarm, program: Program) -> None:
    words = [sys.executable, "-m", "swarm_mcp", "inbox", "--wait", "60", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=os.environ) as waiting:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1.5)
        swarm.write(lambda db: operations.send_message(db, to="operator", text="It is done."), agent="ada")
        out, _ = waiting.communicate(timeout=60)
    assert [each["text"] for each in json.loads(out)["items"]] == ["It is done."]
    assert program("inbox", "--wait", "0.2")[:2] == (0, "")


def test_policies_are_set_shown_and_recorded(swarm: Swarm, program: Program) -> None:
    code, out, err = program("project", "set", "lease_minutes=45", "title=Über [b]alles", "require_review=yes")
    assert (code, err) == (0, "")
    assert "lease_minutes 30 → 45" in out
    assert "require_review no → yes" in out
    assert "require_review yes" in out.splitlines()[1]
    assert "title\tÜber [b]alles\n" in program("project", "show")[1]
    shown = json.loads(program("project", "show", "--json")[1])
    assert shown == swarm.read(project_facts)
    assert (shown["lease_minutes"], shown["require_review"]) == (45, True)
    assert "nothing new" in program("project", "set", "title=Über [b]alles")[1]
    changes = [
        each.data
        for each in swarm.read(lambda db: events_after(db, (0, 0), limit=100))
        if each.kind == "policy_changed"
    ]
    assert [each["title"] for each in changes] == [["", "Über [b]alles"]]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["lease_minute=5"], 1, "`lease_minute` is no policy. Did you mean `lease_minutes`?"),
        (["lease_minutes=0"], 1, "lease_minutes is 1 to 1440; got 0."),
        (["max_depth=" + "9" * 5000], 1, "max_depth is 2 to 32; got 9"),
        (["require_review=perhaps"], 1, "require_review is yes or no; got perhaps."),
        (["completion_checks=enforced"], 1, "Did you mean `enforce`?"),
        (["title= "], 1, "title cannot be empty."),
        (["max_lapses=3", "title"], 2, "`title` is not of the form KEY=VALUE."),
    ],
)
def test_a_wrong_policy_changes_nothing(swarm: Swarm, program: Program, words: list[str], code: int, said: str) -> None:
    before = swarm.read(project_facts)
    found, out, err = program("project", "set", *words)
    assert (found, out) == (code, "")
    assert said in " ".join(err.split())
    assert swarm.read(project_facts) == before
