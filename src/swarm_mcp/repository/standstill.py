"""Tasks that do not move by themselves, and how much waits behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, exists, or_, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, Statement, among

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task
agent = tables.agent
edge = tables.dependency
waiter = tables.task.alias("waiter")

SUSPECTS = 500
COUNTED = 1000

_waited_for = exists(
    select(edge.c.task_id)
    .join(waiter, waiter.c.id == edge.c.task_id)
    .where(
        edge.c.depends_on_id == task.c.id,
        text("dependency.type = 'blocks'"),
        ~among(waiter.c.status, "completed", "failed", "cancelled"),
    )
)
_unclaimed = and_(
    task.c.status == "pending",
    or_(
        task.c.assignee_id.in_(
            select(agent.c.id).where(
                or_(
                    among(agent.c.lifecycle, "paused", "failed", "terminated"),
                    agent.c.last_seen_at < bindparam("seen_since"),
                )
            )
        ),
        task.c.pool_team_id.is_not(None),
        task.c.pool_specialty.is_not(None),
    ),
)
STILL = Statement(
    select(task)
    .where(
        task.c.project == bindparam("project"),
        text("task.archived_at IS NULL"),
        or_(
            and_(task.c.status == "blocked", task.c.hold_reason.is_not(None)),
            among(task.c.status, "requires_assistance", "in_review", "partial"),
            and_(among(task.c.status, "failed", "cancelled"), _waited_for),
            and_(task.c.status == "failed", task.c.parent_id.is_not(None)),
            and_(task.c.status == "in_progress", task.c.lease_until < bindparam("now")),
            _unclaimed,
        ),
    )
    .order_by(task.c.urgency, task.c.created_at, task.c.id)
    .limit(SUSPECTS)
)
NEXT = ListStatement(
    lambda wanted: select(edge.c.task_id).where(edge.c.depends_on_id.in_(wanted), text("dependency.type = 'blocks'"))
)
OVER = ["completed", "failed", "cancelled"]
AROUND = ListStatement(
    lambda wanted: select(task.c.parent_id).where(
        task.c.id.in_(wanted),
        ~among(task.c.status, "completed", "cancelled"),  # a parent waits for failed parts as well
    )
)
BELOW = ListStatement(
    lambda wanted: select(task.c.id).where(task.c.parent_id.in_(wanted), ~among(task.c.status, *OVER))
)


def suspects(db: Transaction, *, now: datetime, seen_since: datetime) -> Sequence[Row]:
    """Tasks that stand still and are not merely waiting for others; the most urgent five hundred."""
    bound = {"project": db.project.slug, "now": now, "seen_since": seen_since}
    return STILL.all(db, bound)


def count_behind(db: Transaction, task_id: str) -> int:
    """How many unfinished tasks wait for one, directly or through others, counting to a thousand."""
    reached: set[str] = set()
    frontier = {task_id}
    while frontier and len(reached) < COUNTED:
        batch = sorted(frontier)[:500]
        found = {row[0] for row in [*NEXT.all(db, batch), *BELOW.all(db, batch)]}
        parents = {row.parent_id for row in AROUND.all(db, batch) if row.parent_id}
        frontier = (found | parents) - reached - {task_id}
        reached |= frontier
    return min(len(reached), COUNTED)
