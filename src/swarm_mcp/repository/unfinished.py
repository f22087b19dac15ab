"""Everything that is not finished yet, and what it waits for, in a few columns and a few statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, text

from swarm_mcp.repository import tables, tree
from swarm_mcp.repository.statement import ListStatement, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task
edge = tables.dependency
blocker = task.alias("blocker")
part = task.alias("part")

COLUMNS = (task.c.id, task.c.parent_id, task.c.rank, task.c.end_rank)
OPEN = (
    task.c.project == bindparam("project"),
    text("task.finished = 0"),
    text("task.archived_at IS NULL"),
)
TASKS = Statement(select(*COLUMNS).where(*OPEN))
ESTIMATES = Statement(select(task.c.id, task.c.estimated_hours).where(*OPEN, text("task.estimated_hours IS NOT NULL")))
OF_IDS = ListStatement(lambda wanted: select(*COLUMNS).where(task.c.id.in_(wanted)))
_gates = (
    select(edge.c.task_id, edge.c.depends_on_id, blocker.c.status)
    .join(blocker, blocker.c.id == edge.c.depends_on_id)
    .where(text("dependency.type = 'blocks'"), text("blocker.status <> 'completed'"))
    .order_by(edge.c.created_at, edge.c.depends_on_id)
)
GATES = Statement(_gates.join(task, task.c.id == edge.c.task_id).where(*OPEN))
GATES_OF = ListStatement(lambda wanted: _gates.where(edge.c.task_id.in_(wanted)))
FAILED_PARTS = Statement(
    select(part.c.id, part.c.parent_id)
    .select_from(task)
    .join(part, part.c.parent_id == task.c.id)
    .where(*OPEN, text("task.open_subtasks > 0"), text("part.status = 'failed'"))
)
_deadlines = (
    select(task.c.id, task.c.title, task.c.status, task.c.deadline, task.c.assignee_id)
    .where(task.c.project == bindparam("project"), text(tables.OVERDUE), task.c.due >= bindparam("now"))
    .order_by(task.c.due, task.c.id)
    .limit(bindparam("limit"))
)
DEADLINES = Statement(_deadlines)
DEADLINES_BELOW = Statement(_deadlines.where(task.c.id.in_(tree.BELOW)))


def open_tasks(db: Transaction) -> dict[str, Row]:
    """Every task of the project that is not finished, by id: its parent and its ranks."""
    return {row.id: row for row in TASKS.all(db, {"project": db.project.slug})}


def estimates(db: Transaction) -> dict[str, Decimal]:
    """The estimated hours of open tasks that have an estimate."""
    return dict(ESTIMATES.all(db, {"project": db.project.slug}))


def shut_parents(db: Transaction, around: dict[str, Row]) -> dict[str, Row]:
    """The finished tasks above these, by id: what they wait for keeps everything open below them waiting too."""
    found: dict[str, Row] = {}
    above = {row.parent_id for row in around.values() if row.parent_id and row.parent_id not in around}
    while above:
        rows = OF_IDS.all(db, sorted(above))
        found |= {row.id: row for row in rows}
        above = {row.parent_id for row in rows if row.parent_id} - found.keys() - around.keys()
    return found


def gates(db: Transaction, shut: Iterable[str]) -> Sequence[Row]:
    """What is not completed, and gates an open task or one of these: task_id, depends_on_id, and that one's status."""
    return [*GATES.all(db, {"project": db.project.slug}), *GATES_OF.all(db, sorted(shut))]


def failed_parts(db: Transaction) -> Sequence[Row]:
    """Failed subtasks of open tasks, archived or not: their parents wait for them."""
    return FAILED_PARTS.all(db, {"project": db.project.slug})


def deadlines(db: Transaction, *, limit: int, below: str = "") -> Sequence[Row]:
    """The open tasks (of the project, or below one) whose deadline comes next, the soonest first."""
    bound = {"project": db.project.slug, "now": db.now, "limit": limit, "root": below}
    return (DEADLINES_BELOW if below else DEADLINES).all(db, bound)
