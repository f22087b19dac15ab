"""Queries about all agents of a project at once: who they are, who stands below whom, who is in which team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, Statement, among

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

agent = tables.agent
team = tables.team
member = tables.team_member

HERE = agent.c.project == bindparam("project")
PLACES = Statement(
    select(
        agent.c.id,
        agent.c.name,
        agent.c.superior_id,
        agent.c.role,
        agent.c.specialty,
        agent.c.lifecycle,
        agent.c.last_seen_at,
        agent.c.created_at,
    ).where(HERE)
)
WHOLE = ListStatement(lambda wanted: select(agent).where(agent.c.id.in_(wanted)))
MEMBERSHIPS = ListStatement(
    lambda wanted: (
        select(member.c.agent_id, team.c.name, member.c.role)
        .join(team, team.c.id == member.c.team_id)
        .where(member.c.agent_id.in_(wanted), text("team_member.left_at IS NULL"))
        .order_by(team.c.name)
    )
)
MEMBERS = Statement(
    select(member.c.agent_id, member.c.role).where(
        member.c.team_id == bindparam("team"), text("team_member.left_at IS NULL")
    )
)
MEMBERS_BY_TEAM = Statement(
    select(member.c.team_id, member.c.agent_id)
    .join(agent, agent.c.id == member.c.agent_id)
    .where(HERE, text("team_member.left_at IS NULL"))
)
_down = select(agent.c.id).where(agent.c.superior_id == bindparam("superior")).cte("down", recursive=True)
_down = _down.union(select(agent.c.id).join(_down, agent.c.superior_id == _down.c.id))
AT_WORK = among(agent.c.lifecycle, "active", "spawning")
AVAILABLE = Statement(select(agent).where(HERE, AT_WORK).order_by(agent.c.name))
AVAILABLE_BELOW = Statement(select(agent).where(agent.c.id.in_(select(_down.c.id)), AT_WORK).order_by(agent.c.name))


def places(db: Transaction) -> Sequence[Row]:
    """Every agent of the project, with what its place in the hierarchy and its availability follow from."""
    return PLACES.all(db, {"project": db.project.slug})


def agent_rows(db: Transaction, agent_ids: Sequence[str]) -> dict[str, Row]:
    """These agents by id, whole."""
    return {row.id: row for row in WHOLE.all(db, agent_ids)}


def memberships(db: Transaction, agent_ids: Sequence[str]) -> dict[str, list[str]]:
    """The names of the teams that each of these agents is in."""
    found: dict[str, list[str]] = {}
    for agent_id, name, _ in MEMBERSHIPS.all(db, agent_ids):
        found.setdefault(agent_id, []).append(name)
    return found


def members(db: Transaction, team_id: str) -> dict[str, str]:
    """The current members of a team: what each is in it, by the agent's id."""
    return dict(MEMBERS.all(db, {"team": team_id}))


def members_by_team(db: Transaction) -> dict[str, set[str]]:
    """The ids of the current members of every team that has any, by the team's id."""
    found: dict[str, set[str]] = {}
    for team_id, agent_id in MEMBERS_BY_TEAM.all(db, {"project": db.project.slug}):
        found.setdefault(team_id, set()).add(agent_id)
    return found


def at_work(db: Transaction, *, below: str | None) -> Sequence[Row]:
    """The agents, of the project or below one of them, that are neither paused nor ended."""
    if below is None:
        return AVAILABLE.all(db, {"project": db.project.slug})
    return AVAILABLE_BELOW.all(db, {"superior": below})
