"""Undo: a recorded change is taken back by another, under every check that this has; else it says why not."""

from __future__ import annotations

import itertools
import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from board import Board
from hypothesis import HealthCheck, given, settings
from postgres import played_on
from recount import Recount, looking
from sqlalchemy import update

from swarm_mcp import operations
from swarm_mcp.model.errors import (
    Blocked,
    Conflict,
    CriteriaUnmet,
    CycleRefused,
    IllegalMove,
    NotAllowed,
    NotFound,
    Refusal,
)
from swarm_mcp.operations import moves, projects
from swarm_mcp.operations.swarm import Swarm
from swarm_mcp.operations.undoing import REVERSALS
from swarm_mcp.repository import tables, work

if TYPE_CHECKING:
    from conftest import Clock

    from swarm_mcp.model.task import Written
    from swarm_mcp.repository.database import Database

DETAILS = ("status", "title", "description", "priority", "deadline", "estimated_hours", "tags", "parent_id")


def number(board: Board, task: str, kind: str) -> int:
    """The number of the latest event of a kind about a task."""
    return [event.seq for event in board.events(task) if event.kind == kind][-1]


def undo(board: Board, task: str, kind: str, by: str = "lead") -> Written:
    return board.call(by, operations.undo, event=number(board, task, kind))


def facts(board: Board, task: str) -> dict[str, Any]:
    row = board.row(task)
    return {name: getattr(row, name) for name in DETAILS}


# --- who, what, and how it is told -----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["", "lead"])
def test_the_operator_and_a_root_director_undo(board: Board, who: str) -> None:
    task = board.create("Build it")
    board.update("lead", task, title="Bild it")
    said = undo(board, task, "edited", who)
    assert board.row(task).title == "Build it"
    assert said.message == f"Event {number(board, task, 'edited')} (edited) is undone: {task} Build it is pending."


def test_nobody_else_undoes_even_with_authority_over_the_task(board: Board) -> None:
    board.enlist("sue", below="lead", role="director")
    task = board.create(by="sue")
    board.update("sue", task, title="Another")
    for agent in ("sue", "ada"):
        with pytest.raises(NotAllowed, match=r'may not undo: root directors and the operator may\. .*to="lead"'):
            undo(board, task, "edited", agent)


def test_undoing_is_recorded_with_what_it_undoes_and_counts_as_a_version(board: Board) -> None:
    task = board.create("Build it")
    board.update("lead", task, title="Bild it")
    seq = number(board, task, "edited")
    undo(board, task, "edited")
    last = board.events(task)[-1]
    assert (last.kind, last.data, last.version) == ("undone", {"undoes": seq, "title": ["Bild it", "Build it"]}, 3)


def test_whoever_has_to_do_with_the_task_is_told(board: Board) -> None:
    task = board.create(assignee="ada")
    board.update("lead", task, title="Another")
    board.inbox("ada")
    undo(board, task, "edited", "")
    assert "undone" in board.news("ada")
    assert "undone" in board.news("lead")


def test_the_number_of_an_event_is_read_in_the_history(board: Board) -> None:
    task = board.create()
    board.update("lead", task, title="Another")
    line = board.brief("lead", task, include=["history"]).history[-1]
    board.call("lead", operations.undo, event=int(line.split()[0]))
    assert board.row(task).title == "A task"


def test_no_event_of_another_project_is_undone(board: Board) -> None:
    task = board.create()
    board.update("lead", task, title="Another")
    board.swarm.write(lambda db: projects.create_project(db, "other"))
    other = Swarm(board.swarm.database, "other")
    for seq in (number(board, task, "edited"), 0, -1, 10**12, 10**30):
        with pytest.raises(NotFound, match=f"No event {seq} in this project"):
            other.write(lambda db, seq=seq: operations.undo(db, event=seq))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("created", "a creation is not undone"), ("claimed", 'action="recall"'), ("progressed", "stays said"),
        ("asked", "stays said"), ("resumed", "stays said"), ("context_shared", "stays said"),
        ("released", "claims are not given back"), ("lapsed", "claims are not given back"),
        ("split", "claims are not given back"), ("waited", "claims are not given back"),
        ("unblocked", "followed from another change"), ("rated", "stays said"), ("undone", "an undo is not undone"),
    ],
)  # fmt: skip
def test_what_is_never_undone_says_why(board: Board, kind: str, why: str) -> None:
    task, other = board.create(), board.create()
    board.update("lead", task, title="Another")
    undo(board, task, "edited")
    board.claim("ada", task)
    board.report("ada", task, percent=30)
    board.call("ada", operations.share_context, key="port", value=8080, task=task)
    board.send("lead", reply_to=board.ask("ada", task))
    board.clock.advance(minutes=31)
    board.sweep()
    board.claim("bob", task)
    board.report("bob", task, "Too much.", status="released")
    board.claim("lead", task)
    part = board.create(parent=task, by="lead")
    board.finish("lead", part)
    board.claim("lead", task)
    board.report("lead", task, "Later.", status="blocked", depends_on=[other], attempt=4)
    board.review("lead", task, quality=3)
    with pytest.raises(IllegalMove, match=why):
        undo(board, task, kind)


def test_what_happened_to_agents_is_not_undone(board: Board) -> None:
    with pytest.raises(IllegalMove, match=r"\(director_appointed\) cannot be undone: only changes of tasks"):
        board.call("", operations.undo, event=2)


# --- words and place -------------------------------------------------------------------------------------------------


def test_an_edit_is_undone_field_by_field(board: Board) -> None:
    task = board.create(
        "Build it", description="All of it.", priority="low", deadline="2026-03-01", estimated_hours=1.5, tags=["api"]
    )
    before = facts(board, task)
    board.update(
        "lead", task, title="B", description="C", priority="critical", tags=["x"], clear=["deadline", "estimated_hours"]
    )
    undo(board, task, "edited")
    assert facts(board, task) == before
    assert [line.id for line in board.swarm.read(operations.list_tasks).tasks] == [task]


def test_a_field_that_has_changed_since_blocks_it_and_is_named_with_the_event(board: Board) -> None:
    task = board.create("Build it")
    board.update("lead", task, title="Bild it", priority="high")
    first = number(board, task, "edited")
    board.update("lead", task, title="Built it")
    later = number(board, task, "edited")
    with pytest.raises(Conflict, match=f"`title` of {task} has changed since by event {later} .edited.") as refusal:
        board.call("lead", operations.undo, event=first)
    assert refusal.value.facts == {"task": task, "changed": "title", "event": later}
    board.call("lead", operations.undo, event=later)
    board.call("lead", operations.undo, event=first)
    assert (board.row(task).title, board.row(task).priority) == ("Build it", "medium")


def test_what_was_undone_is_not_undone_again(board: Board) -> None:
    task = board.create()
    board.update("lead", task, title="Another")
    undo(board, task, "edited")
    with pytest.raises(Conflict, match=f"by event {number(board, task, 'undone')} .undone."):
        undo(board, task, "edited")


def test_words_of_claimed_work_are_undone_too(board: Board) -> None:
    task = board.create()
    board.update("lead", task, title="Another")
    board.claim("ada", task)
    undo(board, task, "edited")
    assert (board.row(task).title, board.holder(task)) == ("A task", "ada")


def test_a_move_is_undone(board: Board) -> None:
    old, new = board.create("Old"), board.create("New")
    task = board.create(parent=old)
    board.update("lead", task, parent=new)
    undo(board, task, "moved")
    assert board.row(task).parent_id == old
    board.update("lead", task, clear=["parent"])
    undo(board, task, "moved")
    assert (board.row(task).parent_id, board.status(old), board.status(new)) == (old, "blocked", "pending")


def test_a_move_to_the_top_is_where_the_undo_of_a_move_down_ends(board: Board) -> None:
    parent, task = board.create(), board.create()
    board.update("lead", task, parent=parent)
    undo(board, task, "moved")
    assert (board.row(task).parent_id, board.status(parent)) == (None, "pending")


def test_nothing_open_goes_back_under_a_finished_parent(board: Board) -> None:
    parent = board.create()
    task = board.create(parent=parent)
    board.update("lead", task, clear=["parent"])
    board.finish("ada", parent)
    with pytest.raises(IllegalMove, match="nothing open can be put under it"):
        undo(board, task, "moved")


def test_nothing_goes_back_under_what_somebody_has_claimed_since(board: Board) -> None:
    parent = board.create()
    task = board.create(parent=parent)
    board.update("lead", task, clear=["parent"])
    board.claim("bob", parent)
    with pytest.raises(Conflict, match=f"bob has claimed {parent} since"):
        undo(board, task, "moved")


def test_what_was_claimed_since_does_not_go_back_under_a_parent_that_waits(board: Board) -> None:
    parent = board.create(depends_on=[board.create()])
    task = board.create(parent=parent)
    board.update("lead", task, clear=["parent"])
    board.claim("bob", task)
    with pytest.raises(Conflict, match=f"bob has claimed {task} since"):
        undo(board, task, "moved")
    board.report("bob", task, "Not now.", status="released")
    undo(board, task, "moved")
    assert board.status(task) == "blocked"


def test_a_move_back_that_would_close_a_cycle_is_refused(board: Board) -> None:
    parent = board.create()
    task = board.create(parent=parent)
    board.update("lead", task, clear=["parent"])
    board.update("lead", parent, add_depends_on=[task])
    with pytest.raises(CycleRefused):
        undo(board, task, "moved")


# --- edges -----------------------------------------------------------------------------------------------------------


def test_edges_that_were_added_are_dropped_together(board: Board) -> None:
    first, second, task = board.create(), board.create(), board.create()
    board.update("lead", task, add_depends_on=[first, f"enables:{second}"])
    assert board.status(task) == "blocked"
    undo(board, task, "linked")
    assert (board.status(task), board.line(task).depends_on) == ("pending", [])
    assert board.events(task)[-2].data["edges"] == {"dropped": [f"blocks:{first}", f"enables:{second}"]}


def test_an_edge_that_was_dropped_since_cannot_be_dropped_again(board: Board) -> None:
    first, task = board.create(), board.create()
    board.update("lead", task, add_depends_on=[first])
    board.update("lead", task, drop_depends_on=[first])
    with pytest.raises(Conflict, match=f"was dropped from {task} since by event {number(board, task, 'unlinked')}"):
        undo(board, task, "linked")


def test_an_edge_that_was_dropped_comes_back(board: Board) -> None:
    first = board.create()
    task = board.create(depends_on=[first])
    board.update("lead", task, drop_depends_on=[first])
    undo(board, task, "unlinked")
    assert (board.status(task), board.line(task).depends_on) == ("blocked", [first])


def test_an_edge_does_not_come_back_that_closes_a_cycle_or_is_there(board: Board) -> None:
    first = board.create()
    task = board.create(depends_on=[first])
    board.update("lead", task, drop_depends_on=[first])
    board.update("lead", first, add_depends_on=[task])
    with pytest.raises(CycleRefused):
        undo(board, task, "unlinked")
    board.update("lead", first, drop_depends_on=[task])
    board.update("lead", task, add_depends_on=[first])
    with pytest.raises(Conflict, match="was added to"):
        undo(board, task, "unlinked")


def test_an_edge_does_not_come_back_onto_work_that_was_claimed_since(board: Board) -> None:
    first = board.create()
    task = board.create(depends_on=[first])
    part = board.create(parent=task)
    board.update("lead", task, drop_depends_on=[first])
    board.claim("bob", part)
    with pytest.raises(Conflict, match=f"bob has claimed {part} since"):
        undo(board, task, "unlinked")
    board.finish("ada", first)
    undo(board, task, "unlinked")
    assert board.status(part) == "in_progress"


# --- holds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("was", ["pending", "in_progress", "requires_assistance", "partial"])
def test_a_hold_is_lifted_and_the_claim_is_not_given_back(board: Board, was: str) -> None:
    task = board.task_in(was)
    board.update("lead", task, action="hold", reason="Wait.")
    undo(board, task, "held")
    assert (board.status(task), board.row(task).hold_reason) == ("partial" if was == "partial" else "pending", None)


def test_a_hold_on_what_waits_is_lifted_and_it_still_waits(board: Board) -> None:
    task = board.create(depends_on=[board.create()])
    board.update("lead", task, action="hold", reason="Wait.")
    undo(board, task, "held")
    assert (board.status(task), board.row(task).hold_reason) == ("blocked", None)


def test_a_hold_that_was_lifted_already_is_not_lifted_again(board: Board) -> None:
    task = board.create()
    board.update("lead", task, action="hold", reason="Wait.")
    board.update("lead", task, action="resume")
    with pytest.raises(Conflict, match=f"`hold_.* since by event {number(board, task, 'resumed')}"):
        undo(board, task, "held")


def test_a_lifted_hold_is_put_back_unless_there_is_another_or_somebody_works(board: Board) -> None:
    task = board.task_in("blocked")
    part = board.create(parent=task)
    board.update("lead", task, action="resume")
    seq = number(board, task, "resumed")
    undo(board, task, "resumed")
    assert (board.row(task).hold_reason, board.status(part)) == ("not now", "blocked")
    board.update("lead", task, action="resume")
    board.update("lead", task, action="hold", reason="Another.")
    with pytest.raises(Conflict, match="`hold_"):
        board.call("lead", operations.undo, event=seq)
    board.update("lead", task, action="resume")
    board.claim("bob", part)
    with pytest.raises(Conflict, match=f"bob has claimed {part} since"):
        undo(board, task, "resumed")


def test_a_hold_is_not_put_back_on_what_is_over(board: Board) -> None:
    task = board.task_in("blocked")
    board.update("lead", task, action="resume")
    board.update("lead", task, action="cancel")
    with pytest.raises(Conflict, match="`status`"):
        undo(board, task, "resumed")


# --- ends ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "was", ["pending", "blocked", "in_progress", "requires_assistance", "in_review", "partial", "failed"]
)
def test_a_cancellation_is_undone(board: Board, was: str) -> None:
    task = board.task_in(was, assignee="ada")
    before = board.row(task)
    board.update("lead", task, action="cancel")
    undo(board, task, "cancelled")
    after = board.row(task)
    assert after.status == ("pending" if was in {"in_progress", "requires_assistance"} else was)
    assert (after.hold_reason, board.assignee(task)) == (before.hold_reason, "ada")
    expected = {"pending": "offered", "blocked": "offered", "failed": "done"}.get(after.status, "accepted")
    assert board.delegations(task) == [expected]


def test_cancelling_with_a_subtree_tells_what_else_can_be_undone(board: Board) -> None:
    parent = board.create()
    board.clock.advance(seconds=1)
    parts = [board.create(parent=parent) for _ in range(2)]
    board.clock.advance(seconds=1)
    board.update("lead", parent, action="cancel", subtree=True)
    with pytest.raises(IllegalMove, match="nothing open can be put under it"):
        undo(board, parts[0], "cancelled")
    said = undo(board, parent, "cancelled").message
    for part in parts:
        assert f"{number(board, part, 'cancelled')} ({part} cancelled)" in said
        undo(board, part, "cancelled")
    assert [board.status(each) for each in (parent, *parts)] == ["blocked", "pending", "pending"]


def test_a_cancellation_is_not_undone_below_what_was_claimed_since_or_when_archived(board: Board) -> None:
    parent = board.create()
    part = board.create(parent=parent)
    board.update("lead", part, action="cancel")
    board.claim("bob", parent)
    with pytest.raises(Conflict, match=f"bob has claimed {parent} since"):
        undo(board, part, "cancelled")
    board.report("bob", parent, "Not now.", status="released")
    board.update("lead", part, action="archive")
    with pytest.raises(Conflict, match=f"was archived since by event {number(board, part, 'archived')}"):
        undo(board, part, "cancelled")
    undo(board, part, "archived")
    undo(board, part, "cancelled")
    assert board.status(parent) == "blocked"


@pytest.mark.parametrize("kind", ["completed", "failed", "partial", "in_review"])
def test_what_was_handed_in_goes_back_into_the_queue(board: Board, kind: str) -> None:
    task = board.create(assignee="ada", criteria=["It works."], needs_review=kind == "in_review")
    board.claim("ada", task)
    said = {} if kind in {"partial", "failed"} else {"evidence": {"1": "I saw it."}}
    outcome = "completed" if kind == "in_review" else kind
    board.complete("ada", task, outcome=outcome, outputs={"port": 1}, actual_hours=2, **said)
    undo(board, task, kind)
    row = board.row(task)
    assert (row.status, row.holder_id, row.attempt, row.worker_id) == ("pending", None, 1, board.agent("ada").id)
    assert (row.completion_summary, row.outputs, row.actual_hours, row.completed_at, row.error) == (
        "",
        {},
        None,
        None,
        "",
    )
    assert (board.brief("lead", task).criteria[0].outcome, board.delegations(task)) == ("open", ["offered"])
    board.finish("ada", task, evidence={"1": "Again."}, attempt=2)


def test_a_completion_is_not_undone_once_somebody_works_on_what_waited_for_it(board: Board) -> None:
    task = board.create()
    waiter = board.create(depends_on=[task])
    part = board.create(parent=waiter)
    board.finish("ada", task)
    board.claim("bob", part)
    with pytest.raises(Conflict, match=rf"bob has claimed {part} since \(event {number(board, part, 'claimed')}\)"):
        undo(board, task, "completed")
    board.report("bob", part, "Not now.", status="released")
    undo(board, task, "completed")
    assert (board.status(task), board.status(waiter), board.status(part)) == ("pending", "blocked", "blocked")


def test_a_completion_is_not_undone_under_a_parent_that_is_over(board: Board) -> None:
    parent = board.create()
    part = board.create(parent=parent)
    board.finish("ada", part)
    board.finish("ada", parent)
    with pytest.raises(IllegalMove, match=rf"{parent} is completed: nothing open"):
        undo(board, part, "completed")


@pytest.mark.parametrize("was", ["in_review", "partial"])
@pytest.mark.parametrize("verdict", ["accept", "rework", "fail"])
def test_a_verdict_is_taken_back(board: Board, was: str, verdict: str) -> None:
    task = board.task_in(was, assignee="ada")
    board.review("lead", task, verdict, notes="As I see it.")
    kind = {"accept": "accepted", "rework": "sent_back", "fail": "failed"}[verdict]
    undo(board, task, kind)
    assert (board.status(task), board.executions(task)) == (was, [was])
    assert board.row(task).completed_at is None
    board.review("lead", task, "accept")
    assert (board.status(task), board.delegations(task)) == ("completed", ["done"])


def test_work_that_was_sent_back_and_claimed_again_stays_sent_back(board: Board) -> None:
    task = board.task_in("in_review")
    board.review("lead", task, "rework", notes="Again.")
    board.claim("bob", task)
    board.report("bob", task, "No.", status="released")
    with pytest.raises(Conflict, match=f"bob has claimed {task} since"):
        undo(board, task, "sent_back")


@pytest.mark.parametrize("was", ["completed", "cancelled", "failed", "partial"])
def test_a_reopening_is_undone(board: Board, was: str) -> None:
    task = board.task_in(was, assignee="ada")
    waiter = board.create(depends_on=[task])
    before, delegated = board.row(task), board.delegations(task)
    verb = "retry" if was in {"failed", "partial"} else "reopen"
    board.update("lead", task, action=verb)
    undo(board, task, "retried" if verb == "retry" else "reopened")
    after = board.row(task)
    assert (after.status, after.completed_at, after.error) == (was, before.completed_at, before.error)
    assert board.delegations(task) == delegated
    assert board.status(waiter) == ("pending" if was == "completed" else "blocked")


def test_what_is_completed_again_has_its_evidence_again_and_its_criteria_must_be_met(board: Board) -> None:
    task = board.create(criteria=["It works."], checks=["failed == 0"])
    board.finish("ada", task, evidence={"1": "I saw it."}, measurements={"failed": 0})
    before = board.brief("lead", task).criteria
    board.update("lead", task, action="reopen")
    undo(board, task, "reopened")
    assert board.brief("lead", task).criteria == before
    board.update("lead", task, action="reopen")
    board.update("lead", task, add_criteria=["It is fast."])
    with pytest.raises(CriteriaUnmet, match="criterion 3 has no evidence"):
        undo(board, task, "reopened")


def test_a_reopening_is_not_undone_with_something_in_the_way(board: Board) -> None:
    task = board.task_in("completed")
    board.update("lead", task, action="reopen")
    part = board.create(parent=task)
    with pytest.raises(Blocked, match=f"cannot be undone: unfinished subtasks {part}"):
        undo(board, task, "reopened")
    board.update("lead", part, action="cancel")
    board.update("lead", task, action="hold", reason="Wait.")
    with pytest.raises(Conflict, match="is held since by event"):
        undo(board, task, "reopened")


def test_a_task_is_not_cancelled_again_over_its_open_parts(board: Board) -> None:
    task = board.task_in("cancelled")
    board.update("lead", task, action="reopen")
    board.create(parent=task)
    with pytest.raises(Blocked, match="has 1 unfinished subtask\\."):
        undo(board, task, "reopened")


def test_what_was_reopened_above_is_told_and_undone_after_what_is_below(board: Board) -> None:
    parent = board.create()
    part = board.create(parent=parent)
    board.finish("ada", part)
    board.finish("ada", parent)
    board.clock.advance(seconds=1)
    board.update("lead", part, action="reopen")
    above = number(board, parent, "reopened")
    with pytest.raises(Blocked, match="unfinished subtasks"):
        board.call("lead", operations.undo, event=above)
    assert f"With it went {above} ({parent} reopened)" in undo(board, part, "reopened").message
    board.call("lead", operations.undo, event=above)
    assert (board.status(parent), board.status(part)) == ("completed", "completed")


def test_archiving_and_its_opposite_are_undone(board: Board) -> None:
    task = board.task_in("failed")
    board.update("lead", task, action="archive")
    undo(board, task, "archived")
    assert board.row(task).archived_at is None
    board.update("lead", task, action="archive")
    when = board.row(task).archived_at
    board.update("lead", task, action="unarchive")
    waiter = board.create(depends_on=[task])
    with pytest.raises(Blocked, match=f"{waiter} still waits for it"):
        undo(board, task, "unarchived")
    board.update("lead", waiter, action="cancel")
    undo(board, task, "unarchived")
    assert board.row(task).archived_at == when


# --- whose it is -----------------------------------------------------------------------------------------------------


def test_a_delegation_is_undone_with_its_priority_and_its_delegator(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    board.enlist("tim", below="sue")
    task = board.create(assignee="sue", priority="low")
    board.delegate("sue", task, "tim", priority="high", success_criteria=["It works."])
    said = undo(board, task, "delegated")
    row = board.row(task)
    assert (board.assignee(task), row.priority, board.name_of(row.delegator_id)) == ("sue", "low", "lead")
    assert board.delegations(task) == ["offered", "recalled"]
    assert said.warnings == ["Criteria 1, which came with the delegation, stay."]
    board.claim("sue", task)


def test_undoing_a_delegation_revives_the_ones_that_it_replaced(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    board.enlist("tim", below="sue")
    task = board.create(assignee="sue")
    board.clock.advance(seconds=1)
    board.delegate("sue", task, "tim")
    board.clock.advance(seconds=1)
    board.delegate("lead", task, "bob")
    assert board.delegations(task) == ["recalled", "recalled", "offered"]
    undo(board, task, "delegated")
    assert (board.assignee(task), board.delegations(task)) == ("tim", ["accepted", "offered", "recalled"])


def test_a_delegation_is_not_undone_once_its_delegate_works_or_it_was_handed_on(board: Board) -> None:
    task = board.create()
    board.delegate("lead", task, "ada")
    first = number(board, task, "delegated")
    board.claim("ada", task)
    with pytest.raises(Conflict, match=f"ada has claimed {task} since"):
        board.call("lead", operations.undo, event=first)
    board.update("lead", task, action="recall")
    board.delegate("lead", task, "bob")
    with pytest.raises(Conflict, match="`assignee_id`"):
        board.call("lead", operations.undo, event=first)
    board.finish("bob", task)
    with pytest.raises(IllegalMove, match="cannot lie elsewhere"):
        undo(board, task, "delegated")


@pytest.mark.parametrize("claimed", [False, True])
def test_a_recall_is_undone_without_the_claim(board: Board, claimed: bool) -> None:
    task = board.create(assignee="ada")
    if claimed:
        board.claim("ada", task)
    board.update("lead", task, action="recall")
    undo(board, task, "recalled")
    assert (board.assignee(task), board.status(task), board.delegations(task)) == ("ada", "pending", ["offered"])


def test_a_recall_that_ended_nothing_but_a_claim_is_not_undone(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    board.update("lead", task, action="recall")
    with pytest.raises(IllegalMove, match=rf'claims are not given back. delegate\(task="{task}"'):
        undo(board, task, "recalled")


def test_a_task_that_was_given_to_nobody_goes_back_to_its_pool(board: Board) -> None:
    board.team("backend", "ada")
    task = board.create(assignee="team:backend")
    board.update("lead", task, clear=["assignee"])
    undo(board, task, "unassigned")
    assert (board.line(task).assignee, board.delegations(task)) == ("team:backend", ["offered"])


def test_a_task_does_not_go_back_to_a_pool_when_it_lies_elsewhere_by_now_or_to_an_agent_that_has_ended(
    board: Board,
) -> None:
    board.team("backend", "ada")
    task = board.create(assignee="ada")
    board.update("lead", task, clear=["assignee"])
    seq = number(board, task, "unassigned")
    board.delegate("lead", task, "team:backend")
    with pytest.raises(Conflict, match=f"`pool_team_id` of {task} has changed since"):
        board.call("lead", operations.undo, event=seq)
    undo(board, task, "delegated")
    board.enlist("ada", lifecycle="terminated")
    with pytest.raises(NotAllowed, match="ada has ended"):
        board.call("lead", operations.undo, event=seq)


def test_a_reservation_that_ended_is_kept_again(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    part = board.create(parent=task, by="ada")
    board.update("lead", task, action="recall")
    assert board.assignee(task) == ""
    undo(board, task, "recalled")
    assert (board.assignee(task), board.row(task).reserved_from) == ("ada", {})
    board.finish("bob", part)
    with pytest.raises(NotAllowed, match="assigned to ada"):
        board.claim("bob", task)


def test_partial_work_that_was_handed_to_another_is_partial_again(board: Board) -> None:
    task = board.task_in("partial")
    board.delegate("lead", task, "bob")
    undo(board, task, "delegated")
    undo(board, task, "requeued")
    assert (board.status(task), board.assignee(task)) == ("partial", "")


# --- criteria --------------------------------------------------------------------------------------------------------


def test_criteria_that_were_added_go_and_those_that_were_dropped_come_back(board: Board) -> None:
    task = board.create(criteria=["One.", "Two."], checks=["failed == 0"])
    before = board.brief("lead", task).criteria
    board.update("lead", task, add_criteria=["Four."], drop_criteria=[2, 3])
    undo(board, task, "criteria_changed")
    assert board.brief("lead", task).criteria == before


def test_criteria_are_not_given_back_when_their_numbers_are_taken_or_they_are_settled(board: Board) -> None:
    task = board.create(criteria=["One.", "Two."])
    board.update("lead", task, drop_criteria=[2])
    seq = number(board, task, "criteria_changed")
    board.update("lead", task, add_criteria=["Another two."])
    later = number(board, task, "criteria_changed")
    with pytest.raises(Conflict, match=f"has got another criterion 2 since by event {later}"):
        board.call("lead", operations.undo, event=seq)
    board.call("lead", operations.undo, event=later)
    board.update("lead", task, action="cancel")
    with pytest.raises(IllegalMove, match="its criteria are settled"):
        board.call("lead", operations.undo, event=seq)


def test_an_added_criterion_that_was_dropped_since_is_not_dropped_again(board: Board) -> None:
    task = board.create()
    board.update("lead", task, add_criteria=["One."])
    seq = number(board, task, "criteria_changed")
    board.update("lead", task, drop_criteria=[1])
    with pytest.raises(Conflict, match=r"criterion 1 of .* was dropped since"):
        board.call("lead", operations.undo, event=seq)


def test_a_worker_does_not_waive_criteria_by_undoing_them(board: Board) -> None:
    board.enlist("root", role="director", superior_id=None)
    task = board.create()
    board.claim("lead", task)
    board.update("root", task, add_criteria=["It works."])
    with pytest.raises(NotAllowed, match="that is a waiver"):
        undo(board, task, "criteria_changed", "lead")
    undo(board, task, "criteria_changed", "root")


def test_a_waiver_is_taken_back_until_the_work_is_done(board: Board) -> None:
    task = board.create(criteria=["It works."])
    board.review("lead", task, "waive", notes="Nobody needs it.")
    undo(board, task, "criteria_waived")
    assert board.brief("lead", task).criteria[0].outcome == "open"
    with pytest.raises(Conflict, match="was dropped or judged since"):
        undo(board, task, "criteria_waived")
    board.review("lead", task, "waive", notes="Nobody needs it.")
    board.finish("ada", task)
    with pytest.raises(IllegalMove, match="settled"):
        undo(board, task, "criteria_waived")


def test_criteria_of_an_older_ledger_are_not_guessed(board: Board) -> None:
    task = board.create(criteria=["One."])
    board.update("lead", task, drop_criteria=[1])
    seq = number(board, task, "criteria_changed")

    def forget(db: Any) -> None:
        db.execute(update(tables.event).where(tables.event.c.seq == seq).values(data={"dropped": [1], "added": 0}))

    board.swarm.write(forget)
    with pytest.raises(IllegalMove, match="the ledger does not hold those criteria"):
        undo(board, task, "criteria_changed")


# --- whatever happened -----------------------------------------------------------------------------------------------

AGENTS = ("ada", "bob", "lead")
KEPT = ("task", "event", "dependency", "delegation", "criterion", "execution", "inbox", "message", "tally", "feedback")
EXAMPLES = int(os.environ.get("SWARM_EXAMPLES", "0"))
PLAY = settings(
    max_examples=EXAMPLES or 150, derandomize=not EXAMPLES, deadline=None, database=None, print_blob=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
numbers = itertools.count(1)

Step = tuple[str, int, int, int]
WHERE = {
    "create": "", "create_under": "", "edit": "", "claim": "pending partial", "complete": "in_progress",
    "partial": "in_progress", "fail": "in_progress", "wait": "in_progress", "release": "in_progress", "hold": "",
    "resume": "blocked", "recall": "in_progress pending", "retry": "failed partial", "reopen": "completed cancelled",
    "cancel": "", "cancel_all": "", "archive": "completed failed cancelled", "unarchive": "completed failed cancelled",
    "delegate": "pending blocked partial", "unassign": "", "link": "", "unlink": "blocked", "move": "", "top": "",
    "accept": "in_review partial", "rework": "in_review partial", "review_fail": "in_review partial", "waive": "",
    "criteria": "", "drop": "", "ask": "in_progress", "split": "in_progress", "later": "", "undo": "",
}  # fmt: skip
"""What may be done, and the statuses in which it makes sense; mostly such a task is taken."""
OFTEN = (
    "claim",
    "claim",
    "claim",
    "complete",
    "complete",
    "complete",
    "accept",
    "rework",
    "reopen",
    "retry",
    "partial",
)
STEPS = st.lists(
    st.tuples(st.sampled_from([*WHERE, *OFTEN]), st.integers(0, 2), st.integers(0, 11), st.integers(0, 5)),
    min_size=4, max_size=30,
)  # fmt: skip


class Play:
    """A few tasks and whatever is done to them."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.tasks = [
            board.create(f"Task {n}", needs_review=n == 1, criteria=["It works."] * (n == 2)) for n in range(3)
        ]

    def step(self, step: Step) -> None:
        what, n, at, to = step
        who, task, other, board = AGENTS[n], self.task(what, at), self.tasks[to % len(self.tasks)], self.board
        holder = board.holder(task) or who
        now = {"attempt": board.row(task).attempt}
        update = lambda **said: board.update("lead", task, **said)  # noqa: E731
        deeds = {
            "create": lambda: self.tasks.append(board.create("New", depends_on=[other] * (at % 2))),
            "create_under": lambda: self.tasks.append(board.create("New", parent=task, assignee=who * (to % 2))),
            "edit": lambda: update(title=f"Title {to}", priority=("low", "high")[to % 2]),
            "claim": lambda: board.claim(who, task),
            "complete": lambda: board.complete(holder, task, evidence=self.evidence(task), **now),
            "partial": lambda: board.complete(holder, task, outcome="partial", **now),
            "fail": lambda: board.complete(holder, task, outcome="failed", **now),
            "wait": lambda: board.report(holder, task, "Later.", status="blocked", depends_on=[other], **now),
            "release": lambda: board.report(holder, task, "No.", status="released", **now),
            "hold": lambda: update(action="hold", reason="Wait."),
            "cancel_all": lambda: update(action="cancel", subtree=True),
            "delegate": lambda: board.delegate("lead", task, who, priority=("", "high")[to % 2]),
            "unassign": lambda: update(clear=["assignee"]),
            "link": lambda: update(add_depends_on=[other]),
            "unlink": lambda: update(drop_depends_on=[other]),
            "move": lambda: update(parent=other),
            "top": lambda: update(clear=["parent"]),
            "accept": lambda: board.review("", task, "accept"),
            "rework": lambda: board.review("", task, "rework", notes="Again."),
            "review_fail": lambda: board.review("", task, "fail", notes="No."),
            "waive": lambda: board.review("", task, "waive", notes="Well."),
            "criteria": lambda: update(add_criteria=["It is fast."]),
            "drop": lambda: update(drop_criteria=[1]),
            "ask": lambda: board.ask(holder, task, **now),
            "split": lambda: self.tasks.append(board.create("A part", parent=task, by=holder)),
            "later": lambda: (board.clock.advance(minutes=20), board.sweep()),
            "undo": lambda: board.call("", operations.undo, event=board.events(task)[-1 - to % 3].seq),
        }
        with suppress(Refusal, IndexError):
            (deeds.get(what) or (lambda: update(action=what)))()

    def task(self, what: str, at: int) -> str:
        """One of the tasks of which it makes sense; every sixth time any."""
        good = [each for each in self.tasks if self.board.status(each) in WHERE[what].split()] if at % 6 else []
        return (good or self.tasks)[at // 2 % len(good or self.tasks)]

    def evidence(self, task: str) -> dict[str, str]:
        found = self.board.swarm.read(lambda db: work.criteria(db, task))
        return {str(each.position): "I saw it." for each in found}


def stored(connection: Any) -> list[Any]:
    return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in KEPT]


def as_before(event: Any, row: Any) -> list[str]:
    """The columns that an undone event changed and that are not what they were before it."""
    wrong = []
    waiting = {"pending", "blocked"}
    for name in moves.VERSIONED & set(event.data):
        before = moves.read_back(name, event.data[name][0])
        if name == "status":
            queued = before in waiting | {"in_progress", "requires_assistance"}
            fine = row.status in waiting if queued else row.status == before
        elif name == "holder_id":
            fine = row.holder_id is None
        else:
            fine = name in {"attempt", "worker_id", "started_at"} or getattr(row, name) == before
        wrong += [] if fine else [f"{name}: {getattr(row, name)!r}, not {before!r}"]
    return wrong


@pytest.mark.no_cover
def test_whatever_happened_an_undo_either_changes_nothing_or_restores_soundly(database: Database, clock: Clock) -> None:
    @played_on(database, PLAY)
    @given(steps=STEPS, kind=st.integers(0, 60), which=st.integers(0, 9))
    def play(steps: list[Step], kind: int, which: int) -> None:
        project = f"project-{next(numbers)}"
        Swarm(database).write(lambda db: projects.create_project(db, project))
        board = Board(Swarm(database, project), clock)
        for agent in ("lead", "ada", "bob"):
            board.inbox(agent)
        _undo_one(board, steps, kind, which)

    play()


def _undo_one(board: Board, steps: list[Step], kind: int, which: int) -> None:
    play = Play(board)
    for step in steps:
        play.step(step)
    history: dict[str, list[Any]] = {}
    for event in (each for task in play.tasks for each in board.events(task) if each.data):
        history.setdefault(event.kind, []).append(event)
    undoable = sorted(history.keys() & REVERSALS.keys()) or sorted(history)
    events = history[undoable[kind % len(undoable)]]
    event = events[which % len(events)]
    with looking(board.place) as connection:
        before = stored(connection)
        refused = refusal_of(board, event.seq)
        if refused:
            assert refused.endswith((".", ")"))
            assert stored(connection) == before
        else:
            assert Recount(connection, board.swarm.project).check() == [], (event.kind, json.dumps(event.data))
            assert as_before(event, board.row(event.task_id)) == [], (event.kind, json.dumps(event.data))


def refusal_of(board: Board, seq: int) -> str:
    """Why an event could not be undone; "" if it could."""
    try:
        board.call("", operations.undo, event=seq)
    except Refusal as refusal:
        return refusal.message
    return ""
