"""The people of the plain model: who stands below whom, who is in which team, who may change that."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from plain_task import OPERATOR, Place, Refused, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

ENDED = {"failed", "terminated"}
ABSENT = timedelta(days=1)


@dataclass
class Agent:
    """Somebody who works."""

    name: str
    superior: str | None = None
    role: str = "worker"
    specialty: str = ""
    capabilities: tuple[str, ...] = ()
    capacity: int = 0
    lifecycle: str = "active"
    seen: datetime | None = None

    @property
    def skills(self) -> set[str]:
        """Every word by which work finds it."""
        return {self.specialty, *self.capabilities} - {""}


@dataclass
class Team:
    """Some agents, and who decides about them."""

    name: str
    supervisor: str | None = None
    members: set[str] = field(default_factory=set)


class Crew:
    """Everybody."""

    def __init__(self, agents: Iterable[Agent], teams: Iterable[Team]) -> None:
        self.agents = {agent.name: agent for agent in agents}
        self.teams = {team.name: team for team in teams}

    # Who stands where.

    def above(self, name: str) -> list[str]:
        """Everybody above an agent, the nearest first; nobody is above the operator."""
        found: list[str] = []
        boss = self.agents[name].superior if name in self.agents else None
        while boss is not None:
            found.append(boss)
            boss = self.agents[boss].superior
        return found

    def superior(self, who: str) -> str:
        """Who stands above somebody: the operator above all that have nobody else."""
        return (self.agents[who].superior if who in self.agents else None) or OPERATOR

    def is_root(self, who: str) -> bool:
        """Whether somebody is a director below nobody."""
        return who in self.agents and self.agents[who].role == "director" and self.agents[who].superior is None

    def leads(self, who: str) -> bool:
        """Whether somebody may do everything."""
        return who == OPERATOR or self.is_root(who)

    def stands_over(self, who: str, name: str) -> bool:
        return self.leads(who) or who in self.above(name)

    def reaches(self, who: str, name: str) -> bool:
        """Whether an agent is somebody itself, or below it."""
        return who == name or self.stands_over(who, name)

    def active(self, name: str) -> bool:
        return name in self.agents and self.agents[name].lifecycle == "active"

    def ended(self, name: str) -> bool:
        return name in self.agents and self.agents[name].lifecycle in ENDED

    def roots(self) -> list[str]:
        """The active root directors, the oldest first."""
        return [name for name in self.agents if self.is_root(name) and self.active(name)]

    def check_takes_part(self, who: str, *, resting: bool) -> None:
        """Paused agents read, note and answer messages (`resting`); those that have ended do nothing at all."""
        if self.ended(who) or (who in self.agents and not self.active(who) and not resting):
            raise Refused("not_allowed")

    def seen(self, who: str, now: datetime) -> None:
        """An accepted write is a heartbeat, kept at most once a minute."""
        agent = self.agents.get(who)
        if agent is not None and (agent.seen is None or now - agent.seen > timedelta(minutes=1)):
            agent.seen = now

    def lanes(self, who: str) -> list[Place]:
        """Where somebody may claim from."""
        agent = self.agents[who]
        specialty: list[Place] = [("specialty", agent.specialty)] if agent.specialty else []
        teams: list[Place] = [("team", team.name) for team in self.teams.values() if who in team.members]
        return [("agent", who), *teams, *specialty, None]

    def pool(self, kind: str, name: str) -> list[str]:
        """Who belongs to a team or a specialty and has not ended."""
        found = self.teams[name].members if kind == "team" else self.agents
        return [
            each for each in found
            if not self.ended(each) and (kind == "team" or self.agents[each].specialty == name)
        ]  # fmt: skip

    # Who changes that.

    def stand_below(self, who: str, name: str, boss: str) -> None:
        """An agent gets another superior."""
        if self.agents[name].superior == boss:
            return
        no = {"not_allowed"} if not self.stands_over(who, name) or not self.reaches(who, boss) else set[str]()
        if self.ended(boss):
            no.add("not_allowed")
        if name == boss or name in self.above(boss):
            no.add("cycle")
        refuse(no)
        self.agents[name].superior = boss

    def join(self, who: str, name: str, team: str) -> None:
        """An agent becomes a member of a team: by whoever supervises it, of those below; or by itself, if no worker."""
        if self.ended(name):
            raise Refused("not_allowed")
        if name in self.teams[team].members:
            return
        by_itself = who == name and self.agents[name].role != "worker"
        if not by_itself and not (self._supervises(who, team) and self.reaches(who, name)):
            raise Refused("not_allowed")
        self.teams[team].members.add(name)

    def leave(self, who: str, name: str, team: str) -> None:
        """An agent leaves a team: by itself, by those above it, or by whoever supervises the team."""
        if name not in self.teams[team].members:
            return
        if not self.reaches(who, name) and not self._supervises(who, team):
            raise Refused("not_allowed")
        self.teams[team].members.remove(name)

    def _supervises(self, who: str, team: str) -> bool:
        boss = self.teams[team].supervisor
        return self.leads(who) or (boss is not None and (boss == who or who in self.above(boss)))

    def appoint(self, who: str, name: str, lifecycle: str) -> str:
        """Give an agent another lifecycle.

        Returns:
            The former one.

        """
        agent = self.agents[name]
        others = [each for each in self.roots() if each != name]
        adopted = agent.superior is None and agent.role != "director" and lifecycle not in ENDED and bool(others)
        if agent.lifecycle == lifecycle and not adopted:
            return lifecycle
        if not self.stands_over(who, name):
            raise Refused("not_allowed")
        if who == name and not others:  # the last active root director stays that
            raise Refused("not_allowed")
        if lifecycle == "paused" and agent.lifecycle in ENDED:  # which is no way back
            raise Refused("invalid")
        before, agent.lifecycle = agent.lifecycle, lifecycle
        if adopted:  # whoever has nobody above it goes where newcomers go
            agent.superior = others[0]
        return before

    def retire(self, name: str) -> None:
        """An agent has ended: those below it, and its teams, go to its superior, else to a root director."""
        roots = [each for each in self.roots() if each != name]
        heir = self.agents[name].superior or next(iter(roots), None)
        for agent in self.agents.values():
            if agent.superior == name:
                agent.superior = heir
        for team in self.teams.values():
            team.members.discard(name)
            if team.supervisor == name:
                team.supervisor = heir
