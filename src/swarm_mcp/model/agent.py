"""Agents: what they are to each other, and who is acting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from swarm_mcp.model.record import Answer, Record


class AgentRole(StrEnum):
    """What an agent is for."""

    DIRECTOR = "director"
    SUPERVISOR = "supervisor"
    COORDINATOR = "coordinator"
    WORKER = "worker"
    SPECIALIST = "specialist"


class Lifecycle(StrEnum):
    """Whether an agent takes part."""

    SPAWNING = "spawning"
    ACTIVE = "active"
    PAUSED = "paused"
    FAILED = "failed"
    TERMINATED = "terminated"


class Availability(StrEnum):
    """Whether an agent could take work now. Derived from its claims and its last call, never stored."""

    BUSY = "busy"
    IDLE = "idle"
    OFFLINE = "offline"


class Profile(StrEnum):
    """Which list of tools a connection is given."""

    WORKER = "worker"
    DIRECTOR = "director"
    OBSERVER = "observer"


ENDED = frozenset({Lifecycle.FAILED, Lifecycle.TERMINATED})
OPERATOR = "operator"
LIFECYCLE_ALIASES = {
    "idle": Lifecycle.ACTIVE, "busy": Lifecycle.ACTIVE, "offline": Lifecycle.ACTIVE, "error": Lifecycle.FAILED,
}  # fmt: skip
"""What older systems called it; whether an agent is busy or away is seen here by what it does."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts in this transaction."""

    id: str | None
    """An agent's id; nobody is the operator, or a reader whom the board does not know yet."""
    name: str
    role: AgentRole = AgentRole.WORKER
    superior_id: str | None = None
    specialty: str = ""
    capacity: int = 0
    lifecycle: Lifecycle = Lifecycle.ACTIVE

    @property
    def is_operator(self) -> bool:
        """The person in charge: the command line and scripts."""
        return self.name == OPERATOR

    @property
    def is_root(self) -> bool:
        """A root director: above everybody."""
        return self.role is AgentRole.DIRECTOR and self.superior_id is None and self.id is not None


THE_OPERATOR = Actor(id=None, name=OPERATOR, role=AgentRole.DIRECTOR)


@dataclass(frozen=True, slots=True)
class Project:
    """A project's policies."""

    slug: str
    completion_checks: str = "enforce"
    lease_minutes: int = 30
    max_lapses: int = 5
    max_depth: int = 8
    require_review: bool = False
    title: str = ""
    """What people call it."""


class AgentLine(Record):
    """An agent as one row of a list: what it is, what it has in hand, what it has done."""

    name: str
    role: str
    availability: str
    superior: str = ""
    lifecycle: str = "active"
    specialty: str = ""
    capabilities: list[str] = []
    capabilities_more: int = 0
    capacity: int = 0
    teams: list[str] = []
    teams_more: int = 0
    team_role: str = ""
    """What it is in the team whose members are listed."""
    last_seen: str = ""
    """Of one that is offline."""
    claims: int = 0
    assigned: int = 0
    """What lies with it besides: assigned, unfinished, and held by nobody."""
    completed: int = 0
    ended: int = 0
    """Attempts that count: completed, partial, failed or lapsed."""
    success_percentage: int | None = None
    response_minutes: float | None = None
    quality: float | None = None
    timeliness: float | None = None
    ratings: int = 0


class TeamView(Record):
    """The team whose members are listed."""

    name: str
    supervisor: str = ""
    objective: str = ""
    description: str = ""


class TeamLine(Record):
    """A team as one row of a list."""

    name: str
    supervisor: str = ""
    members: int = 0
    open: int = 0
    """Tasks in its pool that want work."""
    objective: str = ""


class AgentList(Answer):
    """Agents in the order of the hierarchy, how many there are in all, and where the next page begins."""

    agents: list[AgentLine]
    total: int
    team: TeamView | None = None
    next_cursor: str = ""


class AgentLoad(Record):
    """What lies with an agent, or in a pool (`name` is then its label, and nobody holds anything)."""

    name: str
    availability: str = ""
    holds: int = 0
    capacity: int = 0
    ready: int = 0
    blocked: int = 0
    partial: int = 0
    hours: float = 0
    """Estimated hours of all that, as far as anybody has estimated."""
    overdue: int = 0
    completed: int = 0
    """In the last seven days."""
