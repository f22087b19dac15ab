"""What changing agents, teams and policies answers."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from swarm_mcp.model.record import Answer, Record


class AgentChange(Record):
    """An agent after a write: where it stands and what changed."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    role: str
    lifecycle: str
    superior: str = ""
    level: int = 0


class Registered(Answer):
    """What registering an agent, or changing one, answers."""

    agent: AgentChange
    effects: dict[str, int] = {}
    """How many claims, assignments, questions, agents and teams it concerned that an agent was paused or ended."""
    warnings: list[str] = []
    unread: int = 0


class TeamChange(Answer):
    """A team after a write."""

    team: str
    supervisor: str = ""


class PolicyChange(Answer):
    """A project's policies after a write."""

    policies: dict[str, Any]
