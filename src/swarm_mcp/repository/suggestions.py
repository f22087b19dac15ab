"""Tasks that somebody may mean who has typed the beginning of an id, or words of a title."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task
BEYOND = "{"
"""The character after `z`: ids that begin with `ab` lie between `ab` and `ab{`."""

NAMED = select(task.c.id, task.c.title).where(
    task.c.project == bindparam("project"), text("task.archived_at IS NULL")
)  # fmt: skip
ORDER = (task.c.finished, task.c.urgency, task.c.due, task.c.created_at, task.c.id)
FOREMOST = Statement(NAMED.order_by(*ORDER).limit(bindparam("limit")))
BEGINNING = Statement(
    NAMED.where(task.c.id >= bindparam("first"), task.c.id < bindparam("beyond"))
    .order_by(*ORDER)
    .limit(bindparam("limit"))
)


def foremost(db: Transaction, *, limit: int) -> Sequence[Row]:
    """Ids and titles of tasks, open ones first, the most urgent first."""
    return FOREMOST.all(db, {"project": db.project.slug, "limit": limit})


def beginning(db: Transaction, prefix: str, *, limit: int) -> Sequence[Row]:
    """Ids and titles of the tasks whose ids begin like this, in the same order."""
    bound = {"project": db.project.slug, "first": prefix, "beyond": prefix + BEYOND, "limit": limit}
    return BEGINNING.all(db, bound)
