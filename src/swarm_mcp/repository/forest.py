"""All tasks of a project as the trees that they form, read page by page: at no time is more than a little in memory.

Archived tasks are left out, as in every list; what is not archived below one stands by itself.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, exists, select, text, tuple_

from swarm_mcp.repository import tables
from swarm_mcp.repository.grouping import by_task
from swarm_mcp.repository.statement import ListStatement, Statement, Unsought
from swarm_mcp.repository.tasks import HERE, SLIM, task_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Select

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task
edge = tables.dependency
criterion = tables.criterion
ref = tables.external_ref
above = tables.task.alias("above")

PAGE = 500
CROWDED = 20_000
"""Subtasks of one task from which on its pages are read from the index of all tasks by age: sorting so many anew for
each page would cost SQLite more than passing over everybody else's once."""
LATER = tuple_(task.c.created_at, task.c.id) > tuple_(
    bindparam("after_at", type_=task.c.created_at.type), bindparam("after_id", type_=task.c.id.type)
)


def _pages(statement: Select[tuple[object, ...]]) -> tuple[Statement, Statement]:
    """The statements for the first page of siblings, the oldest first, and for those after it."""
    shown = statement.where(text("task.archived_at IS NULL"))
    ordered = (task.c.created_at, task.c.id)
    return tuple(  # type: ignore[return-value]
        Statement(each.order_by(*ordered).limit(bindparam("limit"))) for each in (shown, shown.where(LATER))
    )


TOPS = _pages(
    select(*SLIM).where(
        HERE, ~exists(select(above.c.id).where(above.c.id == task.c.parent_id, above.c.archived_at.is_(None)))
    )
)
PARTS = _pages(select(*SLIM).where(task.c.parent_id == bindparam("parent")))
MANY_PARTS = _pages(select(*SLIM).where(HERE, Unsought(task.c.parent_id) == bindparam("parent")))
EDGES_OF = ListStatement(
    lambda wanted: (
        select(edge.c.task_id, edge.c.depends_on_id, edge.c.type, task.c.title, task.c.status)
        .join(task, task.c.id == edge.c.depends_on_id)
        .where(edge.c.task_id.in_(wanted))
        .order_by(edge.c.task_id, edge.c.type, task.c.created_at, task.c.id)
    )
)
CRITERIA_OF = ListStatement(
    lambda wanted: (
        select(criterion).where(criterion.c.task_id.in_(wanted)).order_by(criterion.c.task_id, criterion.c.position)
    )
)
NAMES_OF = ListStatement(
    lambda wanted: (
        select(ref.c.task_id, ref.c.source, ref.c.foreign_id)
        .where(ref.c.task_id.in_(wanted))
        .order_by(ref.c.task_id, ref.c.source, ref.c.foreign_id)
    )
)


class Standing(NamedTuple):
    """A task where it stands among those that are wanted."""

    row: Row
    """Without its long texts."""
    depth: int
    parent: str
    """The id of the nearest task above it that is wanted too; empty at depth 0."""


class _Level:
    """The siblings that are still to come, below one task or at the top."""

    def __init__(self, db: Transaction, parent: Row | None, depth: int, above_it: str) -> None:
        self.db = db
        self.depth = depth
        self.above = above_it
        crowded = parent is not None and parent.subtasks >= CROWDED
        self.statements = TOPS if parent is None else MANY_PARTS if crowded else PARTS
        self.values = {"project": db.project.slug, "limit": PAGE} | (
            {"parent": parent.id} if parent is not None else {}
        )
        self.rows: deque[Row] = deque()
        self.more = True
        self.fill(is_first=True)

    def fill(self, *, is_first: bool = False) -> None:
        found = self.statements[not is_first].all(self.db, self.values)
        self.rows.extend(found)
        self.more = len(found) == PAGE
        if found:
            self.values |= {"after_at": found[-1].created_at, "after_id": found[-1].id}

    def take(self) -> Row:
        row = self.rows.popleft()
        if not self.rows and self.more:
            self.fill()
        return row


def walk(db: Transaction, *, root: str = "", since: datetime | None = None) -> Iterator[Standing]:
    """Every task, or one and all below it, depth first, siblings the oldest first.

    Args:
        db: the transaction.
        root: the id of the task at which to begin.
        since: leaves out what has not changed since; what stands below such a task moves up.

    """
    levels: list[_Level] = []
    top = task_row(db, root) if root else None
    if top is None:
        levels.append(_Level(db, None, 0, ""))
    else:
        shown = since is None or top.updated_at >= since
        if shown:
            yield Standing(top, 0, "")
        levels.append(_Level(db, top, int(shown), top.id if shown else ""))
    while levels:
        level = levels[-1]
        if not level.rows:
            levels.pop()
            continue
        row = level.take()
        shown = since is None or row.updated_at >= since
        if shown:
            yield Standing(row, level.depth, level.above)
        if not level.rows:  # a long chain needs no memory for the levels that it has left
            levels.pop()
        if row.subtasks:
            levels.append(_Level(db, row, level.depth + shown, row.id if shown else level.above))


def edges_of(db: Transaction, task_ids: list[str]) -> dict[str, list[Row]]:
    """For each task, its edges of every type, with title and status of the other end, the oldest first."""
    return by_task(EDGES_OF.all(db, task_ids))


def criteria_of(db: Transaction, task_ids: list[str]) -> dict[str, list[Row]]:
    """For each task, its criteria in their order."""
    return by_task(CRITERIA_OF.all(db, task_ids))


def foreign_names_of(db: Transaction, task_ids: list[str]) -> dict[str, list[Row]]:
    """For each task, the names that it had elsewhere."""
    return by_task(NAMES_OF.all(db, task_ids))
