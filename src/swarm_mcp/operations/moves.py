"""The one door through which a task changes, and its event is recorded.

`change()` writes the columns, counts the version and appends the event in one go; then it lets the change take effect
on whatever the task stands in the way of: its waiters, everything below it, its parent. `move()` is a change of status,
checked against the lifecycle's table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import IllegalMove
from swarm_mcp.model.lifecycle import CLAIMED, FINISHED, MOVES, SETTLED, WAITING, TaskStatus
from swarm_mcp.operations import telling
from swarm_mcp.repository import events, graph, tasks, tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

VERSIONED = frozenset({
    "title", "description", "tags", "task_type", "area", "phase", "complexity", "source",
    "parent_id", "assignee_id", "pool_team_id", "pool_specialty", "reserved_from", "touches",
    "estimated_hours", "actual_hours", "deadline", "started_at", "completed_at",
    "status", "priority", "hold_reason", "hold_by_id", "holder_id", "attempt", "needs_review",
    "creator_id", "delegator_id", "worker_id", "source_status", "archived_at",
    "completion_summary", "outputs", "artifacts", "error",
})  # fmt: skip
"""What the ledger can rebuild; everything else about a task is derived or the claim's clock."""

TIMES = frozenset({"deadline", "started_at", "completed_at", "archived_at"})
HOURS = frozenset({"estimated_hours", "actual_hours"})
PLACE = ("assignee_id", "pool_team_id", "pool_specialty")
"""Where a task lies: with an agent, in a pool, or with nobody."""
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Moved:
    """A task after a change, and what the change set free."""

    row: Row
    unblocked: list[Row] = field(default_factory=list)


def plain(value: object) -> object:
    """A column's value as the ledger keeps it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value


def read_back(name: str, value: Any) -> Any:
    """A column's value as it was, from what the ledger keeps of it."""
    if value is None:
        return None
    if name in TIMES:
        return datetime.fromisoformat(value)
    return Decimal(value) if name in HOURS else value


def record(db: Transaction, kind: str, row: Row | None, data: dict[str, Any], *, version: int | None = None) -> None:
    """Append an event in the name of whoever acts."""
    events.insert_event(db, kind, row.id if row is not None else None, db.actor.id, version, data)


def record_outside(db: Transaction, row: Row, data: dict[str, Any]) -> None:
    """Record what a task of another board has lost on its way here, because that stayed there."""
    after = tasks.update_task(db, row.id, {"version": row.version + 1, "updated_at": db.now})
    record(db, "separated", after, data, version=after.version)


def obstructed(row: Row) -> bool:
    """Whether something stands in the task's way."""
    return bool(row.hold_reason is not None or row.waits or row.open_subtasks)


def gating(row: Row) -> bool:
    """Whether the task keeps everything below it waiting: a hold, or unfinished dependencies of its own."""
    return row.hold_reason is not None or row.waits > row.gates


def change(db: Transaction, row: Row, kind: str, values: dict[str, Any], data: dict[str, Any] | None = None) -> Moved:
    """Set columns of a task, record it, and let it take effect.

    Args:
        db: the transaction.
        row: the task as it is.
        kind: the event, in the past tense.
        values: columns and their new values; those that already have them are left out.
        data: more for the event (never the text of notes or messages).

    """
    before = row._asdict()
    differing = {name: value for name, value in values.items() if before[name] != value}
    versioned = {name: [plain(before[name]), plain(value)] for name, value in differing.items() if name in VERSIONED}
    if "deadline" in differing:
        differing["due"] = differing["deadline"] or END_OF_TIME
    counts = bool(versioned) or bool(data and "edges" in data)
    if counts:
        differing["version"] = row.version + 1
    differing["updated_at"] = db.now
    after = tasks.update_task(db, row.id, differing, seen=row.version if counts else None)
    record(db, kind, after, {**versioned, **(data or {})}, version=after.version if counts else None)
    return Moved(after, _take_effect(db, row, after))


def move(
    db: Transaction,
    row: Row,
    to: TaskStatus,
    kind: str,
    values: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
) -> Moved:
    """Change a task's status, if the lifecycle has that move.

    Raises:
        IllegalMove: it has not; the sentence names those that there are.

    """
    check_move(row, to)
    return _set_status(db, row, to, kind, values or {}, data)


def move_back(db: Transaction, row: Row, to: TaskStatus, values: dict[str, Any], data: dict[str, Any]) -> Moved:
    """Take a move of the lifecycle back: its table, read from right to left. Only undoing may.

    Raises:
        IllegalMove: no move leads from there to where the task is.

    """
    if TaskStatus(row.status) not in MOVES[to]:
        raise illegal(row, f"become {to} again")
    return _set_status(db, row, to, "undone", values, data)


def _set_status(
    db: Transaction, row: Row, to: TaskStatus, kind: str, values: dict[str, Any], data: dict[str, Any] | None
) -> Moved:
    """Set a status that was checked, and what follows from it by itself."""
    setting = {**values, "status": to.value}
    if to in FINISHED:
        setting |= {"hold_reason": None, "hold_by_id": None, **unreserved(row)}
    if to not in CLAIMED:
        setting |= {"holder_id": None, "lease_until": None}
    moved = change(db, row, kind, setting, data)
    if to is TaskStatus.COMPLETED or row.status == TaskStatus.COMPLETED:
        telling.follow_conversation(db, row.id, finished=to is TaskStatus.COMPLETED)
    return moved


def unreserved(row: Row) -> dict[str, Any]:
    """The columns that end a reservation: the task lies again where it lay before it was split."""
    if row.reserved_from is None:
        return {}
    return {"reserved_from": None, **{name: row.reserved_from.get(name) for name in PLACE}}


def check_move(row: Row, to: TaskStatus) -> None:
    """Refuse a move that the lifecycle does not have."""
    here = TaskStatus(row.status)
    if to is here and here in WAITING:
        return
    if to not in MOVES[here]:
        raise illegal(row, f"become {to}")


def illegal(row: Row, doing: str, hint: str = "") -> IllegalMove:
    """The refusal of what a task's status does not allow, with what it does allow."""
    allowed = sorted(MOVES[TaskStatus(row.status)])
    return IllegalMove(
        f"{row.id} is {row.status} and cannot {doing}; from {row.status} it can become {', '.join(allowed)}.{hint}",
        task=row.id,
        status=row.status,
        allowed=allowed,
    )


def requeue(
    db: Transaction,
    row: Row,
    kind: str,
    values: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
) -> Moved:
    """Put a task back into the queue: blocked if something stands in its way, else pending."""
    setting = values or {}
    held = setting.get("hold_reason", row.hold_reason) is not None
    to = TaskStatus.BLOCKED if held or row.waits or row.open_subtasks else TaskStatus.PENDING
    return move(db, row, to, kind, setting, data)


def count_new(db: Transaction, row: Row) -> None:
    """Let a task that was just stored count for its parent and the tally."""
    tasks.count_status(db, row.status, 1, archived=row.archived_at is not None)
    if row.parent_id:
        turn(db, [tree.shift_subtasks(db, row.parent_id, by=1, by_open=int(row.status not in SETTLED))])


def _take_effect(db: Transaction, before: Row, after: Row) -> list[Row]:
    """What a change does to other tasks; returns those that became ready."""
    status_changed = before.status != after.status
    if status_changed or before.archived_at != after.archived_at:
        tasks.count_status(db, before.status, -1, archived=before.archived_at is not None)
        tasks.count_status(db, after.status, 1, archived=after.archived_at is not None)
    touched: list[str] = []
    if gating(before) != gating(after):
        touched += _shift_gates(db, after, 1 if gating(after) else -1)
    if obstructed(before) != obstructed(after):
        touched.append(after.id)
    if status_changed:
        touched += _count_status(db, before, after)
    return turn(db, touched) if touched else []


def _count_status(db: Transaction, before: Row, after: Row) -> list[str]:
    """Count a finished (or reopened) task in or out for its waiters and its parent; whom that concerns."""
    touched: list[str] = []
    was_done, is_done = before.status == TaskStatus.COMPLETED, after.status == TaskStatus.COMPLETED
    if was_done != is_done:
        by = -1 if is_done else 1
        for waiter in graph.shift_waits(db, after.id, by):
            touched.append(waiter.id)
            touched += shift_gates_of(db, waiter, by)
    was_settled, is_settled = before.status in SETTLED, after.status in SETTLED
    if was_settled != is_settled and after.parent_id:
        touched.append(tree.shift_subtasks(db, after.parent_id, by=0, by_open=-1 if is_settled else 1))
    return touched


def shift_gates_of(db: Transaction, waiter: Row, by: int) -> list[str]:
    """After a waiter's own dependencies changed by a number: whoever is below it and may turn."""
    own = waiter.waits - waiter.gates
    if waiter.hold_reason is not None or (own > 0) == (own - by > 0):
        return []
    return _shift_gates(db, waiter, 1 if own > 0 else -1)


def _shift_gates(db: Transaction, row: Row, by: int) -> list[str]:
    if not row.subtasks:
        return []
    graph.lock_graph(db)  # lest somebody puts a task below it that this does not see yet
    return tree.shift_gates(db, row.id, by)


def turn(db: Transaction, task_ids: Iterable[str]) -> list[Row]:
    """Make pending and blocked agree with what stands in the way; returns the tasks that became ready."""
    freed: list[Row] = []
    for row in tasks.task_rows(db, task_ids).values():
        if row.status == TaskStatus.BLOCKED and not obstructed(row):
            freed.append(move(db, row, TaskStatus.PENDING, "unblocked").row)
        elif row.status == TaskStatus.PENDING and obstructed(row):
            is_new = row.version == 1 and row.updated_at == db.now  # its creation has told everybody already
            shut = move(db, row, TaskStatus.BLOCKED, "blocked").row
            if not is_new:
                telling.tell(db, shut, "blocked", f"{row.id} {row.title[:80]} is blocked: something came into its way.")
    for row in freed:
        telling.tell(db, row, "unblocked", f"{row.id} {row.title[:80]} is ready: nothing stands in its way any more.")
    return freed


def record_claim(db: Transaction, before: Row, after: Row) -> None:
    """Record a claim, which the guarded statement of the repository has just written."""
    names = ("status", "holder_id", "worker_id", "attempt", "started_at", "hold_reason", "hold_by_id")
    data = {
        name: [plain(getattr(before, name)), plain(getattr(after, name))]
        for name in names
        if getattr(before, name) != getattr(after, name)
    }
    record(db, "claimed", after, data, version=after.version)
    _take_effect(db, before, after)
