"""Tasks that do not move by themselves, and how much waits behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, exists, or_, select, text

from swarm_mcp.repository.tables import AgentRow, DependencyRow, TaskRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from swarm_mcp.repository.database import Transaction

task = TaskRow.__table__
agent = AgentRow.__table__
edge = DependencyRow.__table__
waiter = TaskRow.__table__.alias("waiter")

SUSPECTS = 500
COUNTED = 1000

_waited_for = exists(
    select(edge.c.task_id)
    .join(waiter, waiter.c.id == edge.c.task_id)
    .where(
        edge.c.depends_on_id == task.c.id,
        text("dependency.type = 'blocks'"),
        waiter.c.status.not_in(["completed", "failed", "cancelled"]),
    )
)
_unclaimed = and_(
    task.c.status == "pending",
    or_(
        task.c.assignee_id.in_(
            select(agent.c.id).where(
                or_(
                    agent.c.lifecycle.in_(["paused", "failed", "terminated"]),
                    agent.c.last_seen_at < bindparam("seen_since"),
                )
            )
        ),
        task.c.pool_team_id.is_not(None),
        task.c.pool_specialty.is_not(None),
    ),
)
STILL = (
    select(task)
    .where(
        task.c.project == bindparam("project"),
        text("task.archived_at IS NULL"),
        or_(
            and_(task.c.status == "blocked", task.c.hold_reason.is_not(None)),
            task.c.status.in_(["requires_assistance", "in_review", "partial"]),
            and_(task.c.status.in_(["failed", "cancelled"]), _waited_for),
            and_(task.c.status == "failed", task.c.parent_id.is_not(None)),
            and_(task.c.status == "in_progress", task.c.lease_until < bindparam("now")),
            _unclaimed,
        ),
    )
    .order_by(task.c.urgency, task.c.created_at, task.c.id)
    .limit(SUSPECTS)
)
NEXT = select(edge.c.task_id).where(
    edge.c.depends_on_id.in_(bindparam("ids", expanding=True)), text("dependency.type = 'blocks'")
)
AROUND = select(task.c.id, task.c.parent_id).where(
    task.c.id.in_(bindparam("ids", expanding=True)), task.c.status.not_in(["completed", "failed", "cancelled"])
)
BELOW = select(task.c.id).where(
    task.c.parent_id.in_(bindparam("ids", expanding=True)),
    task.c.status.not_in(["completed", "failed", "cancelled"]),
)


def suspects(db: Transaction, *, now: datetime, seen_since: datetime) -> Sequence[Row[Any]]:
    """Tasks that stand still and are not merely waiting for others; the most urgent five hundred."""
    bound = {"project": db.project.slug, "now": now, "seen_since": seen_since}
    return db.connection.execute(STILL, bound).all()


def count_behind(db: Transaction, task_id: str) -> int:
    """How many unfinished tasks wait for one, directly or through others, counting to a thousand."""
    reached: set[str] = set()
    frontier = {task_id}
    while frontier and len(reached) < COUNTED:
        batch = {"ids": sorted(frontier)[:500]}
        found = set(db.connection.execute(NEXT, batch).scalars()) | set(db.connection.execute(BELOW, batch).scalars())
        parents = {row.parent_id for row in db.connection.execute(AROUND, batch) if row.parent_id}
        frontier = (found | parents) - reached - {task_id}
        reached |= frontier
    return min(len(reached), COUNTED)


