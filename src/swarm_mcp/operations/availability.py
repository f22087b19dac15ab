"""Whether an agent could take work now: the one place that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.agent import ENDED, Availability
from swarm_mcp.operations import claims

if TYPE_CHECKING:
    from swarm_mcp.model.agent import Actor
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


def availability(db: Transaction, row: Row, *, busy: bool) -> Availability:
    """Whether an agent holds a live claim, is away (ended, never seen, or unseen for a lease), or could take work.

    Args:
        db: the transaction.
        row: the agent, with its lifecycle and when it was last seen.
        busy: whether it holds a claim that has not run out; one that waits for an answer does not run out.

    """
    if row.lifecycle in ENDED:
        return Availability.OFFLINE
    if busy:
        return Availability.BUSY
    seen = row.last_seen_at is not None and db.now - row.last_seen_at <= claims.lease_time(db)
    return Availability.IDLE if seen else Availability.OFFLINE


def is_full(agent: Row | Actor, working: int) -> bool:
    """Whether an agent that works on so many claims has no room for another: 0 is no limit."""
    return 0 < agent.capacity <= working
