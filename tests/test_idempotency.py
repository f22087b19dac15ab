"""Keys: the same call under the same key has one effect and one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from swarm_mcp.model.errors import Conflict, Invalid
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from board import Board


def count(board: Board) -> int:
    return sum(board.swarm.read(tasks.tallies).values())


def test_the_same_key_creates_one_task_and_answers_with_it_again(board: Board) -> None:
    assert board.create("A", key="k") == board.create("A", key="k")
    assert count(board) == 1


def test_the_same_key_makes_one_plan_and_answers_with_its_ids_again(board: Board) -> None:
    items = [{"ref": "a", "title": "A"}, {"ref": "b", "title": "B", "depends_on": ["a"]}]
    first, again = board.plan(*items, key="k"), board.plan(*items, key="k")
    assert first.ids == again.ids
    assert "before; nothing new" in again.message
    assert count(board) == 2


def test_without_a_key_every_call_creates(board: Board) -> None:
    board.create("A")
    board.create("A")
    assert count(board) == 2


def test_the_same_key_with_other_arguments_is_a_conflict_that_names_the_first_result(board: Board) -> None:
    task = board.create("A", key="k")
    with pytest.raises(Conflict, match=task) as refusal:
        board.create("B", key="k")
    assert refusal.value.facts["result"] == {"ids": {"task": task}}
    assert count(board) == 1


def test_a_key_belongs_to_its_agent(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    assert board.create("A", key="k") != board.create("A", by="sue", key="k")


def test_a_key_belongs_to_its_operation(board: Board) -> None:
    board.create("A", key="k")
    board.plan({"title": "A"}, key="k")
    assert count(board) == 2


def test_refusals_are_not_kept(board: Board) -> None:
    with pytest.raises(Invalid):
        board.create("", key="k")
    board.create("A", key="k")
    assert count(board) == 1


def test_a_key_is_kept_for_at_least_thirty_days_and_then_forgotten(board: Board) -> None:
    task = board.create("A", key="k")
    board.clock.advance(days=30)
    board.sweep()
    assert board.create("A", key="k") == task
    board.clock.advance(seconds=1)
    board.sweep()
    assert board.create("A", key="k") != task


def test_a_repeated_call_says_how_the_task_stands_now(board: Board) -> None:
    task = board.create("A", key="k")
    board.finish("ada", task)
    board.create("A", key="k")
    assert board.status(task) == "completed"


def test_a_key_survives_a_restart(board: Board) -> None:
    task = board.create("A", key="k")
    board.swarm.close()
    assert board.create("A", key="k") == task


def test_a_key_has_at_most_two_hundred_characters(board: Board) -> None:
    with pytest.raises(Invalid, match="at most 200"):
        board.create("A", key="k" * 201)
