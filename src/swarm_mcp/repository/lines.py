"""Tasks as rows of a list: what one line tells of a task, computed by the database in one statement."""

from __future__ import annotations

from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, String, and_, bindparam, case, func, literal, literal_column, select, type_coerce

from swarm_mcp.model.lifecycle import NATURAL_PROGRESS, STARTED_WAITING_PROGRESS, WAITING
from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, among, row_type
from swarm_mcp.repository.types import ExactDecimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task
edge = tables.dependency
part = tables.task.alias("part")
blocker = tables.task.alias("blocker")

NESTED = -1
"""In `rolled`: its subtasks have subtasks themselves, which have to be rolled up first."""
UNREAD_INSTANTS = ("started_at", "due", "created_at", "updated_at")


def _number(value: int) -> ColumnElement[int]:
    """A number as part of the statement's text, so that nobody has to bind it."""
    return literal_column(str(value))


_percent = case(
    (among(part.c.status, "completed"), _number(100)),
    (part.c.progress.is_not(None), part.c.progress),
    (and_(part.c.started_at.is_not(None), among(part.c.status, *WAITING)), _number(STARTED_WAITING_PROGRESS)),
    *((among(part.c.status, status), _number(percent)) for status, percent in NATURAL_PROGRESS.items()),
    else_=_number(0),
)
_weight = func.coalesce(part.c.estimated_hours, literal(Decimal(1), ExactDecimal()))
_mean = func.sum(_weight * _percent, type_=Float()) * literal_column("1.0") / func.sum(_weight, type_=Float())
_rolled = case(
    (
        and_(task.c.subtasks > _number(0), task.c.progress.is_(None)),
        select(case((func.max(part.c.subtasks) > _number(0), _number(NESTED)), else_=_mean))
        .where(part.c.parent_id == task.c.id, ~among(part.c.status, "cancelled"))
        .scalar_subquery(),
    ),
)
_comma: Any = literal_column("','")  # a plain text would be bound, in a way that only the library's own execution knows
_open_edges = case(
    (
        task.c.waits > task.c.gates,
        select(func.aggregate_strings(blocker.c.id, _comma))
        .join_from(edge, blocker, blocker.c.id == edge.c.depends_on_id)
        .where(edge.c.task_id == task.c.id, among(edge.c.type, "blocks"), ~among(blocker.c.status, "completed"))
        .scalar_subquery(),
    ),
)
LINE = (
    task.c.id, task.c.title, task.c.status, task.c.priority, task.c.assignee_id, task.c.holder_id,
    task.c.pool_team_id, task.c.pool_specialty, task.c.progress, task.c.deadline, task.c.lease_until,
    task.c.hold_reason, task.c.parent_id, task.c.finished, task.c.urgency,
    *(type_coerce(task.c[name], String).label(name) for name in UNREAD_INSTANTS),
    _rolled.label("rolled"), _open_edges.label("open_edges"),
)  # fmt: skip
"""What a row of a list is made and sorted from. Instants that only sort it stay as the driver gives them; `open_edges`
are the ids of what it waits for, with commas between; `rolled` is what its subtasks amount to in percent, weighed by
estimate (one hour where none is known)."""

BY_IDS = ListStatement(
    lambda wanted: select(*LINE).where(task.c.project == bindparam("project"), task.c.id.in_(wanted))
)
PARTS = ListStatement(
    lambda parents: select(
        part.c.id, part.c.parent_id, part.c.subtasks, part.c.progress, part.c.estimated_hours, _percent.label("percent")
    ).where(part.c.parent_id.in_(parents), ~among(part.c.status, "cancelled"))
)

NAMES = tuple(column.key for column in LINE)
OF_ITSELF = attrgetter(*NAMES[:-2])
"""What a line tells of a task that is in its own row."""


def line_of(db: Transaction, row: Row) -> Row:
    """The line of a task whose whole row is at hand."""
    needs_others = row.waits > row.gates or (row.subtasks and row.progress is None)
    return line_rows(db, [row.id])[0] if needs_others else row_type(NAMES)(*OF_ITSELF(row), None, None)


def line_rows(db: Transaction, task_ids: Iterable[str]) -> list[Row]:
    """The lines of these tasks, in this order; those that do not exist are left out."""
    wanted = list(dict.fromkeys(task_ids))
    found = {row.id: row for row in BY_IDS.all(db, wanted, {"project": db.project.slug})}
    return [found[each] for each in wanted if each in found]


def parts_of(db: Transaction, parents: list[str]) -> Sequence[Row]:
    """How far the subtasks of these tasks are that were not cancelled."""
    return PARTS.all(db, parents)
