"""Privacy: notes are their author's, messages are their readers', and the ledger holds neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert

from swarm_mcp import operations
from swarm_mcp.model import ids
from swarm_mcp.model.errors import Invalid, NotFound, Refusal
from swarm_mcp.repository import agents, events, tables, tasks, teams
from swarm_mcp.server.resources import DOCUMENTS, document

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.repository.database import Transaction

SECRET = "the password is swordfish"  # noqa: S105 - it is not


def seen(board: Board, agent: str, task: str) -> str:
    """Everything about a task, and of what lies around it, that an agent can come by."""
    sections = ["context", "notes", "messages", "progress", "history", "executions", "delegations", "tree"]
    found = [
        board.brief(agent, task, include=sections, max_tokens=8000),
        *(board.swarm.read(lambda db, view=view: operations.get_overview(db, view=view), agent=agent)
          for view in ("summary", "stuck", "tree", "critical_path", "timeline")),
        board.swarm.read(lambda db: operations.list_tasks(db, text="swordfish"), agent=agent),
        *(board.swarm.read(lambda db, make=make: make(db, tasks.task_row(db, task), 0), agent=agent)
          for _, _, make in DOCUMENTS.values()),
        board.inbox(agent, reread=True),
        *(board.swarm.read(lambda db, uri=uri: resource(db, uri.format(task=task, agent=agent)), agent=agent)
          for uri in ADDRESSES),
    ]  # fmt: skip
    return str(found)


ADDRESSES = (
    "overview", "tasks?limit=200", "tasks/{task}", "agents", "agents/ada", "agents/bob", "agents/lead",
    "agents/ada/inbox", "agents/bob/inbox", "agents/lead/inbox", "agents/{agent}/inbox", "conversations/{task}",
    "events",
)  # fmt: skip


def resource(db: Transaction, uri: str) -> str:
    """A document, or the sentence by which it is refused."""
    try:
        return document(db, f"swarm://{uri}")[1]
    except Refusal as refusal:
        return refusal.message


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
    ledger = [row.data for row in board.swarm.read(lambda db: events.project_events(db, after=0, limit=1000))]
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


# --- strangers, newcomers, successors ---------------------------------------------------------------------------------


def test_a_stranger_reads_neither_what_the_operator_wrote_nor_what_it_got(board: Board) -> None:
    task = board.create()
    board.send("ada", SECRET, to="operator", task=task)
    board.send("", SECRET, to="ada", task=task)
    assert not any(SECRET in seen(board, agent, task) for agent in ("stranger", "bob"))
    assert all(SECRET in seen(board, agent, task) for agent in ("ada", ""))


def test_whoever_joins_project_and_team_later_reads_nothing_that_was_written_to_them_before(board: Board) -> None:
    board.team("backend", "bob")
    task = board.create()
    board.send("ada", SECRET, to="backend", task=task)
    board.send("ada", SECRET, to="all", task=task)
    board.enlist("cy")

    def join(db: Transaction) -> None:
        team, member = teams.find_team(db, "backend"), agents.find_agent(db, "cy")
        stay = {"id": ids.new_uuid(), "team_id": team.id, "agent_id": member.id, "joined_at": db.now}
        db.execute(insert(tables.team_member), stay)

    board.swarm.write(join)
    assert board.send("ada", "Welcome.", to="backend", task=task).to == ["bob", "cy"]
    assert SECRET not in seen(board, "cy", task)


def test_whoever_takes_a_task_over_reads_none_of_the_notes_of_the_one_before(board: Board) -> None:
    task = board.task_in("in_progress")
    note(board, "ada", task)
    board.report("ada", task, "not for me", status="released")
    assert SECRET not in str(board.claim("bob", task))
    assert SECRET in str(board.brief("ada", task).notes)


def test_a_note_shows_in_no_brief_of_the_tasks_around_its_own(board: Board) -> None:
    parent = board.create()
    task = board.create(parent=parent)
    part, waiter = board.create(parent=task), board.create(depends_on=[task])
    note(board, "ada", task)
    assert not any(SECRET in seen(board, agent, each) for each in (parent, part, waiter) for agent in ("lead", "ada"))


def test_participants_of_a_task_get_nothing_of_a_message_that_is_not_for_them(board: Board) -> None:
    task = board.create(by="lead", assignee="bob")
    board.send("ada", SECRET, to="operator", task=task)
    assert [SECRET in str(board.inbox(agent)) for agent in ("lead", "bob", "")] == [False, False, True]


def test_an_answer_to_a_message_that_was_no_question_is_as_private_as_that(board: Board) -> None:
    task = board.create()
    first = board.send("ada", "Psst.", to="bob", task=task)
    board.send("bob", SECRET, reply_to=first.id)
    assert [SECRET in seen(board, agent, task) for agent in ("ada", "bob", "lead")] == [True, True, False]


def test_a_message_that_one_may_not_read_is_refused_in_the_words_for_one_that_is_not_there(board: Board) -> None:
    secret = board.send("ada", SECRET, to="bob").id
    refusals: list[str] = []
    for name in (secret, "m999"):
        with pytest.raises(NotFound) as refusal:
            board.send("lead", "What?", reply_to=name)
        refusals.append(refusal.value.message.replace(name, "that"))
    assert refusals[0] == refusals[1]
