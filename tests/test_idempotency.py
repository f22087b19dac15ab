"""Keys: a creation that is repeated under its key answers with what the first one made, and makes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import operations
from swarm_mcp.model.errors import Conflict, Invalid, NotFound, Refusal
from swarm_mcp.operations import projects
from swarm_mcp.operations.swarm import Swarm

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.model.task import Planned, Written

GRAPH: list[dict[str, Any]] = [
    {"ref": "api", "title": "Build the API", "criteria": ["it answers"], "touches": ["src/api"]},
    {"ref": "tests", "title": "Test it", "depends_on": ["api"], "checks": ["failed == 0"], "priority": "high"},
    {"ref": "part", "title": "A part", "parent": "api", "assignee": "ada", "deadline": "2026-03-01"},
]


def count(board: Board) -> int:
    """How many tasks there are."""
    return board.swarm.read(lambda db: operations.list_tasks(db).total)


def create(board: Board, *, by: str = "lead", **said: Any) -> Written:
    return board.call(by, operations.create_task, **{"title": "A task", **said})


def made(written: Written | Planned) -> str:
    """The id that an answer to create_task names."""
    assert not hasattr(written, "ids")
    assert written.task is not None
    return written.task.id


# --- repeating ---------------------------------------------------------------------------------------------------------


def test_a_task_created_again_under_its_key_is_the_first_one(board: Board) -> None:
    first, again = create(board, key="k"), create(board, key="k")
    assert made(again) == made(first)
    assert "created under this key before" in again.message
    assert count(board) == 1


def test_a_plan_created_again_under_its_key_answers_the_ids_of_the_first(board: Board) -> None:
    first, again = board.plan(*GRAPH, key="k"), board.plan(*GRAPH, key="k")
    assert again.ids == first.ids
    assert set(again.ids) == {"api", "tests", "part"}
    assert "created under this key before" in again.message
    assert count(board) == 3


def test_a_repetition_leaves_no_trace_in_the_ledger_nor_in_an_inbox(board: Board) -> None:
    task = made(create(board, key="k", assignee="ada"))
    board.inbox("ada")
    kinds = board.kinds(task)
    create(board, key="k", assignee="ada")
    assert board.kinds(task) == kinds
    assert board.inbox("ada") == []


def test_a_repetition_answers_the_task_as_it_is_now(board: Board) -> None:
    task = made(create(board, key="k"))
    board.finish("ada", task)
    again = create(board, key="k")
    assert again.task is not None
    assert (again.task.id, again.task.status) == (task, "completed")
    assert again.task.version == board.row(task).version


def test_a_repetition_is_answered_though_the_same_would_be_refused_by_now(board: Board) -> None:
    parent = board.create()
    part = made(create(board, key="k", parent=parent))
    board.finish("ada", part)
    board.finish("ada", parent)
    assert made(create(board, key="k", parent=parent)) == part


def test_splitting_a_held_task_again_under_its_key_splits_it_once(board: Board) -> None:
    task = board.task_in("in_progress")
    first = board.plan({"title": "One"}, {"title": "Two"}, by="ada", parent=task, key="k")
    again = board.plan({"title": "One"}, {"title": "Two"}, by="ada", parent=task, key="k")
    assert again.ids == first.ids
    assert board.row(task).subtasks == 2
    assert board.executions(task) == ["waiting"]


def test_without_a_key_every_call_creates(board: Board) -> None:
    assert made(create(board)) != made(create(board))
    assert board.plan(*GRAPH).ids != board.plan(*GRAPH).ids


def test_what_was_left_out_and_what_was_said_to_be_the_default_are_the_same(board: Board) -> None:
    task = made(create(board, key="k"))
    assert made(create(board, key="k", priority="medium", tags=[], phase=0, description="")) == task
    first = board.plan({"title": "One"}, key="k")
    assert board.plan({"title": "One", "depends_on": [], "priority": "medium"}, key="k").ids == first.ids


def test_a_single_value_and_a_list_of_it_are_the_same(board: Board) -> None:
    first = board.plan({"title": "One", "tags": "api"}, key="k")
    assert board.plan({"title": "One", "tags": ["api"]}, key="k").ids == first.ids


# --- whose key ---------------------------------------------------------------------------------------------------------


def test_agents_have_keys_of_their_own(board: Board) -> None:
    parent = board.create()
    mine, operators = create(board, key="k", parent=parent), create(board, by="", key="k", parent=parent)
    board.claim("ada", parent)
    adas = create(board, by="ada", key="k", parent=parent)
    assert len({made(mine), made(operators), made(adas)}) == 3


def test_an_agent_is_the_same_however_its_name_is_written(board: Board) -> None:
    task = made(create(board, by="lead", key="k"))
    assert made(create(board, by="LEAD", key="k")) == task


def test_operations_have_keys_of_their_own(board: Board) -> None:
    task = made(create(board, title="One", key="k"))
    assert board.plan({"title": "One"}, key="k").ids["#1"] != task


def test_projects_have_keys_of_their_own(board: Board) -> None:
    task = made(create(board, key="k"))
    board.swarm.write(lambda db: projects.create_project(db, "other"))
    other = Swarm(board.swarm.database, "other")
    written = other.write(lambda db: operations.create_task(db, title="A task", key="k"), agent="lead")
    assert written.task is not None
    assert written.task.id != task


# --- other arguments ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [{"title": "Another"}, {"description": "More."}, {"priority": "high"}, {"assignee": "ada"}, {"needs_review": True}],
    ids=lambda said: next(iter(said)),
)
def test_the_same_key_with_other_arguments_is_a_conflict_that_names_the_first_result(
    board: Board, said: dict[str, Any]
) -> None:
    task = made(create(board, key="k"))
    with pytest.raises(Conflict, match=f"made {task}") as refusal:
        create(board, key="k", **said)
    assert refusal.value.facts["result"] == {"ids": {"task": task}}
    assert count(board) == 1


def test_a_plan_with_other_items_is_a_conflict_that_names_the_first_ids(board: Board) -> None:
    first = board.plan(*GRAPH, key="k").ids
    for other in (GRAPH[:2], [*GRAPH, {"title": "More"}], [{**GRAPH[0], "area": "backend"}, *GRAPH[1:]]):
        with pytest.raises(Conflict, match=first["api"]) as refusal:
            board.plan(*other, key="k")
        assert refusal.value.facts["result"] == {"ids": first}


def test_a_plan_under_another_parent_is_a_conflict(board: Board) -> None:
    board.plan(*GRAPH, key="k")
    with pytest.raises(Conflict):
        board.plan(*GRAPH, parent=board.create(), key="k")


def test_the_conflict_of_a_large_plan_names_its_first_ids_alone(board: Board) -> None:
    items = [{"title": f"Task {n}"} for n in range(40)]
    board.plan(*items, key="k")
    with pytest.raises(Conflict) as refusal:
        board.plan(*items[:-1], key="k")
    assert len(str(refusal.value.facts)) < 1000


# --- what is kept ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [{"title": " "}, {"parent": "zzzz2345"}, {"depends_on": ["zzzz2345"]}, {"checks": ["1 +"]}], ids=str
)
def test_refusals_are_not_kept(board: Board, said: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        create(board, key="k", **said)
    assert made(create(board, key="k", title="Mended"))


def test_a_refused_plan_is_not_kept(board: Board) -> None:
    with pytest.raises(NotFound):
        board.plan(*GRAPH, {"title": "Last", "depends_on": ["nothing"]}, key="k")
    assert board.plan(*GRAPH, key="k").ids
    assert count(board) == 3


def test_a_key_is_kept_in_the_transaction_of_its_success(board: Board) -> None:
    with pytest.raises(Invalid), board.swarm.writing(agent="lead") as db:
        operations.create_task(db, title="A task", key="k")
        operations.create_task(db, title="")
    assert count(board) == 0
    create(board, title="Another", key="k")


def test_a_key_is_kept_for_thirty_days(board: Board) -> None:
    task = made(create(board, key="k"))
    board.clock.advance(days=30)
    board.sweep()
    assert made(create(board, key="k")) == task


def test_an_older_key_is_forgotten(board: Board) -> None:
    task = made(create(board, key="k"))
    board.clock.advance(days=30, seconds=1)
    board.sweep()
    assert made(create(board, key="k")) != task


def test_a_key_is_any_text_of_up_to_200_characters(board: Board) -> None:
    for key in ("ключ 🔑", "k" * 200):
        assert made(create(board, key=key)) == made(create(board, key=key))
    with pytest.raises(Invalid, match="200"):
        create(board, key="k" * 201)
