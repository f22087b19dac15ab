"""The board at a glance: how many tasks there are, what is in progress, who is there, and what happened last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.agent import ENDED, Availability, Lifecycle
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.model.record import Record
from swarm_mcp.model.task import TaskLine
from swarm_mcp.operations.availability import availability
from swarm_mcp.operations.browsing import list_tasks
from swarm_mcp.operations.happenings import Happening, told
from swarm_mcp.repository import crew, events, figures, tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

UNDER_WAY = (TaskStatus.REQUIRES_ASSISTANCE, TaskStatus.IN_PROGRESS, TaskStatus.IN_REVIEW)
TASKS, AGENTS, EVENTS = 60, 60, 60
"""How much is looked at, which is more than a screen has room for."""
ORDER = (Availability.BUSY, Availability.IDLE, Availability.OFFLINE)


class Presence(Record):
    """An agent, and whether it could take work."""

    name: str
    role: str
    availability: str
    lifecycle: str = "active"
    claims: int = 0


class Glance(Record):
    """The board of one moment."""

    at: str
    project: str
    statuses: dict[str, int]
    under_way: list[TaskLine]
    """What somebody holds or reviews, the most urgent first."""
    under_way_total: int
    agents: list[Presence]
    """Those who have not ended: the busy first, then the idle."""
    agents_total: int
    events: list[Happening]
    """The latest, the oldest of them first."""


def glance(db: Transaction) -> Glance:
    """Look at the board: a few short statements, whatever its size."""
    going = list_tasks(db, status=[each.value for each in UNDER_WAY], limit=TASKS)
    there = _present(db)
    return Glance(
        at=f"{db.now:%Y-%m-%dT%H:%M:%SZ}",
        project=db.project.slug,
        statuses=tasks.tallies(db),
        under_way=going.tasks,
        under_way_total=going.total,
        agents=there[:AGENTS],
        agents_total=len(there),
        events=told(db, events.recent_events(db, limit=EVENTS)),
    )


def _present(db: Transaction) -> list[Presence]:
    live = figures.live_claims(db)
    found = [(availability(db, row, busy=row.id in live), row) for row in crew.places(db) if row.lifecycle not in ENDED]
    found.sort(key=lambda pair: (ORDER.index(pair[0]), pair[1].name))
    return [_presence(there, row, live.get(row.id, 0)) for there, row in found]


def _presence(there: Availability, row: Row, claims: int) -> Presence:
    paused = row.lifecycle if row.lifecycle != Lifecycle.ACTIVE else "active"
    return Presence(name=row.name, role=row.role, availability=there.value, lifecycle=paused, claims=claims)
