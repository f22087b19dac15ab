"""How tasks are named: ids, foreign references, prefixes, and what is ambiguous."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from swarm_mcp import operations
from swarm_mcp.model import ids
from swarm_mcp.model.errors import Ambiguous, NotFound, TaskNotFound
from swarm_mcp.operations import projects
from swarm_mcp.operations.swarm import Swarm
from swarm_mcp.repository import references, tables, tasks, tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from board import Board


def create(board: Board, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Tasks of just these ids."""
    for name in names:
        with monkeypatch.context() as patch:
            patch.setattr(ids, "new_task_id", lambda name=name: name)
            board.create(name)


def refer(board: Board, task: str, foreign: str, source: str = "tm") -> None:
    board.swarm.write(lambda db: references.insert_references(db, source, [(task, foreign, {})]))


def resolved(board: Board, name: str) -> str:
    return board.swarm.read(lambda db: tasks.resolve_task(db, name)).id


def test_an_id_is_eight_letters_and_digits_without_look_alikes(board: Board) -> None:
    for _ in range(200):
        assert re.fullmatch(r"[a-hj-km-np-z2-9]{8}", ids.new_task_id())
    assert re.fullmatch(r"[a-hj-km-np-z2-9]{8}", board.create())


def test_answers_print_all_eight(board: Board) -> None:
    task = board.create()
    board.claim("ada", task[:5])
    assert board.report("ada", task[:4]).task.id == task


@pytest.mark.parametrize("name", ["m2qa7c4d", " M2QA7C4D ", "m2qa", "M2qa7"])
def test_an_id_is_understood_in_any_case_and_by_an_unambiguous_prefix_of_four_or_more(
    board: Board, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    create(board, monkeypatch, "m2qa7c4d", "m2qb7c4d")
    assert resolved(board, name) == "m2qa7c4d"


@pytest.mark.parametrize("name", ["", "m2q", "zzzz", "m2qa7c4dx", "m2qa%", "m2qa_c4d"])
def test_what_fits_nothing_is_not_found(board: Board, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    create(board, monkeypatch, "m2qa7c4d")
    with pytest.raises(TaskNotFound, match=r"list_tasks\(\)"):
        resolved(board, name)


def test_too_short_a_prefix_says_how_long_it_must_be(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    create(board, monkeypatch, "m2qa7c4d")
    with pytest.raises(TaskNotFound, match="at least four"):
        resolved(board, "m2q")


def test_an_ambiguous_prefix_is_refused_with_up_to_five_candidates(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"m2qa777{letter}" for letter in "abcdefg"]
    create(board, monkeypatch, *names)
    with pytest.raises(Ambiguous, match="and more") as refusal:
        resolved(board, "m2qa")
    assert refusal.value.facts["candidates"] == names[:5]
    with pytest.raises(Ambiguous):
        board.claim("ada", "m2qa777")


def test_a_whole_id_is_meant_though_it_begins_like_another(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    create(board, monkeypatch, "m2qa7c4d", "m2qa7c4e")
    assert resolved(board, "m2qa7c4e") == "m2qa7c4e"


def test_a_foreign_reference_names_its_task(board: Board) -> None:
    task = board.create()
    refer(board, task, "TSK-001")
    board.claim("ada", "TSK-001")
    assert board.holder(task) == "ada"
    assert resolved(board, board.create(depends_on=["TSK-001"])) in {each.id for each in board.swarm.read(tops)}


def tops(db: object) -> list[object]:
    return list(tree.top_tasks(db, limit=10))  # type: ignore[arg-type]


def test_an_id_goes_before_a_reference_and_a_reference_before_a_prefix(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(board, monkeypatch, "m2qa7c4d", "kkkk7777", "pppp7777")
    refer(board, "kkkk7777", "m2qa7c4d")
    refer(board, "pppp7777", "m2qa")
    assert resolved(board, "m2qa7c4d") == "m2qa7c4d"
    assert resolved(board, "m2qa") == "pppp7777"
    assert resolved(board, "m2qa7") == "m2qa7c4d"


def test_a_reference_that_several_tasks_have_is_ambiguous(board: Board) -> None:
    first, second = board.create(), board.create()
    refer(board, first, "1", "one board")
    refer(board, second, "1", "another")
    with pytest.raises(Ambiguous) as refusal:
        resolved(board, "1")
    assert sorted(refusal.value.facts["candidates"]) == sorted([first, second])


def test_a_reference_that_one_task_has_from_two_sources_is_not_ambiguous(board: Board) -> None:
    task = board.create()
    refer(board, task, "TSK-001", "one board")
    refer(board, task, "TSK-001", "another")
    assert resolved(board, "TSK-001") == task


def test_names_resolve_inside_the_project_alone(board: Board) -> None:
    board.swarm.write(lambda db: db.execute(insert(tables.project).values(slug="other", created_at=db.now)) and None)
    task = board.create()
    refer(board, task, "TSK-001")
    other = Swarm(board.swarm.database, "other")
    for name in (task, task[:4], "TSK-001"):
        with pytest.raises(TaskNotFound):
            other.read(lambda db, name=name: tasks.resolve_task(db, name))
    assert other.read(operations.list_tasks).total == 0
    with other.writing(agent="ada") as db:
        assert operations.claim_task(db).task is None


def test_a_project_that_was_never_created_is_not_found(board: Board) -> None:
    with pytest.raises(NotFound, match="project create nowhere"):
        Swarm(board.swarm.database, "nowhere").read(operations.list_tasks)


def test_a_reference_is_meant_exactly_as_it_was_written_there(board: Board) -> None:
    task = board.create()
    refer(board, task, "TSK-001")
    assert resolved(board, " TSK-001 ") == task
    for name in ("tsk-001", "TSK-0", "TSK-0011", "TSK"):
        with pytest.raises(TaskNotFound):
            resolved(board, name)


def test_of_many_tasks_with_the_same_reference_five_are_named(board: Board) -> None:
    for n in range(7):
        refer(board, board.create(), "7", f"board {n}")
    with pytest.raises(Ambiguous, match="and more") as refusal:
        resolved(board, "7")
    assert len(refusal.value.facts["candidates"]) == 5


def test_finished_and_archived_tasks_keep_their_names(board: Board) -> None:
    task = board.task_in("completed")
    refer(board, task, "TSK-001")
    board.update("lead", task, action="archive")
    assert {resolved(board, name) for name in (task, task[:5], "TSK-001")} == {task}


# --- wherever a task is named -----------------------------------------------------------------------------------------

NAMING: dict[str, Callable[[Board, str], object]] = {
    "claim": lambda board, name: board.claim("ada", name),
    "claim under": lambda board, name: board.claim("ada", under=name),
    "look": lambda board, name: board.brief("ada", name),
    "list under": lambda board, name: board.swarm.read(lambda db: operations.list_tasks(db, under=name)),
    "overview under": lambda board, name: board.swarm.read(lambda db: operations.get_overview(db, under=name)),
    "report": lambda board, name: board.report("ada", name),
    "complete": lambda board, name: board.complete("ada", name),
    "share": lambda board, name: board.call("ada", operations.share_context, task=name, key="a", value=1),
    "note": lambda board, name: board.call("ada", operations.add_note, task=name, text="Mine."),
    "message": lambda board, name: board.send("ada", to="lead", task=name),
    "create under": lambda board, name: board.create(parent=name),
    "create waiting": lambda board, name: board.create(depends_on=[name]),
    "plan under": lambda board, name: board.plan({"title": "A"}, parent=name),
    "item under": lambda board, name: board.plan({"title": "A", "parent": name}),
    "item related": lambda board, name: board.plan({"title": "A", "depends_on": [f"related:{name}"]}),
    "edit": lambda board, name: board.update("lead", name, title="Other words"),
    "move under": lambda board, name: board.update("lead", board.create(), parent=name),
    "wait for": lambda board, name: board.update("lead", board.create(), add_depends_on=[name]),
    "delegate": lambda board, name: board.delegate("lead", name, "ada"),
    "delegate waiting": lambda board, name: board.delegate("lead", board.create(), "ada", depends_on=[name]),
    "review": lambda board, name: board.review("lead", name, quality=5),
}


@pytest.mark.parametrize("how", NAMING.values(), ids=NAMING)
def test_another_projects_tasks_are_found_by_nothing_that_names_a_task(
    board: Board, how: Callable[[Board, str], object]
) -> None:
    board.swarm.write(lambda db: projects.create_project(db, "other"))
    other = Swarm(board.swarm.database, "other")
    made = other.write(lambda db: operations.create_task(db, title="Elsewhere"), agent="lead")
    assert made.task is not None
    task = made.task.id
    other.write(lambda db: references.insert_references(db, "tm", [(task, "TSK-001", {})]))
    for name in (task, task[:6], "TSK-001"):
        with pytest.raises(TaskNotFound):
            how(board, name)


@pytest.mark.parametrize("how", NAMING.values(), ids=NAMING)
def test_an_ambiguous_name_is_refused_wherever_a_task_is_named(
    board: Board, how: Callable[[Board, str], object]
) -> None:
    for source in ("one board", "another"):
        refer(board, board.create(), "TSK-001", source)
    with pytest.raises(Ambiguous):
        how(board, "TSK-001")
