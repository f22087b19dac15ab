"""Lapsing: what becomes of a task whose claim has run out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model.agent import ENDED
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.model.task import DelegationState, ExecutionStatus
from swarm_mcp.operations import claims, moves, telling
from swarm_mcp.repository import agents, work

if TYPE_CHECKING:
    from swarm_mcp.operations.moves import Moved
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

SECOND = 2


def lapse(db: Transaction, row: Row) -> Moved:
    """End a claim that has run out. Those that lapse too often fail."""
    counts = not (row.waits or row.open_subtasks)
    lapses = row.lapses + int(counts)
    holder = agents.agent_names(db, [row.holder_id]).get(row.holder_id, "")
    words = f"{holder}'s claim on {row.id} {row.title[:80]} lapsed (attempt {row.attempt})."
    if counts and lapses >= db.project.max_lapses:
        return _fail(db, row, lapses, words)
    place = _place_after(db, row, counts=counts)
    values = {"lapses": lapses, **place}
    moved = claims.end_claim(db, row, ExecutionStatus.LAPSED, "lapsed", values, {"lapses": lapses})
    telling.tell(db, moved.row, "claim_lost", words, also=(row.holder_id, row.delegator_id))
    return moved


def _place_after(db: Transaction, row: Row, *, counts: bool) -> dict[str, Any]:
    """A delegated assignment ends with its second lapse, or when its agent has ended; else it is offered again."""
    live = work.live_delegation(db, row.id)
    if live is None:
        return {}
    holder: str = row.holder_id
    mine = live.to_agent_id is not None and live.to_agent_id == holder
    lapses = live.lapses + int(counts)
    if mine and agents.agent_row(db, holder).lifecycle in ENDED:
        return claims.place_before(db, row, DelegationState.DECLINED, "its agent has ended")
    if mine and counts and lapses >= SECOND:
        return claims.place_before(db, row, DelegationState.DECLINED, "its claim lapsed twice")
    work.update_delegation(db, live.id, state=DelegationState.OFFERED, lapses=lapses if mine else live.lapses)
    return {}


def _fail(db: Transaction, row: Row, lapses: int, words: str) -> Moved:
    """A task that nobody finishes is failed rather than tried for ever."""
    claims.withdraw_question(db, row)
    work.end_execution(db, row.id, row.attempt, ExecutionStatus.LAPSED)
    claims.end_delegation(db, row.id, DelegationState.DONE, "the task failed")
    error = f"Its claim lapsed {lapses} times without being finished."
    moved = moves.move(db, row, TaskStatus.FAILED, "failed", {"error": error, "lapses": lapses})
    also = {row.holder_id, row.delegator_id, *telling.owners_of_waiters(db, row)}
    telling.tell(db, moved.row, "failed", f"{words} {error}", also=also)
    return moved
