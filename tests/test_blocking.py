"""What stands in a task's way, and how it gets out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp.model.errors import Blocked, Conflict, Invalid, NotAllowed

if TYPE_CHECKING:
    from board import Board


def test_a_hold_blocks_a_task_until_it_is_lifted(board: Board) -> None:
    task = board.create()
    board.update("lead", task, action="hold", reason="the contract is not signed")
    assert board.status(task) == "blocked"
    board.update("lead", task, action="resume")
    assert board.status(task) == "pending"


def test_unfinished_dependencies_block_a_task_until_all_are_completed(board: Board) -> None:
    first, second = board.create(), board.create()
    task = board.create(depends_on=[first, second])
    board.finish("ada", first)
    assert board.status(task) == "blocked"
    board.finish("ada", second)
    assert board.status(task) == "pending"


def test_unfinished_subtasks_block_their_parent(board: Board) -> None:
    parent = board.create()
    child = board.create(parent=parent)
    assert board.status(parent) == "blocked"
    board.finish("ada", child)
    assert board.status(parent) == "pending"


@pytest.mark.parametrize("obstacle", ["a hold", "a dependency"])
def test_what_gates_an_ancestor_blocks_everything_below_it(board: Board, obstacle: str) -> None:
    top = board.create()
    middle = board.create(parent=top)
    bottom = board.create(parent=middle)
    if obstacle == "a hold":
        board.update("lead", top, action="hold", reason="later")
    else:
        before = board.create()
        board.update("lead", top, add_depends_on=[before])
    assert board.status(bottom) == "blocked"
    if obstacle == "a hold":
        board.update("lead", top, action="resume")
    else:
        board.finish("ada", before)
    assert board.status(bottom) == "pending"


def test_a_task_that_is_created_below_a_gated_one_starts_blocked(board: Board) -> None:
    top = board.create(depends_on=[board.create()])
    assert board.status(board.create(parent=top)) == "blocked"


def test_the_subtasks_of_a_parent_do_not_gate_each_other(board: Board) -> None:
    parent = board.create()
    one, other = board.create(parent=parent), board.create(parent=parent)
    assert board.status(one) == board.status(other) == "pending"


def test_a_blocked_subtask_does_not_gate_its_siblings(board: Board) -> None:
    parent = board.create()
    board.create(parent=parent, depends_on=[board.create()])
    assert board.status(board.create(parent=parent)) == "pending"


@pytest.mark.parametrize("status", ["in_review", "partial", "failed", "cancelled"])
def test_only_completed_finishes_a_dependency(board: Board, status: str) -> None:
    assert board.status(board.create(depends_on=[board.task_in(status)])) == "blocked"


def test_a_task_whose_dependencies_are_completed_already_starts_pending(board: Board) -> None:
    assert board.status(board.create(depends_on=[board.task_in("completed")])) == "pending"


@pytest.mark.parametrize(
    ("status", "counts"), [("failed", True), ("partial", True), ("cancelled", False), ("completed", False)]
)
def test_a_subtask_stops_counting_when_it_is_completed_or_cancelled(board: Board, status: str, *, counts: bool) -> None:
    parent = board.create()
    board.task_in(status, parent=parent)
    assert board.status(parent) == ("blocked" if counts else "pending")


def test_a_failed_subtask_counts_until_it_is_cancelled(board: Board) -> None:
    parent = board.create()
    child = board.task_in("failed", parent=parent)
    board.update("lead", child, action="cancel")
    assert board.status(parent) == "pending"


@pytest.mark.parametrize("obstacle", ["dependency", "subtask", "dropped edge", "hold", "moved subtask"])
def test_when_the_last_obstacle_goes_the_task_is_unblocked_by_an_event_of_the_same_instant(
    board: Board, obstacle: str
) -> None:
    task, other = board.create(), board.create()
    if obstacle in {"subtask", "moved subtask"}:
        board.update("lead", other, parent=task)
    elif obstacle == "hold":
        board.update("lead", task, action="hold", reason="later")
    else:
        board.update("lead", task, add_depends_on=[other])
    assert board.kinds(task)[-1] != "unblocked"
    board.clock.advance(minutes=1)
    {
        "dependency": lambda: board.finish("ada", other),
        "subtask": lambda: board.finish("ada", other),
        "dropped edge": lambda: board.update("lead", task, drop_depends_on=[other]),
        "hold": lambda: board.update("lead", task, action="resume"),
        "moved subtask": lambda: board.update("lead", other, clear=["parent"]),
    }[obstacle]()
    last = board.events(task)[-1]
    assert (last.kind, last.at, board.status(task)) == ("unblocked", board.clock.now, "pending")


def test_a_task_with_two_obstacles_stays_blocked_when_one_goes(board: Board) -> None:
    other = board.create()
    task = board.create(depends_on=[other])
    board.update("lead", task, action="hold", reason="later")
    board.update("lead", task, action="resume")
    assert board.status(task) == "blocked"


def test_reopening_a_dependency_blocks_again_what_had_not_started(board: Board) -> None:
    other = board.task_in("completed")
    task = board.create(depends_on=[other])
    board.update("lead", other, action="reopen")
    assert board.status(task) == "blocked"


def test_reopening_a_dependency_does_not_stop_what_has_started(board: Board) -> None:
    other = board.task_in("completed")
    task = board.create(depends_on=[other])
    board.claim("bob", task)
    board.update("lead", other, action="reopen")
    assert board.status(task) == "in_progress"


def test_a_blocked_task_is_not_claimed_and_the_refusal_says_what_stands_in_the_way(board: Board) -> None:
    other = board.create()
    task = board.create(depends_on=[other])
    with pytest.raises(Blocked, match=rf"it waits for {other} \(pending\)"):
        board.claim("ada", task)


@pytest.mark.parametrize("obstacle", ["a hold", "a dependency"])
def test_what_gates_a_parent_is_named_as_such(board: Board, obstacle: str) -> None:
    parent, other = board.create(), board.create()
    task = board.create(parent=parent)
    if obstacle == "a hold":
        board.update("lead", parent, action="hold", reason="wait for legal")
    else:
        board.update("lead", parent, add_depends_on=[other])
    words = "is held: wait for legal" if obstacle == "a hold" else rf"waits for {other} \(pending\)"
    with pytest.raises(Blocked, match=f"its parent {parent} {words}"):
        board.claim("ada", task)


# --- holds ------------------------------------------------------------------------------------------------------------


def test_a_hold_needs_a_reason(board: Board) -> None:
    with pytest.raises(Invalid, match="reason"):
        board.update("lead", board.create(), action="hold")


def test_a_second_hold_is_refused_with_the_first(board: Board) -> None:
    task = board.create()
    board.update("lead", task, action="hold", reason="the contract is not signed")
    with pytest.raises(Conflict, match="the contract is not signed"):
        board.update("lead", task, action="hold", reason="something else")


def test_a_hold_put_on_claimed_work_ends_the_claim_and_tells_its_holder(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    board.update("lead", task, action="hold", reason="wait for legal")
    assert board.holder(task) == ""
    assert "blocked" in board.news("ada")
    assert board.executions(task) == ["recalled"]


@pytest.mark.parametrize("how", ["cancel", "complete"])
def test_a_hold_ends_when_the_task_finishes(board: Board, how: str) -> None:
    task = board.task_in("partial")
    if how == "cancel":
        board.update("lead", task, action="hold", reason="later")
        board.update("lead", task, action="cancel")
        assert board.row(task).hold_reason is None
    else:
        board.review("lead", task, "accept")
        assert board.row(task).hold_reason is None


def test_somebody_elses_hold_is_not_lifted_by_claiming(board: Board) -> None:
    task = board.create()
    board.update("lead", task, action="hold", reason="wait for legal")
    with pytest.raises(Blocked, match="held by lead: wait for legal"):
        board.claim("ada", task)


# --- blocked by the worker --------------------------------------------------------------------------------------------


def test_a_worker_that_is_blocked_by_other_tasks_waits_for_them_and_nothing_needs_lifting_later(board: Board) -> None:
    task, other = board.task_in("in_progress"), board.create()
    said = board.report("ada", task, "I need that first", status="blocked", depends_on=[other])
    assert f"{task} waits for {other}" in said.message
    assert board.row(task).hold_reason is None
    board.finish("bob", other)
    assert board.status(task) == "pending"


def test_a_worker_that_is_blocked_by_something_else_holds_the_task_and_its_superior_hears_why(board: Board) -> None:
    task = board.create(by="")
    board.claim("ada", task)
    board.report("ada", task, "no network", status="blocked")
    assert board.row(task).hold_reason == "no network"
    notice = next(item for item in board.inbox("lead") if item.type == "blocked")
    assert "no network" in notice.text


def test_an_authority_lifts_the_hold_of_a_worker(board: Board) -> None:
    task = board.task_in("in_progress")
    board.report("ada", task, "no network", status="blocked")
    board.update("lead", task, action="resume")
    assert board.status(task) == "pending"


def test_the_worker_itself_lifts_its_hold(board: Board) -> None:
    task = board.task_in("in_progress")
    board.report("ada", task, "no network", status="blocked")
    board.update("ada", task, action="resume")
    assert board.status(task) == "pending"


def test_a_worker_may_put_its_task_on_hold_as_a_director_does(board: Board) -> None:
    task = board.task_in("in_progress")
    board.update("ada", task, action="hold", reason="no network")
    board.claim("ada", task)
    assert board.status(task) == "in_progress"


def test_another_worker_does_not_lift_a_hold(board: Board) -> None:
    task = board.task_in("in_progress")
    board.report("ada", task, "no network", status="blocked")
    with pytest.raises(NotAllowed, match="ask lead"):
        board.update("bob", task, action="resume")


def test_a_worker_that_finds_its_held_task_waiting_as_well_cannot_claim_it(board: Board) -> None:
    task, other = board.task_in("in_progress"), board.create()
    board.report("ada", task, "no network", status="blocked")
    board.update("lead", task, add_depends_on=[other])
    with pytest.raises(Blocked, match=other):
        board.claim("ada", task)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_waiting_for_what_is_finished_is_refused_and_the_claim_is_kept(board: Board, status: str) -> None:
    other = board.task_in(status)
    task = board.task_in("in_progress")
    with pytest.raises(Blocked, match="your claim is kept"):
        board.report("ada", task, "waiting", status="blocked", depends_on=[other])
    assert board.holder(task) == "ada"


def test_a_completed_task_may_be_named_beside_an_open_one(board: Board) -> None:
    done, other, task = board.task_in("completed"), board.create(), board.task_in("in_progress")
    board.report("ada", task, "waiting", status="blocked", depends_on=[done, other])
    assert board.status(task) == "blocked"


def test_a_worker_may_drop_an_edge_that_it_added(board: Board) -> None:
    task, other = board.task_in("in_progress"), board.create()
    board.report("ada", task, "waiting", status="blocked", depends_on=[other])
    board.update("ada", task, drop_depends_on=[other])
    assert board.status(task) == "pending"


def test_a_worker_may_not_drop_an_edge_that_another_added(board: Board) -> None:
    other = board.create()
    task = board.create(depends_on=[other], assignee="ada")
    with pytest.raises(NotAllowed):
        board.update("ada", task, drop_depends_on=[other])


def test_being_blocked_needs_words(board: Board) -> None:
    with pytest.raises(Invalid, match="why it is blocked"):
        board.report("ada", board.task_in("in_progress"), "", status="blocked")


@pytest.mark.parametrize(
    "said",
    [
        {"percent": 101},
        {"percent": -2},
        {"status": "cancelled"},
        {"status": "pending"},
        {"depends_on": ["m2qa7c4d"]},
        {"status": "blocked", "depends_on": ["related:m2qa7c4d"]},
    ],
)
def test_a_report_that_makes_no_sense_is_refused_and_the_claim_is_kept(board: Board, said: dict[str, Any]) -> None:
    task = board.task_in("in_progress")
    with pytest.raises(Invalid):
        board.report("ada", task, **said)
    assert board.holder(task) == "ada"
