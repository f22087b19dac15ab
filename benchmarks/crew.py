"""The agents of a large board: a director, supervisors with a team each, and workers with a specialty each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from swarm_mcp.repository import tables

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from benchmarks.bulk import Rows

SPECIALTIES = ("coding", "testing", "writing", "review", "research")
TASKS_FOR_A_TEAM, TEAMS, MEMBERS = 1000, 25, 20


@dataclass(frozen=True)
class Place:
    """Where a task lies, and who takes it from there."""

    columns: dict[str, str]
    worker: str


@dataclass
class Crew:
    """Who is on the board, by their ids."""

    director: str = ""
    teams: list[str] = field(default_factory=list[str])
    workers: list[str] = field(default_factory=list[str])
    """The first `MEMBERS` of them are in the first team, and so on; their specialties go round."""

    def place(self, lots: random.Random) -> Place:
        """Draw a place: with an agent, in a team's or a specialty's pool (15 % each), or with nobody."""
        number = lots.randrange(len(self.workers))
        worker, lot = self.workers[number], lots.random()
        if lot < 0.15:  # noqa: PLR2004 - as the sentence above says
            return Place({"assignee_id": worker}, worker)
        if lot < 0.30:  # noqa: PLR2004 - likewise
            return Place({"pool_team_id": self.teams[number // MEMBERS]}, worker)
        if lot < 0.45:  # noqa: PLR2004 - likewise
            return Place({"pool_specialty": SPECIALTIES[number % len(SPECIALTIES)]}, worker)
        return Place({}, worker)


def draw_uuid(lots: random.Random) -> str:
    """Draw an identifier that looks like a random UUID."""
    digits = f"{lots.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def recruit(tasks: int, now: datetime, lots: random.Random) -> tuple[Crew, Rows]:
    """Draw the crew for so many tasks, and its rows."""
    crew = Crew(director=draw_uuid(lots))
    rows: Rows = {tables.agent: [], tables.team: [], tables.team_member: []}

    def enrol(agent: str, name: str, role: str, level: int, superior: str | None, specialty: str = "") -> None:
        born: dict[str, Any] = {"created_at": now, "updated_at": now, "last_seen_at": now}
        rows[tables.agent].append(
            {
                "id": agent,
                "project": "default",
                "name": name,
                "role": role,
                "level": level,
                "superior_id": superior,
                "specialty": specialty,
                **born,
            }
        )

    enrol(crew.director, "lead", "director", 0, None)
    for number in range(min(TEAMS, max(2, tasks // TASKS_FOR_A_TEAM))):
        supervisor, team = draw_uuid(lots), draw_uuid(lots)
        enrol(supervisor, f"supervisor_{number}", "supervisor", 1, crew.director)
        crew.teams.append(team)
        rows[tables.team].append(
            {
                "id": team,
                "project": "default",
                "name": f"team_{number}",
                "supervisor_id": supervisor,
                "created_at": now,
                "updated_at": now,
            }
        )
        for member in range(MEMBERS):
            worker = draw_uuid(lots)
            specialty = SPECIALTIES[len(crew.workers) % len(SPECIALTIES)]
            enrol(worker, f"worker_{len(crew.workers)}", "worker", 2, supervisor, specialty)
            crew.workers.append(worker)
            stay = {"id": draw_uuid(lots), "team_id": team, "agent_id": worker, "joined_at": now}
            rows[tables.team_member].append({**stay, "role": "lead" if member == 0 else "member"})
    return crew, rows
