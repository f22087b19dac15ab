"""The roster: agents with what follows from everything else, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

agent, task, team, member = tables.agent, tables.task, tables.team, tables.team_member
above = agent.alias("above")

LINES = select(
    agent,
    select(above.c.name).where(above.c.id == agent.c.superior_id).scalar_subquery().label("superior"),
    select(func.count()).select_from(task).where(task.c.holder_id == agent.c.id).scalar_subquery().label("holds"),
    select(func.count())
    .select_from(task)
    .where(task.c.assignee_id == agent.c.id, text("task.finished = 0 AND task.archived_at IS NULL"))
    .scalar_subquery()
    .label("assigned"),
).where(agent.c.project == bindparam("project"))
PAGE = Statement(LINES.where(agent.c.name > bindparam("after")).order_by(agent.c.name).limit(bindparam("limit")))
ONE = Statement(LINES.where(agent.c.name == bindparam("name")))
TEAMS = ListStatement(
    lambda wanted: (
        select(member.c.agent_id, team.c.name)
        .join(team, team.c.id == member.c.team_id)
        .where(member.c.agent_id.in_(wanted), text("team_member.left_at IS NULL"))
        .order_by(team.c.name)
    )
)


def page(db: Transaction, *, after: str, limit: int) -> Sequence[Row]:
    """Agents whose names come after this one, by name; each with its superior's name, and what it has to do."""
    return PAGE.all(db, {"project": db.project.slug, "after": after, "limit": limit})


def find(db: Transaction, name: str) -> Row | None:
    """The same of one agent, or None."""
    return ONE.first(db, {"project": db.project.slug, "name": name})


def teams_by_agent(db: Transaction, agent_ids: Iterable[str]) -> dict[str, list[str]]:
    """The names of the teams that these agents are in now."""
    found: dict[str, set[str]] = {}  # a list of values may be asked for one of them twice
    for agent_id, name in TEAMS.all(db, list(agent_ids)):
        found.setdefault(agent_id, set()).add(name)
    return {agent_id: sorted(names) for agent_id, names in found.items()}
