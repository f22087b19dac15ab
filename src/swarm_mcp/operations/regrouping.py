"""Tasks that are there already, placed anew: waiting for less, or under another parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import CycleRefused
from swarm_mcp.model.lifecycle import SETTLED, TaskStatus
from swarm_mcp.model.task import EdgeType
from swarm_mcp.operations import moves
from swarm_mcp.repository import graph, tasks, tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


def drop_edges(
    db: Transaction,
    row: Row,
    dropped: Sequence[tuple[str, str]],
    event: str = "unlinked",
    data: dict[str, Any] | None = None,
) -> Row:
    """Let a task wait for others (their ids, and the types of the edges) no longer."""
    graph.lock_graph(db)
    others = tasks.locked_rows(db, [other for other, _ in dropped])
    fewer = 0
    for other, kind in dropped:
        graph.remove_edge(db, row.id, other, kind)
        fewer += kind == EdgeType.BLOCKS and others[other].status != TaskStatus.COMPLETED
    fresh = tasks.task_row(db, row.id)
    said = {"edges": {"dropped": [f"{kind}:{other}" for other, kind in dropped]}, **(data or {})}
    moves.change(db, fresh, event, {"waits": fresh.waits - fewer}, said)
    return tasks.task_row(db, row.id)


def set_parent(
    db: Transaction, row: Row, parent: Row | None, event: str = "moved", data: dict[str, Any] | None = None
) -> Row:
    """Move a task, with everything below it, under another parent or to the top.

    Raises:
        CycleRefused: the parent is below it, or waits for it.

    """
    graph.lock_graph(db)
    if parent is not None:
        if parent.id == row.id or any(each.id == row.id for each in tree.ancestors(db, parent.id)):
            raise CycleRefused(f"{parent.id} is {row.id} or below it, and cannot be its parent.", task=row.id)
        graph.adopt(db, row.id, parent.id)
        parent = tasks.task_row(db, parent.id)
    gates = parent.gates + int(moves.gating(parent)) if parent is not None else 0
    fresh = tasks.task_row(db, row.id)
    by = gates - fresh.gates
    values = {"parent_id": parent.id if parent is not None else None, "gates": gates, "waits": fresh.waits + by}
    moves.change(db, fresh, event, values, data)
    touched = [row.id, *(tree.shift_gates(db, row.id, by) if by else [])]
    is_open = int(fresh.status not in SETTLED)
    if fresh.parent_id:
        touched.append(tree.shift_subtasks(db, fresh.parent_id, by=-1, by_open=-is_open))
    if parent is not None:
        touched.append(tree.shift_subtasks(db, parent.id, by=1, by_open=is_open))
    moves.turn(db, touched)
    return tasks.task_row(db, row.id)
