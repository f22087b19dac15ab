"""Privacy: notes are their author's, messages are their readers', and the ledger holds neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import operations
from swarm_mcp.model.errors import Invalid
from swarm_mcp.repository.tables import EventRow

if TYPE_CHECKING:
    from board import Board

SECRET = "the password is swordfish"  # noqa: S105 - it is not


def seen(board: Board, agent: str, task: str) -> str:
    """Everything about a task, and of what lies around it, that an agent can come by."""
    sections = ["context", "notes", "messages", "progress", "history", "executions", "delegations", "tree"]
    found = [
        board.brief(agent, task, include=sections, max_tokens=8000),
        *(board.swarm.read(lambda db, view=view: operations.get_overview(db, view=view), agent=agent)
          for view in ("summary", "stuck", "tree")),
        board.swarm.read(lambda db: operations.list_tasks(db, text="swordfish"), agent=agent),
        board.inbox(agent, reread=True),
    ]  # fmt: skip
    return str(found)


def note(board: Board, agent: str, task: str) -> None:
    board.call(agent, operations.add_note, task=task, text=SECRET)


def test_a_note_is_read_by_its_author(board: Board) -> None:
    task = board.create()
    note(board, "ada", task)
    assert SECRET in seen(board, "ada", task)


@pytest.mark.parametrize("agent", ["bob", "lead", "stranger"])
def test_a_note_is_read_by_no_other_agent_whatever_it_asks_for(board: Board, agent: str) -> None:
    task = board.create(assignee="ada")
    note(board, "ada", task)
    assert SECRET not in seen(board, agent, task)


def test_the_operator_reads_every_note_and_whose_it_is(board: Board) -> None:
    task = board.create()
    note(board, "ada", task)
    (line,) = board.brief("", task, include=["notes"]).notes
    assert line.endswith(f"ada: {SECRET}")


def test_the_operators_own_notes_are_read_by_no_agent(board: Board) -> None:
    task = board.create()
    note(board, "", task)
    assert all(SECRET not in seen(board, agent, task) for agent in ("lead", "ada"))
    assert SECRET in seen(board, "", task)


def test_a_message_about_a_task_is_read_by_its_sender_and_its_recipients_alone(board: Board) -> None:
    task = board.create()
    board.send("ada", SECRET, to="bob", task=task)
    assert [SECRET in seen(board, agent, task) for agent in ("ada", "bob", "lead", "stranger")] == [
        True,
        True,
        False,
        False,
    ]


def test_the_operator_reads_every_message_about_a_task(board: Board) -> None:
    task = board.create()
    board.send("ada", SECRET, to="bob", task=task)
    assert SECRET in seen(board, "", task)


def test_a_message_to_a_team_is_read_by_its_members(board: Board) -> None:
    board.team("backend", "bob")
    task = board.create()
    board.send("ada", SECRET, to="backend", task=task)
    assert [SECRET in seen(board, agent, task) for agent in ("bob", "lead")] == [True, False]


def test_questions_and_answers_about_a_task_are_read_by_everybody_in_the_project(board: Board) -> None:
    task = board.task_in("in_progress")
    question = board.ask("ada", task, "Left or right?")
    board.send("lead", "Left.", reply_to=question)
    for agent in ("bob", "stranger"):
        shown = seen(board, agent, task)
        assert "Left or right?" in shown
        assert "Left." in shown


def test_the_words_of_notes_and_messages_never_enter_the_ledger(board: Board) -> None:
    task = board.task_in("in_progress")
    note(board, "ada", task)
    board.send("ada", SECRET, to="bob", task=task)
    board.send("lead", SECRET, reply_to=board.ask("ada", task, SECRET))
    board.report("ada", task, SECRET, percent=10)
    board.report("ada", task, SECRET, status="released")
    ledger = board.swarm.read(lambda db: [row.data for row in db.session.query(EventRow)])
    assert len(ledger) > 5
    assert SECRET not in str(ledger)


def test_shared_context_is_read_by_everybody(board: Board) -> None:
    task = board.create()
    board.call(
        "ada", operations.share_context, task=task, key="port", value=8080, kind="decision", rationale="it is free"
    )
    (shown,) = board.brief("stranger", task).context
    assert (shown.key, shown.value, shown.kind, shown.by, shown.rationale) == (
        "port",
        8080,
        "decision",
        "ada",
        "it is free",
    )


def test_the_latest_value_of_a_key_counts_and_a_nearer_one_before_it(board: Board) -> None:
    parent = board.create()
    task = board.create(parent=parent)
    for where, value in (("", "project"), (parent, "older"), (parent, "parent"), (task, "own")):
        board.call("ada", operations.share_context, task=where, key="port", value=value)
    shown = [board.brief("bob", each).context[0].value for each in (board.create(), parent, task)]
    assert shown == ["project", "parent", "own"]


def test_subtasks_inherit_shared_context(board: Board) -> None:
    top = board.create()
    bottom = board.create(parent=board.create(parent=top))
    board.call("ada", operations.share_context, task=top, key="port", value={"http": 8080})
    assert board.brief("bob", bottom).context[0].value == {"http": 8080}


@pytest.mark.parametrize(
    "said",
    [{"key": ""}, {"key": "k" * 201}, {"value": None}, {"value": float("nan")}, {"value": {1, 2}}, {"kind": "rumour"}],
)
def test_what_is_shared_has_a_key_a_value_that_is_json_and_a_kind(board: Board, said: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        board.call("ada", operations.share_context, **{"key": "port", "value": 8080, **said})
