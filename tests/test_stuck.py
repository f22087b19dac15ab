"""What does not move is named with the call that frees it, and the call does free it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from swarm_mcp import operations

if TYPE_CHECKING:
    from board import Board


def stuck(board: Board, **said: Any) -> list[dict[str, Any]]:
    found = board.swarm.read(lambda db: operations.get_overview(db, view="stuck", **said), agent="lead")
    return (found.model_extra or {})["items"]


def the_one(board: Board) -> dict[str, Any]:
    (only,) = stuck(board)
    return only


def follow(board: Board, call: str, **instead: Any) -> None:
    """Make the call that an answer prints, as the director."""
    name, words = re.fullmatch(r"(\w+)\((.*)\)", call).groups()  # type: ignore[union-attr]
    said = dict(re.findall(r'(\w+)="([^"]*)"', words))
    lists = {key: re.findall(r'"([^"]+)"', value) for key, value in re.findall(r"(\w+)=\[([^]]*)\]", words)}
    board.call("lead", getattr(operations, name), **{**said, **lists, **instead})


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
    follow(board, found["call"], to="bob")
    assert (board.assignee(task), stuck(board)) == ("bob", [])


def test_a_ready_task_in_a_pool_without_anybody_is_stuck(board: Board) -> None:
    board.team("empty")
    board.create(assignee="team:empty")
    board.create(assignee="specialty:nobody_has_it")
    assert sorted(found["why"] for found in stuck(board)) == [
        "ready, but its team has no members",
        "ready, but nobody has the specialty nobody_has_it",
    ]


def test_what_blocks_most_comes_first_and_a_subtree_can_be_asked_for_alone(board: Board) -> None:
    small, large = board.create(), board.create()
    for _ in range(3):
        board.create(depends_on=[large])
    for task in (small, large):
        board.update("lead", task, action="hold", reason="Later.")
    assert [found["task"] for found in stuck(board)] == [large, small]
    assert [found["task"] for found in stuck(board, under=small)] == [small]
