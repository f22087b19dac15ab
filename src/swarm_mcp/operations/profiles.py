"""Agents and teams one by one, for whoever is in charge: all that the board says about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model.agent import TeamLine
from swarm_mcp.operations import naming, roster
from swarm_mcp.operations.answering import task_lines
from swarm_mcp.repository import agents, crew, loads, tasks, teams

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

TASKS_SHOWN = 50
LISTED = "`swarm-mcp agents list` shows who is here."


def agent_facts(db: Transaction, name: str) -> dict[str, Any]:
    """All about an agent, with what it holds, the most urgent first, as JSON values.

    Raises:
        NotFound: no such agent.

    """
    row = naming.known_agent(db, name, listed=LISTED)
    line = roster.agent_line(db, row).model_dump(mode="json", exclude={"capabilities_more", "teams_more", "team_role"})
    held = tasks.held_by(db, row.id, limit=TASKS_SHOWN)
    return {
        **line,
        "capabilities": list(row.capabilities),
        "teams": crew.memberships(db, [row.id]).get(row.id, []),
        "supervises": [group.name for group in teams.supervised_by(db, row.id)],
        "directly_below": [each.name for each in agents.just_below(db, row.id)],
        "title": row.title,
        "description": row.description,
        "config": row.config,
        "health": row.health,
        "policy_version": row.policy_version,
        "last_seen": row.last_seen_at.isoformat(timespec="seconds") if row.last_seen_at else "",
        "created_at": row.created_at.isoformat(timespec="seconds"),
        "holds": [each.structured() for each in task_lines(db, held)],
    }


def list_teams(db: Transaction) -> list[TeamLine]:
    """Every team of the project, by name, with how many are in it and what waits in its pool."""
    found = teams.all_teams(db)
    bosses = agents.agent_names(db, [group.supervisor_id for group in found])
    members, pools = crew.members_by_team(db), loads.open_loads(db)
    return [
        TeamLine(
            name=group.name,
            supervisor=bosses.get(group.supervisor_id, ""),
            members=len(members.get(group.id, ())),
            open=pools[None, group.id, None].tasks if (None, group.id, None) in pools else 0,
            objective=group.objective,
        )
        for group in found
    ]


def team_facts(db: Transaction, name: str) -> dict[str, Any]:
    """All about a team, with how many tasks of each status wait in its pool, as JSON values.

    Raises:
        NotFound: no such team; the sentence names the nearest.

    """
    group = naming.known_team(db, name)
    pool = loads.open_loads(db).get((None, group.id, None))
    return {
        "name": group.name,
        "supervisor": agents.agent_names(db, [group.supervisor_id]).get(group.supervisor_id, ""),
        "objective": group.objective,
        "description": group.description,
        "config": group.config,
        "created_at": group.created_at.isoformat(timespec="seconds"),
        "pool": dict(pool.statuses) if pool is not None else {},
    }
