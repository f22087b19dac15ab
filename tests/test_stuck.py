"""What does not move is named with the call that frees it, and the call does free it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from swarm_mcp import operations
from swarm_mcp.cli.demo.superior import read_call
from swarm_mcp.operations import moves
from swarm_mcp.repository import tables
from swarm_mcp.repository import tasks as stored

if TYPE_CHECKING:
    from board import Board


def stuck(board: Board, **said: Any) -> list[dict[str, Any]]:
    found = board.swarm.read(lambda db: operations.get_overview(db, view="stuck", **said), agent="lead")
    return (found.model_extra or {})["items"]


def the_one(board: Board) -> dict[str, Any]:
    (only,) = stuck(board)
    return only


def follow(board: Board, call: str, by: str = "lead", **instead: Any) -> None:
    """Make the call that an answer prints."""
    name, said = read_call(call)
    board.call(by, getattr(operations, name), **{**said, **instead})


def change(board: Board, name: str, **columns: Any) -> None:
    """Set columns of an agent behind its back; its claims stay with it."""
    agent = tables.agent
    statement = update(agent).where(agent.c.name == name).values(**columns)
    board.swarm.write(lambda db: db.execute(statement) and None)


def test_nothing_is_stuck_on_a_board_that_moves(board: Board) -> None:
    first = board.create()
    board.create(depends_on=[first])
    board.claim("ada")
    assert stuck(board) == []


def test_a_hold_is_stuck_until_it_is_resumed(board: Board) -> None:
    task = board.create()
    behind = board.create(depends_on=[task])
    board.update("lead", task, action="hold", reason="No budget.")
    found = the_one(board)
    assert (found["task"], found["why"], found["blocks"]) == (task, "held by lead: No budget.", 1)
    follow(board, found["call"])
    assert (board.status(task), board.status(behind), stuck(board)) == ("pending", "blocked", [])


def test_a_question_is_stuck_until_it_is_answered(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    board.ask("ada", task, "Which one?")
    found = the_one(board)
    assert found["why"] == "lead has not answered: Which one?"
    follow(board, found["call"], text="This one.")
    assert (board.status(task), stuck(board)) == ("in_progress", [])


def test_work_in_review_is_stuck_until_it_is_accepted(board: Board) -> None:
    task = board.create(needs_review=True)
    board.finish("ada", task)
    follow(board, the_one(board)["call"])
    assert (board.status(task), stuck(board)) == ("completed", [])


def test_partial_work_is_stuck_until_it_is_retried(board: Board) -> None:
    task = board.create()
    board.finish("ada", task, outcome="partial")
    follow(board, the_one(board)["call"])
    assert (board.status(task), stuck(board)) == ("pending", [])


def test_failed_work_is_stuck_while_something_waits_for_it(board: Board) -> None:
    task = board.create()
    board.finish("ada", task, outcome="failed", summary="No such thing.")
    assert stuck(board) == []
    board.create(depends_on=[task])
    found = the_one(board)
    assert (found["task"], found["why"], found["blocks"]) == (task, "failed: No such thing.", 1)
    follow(board, found["call"])
    assert (board.status(task), stuck(board)) == ("pending", [])


def test_a_failed_subtask_is_stuck_because_its_parent_waits_for_it(board: Board) -> None:
    parent = board.create()
    part = board.create(parent=parent)
    board.finish("ada", part, outcome="failed")
    found = the_one(board)
    assert (found["task"], found["blocks"]) == (part, 1)


def test_cancelled_work_is_stuck_until_nothing_waits_for_it(board: Board) -> None:
    task = board.create()
    finished, waiting = board.create(depends_on=[task]), board.create(depends_on=[task])
    board.update("lead", finished, action="cancel")
    board.update("lead", task, action="cancel")
    found = the_one(board)
    assert found["why"] == f"cancelled, but {waiting} waits for it"
    follow(board, found["call"])
    assert (board.status(waiting), stuck(board)) == ("pending", [])


def test_a_lapsed_claim_is_stuck_until_it_is_recalled(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    board.clock.advance(minutes=31)
    found = the_one(board)
    assert found["why"] == "the claim of ada has lapsed"
    follow(board, found["call"])
    assert (board.status(task), stuck(board)) == ("pending", [])


def test_a_ready_task_whose_assignee_is_offline_is_stuck_until_somebody_else_has_it(board: Board) -> None:
    task = board.create(assignee="ada")
    board.clock.advance(hours=3)
    board.call("bob", operations.share_context, key="here", value="I am")
    found = the_one(board)
    assert found["why"] == "ready, but its assignee ada is offline"
    assert found["call"] == f'delegate(task="{task}", to="bob")'
    follow(board, found["call"])
    assert (board.assignee(task), stuck(board)) == ("bob", [])


def test_a_ready_task_in_a_pool_without_anybody_is_stuck(board: Board) -> None:
    board.team("empty")
    board.create(assignee="team:empty")
    board.create(assignee="specialty:nobody_has_it")
    assert sorted(found["why"] for found in stuck(board)) == [
        "ready, but its team has no members",
        "ready, but nobody has the specialty nobody_has_it",
    ]
    for found in stuck(board):
        follow(board, found["call"])
    assert stuck(board) == []


def test_what_blocks_most_comes_first_and_a_subtree_can_be_asked_for_alone(board: Board) -> None:
    small, large = board.create(), board.create()
    for _ in range(3):
        board.create(depends_on=[large])
    for task in (small, large):
        board.update("lead", task, action="hold", reason="Later.")
    assert [found["task"] for found in stuck(board)] == [large, small]
    assert [found["task"] for found in stuck(board, under=small)] == [small]


@pytest.mark.parametrize("lifecycle", ["paused", "failed", "terminated"])
def test_what_an_agent_holds_that_takes_no_part_any_more_is_recalled(board: Board, lifecycle: str) -> None:
    task = board.create()
    board.claim("ada", task)
    change(board, "ada", lifecycle=lifecycle)
    found = the_one(board)
    assert found["why"] == f"claimed by ada, which is {lifecycle}"
    follow(board, found["call"])
    assert (board.status(task), stuck(board)) == ("pending", [])


def test_a_question_of_an_agent_that_has_ended_is_recalled_rather_than_answered(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    board.ask("ada", task)
    change(board, "ada", lifecycle="terminated")
    follow(board, the_one(board)["call"])
    assert (board.status(task), stuck(board)) == ("pending", [])


def test_nobody_answers_its_own_question_but_it_can_think_better_of_it(board: Board) -> None:
    task = board.create()
    board.claim("lead", task)
    board.ask("lead", task)
    follow(board, the_one(board)["call"])
    assert (board.status(task), stuck(board)) == ("in_progress", [])


@pytest.mark.parametrize("lifecycle", ["paused", "failed", "terminated"])
def test_what_is_assigned_to_an_agent_that_takes_no_part_is_given_to_one_that_does(
    board: Board, lifecycle: str
) -> None:
    task = board.create(assignee="ada")
    change(board, "ada", lifecycle=lifecycle)
    found = the_one(board)
    assert found["why"] == f"ready, but its assignee ada is {lifecycle}"
    follow(board, found["call"])
    assert (board.claimed("bob"), stuck(board)) == (task, [])


def test_an_agent_that_was_named_and_never_called_is_missed_after_two_minutes(board: Board) -> None:
    task = board.create(assignee="newcomer")
    assert stuck(board) == []
    board.clock.advance(minutes=3)
    found = the_one(board)
    assert found["why"] == "ready, but its assignee newcomer has not called yet"
    follow(board, found["call"])
    assert board.assignee(task) in {"ada", "bob"}


def test_an_agent_that_is_silent_over_its_work_is_not_offline(board: Board) -> None:
    task, other = board.create(), board.create(assignee="ada")
    board.claim("ada", task, lease_minutes=120)
    board.clock.advance(minutes=60)
    assert stuck(board, under=other) == []


def test_an_agent_is_away_here_exactly_when_the_list_of_agents_says_so(board: Board) -> None:
    asked, ready = board.create(), board.create(assignee="ada")
    board.claim("ada", asked)
    board.ask("ada", asked)
    board.clock.advance(minutes=40)
    listed = board.swarm.read(lambda db: operations.list_agents(db, status="busy"))
    assert ([each.name for each in listed.agents], stuck(board, under=ready)) == (["ada"], [])
    board.send("lead", task=asked)
    board.clock.advance(minutes=40)
    board.sweep()
    assert ready in [each["task"] for each in stuck(board) if each["why"].endswith("ada is offline")]


def test_a_pool_of_which_nobody_is_there_is_stuck(board: Board) -> None:
    board.team("pair", "ada", "bob")
    task = board.create(assignee="team:pair")
    change(board, "ada", lifecycle="paused")
    assert stuck(board) == []
    change(board, "bob", lifecycle="terminated")
    found = the_one(board)
    assert found["why"] == "ready, but nobody of its team is there"
    follow(board, found["call"])
    assert board.assignee(task) == "lead"


def test_what_is_ready_for_anyone_is_told_once_when_no_worker_is_there(board: Board) -> None:
    first, _ = board.create(priority="high"), board.create()
    board.clock.advance(minutes=31)
    found = the_one(board)
    assert (found["task"], found["why"]) == (first, "ready, but no worker is there; the same goes for 1 more")
    follow(board, found["call"])
    assert board.holder(first) == "lead"


def test_the_operator_who_holds_no_tasks_is_shown_whom_to_give_what_nobody_takes(board: Board) -> None:
    task = board.create()
    board.clock.advance(minutes=45)
    board.inbox("lead")
    (found,) = board.swarm.read(lambda db: operations.get_overview(db, view="stuck")).model_extra["items"]
    assert found["call"] == f'delegate(task="{task}", to="lead")'
    follow(board, found["call"], by="")
    assert board.assignee(task) == "lead"


def test_where_nobody_is_there_at_all_a_task_is_left_to_whoever_comes(board: Board) -> None:
    task = board.create(assignee="ada")
    board.clock.advance(minutes=31)
    seen = board.swarm.read(lambda db: operations.get_overview(db, view="stuck"))
    (found,) = (seen.model_extra or {})["items"]
    assert found["call"] == f'update_task(task="{task}", clear=["assignee"])'


def test_a_supervisor_is_shown_calls_that_it_may_make(board: Board) -> None:
    board.enlist("sup", role="supervisor")
    board.enlist("bob", below="sup")
    board.team("empty")
    board.create(by="sup", assignee="team:empty")
    seen = board.swarm.read(lambda db: operations.get_overview(db, view="stuck"), agent="sup")
    (found,) = (seen.model_extra or {})["items"]
    assert 'to="bob"' in found["call"]
    follow(board, found["call"], by="sup")
    assert stuck(board) == []


def test_partial_work_is_retried_once_and_then_what_is_missing_is_given_up(board: Board) -> None:
    task = board.create(checks=["n < 0 && n > 0"])
    for attempt in (1, 2):
        board.claim("ada", task)
        board.complete("ada", task, outcome="partial", measurements={"n": 0}, attempt=attempt)
        if attempt == 1:
            follow(board, the_one(board)["call"])
    assert the_one(board)["why"] == "partly done 2 times, and 1 criterion is not met"
    follow(board, the_one(board)["call"])
    follow(board, the_one(board)["call"])
    assert (board.status(task), stuck(board)) == ("completed", [])


def test_what_needs_criteria_before_it_can_be_done_gets_some(board: Board) -> None:
    task = board.create(complexity="very_high", priority="critical")
    board.finish("ada", task, outcome="partial")
    found = the_one(board)
    assert found["call"] == f'update_task(task="{task}", add_criteria=[…])'
    follow(board, found["call"])
    follow(board, the_one(board)["call"])
    board.claim("ada", task)
    board.complete("ada", task, evidence={"1": "Look."}, attempt=2)
    assert (board.status(task), stuck(board)) == ("completed", [])


def test_unmet_criteria_of_work_in_review_are_waived_before_it_is_accepted(board: Board) -> None:
    task = board.create(needs_review=True)
    board.finish("ada", task)
    board.update("lead", task, add_criteria=["It was looked at."])
    assert the_one(board)["why"] == "waits for review, and 1 criterion is not met"
    follow(board, the_one(board)["call"])
    follow(board, the_one(board)["call"])
    assert (board.status(task), stuck(board)) == ("completed", [])


def test_who_worked_on_what_waits_for_review_is_told_whom_to_ask(board: Board) -> None:
    board.enlist("ada", role="supervisor")
    task = board.create(by="ada", needs_review=True)
    board.finish("lead", task)
    found = the_one(board)
    assert found["call"] == f'send_message(to="ada", task="{task}", text=…)'
    follow(board, found["call"])
    seen = board.swarm.read(lambda db: operations.get_overview(db, view="stuck"), agent="ada")
    follow(board, (seen.model_extra or {})["items"][0]["call"], by="ada")
    assert (board.status(task), stuck(board)) == ("completed", [])


def test_work_in_review_that_something_else_delays_is_no_root(board: Board) -> None:
    task, gate = board.create(needs_review=True), board.create()
    board.finish("ada", task)
    board.update("lead", task, add_depends_on=[gate])
    assert stuck(board) == []
    board.finish("ada", gate)
    assert the_one(board)["task"] == task


def test_what_fails_again_and_again_is_done_without(board: Board) -> None:
    task = board.create()
    behind = board.create(depends_on=[task])
    for _ in range(2):
        board.finish("ada", task, outcome="failed", attempt=board.row(task).attempt + 1)
        follow(board, the_one(board)["call"])
    board.finish("ada", task, outcome="failed", attempt=3)
    assert the_one(board)["call"] == f'update_task(task="{behind}", drop_depends_on=["{task}"])'
    follow(board, the_one(board)["call"])
    assert (board.status(behind), stuck(board)) == ("pending", [])


def test_a_part_that_fails_again_and_again_is_cancelled(board: Board) -> None:
    parent = board.create()
    part = board.create(parent=parent)
    for attempt in (1, 2, 3):
        board.finish("ada", part, outcome="failed", attempt=attempt)
        follow(board, the_one(board)["call"])
    assert (board.status(part), board.status(parent), stuck(board)) == ("cancelled", "pending", [])


def test_archived_failures_are_found_as_well(board: Board) -> None:
    parent = board.create()
    part, blocker = board.create(parent=parent), board.create()
    for task in (part, blocker):
        board.finish("ada", task, outcome="failed")
        board.update("lead", task, action="archive")
    board.create(depends_on=[blocker])
    assert {found["task"] for found in stuck(board)} == {part, blocker}
    for found in stuck(board):
        follow(board, found["call"])
    assert (board.status(part), board.status(blocker), stuck(board)) == ("pending", "pending", [])


def test_a_dead_end_before_a_finished_parent_is_found_while_something_below_is_open(board: Board) -> None:
    parent, gate = board.create(), board.create()
    board.claim("ada", parent)
    part = board.create(parent=parent)
    board.update("lead", parent, add_depends_on=[gate])
    board.complete("ada", parent, outcome="failed")
    board.update("lead", gate, action="cancel")
    follow(board, the_one(board)["call"])
    assert (board.status(part), stuck(board)) == ("pending", [])


def test_failed_work_for_which_nobody_waits_is_not_stuck(board: Board) -> None:
    parent = board.create()
    part = board.create(parent=parent)
    board.finish("ada", part, outcome="failed")
    board.update("lead", parent, action="cancel", subtree=True)
    board.finish("ada", board.create(), outcome="failed")
    assert stuck(board) == []


def test_an_archived_task_that_is_open_is_brought_back(board: Board) -> None:
    """No call archives open work; a document that is imported, or a script, might."""
    task = board.create()
    board.swarm.write(
        lambda db: moves.change(db, stored.task_row(db, task), "archived", {"archived_at": db.now}) and None
    )
    assert board.claimed("ada") == ""
    assert the_one(board)["why"] == "pending, but archived, so that nobody sees it"
    follow(board, the_one(board)["call"])
    assert (board.claimed("ada"), stuck(board)) == (task, [])


def test_what_keeps_a_subtree_from_moving_may_lie_outside_of_it(board: Board) -> None:
    above, gate, elsewhere = board.create(), board.create(), board.create()
    part = board.create(parent=above, depends_on=[gate])
    for task in (gate, above, elsewhere):
        board.update("lead", task, action="hold", reason="Later.")
    assert {found["task"] for found in stuck(board, under=part)} == {gate, above}


def test_a_brother_of_what_is_stuck_is_not_counted_as_waiting_for_it(board: Board) -> None:
    parent = board.create()
    part, _ = board.create(parent=parent), board.create(parent=parent)
    board.update("lead", part, action="hold", reason="Later.")
    assert the_one(board)["blocks"] == 1
    board.update("lead", part, action="resume")
    board.update("lead", parent, action="hold", reason="Later.")
    assert the_one(board)["blocks"] == 2


def test_a_cut_list_says_how_much_there_is_and_begins_with_what_blocks_most(board: Board) -> None:
    hub = board.create()
    for _ in range(3):
        board.update("lead", board.create(depends_on=[hub]), action="hold", reason="Later.")
    board.update("lead", hub, action="hold", reason="Later.")
    found = board.swarm.read(lambda db: operations.get_overview(db, view="stuck", limit=1), agent="lead")
    assert found.message == (
        "4 things keep work from moving; here the first 1, by how much they block (limit=4 shows more)."
    )
    assert [each["task"] for each in (found.model_extra or {})["items"]] == [hub]


def test_work_is_not_heaped_on_one_agent(board: Board) -> None:
    for _ in range(4):
        board.create(assignee="specialty:nobody_has_it")
    whom = [read_call(found["call"])[1]["to"] for found in stuck(board)]
    assert sorted(whom) == ["ada", "ada", "bob", "bob"]
