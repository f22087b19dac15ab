"""What no tool changes about a task, and what lists leave out: on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import operations
from swarm_mcp.model.errors import Conflict, Invalid, NotAllowed
from swarm_mcp.operations import browsing, drawing

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.model.task import TaskList
    from swarm_mcp.repository.database import Transaction

NOTHING = {
    "status": [], "assignee": "", "under": "", "ready": False, "overdue": False, "priority": "", "tag": "", "area": "",
    "text": "",
}  # fmt: skip


def test_other_fields_are_changed_emptied_recorded_and_taken_back(board: Board) -> None:
    task = board.create("A task", area="web", phase=1, touches=["a"])
    said = {"phase": 2, "complexity": "Very High", "task_type": "bug", "source": "plan.md", "touches": ["b", "b", "c"]}
    answer = board.call("lead", operations.describe_task, task=task, clear=["area"], needs_review=True, **said)
    assert answer.message == (
        f"{task} changed area, complexity, needs_review, phase, source, task_type, touches; it is pending."
    )
    row = board.row(task)
    assert [row.area, row.phase, row.complexity, row.task_type, row.source, row.touches, row.needs_review] == [
        "", 2, "very_high", "bug", "plan.md", ["b", "c"], True
    ]  # fmt: skip
    assert (board.kinds(task)[-1], row.version, answer.task.version) == ("edited", 2, 2)
    board.call("lead", operations.undo, event=board.events(task)[-1].seq)
    row = board.row(task)
    assert [row.area, row.phase, row.complexity, row.touches, row.needs_review] == ["web", 1, "", ["a"], False]


def test_who_may_not_and_what_cannot_be_is_refused(board: Board) -> None:
    task = board.create("A task", needs_review=True)
    board.claim("ada", task)
    before = board.row(task).version
    with pytest.raises(NotAllowed, match="ada may not edit"):
        board.call("ada", operations.describe_task, task=task, area="x")
    board.register("lead", "kim", role="supervisor")
    own = board.create("Its own", by="kim", needs_review=True)
    board.claim("kim", own)
    with pytest.raises(NotAllowed, match=r"kim worked on .* and cannot waive its review"):
        board.call("kim", operations.describe_task, task=own, needs_review=False)
    for refused, said in (
        (Conflict, {"area": "x", "version": before - 1}), (Invalid, {}), (Invalid, {"clear": ["title"]}),
        (Invalid, {"phase": 11}), (Invalid, {"complexity": "hard"}), (Invalid, {"area": "x", "clear": ["area"]}),
    ):  # fmt: skip
        with pytest.raises(refused):
            board.call("lead", operations.describe_task, task=task, **said)
    assert board.row(task).version == before


def test_archived_tasks_are_listed_and_drawn_only_when_asked_for(board: Board) -> None:
    top, other = board.create("Top"), board.create("Other")
    part = board.create("Part", parent=top, depends_on=[other, f"related:{top}"])
    gone = board.create("Gone", parent=top, depends_on=[f"related:{part}"])
    board.finish("ada", gone)
    board.update("lead", gone, action="archive")

    def listed(**said: Any) -> set[str]:
        def page(db: Transaction) -> TaskList:
            wanted = browsing.read_filter(db, **{**NOTHING, **said})
            return browsing.page_of(db, wanted, sort="created", limit=10, cursor="")

        return {each.id for each in board.swarm.read(page).tasks}

    assert (listed(), listed(archived=True)) == ({top, other, part}, {gone})
    assert (listed(archived=True, under=top), listed(archived=True, text="gone")) == ({gone}, {gone})
    assert listed(archived=True, status=["pending"]) == set()
    tree = board.swarm.read(drawing.tree)
    assert {(each.id, each.depth) for each in tree.nodes} == {(top, 0), (part, 1), (other, 0)}
    assert not tree.is_cut
    assert board.swarm.read(lambda db: drawing.tree(db, limit=2)).message == "The first 2 tasks."
    graph = board.swarm.read(lambda db: drawing.graph(db, under=top))
    assert {(each.task, each.type, each.depends_on, each.depends_on_status) for each in graph.edges} == {
        (part, "blocks", other, "pending"), (part, "related", top, "blocked")
    }  # fmt: skip
