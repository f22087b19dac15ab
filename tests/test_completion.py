"""Completion: one path, what it asks for, and what it answers when it is asked twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from swarm_mcp.model.errors import Blocked, ClaimLost, Conflict, CriteriaUnmet, IllegalMove, Invalid, NotAllowed
from swarm_mcp.repository import work

if TYPE_CHECKING:
    from board import Board

CHECK = "p95_ms < 200"


def outcomes(board: Board, task: str) -> list[str]:
    return [each.outcome for each in board.swarm.read(lambda db: work.criteria(db, task))]


def held(board: Board, **said: object) -> str:
    """A task that ada holds."""
    task = board.create(**said)
    board.claim("ada", task)
    return task


def test_completing_records_the_result_and_ends_the_attempt(board: Board) -> None:
    task = held(board)
    board.complete("ada", task, "Built.", outputs={"url": "x"}, artifacts=["a.py"], confidence=0.5, issues=["slow"],
                   next_actions=["deploy"], actual_hours=1.25)  # fmt: skip
    row = board.row(task)
    (execution,) = board.swarm.read(lambda db: work.executions(db, task))
    assert (row.completion_summary, row.outputs, row.artifacts, str(row.actual_hours)) == (
        "Built.", {"url": "x"}, ["a.py"], "1.25",
    )  # fmt: skip
    assert (execution.status, execution.success, execution.confidence) == ("completed", True, 0.5)
    assert (execution.issues_found, execution.next_actions) == (["slow"], ["deploy"])
    assert row.completed_at == execution.ended_at == board.clock.now


def test_completing_answers_what_it_unblocked(board: Board) -> None:
    task = held(board)
    waiter = board.create("Next", depends_on=[task], assignee="bob")
    (unblocked,) = board.complete("ada", task).unblocked
    assert (unblocked.id, unblocked.title, unblocked.assignee) == (waiter, "Next", "bob")


@pytest.mark.parametrize(("word", "status"), [("done", "completed"), ("Failed", "failed"), ("", "completed")])
def test_outcomes_are_read_like_statuses(board: Board, word: str, status: str) -> None:
    task = held(board)
    board.complete("ada", task, outcome=word)
    assert board.status(task) == status


def test_no_other_outcome_is_known(board: Board) -> None:
    with pytest.raises(Invalid, match="completed, partial or failed"):
        board.complete("ada", held(board), outcome="cancelled")


def test_a_completion_needs_criteria_or_a_summary(board: Board) -> None:
    with pytest.raises(Invalid, match="needs a summary"):
        board.complete("ada", held(board), "")
    task = held(board, criteria=["It works."])
    board.complete("ada", task, "", evidence={"1": "I saw it."})


@pytest.mark.parametrize("outcome", ["partial", "failed"])
def test_partial_and_failed_need_a_summary(board: Board, outcome: str) -> None:
    with pytest.raises(Invalid, match="summary"):
        board.complete("ada", held(board), "", outcome=outcome)


def test_completing_is_refused_while_something_stands_in_the_way(board: Board) -> None:
    task, other = held(board), board.create()
    board.update("lead", task, add_depends_on=[other])
    with pytest.raises(Blocked, match=f"it waits for {other}"):
        board.complete("ada", task)


@pytest.mark.parametrize(
    "said", [{"confidence": 1.1}, {"artifacts": ["x"] * 51}, {"issues": ["x"] * 21}, {"next_actions": ["x"] * 21}]
)
def test_a_report_has_limits(board: Board, said: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        board.complete("ada", held(board), **said)


@pytest.mark.parametrize("outcome", ["completed", "partial", "failed"])
def test_every_attempt_remembers_who_made_it_with_what_specialty_and_how_it_ended(board: Board, outcome: str) -> None:
    board.enlist("ada", specialty="testing")
    task = held(board)
    board.enlist("ada", specialty="coding")
    board.clock.advance(minutes=5)
    board.complete("ada", task, outcome=outcome)
    (attempt,) = board.swarm.read(lambda db: work.executions(db, task))
    assert (board.name_of(attempt.agent_id), attempt.specialty, attempt.status) == ("ada", "testing", outcome)
    assert (attempt.ended_at - attempt.started_at).total_seconds() == 300


# --- criteria ---------------------------------------------------------------------------------------------------------


def test_criteria_are_numbered_from_one_texts_before_checks_later_ones_appended(board: Board) -> None:
    task = board.create(checks=[CHECK], criteria=["It works.", "It is documented."])
    board.update("lead", task, add_criteria=["It is tested."], add_checks=["errors == 0"])
    shown = [(each.n, each.text or each.check) for each in board.brief("ada", task).criteria]
    assert shown == [(1, "It works."), (2, "It is documented."), (3, CHECK), (4, "It is tested."), (5, "errors == 0")]


def test_the_numbers_of_the_others_stay_when_a_criterion_is_dropped(board: Board) -> None:
    task = board.create(criteria=["A", "B", "C"])
    board.update("lead", task, drop_criteria=[2], add_criteria=["D"])
    assert [(each.n, each.text) for each in board.brief("ada", task).criteria] == [(1, "A"), (3, "C"), (4, "D")]


@pytest.mark.parametrize("name", ["1", "#1", "it works."])
def test_manual_criteria_are_met_by_evidence_given_by_number_or_text(board: Board, name: str) -> None:
    task = held(board, criteria=["It works."])
    board.complete("ada", task, evidence={name: "I saw it."})
    assert outcomes(board, task) == ["met"]


def test_evidence_for_a_criterion_that_there_is_not_is_refused(board: Board) -> None:
    with pytest.raises(Invalid, match="no criterion"):
        board.complete("ada", held(board, criteria=["It works."]), evidence={"2": "I saw it."})


def test_a_check_is_judged_by_what_was_measured(board: Board) -> None:
    task = held(board, checks=[CHECK, "suite.exit_code == 0"])
    board.complete("ada", task, measurements={"p95_ms": 120, "suite.exit_code": 0})
    assert outcomes(board, task) == ["passed", "passed"]


def test_measurements_that_clash_are_refused(board: Board) -> None:
    with pytest.raises(Invalid):
        board.complete("ada", held(board, checks=["suite.errors == 0"]), measurements={"suite": 1, "suite.errors": 0})


def test_unmet_criteria_are_refused_and_the_refusal_says_exactly_what_is_missing(board: Board) -> None:
    task = held(board, criteria=["It works."], checks=[CHECK, "errors == 0"])
    with pytest.raises(CriteriaUnmet) as refusal:
        board.complete("ada", task, measurements={"p95_ms": 240})
    assert len(refusal.value.facts["missing"]) == 3
    for words in (
        "criterion 1 has no evidence",
        "check 2 (p95_ms < 200, measured 240)",
        "check 3 (`errors` was not measured)",
    ):
        assert words in refusal.value.message
    assert (board.status(task), outcomes(board, task)) == ("in_progress", ["open", "open", "open"])


def test_an_expression_that_names_no_measurement_needs_evidence_like_a_manual_one(board: Board) -> None:
    task = held(board, checks=["true"])
    with pytest.raises(CriteriaUnmet):
        board.complete("ada", task)
    board.complete("ada", task, evidence={"1": "I saw it."})


def test_a_check_must_be_measured_by_every_completion_anew(board: Board) -> None:
    task = held(board, checks=[CHECK])
    board.complete("ada", task, outcome="partial", measurements={"p95_ms": 120})
    board.claim("ada", task)
    with pytest.raises(CriteriaUnmet, match="was not measured"):
        board.complete("ada", task, attempt=2)


def test_a_check_that_does_not_parse_is_refused_when_it_is_written(board: Board) -> None:
    with pytest.raises(Invalid):
        board.create(checks=["p95_ms <"])


def test_partial_and_failed_work_need_no_criteria_to_be_met(board: Board) -> None:
    task = held(board, criteria=["It works."], checks=[CHECK])
    board.complete("ada", task, outcome="partial", measurements={"p95_ms": 240})
    assert outcomes(board, task) == ["open", "failed"]


def test_work_that_is_critical_and_very_hard_needs_criteria(board: Board) -> None:
    task = held(board, priority="critical", complexity="very_high")
    with pytest.raises(CriteriaUnmet, match="has no criteria"):
        board.complete("ada", task)
    board.update("lead", task, add_criteria=["It works."])
    board.complete("ada", task, evidence={"1": "I saw it."})


def test_a_project_that_only_warns_completes_and_says_what_is_unmet(board: Board) -> None:
    board.policy(completion_checks="warn")
    task = held(board, criteria=["It works."])
    assert "criterion 1 has no evidence" in board.complete("ada", task).warnings[0]
    assert board.status(task) == "completed"


def test_a_project_without_checks_completes_silently(board: Board) -> None:
    board.policy(completion_checks="off")
    task = held(board, criteria=["It works."])
    assert board.complete("ada", task).warnings == []
    assert board.status(task) == "completed"


@pytest.mark.parametrize("checks", ["warn", "off"])
def test_the_policy_concerns_criteria_alone(board: Board, checks: str) -> None:
    board.policy(completion_checks=checks)
    task = held(board)
    board.create(parent=task)
    with pytest.raises(Blocked):
        board.complete("ada", task)


def test_retrying_asks_for_evidence_anew_but_keeps_waivers(board: Board) -> None:
    task = held(board, criteria=["A", "B"])
    board.review("lead", task, "waive", notes="not needed")
    board.update("lead", task, add_criteria=["C"])
    board.complete("ada", task, outcome="failed", evidence={"3": "I saw it."})
    assert outcomes(board, task) == ["waived", "waived", "met"]
    board.update("lead", task, action="retry")
    assert outcomes(board, task) == ["waived", "waived", "open"]


def test_the_criteria_of_settled_work_are_settled(board: Board) -> None:
    task = board.task_in("completed")
    with pytest.raises(IllegalMove):
        board.update("lead", task, add_criteria=["One more."])


# --- twice ------------------------------------------------------------------------------------------------------------


def test_a_repeated_completion_returns_the_recorded_result_and_has_no_effect(board: Board) -> None:
    task = held(board, criteria=["It works."])
    first = board.complete("ada", task, "Built.", evidence={"1": "I saw it."})
    again = board.complete("ada", task, "Something else.")
    assert again.task == first.task
    assert again.criteria[0].evidence == "I saw it."
    assert "recorded before" in again.message
    assert board.row(task).completion_summary == "Built."


@pytest.mark.parametrize("outcome", ["partial", "failed"])
def test_a_repeated_partial_or_failed_returns_the_recorded_result_too(board: Board, outcome: str) -> None:
    task = held(board)
    board.complete("ada", task, outcome=outcome)
    assert "recorded before" in board.complete("ada", task, outcome=outcome).message


def test_a_repeated_completion_of_what_waits_for_review_returns_the_recorded_result(board: Board) -> None:
    task = held(board, needs_review=True)
    board.complete("ada", task)
    again = board.complete("ada", task)
    assert again.task is not None
    assert again.task.status == "in_review"


def test_work_in_review_is_not_failed_by_its_worker(board: Board) -> None:
    task = held(board, needs_review=True)
    board.complete("ada", task)
    with pytest.raises(Exception, match="in_review"):
        board.complete("ada", task, outcome="failed")
    assert board.status(task) == "in_review"


def test_anyone_elses_completion_is_refused_with_who_completed_it(board: Board) -> None:
    task = board.task_in("completed")
    with pytest.raises(Conflict, match="completed by ada") as refusal:
        board.complete("bob", task)
    assert refusal.value.facts["worker"] == "ada"


def test_a_completion_of_an_earlier_attempt_is_refused_after_a_later_one_completed(board: Board) -> None:
    task = held(board)
    board.report("ada", task, "not now", status="released")
    board.finish("bob", task)
    with pytest.raises(Conflict, match="completed by bob"):
        board.complete("ada", task, attempt=1)


def test_an_outcome_of_an_earlier_attempt_is_not_taken_for_that_of_a_later_one(board: Board) -> None:
    task = held(board)
    board.complete("ada", task, "Attempt one.", outcome="failed")
    board.update("lead", task, action="retry")
    board.finish("bob", task, summary="Attempt two.", outcome="failed")
    with pytest.raises(ClaimLost, match="failed"):
        board.complete("ada", task, "Attempt one.", outcome="failed", attempt=1)


def test_only_whoever_holds_the_task_completes_it(board: Board) -> None:
    for agent in ("bob", "lead", ""):
        with pytest.raises(NotAllowed, match="does not hold"):
            board.complete(agent, held(board))
