"""Queries about projects, agents, teams and live connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, literal, select, text, update

from swarm_mcp.model import ids
from swarm_mcp.model.agent import Actor, AgentRole, Lifecycle, Project
from swarm_mcp.model.errors import NotFound
from swarm_mcp.repository.tables import AgentRow, ConnectionRow, ProjectRow, TaskRow, TeamMemberRow, TeamRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from swarm_mcp.repository.database import Transaction

project = ProjectRow.__table__
agent = AgentRow.__table__
team = TeamRow.__table__
member = TeamMemberRow.__table__
connection = ConnectionRow.__table__

PROJECT = select(project).where(project.c.slug == bindparam("slug"))
INSERT_PROJECT = insert(project)
HERE = agent.c.project == bindparam("project")
BY_NAME = select(agent).where(HERE, agent.c.name == bindparam("name"))
BY_ID = select(agent).where(agent.c.id == bindparam("id"))
NAMES = select(agent.c.id, agent.c.name).where(agent.c.id.in_(bindparam("ids", expanding=True)))
ALL_NAMES = select(agent.c.name).where(HERE).order_by(agent.c.name).limit(2000)
TEAM_NAMES = select(team.c.id, team.c.name).where(team.c.id.in_(bindparam("ids", expanding=True)))
TEAM_BY_NAME = select(team).where(team.c.project == bindparam("project"), team.c.name == bindparam("name"))
TEAM_BY_ID = select(team).where(team.c.id == bindparam("id"))
ALL_TEAMS = select(team.c.name).where(team.c.project == bindparam("project")).limit(2000)
SPECIALTIES = select(agent.c.specialty).where(HERE, agent.c.specialty != "").distinct().limit(500)
INSERT_AGENT = insert(agent)
SEEN = update(agent).where(agent.c.id == bindparam("key_id")).values(
    last_seen_at=bindparam("now"), lifecycle=bindparam("lifecycle_now")
)
ROOTS = (
    select(agent)
    .where(HERE, text("agent.role = 'director' AND agent.superior_id IS NULL"))
    .order_by(agent.c.created_at, agent.c.id)
)
ORPHANS = select(agent).where(HERE, agent.c.superior_id.is_(None), agent.c.role != "director")
TEAMS_OF = select(member.c.team_id).where(member.c.agent_id == bindparam("agent"), text("team_member.left_at IS NULL"))
MEMBERS_OF = (
    select(agent)
    .join(member, member.c.agent_id == agent.c.id)
    .where(member.c.team_id == bindparam("team"), text("team_member.left_at IS NULL"))
    .order_by(agent.c.name)
)
WITH_SPECIALTY = select(agent).where(HERE, agent.c.specialty == bindparam("specialty")).order_by(agent.c.name)
EVERYBODY = select(agent).where(HERE, agent.c.lifecycle.in_(["active", "spawning", "paused"])).order_by(agent.c.name)

_up = select(agent.c.id, agent.c.superior_id, literal(0).label("height")).where(agent.c.id == bindparam("id")).cte(
    "up", recursive=True
)
_up = _up.union_all(
    select(agent.c.id, agent.c.superior_id, _up.c.height + 1)
    .join(_up, agent.c.id == _up.c.superior_id)
    .where(_up.c.height < 64)  # noqa: PLR2004 - a wall against a damaged hierarchy
)
SUPERIORS = select(agent).join(_up, agent.c.id == _up.c.id).where(_up.c.height > 0).order_by(_up.c.height)

INSERT_CONNECTION = insert(connection)
CONNECTIONS = select(connection).where(connection.c.project == bindparam("project"))
TOUCH_CONNECTION = update(connection).where(connection.c.id == bindparam("key_id")).values(seen_at=bindparam("now"))
CLOSE_CONNECTION = delete(connection).where(connection.c.id == bindparam("key_id"))
CLAIMS_IN_PROGRESS = select(TaskRow.__table__.c.id).where(
    TaskRow.__table__.c.holder_id == bindparam("agent"), text("task.status = 'in_progress' AND task.waits = 0"),
    text("task.open_subtasks = 0"),
)


def find_project(db: Transaction, slug: str) -> Project | None:
    """A project's policies, or None."""
    row = db.connection.execute(PROJECT, {"slug": slug}).first()
    if row is None:
        return None
    return Project(
        slug=row.slug, completion_checks=row.completion_checks, lease_minutes=row.lease_minutes,
        max_lapses=row.max_lapses, max_depth=row.max_depth, require_review=row.require_review,
    )


def insert_project(db: Transaction, slug: str) -> None:
    """Store a new project with the default policies."""
    db.connection.execute(INSERT_PROJECT, {"slug": slug, "created_at": db.now})


def find_agent(db: Transaction, name: str) -> Row[Any] | None:
    """The agent of that (folded) name, or None."""
    return db.connection.execute(BY_NAME, {"project": db.project.slug, "name": name}).first()


def agent_row(db: Transaction, agent_id: str) -> Row[Any]:
    """The agent of that id.

    Raises:
        NotFound: none.

    """
    row = db.connection.execute(BY_ID, {"id": agent_id}).first()
    if row is None:
        raise NotFound(f"No agent {agent_id}.")
    return row


def as_actor(row: Row[Any]) -> Actor:
    """Who acts, as operations see it."""
    return Actor(
        id=row.id, name=row.name, role=AgentRole(row.role), superior_id=row.superior_id, specialty=row.specialty,
        capacity=row.capacity, lifecycle=Lifecycle(row.lifecycle),
    )


def agent_names(db: Transaction, agent_ids: Iterable[str | None]) -> dict[str | None, str]:
    """Names by id."""
    wanted = sorted({each for each in agent_ids if each})
    names: dict[str | None, str] = {}
    for start in range(0, len(wanted), 500):
        for row in db.connection.execute(NAMES, {"ids": wanted[start : start + 500]}):
            names[row.id] = row.name
    return names


def all_agent_names(db: Transaction) -> list[str]:
    """Every name in the project."""
    return list(db.connection.execute(ALL_NAMES, {"project": db.project.slug}).scalars())


def team_names(db: Transaction, team_ids: Iterable[str | None]) -> dict[str | None, str]:
    """Team names by id."""
    wanted = sorted({each for each in team_ids if each})
    if not wanted:
        return {}
    return {row.id: row.name for row in db.connection.execute(TEAM_NAMES, {"ids": wanted})}


def find_team(db: Transaction, name: str) -> Row[Any] | None:
    """The team of that name, or None."""
    return db.connection.execute(TEAM_BY_NAME, {"project": db.project.slug, "name": name}).first()


def team_row(db: Transaction, team_id: str) -> Row[Any]:
    """The team of that id."""
    return db.connection.execute(TEAM_BY_ID, {"id": team_id}).one()


def all_team_names(db: Transaction) -> list[str]:
    """Every team in the project."""
    return list(db.connection.execute(ALL_TEAMS, {"project": db.project.slug}).scalars())


def all_specialties(db: Transaction) -> list[str]:
    """Every specialty that an agent of the project has."""
    return list(db.connection.execute(SPECIALTIES, {"project": db.project.slug}).scalars())


def insert_agent(
    db: Transaction, name: str, *, title: str, role: AgentRole, lifecycle: Lifecycle, superior: Row[Any] | None,
    seen: datetime | None,
) -> Row[Any]:
    """Store a new agent below a superior (or below nobody) and return it."""
    agent_id = ids.new_uuid()
    db.connection.execute(
        INSERT_AGENT,
        {
            "id": agent_id, "project": db.project.slug, "name": name, "title": title, "role": role,
            "lifecycle": lifecycle, "superior_id": superior.id if superior else None,
            "level": superior.level + 1 if superior else 0, "last_seen_at": seen,
            "created_at": db.now, "updated_at": db.now,
        },
    )
    return agent_row(db, agent_id)


def mark_seen(db: Transaction, agent_id: str, lifecycle: Lifecycle) -> None:
    """Note that an agent has called."""
    db.connection.execute(SEEN, {"key_id": agent_id, "now": db.now, "lifecycle_now": lifecycle})


def update_agent(db: Transaction, agent_id: str, **values: object) -> None:
    """Set columns of an agent."""
    db.connection.execute(update(agent).where(agent.c.id == agent_id).values(updated_at=db.now, **values))


def root_directors(db: Transaction) -> Sequence[Row[Any]]:
    """Directors below nobody, the oldest first, whatever their lifecycle."""
    return db.connection.execute(ROOTS, {"project": db.project.slug}).all()


def orphans(db: Transaction) -> Sequence[Row[Any]]:
    """Agents below nobody that are no directors."""
    return db.connection.execute(ORPHANS, {"project": db.project.slug}).all()


def superiors(db: Transaction, agent_id: str) -> Sequence[Row[Any]]:
    """Those above an agent, the nearest first."""
    return db.connection.execute(SUPERIORS, {"id": agent_id}).all()


def teams_of(db: Transaction, agent_id: str) -> list[str]:
    """The teams that an agent is a current member of."""
    return list(db.connection.execute(TEAMS_OF, {"agent": agent_id}).scalars())


def members_of(db: Transaction, team_id: str) -> Sequence[Row[Any]]:
    """The current members of a team."""
    return db.connection.execute(MEMBERS_OF, {"team": team_id}).all()


def with_specialty(db: Transaction, specialty: str) -> Sequence[Row[Any]]:
    """The agents of a specialty."""
    return db.connection.execute(WITH_SPECIALTY, {"project": db.project.slug, "specialty": specialty}).all()


def everybody(db: Transaction) -> Sequence[Row[Any]]:
    """The agents that have not ended."""
    return db.connection.execute(EVERYBODY, {"project": db.project.slug}).all()


def count_claims_in_progress(db: Transaction, agent_id: str) -> int:
    """How many claims of an agent count against its capacity: in progress, with nothing in their way."""
    return len(db.connection.execute(CLAIMS_IN_PROGRESS, {"agent": agent_id}).all())


def open_connection(db: Transaction, connection_id: str, name: str, *, host: str, process: int) -> None:
    """Note a live connection."""
    db.connection.execute(
        INSERT_CONNECTION,
        {
            "id": connection_id, "project": db.project.slug, "agent": name, "host": host, "process": process,
            "opened_at": db.now, "seen_at": db.now,
        },
    )


def connections(db: Transaction) -> Sequence[Row[Any]]:
    """The project's connections, dead ones included until they are swept."""
    return db.connection.execute(CONNECTIONS, {"project": db.project.slug}).all()


def touch_connection(db: Transaction, connection_id: str) -> None:
    """Note that a connection is still there."""
    db.connection.execute(TOUCH_CONNECTION, {"key_id": connection_id, "now": db.now})


def close_connection(db: Transaction, connection_id: str) -> None:
    """Forget a connection."""
    db.connection.execute(CLOSE_CONNECTION, {"key_id": connection_id})
