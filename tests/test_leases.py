"""Leases: what renews a claim, what becomes of one that nobody renews, and who is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from board import LEASE

from swarm_mcp import operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import ClaimLost, Conflict, NotAllowed
from swarm_mcp.operations import upkeep
from swarm_mcp.repository import queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from board import Board


def lapse(board: Board, *, minutes: float = LEASE) -> None:
    """Let every claim run out, and be swept."""
    board.clock.advance(minutes=minutes, seconds=1)
    board.sweep()


def minutes_left(board: Board, task: str) -> float:
    return (board.row(task).lease_until - board.clock.now) / timedelta(minutes=1)


# --- renewing ---------------------------------------------------------------------------------------------------------

WRITES: dict[str, Callable[[Board, str], object]] = {
    "a report": lambda board, task: board.report("ada", task),
    "a note": lambda board, task: board.call("ada", operations.add_note, task=task, text="Mine."),
    "shared context": lambda board, task: board.call("ada", operations.share_context, task=task, key="a", value=1),
    "a message": lambda board, task: board.send("ada", to="lead", task=task),
    "an edit": lambda board, task: board.update("ada", task, add_depends_on=[f"related:{board.create()}"]),
    "a repeated claim": lambda board, task: board.claim("ada", task),
}


@pytest.mark.parametrize("how", WRITES.values(), ids=WRITES)
def test_every_write_by_the_holder_about_the_task_renews_its_claim(
    board: Board, how: Callable[[Board, str], object]
) -> None:
    task = board.task_in("in_progress")
    board.clock.advance(minutes=LEASE - 1)
    how(board, task)
    assert minutes_left(board, task) == LEASE


def test_writes_by_others_do_not_renew_a_claim(board: Board) -> None:
    task = board.task_in("in_progress")
    board.clock.advance(minutes=10)
    board.send("bob", to="ada", task=task)
    board.update("lead", task, priority="high")
    assert minutes_left(board, task) == LEASE - 10


def test_a_write_about_one_task_does_not_renew_the_claim_on_another(board: Board) -> None:
    first, second = board.task_in("in_progress"), board.task_in("in_progress")
    board.clock.advance(minutes=10)
    board.report("ada", first)
    assert minutes_left(board, second) == LEASE - 10


def test_a_renewal_keeps_the_lease_that_its_holder_asked_for(board: Board) -> None:
    task = board.create()
    board.claim("ada", task, lease_minutes=600)
    board.clock.advance(minutes=599)
    board.report("ada", task)
    assert minutes_left(board, task) == 600


def test_a_claim_that_is_repeated_may_ask_for_another_lease(board: Board) -> None:
    task = board.task_in("in_progress")
    board.claim("ada", task, lease_minutes=5)
    assert minutes_left(board, task) == 5


def test_what_names_no_task_renews_all_claims_of_that_agent_on_that_connection(board: Board) -> None:
    here, there, soon = board.create(), board.create(), board.create()
    for task, connection, minutes in ((here, "one", 0), (there, "two", 0), (soon, "one", 60)):
        board.swarm.write(
            lambda db, task=task, minutes=minutes: operations.claim_task(db, task=task, lease_minutes=minutes),
            agent="ada", profile=Profile.WORKER, connection=connection,
        )  # fmt: skip
    board.clock.advance(minutes=20)
    board.swarm.write(upkeep.renew_all, agent="ada", profile=Profile.WORKER, connection="one")
    assert [minutes_left(board, task) for task in (here, there, soon)] == [LEASE, LEASE - 20, 40]


def test_asking_for_the_next_task_renews_what_one_holds_though_it_has_expired(board: Board) -> None:
    task = board.task_in("in_progress")
    board.create()
    board.clock.advance(minutes=LEASE, seconds=1)
    assert board.claimed("ada") != task
    assert (board.holder(task), minutes_left(board, task)) == ("ada", LEASE)


def test_the_lease_is_the_projects_policy(board: Board) -> None:
    board.policy(lease_minutes=7)
    assert minutes_left(board, board.task_in("in_progress")) == 7


# --- expiring ---------------------------------------------------------------------------------------------------------


def test_an_unexpired_claim_is_never_taken_nor_swept(board: Board) -> None:
    task = board.task_in("in_progress")
    board.clock.advance(minutes=LEASE)
    assert board.sweep() == 0
    with pytest.raises(Conflict):
        board.claim("bob", task)
    assert board.claimed("bob") == ""


@pytest.mark.parametrize("by_name", [True, False])
def test_an_expired_claim_may_be_taken_by_anyone_entitled(board: Board, *, by_name: bool) -> None:
    task = board.task_in("in_progress")
    board.clock.advance(minutes=LEASE, seconds=1)
    assert board.claimed("bob", **({"task": task} if by_name else {})) == task
    assert board.executions(task) == ["lapsed", "running"]


def test_an_expired_claim_is_not_taken_by_anyone_else(board: Board) -> None:
    task = board.create(assignee="ada")
    board.claim("ada", task)
    board.clock.advance(minutes=LEASE, seconds=1)
    with pytest.raises(NotAllowed, match="assigned to ada"):
        board.claim("bob", task)
    assert board.claimed("bob") == ""


def test_reads_show_an_expired_claim_as_lapsed(board: Board) -> None:
    task = board.task_in("in_progress")
    assert not board.line(task).lapsed
    board.clock.advance(minutes=LEASE, seconds=1)
    line = board.line(task)
    assert (line.lapsed, line.status) == (True, "in_progress")


def test_a_holder_that_is_late_but_not_yet_swept_simply_renews(board: Board) -> None:
    task = board.task_in("in_progress")
    board.clock.advance(hours=5)
    board.report("ada", task)
    assert (board.holder(task), minutes_left(board, task)) == ("ada", LEASE)


def test_after_the_sweep_the_holders_next_write_is_refused_as_lost(board: Board) -> None:
    task = board.task_in("in_progress")
    lapse(board)
    with pytest.raises(ClaimLost, match=r"it is pending now\. Stop work on it"):
        board.report("ada", task)


def test_a_write_that_comes_after_another_took_the_task_is_refused_with_who_has_it(board: Board) -> None:
    task = board.task_in("in_progress")
    lapse(board)
    board.claim("bob", task)
    with pytest.raises(ClaimLost, match=r'bob holds it now.*send_message\(to="bob"') as refusal:
        board.complete("ada", task)
    assert refusal.value.facts["holder"] == "bob"
    assert board.status(task) == "in_progress"


def test_a_write_of_an_earlier_attempt_is_refused_though_the_same_agent_holds_the_task_again(board: Board) -> None:
    task = board.task_in("in_progress")
    lapse(board)
    board.claim("ada", task)
    with pytest.raises(ClaimLost, match=r"attempt 1 .* has ended"):
        board.complete("ada", task, attempt=1)
    board.complete("ada", task, attempt=2)


def test_without_its_attempt_a_write_is_refused_once_the_agent_has_claimed_the_task_twice(board: Board) -> None:
    task = board.task_in("in_progress")
    lapse(board)
    board.claim("ada", task)
    with pytest.raises(ClaimLost, match="more than once"):
        board.report("ada", task)


def test_whoever_never_held_the_task_is_told_to_claim_it(board: Board) -> None:
    task = board.task_in("in_progress")
    with pytest.raises(NotAllowed, match=rf"bob does not hold {task}; ada does. claim_task\(\) gives you another one"):
        board.report("bob", task)
    with pytest.raises(NotAllowed, match=rf'ada does. send_message\(to="ada", task="{task}", text=…\) reaches it'):
        board.report("", task)
    board.clock.advance(minutes=31)
    with pytest.raises(NotAllowed, match=rf'claim_task\(task="{task}"\) first'):
        board.report("bob", task)


# --- counting ---------------------------------------------------------------------------------------------------------


def test_a_lapse_is_counted(board: Board) -> None:
    task = board.task_in("in_progress")
    lapse(board)
    assert board.row(task).lapses == 1


def test_a_lapse_of_a_claim_that_had_something_in_its_way_is_not(board: Board) -> None:
    task = board.task_in("in_progress")
    board.create(parent=task)
    lapse(board)
    assert (board.status(task), board.row(task).lapses) == ("blocked", 0)


def test_at_the_limit_of_lapses_the_task_fails_with_that_reason(board: Board) -> None:
    board.policy(max_lapses=3)
    task = board.create(assignee="ada")
    waiter = board.create(assignee="bob", depends_on=[task])
    for _ in range(3):
        assert board.status(task) == "pending"
        board.claim("ada", task)
        lapse(board)
    assert board.status(task) == "failed"
    assert "lapsed 3 times" in board.row(task).error
    assert "failed" in board.news("lead") & board.news("bob")
    assert board.status(waiter) == "blocked"


@pytest.mark.parametrize("how", ["completion", "retry", "reopening", "reassignment"])
def test_lapses_are_forgotten_after(board: Board, how: str) -> None:
    task = board.task_in("in_progress")
    lapse(board)
    if how == "reassignment":
        board.delegate("lead", task, "bob")
    elif how == "retry":
        board.finish("bob", task, outcome="failed")
        assert board.row(task).lapses == 1
        board.update("lead", task, action="retry")
    elif how == "reopening":
        board.update("lead", task, action="cancel")
        board.update("lead", task, action="reopen")
    else:
        board.finish("bob", task)
    assert board.row(task).lapses == 0


# --- who is told, and where the task goes -----------------------------------------------------------------------------


def test_delegator_and_holder_are_told_of_a_lapse(board: Board) -> None:
    task = board.create(assignee="ada")
    board.claim("ada", task)
    lapse(board)
    assert "claim_lost" in board.news("lead")
    assert "claim_lost" in board.news("ada")


def test_a_delegated_assignment_is_offered_again_after_its_first_lapse(board: Board) -> None:
    task = board.create(assignee="ada")
    board.claim("ada", task)
    assert board.delegations(task) == ["accepted"]
    lapse(board)
    assert (board.assignee(task), board.delegations(task)) == ("ada", ["offered"])


def test_a_delegated_assignment_ends_like_a_release_with_its_second_lapse(board: Board) -> None:
    board.team("backend", "ada", "bob")
    task = board.create(assignee="backend")
    board.delegate("lead", task, "ada")
    for _ in range(2):
        board.claim("ada", task)
        lapse(board)
    assert board.line(task).assignee == "team:backend"
    assert board.delegations(task) == ["offered", "declined"]


def test_a_delegated_assignment_ends_with_a_lapse_when_its_agent_has_ended(board: Board) -> None:
    task = board.create(assignee="ada")
    board.claim("ada", task)
    board.enlist("ada", lifecycle="terminated")
    lapse(board)
    assert (board.assignee(task), board.delegations(task)) == ("", ["declined"])


def test_lapses_that_do_not_count_do_not_end_an_assignment_either(board: Board) -> None:
    task = board.create(assignee="ada")
    board.claim("ada", task)
    lapse(board)
    board.claim("ada", task)
    board.create(parent=task)
    lapse(board)
    assert board.assignee(task) == "ada"


def test_a_lapse_in_a_pool_returns_the_task_to_it(board: Board) -> None:
    board.team("backend", "ada", "bob")
    task = board.create(assignee="backend")
    board.claim("ada", task)
    lapse(board)
    assert (board.line(task).assignee, board.delegations(task)) == ("team:backend", ["offered"])


# --- suspended leases -------------------------------------------------------------------------------------------------


def test_a_question_suspends_the_lease_and_its_answer_resumes_with_a_fresh_one(board: Board) -> None:
    task = board.task_in("in_progress")
    board.clock.advance(minutes=LEASE - 1)
    question = board.ask("ada", task)
    assert board.row(task).lease_until is None
    board.clock.advance(minutes=LEASE - 1)
    board.sweep()
    assert board.holder(task) == "ada"
    board.send("lead", "The left one.", reply_to=question)
    assert minutes_left(board, task) == LEASE


def test_the_sweep_says_whether_there_is_anything_to_do(board: Board) -> None:
    board.task_in("in_progress")
    assert not board.swarm.read(upkeep.due)
    board.clock.advance(minutes=LEASE, seconds=1)
    assert board.swarm.read(upkeep.due)
    board.sweep()
    assert not board.swarm.read(upkeep.due)


def test_expired_claims_are_found_the_oldest_first(board: Board) -> None:
    first = board.task_in("in_progress")
    board.clock.advance(minutes=1)
    second = board.task_in("in_progress")
    board.clock.advance(hours=1)
    found = board.swarm.read(lambda db: queue.expired_claims(db, limit=10))
    assert [row.id for row in found] == [first, second]
