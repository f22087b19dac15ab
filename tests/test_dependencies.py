"""Dependencies: how they are written, that they close no cycle, and what becomes of those who wait."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from swarm_mcp.model.errors import CycleRefused, Invalid, Refusal
from swarm_mcp.model.task import EdgeType
from swarm_mcp.repository import graph

if TYPE_CHECKING:
    from board import Board


def edges(board: Board, task: str) -> set[tuple[str, str]]:
    return {(each.type, each.depends_on_id) for each in board.swarm.read(lambda db: graph.edges_of(db, task))}


def test_a_plain_id_is_a_blocking_dependency(board: Board) -> None:
    other = board.create()
    assert edges(board, board.create(depends_on=[other])) == {("blocks", other)}


@pytest.mark.parametrize("kind", [kind for kind in EdgeType if kind != "blocks"])
def test_the_softer_relations_do_not_gate(board: Board, kind: str) -> None:
    other = board.create()
    task = board.create(depends_on=[f"{kind}:{other}"])
    assert edges(board, task) == {(kind, other)}
    assert board.status(task) == "pending"


def test_an_unknown_kind_of_edge_is_read_as_a_name_and_not_found(board: Board) -> None:
    with pytest.raises(Refusal) as refusal:
        board.create(depends_on=[f"needs:{board.create()}"])
    assert refusal.value.code == "not_found"


def test_replies_state_an_edge_as_a_sentence(board: Board) -> None:
    other, task = board.create(), board.create()
    said = board.update("lead", task, add_depends_on=[other, f"enables:{other}"]).message
    assert f"{task} waits for {other}" in said
    assert f"{other} enables {task}" in said


def test_an_edge_is_unique_for_each_pair_and_kind(board: Board) -> None:
    other, task = board.create(), board.create()
    board.update("lead", task, add_depends_on=[other, other, f"related:{other}"])
    version = board.row(task).version
    board.update("lead", task, add_depends_on=[other])
    assert edges(board, task) == {("blocks", other), ("related", other)}
    assert (board.row(task).waits, board.row(task).version) == (1, version)


@pytest.mark.parametrize("kind", ["", "related:"])
def test_a_task_cannot_wait_for_itself(board: Board, kind: str) -> None:
    task = board.create()
    with pytest.raises(CycleRefused):
        board.update("lead", task, add_depends_on=[kind + task])


def test_a_cycle_is_refused_and_the_refusal_shows_its_path(board: Board) -> None:
    first = board.create()
    second = board.create(depends_on=[first])
    third = board.create(depends_on=[second])
    with pytest.raises(CycleRefused, match=f"{first} → {second} → {third} → {first}"):
        board.update("lead", first, add_depends_on=[third])
    assert edges(board, first) == set()


def test_softer_relations_may_go_round_in_circles(board: Board) -> None:
    first = board.create()
    second = board.create(depends_on=[f"related:{first}"])
    board.update("lead", first, add_depends_on=[f"related:{second}"])
    assert edges(board, first) == {("related", second)}


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("distance", [1, 2])
def test_an_edge_between_ancestor_and_descendant_is_refused(board: Board, distance: int, *, up: bool) -> None:
    ancestor = lower = board.create()
    for _ in range(distance):
        lower = board.create(parent=lower)
    task, other = (ancestor, lower) if up else (lower, ancestor)
    with pytest.raises(CycleRefused):
        board.update("lead", task, add_depends_on=[other])


def test_a_new_task_cannot_wait_for_the_parent_under_which_it_is_created(board: Board) -> None:
    parent = board.create()
    with pytest.raises(CycleRefused):
        board.create(parent=parent, depends_on=[parent])


def test_a_cycle_over_starts_and_finishes_is_refused(board: Board) -> None:
    """A subtask starts after its parent's gates: what its parent waits for cannot wait for the subtask."""
    parent = board.create()
    part, other = board.create(parent=parent), board.create()
    board.update("lead", parent, add_depends_on=[other])
    with pytest.raises(CycleRefused):
        board.update("lead", other, add_depends_on=[part])


def test_a_task_cannot_be_moved_below_what_waits_for_it(board: Board) -> None:
    task = board.create()
    waiter = board.create(depends_on=[task])
    with pytest.raises(CycleRefused):
        board.update("lead", task, parent=waiter)


def test_a_task_cannot_be_moved_below_itself(board: Board) -> None:
    task = board.create()
    part = board.create(parent=task)
    with pytest.raises(CycleRefused):
        board.update("lead", task, parent=part)


def test_a_sibling_may_wait_for_a_sibling_and_for_something_inside_it(board: Board) -> None:
    parent = board.create()
    first, second = board.create(parent=parent), board.create(parent=parent)
    inner = board.create(parent=first)
    board.update("lead", second, add_depends_on=[first, inner])
    assert board.row(second).waits == 2


def test_no_sequence_of_edges_and_moves_closes_a_cycle(board: Board) -> None:
    """Against a plain search over starts and finishes, which accepts and refuses the same."""
    chance = random.Random(20260101)
    tasks = [board.create(str(n)) for n in range(9)]
    parents: dict[str, str] = {}
    waits: set[tuple[str, str]] = set()
    for _ in range(70):
        task, other = chance.sample(tasks, 2)
        move = chance.random() < 0.3
        wanted = (waits, {**parents, task: other}) if move else (waits | {(task, other)}, parents)
        change = {"parent": other} if move else {"add_depends_on": [other]}
        try:
            board.update("lead", task, **change)
        except CycleRefused:
            assert is_cyclic(*wanted)
        else:
            assert not is_cyclic(*wanted)
            waits, parents = wanted


def test_however_deep_a_tree_is_there_is_room_for_what_waits_inside_it(board: Board) -> None:
    """The order of starts and finishes, which the board's fixture recounts, has to be mended on the way."""
    first, parent = board.create(), board.create()
    for _ in range(12):
        inner = board.create(parent=parent, depends_on=[first])
        first = board.create(parent=parent, depends_on=[f"related:{inner}"])
        board.update("lead", inner, add_depends_on=[first])
        parent = inner
    with pytest.raises(CycleRefused):
        board.update("lead", first, add_depends_on=[parent])


def is_cyclic(waits: set[tuple[str, str]], parents: dict[str, str]) -> bool:
    """Whether some start or finish comes before itself; parents that go round in circles do too."""
    after: dict[str, set[str]] = {}
    for task in {*parents, *parents.values(), *(each for pair in waits for each in pair)}:
        after.setdefault(f"start {task}", set()).add(f"finish {task}")
    for task, other in waits:
        after.setdefault(f"finish {other}", set()).add(f"start {task}")
    for child, parent in parents.items():
        after.setdefault(f"start {parent}", set()).add(f"start {child}")
        after.setdefault(f"finish {child}", set()).add(f"finish {parent}")
    reached = {node: set(steps) for node, steps in after.items()}
    for middle in list(reached):
        for steps in reached.values():
            if middle in steps:
                steps.update(reached[middle])
    return any(node in steps for node, steps in reached.items())


def test_dropping_an_edge_that_there_is_not_is_refused(board: Board) -> None:
    with pytest.raises(Invalid, match="no edge"):
        board.update("lead", board.create(), drop_depends_on=[board.create()])


def test_an_edge_is_dropped_by_its_kind(board: Board) -> None:
    other = board.create()
    task = board.create(depends_on=[other, f"related:{other}"])
    board.update("lead", task, drop_depends_on=[f"related:{other}"])
    assert edges(board, task) == {("blocks", other)}


@pytest.mark.parametrize("status", ["failed", "partial", "cancelled"])
def test_what_failed_is_partial_or_was_cancelled_leaves_its_dependents_blocked(board: Board, status: str) -> None:
    other = board.create(assignee="ada")
    task = board.create(depends_on=[other])
    if status == "cancelled":
        board.update("lead", other, action="cancel")
    else:
        board.finish("ada", other, outcome=status)
    assert board.status(task) == "blocked"


@pytest.mark.parametrize("status", ["failed", "partial", "cancelled"])
def test_the_owners_of_dependents_hear_of_work_that_failed_is_partial_or_was_cancelled(
    board: Board, status: str
) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    other = board.create(assignee="ada")
    board.create(by="sue", depends_on=[other], assignee="sue")
    if status == "cancelled":
        board.update("lead", other, action="cancel")
    else:
        board.finish("ada", other, outcome=status)
    assert status in board.news("sue")


@pytest.mark.parametrize("status", ["failed", "partial", "cancelled"])
def test_creator_and_delegator_hear_of_work_that_failed_is_partial_or_was_cancelled(board: Board, status: str) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    board.enlist("ada", below="sue")
    task = board.create(assignee="sue")
    board.delegate("sue", task, "ada")
    if status == "cancelled":
        board.update("", task, action="cancel")
    else:
        board.finish("ada", task, outcome=status)
    assert status in board.news("lead")
    assert status in board.news("sue")
