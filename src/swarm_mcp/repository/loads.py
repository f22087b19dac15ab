"""What lies with whom: unfinished tasks summed up by the agent or pool that has them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, case, func, select, text

from swarm_mcp.repository import tables, tree
from swarm_mcp.repository.statement import ListStatement, Statement, among

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction

task = tables.task
execution = tables.execution

WEEK = timedelta(days=7)
LONGEST_ATTEMPT = timedelta(days=30)
"""How long before the week an attempt that ended in it may have begun: attempts are found by when they began."""

_owner = func.coalesce(task.c.holder_id, task.c.assignee_id)
_nobody = _owner.is_(None)
OWNERS = (
    _owner.label("agent"),
    case((_nobody, task.c.pool_team_id)).label("team"),
    case((_nobody, task.c.pool_specialty)).label("specialty"),
)


@dataclass(slots=True)
class Load:
    """Of one agent or pool."""

    statuses: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    hours: Decimal = Decimal(0)
    overdue: int = 0
    in_review: int = 0
    """Work that wants somebody else's: it counts for nothing else here."""
    completed: int = 0

    @property
    def tasks(self) -> int:
        """How many tasks want work."""
        return sum(self.statuses.values())


Owner = tuple[str | None, str | None, str | None]
"""The id of an agent, or of a team, or a specialty; none of them is whoever comes first."""


@cache
def _open(under: bool) -> Statement:  # noqa: FBT001 - the key of a statement
    statement = select(
        *OWNERS,
        task.c.status,
        func.count().label("tasks"),
        func.sum(task.c.estimated_hours, type_=task.c.estimated_hours.type).label("hours"),
        func.sum(case((task.c.due < bindparam("now"), 1), else_=0)).label("overdue"),
    ).where(task.c.project == bindparam("project"), text("task.archived_at IS NULL"), text("task.finished = 0"))
    if under:
        statement = statement.where(task.c.id.in_(tree.BELOW))
    return Statement(statement.group_by(*OWNERS, task.c.status))


@cache
def _completed(under: bool) -> ListStatement:  # noqa: FBT001 - likewise
    inside = [execution.c.task_id.in_(tree.BELOW)] if under else []
    return ListStatement(
        lambda wanted: (
            select(execution.c.agent_id, func.count())
            .where(
                execution.c.agent_id.in_(wanted),
                execution.c.started_at >= bindparam("begun"),
                execution.c.ended_at >= bindparam("since"),
                among(execution.c.status, "completed"),
                *inside,
            )
            .group_by(execution.c.agent_id)
        )
    )


def open_loads(db: Transaction, root: str = "") -> dict[Owner, Load]:
    """What lies with each agent and in each pool that has anything; of the project, or of what is below a task."""
    found: dict[Owner, Load] = defaultdict(Load)
    for row in _open(bool(root)).all(db, {"project": db.project.slug, "now": db.now, "root": root}):
        load = found[row.agent, row.team, row.specialty]
        if row.status == "in_review":
            load.in_review += row.tasks
            continue
        load.statuses[row.status] += row.tasks
        load.hours += row.hours or 0
        load.overdue += row.overdue
    return dict(found)


def completed_lately(db: Transaction, agent_ids: Sequence[str], root: str = "") -> dict[str, int]:
    """How many tasks each of these agents has completed within a week."""
    since = db.now - WEEK
    bound = {"since": since, "begun": since - LONGEST_ATTEMPT, "root": root}
    return dict(_completed(bool(root)).all(db, agent_ids, bound))
