"""What happened when, in numbers, from the ledger.

Events have no index on their time, and need none: `seq` grows with it, so that a moment is found by bisection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from swarm_mcp.repository import tables, tree
from swarm_mcp.repository.statement import ListStatement, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

event = tables.event

AT = Statement(select(event.c.seq, event.c.at).where(event.c.seq >= bindparam("seq")).order_by(event.c.seq).limit(1))
LAST = Statement(select(event.c.at).where(event.c.seq < bindparam("seq")).order_by(event.c.seq.desc()).limit(1))
HIGHEST = Statement(select(func.max(event.c.seq)))
BETWEEN = (
    event.c.project == bindparam("project"),
    event.c.seq >= bindparam("first"),
    event.c.seq < bindparam("end"),
)
BELOW = event.c.task_id.in_(tree.BELOW)
_counts = (
    select(event.c.kind, func.count(event.c.task_id.distinct()))
    .where(*BETWEEN, event.c.task_id.is_not(None))
    .group_by(event.c.kind)
)
COUNTS = Statement(_counts)
COUNTS_BELOW = Statement(_counts.where(BELOW))


def _latest(listed: Sequence[object], *, below: bool) -> object:
    found = (
        select(event.c.kind, event.c.task_id, tables.task.c.title, event.c.agent_id)
        .join(tables.task, tables.task.c.id == event.c.task_id)
        .where(*BETWEEN, event.c.kind.in_(listed))
    )
    return (found.where(BELOW) if below else found).order_by(event.c.seq.desc()).limit(bindparam("limit"))


LATEST = ListStatement(lambda kinds: _latest(kinds, below=False))  # type: ignore[arg-type,return-value]
LATEST_BELOW = ListStatement(lambda kinds: _latest(kinds, below=True))  # type: ignore[arg-type,return-value]


def end(db: Transaction) -> int:
    """The number after that of the newest event."""
    return (HIGHEST.scalar(db, {}) or 0) + 1


def first_since(db: Transaction, moment: datetime) -> int:
    """The number of the first event that is not before a moment; `end()` if there is none."""
    low, high = 1, end(db)
    while low < high:
        middle = (low + high) // 2
        found = AT.first(db, {"seq": middle})
        if found.at < moment:
            low = found.seq + 1
        else:
            high = middle
    return low


def last_before(db: Transaction, seq: int) -> datetime | None:
    """When the event before this number happened, or None."""
    return LAST.scalar(db, {"seq": seq})


def counts(db: Transaction, first: int, end: int, *, below: str = "") -> dict[str, int]:
    """How many tasks of the project (or below one) had events of each kind, from one number up to another."""
    bound = {"project": db.project.slug, "first": first, "end": end, "root": below}
    return dict((COUNTS_BELOW if below else COUNTS).all(db, bound))


def latest(
    db: Transaction, first: int, end: int, kinds: Sequence[str], *, limit: int, below: str = ""
) -> Sequence[Row]:
    """The newest events of some kinds, from one number up to another, newest first: kind, task, title, agent."""
    bound = {"project": db.project.slug, "first": first, "end": end, "limit": limit, "root": below}
    return (LATEST_BELOW if below else LATEST).all(db, kinds, bound)
