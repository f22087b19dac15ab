"""Reporting on the task that one holds: progress, obstacles, questions, giving it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.draft import read_edge
from swarm_mcp.model.errors import Blocked, Invalid
from swarm_mcp.model.lifecycle import WAITING, TaskStatus, read_status
from swarm_mcp.model.task import DelegationState, EdgeType, ExecutionStatus, Written
from swarm_mcp.operations import asking, claims, moves, placing, telling
from swarm_mcp.operations.answering import ready_count, task_change, unread
from swarm_mcp.operations.catalog import operation
from swarm_mcp.repository import tasks, work

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

HUNDRED = 100
DEAD = frozenset({TaskStatus.CANCELLED, TaskStatus.FAILED})


@operation()
def report_progress(
    db: Transaction,
    *,
    task: str,
    message: arg.Text,
    percent: arg.Percent = -1,
    status: arg.Text = "",
    depends_on: arg.WaitsFor = [],
    ask: arg.Ask = "",
    attempt: arg.Attempt = 0,
) -> Written:
    """Record progress and renew the claim. `status`: blocked (waits for `depends_on`; without: a hold with that
    reason), requires_assistance (message is the question, `ask` names whom), released (gives it back), in_progress.
    """
    row = tasks.resolve_task(db, task)
    _check_report(row, message, percent, status)
    wanted = status.strip().lower().replace("-", "_")
    if wanted == "released" and attempt == 0 and _is_offered(db, row):
        return _declined(db, row, message)
    claims.require_claim(db, row, attempt)
    if wanted == "released":
        return _released(db, row, message, percent)
    to = read_status(wanted) if wanted else TaskStatus(row.status)
    if depends_on and to is not TaskStatus.BLOCKED:
        raise Invalid('depends_on goes with status="blocked".')
    if ask.strip() and to is not TaskStatus.REQUIRES_ASSISTANCE:
        raise Invalid('ask goes with status="requires_assistance".')
    if to is TaskStatus.BLOCKED:
        return _waits_for(db, row, message, percent, depends_on) if depends_on else _held(db, row, message, percent)
    if to is TaskStatus.REQUIRES_ASSISTANCE and wanted:
        return _asked(db, row, message, percent, ask)
    if to is TaskStatus.IN_PROGRESS and row.status == TaskStatus.REQUIRES_ASSISTANCE:
        return _goes_on(db, row, message, percent)
    return _noted(db, row, message, percent)


def _check_report(row: Row, message: str, percent: int, status: str) -> None:
    if not -1 <= percent <= HUNDRED:
        raise Invalid(f"percent is 0 to 100, or -1 for no figure; got {percent}.")
    word = status.strip().lower().replace("-", "_")
    if not word or word == "released":
        if word and not message.strip():
            raise Invalid("Say in `message` why you give it back.")
        return
    wanted = read_status(word)
    if wanted in {TaskStatus.COMPLETED, TaskStatus.PARTIAL, TaskStatus.FAILED, TaskStatus.IN_REVIEW}:
        outcome = "" if wanted in {TaskStatus.COMPLETED, TaskStatus.IN_REVIEW} else f', outcome="{wanted}"'
        raise Invalid(f'Finish with complete_task(task="{row.id}", summary=…{outcome}).')
    if wanted not in {TaskStatus.IN_PROGRESS, TaskStatus.BLOCKED, TaskStatus.REQUIRES_ASSISTANCE}:
        raise Invalid(
            f"A report cannot make a task {wanted}: status is in_progress, blocked, requires_assistance or released."
        )
    if wanted is not TaskStatus.IN_PROGRESS and not message.strip():
        what = "the question" if wanted is TaskStatus.REQUIRES_ASSISTANCE else "why it is blocked"
        raise Invalid(f"Say in `message` {what}.")


def _log(db: Transaction, row: Row, message: str, percent: int) -> dict[str, Any]:
    """Append to the progress log; the columns that go with it."""
    if message.strip() or percent >= 0:
        work.insert_progress(db, row.id, percent if percent >= 0 else None, message)
    return {"progress": percent} if percent >= 0 else {}


def _noted(db: Transaction, row: Row, message: str, percent: int) -> Written:
    values = {**_log(db, row, message, percent), **claims.renewal(db, row), "updated_at": db.now}
    after = tasks.update_task(db, row.id, values)
    moves.record(db, "progressed", after, {"percent": percent} if percent >= 0 else {})
    done = f" at {percent}%" if percent >= 0 else ""
    until = f", yours until {after.lease_until:%H:%M}Z" if after.lease_until else ""
    return Written(
        task=task_change(after, progress=percent if percent >= 0 else None),
        message=f"Noted: {row.id} {after.status}{done}{until}.",
        attempt=after.attempt,
        unread=unread(db),
    )


def _released(db: Transaction, row: Row, message: str, percent: int) -> Written:
    _log(db, row, message, percent)
    moved = claims.release(db, row, message)
    return _left(db, moved.row, f"{row.id} is given back and {moved.row.status}. claim_task() gives you another one.")


def _is_offered(db: Transaction, row: Row) -> bool:
    """Whether the task waits for whoever acts, to whom it is assigned: it may be given back without being claimed."""
    return row.status in WAITING and db.actor.id is not None and row.assignee_id == db.actor.id


def _declined(db: Transaction, row: Row, message: str) -> Written:
    """An offer is turned down: the task goes back to where it was before, and whoever made the offer is told."""
    place = claims.place_before(db, row, DelegationState.DECLINED, message)
    moved = moves.change(db, row, "released", place)
    words = f"{db.actor.name} declined {row.id} {row.title[:80]}: {message}"
    telling.tell(db, moved.row, "released", words, also=(row.delegator_id,))
    return _left(db, moved.row, f"{row.id} is declined and {moved.row.status}. claim_task() gives you another one.")


def _left(db: Transaction, row: Row, words: str, warnings: list[str] | None = None) -> Written:
    return Written(
        task=task_change(row), message=words, unread=unread(db), ready=ready_count(db), warnings=warnings or []
    )


def _held(db: Transaction, row: Row, message: str, percent: int) -> Written:
    """Blocked by something that is no task: a hold that the worker itself or an authority lifts."""
    values = {**_log(db, row, message, percent), "hold_reason": message.strip(), "hold_by_id": db.actor.id}
    moved = claims.end_claim(db, row, ExecutionStatus.WAITING, "held", values)
    superior = db.actor.superior_id
    words = f"{db.actor.name} cannot go on with {row.id} {row.title[:80]}: {message}"
    telling.tell(db, moved.row, "blocked", words, also=(superior,))
    again = f'claim_task(task="{row.id}") lifts your hold and takes it again.'
    return _left(db, moved.row, f"{row.id} is blocked: {message.strip()[:120]}. {again}")


def _waits_for(db: Transaction, row: Row, message: str, percent: int, depends_on: list[str]) -> Written:
    wanted: list[tuple[Row, EdgeType]] = []
    for words in depends_on:
        name, kind = read_edge(words)
        if kind is not EdgeType.BLOCKS:
            raise Invalid(f"Only tasks that it waits for can block a task; `{words[:60]}` is a softer relation.")
        wanted.append((tasks.resolve_task(db, name), kind))
    dead = [other for other, _ in wanted if other.status in DEAD]
    if dead:
        shown = ", ".join(f"{other.id} ({other.status})" for other in dead)
        raise Blocked(
            f"{shown} will never finish by itself, and your claim is kept. Wait for other tasks, or say what is wrong "
            'with status="requires_assistance".',
            task=row.id,
        )
    if all(other.status == TaskStatus.COMPLETED for other, _ in wanted):
        raise Blocked(
            f"{', '.join(other.id for other, _ in wanted)} is completed already: nothing is in your way, and your "
            "claim is kept.",
            task=row.id,
        )
    fresh, sentences = placing.add_edges(db, row, wanted)
    moved = claims.end_claim(db, fresh, ExecutionStatus.WAITING, "waited", _log(db, row, message, percent))
    said = "; ".join(sentences) or f"{row.id} waits already"
    telling.tell(db, moved.row, "blocked", f"{said}: {message}"[:500])
    return _left(db, moved.row, f"{said}. It becomes ready by itself; claim_task() gives you another one.")


def _asked(db: Transaction, row: Row, message: str, percent: int, ask: str) -> Written:
    if row.status == TaskStatus.REQUIRES_ASSISTANCE:
        claims.withdraw_question(db, row)
        values = {**_log(db, row, message, percent), "lease_until": None}
        after = moves.change(db, row, "asked", values).row
    else:
        values = {**_log(db, row, message, percent), "lease_until": None}
        after = moves.move(db, row, TaskStatus.REQUIRES_ASSISTANCE, "asked", values).row
    whom, number = asking.ask_about(db, after, message, ask)
    return Written(
        task=task_change(after),
        message=f"{whom} is asked (m{number}); {row.id} stays yours and the answer resumes it. Meanwhile claim_task().",
        attempt=after.attempt,
        unread=unread(db),
        ready=ready_count(db),
    )


def _goes_on(db: Transaction, row: Row, message: str, percent: int) -> Written:
    """The holder withdraws its question."""
    claims.withdraw_question(db, row)
    values = {**_log(db, row, message, percent), "lease_until": claims.lease(db, row.lease_minutes)}
    after = moves.move(db, row, TaskStatus.IN_PROGRESS, "resumed", values).row
    return Written(
        task=task_change(after),
        message=f"{row.id} goes on; the question is withdrawn.",
        attempt=after.attempt,
        unread=unread(db),
    )
