"""Actions on a task: each is one verb that update_task understands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import Blocked, Conflict, IllegalMove, Invalid, NotAllowed
from swarm_mcp.model.ids import unknown_word
from swarm_mcp.model.lifecycle import CLAIMED, FINISHED, SETTLED, WAITING, TaskStatus
from swarm_mcp.model.task import DelegationState, ExecutionStatus
from swarm_mcp.operations import claims, completing, moves, telling
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.authority import has_authority, is_above, is_own, require_authority, whom_to_ask
from swarm_mcp.repository import graph, tasks, tree, work

if TYPE_CHECKING:
    from collections.abc import Callable

    from swarm_mcp.operations.moves import Moved
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

S = TaskStatus


def act(db: Transaction, row: Row, action: str, reason: str, *, subtree: bool) -> tuple[Row, str]:
    """Do one verb to a task.

    Returns:
        The task as it is then, and what was done, as a phrase.

    """
    verb = action.strip().lower()
    if verb not in ACTIONS:
        raise unknown_word(action, "action", ACTIONS)
    if verb == "cancel":
        return _cancel(db, row, reason, subtree=subtree)
    return ACTIONS[verb](db, row, reason)


def _hold(db: Transaction, row: Row, reason: str) -> tuple[Row, str]:
    if not reason.strip():
        raise Invalid("Say in `reason` why it is held.")
    if not is_own(db.actor, row):
        require_authority(db, row, "hold")
    if row.hold_reason is not None:
        raise Conflict(f"{row.id} is held already: {shorten(row.hold_reason)}. One hold at a time; resume it first.")
    if row.status not in WAITING | CLAIMED | {S.PARTIAL}:
        raise moves.illegal(row, "be held")
    values = {"hold_reason": reason.strip(), "hold_by_id": db.actor.id}
    if row.status in CLAIMED:
        moved = claims.end_claim(db, row, ExecutionStatus.RECALLED, "held", values)
    else:
        moved = moves.requeue(db, row, "held", values)
    words = f"{db.actor.name} holds {row.id} {shorten(row.title)}: {reason}"
    telling.tell(db, moved.row, "blocked", words, also=(row.holder_id,))
    return moved.row, "is held"


def _resume(db: Transaction, row: Row, reason: str) -> tuple[Row, str]:
    _ = reason
    if row.hold_reason is None:
        raise IllegalMove(f"{row.id} is {row.status} and not held; there is nothing to resume.", status=row.status)
    if row.hold_by_id is None or row.hold_by_id != db.actor.id:
        require_authority(db, row, "lift the hold on")
    moves.change(db, row, "resumed", {"hold_reason": None, "hold_by_id": None})
    return tasks.task_row(db, row.id), "is no longer held"


def _recall(db: Transaction, row: Row, reason: str) -> tuple[Row, str]:
    """End a claim, or take a delegation back."""
    above_holder = is_above(db, db.actor.id, row.holder_id)
    if not above_holder:
        require_authority(db, row, "recall")
    why = reason.strip() or "recalled"
    live = work.live_delegation(db, row.id)
    if row.status in CLAIMED:
        place = claims.place_before(db, row, DelegationState.RECALLED, why)
        moved = claims.end_claim(db, row, ExecutionStatus.RECALLED, "recalled", place)
        words = f"{db.actor.name} recalled {row.id} {shorten(row.title)}: {why}. Stop work on it."
        telling.tell(db, moved.row, "claim_lost", words, also=(row.holder_id,))
        return moved.row, "is recalled"
    if row.reserved_from is not None and row.status in WAITING:
        moved = moves.change(db, row, "recalled", claims.unreserve(db, row))
        words = f"{row.id} {shorten(row.title)} is no longer kept for one agent: {why}."
        telling.tell(db, moved.row, "recalled", words)
        return moved.row, "is recalled"
    if live is None or row.status not in WAITING:
        raise IllegalMove(f"{row.id} is {row.status}: there is no claim or delegation to recall.", status=row.status)
    place = claims.take_back(db, live, DelegationState.RECALLED, why)
    moved = moves.change(db, row, "recalled", {**place, "lapses": 0})
    words = f"{db.actor.name} took {row.id} {shorten(row.title)} back: {why}."
    telling.tell(db, moved.row, "recalled", words, also=(live.to_agent_id,))
    return moved.row, "is recalled"


def _retry(db: Transaction, row: Row, reason: str) -> tuple[Row, str]:
    if row.status not in {S.FAILED, S.PARTIAL}:
        hint = {
            S.COMPLETED: f' update_task(task="{row.id}", action="reopen") reopens this.',
            S.CANCELLED: f' update_task(task="{row.id}", action="reopen") reopens this.',
            S.PENDING: f' claim_task(task="{row.id}") takes this.',
        }.get(TaskStatus(row.status), "")
        raise IllegalMove(f"{row.id} is {row.status}; retry is for failed and partial work.{hint}")
    return _back_into_queue(db, row, "retried", reason)


def _reopen(db: Transaction, row: Row, reason: str) -> tuple[Row, str]:
    if row.status not in SETTLED:
        again = f' update_task(task="{row.id}", action="retry") tries this again.'
        hint = again if row.status in {S.FAILED, S.PARTIAL} else ""
        raise IllegalMove(f"{row.id} is {row.status}; reopen is for completed and cancelled work.{hint}")
    return _back_into_queue(db, row, "reopened", reason)


def _back_into_queue(db: Transaction, row: Row, kind: str, reason: str) -> tuple[Row, str]:
    """Retry or reopen: explicit, recorded, with everything above it that was finished."""
    require_authority(db, row, "reopen" if kind == "reopened" else "retry")
    _reopen_above(db, row)
    met = [[each.position, each.outcome, each.evidence, each.reason] for each in work.judged_criteria(db, row.id)]
    work.reopen_criteria(db, row.id)
    data = {**({"reason": reason} if reason else {}), **({"criteria": met} if met else {})}
    moved = _open_again(db, row.id, kind, data)
    why = f": {reason}" if reason.strip() else "."
    words = f"{db.actor.name} {kind} {row.id} {shorten(row.title)}{why}"
    telling.tell(db, moved.row, kind, words, also=(row.worker_id,))
    return moved.row, f"is {kind}"


def _open_again(db: Transaction, task_id: str, kind: str, data: dict[str, Any] | None) -> Moved:
    """Put a task whose work was over into the queue as if it had not been done, for whoever had it."""
    row = tasks.task_row(db, task_id)
    place = claims.offer_again(db, row)
    values = {**place, "lapses": 0, "progress": None, "completed_at": None, "error": "", "archived_at": None}
    return moves.requeue(db, row, kind, values, data)


def _reopen_above(db: Transaction, row: Row) -> None:
    """A subtask that is open again reopens its finished ancestors, and sends those in review back."""
    shut = [each for each in tree.ancestors(db, row.id) if each.status in FINISHED or each.status == S.IN_REVIEW]
    if not shut or row.status not in SETTLED:
        return
    if not has_authority(db, shut[-1]):
        raise NotAllowed(
            f"Reopening {row.id} would reopen {shut[-1].id} above it: ask {whom_to_ask(db, shut[-1])} to do it."
        )
    for each in reversed(shut):
        fresh = tasks.task_row(db, each.id)
        kind = "sent_back" if fresh.status == S.IN_REVIEW else "reopened"
        moved = _open_again(db, fresh.id, kind, {"because_of": row.id})
        what = f"{fresh.id} {shorten(fresh.title)}"
        words = f"{db.actor.name} reopened {row.id} below {what}, which is {moved.row.status} again."
        notice = "reviewed" if kind == "sent_back" else kind
        telling.tell(db, moved.row, notice, words, also=(fresh.worker_id,))


def _cancel(db: Transaction, row: Row, reason: str, *, subtree: bool) -> tuple[Row, str]:
    require_authority(db, row, "cancel")
    open_below = unfinished_below(db, row)
    if open_below and not subtree:
        raise Blocked(
            f"{row.id} has {len(open_below)} unfinished {'subtask' if len(open_below) == 1 else 'subtasks'}; "
            f'update_task(task="{row.id}", action="cancel", subtree=True) cancels all of it.',
            task=row.id,
            open_subtasks=len(open_below),
        )
    row = _cancel_one(db, tasks.task_row(db, row.id), reason)
    for each in sorted(open_below, key=lambda below: below.rank):  # from above, so that no parent becomes ready first
        _cancel_one(db, tasks.task_row(db, each.id), reason)
    waiting = [each for each in graph.waiters(db, row.id) if each.status not in FINISHED]
    also = f" with {len(open_below)} subtasks" if open_below else ""
    dead = ""
    if waiting:
        way_out = f'update_task(task="{waiting[0].id}", drop_depends_on=["{row.id}"])'
        dead = f"; {len(waiting)} still wait for it ({way_out} frees one)"
    return row, f"is cancelled{also}{dead}"


def unfinished_below(db: Transaction, row: Row) -> list[Row]:
    """What is neither completed nor cancelled below a task."""
    return [each for each in tree.descendants(db, row.id) if each.status not in SETTLED]


def _cancel_one(db: Transaction, row: Row, reason: str) -> Row:
    holder = row.holder_id
    claims.withdraw_question(db, row)
    if row.status in CLAIMED:
        work.end_execution(db, row.id, row.attempt, ExecutionStatus.CANCELLED)
    moved = moves.move(db, row, S.CANCELLED, "cancelled", {}, {"reason": reason} if reason else None)
    claims.end_delegation(db, row.id, DelegationState.RECALLED, "the task was cancelled")
    completing.tell_finished(db, moved.row, S.CANCELLED)
    if holder is not None:
        words = f"{row.id} {shorten(row.title)} is cancelled. Stop work on it."
        telling.tell_only(db, moved.row, "claim_lost", words, [holder])
    return moved.row


def _archive(db: Transaction, row: Row, reason: str) -> tuple[Row, str]:
    _ = reason
    require_authority(db, row, "archive")
    check_archivable(db, row)
    if row.archived_at is not None:
        return row, "is archived already"
    return moves.change(db, row, "archived", {"archived_at": db.now}).row, "is archived"


def check_archivable(db: Transaction, row: Row) -> None:
    """Refuse to archive what is not over, or what an open task still waits for."""
    if row.status not in FINISHED:
        raise IllegalMove(f"{row.id} is {row.status}; only finished work is archived.", status=row.status)
    if row.status != S.COMPLETED:
        waiting = [each.id for each in graph.waiters(db, row.id) if each.status not in FINISHED]
        if waiting:
            raise Blocked(f"{row.id} is {row.status} and {waiting[0]} still waits for it; it cannot be archived.")


def _unarchive(db: Transaction, row: Row, reason: str) -> tuple[Row, str]:
    _ = reason
    require_authority(db, row, "unarchive")
    if row.archived_at is None:
        raise IllegalMove(f"{row.id} is {row.status} and not archived.", status=row.status)
    return moves.change(db, row, "unarchived", {"archived_at": None}).row, "is back in the lists"


ACTIONS: dict[str, Callable[[Transaction, Row, str], tuple[Row, str]]] = {
    "hold": _hold,
    "resume": _resume,
    "recall": _recall,
    "retry": _retry,
    "reopen": _reopen,
    "cancel": lambda db, row, reason: _cancel(db, row, reason, subtree=False),
    "archive": _archive,
    "unarchive": _unarchive,
}
