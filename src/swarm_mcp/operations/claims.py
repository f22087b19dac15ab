"""Claims: who holds a task, until when, and how a claim ends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.agent import ENDED
from swarm_mcp.model.errors import ClaimLost, Conflict, NotAllowed
from swarm_mcp.model.lifecycle import CLAIMED, FINISHED, TaskStatus
from swarm_mcp.model.task import DelegationState, ExecutionStatus
from swarm_mcp.operations import moves, telling
from swarm_mcp.operations.naming import NOWHERE, place_of
from swarm_mcp.repository import agents, messages, participants, queue, tasks, teams, work

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from swarm_mcp.operations.moves import Moved
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

LEASE_LIMIT = 24 * 60
RESERVATION_LEASES = 4


def lease_time(db: Transaction, minutes: int = 0) -> timedelta:
    """How long a lease lasts; without `minutes`, by the project's policy."""
    return timedelta(minutes=min(minutes or db.project.lease_minutes, LEASE_LIMIT))


def lease(db: Transaction, minutes: int = 0) -> datetime:
    """When a lease that begins now runs out."""
    return db.now + lease_time(db, minutes)


def lapsed(db: Transaction, row: Row) -> bool:
    """Whether the claim has run out, swept or not."""
    return row.lease_until is not None and row.lease_until < db.now


def entitled(db: Transaction, row: Row) -> bool:
    """Whether whoever acts may claim the task: its assignee, else its pool's members, else anyone."""
    if row.assignee_id:
        return row.assignee_id == db.actor.id
    if row.pool_team_id:
        return row.pool_team_id in teams.teams_of(db, db.actor.id or "")
    return not row.pool_specialty or row.pool_specialty == db.actor.specialty


def lanes(db: Transaction, *, in_teams: bool = True) -> list[str]:
    """The lanes of the ready queue that whoever acts may claim from, in the order of preference.

    Args:
        db: the transaction.
        in_teams: False if it is known to be a member of none.

    """
    actor = db.actor
    own = [actor.id] if actor.id else []
    pools = teams.teams_of(db, actor.id) if actor.id and in_teams else []
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
            task=row.id,
            attempt=row.attempt,
            holder=actor.name,
        )
    if actor.id is None or not work.attempts_of(db, row.id, actor.id):
        raise NotAllowed(
            f"{actor.name} does not hold {row.id}{_held_by(db, row)}.{_way_to(db, row)}",
            task=row.id,
            status=row.status,
        )
    raise claim_lost(db, row)


def _held_by(db: Transaction, row: Row) -> str:
    names = agents.agent_names(db, [row.holder_id])
    return f"; {names[row.holder_id]} does" if row.holder_id else f"; it is {row.status}"


def _way_to(db: Transaction, row: Row) -> str:
    """What whoever never held a task does instead: claims it, if it is to be had, or another; the operator asks."""
    if row.status in {*FINISHED, TaskStatus.IN_REVIEW}:
        return ""
    if row.holder_id is None or lapsed(db, row):
        return f' claim_task(task="{row.id}") first.'
    if db.actor.id is not None:
        return " claim_task() gives you another one."
    holder = agents.agent_names(db, [row.holder_id])[row.holder_id]
    return f' send_message(to="{holder}", task="{row.id}", text=…) reaches it.'


def claim_lost(db: Transaction, row: Row) -> ClaimLost:
    """The refusal of a write after its claim has ended: who has the task now, and what to do with the work."""
    names = agents.agent_names(db, [row.holder_id, row.worker_id])
    if row.holder_id and row.holder_id != db.actor.id:
        holder = names[row.holder_id]
        return ClaimLost(
            f"Not recorded: your claim on {row.id} has ended and {holder} holds it now. Stop work on it; send what you "
            f'have with send_message(to="{holder}", task="{row.id}", text=…), then claim_task().',
            task=row.id,
            holder=holder,
            attempt=row.attempt,
        )
    again = "" if row.status in FINISHED else f' claim_task(task="{row.id}") takes it again if it is free.'
    return ClaimLost(
        f"Not recorded: your claim on {row.id} has ended and it is {row.status} now. Stop work on it.{again}",
        task=row.id,
        status=row.status,
        attempt=row.attempt,
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
    live = work.live_delegation(db, row.id)
    if row.reserved_from is not None:
        return unreserve(db, row)
    if live is None:
        return dict(NOWHERE) if row.assignee_id == holder and holder else {}
    if live.to_agent_id is None:
        work.update_delegation(db, live.id, state=DelegationState.OFFERED)
        return {}
    if live.to_agent_id != holder:
        return {}
    return take_back(db, live, state, reason)


def take_back(db: Transaction, live: Row, state: DelegationState, reason: str) -> dict[str, Any]:
    """End the newest delegation of a task; the columns of where the task was before it, past agents that have ended."""
    work.update_delegation(db, live.id, state=state, reason=reason)
    beneath = work.live_delegation(db, live.task_id)
    if _is_of_the_ended(db, live.before):
        ended = DelegationState.RECALLED
        return take_back(db, beneath, ended, "its agent has ended") if beneath is not None else dict(NOWHERE)
    if beneath is not None and beneath.to_agent_id is None:
        work.update_delegation(db, beneath.id, state=DelegationState.OFFERED)
    return {**NOWHERE, **live.before}


def unreserve(db: Transaction, row: Row) -> dict[str, Any]:
    """End the reservation of a task that was split; the columns of where it was before."""
    live = work.live_delegation(db, row.id)
    if live is not None and live.to_agent_id is None:
        work.update_delegation(db, live.id, state=DelegationState.OFFERED)
    return moves.unreserved(row)


def end_delegation(db: Transaction, task_id: str, state: DelegationState, reason: str = "") -> None:
    """Close the live delegations of a task, of those who handed it on too."""
    for live in work.live_delegations(db, task_id):
        work.update_delegation(db, live.id, state=state, reason=reason)


def place_given(delegation: Row) -> dict[str, str]:
    """Where a delegation puts its task; without what is empty."""
    to = (delegation.to_agent_id, delegation.to_team_id, delegation.to_specialty)
    return {name: value for name, value in zip(NOWHERE, to, strict=True) if value}


def offer_again(db: Transaction, row: Row) -> dict[str, Any]:
    """A finished task is to be done again: the delegations by which it lies where it lies live again.

    Returns:
        The columns of where it lies, if that is elsewhere because the agent that it lay with has ended.

    """
    given = list(reversed(work.delegations(db, row.id)))
    lay = place_of(row) if row.reserved_from is None else row.reserved_from
    place = lies = _before_the_ended(db, lay, given)
    state = DelegationState.OFFERED
    for each in given:
        if place and place == place_given(each):
            work.update_delegation(db, each.id, state=state, reason="", lapses=0)
            place, state = each.before, DelegationState.ACCEPTED
    return {**NOWHERE, **lies} if lies != lay else {}


def _before_the_ended(db: Transaction, place: dict[str, str], given: Sequence[Row]) -> dict[str, str]:
    """Where a task was before it was handed (the newest delegation first) to agents that have ended."""
    for each in given:
        if _is_of_the_ended(db, place) and place == place_given(each):
            place = each.before
    return {} if _is_of_the_ended(db, place) else place


def _is_of_the_ended(db: Transaction, place: dict[str, str]) -> bool:
    agent = place.get("assignee_id")
    return agent is not None and agents.agent_row(db, agent).lifecycle in ENDED


def take(db: Transaction, row: Row, minutes: int) -> Row:
    """Claim a task that is free: the one place where a holder is set. Nobody has been told yet.

    Args:
        db: the transaction.
        row: the task, or what the ready queue has of it (`queue.SEEN`).
        minutes: how long the claim lasts; 0: by the project's policy.

    Returns:
        The task as it is then, of its long texts the description alone.

    Raises:
        Conflict: somebody else was faster.

    """
    actor = db.actor
    taken = queue.take_claim(
        db, row, agent=actor.id or "", until=lease(db, minutes), minutes=minutes, started=row.started_at or db.now
    )
    if taken is None:
        raise Conflict(f"{row.id} was just taken by somebody else. claim_task() gives you another one.", task=row.id)
    moves.record_claim(db, row, taken)
    work.insert_execution(db, row.id, taken.attempt, actor.id, actor.specialty)
    if taken.delegator_id or any(place_of(taken).values()):  # else nobody can have handed it down
        live = work.live_delegation(db, row.id)
        if live is not None and live.state == DelegationState.OFFERED:
            work.update_delegation(db, live.id, state=DelegationState.ACCEPTED)
    participants.join(db, row.id, actor.id)
    return taken


def tell_taken(db: Transaction, row: Row, *, others: bool) -> None:
    """Tell whom a task concerns that whoever acts has taken it; `others` as for `telling.concerned`."""
    words = f"{db.actor.name} has taken {row.id} {row.title[:80]} (attempt {row.attempt})."
    telling.tell(db, row, "started", words, others=others)


def touched(db: Transaction, row: Row) -> Row:
    """Whoever writes about a task joins it, and renews its claim on it; the task as it is then."""
    participants.join(db, row.id, db.actor.id)
    renewed = renewal(db, row) if row.holder_id is not None and row.holder_id == db.actor.id else {}
    return tasks.update_task(db, row.id, renewed) if renewed else row


def renewal(db: Transaction, row: Row) -> dict[str, Any]:
    """The columns that give a claim its full time again; suspended ones have none."""
    if row.status not in CLAIMED or row.lease_until is None:
        return {}
    return {"lease_until": lease(db, row.lease_minutes), "connection_id": db.connection_id}
