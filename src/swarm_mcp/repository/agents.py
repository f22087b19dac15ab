"""Queries about agents and the hierarchy that they form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, literal, select, text, update

from swarm_mcp.model import ids
from swarm_mcp.model.agent import Actor, AgentRole, Lifecycle, Project
from swarm_mcp.model.errors import NotFound
from swarm_mcp.repository import tables
from swarm_mcp.repository.failures import Contended
from swarm_mcp.repository.statement import ListStatement, Statement, among, set_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

agent = tables.agent
project = tables.project

POLICIES = ("slug", "completion_checks", "lease_minutes", "max_lapses", "max_depth", "require_review")
ENTRANCE = Statement(
    select(
        *(project.c[name] for name in POLICIES),
        agent.c.id, agent.c.name, agent.c.role, agent.c.superior_id, agent.c.specialty, agent.c.capacity,
        agent.c.lifecycle, agent.c.last_seen_at,
    )
    .join_from(project, agent, (agent.c.project == project.c.slug) & (agent.c.name == bindparam("name")), isouter=True)
    .where(project.c.slug == bindparam("slug"))
)  # fmt: skip
HERE = agent.c.project == bindparam("project")
BY_NAME = Statement(select(agent).where(HERE, agent.c.name == bindparam("name")))
BY_ID = Statement(select(agent).where(agent.c.id == bindparam("id")))
LOCKED_BY_ID = Statement(select(agent).where(agent.c.id == bindparam("id")).with_for_update(key_share=True))
NAMES = ListStatement(lambda wanted: select(agent.c.id, agent.c.name).where(agent.c.id.in_(wanted)))
ALL_NAMES = Statement(select(agent.c.name).where(HERE).order_by(agent.c.name).limit(2000))
HAS_SPECIALTY = Statement(select(agent.c.id).where(HERE, agent.c.specialty == bindparam("specialty")).limit(1))
SPECIALTIES = Statement(select(agent.c.specialty).where(HERE, agent.c.specialty != "").distinct().limit(500))
INSERT_AGENT = Statement(insert(agent))
SEEN = Statement(
    update(agent)
    .where(agent.c.id == bindparam("key_id"))
    .values(last_seen_at=bindparam("now"), lifecycle=bindparam("lifecycle_now"))
)
ROOTS = Statement(
    select(agent)
    .where(HERE, text("agent.role = 'director' AND agent.superior_id IS NULL"))
    .order_by(agent.c.created_at, agent.c.id)
)
JUST_BELOW = Statement(select(agent).where(agent.c.superior_id == bindparam("superior")).order_by(agent.c.name))
ORPHANS = Statement(select(agent).where(HERE, agent.c.superior_id.is_(None), agent.c.role != "director"))
WITH_SPECIALTY = Statement(
    select(agent).where(HERE, agent.c.specialty == bindparam("specialty")).order_by(agent.c.name)
)
EVERYBODY = Statement(
    select(agent).where(HERE, among(agent.c.lifecycle, "active", "spawning", "paused")).order_by(agent.c.name)
)

_up = (
    select(agent.c.id, agent.c.superior_id, literal(0).label("height"))
    .where(agent.c.id == bindparam("id"))
    .cte("up", recursive=True)
)
_up = _up.union_all(
    select(agent.c.id, agent.c.superior_id, _up.c.height + 1)
    .join(_up, agent.c.id == _up.c.superior_id)
    .where(_up.c.height < 64)  # noqa: PLR2004 - a wall against a damaged hierarchy
)
SUPERIORS = Statement(select(agent).join(_up, agent.c.id == _up.c.id).where(_up.c.height > 0).order_by(_up.c.height))

_down = select(agent.c.id, literal(0).label("depth")).where(agent.c.id == bindparam("id")).cte("down", recursive=True)
_down = _down.union_all(
    select(agent.c.id, _down.c.depth + 1).join(_down, agent.c.superior_id == _down.c.id).where(_down.c.depth < 64)  # noqa: PLR2004 - likewise
)
HEIGHT = Statement(select(func.max(_down.c.depth)))
SHIFT_LEVELS = Statement(
    update(agent).where(agent.c.id.in_(select(_down.c.id))).values(level=agent.c.level + bindparam("by"))
)
CLAIMS_IN_PROGRESS = Statement(
    select(tables.task.c.id).where(
        tables.task.c.holder_id == bindparam("agent"),
        text(tables.UNHINDERED),
    )
)


def enter(db: Transaction, slug: str, name: str) -> tuple[Project | None, Row | None]:
    """A project's policies and the agent of that name, as far as an actor needs it; None for what there is not."""
    row = ENTRANCE.first(db, {"slug": slug, "name": name})
    if row is None:
        return None, None
    return Project(*row[: len(POLICIES)]), row if row.id is not None else None


def find_agent(db: Transaction, name: str) -> Row | None:
    """The agent of that (folded) name, or None."""
    return BY_NAME.first(db, {"project": db.project.slug, "name": name})


def agent_row(db: Transaction, agent_id: str) -> Row:
    """The agent of that id.

    Raises:
        NotFound: none.

    """
    row = BY_ID.first(db, {"id": agent_id})
    if row is None:
        raise NotFound(f"No agent {agent_id}.")
    return row


def as_actor(row: Row) -> Actor:
    """Who acts, as operations see it."""
    return Actor(
        id=row.id,
        name=row.name,
        role=AgentRole(row.role),
        superior_id=row.superior_id,
        specialty=row.specialty,
        capacity=row.capacity,
        lifecycle=Lifecycle(row.lifecycle),
    )


def lock_actor(db: Transaction) -> None:
    """Let whoever acts do one thing at a time: until the end nobody else claims for it, or changes what it is.

    Where there is one writer at a time that is so anyway. Take it before any task.

    Raises:
        Contended: it was paused, ended or woken since it came in; run again, it may not do this any more.

    """
    if db.locks_rows and db.actor.id is not None:
        row = LOCKED_BY_ID.first(db, {"id": db.actor.id})
        if row is None or row.lifecycle != db.actor.lifecycle:
            raise Contended
        db.actor = as_actor(row)


def agent_names(db: Transaction, agent_ids: Iterable[str | None]) -> dict[str | None, str]:
    """Names by id."""
    wanted = {each for each in agent_ids if each}
    if not wanted - {db.actor.id}:  # as so often, and known
        return dict.fromkeys(wanted, db.actor.name)
    return dict(NAMES.all(db, sorted(wanted)))


def all_agent_names(db: Transaction) -> list[str]:
    """Every name in the project."""
    return list(ALL_NAMES.scalars(db, {"project": db.project.slug}))


def all_specialties(db: Transaction) -> list[str]:
    """Every specialty that an agent of the project has."""
    return list(SPECIALTIES.scalars(db, {"project": db.project.slug}))


def insert_agent(
    db: Transaction,
    name: str,
    *,
    title: str,
    role: AgentRole,
    lifecycle: Lifecycle,
    superior: Row | None,
    seen: datetime | None,
    **words: object,
) -> Row:
    """Store a new agent below a superior (or below nobody) and return it; `words` are more of its columns."""
    agent_id = ids.new_uuid()
    INSERT_AGENT.run(
        db,
        {
            "id": agent_id,
            "project": db.project.slug,
            "name": name,
            "title": title,
            "role": role,
            "lifecycle": lifecycle,
            "superior_id": superior.id if superior else None,
            "level": superior.level + 1 if superior else 0,
            "last_seen_at": seen,
            "created_at": db.now,
            "updated_at": db.now,
            **words,
        },
    )
    return agent_row(db, agent_id)


def mark_seen(db: Transaction, agent_id: str, lifecycle: Lifecycle) -> None:
    """Note that an agent has called."""
    SEEN.run(db, {"key_id": agent_id, "now": db.now, "lifecycle_now": lifecycle})


def update_agent(db: Transaction, agent_id: str, **values: object) -> None:
    """Set columns of an agent."""
    set_columns(db, agent, {"id": agent_id}, {"updated_at": db.now, **values})


def has_specialty(db: Transaction, specialty: str) -> bool:
    """Whether an agent of the project has that specialty."""
    return HAS_SPECIALTY.first(db, {"project": db.project.slug, "specialty": specialty}) is not None


def just_below(db: Transaction, agent_id: str) -> Sequence[Row]:
    """Those of whom an agent is the superior."""
    return JUST_BELOW.all(db, {"superior": agent_id})


def height(db: Transaction, agent_id: str) -> int:
    """How many levels there are below an agent."""
    return HEIGHT.scalar(db, {"id": agent_id})


def shift_levels(db: Transaction, agent_id: str, by: int) -> None:
    """Lower (or, with less than nothing, raise) an agent and everybody below it by some levels."""
    SHIFT_LEVELS.run(db, {"id": agent_id, "by": by})


def root_directors(db: Transaction) -> Sequence[Row]:
    """Directors below nobody, the oldest first, whatever their lifecycle."""
    return ROOTS.all(db, {"project": db.project.slug})


def orphans(db: Transaction) -> Sequence[Row]:
    """Agents below nobody that are no directors."""
    return ORPHANS.all(db, {"project": db.project.slug})


def superiors(db: Transaction, agent_id: str) -> Sequence[Row]:
    """Those above an agent, the nearest first."""
    return SUPERIORS.all(db, {"id": agent_id})


def with_specialty(db: Transaction, specialty: str) -> Sequence[Row]:
    """The agents of a specialty."""
    return WITH_SPECIALTY.all(db, {"project": db.project.slug, "specialty": specialty})


def everybody(db: Transaction) -> Sequence[Row]:
    """The agents that have not ended."""
    return EVERYBODY.all(db, {"project": db.project.slug})


def count_claims_in_progress(db: Transaction, agent_id: str) -> int:
    """How many claims of an agent count against its capacity: in progress, with nothing in their way."""
    return len(CLAIMS_IN_PROGRESS.all(db, {"agent": agent_id}))
