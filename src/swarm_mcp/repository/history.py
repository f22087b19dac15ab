"""Tasks with all that the ledger has of them, some hundred at a time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task, event, edge = tables.task, tables.event, tables.dependency


def _beginning() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in task.c:
        if column.default is not None:
            given: Any = column.default.arg  # type: ignore[attr-defined]
            found[column.name] = given(None) if callable(given) else given
    return found


BEGINNING = _beginning()
"""What a column begins with that the event of creation does not name; all others begin with nothing."""
TASKS = Statement(select(task).where(task.c.id > bindparam("after")).order_by(task.c.id).limit(bindparam("limit")))
EVENTS = ListStatement(
    lambda wanted: (
        select(event.c.task_id, event.c.kind, event.c.data).where(event.c.task_id.in_(wanted)).order_by(event.c.seq)
    )
)
EDGES = ListStatement(
    lambda wanted: select(edge.c.task_id, edge.c.type, edge.c.depends_on_id).where(edge.c.task_id.in_(wanted))
)


def tasks_after(db: Transaction, last: str, limit: int) -> Sequence[Row]:
    """The next tasks of all projects, in the order of their ids."""
    return TASKS.all(db, {"after": last, "limit": limit})


def events_of(db: Transaction, task_ids: Sequence[str]) -> dict[str, list[Row]]:
    """The events (kind, data) of each of these tasks, oldest first."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in EVENTS.all(db, task_ids):
        found[row.task_id].append(row)
    return found


def edges_of(db: Transaction, task_ids: Sequence[str]) -> dict[str, set[str]]:
    """The edges of each of these tasks as `type:task`."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in EDGES.all(db, task_ids):
        found[row.task_id].add(f"{row.type}:{row.depends_on_id}")
    return found
