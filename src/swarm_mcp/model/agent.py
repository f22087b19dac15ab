"""Agents: what they are to each other, and who is acting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AgentRole(StrEnum):
    """What an agent is for."""

    DIRECTOR = "director"
    SUPERVISOR = "supervisor"
    COORDINATOR = "coordinator"
    WORKER = "worker"
    SPECIALIST = "specialist"


class Lifecycle(StrEnum):
    """Whether an agent takes part. Availability (busy, idle, offline) is derived, never stored."""

    SPAWNING = "spawning"
    ACTIVE = "active"
    PAUSED = "paused"
    FAILED = "failed"
    TERMINATED = "terminated"


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
