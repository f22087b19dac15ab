"""Agents as documents: all of them as lines, and one with what it has to do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from swarm_mcp.interchange.text import row as task_row
from swarm_mcp.model.errors import NotFound
from swarm_mcp.model.ids import fold_name, nearest
from swarm_mcp.model.lifecycle import FINISHED, TaskStatus
from swarm_mcp.model.tokens import clipped, fitting
from swarm_mcp.operations import browsing
from swarm_mcp.operations.answering import shorten, task_lines
from swarm_mcp.repository import agents, roster, tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

PAGE = 100
TASKS_SHOWN = 20
WORDS = 500
"""Tokens of what an agent says about itself."""
OPEN = [status.value for status in TaskStatus if status not in FINISHED]


def roster_lines(db: Transaction, after: str) -> str:
    """Every agent in a line, by name; a page ends with where the next one begins."""
    found = roster.page(db, after=fold_name(after) if after.strip() else "", limit=PAGE)
    teams = roster.teams_by_agent(db, [each.id for each in found])
    shown = fitting([_line(db, each, teams.get(each.id, [])) for each in found], str)
    if len(shown) < len(found) or len(found) == PAGE:
        shown.append(f"more: swarm://agents?cursor={found[len(shown) - 1].name}")
    return "".join(f"{line}\n" for line in shown) or "No agents.\n"


def agent_markdown(db: Transaction, name: str) -> str:
    """One agent: who it is, what it can do, what it holds and what is assigned to it."""
    row = find_agent(db, name)
    teams = roster.teams_by_agent(db, [row.id]).get(row.id, [])
    facts = {
        "role": row.role, "lifecycle": row.lifecycle, "availability": availability(db, row),
        "superior": row.superior or "", "specialty": row.specialty,
        "capabilities": clipped(", ".join(row.capabilities), WORDS), "capacity": str(row.capacity or ""),
        "teams": ", ".join(teams[:PAGE]),
        "last seen": row.last_seen_at.isoformat(timespec="seconds") if row.last_seen_at else "",
    }  # fmt: skip
    lines = [f"# {row.name}", "", *([clipped(row.title, WORDS), ""] if row.title else [])]
    lines += [f"- {fact}: {words}" for fact, words in facts.items() if words]
    lines += ["", clipped(row.description, WORDS)] if row.description else []
    held = tasks.held_by(db, row.id, limit=TASKS_SHOWN)
    lines += ["", f"## Holds {row.holds}", "", *(f"- {task_row(line)}" for line in task_lines(db, held))]
    assigned = browsing.list_tasks(db, assignee=f"agent:{row.name}", status=OPEN, limit=TASKS_SHOWN)
    lines += ["", f"## Assigned {row.assigned}", "", *(f"- {task_row(line)}" for line in assigned.tasks)]
    if assigned.next_cursor:
        lines += ["", f"more: swarm://tasks?assignee={row.name}&status={','.join(OPEN)}"]
    return "\n".join(lines) + "\n"


def find_agent(db: Transaction, name: str) -> Row:
    """An agent of that name with what follows from everything else.

    Raises:
        NotFound: there is none.

    """
    folded = fold_name(name)
    row = roster.find(db, folded)
    if row is None:
        near = nearest(folded, agents.all_agent_names(db))
        hint = f" Did you mean {' or '.join(f'`{each}`' for each in near)}?" if near else ""
        raise NotFound(f"No agent `{folded}`.{hint} swarm://agents lists them.", candidates=near)
    return row


def availability(db: Transaction, row: Row) -> str:
    """Busy while it holds a claim, offline if unseen for longer than a lease, else idle."""
    if row.holds:
        return "busy"
    unseen = row.last_seen_at is None or db.now - row.last_seen_at > timedelta(minutes=db.project.lease_minutes)
    return "offline" if unseen else "idle"


def _line(db: Transaction, row: Row, teams: list[str]) -> str:
    parts = [
        f"{row.name} {row.role} {row.lifecycle} {availability(db, row)}",
        shorten(" ".join(row.title.split())),
        f"below {row.superior}" if row.superior else "",
        row.specialty,
        f"can {shorten(', '.join(row.capabilities))}" if row.capabilities else "",
        f"in {shorten(', '.join(teams))}" if teams else "",
        f"holds {row.holds}" if row.holds else "",
        f"assigned {row.assigned}" if row.assigned else "",
    ]
    return " · ".join(part for part in parts if part)
