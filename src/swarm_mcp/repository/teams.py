"""Queries about teams and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

agent = tables.agent
team = tables.team
member = tables.team_member

NAMES = ListStatement(lambda wanted: select(team.c.id, team.c.name).where(team.c.id.in_(wanted)))
BY_NAME = Statement(select(team).where(team.c.project == bindparam("project"), team.c.name == bindparam("name")))
BY_ID = Statement(select(team).where(team.c.id == bindparam("id")))
ALL_NAMES = Statement(select(team.c.name).where(team.c.project == bindparam("project")).limit(2000))
TEAMS_OF = Statement(
    select(member.c.team_id).where(member.c.agent_id == bindparam("agent"), text("team_member.left_at IS NULL"))
)
MEMBERS_OF = Statement(
    select(agent)
    .join(member, member.c.agent_id == agent.c.id)
    .where(member.c.team_id == bindparam("team"), text("team_member.left_at IS NULL"))
    .order_by(agent.c.name)
)


def team_names(db: Transaction, team_ids: Iterable[str | None]) -> dict[str | None, str]:
    """Team names by id."""
    wanted = sorted({each for each in team_ids if each})
    return dict(NAMES.all(db, wanted))


def find_team(db: Transaction, name: str) -> Row | None:
    """The team of that name, or None."""
    return BY_NAME.first(db, {"project": db.project.slug, "name": name})


def team_row(db: Transaction, team_id: str) -> Row:
    """The team of that id."""
    return BY_ID.first(db, {"id": team_id})


def all_team_names(db: Transaction) -> list[str]:
    """Every team in the project."""
    return list(ALL_NAMES.scalars(db, {"project": db.project.slug}))


def teams_of(db: Transaction, agent_id: str) -> list[str]:
    """The ids of the teams that an agent is a current member of."""
    return list(TEAMS_OF.scalars(db, {"agent": agent_id}))


def members_of(db: Transaction, team_id: str) -> Sequence[Row]:
    """The current members of a team."""
    return MEMBERS_OF.all(db, {"team": team_id})
