"""Answers to writes: the task as it is now, what changed, and what the caller should know besides."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import Conflict, Invalid
from swarm_mcp.model.lifecycle import TaskStatus, natural_progress
from swarm_mcp.model.task import LINES, TaskChange, TaskLine
from swarm_mcp.operations import claims
from swarm_mcp.repository import agents, lines, messages, queue, teams, work

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

TITLE_SHOWN = 80
EDGES_SHOWN = 3
READY_COUNTED = 100
ROLLED_UP = 1000
KEY_LIMIT = 200
IDS_TOLD = 20


def task_change(row: Row, **changed: object) -> TaskChange:
    """A task after a write."""
    kept = {name: value for name, value in changed.items() if value not in (None, "", [], {})}
    return TaskChange(id=row.id, status=row.status, version=row.version, **kept)


def unread(db: Transaction) -> int:
    """How much whoever acts has not read."""
    return messages.count_unread(db, db.actor.id) if db.actor.id else 0


def ready_count(db: Transaction) -> int:
    """How many ready tasks lie where whoever acts may claim, counting to a hundred in each lane.

    Neither its capacity nor what it has just let go of is looked at, which would cost more: `claiming.would_get` does.
    """
    return queue.count_ready(db, claims.lanes(db), limit=READY_COUNTED)


def shorten(words: str, limit: int = TITLE_SHOWN) -> str:
    """The beginning of a text, with an ellipsis where it was cut."""
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def task_lines(db: Transaction, rows: Sequence[Row]) -> list[TaskLine]:
    """Tasks as rows of a list; the same as `lines_told`, as records."""
    return LINES.validate_python(lines_told(db, rows)) if rows else []


def lines_told(db: Transaction, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Tasks as rows of a list: what `TaskLine` has, as JSON values without what is empty or at its default.

    Args:
        db: the transaction.
        rows: the tasks, as rows of `repository.lines`.

    """
    names = agents.agent_names(db, {row.assignee_id for row in rows} | {row.holder_id for row in rows})
    pools = teams.team_names(db, {row.pool_team_id for row in rows})
    nested = _nested(db, rows)
    return [_line(db, row, names, pools, _percent(row, nested)) for row in rows]


def _line(
    db: Transaction, row: Row, names: dict[str | None, str], pools: dict[str | None, str], done: int
) -> dict[str, Any]:
    line: dict[str, Any] = {"id": row.id, "title": shorten(row.title), "status": row.status}
    if row.priority != "medium":
        line["priority"] = row.priority
    if place := names[row.assignee_id] if row.assignee_id else _pool(row, pools):
        line["assignee"] = place
    if row.holder_id and row.holder_id != row.assignee_id:
        line["holder"] = names[row.holder_id]
    if done:
        line["progress"] = done
    if row.open_edges:
        waits_for = row.open_edges.split(",")
        line["depends_on"] = waits_for[:EDGES_SHOWN]
        if len(waits_for) > EDGES_SHOWN:
            line["depends_on_more"] = len(waits_for) - EDGES_SHOWN
    if row.deadline:
        line["deadline"] = row.deadline.isoformat()
    if row.lease_until and claims.lapsed(db, row):
        line["lapsed"] = True
    if row.hold_reason:
        line["hold"] = shorten(row.hold_reason)
    return line


def _pool(row: Row, pools: dict[str | None, str]) -> str:
    if row.pool_team_id:
        return f"team:{pools[row.pool_team_id]}"
    return f"specialty:{row.pool_specialty}" if row.pool_specialty else ""


def progress_of(db: Transaction, rows: Sequence[Row]) -> dict[str, int]:
    """Percent done by task id: as reported, else by the subtasks, else what the status says by itself."""
    nested = _nested(db, rows)
    return {row.id: _percent(row, nested) for row in rows}


def _nested(db: Transaction, rows: Sequence[Row]) -> dict[str, float]:
    """What the subtasks amount to of those tasks whose subtasks have some themselves."""
    return _rolled_up(db, [row.id for row in rows if row.rolled == lines.NESTED])


def _percent(row: Row, nested: dict[str, float]) -> int:
    if row.status == TaskStatus.COMPLETED:
        return 100
    if row.progress is not None:
        return row.progress
    if row.rolled is not None:
        return round(nested.get(row.id, 0) if row.rolled == lines.NESTED else row.rolled)
    return natural_progress(row.status, started=row.started_at is not None)


def _rolled_up(db: Transaction, task_ids: list[str]) -> dict[str, float]:
    """What the subtasks of these tasks amount to, level by level, until a thousand have been read."""
    levels: list[Sequence[Row]] = []
    below = task_ids
    while below and sum(map(len, levels)) < ROLLED_UP:
        levels.append(lines.parts_of(db, below))
        below = [row.id for row in levels[-1] if row.subtasks and row.progress is None]
    rolled: dict[str, float] = {}
    for level in reversed(levels):
        rolled |= _weighed(level, rolled)
    return rolled


def _weighed(parts: Iterable[Row], rolled: dict[str, float]) -> dict[str, float]:
    sums: dict[str, tuple[float, float]] = {}
    for row in parts:
        weight = float(row.estimated_hours or 1)
        percent: Any = rolled.get(row.id, row.percent)
        done, total = sums.get(row.parent_id, (0.0, 0.0))
        sums[row.parent_id] = done + weight * percent, total + weight
    return {parent: done / total for parent, (done, total) in sums.items()}


def digest(arguments: dict[str, object]) -> str:
    """What was asked, so that a key cannot be used for something else."""
    words = json.dumps(arguments, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(words.encode()).hexdigest()


def first_result(db: Transaction, operation: str, key: str, arguments: dict[str, object]) -> dict[str, Any] | None:
    """What the first call under a key brought, or None.

    Raises:
        Conflict: the key was used for something else.
        Invalid: the key is too long.

    """
    if not key:
        return None
    if len(key) > KEY_LIMIT:
        raise Invalid(f"A key has at most {KEY_LIMIT} characters; this one has {len(key)}.")
    row = work.remembered(db, operation, key)
    if row is None:
        return None
    if row.arguments != digest(arguments):
        made = dict(list(row.result["ids"].items())[:IDS_TOLD])
        first = ", ".join(list(made.values())[:5])
        raise Conflict(
            f"The key `{key[:60]}` was used for other arguments; that call made {first}. Use another key.",
            result={"ids": made},
        )
    return row.result


def keep_result(
    db: Transaction, operation: str, key: str, arguments: dict[str, object], result: dict[str, Any]
) -> None:
    """Remember a success under its key."""
    if key:
        work.remember(db, operation, key, digest(arguments), result)
