"""The tree of tasks: children, ancestors, everything below, and what is counted along it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, literal, select, text, update

from swarm_mcp.repository import tables
from swarm_mcp.repository.lines import LINE, line_of, line_rows
from swarm_mcp.repository.statement import Statement, among
from swarm_mcp.repository.tasks import HERE, SLIM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task

CHILDREN = Statement(
    select(*SLIM)
    .where(task.c.parent_id == bindparam("parent"))
    .order_by(task.c.created_at, task.c.rank)
    .limit(bindparam("limit"))
)
TOP_TASKS = Statement(
    select(*SLIM)
    .where(HERE, task.c.parent_id.is_(None), text("task.archived_at IS NULL"))
    .order_by(task.c.finished, task.c.created_at, task.c.rank)
    .limit(bindparam("limit"))
)
_above = (
    select(task.c.id, task.c.parent_id, literal(0).label("height"))
    .where(task.c.id == bindparam("id"))
    .cte("above", recursive=True)
)
_above = _above.union_all(
    select(task.c.id, task.c.parent_id, _above.c.height + 1).join(_above, task.c.id == _above.c.parent_id)
)
ANCESTORS = Statement(
    select(*SLIM).join(_above, task.c.id == _above.c.id).where(_above.c.height > 0).order_by(_above.c.height)
)
UPWARD = Statement(select(*LINE).join(_above, task.c.id == _above.c.id).order_by(_above.c.height))

_below = select(task.c.id).where(task.c.parent_id == bindparam("root")).cte("below", recursive=True)
_below = _below.union_all(select(task.c.id).join(_below, task.c.parent_id == _below.c.id))
BELOW = select(_below.c.id)
"""The ids of everything below the task `root`."""
DESCENDANT_IDS = Statement(BELOW)
SHIFT_GATES = Statement(
    update(task)
    .where(task.c.id.in_(select(_below.c.id)))
    .values(gates=task.c.gates + bindparam("by"), waits=task.c.waits + bindparam("by"))
)
DESCENDANTS = Statement(select(task).where(task.c.id.in_(select(_below.c.id))))
DESCENDANTS_AT_TURN = Statement(
    select(task.c.id).where(task.c.id.in_(select(_below.c.id)), among(task.c.status, "pending", "blocked"))
)
SHIFT_SUBTASKS = Statement(
    update(task)
    .where(task.c.id == bindparam("key_id"))
    .values(subtasks=task.c.subtasks + bindparam("by"), open_subtasks=task.c.open_subtasks + bindparam("by_open"))
)


def children(db: Transaction, parent: str, *, limit: int = 1_000_000) -> Sequence[Row]:
    """The subtasks of a task, oldest first, without their long texts."""
    return CHILDREN.all(db, {"parent": parent, "limit": limit})


def ancestors(db: Transaction, task_id: str) -> Sequence[Row]:
    """The parents of a task, the nearest first, without their long texts."""
    return ANCESTORS.all(db, {"id": task_id})


def upward(db: Transaction, row: Row) -> Sequence[Row]:
    """A task, and then its parents, the nearest first, each as one line of a list."""
    itself = line_of(db, row)
    if row.parent_id is None:
        return [itself]
    parents = line_rows(db, [row.parent_id])
    if parents[0].parent_id is not None:  # seldom; a recursion costs three times as much
        parents = UPWARD.all(db, {"id": row.parent_id})
    return [itself, *parents]


def descendants(db: Transaction, task_id: str) -> Sequence[Row]:
    """Everything below a task."""
    return DESCENDANTS.all(db, {"root": task_id})


def subtree_ids(db: Transaction, task_id: str) -> list[str]:
    """A task and everything below it."""
    return [task_id, *DESCENDANT_IDS.scalars(db, {"root": task_id})]


def top_tasks(db: Transaction, *, limit: int) -> Sequence[Row]:
    """Tasks without a parent, open ones first, the oldest first."""
    return TOP_TASKS.all(db, {"project": db.project.slug, "limit": limit})


def shift_gates(db: Transaction, task_id: str, by: int) -> list[str]:
    """Open (-1) or close (+1) one gate for everything below a task; the ids that may turn by it."""
    SHIFT_GATES.run(db, {"root": task_id, "by": by})
    return list(DESCENDANTS_AT_TURN.scalars(db, {"root": task_id}))


def shift_subtasks(db: Transaction, parent: str, *, by: int, by_open: int) -> str:
    """Count subtasks, and those that are not settled, in (+1) or out (-1); the parent's id."""
    SHIFT_SUBTASKS.run(db, {"key_id": parent, "by": by, "by_open": by_open})
    return parent
