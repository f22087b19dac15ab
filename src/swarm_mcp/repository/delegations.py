"""The chain of a task: who handed it to whom, in what words, and what became of it; in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

delegation = tables.delegation
giver = tables.agent.alias("giver")
taker = tables.agent.alias("taker")
team = tables.team

CHAIN = Statement(
    select(
        delegation.c.at,
        giver.c.name.label("giver"),
        taker.c.name.label("taker"),
        team.c.name.label("team"),
        delegation.c.to_specialty,
        delegation.c.state,
        delegation.c.reason,
        delegation.c.reasoning,
        delegation.c.expected_deliverables,
        func.count().over().label("links"),
    )
    .outerjoin(giver, giver.c.id == delegation.c.from_id)
    .outerjoin(taker, taker.c.id == delegation.c.to_agent_id)
    .outerjoin(team, team.c.id == delegation.c.to_team_id)
    .where(delegation.c.task_id == bindparam("task"))
    .order_by(delegation.c.at.desc())
    .limit(bindparam("limit"))
)
FIND = Statement(
    select(delegation)
    .join(tables.task, tables.task.c.id == delegation.c.task_id)
    .where(delegation.c.id == bindparam("id"), tables.task.c.project == bindparam("project"))
)


def find_delegation(db: Transaction, delegation_id: str) -> Row | None:
    """A delegation of this project, or None."""
    return FIND.first(db, {"id": delegation_id, "project": db.project.slug})


def chain(db: Transaction, task_id: str, *, limit: int) -> Sequence[Row]:
    """The latest delegations of a task, the oldest of them first; `links` says how many there are in all."""
    return CHAIN.all(db, {"task": task_id, "limit": limit})[::-1]
