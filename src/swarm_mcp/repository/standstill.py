"""Tasks that stand still by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select, text

from swarm_mcp.repository import queue, tables, tasks
from swarm_mcp.repository.statement import Statement, among

if TYPE_CHECKING:
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction

task = tables.task
agent = tables.agent

HERE = (task.c.project == bindparam("project"), text("task.archived_at IS NULL"))
FIRST = (task.c.urgency, task.c.created_at, task.c.id)
HELD = Statement(
    select(task.c.id).where(*HERE, text("task.status = 'blocked' AND task.hold_reason IS NOT NULL")).order_by(*FIRST)
)
WAITING_FOR_SOMEBODY = Statement(
    select(task.c.id)
    .where(
        *HERE,
        among(task.c.status, "requires_assistance", "in_review", "partial"),
        text("(task.status <> 'in_review' OR (task.waits = 0 AND task.open_subtasks = 0))"),
    )
    .order_by(*FIRST)
)
LAPSED = Statement(
    select(task.c.id).where(
        task.c.project == bindparam("project"),
        text("task.lease_until IS NOT NULL"),
        task.c.lease_until < bindparam("now"),
    )
)
HELD_BY_ABSENT = Statement(
    select(task.c.id)
    .select_from(agent)
    .join(task, task.c.holder_id == agent.c.id)
    .where(
        agent.c.project == bindparam("project"),
        among(agent.c.lifecycle, "paused", "failed", "terminated"),
        text("task.holder_id IS NOT NULL AND task.status = 'in_progress'"),
    )
)
READY_LANES = Statement(
    select(task.c.lane, func.count())
    .where(task.c.project == bindparam("project"), text(tables.READY))
    .group_by(task.c.lane)
)
FIRST_UNCLAIMED = Statement(
    select(task.c.id)
    .where(
        task.c.project == bindparam("project"),
        text(f"task.lane = '' AND {tables.READY}"),
        task.c.updated_at < bindparam("before"),
    )
    .order_by(*tasks.ORDER)
    .limit(1)
)
BURIED = Statement(
    select(task.c.id).where(task.c.project == bindparam("project"), text("finished = 0 AND archived_at IS NOT NULL"))
)


def held(db: Transaction) -> list[str]:
    """Tasks with a hold, the most urgent first."""
    return HELD.scalars(db, {"project": db.project.slug})


def waiting_for_somebody(db: Transaction) -> list[str]:
    """Tasks that wait for an answer, for a review that nothing else delays, or for a word about partial work."""
    return WAITING_FOR_SOMEBODY.scalars(db, {"project": db.project.slug})


def lost_claims(db: Transaction) -> list[str]:
    """Claims that have run out, or whose holders take no part any more."""
    bound = {"project": db.project.slug, "now": db.now}
    return list(dict.fromkeys([*LAPSED.scalars(db, bound), *HELD_BY_ABSENT.scalars(db, bound)]))


def ready_lanes(db: Transaction) -> dict[str, int]:
    """How many ready tasks there are for each agent, team and specialty, and (under "") for anyone."""
    return dict(READY_LANES.all(db, {"project": db.project.slug}))


def ready_ids(db: Transaction, lane: str, *, limit: int) -> list[str]:
    """The ready tasks of one lane, the most urgent first."""
    return [row.id for row in queue.ready_in_lanes(db, [lane], limit=limit)]


def first_unclaimed(db: Transaction, *, ready_before: datetime) -> str:
    """The most urgent task for anyone that nobody has touched since then, or ""."""
    return FIRST_UNCLAIMED.scalar(db, {"project": db.project.slug, "before": ready_before}) or ""


def buried(db: Transaction) -> list[str]:
    """Unfinished tasks that are archived, so that no list and no queue has them."""
    archived = tasks.tallies(db, archived=True)
    if not archived.keys() - {"completed", "failed", "cancelled"}:
        return []
    return BURIED.scalars(db, {"project": db.project.slug})
