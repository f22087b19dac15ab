"""The ready queue: what may be claimed, the claim's guarded statement, and leases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import String, bindparam, func, literal, or_, select, text, type_coerce, union_all, update

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, Statement
from swarm_mcp.repository.tasks import HERE, ORDER, SLIM
from swarm_mcp.repository.tree import BELOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import BindParameter, ColumnElement, CompoundSelect

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task

SEEN = (
    task.c.id, task.c.lane, task.c.touches, task.c.urgency,
    *(type_coerce(task.c[name], String).label(name) for name in ("due", "created_at")),
    task.c.status, task.c.attempt, task.c.holder_id, task.c.worker_id, task.c.started_at, task.c.hold_reason,
    task.c.hold_by_id, task.c.archived_at, task.c.waits, task.c.gates, task.c.open_subtasks,
)  # fmt: skip
"""What a candidate is chosen by, and what a claim is guarded and recorded by; instants that only sort it stay as the
driver gives them."""


def _ready(lanes: list[BindParameter[str]], *conditions: ColumnElement[bool]) -> CompoundSelect[Any]:
    """The most urgent ready tasks of each of these lanes."""
    of_lanes = [
        select(*SEEN)
        .where(HERE, task.c.lane == lane, text(tables.READY), *conditions)
        .order_by(*ORDER)
        .limit(bindparam("limit"))
        .subquery()
        for lane in lanes
    ]
    return union_all(*map(select, of_lanes))


READY = ListStatement(_ready)
READY_UNDER = ListStatement(lambda lanes: _ready(lanes, or_(task.c.id == bindparam("root"), task.c.id.in_(BELOW))))
COUNT_READY = Statement(
    select(func.count()).select_from(
        select(literal(1))
        .where(HERE, task.c.lane == bindparam("lane"), text(tables.READY))
        .limit(bindparam("limit"))
        .subquery()
    )
)
_first = select(task).where(HERE, task.c.lane == bindparam("lane"), text(tables.READY)).order_by(*ORDER).limit(1)
_first = _first.with_for_update(key_share=True, skip_locked=True, of=task)
FREE_IN_LANE = ListStatement(lambda passed: _first.where(task.c.id.not_in(passed)))
FREE_UNDER = ListStatement(
    lambda passed: _first.where(task.c.id.not_in(passed), or_(task.c.id == bindparam("root"), task.c.id.in_(BELOW)))
)
FREE = Statement(
    select(task)
    .where(HERE, task.c.id == bindparam("id"), text(tables.READY))
    .with_for_update(key_share=True, skip_locked=True, of=task)
)
CLAIM = Statement(
    update(task)
    .where(
        task.c.id == bindparam("key_id"),
        task.c.attempt == bindparam("seen_attempt"),
        task.c.status == bindparam("seen_status"),
        task.c.holder_id.is_(None),
    )
    .values(
        status="in_progress",
        holder_id=bindparam("agent"),
        worker_id=bindparam("agent"),
        attempt=task.c.attempt + 1,
        version=task.c.version + 1,
        lease_until=bindparam("until"),
        lease_minutes=bindparam("minutes"),
        connection_id=bindparam("connection"),
        started_at=bindparam("started"),
        hold_reason=None,
        hold_by_id=None,
        updated_at=bindparam("now"),
    )
    .returning(*SLIM, task.c.description)
)
_expired = (
    select(task)
    .where(HERE, task.c.lease_until < bindparam("now"), text("task.lease_until IS NOT NULL"))
    .order_by(task.c.lease_until)
    .limit(bindparam("limit"))
)
_reserved = select(task).where(HERE, text("task.reserved_from IS NOT NULL")).limit(200)
EXPIRED, RESERVED = Statement(_expired), Statement(_reserved)
FREE_EXPIRED, FREE_RESERVED = (
    Statement(each.with_for_update(key_share=True, skip_locked=True, of=task)) for each in (_expired, _reserved)
)
"""The same without those that somebody else is changing, who sees to them."""
LIVE_TOUCHES = Statement(
    select(task.c.id, task.c.title, task.c.holder_id, task.c.touches).where(
        HERE, text("task.holder_id IS NOT NULL"), task.c.touches != []
    )
)
LEASES = Statement(
    select(task.c.id, task.c.lease_until, task.c.lease_minutes).where(
        task.c.holder_id == bindparam("agent"),  # whose project is its own: to name it would choose a longer index
        task.c.connection_id == bindparam("connection"),
        text("task.lease_until IS NOT NULL"),
    )
)
RENEW = Statement(
    update(task)
    .where(
        task.c.id == bindparam("key_id"),
        task.c.holder_id == bindparam("holder"),  # the claim may have ended since it was seen,
        task.c.connection_id == bindparam("connection"),  # and the same agent may have another one elsewhere
        task.c.lease_until.is_not(None),
    )
    .values(lease_until=bindparam("until"))
)


def ready_in_lanes(db: Transaction, lanes: Sequence[str], *, limit: int, under: str = "") -> Sequence[Row]:
    """The most urgent ready tasks of each lane (an agent's own, a pool's, or "": anyone's), perhaps of one subtree."""
    statement = READY_UNDER if under else READY
    found = statement.all(db, lanes, {"project": db.project.slug, "limit": limit, "root": under})
    return list({row.id: row for row in found}.values())  # a list of lanes may be filled up with its last


def lock_ready(db: Transaction, task_id: str) -> Row | None:
    """The task, ours until the end, if it is still ready and nobody else is changing it; whole."""
    return FREE.first(db, {"project": db.project.slug, "id": task_id})


def lock_in_lane(db: Transaction, lane: str, *, under: str = "", besides: Iterable[str] = ()) -> Row | None:
    """The most urgent ready task of a lane that nobody else is changing, ours until the end; whole."""
    statement = FREE_UNDER if under else FREE_IN_LANE
    bound = {"project": db.project.slug, "lane": lane, "root": under}
    found = statement.all(db, sorted(besides) or [""], bound)
    return found[0] if found else None


def count_ready(db: Transaction, lanes: Iterable[str], *, limit: int) -> int:
    """How many tasks are ready in these lanes, counting up to `limit` in each."""
    return sum(COUNT_READY.scalar(db, {"project": db.project.slug, "lane": lane, "limit": limit}) for lane in lanes)


def take_claim(db: Transaction, row: Row, *, agent: str, until: Any, minutes: int, started: Any) -> Row | None:
    """Give the task to an agent if it is still as it was seen: the guard against two winners.

    Returns:
        The task as it is now, of its long texts the description alone; None if somebody else was faster.

    """
    bound = {
        "key_id": row.id,
        "seen_attempt": row.attempt,
        "seen_status": row.status,
        "agent": agent,
        "until": until,
        "minutes": minutes,
        "connection": db.connection_id,
        "started": started,
        "now": db.now,
    }
    return CLAIM.first(db, bound)


def expired_claims(db: Transaction, *, limit: int) -> Sequence[Row]:
    """Claims whose lease has run out, the oldest first."""
    statement = FREE_EXPIRED if db.locks_rows else EXPIRED
    return statement.all(db, {"project": db.project.slug, "now": db.now, "limit": limit})


def reserved_tasks(db: Transaction) -> Sequence[Row]:
    """Tasks kept for the worker that split them."""
    statement = FREE_RESERVED if db.locks_rows else RESERVED
    return statement.all(db, {"project": db.project.slug})


def live_touches(db: Transaction) -> Sequence[Row]:
    """Claimed tasks that say what they change."""
    return LIVE_TOUCHES.all(db, {"project": db.project.slug})


def leases(db: Transaction, agent: str) -> Sequence[Row]:
    """The leases of an agent's claims on this connection; suspended ones have none."""
    return LEASES.all(db, {"project": db.project.slug, "agent": agent, "connection": db.connection_id})


def renew_lease(db: Transaction, task_id: str, until: datetime) -> None:
    """Let the claim of whoever acts last until then."""
    bound = {"key_id": task_id, "holder": db.actor.id, "connection": db.connection_id, "until": until}
    RENEW.run(db, bound)
