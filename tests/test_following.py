"""Following what was handed down, and waiting for news, by an id that anybody's server can look up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import operations
from swarm_mcp.interchange.text import render
from swarm_mcp.model.errors import Invalid, NotAllowed, NotFound
from swarm_mcp.model.ids import new_uuid
from swarm_mcp.model.tokens import tokens
from swarm_mcp.operations import awaiting, following, upkeep
from swarm_mcp.operations.projects import create_project
from swarm_mcp.operations.swarm import Swarm

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.model.following import Awaited, Followed

# What was handed down


def handed(board: Board, task: str, to: str = "ada", *, by: str = "lead", **said: Any) -> str:
    """Hand a task down; the delegation's id."""
    return board.call(by, operations.delegate, task=task, to=to, **said).delegation


def stands(board: Board, delegation: str, agent: str = "lead") -> Followed:
    """How it stands, looked up and no more."""
    return board.swarm.read(lambda db: following.follow_delegation(db, delegation=delegation), agent=agent)


def told(board: Board, delegation: str, agent: str = "lead") -> Followed:
    """How it stands, kept if it is over."""
    return board.call(agent, following.settle_delegation, delegation=delegation)


def recall(board: Board, delegation: str, agent: str = "lead") -> None:
    board.call(agent, following.recall_delegation, delegation=delegation)


def answer(board: Board, delegation: str, question: str, text: str = "This one.", agent: str = "lead") -> None:
    board.call(agent, following.answer_question, delegation=delegation, question=question, text=text)


def test_the_id_of_a_delegation_is_no_part_of_its_answer(board: Board) -> None:
    delegated = board.delegate("lead", board.create(), "ada")
    assert delegated.delegation
    assert delegated.delegation not in f"{render(delegated)} {delegated.structured()} {delegated.model_dump_json()}"


@pytest.mark.parametrize("outcome", ["completed", "failed", "partial"])
def test_what_came_of_a_delegation_is_its_workers_report(board: Board, outcome: str) -> None:
    task = board.create("Build it")
    delegation = handed(board, task)
    assert (stands(board, delegation).is_over, stands(board, delegation).message) == (
        False,
        f"{task} Build it is pending, with ada.",
    )
    board.claim("ada", task)
    board.report("ada", task, "Half of it.", percent=50)
    assert stands(board, delegation).message == f"{task} Build it is in_progress, with ada, 50 %: Half of it."
    report = {"outputs": {"port": 80}, "artifacts": ["a.py"], "issues": ["Slow."], "next_actions": ["Mend it."]}
    board.complete("ada", task, "As far as it goes.", outcome=outcome, **report)
    found = stands(board, delegation).outcome
    assert found is not None
    assert found.is_failure == (outcome == "failed")
    assert (found.outcome, found.by, found.summary) == (outcome, "ada", "As far as it goes.")
    assert {name: getattr(found, name) for name in report} == report
    for words in (found.message, "As far as it goes.", "80", "a.py", "Slow.", "Mend it."):
        assert words in render(found)


def test_work_that_waits_for_review_has_come_back(board: Board) -> None:
    task = board.create(needs_review=True)
    delegation = handed(board, task)
    board.finish("ada", task)
    found = stands(board, delegation).outcome
    assert found is not None
    assert (found.outcome, found.is_failure) == ("in_review", False)
    assert f'review_task(task="{task}"' in found.message


def test_what_is_given_back_has_failed_for_whoever_handed_it_down(board: Board) -> None:
    task = board.create()
    delegation = handed(board, task)
    board.claim("ada", task)
    board.report("ada", task, "Not my field.", status="released")
    found = stands(board, delegation).outcome
    assert found is not None
    assert (found.outcome, found.is_failure) == ("declined", True)
    assert "Not my field." in found.message


@pytest.mark.parametrize("how", ["cancel", "recall", "hand on"])
def test_what_is_taken_back_is_recalled(board: Board, how: str) -> None:
    task = board.create()
    delegation = handed(board, task)
    if how == "hand on":
        handed(board, task, "bob")
    else:
        board.update("lead", task, action=how, reason="Not now.")
    assert stands(board, delegation).is_recalled
    assert stands(board, delegation).outcome is None


def test_what_was_told_is_not_taken_back(board: Board) -> None:
    known, unknown = board.create(), board.create()
    delegations = handed(board, known), handed(board, unknown)
    for task in (known, unknown):
        board.finish("ada", task)
    first = told(board, delegations[0])
    for task in (known, unknown):
        board.update("lead", task, action="reopen", reason="Once more.")
    again = told(board, delegations[0])
    assert (again.outcome, again.is_kept) == (first.outcome, True)
    assert stands(board, delegations[1]).outcome is None


def test_work_that_others_do_again_does_not_change_what_came_of_it(board: Board) -> None:
    board.register("lead", "kid", superior="lead")
    task = board.create()
    delegation = handed(board, task, "kid")
    board.finish("kid", task, summary="As I see it.")
    board.register("lead", "kid", lifecycle="terminated")
    board.update("lead", task, action="reopen", reason="Once more.")
    found = stands(board, delegation).outcome
    assert board.delegations(task) == ["done"]
    assert found is not None
    assert (found.outcome, found.by, found.summary) == ("completed", "kid", "As I see it.")


def test_what_the_operator_says_is_done_is_done(board: Board) -> None:
    task = board.create()
    delegation = handed(board, task)
    board.finish("ada", task, outcome="partial", summary="Nearly.")
    board.review("", task, "accept")
    found = stands(board, delegation).outcome
    assert found is not None
    assert (found.outcome, found.by, found.summary) == ("completed", "ada", "Nearly.")


def test_an_outcome_never_costs_more_than_an_answer_may(board: Board) -> None:
    task = board.create()
    delegation = handed(board, task)
    board.finish("ada", task, summary="word " * 9_000, outputs={"table": ["row"] * 9_000})
    found = stands(board, delegation).outcome
    assert found is not None
    assert tokens(render(found)) < 6_000
    assert f'get_task(task="{task}", include=["executions"]' in render(found)


def test_only_whoever_handed_it_down_may_follow_it(board: Board) -> None:
    board.register("lead", "kim", role="supervisor")
    other = Swarm(board.swarm.database, "other")
    board.swarm.write(lambda db: create_project(db, "other"))
    delegation = handed(board, board.create(), "kim")
    tries = [(board.swarm, "kim"), (board.swarm, "ada"), (board.swarm, "stranger"), (board.swarm, ""), (other, "lead")]
    for swarm, agent in tries:
        for name in (delegation, new_uuid(), "", "x" * 9_000, "\x00", "m1", delegation.upper()):
            with pytest.raises(NotFound, match="has handed nothing down under this id"):
                swarm.read(lambda db, name=name: following.follow_delegation(db, delegation=name), agent=agent)
    assert board.swarm.read(lambda db: following.giver_of(db, delegation)) == "lead"
    assert other.read(lambda db: following.giver_of(db, delegation)) == ""


def test_what_the_operator_handed_down_nobody_follows(board: Board) -> None:
    delegation = handed(board, board.create(by=""), by="")
    assert board.swarm.read(lambda db: following.giver_of(db, delegation)) == ""
    for agent in ("", "lead", "ada"):
        with pytest.raises(NotFound):
            stands(board, delegation, agent)


# Recalling


def test_recalling_a_delegation_leaves_the_task(board: Board) -> None:
    task = board.create()
    delegation = handed(board, task)
    board.claim("ada", task)
    recall(board, delegation)
    assert (board.status(task), board.assignee(task), board.holder(task)) == ("pending", "", "")
    assert stands(board, delegation).is_recalled
    assert "claim_lost" in board.news("ada")
    recall(board, delegation)
    assert board.delegations(task) == ["recalled"]


def test_recalling_takes_the_task_back_from_whomever_it_was_handed_on_to(house: Board) -> None:
    task = house.create()
    first = handed(house, task, "kim")
    second = handed(house, task, "sue", by="kim")
    third = handed(house, task, "ada", by="sue")
    house.claim("ada", task)
    recall(house, second, "kim")
    assert house.delegations(task) == ["accepted", "recalled", "recalled"]
    assert (house.assignee(task), house.holder(task)) == ("kim", "")
    assert not stands(house, first).is_over
    assert stands(house, second, "kim").is_recalled
    assert stands(house, third, "sue").is_recalled
    recall(house, first)
    assert (house.assignee(task), house.status(task)) == ("", "pending")


def test_recalling_takes_the_task_out_of_a_pool_too(board: Board) -> None:
    board.team("crew", "ada", "bob", supervisor="lead")
    task = board.create()
    delegation = handed(board, task, "crew")
    board.claim("bob", task)
    recall(board, delegation)
    assert board.row(task).pool_team_id is None
    assert board.holder(task) == ""


def test_what_has_come_back_is_not_recalled(board: Board) -> None:
    task = board.create()
    delegation = handed(board, task)
    board.finish("ada", task)
    recall(board, delegation)
    assert board.status(task) == "completed"
    assert not stands(board, delegation).is_recalled


def test_whoever_handed_on_what_it_merely_had_claimed_recalls_nothing(board: Board) -> None:
    board.register("lead", "kid", superior="ada")
    task = board.create()
    board.claim("ada", task)
    delegation = handed(board, task, "kid", by="ada")
    with pytest.raises(NotAllowed, match="may not recall"):
        recall(board, delegation, "ada")
    assert board.assignee(task) == "kid"


# Questions


def test_an_answer_resumes_the_attempt_that_asked(board: Board) -> None:
    task = board.create()
    delegation = handed(board, task)
    board.claim("ada", task)
    question = board.ask("ada", task, "Which port?")
    asked = stands(board, delegation).question
    assert asked is not None
    assert (asked.id, asked.sender, asked.text) == (question, "ada", "Which port?")
    answer(board, delegation, "m999")
    assert board.status(task) == "requires_assistance"
    answer(board, delegation, question, "8080")
    assert (board.status(task), board.executions(task)) == ("in_progress", ["running"])
    assert [item.text for item in board.inbox("ada") if item.type == "answer"] == ["8080"]
    answer(board, delegation, question, "9090")
    assert "answer" not in board.news("ada")


def test_whoever_gave_the_task_to_its_worker_is_asked_even_if_another_was_first(house: Board) -> None:
    task = house.create()
    first, second = handed(house, task, "kim"), handed(house, task, "ada", by="kim")
    house.claim("ada", task)
    question = house.ask("ada", task)
    assert house.asked(task) == "sue"
    assert stands(house, second, "kim").question is not None
    assert stands(house, first).question is None
    assert stands(house, first).message.endswith(f"waits for an answer of sue to {question}.")
    answer(house, second, question, agent="kim")
    assert house.status(task) == "in_progress"


def test_a_question_to_the_person_goes_to_whoever_follows_the_task(house: Board) -> None:
    task = house.create()
    delegation = handed(house, task, "kim")
    handed(house, task, "ada", by="kim")
    house.claim("ada", task)
    house.ask("ada", task, ask="operator")
    assert stands(house, delegation).question is not None


@pytest.mark.parametrize("pass_on", [True, False])
def test_a_question_that_is_put_aside_is_asked_no_more_and_stays_open(board: Board, pass_on: bool) -> None:
    task = board.create()
    delegation = handed(board, task)
    board.claim("ada", task)
    question = board.ask("ada", task)
    assert board.asked(task) == "lead"
    for _ in range(2):
        board.call(
            "lead", following.put_question_aside, delegation=delegation, question=question, pass_on=pass_on
        )  # fmt: skip
    assert stands(board, delegation).question is None
    assert board.status(task) == "requires_assistance"
    assert board.asked(task) == ("" if pass_on else "lead")
    answer(board, delegation, question)
    assert board.status(task) == "requires_assistance"
    board.report("ada", task, "Never mind.", status="in_progress")
    board.ask("ada", task, "And this?")
    assert stands(board, delegation).question is not None


# Waiting


def wait(board: Board, agent: str = "ada", seconds: int = 30, limit: int = 20) -> str:
    return board.call(agent, awaiting.await_news, seconds=seconds, limit=limit)


def looked(board: Board, name: str, agent: str = "ada") -> bool:
    """Whether a wait is worth an answer now."""
    return board.swarm.read(lambda db: awaiting.follow_wait(db, wait=name), agent=agent)[1]


def settled(board: Board, name: str, agent: str = "ada") -> Awaited:
    return board.call(agent, awaiting.settle_wait, wait=name)


def texts(awaited: Awaited) -> list[str]:
    assert awaited.inbox is not None
    return [item.text for item in awaited.inbox.items]


def calm(board: Board, agent: str = "ada") -> None:
    """Let an agent have read everything."""
    for _ in range(2):
        board.inbox(agent)


def test_a_wait_ends_with_news_and_tells_them_again(board: Board) -> None:
    calm(board)
    name = wait(board)
    assert not looked(board, name)
    assert not settled(board, name).is_over
    board.send("lead", "Well?", to="ada")
    assert looked(board, name)
    assert texts(settled(board, name)) == ["Well?"]
    board.send("lead", "And?", to="ada")
    assert not looked(board, name)
    assert texts(settled(board, name)) == ["Well?"]
    assert [item.text for item in board.inbox("ada")] == ["And?"], "the first was told, and has been read by now"


def test_what_a_wait_never_told_stays_unread(board: Board) -> None:
    calm(board)
    name, given_up = wait(board), wait(board)
    board.send("lead", "Well?", to="ada")
    board.call("ada", awaiting.give_up_wait, wait=given_up)
    assert looked(board, name)
    ended = settled(board, given_up)
    assert (ended.inbox, ended.is_given_up) == (None, True)
    assert [item.text for item in board.inbox("ada")] == ["Well?"]


def test_a_wait_does_not_read_what_was_shown_while_it_went_on(board: Board) -> None:
    calm(board)
    name = wait(board)
    board.send("lead", "Well?", to="ada")
    assert [item.text for item in board.inbox("ada")] == ["Well?"], "an answer that is lost, say"
    assert texts(settled(board, name)) == ["Well?"]
    assert [item.text for item in board.inbox("ada", reread=True)] == ["Well?"]


def test_a_wait_is_up_when_its_time_is(board: Board) -> None:
    calm(board)
    name = wait(board, seconds=30)
    board.clock.advance(seconds=29)
    assert not looked(board, name)
    board.clock.advance(seconds=1)
    ended = settled(board, name)
    assert ended.inbox is not None
    assert ended.inbox.message == "Nothing new. All is finished."


def test_a_wait_ends_when_a_task_is_ready(board: Board) -> None:
    calm(board)
    name = wait(board)
    board.create()
    ended = settled(board, name)
    assert ended.inbox is not None
    assert ended.inbox.ready == 1


def test_a_director_is_woken_when_more_is_ready_than_when_it_began_to_wait(board: Board) -> None:
    board.create()
    calm(board, "lead")
    name = wait(board, "lead")
    assert not looked(board, name, "lead")
    board.create()
    assert looked(board, name, "lead")


def test_a_wait_is_its_agents_own(board: Board) -> None:
    name = wait(board)
    other = Swarm(board.swarm.database, "other")
    board.swarm.write(lambda db: create_project(db, "other"))
    for swarm, agent in ((board.swarm, "bob"), (board.swarm, "lead"), (board.swarm, ""), (other, "ada")):
        with pytest.raises(NotFound, match="does not wait under this id"):
            swarm.read(lambda db: awaiting.follow_wait(db, wait=name), agent=agent)
    for wrong in (new_uuid(), "", "\x00", "x" * 9_000):
        with pytest.raises(NotFound):
            looked(board, wrong)
    with pytest.raises(Invalid, match="wait_seconds is 0 to 45"):
        wait(board, seconds=46)


def test_a_wait_is_kept_for_a_month(board: Board) -> None:
    calm(board)
    name = wait(board)
    board.clock.advance(seconds=30)
    settled(board, name)
    board.clock.advance(days=29)
    board.sweep()
    assert settled(board, name).is_over
    board.clock.advance(days=2)
    board.sweep()
    with pytest.raises(NotFound):
        looked(board, name)
    assert timedelta(days=30) == upkeep.KEYS_KEPT
