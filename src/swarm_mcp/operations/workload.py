"""The workload: what lies with whom, what waits in the pools, and who has nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.agent import ENDED, AgentLoad, Lifecycle
from swarm_mcp.model.record import spoken
from swarm_mcp.model.task import Overview
from swarm_mcp.model.tokens import CEILING, fitting
from swarm_mcp.operations.availability import availability
from swarm_mcp.operations.limits import MOST
from swarm_mcp.repository import crew, figures, loads, teams
from swarm_mcp.repository.loads import Load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

POOLS_BUDGET = CEILING // 4
UNDER_WAY = ("in_progress", "requires_assistance")


def workload(db: Transaction, root: Row | None, limit: int) -> Overview:
    """Who holds what, what is assigned to whom and what waits in the pools, the most loaded first."""
    under = root.id if root is not None else ""
    found = loads.open_loads(db, under)
    people = _people(db, {agent: load for (agent, _, _), load in found.items() if agent})
    pools = _pools(db, {(team, specialty): load for (agent, team, specialty), load in found.items() if not agent})
    shown_pools = fitting(pools[:limit], spoken, budget=POOLS_BUDGET)
    busiest = people[:limit]
    lately = loads.completed_lately(db, [row.id for row, _ in busiest], under)
    for row, load in busiest:
        load.completed = lately.get(row.id, 0)
    busy = figures.live_claims(db)
    whole = crew.agent_rows(db, [row.id for row, _ in busiest])
    lines = [_agent_load(db, whole[row.id], load, busy=row.id in busy) for row, load in busiest]
    shown = fitting(lines, spoken, budget=CEILING - POOLS_BUDGET)
    in_review = sum(load.in_review for load in found.values())
    return Overview(
        view="workload",
        message=_sentence(people, len(shown), len(pools) - len(shown_pools), in_review, limit),
        agents=[each.structured() for each in shown],
        pools=[each.structured() for each in shown_pools],
    )


def _people(db: Transaction, found: dict[str, Load]) -> list[tuple[Row, Load]]:
    """Every agent that has not ended, or still has something, with what lies with it: the most loaded first."""
    rows = [row for row in crew.places(db) if row.lifecycle not in ENDED or row.id in found]
    pairs = [(row, found.get(row.id, Load())) for row in rows]
    return sorted(pairs, key=lambda pair: (*_weight(pair[1]), pair[0].name))


def _weight(load: Load) -> tuple[int, float, int]:
    return -load.tasks, -float(load.hours), -load.overdue


def _agent_load(db: Transaction, row: Row, load: Load, *, busy: bool) -> AgentLoad:
    there = availability(db, row, busy=busy).value
    state = there if row.lifecycle == Lifecycle.ACTIVE else f"{row.lifecycle} {there}"
    held = sum(load.statuses.get(status, 0) for status in UNDER_WAY)
    return _load(row.name, load).model_copy(
        update={"availability": state, "holds": held, "capacity": row.capacity, "completed": load.completed}
    )


def _load(name: str, load: Load) -> AgentLoad:
    return AgentLoad(
        name=name,
        ready=load.statuses.get("pending", 0),
        blocked=load.statuses.get("blocked", 0),
        partial=load.statuses.get("partial", 0),
        hours=round(float(load.hours), 1),
        overdue=load.overdue,
    )


def _pools(db: Transaction, found: dict[tuple[str | None, str | None], Load]) -> list[AgentLoad]:
    """What may be claimed by several, the fullest pool first."""
    names = teams.team_names(db, (team for team, _ in found))
    lines = [
        _load(f"team:{names[team]}" if team else f"specialty:{specialty}" if specialty else "anyone", load)
        for (team, specialty), load in found.items()
        if load.tasks
    ]
    return sorted(lines, key=lambda line: (-line.ready, -line.blocked, line.name))


def _sentence(people: Sequence[tuple[Row, Load]], shown: int, pools_left: int, in_review: int, limit: int) -> str:
    """How many have how much, and what was left out."""
    free = sum(not load.tasks for _, load in people)
    loaded, left = len(people) - free, len(people) - shown
    have, lack = "agent has" if loaded == 1 else "agents have", "has" if free == 1 else "have"
    said = [f"{loaded:,} {have} open tasks, {free:,} {lack} none."]
    if in_review:
        verb, whose = ("counts", "its reviewer") if in_review == 1 else ("count", "their reviewers")
        said.append(f"{in_review:,} in review {verb} for nobody but {whose}.")
    if left:
        wider = shown == limit < MOST
        call = f"limit={min(MOST, len(people))} shows them" if wider else "list_agents() pages through all"
        said.append(f"{left:,} more {'agent' if left == 1 else 'agents'}: {call}.")
    if pools_left:
        said.append(
            f"{pools_left:,} more {'pool, with less in it' if pools_left == 1 else 'pools, with less in them'}."
        )
    return " ".join(said)
