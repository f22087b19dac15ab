"""Agents as text: their roster, and what lies with whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swarm_mcp.model.agent import AgentLine, AgentList


def roster(answer: AgentList) -> list[str]:
    """A list of agents below its sentence; each is indented below its superior, if that is on the page."""
    lines: list[str] = []
    team = answer.team
    if team is not None:
        said = [f"supervisor {team.supervisor}" if team.supervisor else "", team.objective, team.description]
        lines.append(f"{team.name}: {' · '.join(' '.join(each.split()) for each in said if each)}".rstrip(": "))
    depth: dict[str, int] = {}
    for line in answer.agents:
        depth[line.name] = depth.get(line.superior, -1) + 1
        lines.append("  " * depth[line.name] + agent(line, alone=line.superior not in depth))
    if answer.next_cursor:
        lines.append(f'next: cursor="{answer.next_cursor}"')
    return lines


def agent(line: AgentLine, *, alone: bool) -> str:
    """One agent in one line: `ada worker busy · testing · pytest · 1 claim · 92% of 12 done`."""
    more = f" +{line.capabilities_more}" if line.capabilities_more else ""
    others = f" +{line.teams_more}" if line.teams_more else ""
    extras = [
        f"below {line.superior}" if line.superior and alone else "",
        f"in the team as {line.team_role}" if line.team_role else "",
        f"specialty {line.specialty}" if line.specialty else "",
        f"can {', '.join(' '.join(each.split()) for each in line.capabilities)}{more}" if line.capabilities else "",
        f"in {', '.join(line.teams)}{others}" if line.teams else "",
        f"unseen since {line.last_seen[:10]} {line.last_seen[11:16]}Z" if line.last_seen else "",
        *_load(line),
        *record(line),
    ]
    lifecycle = f" {line.lifecycle}" if line.lifecycle != "active" else ""
    return " · ".join([f"{line.name} {line.role}{lifecycle} {line.availability}", *(each for each in extras if each)])


def _load(line: AgentLine) -> list[str]:
    return [
        f"{line.claims} {'claim' if line.claims == 1 else 'claims'}" if line.claims else "",
        f"{line.assigned} assigned" if line.assigned else "",
        f"capacity {line.capacity}" if line.capacity else "",
    ]


def record(line: AgentLine) -> list[str]:
    """How well an agent has done, as phrases."""
    rated = [
        f"quality {line.quality:g}" if line.quality is not None else "",
        f"timeliness {line.timeliness:g}" if line.timeliness is not None else "",
    ]
    count = f"{line.ratings} {'rating' if line.ratings == 1 else 'ratings'}"
    said = [
        f"{line.completed} of {line.ended} done ({line.success_percentage}%)" if line.ended else "",
        f"accepts in {line.response_minutes:g} min" if line.response_minutes is not None else "",
        f"{', '.join(each for each in rated if each)} ({count})" if line.ratings else "",
    ]
    return [each for each in said if each]


def load(facts: dict[str, Any]) -> str:
    """What lies with an agent or in a pool, in one line: `ada busy · holds 1 of 2 · 3 ready · 6.5 h · 1 overdue`."""
    capacity = f" of {facts['capacity']}" if "capacity" in facts else ""
    counts = [
        f"holds {facts.get('holds', 0)}{capacity}" if "holds" in facts or capacity else "",
        *(f"{facts[name]:,} {name}" for name in ("ready", "blocked", "partial") if name in facts),
        f"{facts['hours']:g} h" if "hours" in facts else "",
        f"{facts['overdue']:,} overdue" if "overdue" in facts else "",
        f"{facts['completed']:,} completed in 7 days" if "completed" in facts else "",
    ]
    name = f"{facts['name']} {facts.get('availability', '')}".rstrip()
    return " · ".join([name, *(each for each in counts if each)])
