"""Who is there to work: which agents could take what lies in the queue, and who could get it instead."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from swarm_mcp.model.agent import AgentRole, Availability, Lifecycle
from swarm_mcp.operations.availability import availability
from swarm_mcp.repository import crew, figures

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


GRACE = timedelta(minutes=2)
"""Agents that were just named are given so long to begin, and tasks for anyone to be taken, before they are missed."""


class Attendance:
    """The agents of a project at one moment, as seen by whoever reads."""

    def __init__(self, db: Transaction) -> None:
        self.reader = db.actor
        self.agents: dict[str, Row] = {row.id: row for row in crew.places(db)}
        self.loads = figures.live_claims(db)
        self.missed_since = db.now - GRACE
        self.present = {row.id for row in self.agents.values() if self._is_present(db, row)}
        """Active agents that are not offline, and whoever reads this."""
        self.hands = {each for each in self.present if not self._is_root(self.agents[each])}
        """Those who work on what is anyone's: all of them but the root directors."""
        self.members = crew.members_by_team(db)

    def _is_present(self, db: Transaction, row: Row) -> bool:
        if row.lifecycle != Lifecycle.ACTIVE:
            return False
        there = availability(db, row, busy=row.id in self.loads)
        return there is not Availability.OFFLINE or row.id == self.reader.id

    @staticmethod
    def _is_root(row: Row) -> bool:
        return row.role == AgentRole.DIRECTOR and row.superior_id is None

    def absence(self, lane: str) -> str:
        """Why nobody takes what is ready in a lane, as a phrase; "" if somebody may."""
        kind, _, specialty = lane.partition(":")
        if not lane:
            return "" if self.hands else "no worker is there"
        if lane in self.agents:
            return self._absence_of(self.agents[lane])
        if kind == "specialty":
            able = {row.id for row in self.agents.values() if row.specialty == specialty}
            who, nobody = f"the specialty {specialty}", f"nobody has the specialty {specialty}"
        else:
            able, who, nobody = self.members.get(lane, set()), "its team", "its team has no members"
        if able & self.present:
            return ""
        return f"nobody of {who} is there" if able else nobody

    def _absence_of(self, row: Row) -> str:
        if row.id in self.present:
            return ""
        if row.lifecycle == Lifecycle.SPAWNING:
            if row.created_at > self.missed_since:
                return ""
            return f"its assignee {row.name} has not called yet"
        state = "offline" if row.lifecycle == Lifecycle.ACTIVE else row.lifecycle
        return f"its assignee {row.name} is {state}"

    def substitute(self, lane: str) -> str:
        """The name of somebody who is there and could get a task instead of its lane: "" if nobody could.

        Whoever has the same specialty first, then whoever has least to do; each choice counts as work.
        """
        lost = self.agents.get(lane)
        specialty = lost.specialty if lost is not None else lane.removeprefix("specialty:")
        able = [self.agents[each] for each in self.present if self._may_be_given(self.agents[each])]
        chosen = min(
            able,
            key=lambda row: (
                row.id not in self.hands,
                not specialty or row.specialty != specialty,
                self.loads.get(row.id, 0),
                row.name,
            ),
            default=None,
        )
        if chosen is None:
            return ""
        self.loads[chosen.id] = self.loads.get(chosen.id, 0) + 1
        return chosen.name

    def _may_be_given(self, row: Row) -> bool:
        """Whether whoever reads may hand work to an agent: to itself and those below; root directors to all."""
        if self.reader.id is None or self.reader.is_root or row.id == self.reader.id:
            return True
        above = row.superior_id
        for _ in self.agents:
            if above is None or above == self.reader.id:
                break
            above = self.agents[above].superior_id
        return above is not None and above == self.reader.id
