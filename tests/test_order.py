"""The topological order that keeps the graph free of cycles, where its numbers run out."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import recount

from swarm_mcp.model.errors import CycleRefused

if TYPE_CHECKING:
    from board import Board


def rank_alike(board: Board, tasks: list[str]) -> None:
    """Give siblings the same ranks, as chance may where there is little room: they do not wait for each other yet."""
    with recount.looking(board.place) as connection:
        listed = ", ".join(f"'{task}'" for task in tasks)
        low, high = connection.execute(f"SELECT min(rank), max(end_rank) FROM task WHERE id IN ({listed})").fetchone()
        connection.execute(f"UPDATE task SET rank = {low}, end_rank = {high} WHERE id IN ({listed})")


def check(board: Board) -> None:
    assert recount.problems(board.place) == []


@pytest.mark.parametrize("seed", range(4))
def test_siblings_of_the_same_rank_find_an_order_when_they_come_to_wait_for_each_other(board: Board, seed: int) -> None:
    chance, parent = random.Random(seed), board.create()
    tasks = [board.create(parent=parent) for _ in range(8)]
    rank_alike(board, tasks)
    check(board)
    refused = 0
    for _ in range(30):
        task, other = chance.sample(tasks, 2)
        try:
            board.update("lead", task, add_depends_on=[other])
        except CycleRefused:
            refused += 1
        check(board)
    assert refused


def test_a_tree_may_be_deeper_than_its_ranks_have_room_for(board: Board) -> None:
    chance, parent = random.Random(0), ""
    for _ in range(9):
        parent = board.create(parent=parent)
        siblings = [board.create(parent=parent) for _ in range(3)]
        board.update("lead", siblings[0], add_depends_on=[siblings[2]])
        check(board)
        parent = chance.choice(siblings)
