"""Parents and their subtasks: splitting, wrapping up, reservations, reopening, cancelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from board import LEASE

from swarm_mcp.model.errors import Blocked, IllegalMove, NotAllowed

if TYPE_CHECKING:
    from board import Board


def split(board: Board, task: str, *items: dict[str, object], by: str = "ada") -> list[str]:
    """The parts into which a holder has split its task."""
    return list(board.plan(*(items or ({"title": "One part"}, {"title": "Another"})), by=by, parent=task).ids.values())


def test_a_parent_becomes_ready_for_its_wrap_up_when_its_subtasks_are_done(board: Board) -> None:
    parent = board.create()
    parts = [board.create(parent=parent) for _ in range(2)]
    for part in parts:
        assert board.status(parent) == "blocked"
        board.finish("ada", part)
    assert board.status(parent) == "pending"


def test_a_parent_cannot_complete_before_its_subtasks(board: Board) -> None:
    parent = board.task_in("in_progress")
    part = board.create(parent=parent)
    with pytest.raises(Blocked, match=rf"unfinished subtasks {part}"):
        board.complete("ada", parent)


# --- splitting --------------------------------------------------------------------------------------------------------


def test_a_worker_that_splits_its_task_gives_up_the_claim_and_keeps_the_reservation(board: Board) -> None:
    task = board.task_in("in_progress")
    split(board, task)
    assert (board.status(task), board.holder(task), board.assignee(task)) == ("blocked", "", "ada")
    assert board.executions(task) == ["waiting"]


def test_creating_one_subtask_of_a_held_task_splits_it_too(board: Board) -> None:
    task = board.task_in("in_progress")
    board.create(by="ada", parent=task)
    assert (board.status(task), board.assignee(task)) == ("blocked", "ada")


def test_a_plan_whose_items_name_the_held_task_as_their_parent_splits_it_too(board: Board) -> None:
    task = board.task_in("in_progress")
    board.plan({"title": "A part", "parent": task}, by="ada")
    assert (board.status(task), board.assignee(task)) == ("blocked", "ada")


def test_somebody_elses_new_subtask_does_not_end_the_claim(board: Board) -> None:
    task = board.task_in("in_progress")
    board.create(parent=task)
    assert board.holder(task) == "ada"


def test_when_the_parts_are_done_the_task_is_ready_for_the_worker_that_split_it_alone(board: Board) -> None:
    task = board.task_in("in_progress")
    for part in split(board, task):
        board.finish("bob", part)
    assert board.status(task) == "pending"
    with pytest.raises(NotAllowed, match="assigned to ada"):
        board.claim("bob", task)
    assert board.claimed("ada") == task


def test_splitting_does_not_count_as_a_lapse(board: Board) -> None:
    task = board.task_in("in_progress")
    split(board, task)
    assert board.row(task).lapses == 0


def test_parts_without_an_assignee_inherit_the_pool_of_their_parent(board: Board) -> None:
    board.team("backend", "ada")
    task = board.create(assignee="team:backend")
    board.claim("ada", task)
    parts = split(board, task)
    assert {board.line(part).assignee for part in parts} == {"team:backend"}


def test_parts_of_parts_inherit_the_pool_as_well(board: Board) -> None:
    board.team("backend", "ada")
    task = board.create(assignee="team:backend")
    board.claim("ada", task)
    (part,) = split(board, task, {"title": "Large"})
    board.claim("ada", part)
    assert board.line(split(board, part)[0]).assignee == "team:backend"


def test_a_reservation_ends_when_its_agent_is_unseen_for_four_lease_times(board: Board) -> None:
    board.team("backend", "ada", "bob")
    task = board.create(assignee="team:backend")
    board.claim("ada", task)
    split(board, task)
    board.clock.advance(minutes=4 * LEASE)
    board.sweep()
    assert board.assignee(task) == "ada"
    board.clock.advance(seconds=1)
    board.sweep()
    assert board.line(task).assignee == "team:backend"


def test_a_reservation_lasts_as_long_as_its_agent_is_seen(board: Board) -> None:
    task = board.task_in("in_progress")
    split(board, task)
    for _ in range(5):
        board.clock.advance(minutes=LEASE)
        board.inbox("ada")
        board.sweep()
    assert board.assignee(task) == "ada"


def test_a_released_wrap_up_goes_back_to_where_the_task_was_before_it_was_split(board: Board) -> None:
    task = board.task_in("in_progress")
    for part in split(board, task):
        board.finish("bob", part)
    board.claim("ada", task)
    board.report("ada", task, "not for me", status="released", attempt=2)
    assert (board.assignee(task), board.status(task)) == ("", "pending")


# --- reopening --------------------------------------------------------------------------------------------------------


def test_reopening_a_subtask_reopens_its_finished_ancestors(board: Board) -> None:
    top = board.create()
    middle = board.create(parent=top)
    bottom = board.create(parent=middle)
    for task in (bottom, middle, top):
        board.finish("ada", task)
    board.update("lead", bottom, action="reopen")
    assert [board.status(task) for task in (bottom, middle, top)] == ["pending", "blocked", "blocked"]
    assert "reopened" in board.kinds(top)


def test_reopening_a_subtask_sends_a_parent_in_review_back_as_rework(board: Board) -> None:
    parent = board.create(needs_review=True)
    part = board.create(parent=parent)
    board.finish("ada", part)
    board.finish("bob", parent)
    board.update("lead", part, action="reopen")
    assert board.status(parent) == "blocked"
    assert "sent_back" in board.kinds(parent)
    assert "reviewed" in board.news("bob")


def test_without_authority_over_the_topmost_finished_ancestor_nothing_is_reopened(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    top = board.create()
    part = board.create(parent=top, assignee="sue")
    inner = board.create(by="sue", parent=part)
    board.finish("ada", inner)
    board.finish("sue", part)
    board.finish("bob", top)
    with pytest.raises(NotAllowed, match=f"would reopen {top} above it: ask lead"):
        board.update("sue", inner, action="reopen")
    assert board.status(inner) == "completed"


def test_retrying_a_failed_subtask_leaves_its_failed_parent_alone(board: Board) -> None:
    parent = board.task_in("in_progress")
    part = board.task_in("failed", parent=parent)
    board.complete("ada", parent, outcome="failed")
    board.update("lead", part, action="retry")
    assert (board.status(part), board.status(parent)) == ("pending", "failed")


# --- open work under finished work ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["in_review", "completed", "failed", "cancelled"])
def test_creating_something_under_a_finished_parent_or_one_in_review_is_refused(board: Board, status: str) -> None:
    parent = board.task_in(status)
    with pytest.raises(IllegalMove, match=f"{parent} is {status}"):
        board.create(parent=parent)


@pytest.mark.parametrize("status", ["in_review", "completed", "failed", "cancelled"])
def test_moving_something_open_under_a_finished_parent_or_one_in_review_is_refused(board: Board, status: str) -> None:
    parent, task = board.task_in(status), board.create()
    with pytest.raises(IllegalMove, match=f"{parent} is {status}"):
        board.update("lead", task, parent=parent)


def test_finished_work_may_be_moved_under_a_finished_parent(board: Board) -> None:
    parent, task = board.task_in("completed"), board.task_in("completed")
    board.update("lead", task, parent=parent)
    assert board.row(task).parent_id == parent


# --- moving -----------------------------------------------------------------------------------------------------------


def test_moving_an_open_task_blocks_its_new_parent_and_frees_the_old_one(board: Board) -> None:
    old, new = board.create(), board.create()
    task = board.create(parent=old)
    board.update("lead", task, parent=new)
    assert (board.status(old), board.status(new)) == ("pending", "blocked")


def test_a_moved_task_and_all_below_it_stand_under_the_gates_of_the_new_parent(board: Board) -> None:
    gated = board.create(depends_on=[board.create()])
    task = board.create()
    inner = board.create(parent=task)
    board.update("lead", task, parent=gated)
    assert board.row(inner).gates == 1
    assert board.status(inner) == "blocked"
    board.update("lead", task, clear=["parent"])
    assert board.status(inner) == "pending"


def test_moving_needs_authority_over_the_new_parent_or_being_its_worker(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    task, other = board.create(by="sue"), board.create()
    with pytest.raises(NotAllowed, match=other):
        board.update("sue", task, parent=other)
    held = board.create(assignee="sue")
    board.update("sue", task, parent=held)
    assert board.row(task).parent_id == held


def test_moving_needs_authority_over_the_moved_task(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    with pytest.raises(NotAllowed):
        board.update("sue", board.create(), parent=board.create(by="sue"))


def test_a_worker_that_moves_a_task_moves_it_to_where_it_says(board: Board) -> None:
    held = board.task_in("in_progress")
    mine, other = split(board, held)
    board.update("ada", mine, parent=other)
    assert board.row(mine).parent_id == other


# --- cancelling and failing -------------------------------------------------------------------------------------------


def test_cancelling_a_parent_with_unfinished_subtasks_needs_subtree(board: Board) -> None:
    parent = board.create()
    part = board.create(parent=board.create(parent=parent))
    with pytest.raises(Blocked, match="subtree=True"):
        board.update("lead", parent, action="cancel")
    board.update("lead", parent, action="cancel", subtree=True)
    assert board.status(part) == board.status(parent) == "cancelled"


def test_cancelling_a_subtree_ends_the_claims_in_it_and_tells_their_holders(board: Board) -> None:
    parent = board.create()
    part = board.create(parent=parent)
    board.claim("ada", part)
    board.update("lead", parent, action="cancel", subtree=True)
    assert board.executions(part) == ["cancelled"]
    assert "claim_lost" in board.news("ada")


def test_cancelling_a_subtree_leaves_what_was_completed(board: Board) -> None:
    parent = board.create()
    done, _ = board.task_in("completed", parent=parent), board.create(parent=parent)
    board.update("lead", parent, action="cancel", subtree=True)
    assert board.status(done) == "completed"


def test_cancelling_a_subtree_tells_nobody_that_something_became_ready(board: Board) -> None:
    parent = board.create(assignee="ada")
    board.create(parent=parent)
    board.inbox("ada")
    board.update("lead", parent, action="cancel", subtree=True)
    assert "unblocked" not in board.news("ada")


@pytest.mark.parametrize("outcome", ["failed", "partial"])
def test_failing_a_parent_or_calling_it_partial_lets_its_subtasks_go_on(board: Board, outcome: str) -> None:
    parent = board.task_in("in_progress")
    part = board.create(parent=parent)
    board.complete("ada", parent, outcome=outcome)
    assert (board.status(parent), board.status(part)) == (outcome, "pending")
    assert board.finish("bob", part).task is not None


def test_retrying_a_failed_parent_requeues_it_behind_its_subtasks(board: Board) -> None:
    parent = board.task_in("in_progress")
    part = board.create(parent=parent)
    board.complete("ada", parent, outcome="failed")
    board.update("lead", parent, action="retry")
    assert board.status(parent) == "blocked"
    board.finish("bob", part)
    assert board.status(parent) == "pending"
