"""Pages of tasks: every filter of a list, in an order that an index serves, with a cursor that survives changes."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, cast, func, literal, or_, select, text, tuple_

from swarm_mcp.model.errors import Invalid
from swarm_mcp.repository import tasks
from swarm_mcp.repository.tables import OVERDUE, TaskRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Row

    from swarm_mcp.repository.database import Transaction

task = TaskRow.__table__
COUNTED = 2000
"""How far a filtered list is counted; without a filter the tally knows."""

SORTS: dict[str, tuple[str, ...]] = {
    "urgency": ("finished", "urgency", "due", "created_at", "id"),
    "created": ("created_at", "id"),
    "updated": ("updated_at", "id"),
    "deadline": ("due", "id"),
}
DESCENDING = frozenset({"updated"})


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tasks; every field left at its default lets all pass."""

    statuses: tuple[str, ...] = ()
    place: tuple[tuple[str, str | None], ...] = ()
    under: tuple[str, ...] | None = None
    ready: bool = False
    overdue: bool = False
    priority: str = ""
    tag: str = ""
    area: str = ""
    text: str = ""

    @property
    def by_status_alone(self) -> bool:
        """Whether the tally can count it."""
        return not (
            self.place or self.under is not None or self.ready or self.overdue or self.priority or self.tag
            or self.area or self.text
        )  # fmt: skip


@dataclass(slots=True)
class Page:
    """Rows, how many there are in all, and where the next page begins."""

    rows: Sequence[Row[Any]] = field(default_factory=list)
    total: int = 0
    exact: bool = True
    next_cursor: str = ""


def find(db: Transaction, wanted: Filter, *, sort: str, limit: int, cursor: str) -> Page:
    """One page of tasks.

    Raises:
        Invalid: the cursor belongs to no such list.

    """
    columns = [task.c[name] for name in SORTS[sort]]
    conditions = _conditions(db, wanted)
    after = _after(columns, sort, cursor)
    ordered = [column.desc() if sort in DESCENDING else column for column in columns]
    if len(wanted.statuses) > 1 and sort == "urgency":
        rows = _merged(db, wanted, conditions, after, ordered, limit)
    else:
        narrowed = [task.c.status.in_(wanted.statuses)] if wanted.statuses else []
        statement = select(task).where(*conditions, *narrowed, *after).order_by(*ordered).limit(limit + 1)
        rows = db.connection.execute(statement).all()
    page = Page(rows=rows[:limit])
    if len(rows) > limit:
        page.next_cursor = _write_cursor(rows[limit - 1], sort)
    page.total, page.exact = _count(db, wanted, conditions, len(rows) if not cursor and len(rows) <= limit else None)
    return page


def _merged(
    db: Transaction,
    wanted: Filter,
    conditions: list[ColumnElement[bool]],
    after: list[ColumnElement[bool]],
    ordered: list[Any],
    limit: int,
) -> list[Row[Any]]:
    """Several statuses at once: the head of each, merged, since no index has them in one order."""
    found: list[Row[Any]] = []
    for status in wanted.statuses:
        statement = select(task).where(*conditions, task.c.status == status, *after)
        found += db.connection.execute(statement.order_by(*ordered).limit(limit + 1)).all()
    found.sort(key=lambda row: tuple(getattr(row, name) for name in SORTS["urgency"]))
    return found[: limit + 1]


def _conditions(db: Transaction, wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [task.c.project == db.project.slug, text("task.archived_at IS NULL")]
    if wanted.ready:
        found.append(text("task.status = 'pending'"))
    if wanted.overdue:
        found += [text(OVERDUE), task.c.due < db.now]
    for name, value in wanted.place:
        found.append(task.c[name] == value if value is not None else task.c[name].is_(None))
    if wanted.priority:
        found.append(task.c.priority == wanted.priority)
    if wanted.area:
        found.append(task.c.area == wanted.area)
    if wanted.tag:
        found.append(cast(task.c.tags, Text).contains(json.dumps(wanted.tag, ensure_ascii=False), autoescape=True))
    if wanted.under is not None:
        found.append(_inside(wanted.under))
    for word in wanted.text.split()[:8]:
        found.append(
            or_(task.c.title.icontains(word, autoescape=True), task.c.description.icontains(word, autoescape=True))
        )
    return found


def _inside(ids: tuple[str, ...]) -> ColumnElement[bool]:
    """Membership in a subtree of any size, in batches below the database's limit of variables."""
    if not ids:
        return text("1 = 0")
    batches = [ids[start : start + 20_000] for start in range(0, len(ids), 20_000)]
    return or_(*(task.c.id.in_(batch) for batch in batches))


def _count(
    db: Transaction, wanted: Filter, conditions: list[ColumnElement[bool]], known: int | None
) -> tuple[int, bool]:
    if known is not None:
        return known, True
    if wanted.by_status_alone:
        counts = tasks.tallies(db)
        return sum(count for status, count in counts.items() if not wanted.statuses or status in wanted.statuses), True
    narrowed = [task.c.status.in_(wanted.statuses)] if wanted.statuses else []
    inner = select(literal(1)).select_from(task).where(and_(*conditions, *narrowed)).limit(COUNTED + 1).subquery()
    total = db.connection.execute(select(func.count()).select_from(inner)).scalar_one()
    return min(total, COUNTED), total <= COUNTED


def _write_cursor(row: Row[Any], sort: str) -> str:
    values = [getattr(row, name) for name in SORTS[sort]]
    plain = [each.isoformat() if isinstance(each, datetime) else each for each in values]
    return base64.urlsafe_b64encode(json.dumps([sort, *plain], separators=(",", ":")).encode()).decode().rstrip("=")


def _after(columns: list[Any], sort: str, cursor: str) -> list[ColumnElement[bool]]:
    """The rows beyond a cursor."""
    if not cursor.strip():
        return []
    try:
        padded = cursor.strip() + "=" * (-len(cursor.strip()) % 4)
        made_for, *values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if made_for != sort or len(values) != len(columns):
            raise ValueError(cursor)
        times = {"due", "created_at", "updated_at"}
        read = [
            datetime.fromisoformat(each) if column.name in times else each
            for column, each in zip(columns, values, strict=True)
        ]
        if any(not isinstance(each, str | int | datetime) for each in read):
            raise ValueError(cursor)
    except (ValueError, TypeError, UnicodeDecodeError):
        raise Invalid(f"`{cursor[:40]}` is no cursor of this list; leave it empty to begin anew.") from None
    bound = tuple_(*(literal(each, column.type) for column, each in zip(columns, read, strict=True)))
    return [tuple_(*columns) < bound if sort in DESCENDING else tuple_(*columns) > bound]
