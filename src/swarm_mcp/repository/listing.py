"""Pages of tasks: every filter of a list, in an order that an index serves, with a cursor that survives changes."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BindParameter, Text, bindparam, cast, func, literal, select, text, tuple_

from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.lifecycle import FINISHED
from swarm_mcp.repository import search, tables, tasks, tree
from swarm_mcp.repository.lines import LINE
from swarm_mcp.repository.statement import Statement
from swarm_mcp.repository.tables import OVERDUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, TextClause

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task
COUNTED = 2000
"""How far a filtered list is counted; without a filter the tally knows."""

SORTS: dict[str, tuple[str, ...]] = {
    "urgency": ("finished", "urgency", "due", "created_at", "id"),
    "created": ("created_at", "id"),
    "updated": ("updated_at", "id"),
    "deadline": ("due", "id"),
}
BEST = "best"
ORDERS = {**SORTS, BEST: ("distance", *SORTS["urgency"])}
"""What is searched for comes in the best order, which no list without words has."""
DESCENDING = frozenset({"updated"})
INSTANTS = frozenset({"due", "created_at", "updated_at"})
WORDS = 8


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tasks; every field left at its default lets all pass."""

    statuses: tuple[str, ...] = ()
    place: tuple[tuple[str, str | None], ...] = ()
    under: str = ""
    ready: bool = False
    overdue: bool = False
    priority: str = ""
    tag: str = ""
    area: str = ""
    text: str = ""
    reader: str | None = None
    """The id of the agent that reads; nobody is a stranger or the operator."""
    is_operator: bool = False

    @property
    def by_status_alone(self) -> bool:
        """Whether the tally can count it."""
        return self.shape() == Filter().shape()

    def shape(self) -> Shape:
        """What of it becomes SQL; the rest are values."""
        return Shape(
            place=tuple((name, value is None) for name, value in self.place),
            under=bool(self.under),
            ready=self.ready,
            overdue=self.overdue,
            priority=bool(self.priority),
            tag=bool(self.tag),
            area=bool(self.area),
            words=len(self.text.split()[:WORDS]),
            searcher=self._searcher() if self.text else search.Reader.OPERATOR,
        )

    def _searcher(self) -> search.Reader:
        if self.is_operator:
            return search.Reader.OPERATOR
        return search.Reader.STRANGER if self.reader is None else search.Reader.AGENT

    def values(self) -> dict[str, Any]:
        """The values of its conditions."""
        return {
            **dict(self.place),
            **{f"word_{n}": search.pattern(word) for n, word in enumerate(self.text.split()[:WORDS])},
            "reader": self.reader,
            "root": self.under,
            "priority": self.priority,
            "area": self.area,
            "tag": search.pattern(json.dumps(self.tag, ensure_ascii=False)),
        }


class Shape(NamedTuple):
    """The conditions of a filter without their values: one statement serves all lists of one shape."""

    place: tuple[tuple[str, bool], ...]
    under: bool
    ready: bool
    overdue: bool
    priority: bool
    tag: bool
    area: bool
    words: int
    searcher: search.Reader


@dataclass(slots=True)
class Page:
    """Rows, how many there are in all, and where the next page begins."""

    rows: Sequence[Row] = field(default_factory=list)
    total: int = 0
    exact: bool = True
    next_cursor: str = ""


def find(db: Transaction, wanted: Filter, *, sort: str, limit: int, cursor: str) -> Page:
    """One page of tasks.

    Raises:
        Invalid: the cursor belongs to no such list.

    """
    after = _read_cursor(sort, cursor)
    values = {**wanted.values(), **after, "project": db.project.slug, "now": db.now, "limit": limit + 1}
    rows: list[Any] = []
    for status in wanted.statuses or ("",):
        rows += _head(db, wanted, status, sort, after, values)
    if len(wanted.statuses) > 1:  # the heads of each status, merged: no index has them in one order
        rows.sort(key=lambda row: tuple(getattr(row, name) for name in ORDERS[sort]), reverse=sort in DESCENDING)
    page = Page(rows=rows[:limit])
    if len(rows) > limit:
        page.next_cursor = cursor_after(rows[limit - 1], sort)
    if not cursor and len(rows) <= limit:
        page.total = len(rows)
    else:
        page.total, page.exact = _count(db, wanted, values)
    return page


def _head(
    db: Transaction, wanted: Filter, status: str, sort: str, after: dict[str, Any], values: dict[str, Any]
) -> list[Row]:
    """The first rows after the cursor, of one status or of all.

    Tasks of one status are finished or not alike. Without that column in their order the status's index serves it,
    but then a status may stand before the cursor as a whole, or behind it.
    """
    continued, only = bool(after), status or ("pending" if wanted.ready else "")
    if only and sort == "urgency" and after:
        beyond = int(only in FINISHED) - after["after_finished"]
        if beyond < 0:
            return []
        continued = beyond == 0
    return _page(wanted.shape(), sort, continued, bool(status)).all(db, {**values, "status": status})


@cache
def _page(shape: Shape, sort: str, continued: bool, of_status: bool) -> Statement:  # noqa: FBT001 - parts of a key
    """The statement for one page of the lists of one shape."""
    best = [search.distance(_words(shape)).label("distance")] if sort == BEST else []
    columns = [*best, *(task.c[name] for name in ORDERS[sort][len(best) :])]
    if sort == "urgency" and (of_status or shape.ready):
        del columns[0]  # whether they are finished
    descending = sort in DESCENDING
    statement = select(*LINE, *best).where(*_conditions(shape, of_status=of_status))
    if continued:
        bound = tuple_(*(bindparam(f"after_{column.key}", type_=column.type) for column in columns))
        statement = statement.where(tuple_(*columns) < bound if descending else tuple_(*columns) > bound)
    ordered = [column.desc() if descending else column for column in columns]
    return Statement(statement.order_by(*ordered).limit(bindparam("limit")))


@cache
def _counting(shape: Shape, of_status: bool) -> Statement:  # noqa: FBT001 - parts of a key
    inner = select(literal(1)).select_from(task).where(*_conditions(shape, of_status=of_status))
    return Statement(select(func.count()).select_from(inner.limit(bindparam("limit")).subquery()))


def _conditions(shape: Shape, *, of_status: bool) -> list[ColumnElement[bool] | TextClause]:
    found: list[ColumnElement[bool] | TextClause] = [
        task.c.project == bindparam("project"),
        text("task.archived_at IS NULL"),
    ]
    if of_status:
        found.append(task.c.status == bindparam("status"))
    if shape.ready:
        found.append(text("task.status = 'pending'"))
    if shape.overdue:
        found += [text(OVERDUE), task.c.due < bindparam("now")]
    for name, empty in shape.place:
        found.append(task.c[name].is_(None) if empty else task.c[name] == bindparam(name))
    if shape.priority:
        found.append(task.c.priority == bindparam("priority"))
    if shape.area:
        found.append(task.c.area == bindparam("area"))
    if shape.tag:
        found.append(cast(task.c.tags, Text).like(bindparam("tag"), escape="\\"))
    if shape.under:
        found.append(task.c.id.in_(tree.BELOW))
    found += [search.mentions(word, shape.searcher) for word in _words(shape)]
    return found


def _words(shape: Shape) -> list[BindParameter[str]]:
    return [bindparam(f"word_{n}") for n in range(shape.words)]


def _count(db: Transaction, wanted: Filter, values: dict[str, Any]) -> tuple[int, bool]:
    if wanted.by_status_alone:
        counts = tasks.tallies(db)
        return sum(count for status, count in counts.items() if not wanted.statuses or status in wanted.statuses), True
    counting = _counting(wanted.shape(), bool(wanted.statuses))
    total = sum(
        counting.scalar(db, {**values, "status": status, "limit": COUNTED + 1}) for status in wanted.statuses or ("",)
    )
    return min(total, COUNTED), total <= COUNTED


def cursor_after(row: Row, sort: str) -> str:
    """Where the page after this row begins."""
    values = [getattr(row, name) for name in ORDERS[sort]]
    plain = [each.isoformat() if isinstance(each, datetime) else each for each in values]
    return base64.urlsafe_b64encode(json.dumps([sort, *plain], separators=(",", ":")).encode()).decode().rstrip("=")


def _read_cursor(sort: str, cursor: str) -> dict[str, Any]:
    """Where the page begins, as values of the statement."""
    if not cursor.strip():
        return {}
    names = ORDERS[sort]
    try:
        padded = cursor.strip() + "=" * (-len(cursor.strip()) % 4)
        made_for, *values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        read = [
            datetime.fromisoformat(each) if name in INSTANTS else each for name, each in zip(names, values, strict=True)
        ]
        if made_for != sort or any(
            type(each) is not (datetime if name in INSTANTS else str if name == "id" else int)
            or (isinstance(each, datetime) and each.tzinfo is None)
            or (isinstance(each, int) and abs(each) > 9)  # noqa: PLR2004 - no order has more classes
            for name, each in zip(names, read, strict=True)
        ):
            raise ValueError(cursor)  # noqa: TRY301 - one sentence for every way of being wrong
    except (ValueError, TypeError, UnicodeDecodeError):
        raise Invalid(f"`{cursor[:40]}` is no cursor of this list; leave it empty to begin anew.") from None
    return {f"after_{name}": each for name, each in zip(names, read, strict=True)}
