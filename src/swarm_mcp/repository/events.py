"""The ledger of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, bindparam, func, insert, literal_column, select, text, tuple_

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

event = tables.event

INSERT = Statement(insert(event))
OF_TASK = Statement(
    select(event)
    .where(event.c.task_id == bindparam("task"), event.c.seq > bindparam("after"))
    .order_by(event.c.seq)
    .limit(bindparam("limit"))
)
LATEST_OF_TASK = Statement(
    select(event).where(event.c.task_id == bindparam("task")).order_by(event.c.seq.desc()).limit(bindparam("limit"))
)
COUNT_OF_KIND = Statement(
    select(func.count()).where(event.c.task_id == bindparam("task"), event.c.kind == bindparam("kind"))
)
OF_PROJECT = Statement(
    select(event)
    .where(event.c.project == bindparam("project"), event.c.seq > bindparam("after"))
    .order_by(event.c.seq)
    .limit(bindparam("limit"))
)

NEXT = Statement(
    select(event).where(event.c.seq > bindparam("after")).order_by(event.c.seq).limit(bindparam("limit")),
    postgres=select(event)
    .where(
        tuple_(event.c.xact, event.c.seq) > tuple_(bindparam("xact", type_=BigInteger), bindparam("after")),
        text("event.xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"),
    )
    .order_by(event.c.xact, event.c.seq)
    .limit(bindparam("limit")),
)
IN_SIGHT = Statement(
    select(event).where(event.c.seq > bindparam("after")).order_by(event.c.seq).limit(bindparam("limit")),
    postgres=select(event)
    .where(tuple_(event.c.xact, event.c.seq) > tuple_(bindparam("xact", type_=BigInteger), bindparam("after")))
    .order_by(event.c.xact, event.c.seq)
    .limit(bindparam("limit")),
)
END = Statement(
    select(func.max(event.c.seq)),
    postgres=select(literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint")),
)
OF_KIND = Statement(
    select(event)
    .where(event.c.project == bindparam("project"), event.c.kind == bindparam("kind"))
    .order_by(event.c.seq)
)
LAST_SEQ = 2**63 - 1


def insert_event(
    db: Transaction, kind: str, task_id: str | None, agent_id: str | None, version: int | None, data: dict[str, Any]
) -> None:
    """Append one event."""
    INSERT.run(db, _event(db, kind, task_id, agent_id, version, data))


def insert_creations(
    db: Transaction, kind: str, agent_id: str | None, said: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    """Append the first event of each of these tasks: its id, and what the event says."""
    INSERT.run_many(db, [_event(db, kind, task_id, agent_id, 1, data) for task_id, data in said])


def _event(
    db: Transaction, kind: str, task_id: str | None, agent_id: str | None, version: int | None, data: dict[str, Any]
) -> dict[str, Any]:
    return {
        "at": db.now, "project": db.project.slug, "kind": kind, "task_id": task_id, "agent_id": agent_id,
        "via": db.via, "version": version, "data": data,
    }  # fmt: skip


def task_events(db: Transaction, task_id: str, *, after: int = 0, limit: int = 100) -> Sequence[Row]:
    """A task's events after a sequence number, oldest first."""
    return OF_TASK.all(db, {"task": task_id, "after": after, "limit": limit})


def latest_task_events(db: Transaction, task_id: str, *, limit: int) -> Sequence[Row]:
    """A task's newest events, newest first."""
    return LATEST_OF_TASK.all(db, {"task": task_id, "limit": limit})


def count_of(db: Transaction, task_id: str, kind: str) -> int:
    """How often something of a kind has happened to a task."""
    return COUNT_OF_KIND.scalar(db, {"task": task_id, "kind": kind})


def of_kind(db: Transaction, kind: str) -> Sequence[Row]:
    """The project's events of a kind of which there are few, oldest first. Reads the whole ledger to find them."""
    return OF_KIND.all(db, {"project": db.project.slug, "kind": kind})


def project_events(db: Transaction, *, after: int, limit: int) -> Sequence[Row]:
    """The project's events after a sequence number, oldest first."""
    bound = {"project": db.project.slug, "after": after, "limit": limit}
    return OF_PROJECT.all(db, bound)


def events_after(db: Transaction, last: tuple[int, int], *, limit: int) -> Sequence[Row]:
    """The events of all projects after the last that was read, in an order in which none comes late.

    On PostgreSQL a number is given before the commit, so that a lower one may appear after a higher one was read. There
    the order is that of transactions, and those that are not over yet (also of other databases on the server), and all
    that began after the oldest of them, are left for the next time.

    Args:
        db: the transaction.
        last: `place_in_order` of the last event that was read; (0, 0) to begin with.
        limit: how many at most.

    """
    return NEXT.all(db, {"xact": last[0], "after": last[1], "limit": limit})


def place_in_order(row: Row) -> tuple[int, int]:
    """Where an event stands in the order of `events_after`."""
    return row.xact or 0, row.seq


def end_of_events(db: Transaction) -> tuple[int, int]:
    """The place in that order before which nothing will appear any more: where to begin to read what is to come."""
    found = END.scalar(db, {})
    return (found - 1, LAST_SEQ) if db.is_postgres else (0, found or 0)


def events_in_sight(db: Transaction, last: tuple[int, int], *, limit: int) -> Sequence[Row]:
    """The same as `events_after`, with those that are committed while something older is not.

    They come after the others, and will come again: their place in the order is not settled.
    """
    return IN_SIGHT.all(db, {"xact": last[0], "after": last[1], "limit": limit})


RELEASED = Statement(
    select(event.c.task_id, event.c.seq)
    .where(event.c.agent_id == bindparam("agent"), text("event.kind = 'released'"), event.c.at > bindparam("since"))
    .order_by(event.c.seq)
)
HANDED_AGAIN = ListStatement(
    lambda wanted: (
        select(event.c.task_id, func.max(event.c.seq))
        .where(event.c.task_id.in_(wanted), event.c.kind == "delegated")
        .group_by(event.c.task_id)
    )
)


def released_since(db: Transaction, agent_id: str, since: Any) -> set[str]:
    """The tasks that an agent gave back since then and that nobody handed on since."""
    released = dict(RELEASED.all(db, {"agent": agent_id, "since": since}))
    if not released:
        return set()
    handed = dict(HANDED_AGAIN.all(db, list(released)))
    return {task_id for task_id, seq in released.items() if handed.get(task_id, 0) < seq}


ONE = Statement(select(event).where(event.c.seq == bindparam("seq"), event.c.project == bindparam("project")))
CLAIMS_SINCE = ListStatement(
    lambda wanted: (
        select(event.c.task_id, event.c.seq, event.c.agent_id)
        .where(event.c.task_id.in_(wanted), event.c.seq > bindparam("after"), event.c.kind == "claimed")
        .order_by(event.c.seq)
    )
)
BESIDE = Statement(
    select(event.c.seq, event.c.kind, event.c.task_id, event.c.data)
    .where(
        event.c.seq.between(bindparam("first"), bindparam("last")),
        event.c.project == bindparam("project"),
        event.c.at == bindparam("at"),
    )
    .order_by(event.c.seq)
)
NEAR = 1000
"""How far apart in the ledger two events of one call may be, as far as anybody looks."""


NEWEST = Statement(select(func.max(event.c.seq)))
LATEST = Statement(
    select(event.c.seq, event.c.at).where(event.c.project == bindparam("project")).order_by(event.c.seq.desc()).limit(1)
)


RECENT = Statement(
    select(event)
    .where(event.c.project == bindparam("project"), event.c.seq > bindparam("after"))
    .order_by(event.c.seq.desc())
    .limit(bindparam("limit"))
)
RECENTLY = 10_000
"""How far back recent events are looked for: a project in which nothing happens must not cost the whole ledger."""


def recent_events(db: Transaction, *, limit: int) -> Sequence[Row]:
    """The project's latest events, the oldest of them first; none that lie far back in the ledger of all projects."""
    after = (NEWEST.scalar(db, {}) or 0) - RECENTLY
    return RECENT.all(db, {"project": db.project.slug, "after": after, "limit": limit})[::-1]


def latest_event(db: Transaction) -> Row | None:
    """Number and time of the project's latest event."""
    return LATEST.first(db, {"project": db.project.slug})


def find_event(db: Transaction, seq: int) -> Row | None:
    """The project's event of that number, or None."""
    return ONE.first(db, {"seq": seq, "project": db.project.slug})


def claims_since(db: Transaction, task_ids: Sequence[str], seq: int) -> Sequence[Row]:
    """The claims (task_id, seq, agent_id) of these tasks after an event, oldest first."""
    return CLAIMS_SINCE.all(db, list(task_ids), {"after": seq})


def events_beside(db: Transaction, found: Row) -> Sequence[Row]:
    """What was recorded near an event at the same moment, which is mostly what the same call did."""
    bound = {"first": found.seq - NEAR, "last": found.seq + NEAR, "project": db.project.slug, "at": found.at}
    return [each for each in BESIDE.all(db, bound) if each.seq != found.seq]
