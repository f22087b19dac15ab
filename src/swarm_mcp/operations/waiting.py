"""What is worth waking an agent for that waits at its inbox: news, or a task that became ready for it.

A worker or specialist that holds no claim in progress came for work: it is woken as soon as anything is ready for it,
also if that was so when it began to wait. Whoever leads, or has work in hand, is woken when *more* becomes ready than
there was: else a director who leaves ready tasks to others, or a busy worker, would be answered at once for ever, at
the price of a model's turn each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from swarm_mcp.model.agent import ENDED, AgentRole
from swarm_mcp.model.errors import Invalid
from swarm_mcp.operations.answering import unread
from swarm_mcp.operations.claiming import would_get
from swarm_mcp.repository import agents

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

LONGEST_SECONDS = 45
"""Less than the shortest lease, a minute, and than the patience of the hosts' clients."""
WORKING_ROLES = frozenset({AgentRole.WORKER, AgentRole.SPECIALIST})


@dataclass(frozen=True, slots=True)
class Look:
    """What there is for an agent at one moment."""

    unread: int = 0
    ready: int = 0
    """How many tasks it could claim; not counted while there is something to read."""
    is_free: bool = False
    """Whether it came for work."""
    has_ended: bool = False

    def wakes(self, ready_before: int) -> bool:
        """Whether it is worth an answer, when so many tasks were ready before."""
        return bool(self.unread) or self.has_ended or self.ready > (0 if self.is_free else ready_before)


def look(db: Transaction) -> Look:
    """What there is for whoever acts. It only reads, and marks nothing."""
    if db.actor.lifecycle in ENDED:
        return Look(has_ended=True)
    waiting = unread(db)
    if waiting:
        return Look(unread=waiting)
    ready = would_get(db)
    if not ready or db.actor.role not in WORKING_ROLES:
        return Look(ready=ready)
    return Look(ready=ready, is_free=not agents.count_claims_in_progress(db, db.actor.id or ""))


def check_wait(seconds: int) -> None:
    """Refuse to wait for longer than hosts do."""
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise Invalid(f"wait_seconds is 0 to {LONGEST_SECONDS}; got {seconds}. To wait longer, call again.")
