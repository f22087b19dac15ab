"""Queries about teams and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, text, update

from swarm_mcp.model import ids
from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, Statement, set_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

agent = tables.agent
team = tables.team
member = tables.team_member

NAMES = ListStatement(lambda wanted: select(team.c.id, team.c.name).where(team.c.id.in_(wanted)))
HERE = team.c.project == bindparam("project")
BY_NAME = Statement(select(team).where(HERE, team.c.name == bindparam("name")))
BY_ID = Statement(select(team).where(team.c.id == bindparam("id")))
ALL = Statement(select(team).where(HERE).order_by(team.c.name))
ALL_NAMES = Statement(select(team.c.name).where(HERE).limit(2000))
TEAMS_OF = Statement(
    select(member.c.team_id).where(member.c.agent_id == bindparam("agent"), text("team_member.left_at IS NULL"))
)
MEMBERS_OF = Statement(
    select(agent)
    .join(member, member.c.agent_id == agent.c.id)
    .where(member.c.team_id == bindparam("team"), text("team_member.left_at IS NULL"))
    .order_by(agent.c.name)
)
INSERT = Statement(insert(team))
SUPERVISED_BY = Statement(
    select(team).where(HERE, team.c.supervisor_id == bindparam("supervisor")).order_by(team.c.name)
)
CURRENT = text("team_member.left_at IS NULL")
MEMBERSHIP = Statement(
    select(member).where(member.c.team_id == bindparam("team"), member.c.agent_id == bindparam("agent"), CURRENT)
)
MEMBERSHIPS = Statement(
    select(team)
    .join(member, member.c.team_id == team.c.id)
    .where(member.c.agent_id == bindparam("agent"), CURRENT)
    .order_by(team.c.name)
)
JOIN = Statement(insert(member))
LEAVE = Statement(update(member).where(member.c.id == bindparam("key_id")).values(left_at=bindparam("now")))
SET_ROLE = Statement(update(member).where(member.c.id == bindparam("key_id")).values(role=bindparam("new_role")))


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


def all_teams(db: Transaction) -> Sequence[Row]:
    """Every team in the project, by name."""
    return ALL.all(db, {"project": db.project.slug})


def all_team_names(db: Transaction) -> list[str]:
    """Every team in the project."""
    return list(ALL_NAMES.scalars(db, {"project": db.project.slug}))


def teams_of(db: Transaction, agent_id: str) -> list[str]:
    """The ids of the teams that an agent is a current member of."""
    return list(TEAMS_OF.scalars(db, {"agent": agent_id}))


def members_of(db: Transaction, team_id: str) -> Sequence[Row]:
    """The current members of a team."""
    return MEMBERS_OF.all(db, {"team": team_id})


def insert_team(db: Transaction, name: str, supervisor: str | None, **words: object) -> Row:
    """Store a new team and return it; `words` are more of its columns."""
    team_id = ids.new_uuid()
    born: dict[str, Any] = {"created_at": db.now, "updated_at": db.now}
    INSERT.run(
        db, {"id": team_id, "project": db.project.slug, "name": name, "supervisor_id": supervisor, **born, **words}
    )
    return team_row(db, team_id)


def update_team(db: Transaction, team_id: str, **values: object) -> Row:
    """Set columns of a team and return it as it is now."""
    set_columns(db, team, {"id": team_id}, {"updated_at": db.now, **values})
    return team_row(db, team_id)


def supervised_by(db: Transaction, agent_id: str) -> Sequence[Row]:
    """The teams of which an agent is the supervisor."""
    return SUPERVISED_BY.all(db, {"project": db.project.slug, "supervisor": agent_id})


def membership(db: Transaction, team_id: str, agent_id: str) -> Row | None:
    """An agent's current stay in a team, or None."""
    return MEMBERSHIP.first(db, {"team": team_id, "agent": agent_id})


def memberships(db: Transaction, agent_id: str) -> Sequence[Row]:
    """The teams that an agent is in."""
    return MEMBERSHIPS.all(db, {"agent": agent_id})


def join(db: Transaction, team_id: str, agent_id: str, role: str) -> None:
    """Begin an agent's stay in a team; a former one stays as it was."""
    JOIN.run(db, {"id": ids.new_uuid(), "team_id": team_id, "agent_id": agent_id, "role": role, "joined_at": db.now})


def leave(db: Transaction, membership_id: str) -> None:
    """End a stay in a team."""
    LEAVE.run(db, {"key_id": membership_id, "now": db.now})


def set_role(db: Transaction, membership_id: str, role: str) -> None:
    """Set what an agent is in its team."""
    SET_ROLE.run(db, {"key_id": membership_id, "new_role": role})
