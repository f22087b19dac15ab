"""The importers' door: a task comes with the status that a document states, and that is recorded as such.

Nobody moved it there on this board, so the lifecycle's table is not asked, nobody is told, and no time of completion
is made up. What contradicts the rest of the board is kept as stated, and can be told (`contradictions`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model.lifecycle import CLAIMED, STATUS_ALIASES, WAITING, TaskStatus
from swarm_mcp.operations import placing, standing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from swarm_mcp.operations.placing import Placement
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

NEEDS_NOTHING = frozenset({TaskStatus.PENDING, TaskStatus.BLOCKED, TaskStatus.FAILED, TaskStatus.PARTIAL})
"""What a task may be called whatever stands in its way; failed and partial work leaves its parts to go on."""


def insert_stated(
    db: Transaction, new: Placement, status: TaskStatus, *, word: str, hold: str, created_at: datetime
) -> Row:
    """Store a task with a stated status; the event of its creation is `imported`.

    Args:
        db: the transaction.
        new: the checked proposal.
        status: what is stated. Work that is called claimed waits instead: nobody on this board holds it.
        word: the word that the document uses, kept in `source_status`.
        hold: the reason of the hold, if the status stands for one.
        created_at: since when it is there.

    Raises:
        CycleRefused: it cannot stand there.

    """
    stated: dict[str, Any] = {"source_status": word, "created_at": created_at}
    if status not in WAITING | CLAIMED:
        stated["status"] = status.value
    elif hold:
        stated |= {"status": TaskStatus.BLOCKED.value, "hold_reason": hold, "hold_by_id": db.actor.id}
    folded = word.strip().lower().replace("-", "_").replace(" ", "_")
    if STATUS_ALIASES.get(folded, (None, ""))[1] == "archived":
        stated["archived_at"] = db.now
    new.stated = stated
    return placing.insert_new(db, new)


def contradictions(db: Transaction, row: Row, status: TaskStatus) -> Sequence[str]:
    """What stands in the way of a task that is said to be past that, a phrase each; empty if nothing does."""
    if status in NEEDS_NOTHING or not (row.waits or row.open_subtasks):
        return []
    return standing.in_the_way(db, row)
