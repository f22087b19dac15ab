"""The cast: who plays in the demo, where each stands in the hierarchy, and whose part is a special one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from swarm_mcp.model.agent import AgentRole

DIRECTOR = "director"
TEAMS = {"workshop": "vera", "laboratory": "tomasz"}
"""The supervisors by their teams. What the teams are for follows from the specialties in them."""
# No two look alike: a board asks back when an unknown name is close to a known one.
WORKERS = (
    "ada", "boris", "chiyo", "dmitri", "esther", "fuad", "gwen", "hugo", "ingrid", "jamal", "kofi", "lupe", "mwangi",
    "noor", "oskar", "priya",
)  # fmt: skip
SEATS = (("workshop", "coding"), ("laboratory", "testing"), ("workshop", "documentation"), ("laboratory", "research"))
"""Team and specialty of the first worker, the second, …; the fifth sits where the first does."""
CAPABILITIES = {
    "coding": ("databases", "APIs", "migrations", "integration", "frameworks"),
    "testing": ("test plans", "monitoring", "error handling"),
    "documentation": ("guides", "templates", "design", "demos"),
    "research": ("analysis", "scope", "providers", "requirements"),
}
VICTIM = 2
"""The third worker is killed, so that somebody of its team is left; with fewer workers nobody is."""


@dataclass(frozen=True, slots=True)
class Member:
    """One agent of the cast."""

    name: str
    role: AgentRole
    superior: str = ""
    team: str = ""
    """The team that it is in, or supervises."""
    specialty: str = ""

    def registration(self) -> dict[str, Any]:
        """What register_agent is told of it."""
        said = {"name": self.name, "role": self.role.value, "superior": self.superior, "team": self.team}
        if self.role is AgentRole.SUPERVISOR:
            return {**said, "team_role": "supervisor"}
        return {**said, "specialty": self.specialty, "capabilities": list(CAPABILITIES[self.specialty])}


@dataclass(frozen=True, slots=True)
class Cast:
    """A director, two supervisors, and the workers in their teams."""

    supervisors: tuple[Member, ...]
    workers: tuple[Member, ...]

    @property
    def below(self) -> tuple[Member, ...]:
        """Everybody but the director: each supervisor, then its team."""
        return tuple(each for boss in self.supervisors for each in (boss, *self.team(boss.team)))

    @property
    def names(self) -> list[str]:
        """Everybody's, in the order of the hierarchy."""
        return [DIRECTOR, *(each.name for each in self.below)]

    @property
    def counted(self) -> str:
        """How many there are of each kind, in words."""
        workers = "1 worker" if len(self.workers) == 1 else f"{len(self.workers)} workers"
        return f"1 director, {len(self.supervisors)} supervisors and {workers} in {len(TEAMS)} teams"

    @property
    def asker(self) -> str:
        """The worker that asks a question."""
        return self.workers[0].name

    @property
    def victim(self) -> str:
        """The worker that the demo kills; nobody if there are too few."""
        return self.workers[VICTIM].name if len(self.workers) > VICTIM else ""

    def team(self, name: str) -> tuple[Member, ...]:
        """The workers in a team; there may be none."""
        return tuple(each for each in self.workers if each.team == name)

    def member(self, name: str) -> Member | None:
        """Somebody of the cast; None is the director."""
        return next((each for each in self.below if each.name == name), None)


def cast_for(workers: int) -> Cast:
    """The cast of a performance with so many workers, 1 to 16."""
    supervisors = tuple(
        Member(name, AgentRole.SUPERVISOR, superior=DIRECTOR, team=team) for team, name in TEAMS.items()
    )
    placed: list[Member] = []
    for n, name in enumerate(WORKERS[:workers]):
        team, specialty = SEATS[n % len(SEATS)]
        placed.append(Member(name, AgentRole.WORKER, superior=TEAMS[team], team=team, specialty=specialty))
    return Cast(supervisors, tuple(placed))
