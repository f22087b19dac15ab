"""Keys: the same call under the same key has one effect and one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import operations
from swarm_mcp.model.errors import Conflict, Invalid, NotFound
from swarm_mcp.operations import projects
from swarm_mcp.operations.swarm import Swarm
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


# --- what is the same -------------------------------------------------------------------------------------------------

GRAPH: list[dict[str, Any]] = [
    {"ref": "api", "title": "Build the API", "criteria": ["it answers"], "touches": ["src/api"]},
    {"ref": "tests", "title": "Test it", "depends_on": ["api"], "checks": ["failed == 0"], "priority": "high"},
    {"ref": "part", "title": "A part", "parent": "api", "assignee": "ada", "deadline": "2026-03-01"},
]


@pytest.mark.parametrize(
    "said",
    [{"title": "B"}, {"description": "More."}, {"priority": "high"}, {"assignee": "ada"}, {"needs_review": True}],
    ids=lambda said: next(iter(said)),
)
def test_whatever_else_is_said_of_a_task_makes_it_another_call(board: Board, said: dict[str, Any]) -> None:
    board.create("A", key="k")
    with pytest.raises(Conflict):
        board.create(**{"title": "A", "key": "k", **said})


def test_a_plan_with_other_items_or_below_another_parent_is_another_call(board: Board) -> None:
    first = board.plan(*GRAPH, key="k").ids
    for items in (GRAPH[:2], [*GRAPH, {"title": "More"}], [{**GRAPH[0], "area": "backend"}, *GRAPH[1:]]):
        with pytest.raises(Conflict) as refusal:
            board.plan(*items, key="k")
        assert refusal.value.facts["result"] == {"ids": first}
    with pytest.raises(Conflict):
        board.plan(*GRAPH, parent=board.create(), key="k")


def test_the_conflict_of_a_large_plan_names_its_first_ids_alone(board: Board) -> None:
    items = [{"title": f"Task {n}"} for n in range(40)]
    board.plan(*items, key="k")
    with pytest.raises(Conflict) as refusal:
        board.plan(*items[:-1], key="k")
    assert len(str(refusal.value.facts)) < 1000


def test_what_was_left_out_and_what_was_said_to_be_the_default_are_the_same_call(board: Board) -> None:
    assert board.create("A", key="k") == board.create("A", key="k", priority="medium", tags=[], phase=0)
    first = board.plan({"title": "A", "tags": "api"}, key="k")
    assert board.plan({"title": "A", "tags": ["api"], "depends_on": [], "priority": "medium"}, key="k").ids == first.ids


def test_an_agent_is_the_same_however_its_name_is_written(board: Board) -> None:
    assert board.create("A", key="k") == board.create("A", by="LEAD", key="k")
    assert board.create("A", by="", key="k") == board.create("A", by="", key="k")


def test_a_key_belongs_to_its_project(board: Board) -> None:
    task = board.create("A", key="k")
    board.swarm.write(lambda db: projects.create_project(db, "other"))
    other = Swarm(board.swarm.database, "other")
    written = other.write(lambda db: operations.create_task(db, title="A", key="k"), agent="lead")
    assert written.task is not None
    assert written.task.id != task


# --- what a repetition does -------------------------------------------------------------------------------------------


def test_a_repetition_leaves_no_trace_in_the_ledger_nor_in_an_inbox(board: Board) -> None:
    task = board.create("A", key="k", assignee="ada")
    board.inbox("ada")
    kinds = board.kinds(task)
    board.create("A", key="k", assignee="ada")
    assert board.kinds(task) == kinds
    assert board.inbox("ada") == []


def test_a_repetition_is_answered_though_the_same_would_be_refused_by_now(board: Board) -> None:
    parent = board.create()
    part = board.create("A", key="k", parent=parent)
    board.finish("ada", part)
    board.finish("ada", parent)
    assert board.create("A", key="k", parent=parent) == part


def test_splitting_a_held_task_again_under_its_key_splits_it_once(board: Board) -> None:
    task = board.task_in("in_progress")
    first = board.plan({"title": "One"}, {"title": "Two"}, by="ada", parent=task, key="k")
    assert board.plan({"title": "One"}, {"title": "Two"}, by="ada", parent=task, key="k").ids == first.ids
    assert (board.row(task).subtasks, board.executions(task)) == (2, ["waiting"])


def test_a_refused_plan_keeps_neither_its_key_nor_any_of_its_tasks(board: Board) -> None:
    with pytest.raises(NotFound):
        board.plan(*GRAPH, {"title": "Last", "depends_on": ["nothing"]}, key="k")
    board.plan(*GRAPH, key="k")
    assert count(board) == 3


def test_a_key_is_kept_in_the_transaction_of_its_success(board: Board) -> None:
    with pytest.raises(Invalid), board.swarm.writing(agent="lead") as db:
        operations.create_task(db, title="A", key="k")
        operations.create_task(db, title="")
    assert count(board) == 0
    board.create("B", key="k")
