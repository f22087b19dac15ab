"""Questions: to whom they go, when they go on to the next, and what an answer does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from board import LEASE

from swarm_mcp.model.errors import Invalid, NotFound

if TYPE_CHECKING:
    from board import Board


@pytest.fixture
def task(board: Board) -> str:
    """A task that kim created and that lead delegated to sue; she, below tom, holds it."""
    board.enlist("kim", below="lead", role="supervisor")
    board.enlist("tom", below="lead", role="supervisor")
    board.enlist("sue", below="tom")
    task = board.create(by="kim")
    board.delegate("lead", task, "sue")
    board.claim("sue", task)
    return task


def chain(board: Board, task: str) -> list[str]:
    """Who is asked, one after the other, when nobody answers; "" is the operator."""
    asked = [board.asked(task)]
    while asked[-1]:
        board.clock.advance(minutes=2 * LEASE, seconds=1)
        board.sweep()
        asked.append(board.asked(task))
    return asked


# --- to whom ----------------------------------------------------------------------------------------------------------


def test_a_question_goes_to_the_superior_the_delegator_the_creator_the_root_directors_the_operator(
    board: Board, task: str
) -> None:
    board.ask("sue", task)
    assert chain(board, task) == ["tom", "lead", "kim", ""]


def test_a_question_goes_to_the_one_it_names_and_then_along_the_same_way(board: Board, task: str) -> None:
    board.ask("sue", task, ask="bob")
    assert chain(board, task) == ["bob", "tom", "lead", "kim", ""]


def test_root_directors_are_asked_when_nobody_nearer_is_there(board: Board) -> None:
    board.enlist("loner", superior_id=None, level=0)
    task = board.create(by="")
    board.claim("loner", task)
    board.ask("loner", task)
    assert chain(board, task) == ["lead", ""]


@pytest.mark.parametrize("word", ["operator", "OPERATOR"])
def test_a_question_may_go_straight_to_the_person(board: Board, task: str, word: str) -> None:
    board.ask("sue", task, ask=word)
    assert board.asked(task) == ""
    (question,) = [item for item in board.inbox("") if item.type == "question"]
    assert (question.sender, question.task) == ("sue", task)


def test_superior_is_the_way_that_a_question_takes_anyway(board: Board, task: str) -> None:
    board.ask("sue", task, ask="superior")
    assert board.asked(task) == "tom"


def test_the_asker_itself_is_passed_over(board: Board) -> None:
    task = board.create()
    board.claim("lead", task)
    board.ask("lead", task)
    assert board.asked(task) == ""


@pytest.mark.parametrize("lifecycle", ["spawning", "paused", "failed", "terminated"])
def test_agents_that_are_not_active_are_passed_over(board: Board, task: str, lifecycle: str) -> None:
    board.enlist("tom", lifecycle=lifecycle)
    board.ask("sue", task)
    assert board.asked(task) == "lead"


def test_an_unknown_name_or_ones_own_is_refused(board: Board, task: str) -> None:
    with pytest.raises(NotFound, match="nobody_here"):
        board.ask("sue", task, ask="nobody_here")
    with pytest.raises(Invalid, match="yourself"):
        board.ask("sue", task, ask="sue")
    assert board.status(task) == "in_progress"


def test_ask_goes_with_requires_assistance_alone(board: Board, task: str) -> None:
    with pytest.raises(Invalid, match="requires_assistance"):
        board.report("sue", task, ask="tom")


def test_the_one_asked_finds_the_question_first_in_its_inbox(board: Board, task: str) -> None:
    board.send("bob", "Something else.", to="tom")
    board.ask("sue", task, "Left or right?")
    first = board.inbox("tom")[0]
    assert (first.type, first.sender, first.task, first.text) == ("question", "sue", task, "Left or right?")


# --- going on ---------------------------------------------------------------------------------------------------------


def test_a_question_waits_for_two_lease_times(board: Board, task: str) -> None:
    board.ask("sue", task)
    board.clock.advance(minutes=2 * LEASE)
    board.sweep()
    assert board.asked(task) == "tom"


def test_when_everybody_was_asked_the_question_stays_and_the_board_comes_to_rest(board: Board, task: str) -> None:
    board.ask("sue", task)
    chain(board, task)
    board.clock.advance(minutes=2 * LEASE, seconds=1)
    board.sweep()
    assert (board.asked(task), board.sweep(), board.status(task)) == ("", 0, "requires_assistance")


@pytest.mark.parametrize("lifecycle", ["paused", "failed", "terminated"])
def test_when_the_one_asked_ends_or_is_paused_the_question_goes_on_at_once(
    board: Board, task: str, lifecycle: str
) -> None:
    board.ask("sue", task)
    board.enlist("tom", lifecycle=lifecycle)
    board.sweep()
    assert board.asked(task) == "lead"
    assert "question" in board.news("lead")


def test_passing_on_is_recorded_without_the_words_of_the_question(board: Board, task: str) -> None:
    board.ask("sue", task, "A secret?")
    board.clock.advance(hours=2)
    board.sweep()
    event = board.events(task)[-1]
    assert (event.kind, event.data["to"]) == ("question_passed_on", "lead")
    assert "secret" not in str(event.data)


# --- answering --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", ["tom", "lead", "kim", ""])
def test_the_one_asked_and_anyone_with_authority_resume_the_task(board: Board, task: str, agent: str) -> None:
    question = board.ask("sue", task)
    said = board.send(agent, "The left one.", reply_to=question)
    assert (said.resumed, board.status(task), board.holder(task)) == (task, "in_progress", "sue")
    assert [(item.type, item.text) for item in board.inbox("sue") if item.type == "answer"] == [
        ("answer", "The left one.")
    ]


def test_one_that_was_asked_before_the_question_went_on_may_still_answer(board: Board, task: str) -> None:
    question = board.ask("sue", task, ask="bob")
    board.clock.advance(minutes=2 * LEASE, seconds=1)
    board.sweep()
    assert board.send("bob", "The left one.", reply_to=question).resumed == task


def test_what_anybody_else_says_is_delivered_and_resumes_nothing(board: Board, task: str) -> None:
    question = board.ask("sue", task)
    assert board.send("bob", "The left one, I think.", reply_to=question).resumed == ""
    assert board.status(task) == "requires_assistance"
    assert "answer" in board.news("sue")


def test_a_message_to_the_asker_about_the_task_answers_without_naming_the_question(board: Board, task: str) -> None:
    board.ask("sue", task)
    assert board.send("tom", "The left one.", to="sue", task=task).resumed == task


def test_an_answer_that_goes_to_somebody_else_reaches_the_asker_too(board: Board, task: str) -> None:
    question = board.ask("sue", task)
    board.send("tom", "The left one, and so for everybody.", to="bob", reply_to=question)
    assert "answer" in board.news("sue") & board.news("bob")


def test_an_answer_resumes_the_attempt_that_asked_and_never_a_later_one(board: Board, task: str) -> None:
    question = board.ask("sue", task)
    board.update("lead", task, action="recall")
    board.claim("bob", task)
    board.ask("bob", task, "Another one?")
    assert board.send("tom", "The left one.", reply_to=question).resumed == ""
    assert board.status(task) == "requires_assistance"


def test_a_question_answered_twice_resumes_once(board: Board, task: str) -> None:
    question = board.ask("sue", task)
    board.send("tom", "The left one.", reply_to=question)
    assert board.send("lead", "The right one.", reply_to=question).resumed == ""
    assert board.kinds(task).count("resumed") == 1


def test_the_holder_withdraws_its_question_by_reporting_in_progress(board: Board, task: str) -> None:
    question = board.ask("sue", task)
    board.report("sue", task, "I found out.", status="in_progress")
    assert board.status(task) == "in_progress"
    assert board.send("tom", "The left one.", reply_to=question).resumed == ""
    assert board.sweep() == 0


def test_a_new_question_takes_the_place_of_the_old_one(board: Board, task: str) -> None:
    board.ask("sue", task, "Left or right?")
    assert board.ask("sue", task, "Up or down?", ask="bob") == f"m{board.question(task).id}"
    assert board.asked(task) == "bob"
    board.clock.advance(hours=2)
    assert board.sweep() == 1


def test_a_report_without_a_status_leaves_the_question_open(board: Board, task: str) -> None:
    board.ask("sue", task)
    board.report("sue", task, "Meanwhile I read.")
    assert board.status(task) == "requires_assistance"


def test_a_question_needs_words(board: Board, task: str) -> None:
    with pytest.raises(Invalid, match="the question"):
        board.report("sue", task, "", status="requires_assistance")
