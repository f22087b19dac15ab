"""The brief: what to do, when it is done, and what to call next, within a budget of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp import operations

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.model.task import Brief


def read(board: Board, task: str, **said: int) -> Brief:
    return board.swarm.read(lambda db: operations.get_task(db, task=task, **said), agent="ada")  # type: ignore[return-value]


def test_a_long_description_does_not_push_the_criteria_out_of_a_brief(board: Board) -> None:
    task = board.create(description="Think of everything. " * 2000, criteria=["it is thought of", "all of it"])
    brief = read(board, task)
    assert [view.text for view in brief.criteria] == ["it is thought of", "all of it"]
    assert brief.description.endswith("…")
    assert any(call.startswith("description: get_task(") for call in brief.left_out)


def test_a_brief_that_fits_is_whole(board: Board) -> None:
    task = board.create(description="Think of everything.", criteria=["it is thought of"])
    brief = read(board, task)
    assert (brief.description, brief.left_out) == ("Think of everything.", [])


def test_tasks_of_one_plan_keep_its_order_among_equals(board: Board) -> None:
    planned = board.plan(*({"title": f"Step {n}"} for n in range(12)))
    assert [board.claimed("ada") for _ in range(12)] == list(planned.ids.values())
