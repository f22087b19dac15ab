"""Claims: who may take which task, what a claim sets, and which one comes next."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from board import LEASE

from swarm_mcp.model.errors import Conflict, Invalid, LimitReached, NotAllowed

if TYPE_CHECKING:
    from board import Board


def test_a_claim_sets_holder_attempt_and_lease(board: Board) -> None:
    task = board.create()
    claimed = board.claim("ada", task)
    row = board.row(task)
    assert (board.holder(task), row.attempt, claimed.attempt) == ("ada", 1, 1)
    assert row.lease_until == board.clock.now + timedelta(minutes=LEASE)
    assert row.started_at == board.clock.now


def test_the_attempt_grows_with_every_claim(board: Board) -> None:
    task = board.create()
    for attempt, agent in enumerate(["ada", "bob", "ada"], start=1):
        assert board.claim(agent, task).attempt == attempt
        board.report(agent, task, "not for me", status="released", attempt=attempt)


def test_a_claim_does_not_change_the_assignment(board: Board) -> None:
    board.team("backend", "ada")
    pooled, free = board.create(assignee="team:backend"), board.create()
    board.claim("ada", pooled)
    board.claim("ada", free)
    assert board.line(pooled).assignee == "team:backend"
    assert board.line(free).assignee == ""


def test_claiming_a_task_that_one_holds_returns_the_same_attempt(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    assert board.claim("ada", task).attempt == 1
    assert board.kinds(task).count("claimed") == 1


def test_claiming_a_task_that_waits_for_an_answer_again_leaves_its_lease_suspended(board: Board) -> None:
    task = board.task_in("requires_assistance")
    assert board.claim("ada", task).attempt == 1
    assert board.row(task).lease_until is None


def test_claiming_what_another_holds_is_a_conflict_that_names_the_holder(board: Board) -> None:
    task = board.task_in("in_progress")
    with pytest.raises(Conflict, match="ada holds") as refusal:
        board.claim("bob", task)
    assert refusal.value.facts["holder"] == "ada"


def test_claiming_what_is_assigned_to_another_is_not_allowed_and_names_the_assignee(board: Board) -> None:
    task = board.create(assignee="ada")
    with pytest.raises(NotAllowed, match="assigned to ada") as refusal:
        board.claim("bob", task)
    assert refusal.value.facts["assignee"] == "ada"


def test_claiming_beyond_ones_capacity_is_a_limit(board: Board) -> None:
    board.enlist("ada", capacity=1)
    board.claim("ada", board.create())
    for task in ("", board.create()):
        with pytest.raises(LimitReached, match=r"capacity allows \(1\)"):
            board.claim("ada", task)


def test_capacity_does_not_count_claims_with_something_in_their_way_or_a_question(board: Board) -> None:
    board.enlist("ada", capacity=1)
    waiting, asking, task = board.task_in("in_progress"), board.create(), board.create()
    board.create(parent=waiting)
    board.claim("ada", asking)
    board.ask("ada", asking)
    assert board.claim("ada", task).attempt == 1


def test_capacity_is_checked_when_claiming_only(board: Board) -> None:
    board.enlist("ada", capacity=1)
    asking = board.task_in("requires_assistance")
    board.claim("ada", board.create())
    board.send("lead", "Yes.", reply_to=f"m{board.question(asking).id}")
    assert board.status(asking) == "in_progress"


def test_no_capacity_means_no_limit(board: Board) -> None:
    for _ in range(7):
        board.claim("ada", board.create())


def test_the_operator_holds_no_tasks(board: Board) -> None:
    with pytest.raises(NotAllowed, match="Act as an agent"):
        board.claim("", board.create())


# --- entitlement ------------------------------------------------------------------------------------------------------


def test_a_pools_members_may_claim_and_others_may_not(board: Board) -> None:
    board.team("backend", "ada")
    task = board.create(assignee="team:backend")
    with pytest.raises(NotAllowed, match="team:backend"):
        board.claim("bob", task)
    board.claim("ada", task)


def test_those_of_a_specialty_may_claim_from_its_pool(board: Board) -> None:
    board.enlist("ada", specialty="testing")
    task = board.create(assignee="specialty:testing")
    with pytest.raises(NotAllowed, match="specialty:testing"):
        board.claim("bob", task)
    board.claim("ada", task)


@pytest.mark.parametrize("pool", ["backend", "team:backend"])
def test_claim_next_takes_from_the_named_pool_alone(board: Board, pool: str) -> None:
    board.team("backend", "ada")
    board.create(priority="critical")
    task = board.create(assignee="backend", priority="low")
    assert board.claimed("ada", pool=pool) == task


def test_the_pool_anyone_holds_what_lies_in_no_pool(board: Board) -> None:
    board.create(assignee="ada", priority="critical")
    task = board.create(priority="low")
    assert board.claimed("ada", pool="anyone") == task


def test_a_pool_that_is_none_or_is_not_ones_own_is_refused(board: Board) -> None:
    board.team("backend", "ada")
    with pytest.raises(Invalid, match="no pool"):
        board.claim("bob", pool="ada")
    with pytest.raises(NotAllowed, match="not in the pool"):
        board.claim("bob", pool="backend")


# --- the next one -----------------------------------------------------------------------------------------------------


def test_critical_ones_come_first_then_ones_own_then_the_pools_then_anyones(board: Board) -> None:
    board.team("backend", "ada")
    order = [
        board.create(priority="critical"),
        board.create(assignee="ada", priority="low"),
        board.create(assignee="backend", priority="medium"),
        board.create(priority="high"),
    ]
    assert [board.claimed("ada") for _ in range(4)] == order


def test_the_pools_of_ones_teams_and_specialty_are_one_tier(board: Board) -> None:
    board.enlist("ada", specialty="testing")
    board.team("alpha", "ada")
    board.team("omega", "ada")
    order = [
        board.create(assignee="specialty:testing", priority="high"),
        board.create(assignee="omega", deadline="2026-02-01"),
        board.create(assignee="alpha"),
        board.create(assignee="specialty:testing", priority="low"),
    ]
    assert [board.claimed("ada") for _ in range(4)] == order


def test_within_a_tier_priority_goes_before_deadline_and_deadline_before_age(board: Board) -> None:
    titles = {}
    for title, said in {
        "old": {}, "young": {}, "due": {"deadline": "2026-03-01"}, "due soon": {"deadline": "2026-02-01"},
        "urgent": {"priority": "high"},
    }.items():  # fmt: skip
        titles[board.create(title, **said)] = title
        board.clock.advance(seconds=1)
    claimed = [titles[board.claimed("ada")] for _ in titles]
    assert claimed == ["urgent", "due soon", "due", "old", "young"]


def test_blocked_work_never_comes_next_however_urgent(board: Board) -> None:
    board.create(priority="critical", depends_on=[other := board.create(priority="low")])
    assert board.claimed("ada") == other


def test_partial_work_is_claimed_by_name_only(board: Board) -> None:
    task = board.task_in("partial")
    assert board.claimed("bob") == ""
    assert board.claim("bob", task).attempt == 2


def test_under_takes_only_from_below_a_task(board: Board) -> None:
    board.create(priority="critical")
    top = board.create()
    part = board.create(parent=board.create(parent=top), priority="low")
    assert board.claimed("ada", under=top) == part


def test_claim_next_prefers_what_no_live_claim_is_changing(board: Board) -> None:
    board.claim("bob", board.create(touches=["src/app"]))
    overlapping = board.create(touches=["src/app/main.py"])
    apart = board.create(touches=["docs"])
    assert board.claimed("ada") == apart
    assert board.claimed("ada") == overlapping


def test_touching_the_same_thing_does_not_outweigh_urgency(board: Board) -> None:
    board.claim("bob", board.create(touches=["src/app"]))
    urgent = board.create(touches=["src/app/main.py"], priority="high")
    board.create(touches=["docs"])
    assert board.claimed("ada") == urgent


def test_claim_next_passes_over_what_this_agent_released_for_one_lease_time(board: Board) -> None:
    task, other = board.create(), board.create(priority="low")
    board.claim("ada", task)
    board.report("ada", task, "not for me", status="released")
    assert board.claimed("ada") == other
    assert board.claimed("ada") == ""
    board.clock.advance(minutes=LEASE, seconds=1)
    board.claim("ada", other)
    assert board.claimed("ada") == task


def test_what_one_released_may_be_claimed_by_name_at_once(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    board.report("ada", task, "not for me", status="released")
    assert board.claim("ada", task).attempt == 2


def test_what_was_handed_to_it_again_is_not_passed_over(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    board.report("ada", task, "not for me", status="released")
    board.delegate("lead", task, "ada", reasoning="you must")
    assert board.claimed("ada") == task


def test_nothing_ready_says_what_others_wait_for_and_how_much_is_open(board: Board) -> None:
    other = board.task_in("in_progress")
    board.create(depends_on=[other])
    nothing = board.claim("bob")
    assert nothing.task is None
    assert nothing.blocking == [f"1 task waits for {other} (ada, in_progress)"]
    assert nothing.open == 2
    assert nothing.message.startswith("Nothing is ready for bob")


def test_what_one_holds_besides_is_named_with_the_claim(board: Board) -> None:
    first = board.task_in("in_progress")
    board.create()
    assert [line.id for line in board.claim("ada").held] == [first]


# --- leases asked for -------------------------------------------------------------------------------------------------


def test_a_claim_may_ask_for_its_own_lease(board: Board) -> None:
    task = board.create()
    board.claim("ada", task, lease_minutes=5)
    assert board.row(task).lease_until == board.clock.now + timedelta(minutes=5)


@pytest.mark.parametrize("minutes", [-1, 24 * 60 + 1])
def test_a_lease_is_at_most_24_hours(board: Board, minutes: int) -> None:
    with pytest.raises(Invalid, match="1440"):
        board.claim("ada", board.create(), lease_minutes=minutes)


def test_of_many_that_ask_at_once_no_two_get_the_same_task(board: Board) -> None:
    for _ in range(5):
        board.create()
    claimed = [board.claimed(agent) for agent in ("ada", "bob", "cy", "di", "ed", "flo")]
    assert sorted(map(bool, claimed)) == [False, *[True] * 5]
    assert len(set(claimed)) == 6
