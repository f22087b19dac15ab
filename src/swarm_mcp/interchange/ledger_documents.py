"""The ledger as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.tokens import fitting
from swarm_mcp.operations import details
from swarm_mcp.operations.limits import MOST, read_limit
from swarm_mcp.repository import events

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction


def ledger_lines(db: Transaction, after: int, limit: int) -> str:
    """The project's events after a number, oldest first; a page ends with where the next one begins."""
    count = read_limit(limit)
    found = events.project_events(db, after=after, limit=count)
    shown = fitting(details.history_lines(db, found, naming_tasks=True), str)
    if len(shown) < len(found) or len(found) == count:
        again = f"&limit={count}" if limit != MOST else ""
        shown.append(f"more: swarm://events?after={found[len(shown) - 1].seq}{again}")
    return "".join(f"{line}\n" for line in shown) or f"Nothing happened after {after}.\n"
