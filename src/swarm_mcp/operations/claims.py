"""Claims: who holds a task, until when, and how a claim ends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import ClaimLost, Conflict, NotAllowed
from swarm_mcp.model.lifecycle import CLAIMED, FINISHED, TaskStatus
from swarm_mcp.model.task import DelegationState, ExecutionStatus
from swarm_mcp.operations import moves, telling
from swarm_mcp.operations.naming import NOWHERE
from swarm_mcp.repository import agents, messages, tasks, work

if TYPE_CHECKING:
    from datetime import datetime

    from swarm_mcp.operations.moves import Moved
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

LEASE_LIMIT = 24 * 60
RESERVATION_LEASES = 4
SECOND = 2


def lease(db: Transaction, minutes: int = 0) -> datetime:
    """When a lease that begins now runs out."""
    return db.now + timedelta(minutes=min(minutes or db.project.lease_minutes, LEASE_LIMIT))


def lapsed(db: Transaction, row: Row) -> bool:
    """Whether the claim has run out, swept or not."""
    return row.lease_until is not None and row.lease_until < db.now


def entitled(db: Transaction, row: Row) -> bool:
    """Whether whoever acts may claim the task: its assignee, else its pool's members, else anyone."""
    if row.assignee_id:
        return row.assignee_id == db.actor.id
    if row.pool_team_id:
        return row.pool_team_id in agents.teams_of(db, db.actor.id or "")
    return not row.pool_specialty or row.pool_specialty == db.actor.specialty


def lanes(db: Transaction) -> list[str]:
    """The lanes of the ready queue that whoever acts may claim from, in the order of preference."""
    actor = db.actor
    own = [actor.id] if actor.id else []
    pools = agents.teams_of(db, actor.id) if actor.id else []
    specialty = [f"specialty:{actor.specialty}"] if actor.specialty else []
    return [*own, *pools, *specialty, ""]


def require_claim(db: Transaction, row: Row, attempt: int) -> None:
    """Refuse whoever does not hold the task in this attempt: the fence against the late.

    Raises:
        ClaimLost: the claim has ended, or cannot be told from a later one.
        NotAllowed: the caller never held it.

    """
    actor = db.actor
    if row.holder_id is not None and row.holder_id == actor.id:
        if attempt in {0, row.attempt}:
            if attempt == 0 and row.attempt > 1 and len(work.attempts_of(db, row.id, actor.id)) > 1:
                raise ClaimLost(
                    f"Not recorded: {actor.name} has claimed {row.id} more than once; say which attempt this is. "
                    f'get_task(task="{row.id}") tells the present one; work of an earlier attempt is void.',
                    task=row.id,
                )
            return
        raise ClaimLost(
            f"Not recorded: attempt {attempt} at {row.id} has ended; {actor.name} now holds attempt {row.attempt}. "
            f'Stop the work of attempt {attempt}; get_task(task="{row.id}") shows how things stand.',
            task=row.id, attempt=row.attempt, holder=actor.name,
        )
    if actor.id is None or not work.attempts_of(db, row.id, actor.id):
        raise NotAllowed(
            f'{actor.name} does not hold {row.id}{_held_by(db, row)}. claim_task(task="{row.id}") first.',
            task=row.id, status=row.status,
        )
    raise claim_lost(db, row)


def _held_by(db: Transaction, row: Row) -> str:
    names = agents.agent_names(db, [row.holder_id])
    return f"; {names[row.holder_id]} does" if row.holder_id else f"; it is {row.status}"


def claim_lost(db: Transaction, row: Row) -> ClaimLost:
    """The refusal of a write after its claim has ended: who has the task now, and what to do with the work."""
    names = agents.agent_names(db, [row.holder_id, row.worker_id])
    if row.holder_id and row.holder_id != db.actor.id:
        holder = names[row.holder_id]
        return ClaimLost(
            f"Not recorded: your claim on {row.id} has ended and {holder} holds it now. Stop work on it; send what you "
            f'have with send_message(to="{holder}", task="{row.id}", text=…), then claim_task().',
            task=row.id, holder=holder, attempt=row.attempt,
        )
    again = "" if row.status in FINISHED else f' claim_task(task="{row.id}") takes it again if it is free.'
    return ClaimLost(
        f"Not recorded: your claim on {row.id} has ended and it is {row.status} now. Stop work on it.{again}",
        task=row.id, status=row.status, attempt=row.attempt,
    )


def end_claim(
    db: Transaction,
    row: Row,
    how: ExecutionStatus,
    kind: str,
    values: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
) -> Moved:
    """Take a task back from its holder and put it into the queue."""
    withdraw_question(db, row)
    work.end_execution(db, row.id, row.attempt, how)
    return moves.requeue(db, row, kind, values, data)


def withdraw_question(db: Transaction, row: Row) -> None:
    """Nobody waits any more for the answer to this task's question."""
    if row.status == TaskStatus.REQUIRES_ASSISTANCE:
        question = messages.open_question(db, row.id)
        if question is not None:
            messages.settle_question(db, question.id)


def release(db: Transaction, row: Row, reason: str) -> Moved:
    """Give a task back: it goes to where it was before, and whoever delegated it is told."""
    place = place_before(db, row, DelegationState.DECLINED, reason)
    moved = end_claim(db, row, ExecutionStatus.RELEASED, "released", place)
    words = f"{db.actor.name} gave {row.id} {row.title[:80]} back: {reason}"
    telling.tell(db, moved.row, "released", words, also=(row.delegator_id,))
    return moved


def place_before(db: Transaction, row: Row, state: DelegationState, reason: str) -> dict[str, Any]:
    """End the delegation or reservation by which an agent has a task; the columns of where it was before."""
    holder = row.holder_id or row.assignee_id
    if row.reserved_from is not None:
        return {**NOWHERE, **row.reserved_from, "reserved_from": None}
    live = work.live_delegation(db, row.id)
    if live is None:
        return dict(NOWHERE) if row.assignee_id == holder and holder else {}
    if live.to_agent_id is None:
        work.update_delegation(db, live.id, state=DelegationState.OFFERED)
        return {}
    if live.to_agent_id != holder:
        return {}
    work.update_delegation(db, live.id, state=state, reason=reason)
    return {**NOWHERE, **live.before}


def lapse(db: Transaction, row: Row) -> Moved:
    """End a claim that has run out. Those that lapse too often fail."""
    counts = not (row.waits or row.open_subtasks)
    lapses = row.lapses + int(counts)
    holder = agents.agent_names(db, [row.holder_id]).get(row.holder_id, "")
    words = f"{holder}'s claim on {row.id} {row.title[:80]} lapsed (attempt {row.attempt})."
    if counts and lapses >= db.project.max_lapses:
        return fail_after_lapses(db, row, lapses, words)
    place = _place_after_lapse(db, row)
    values = {"lapses": lapses, **place}
    moved = end_claim(db, row, ExecutionStatus.LAPSED, "lapsed", values, {"lapses": lapses})
    telling.tell(db, moved.row, "claim_lost", words, also=(row.holder_id, row.delegator_id))
    return moved


def _place_after_lapse(db: Transaction, row: Row) -> dict[str, Any]:
    live = work.live_delegation(db, row.id)
    if live is None or live.to_agent_id != row.holder_id:
        if live is not None:
            work.update_delegation(db, live.id, state=DelegationState.OFFERED)
        return {}
    if live.lapses + 1 >= SECOND:
        return place_before(db, row, DelegationState.DECLINED, "its claim lapsed twice")
    work.update_delegation(db, live.id, state=DelegationState.OFFERED, lapses=live.lapses + 1)
    return {}


def fail_after_lapses(db: Transaction, row: Row, lapses: int, words: str) -> Moved:
    """A task that nobody finishes is failed rather than tried for ever."""
    withdraw_question(db, row)
    work.end_execution(db, row.id, row.attempt, ExecutionStatus.LAPSED)
    end_delegation(db, row.id, DelegationState.DONE, "the task failed")
    error = f"Its claim lapsed {lapses} times without being finished."
    moved = moves.move(db, row, TaskStatus.FAILED, "failed", {"error": error, "lapses": lapses})
    also = {row.holder_id, row.delegator_id, *telling.owners_of_waiters(db, row)}
    telling.tell(db, moved.row, "failed", f"{words} {error}", also=also)
    return moved


def end_delegation(db: Transaction, task_id: str, state: DelegationState, reason: str = "") -> None:
    """Close the live delegation of a task, if there is one."""
    live = work.live_delegation(db, task_id)
    if live is not None:
        work.update_delegation(db, live.id, state=state, reason=reason)


def take(db: Transaction, row: Row, minutes: int) -> Row:
    """Claim a task that is free: the one place where a holder is set.

    Raises:
        Conflict: somebody else was faster.

    """
    actor = db.actor
    taken = tasks.take_claim(
        db, row, agent=actor.id or "", until=lease(db, minutes), minutes=minutes, started=row.started_at or db.now
    )
    if taken is None:
        raise Conflict(f"{row.id} was just taken by somebody else. claim_task() gives you another one.", task=row.id)
    moves.record_claim(db, row, taken)
    work.insert_execution(db, row.id, taken.attempt, actor.id, actor.specialty)
    live = work.live_delegation(db, row.id)
    if live is not None and live.state == DelegationState.OFFERED:
        work.update_delegation(db, live.id, state=DelegationState.ACCEPTED)
    work.join(db, row.id, actor.id)
    telling.tell(db, taken, "started", f"{actor.name} has taken {row.id} {row.title[:80]} (attempt {taken.attempt}).")
    return taken


def renewal(db: Transaction, row: Row) -> dict[str, Any]:
    """The columns that give a claim its full time again; suspended ones have none."""
    if row.status not in CLAIMED or row.lease_until is None:
        return {}
    return {"lease_until": lease(db, row.lease_minutes), "connection_id": db.connection_id}
