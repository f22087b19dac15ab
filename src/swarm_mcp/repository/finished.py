"""Finished work that may be put away, with everything below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task, edge = tables.task, tables.dependency
_waiter = task.alias("waiter")
_waited_for = (
    select(edge.c.task_id)
    .join(_waiter, _waiter.c.id == edge.c.task_id)
    .where(edge.c.depends_on_id == task.c.id, edge.c.type == "blocks", _waiter.c.finished == 0)
    .exists()
)
_over = (
    (task.c.finished == 1)
    & (func.coalesce(task.c.completed_at, task.c.updated_at) <= bindparam("before", type_=task.c.updated_at.type))
    & ((task.c.status == "completed") | ~_waited_for)
)
_here = (task.c.project == bindparam("project")) & task.c.archived_at.is_(None)
_kept = select(task.c.id).where(_here, ~_over).cte("kept", recursive=True)
_kept = _kept.union(select(task.c.parent_id).join(_kept, task.c.id == _kept.c.id).where(task.c.parent_id.is_not(None)))
_above = task.alias("above")
OVER = Statement(
    select(task.c.id, task.c.parent_id)
    .where(_here, _over, task.c.id.not_in(select(_kept.c.id)), text("task.id > :after"))
    .order_by(task.c.id)
    .limit(bindparam("limit"))
)


def over(db: Transaction, before: datetime, *, after: str = "", limit: int = 1000) -> Sequence[Row]:
    """Tasks that were finished before a moment with all that is below them, and that nothing open waits for.

    Completed ones may be waited for: whoever waits has it. By their ids, after one of them.
    """
    bound = {"project": db.project.slug, "before": before, "after": after, "limit": limit}
    return OVER.all(db, bound)
