"""What happened, from the ledger: hour by hour or day by day, and in all since a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.draft import BARE_DATE, read_instant
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.record import Record, spoken
from swarm_mcp.model.task import Overview
from swarm_mcp.model.tokens import fitting
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.limits import MOST, shows_more
from swarm_mcp.repository import activity, agents, unfinished

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

TOLD = {
    "created": ("created", "imported"),
    "claimed": ("claimed",),
    "completed": ("completed", "accepted"),
    "in_review": ("in_review",),
    "partial": ("partial",),
    "failed": ("failed",),
    "cancelled": ("cancelled",),
    "asked": ("asked",),
    "held": ("held",),
    "released": ("released",),
    "lapsed": ("lapsed",),
    "reopened": ("reopened", "retried"),
    "sent_back": ("sent_back",),
}
"""What is counted, and the kinds of events that mean it."""
NAMED = ("completed", "accepted", "failed", "cancelled")
"""Whatever ends a task is told with its name."""
NAMED_SHOWN = 3
DEADLINES_SHOWN = 10
USUAL = timedelta(days=7)
BY_HOUR = timedelta(days=2)
"""A span up to this long is told hour by hour."""
LOOKED_AT = 400
"""Days or hours that are looked at, at most, for those in which something happened below a task."""


class Span(Record):
    """A day or an hour: how many tasks were created, claimed and so on, and what came to its end."""

    at: str
    counts: dict[str, int]
    ended: list[str] = []
    ended_more: int = 0


class Due(Record):
    """A deadline that comes."""

    task: str
    title: str
    status: str
    assignee: str = ""
    deadline: str


def read_since(words: str, now: datetime) -> datetime | None:
    """The moment that `since` means: a time with an offset, or the beginning of a day in UTC; "" is none.

    Raises:
        Invalid: it is neither, or lies in the future.

    """
    if BARE_DATE.fullmatch(words.strip()):
        words = f"{words.strip()}T00:00:00Z"
    moment = read_instant(words.strip(), "since")
    if moment is not None and moment > now:
        raise Invalid(f"since lies in the future: {moment.isoformat(timespec='seconds')}.")
    return moment


def changes(db: Transaction, root: Row | None, since: datetime) -> dict[str, int]:
    """How many tasks were created, claimed, completed and so on since a moment."""
    first, end = activity.first_since(db, since), activity.end(db)
    return _told(activity.counts(db, first, end, below=root.id if root is not None else ""))


def view(db: Transaction, root: Row | None, limit: int, since: datetime | None) -> Overview:
    """Day by day (within two days hour by hour) what happened, the newest first; and the deadlines that come."""
    begin = since or db.now - USUAL
    hourly = db.now - begin <= BY_HOUR
    below = root.id if root is not None else ""
    spans, more = _spans(db, begin, below, limit, hourly=hourly)
    shown = fitting(spans, spoken)
    left = more or len(shown) < len(spans)
    upcoming = unfinished.deadlines(db, limit=DEADLINES_SHOWN, below=below)
    facts: dict[str, Any] = {"since": begin.isoformat(timespec="seconds")}
    if upcoming:
        names = agents.agent_names(db, (row.assignee_id for row in upcoming))
        facts["deadlines"] = [_due(row, names).structured() for row in upcoming]
    what = "hours" if hourly else "days"
    none = f"Nothing happened since {begin.isoformat(timespec='minutes')}"
    some = f"What happened since {begin.isoformat(timespec='minutes')}, the newest {what} first"
    cut = f"; earlier {what} are left out, {shows_more(len(shown), limit, MOST)}" if left else ""
    return Overview(
        view="timeline",
        message=f"{some if shown else none}{cut}.",
        items=[each.structured() for each in shown],
        **facts,
    )


def _spans(db: Transaction, begin: datetime, below: str, limit: int, *, hourly: bool) -> tuple[list[Span], bool]:
    """Days or hours in which something happened, and whether there may be earlier ones."""
    first, end = activity.first_since(db, begin), activity.end(db)
    found: list[Span] = []
    for _ in range(LOOKED_AT):
        last = activity.last_before(db, end) if first < end else None
        if last is None:
            return found, False
        if len(found) == limit:
            return found, True
        opens = last.replace(minute=0, second=0, microsecond=0)
        opens = opens if hourly else opens.replace(hour=0)
        start = max(first, activity.first_since(db, opens))
        span = _span(db, opens, start, end, below, hourly=hourly)
        found += [span] if span.counts else []
        end = min(start, end - 1)  # however the clock may have gone, each step is one back
    return found, True


def _span(db: Transaction, opens: datetime, start: int, end: int, below: str, *, hourly: bool) -> Span:
    counts = _told(activity.counts(db, start, end, below=below))
    ended = sum(counts.get(name, 0) for name in ("completed", "failed", "cancelled"))
    rows = activity.latest(db, start, end, NAMED, limit=NAMED_SHOWN, below=below) if ended else []
    names = agents.agent_names(db, (row.agent_id for row in rows))
    at = opens.astimezone(UTC)
    return Span(
        at=f"{at:%Y-%m-%d %H:%M}Z" if hourly else f"{at:%Y-%m-%d}",
        counts=counts,
        ended=[
            f"{row.task_id} {shorten(row.title)} {row.kind} by {names.get(row.agent_id, 'operator')}" for row in rows
        ],
        ended_more=max(0, ended - len(rows)),
    )


def _told(counts: dict[str, int]) -> dict[str, int]:
    sums = {name: sum(counts.get(kind, 0) for kind in kinds) for name, kinds in TOLD.items()}
    return {name: count for name, count in sums.items() if count}


def _due(row: Row, names: dict[str | None, str]) -> Due:
    return Due(
        task=row.id,
        title=shorten(row.title),
        status=row.status,
        assignee=names.get(row.assignee_id, ""),
        deadline=row.deadline.isoformat(timespec="seconds"),
    )
