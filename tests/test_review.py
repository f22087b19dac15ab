"""Reviews, waivers and feedback: somebody other than the worker judges, wherever there is somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from swarm_mcp.model.errors import Blocked, CriteriaUnmet, Invalid, NotAllowed
from swarm_mcp.repository import work

if TYPE_CHECKING:
    from board import Board


def done_by_lead(board: Board, **said: object) -> str:
    """A task that the root director did itself, waiting for review."""
    task = board.create(needs_review=True, **said)
    board.finish("lead", task)
    return task


@pytest.mark.parametrize("whose", ["its own", "the policy's"])
def test_with_a_review_wanted_completed_work_waits_for_it(board: Board, whose: str) -> None:
    board.policy(require_review=whose == "the policy's")
    task = board.create(needs_review=whose == "its own")
    said = board.finish("ada", task)
    assert (board.status(task), board.executions(task)) == ("in_review", ["in_review"])
    assert "waits for review" in said.message


@pytest.mark.parametrize("outcome", ["partial", "failed"])
def test_partial_and_failed_work_does_not_go_to_review(board: Board, outcome: str) -> None:
    task = board.create(needs_review=True)
    board.finish("ada", task, outcome=outcome)
    assert board.status(task) == outcome


def test_an_authority_accepts_and_what_waits_is_freed(board: Board) -> None:
    task = board.task_in("in_review")
    waiter = board.create(depends_on=[task])
    board.review("lead", task, "accept", quality=5)
    assert (board.status(task), board.status(waiter), board.executions(task)) == ("completed", "pending", ["completed"])
    assert board.row(task).completed_at == board.clock.now


def test_somebody_without_authority_does_not_review(board: Board) -> None:
    task = board.task_in("in_review")
    for agent in ("ada", "bob"):
        with pytest.raises(NotAllowed, match="ask lead"):
            board.review(agent, task, "accept")


def test_the_operator_accepts(board: Board) -> None:
    task = done_by_lead(board)
    board.review("", task, "accept")
    assert board.status(task) == "completed"


def test_nobody_accepts_its_own_work_while_another_could(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    task = board.create(by="sue", needs_review=True)
    board.finish("sue", task)
    with pytest.raises(NotAllowed, match=r"sue worked on .* and cannot accept it"):
        board.review("sue", task, "accept")
    board.review("lead", task, "accept")


def test_where_nobody_else_has_authority_the_worker_accepts_and_it_is_recorded(board: Board) -> None:
    task = done_by_lead(board)
    said = board.review("lead", task, "accept")
    assert board.status(task) == "completed"
    assert "self-accepted" in said.warnings[0]
    assert board.events(task)[-1].data["self_accepted"] is True


@pytest.mark.parametrize("lifecycle", ["paused", "terminated"])
def test_an_authority_that_is_not_active_does_not_count(board: Board, lifecycle: str) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    task = board.create(by="sue", needs_review=True)
    board.delegate("lead", task, "lead")
    board.finish("lead", task)
    with pytest.raises(NotAllowed):
        board.review("lead", task, "accept")
    board.enlist("sue", lifecycle=lifecycle)
    board.review("lead", task, "accept")
    assert board.status(task) == "completed"


def test_whoever_tried_before_may_judge_what_a_later_worker_did(board: Board) -> None:
    task = board.create(needs_review=True)
    board.claim("lead", task)
    board.report("lead", task, "somebody else should", status="released")
    board.finish("ada", task)
    board.review("lead", task, "accept")
    assert "self_accepted" not in board.events(task)[-1].data


def test_rework_sends_it_back_with_notes_that_the_next_worker_reads(board: Board) -> None:
    task = board.task_in("in_review")
    with pytest.raises(Invalid, match="notes"):
        board.review("lead", task, "rework")
    board.review("lead", task, "rework", notes="Mind the umlauts.")
    assert board.status(task) == "pending"
    assert "reviewed" in board.news("ada")
    assert any("Mind the umlauts." in line for line in board.claim("bob", task).brief.review)


def test_rework_is_blocked_while_something_stands_in_its_way(board: Board) -> None:
    parent = board.create()
    task = board.create(parent=parent, needs_review=True, assignee="ada")
    board.finish("ada", task)
    board.update("lead", parent, action="hold", reason="not now")
    board.review("lead", task, "rework", notes="Mind the umlauts.")
    assert (board.status(task), board.assignee(task)) == ("blocked", "ada")


def test_failing_needs_notes_and_keeps_them_as_the_error(board: Board) -> None:
    task = board.task_in("in_review")
    with pytest.raises(Invalid, match="notes"):
        board.review("lead", task, "fail")
    board.review("lead", task, "fail", notes="It never ran.")
    assert (board.status(task), board.row(task).error, board.executions(task)) == (
        "failed",
        "It never ran.",
        ["failed"],
    )


def test_accepting_is_refused_while_something_stands_in_the_way(board: Board) -> None:
    task = board.task_in("partial")
    part = board.create(parent=task)
    with pytest.raises(Blocked, match=part):
        board.review("lead", task, "accept")


@pytest.mark.parametrize("status", ["in_review", "partial"])
def test_accepting_makes_the_same_checks_and_unmet_criteria_must_be_waived_first(board: Board, status: str) -> None:
    task = board.task_in(status)
    board.update("lead", task, add_criteria=["It works."])
    with pytest.raises(CriteriaUnmet, match="criterion 1 has no evidence"):
        board.review("lead", task, "accept")
    board.review("lead", task, "waive", notes="not needed")
    board.review("lead", task, "accept")
    assert board.status(task) == "completed"


def test_accepting_trusts_what_was_measured_and_shown_when_the_work_was_handed_in(board: Board) -> None:
    task = board.create(needs_review=True, criteria=["It works."], checks=["p95_ms < 200"])
    board.finish("ada", task, evidence={"1": "I saw it."}, measurements={"p95_ms": 1})
    board.review("lead", task, "accept")
    assert board.status(task) == "completed"


def test_partial_work_whose_check_failed_is_not_accepted(board: Board) -> None:
    task = board.create(checks=["p95_ms < 200"])
    board.finish("ada", task, outcome="partial", measurements={"p95_ms": 240})
    with pytest.raises(CriteriaUnmet, match="measured 240"):
        board.review("lead", task, "accept")


# --- waivers ----------------------------------------------------------------------------------------------------------


def test_a_waiver_needs_authority_and_notes(board: Board) -> None:
    task = board.create(criteria=["It works."])
    with pytest.raises(NotAllowed):
        board.review("bob", task, "waive", notes="not needed")
    with pytest.raises(Invalid, match="notes"):
        board.review("lead", task, "waive")
    board.review("lead", task, "waive", notes="not needed")
    (view,) = board.brief("ada", task).criteria
    assert (view.outcome, view.reason) == ("waived", "not needed")


def test_a_waiver_needs_somebody_other_than_the_worker(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    task = board.create(by="sue", criteria=["It works."])
    board.claim("sue", task)
    with pytest.raises(NotAllowed, match="cannot waive it"):
        board.review("sue", task, "waive", notes="not needed")
    board.review("lead", task, "waive", notes="not needed")


def test_where_there_is_nobody_else_the_waiver_is_recorded_as_self_waived(board: Board) -> None:
    task = board.create(criteria=["It works."])
    board.claim("lead", task)
    assert "self-waived" in board.review("lead", task, "waive", notes="not needed").warnings[0]
    waiver = next(event for event in board.events(task) if event.kind == "criteria_waived")
    assert waiver.data == {"waived": [1], "self_waived": True}


def test_there_must_be_something_to_waive(board: Board) -> None:
    with pytest.raises(Invalid, match="nothing to waive"):
        board.review("lead", board.create(), "waive", notes="not needed")


@pytest.mark.parametrize("still", [True, False])
def test_dropping_a_criterion_of_what_one_holds_or_held_counts_as_a_waiver(board: Board, *, still: bool) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    task = board.create(by="sue", criteria=["It works."])
    board.claim("sue", task)
    if not still:
        board.report("sue", task, "not now", status="released")
    with pytest.raises(NotAllowed, match="that is a waiver"):
        board.update("sue", task, drop_criteria=[1])
    board.update("lead", task, drop_criteria=[1])


def test_whoever_tried_before_drops_a_criterion_where_nobody_else_could_and_it_is_recorded(board: Board) -> None:
    task = board.create(criteria=["It works."])
    board.claim("lead", task)
    board.report("lead", task, "somebody else should", status="released")
    board.claim("ada", task)
    board.update("lead", task, drop_criteria=[1])
    assert board.events(task)[-1].data["self_waived"] is True


def test_dropping_a_criterion_of_what_one_never_held_is_an_edit(board: Board) -> None:
    task = board.create(criteria=["It works."])
    board.update("lead", task, drop_criteria=[1])
    assert "self_waived" not in board.events(task)[-1].data


def test_handing_on_what_one_had_claimed_makes_nobody_a_judge(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    board.enlist("ada", below="sue")
    task = board.create(needs_review=True, criteria=["It works."])
    board.claim("sue", task)
    board.delegate("sue", task, "ada")
    board.claim("ada", task)
    with pytest.raises(NotAllowed):
        board.review("sue", task, "waive", notes="not needed")
    board.complete("ada", task, evidence={"1": "I saw it."})
    with pytest.raises(NotAllowed):
        board.review("sue", task, "accept")


# --- feedback ---------------------------------------------------------------------------------------------------------


def test_feedback_alone_changes_nothing_but_is_kept(board: Board) -> None:
    task = board.task_in("completed")
    board.review("lead", task, quality=4, timeliness=2, notes="Good.")
    (said,) = board.swarm.read(lambda db: work.feedback_of(db, task))
    assert (said.quality, said.timeliness, said.notes, board.name_of(said.worker_id)) == (4, 2, "Good.", "ada")
    assert board.status(task) == "completed"
    assert board.kinds(task)[-1] == "rated"


def test_ratings_may_come_with_a_verdict_and_are_kept_once(board: Board) -> None:
    task = board.task_in("in_review")
    board.review("lead", task, "Accept", quality=5, timeliness=3, notes="Neat.")
    (said,) = board.swarm.read(lambda db: work.feedback_of(db, task))
    assert (said.verdict, said.quality, said.timeliness, said.notes) == ("accept", 5, 3, "Neat.")


def test_failing_in_review_tells_the_owners_of_what_waits_for_it(board: Board) -> None:
    task = board.task_in("in_review")
    waiter = board.create(assignee="bob", depends_on=[task])
    board.inbox("bob")
    board.review("lead", task, "fail", notes="It never ran.")
    assert (board.status(waiter), "failed" in board.news("bob"), "failed" in board.news("ada")) == (
        "blocked",
        True,
        True,
    )


@pytest.mark.parametrize("said", [{"quality": 6}, {"quality": -1}, {"timeliness": 6}, {}, {"verdict": "maybe"}])
def test_ratings_are_one_to_five_and_something_must_be_said(board: Board, said: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        board.review("lead", board.task_in("completed"), **said)
