"""Sums over a project or a subtree."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVarTuple

from sqlalchemy import Select, func, select, text

from swarm_mcp.repository import tables, tasks
from swarm_mcp.repository.tables import OVERDUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction

task = tables.task
BATCH = 20_000
Columns = TypeVarTuple("Columns")


@dataclass(slots=True)
class Sums:
    """Counts and hours of some tasks."""

    statuses: dict[str, int] = field(default_factory=dict)
    phases: dict[str, int] = field(default_factory=dict)
    areas: dict[str, int] = field(default_factory=dict)
    hours: Decimal = Decimal(0)
    completed_hours: Decimal = Decimal(0)
    overdue: int = 0


def summary(db: Transaction, inside: Sequence[str] | None, *, limit: int) -> Sums:
    """Sums over the project's tasks that are not archived, or over these ids; at most `limit` areas."""
    found = Sums()
    batches: list[Any] = (
        [None] if inside is None else [inside[start : start + BATCH] for start in range(0, len(inside), BATCH)]
    )
    for batch in batches:
        _add(db, found, batch)
    if inside is None:
        found.statuses = tasks.tallies(db)
    found.areas = dict(sorted(found.areas.items(), key=lambda item: -item[1])[:limit])
    return found


def _narrowed(db: Transaction, statement: Select[*Columns], batch: Sequence[str] | None) -> Select[*Columns]:
    statement = statement.where(task.c.project == db.project.slug, text("task.archived_at IS NULL"))
    return statement if batch is None else statement.where(task.c.id.in_(batch))


def _add(db: Transaction, found: Sums, batch: Sequence[str] | None) -> None:
    def rows(statement: Select[*Columns]) -> Any:
        return db.connection.execute(_narrowed(db, statement, batch))

    if batch is not None:
        for status, count in rows(select(task.c.status, func.count()).group_by(task.c.status)):
            found.statuses[status] = found.statuses.get(status, 0) + count
    for phase, count in rows(
        select(task.c.phase, func.count()).where(task.c.phase.is_not(None)).group_by(task.c.phase)
    ):
        found.phases[str(phase)] = found.phases.get(str(phase), 0) + count
    for area, count in rows(select(task.c.area, func.count()).where(task.c.area != "").group_by(task.c.area)):
        found.areas[area] = found.areas.get(area, 0) + count
    hours = func.sum(task.c.estimated_hours, type_=task.c.estimated_hours.type)
    for status, total in rows(
        select(task.c.status, hours)
        .where(task.c.estimated_hours.is_not(None), task.c.status != "cancelled")
        .group_by(task.c.status)
    ):
        found.hours += total
        found.completed_hours += total if status == "completed" else 0
    found.overdue += rows(select(func.count()).where(text(OVERDUE), task.c.due < db.now)).scalar_one()
