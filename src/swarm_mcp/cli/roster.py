"""How agents are listed and shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from swarm_mcp.cli.printing import (
    Column,
    note,
    on_terminal,
    print_answer,
    print_facts,
    print_json,
    print_rows,
    print_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from swarm_mcp.model.agent import AgentLine, AgentList
    from swarm_mcp.repository.database import Transaction

COLUMNS = [
    Column("agent", flexible=True, wraps=True), Column("role"), Column("state"),
    Column("specialty", flexible=True, wraps=True), Column("teams", flexible=True, wraps=True),
    Column("holds", right=True), Column("to do", right=True), Column("done", right=True),
]  # fmt: skip
MEMBERS = [Column("in the team", flexible=True, wraps=True) if each.name == "teams" else each for each in COLUMNS]
"""For a team's members: what each is there."""
TASKS = [Column("holds"), Column("status"), Column("title", flexible=True, wraps=True)]


def collected(db: Transaction, *, team: str, role: str, status: str, most: int) -> AgentList:
    """A list of agents from as many pages as it takes.

    Args:
        db: the transaction.
        team: whose members, if not everybody.
        role: only agents of that role.
        status: only those of that lifecycle or availability.
        most: how many at most; 0 is all.

    """
    from swarm_mcp import operations  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.operations.limits import MOST  # noqa: PLC0415

    lines: list[AgentLine] = []
    cursor = ""
    while True:
        wanted = min(MOST, most - len(lines)) if most else MOST
        page = operations.list_agents(db, team=team, role=role, status=status, limit=wanted, cursor=cursor)
        lines += page.agents
        cursor = page.next_cursor
        if not cursor or len(lines) == most:
            break
    _, of, rest = page.message.partition(" of ")
    return page.model_copy(update={"agents": lines, "message": f"{len(lines):,}{of}{rest}"})


def show_list(found: AgentList, *, as_json: bool) -> None:
    """Print a list of agents."""
    if as_json:
        print_answer(found, as_json=True)
        return
    if on_terminal():
        columns = MEMBERS if any(line.team_role for line in found.agents) else COLUMNS
        print_table(columns, drawn(found.agents), title=found.message)
        return
    print_rows(plain(line) for line in found.agents)
    if found.next_cursor:
        note(f"{found.total - len(found.agents):,} more were left out: --limit 0 lists all.")


def plain(line: AgentLine) -> tuple[object, ...]:
    """One agent for a pipe."""
    teams = line.team_role or ",".join(line.teams)
    return (
        line.name, line.role, line.lifecycle, line.availability, line.superior, line.specialty, teams, line.claims,
        line.assigned, line.completed, line.ended,
    )  # fmt: skip


def drawn(lines: Iterable[AgentLine]) -> Iterator[tuple[str, ...]]:
    """Agents for a table, each indented below its superior if that is in it."""
    depth: dict[str, int] = {}
    for line in lines:
        depth[line.name] = depth.get(line.superior, -1) + 1
        more = f" +{line.teams_more}" if line.teams_more else ""
        yield (
            "· " * depth[line.name] + line.name,
            line.role,
            line.availability if line.lifecycle == "active" else line.lifecycle,
            line.specialty,
            line.team_role or ", ".join(line.teams) + more,
            str(line.claims or ""),
            str(line.assigned or ""),
            f"{line.completed} of {line.ended}" if line.ended else "",
        )


def show_agent(facts: dict[str, Any], *, as_json: bool) -> None:
    """Print all about one agent."""
    if as_json:
        print_json(facts)
        return
    numbers = {
        "success": ("success_percentage", "%"), "accepts in": ("response_minutes", " min"), "quality": ("quality", ""),
        "timeliness": ("timeliness", ""),
    }  # fmt: skip
    print_facts(
        {
            "agent": facts["name"],
            **{name: facts[name] for name in ("title", "role", "lifecycle", "availability", "superior", "specialty")},
            "capabilities": ", ".join(facts["capabilities"]),
            "capacity": facts["capacity"] or "",
            "teams": ", ".join(facts["teams"]),
            "supervises": ", ".join(facts["supervises"]),
            "directly below": ", ".join(facts["directly_below"]),
            "last seen": facts["last_seen"],
            "claims": facts["claims"] or "",
            "assigned": facts["assigned"] or "",
            "done": f"{facts['completed']} of {facts['ended']}" if facts["ended"] else "",
            **{name: f"{facts[key]:g}{unit}" for name, (key, unit) in numbers.items() if facts[key] is not None},
            "description": facts["description"],
            **{name: in_json(facts[name]) for name in ("config", "health")},
            "policy version": facts["policy_version"],
        }
    )
    held = [(each["id"], each["status"], each["title"]) for each in facts["holds"]]
    if not on_terminal():
        print_rows(("holds", *each) for each in held)
    elif held:
        print_table(TASKS, held)


def in_json(value: dict[str, Any]) -> str:
    """What programs keep, in one line; nothing if it is nothing."""
    return json.dumps(value, ensure_ascii=False) if value else ""
