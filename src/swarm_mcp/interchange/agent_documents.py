"""An agent as a document, with what it has to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.interchange import roster_text
from swarm_mcp.interchange.row_text import row as task_row
from swarm_mcp.model.tokens import clipped
from swarm_mcp.operations import browsing, naming, roster
from swarm_mcp.operations.answering import task_lines
from swarm_mcp.repository import crew, tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

TEAMS_SHOWN = 100
TASKS_SHOWN = 20
LISTED = "swarm://agents lists them."
WORDS = 500
"""Tokens of what an agent says about itself."""
UNHELD = ["pending", "blocked", "partial"]
"""What lies with an agent without being held by it."""


def agent_markdown(db: Transaction, name: str) -> str:
    """One agent: who it is, what it can do, how it has done, what it holds and what is assigned to it."""
    row = naming.known_agent(db, name, listed=LISTED)
    line = roster.agent_line(db, row)
    facts = {
        "role": line.role, "lifecycle": line.lifecycle, "availability": line.availability,
        "superior": line.superior, "specialty": line.specialty,
        "capabilities": clipped(", ".join(row.capabilities), WORDS), "capacity": str(line.capacity or ""),
        "teams": ", ".join(crew.memberships(db, [row.id]).get(row.id, [])[:TEAMS_SHOWN]),
        "last seen": row.last_seen_at.isoformat(timespec="seconds") if row.last_seen_at else "",
        "record": " · ".join(roster_text.record(line)),
    }  # fmt: skip
    lines = [f"# {line.name}", "", *([clipped(row.title, WORDS), ""] if row.title else [])]
    lines += [f"- {fact}: {words}" for fact, words in facts.items() if words]
    lines += ["", clipped(row.description, WORDS)] if row.description else []
    held = tasks.held_by(db, row.id, limit=TASKS_SHOWN)
    lines += ["", f"## Holds {line.claims}", "", *(f"- {task_row(each)}" for each in task_lines(db, held))]
    assigned = browsing.list_tasks(db, assignee=f"agent:{line.name}", status=UNHELD, limit=TASKS_SHOWN)
    lines += ["", f"## Assigned {line.assigned}", "", *(f"- {task_row(each)}" for each in assigned.tasks)]
    if assigned.next_cursor:
        lines += ["", f"more: swarm://tasks?assignee={line.name}&status={','.join(UNHELD)}"]
    return "\n".join(lines) + "\n"
