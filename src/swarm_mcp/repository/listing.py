"""Pages of tasks: every filter of a list, in an order that an index serves, with a cursor that survives changes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Text, bindparam, cast, func, literal, select, text, tuple_

from swarm_mcp.model.lifecycle import FINISHED
from swarm_mcp.repository import search, tables, tasks, tree
from swarm_mcp.repository.lines import LINE
from swarm_mcp.repository.sorting import BEST, DESCENDING, ORDERS, cursor_after, read_cursor
from swarm_mcp.repository.statement import Statement, Unsought
from swarm_mcp.repository.tables import OVERDUE
from swarm_mcp.repository.words import Sought, sought

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, TextClause

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task
COUNTED = 2000
"""How far a filtered list is counted; without a filter the tally knows."""

FEW = 2000
"""Tasks that pass a filter and can be collected before those are looked for that contain words."""


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
    archived: bool = False
    """Those that are archived, which no other list has."""
    reader: str | None = None
    """The id of the agent that reads; nobody is a stranger or the operator."""
    is_operator: bool = False

    @property
    def by_status_alone(self) -> bool:
        """Whether the tally can count it."""
        return self.shape() == UNCONDITIONAL

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
            text=bool(self.text),
            archived=self.archived,
        )

    @property
    def searcher(self) -> search.Reader:
        """Who searches."""
        if self.is_operator:
            return search.Reader.OPERATOR
        return search.Reader.STRANGER if self.reader is None else search.Reader.AGENT

    def values(self) -> dict[str, Any]:
        """The values of its conditions."""
        return {
            **dict(self.place),
            "root": self.under,
            "priority": self.priority,
            "area": self.area,
            "tag": _pattern(json.dumps(self.tag, ensure_ascii=False)) if self.tag else "",
        }


def _pattern(word: str) -> str:
    """A word anywhere in a text, for LIKE."""
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


class Shape(NamedTuple):
    """The conditions of a filter without their values: one statement serves all lists of one shape."""

    place: tuple[tuple[str, bool], ...]
    under: bool
    ready: bool
    overdue: bool
    priority: bool
    tag: bool
    area: bool
    text: bool
    archived: bool


UNCONDITIONAL = Filter().shape()


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
    after = read_cursor(sort, cursor)
    values = {**wanted.values(), **after, "project": db.project.slug, "now": db.now, "limit": limit + 1}
    found = _search(db, wanted, values) if wanted.text else search.Finds()
    values["found"] = found.distances
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
    page.exact = page.exact and found.complete
    return page


def _search(db: Transaction, wanted: Filter, values: dict[str, Any]) -> search.Finds:
    """The tasks with all words that are searched for: before the filter if they are few, else after it."""
    words = sought(wanted.text)
    if not words:
        return search.Finds()
    finds = search.find_own(db, words)
    if finds is None:
        finds = _search_common(db, wanted, words, values)
    search.add_rest(db, words, finds, wanted.searcher, wanted.reader)
    return finds


def _search_common(db: Transaction, wanted: Filter, words: list[Sought], values: dict[str, Any]) -> search.Finds:
    """The tasks that have words which are in very many, after the filter."""
    shape, finds = wanted.shape()._replace(text=False), search.Finds()
    statuses = wanted.statuses or ("",)
    if not replace(wanted, text="").by_status_alone:
        some = _some(shape, bool(wanted.statuses))
        passing = [
            each for status in statuses for each in some.scalars(db, {**values, "status": status, "limit": FEW + 1})
        ]
        if not passing:
            return finds
        if len(passing) <= FEW:
            return search.find_newest(db, words, search.AMONG_THESE, {"tasks": passing})
    for status in statuses:
        finds |= search.find_newest(db, words, _newest(shape, bool(status)), {**values, "status": status})
    return finds


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
    best = [search.DISTANCE.label("distance")] if sort == BEST else []
    columns = [*best, *(task.c[name] for name in ORDERS[sort][len(best) :])]
    if sort == "urgency" and (of_status or shape.ready):
        del columns[0]  # whether they are finished
    descending = sort in DESCENDING
    statement = select(*LINE, *best).where(*_conditions(shape, of_status=of_status, joined=bool(best)))
    if continued:
        bound = tuple_(*(bindparam(f"after_{column.key}", type_=column.type) for column in columns))
        statement = statement.where(tuple_(*columns) < bound if descending else tuple_(*columns) > bound)
    ordered = [column.desc() if descending else column for column in columns]
    return Statement(statement.order_by(*ordered).limit(bindparam("limit")))


@cache
def _counting(shape: Shape, of_status: bool) -> Statement:  # noqa: FBT001 - parts of a key
    inner = select(literal(1)).select_from(task).where(*_conditions(shape, of_status=of_status))
    return Statement(select(func.count()).select_from(inner.limit(bindparam("limit")).subquery()))


def _conditions(shape: Shape, *, of_status: bool, joined: bool = False) -> list[ColumnElement[bool] | TextClause]:
    # The plus keeps SQLite from an index of the whole project where the few that were found or given are looked up.
    few = shape.text or ("assignee_id", False) in shape.place
    project = Unsought(task.c.project) if few else task.c.project
    found: list[ColumnElement[bool] | TextClause] = [
        project == bindparam("project"),
        text("task.archived_at IS NOT NULL" if shape.archived else "task.archived_at IS NULL"),
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
    if shape.text:
        found.append(task.c.id == search.FOUND_ID if joined else task.c.id.in_(search.FOUND))
    return found


@cache
def _newest(shape: Shape, of_status: bool) -> Statement:  # noqa: FBT001 - a part of the key
    return search.newest_of(_conditions(shape, of_status=of_status))


@cache
def _some(shape: Shape, of_status: bool) -> Statement:  # noqa: FBT001 - a part of the key
    return Statement(select(task.c.id).where(*_conditions(shape, of_status=of_status)).limit(bindparam("limit")))


def _count(db: Transaction, wanted: Filter, values: dict[str, Any]) -> tuple[int, bool]:
    if wanted.by_status_alone:
        counts = tasks.tallies(db)
        return sum(count for status, count in counts.items() if not wanted.statuses or status in wanted.statuses), True
    counting = _counting(wanted.shape(), bool(wanted.statuses))
    total = sum(
        counting.scalar(db, {**values, "status": status, "limit": COUNTED + 1}) for status in wanted.statuses or ("",)
    )
    return min(total, COUNTED), total <= COUNTED
