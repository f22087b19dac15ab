"""Answers to writes: the task as it is now, what changed, and what the caller should know besides."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import Conflict, Invalid
from swarm_mcp.model.lifecycle import TaskStatus, natural_progress
from swarm_mcp.model.task import TaskChange, TaskLine
from swarm_mcp.operations import claims
from swarm_mcp.repository import agents, graph, messages, tasks, teams, work

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
    """How many tasks whoever acts could claim now, counting to a hundred in each lane."""
    return tasks.count_ready(db, claims.lanes(db), limit=READY_COUNTED)


def shorten(words: str, limit: int = TITLE_SHOWN) -> str:
    """The beginning of a text, with an ellipsis where it was cut."""
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def percent(row: Row) -> int:
    """Percent done: as reported, else what the status says by itself."""
    if row.status == TaskStatus.COMPLETED:
        return 100
    if row.progress is not None:
        return row.progress
    return natural_progress(TaskStatus(row.status), started=row.started_at is not None)


def task_lines(db: Transaction, rows: Sequence[Row], *, edges: dict[str, list[Row]] | None = None) -> list[TaskLine]:
    """Tasks as rows of a list, in a handful of queries however many they are.

    Args:
        db: the transaction.
        rows: the tasks.
        edges: what they wait for, if the caller knows it already.

    """
    names = agents.agent_names(db, (each for row in rows for each in (row.assignee_id, row.holder_id)))
    pools = teams.team_names(db, (row.pool_team_id for row in rows))
    if edges is None:
        edges = graph.blockers(db, [row.id for row in rows if row.waits > row.gates])
    rolled = rolled_progress(db, [row.id for row in rows if row.subtasks and row.progress is None])
    return [_task_line(db, row, names, pools, edges.get(row.id, ()), rolled) for row in rows]


def _task_line(
    db: Transaction,
    row: Row,
    names: dict[str | None, str],
    pools: dict[str | None, str],
    edges: Iterable[Row],
    rolled: dict[str, int],
) -> TaskLine:
    open_edges = [each.id for each in edges if each.status != TaskStatus.COMPLETED]
    assignee = names.get(row.assignee_id, "")
    if row.pool_team_id:
        assignee = f"team:{pools[row.pool_team_id]}"
    elif row.pool_specialty:
        assignee = f"specialty:{row.pool_specialty}"
    return TaskLine(
        id=row.id,
        title=shorten(row.title),
        status=row.status,
        priority=row.priority,
        assignee=assignee,
        holder=names.get(row.holder_id, "") if row.holder_id != row.assignee_id else "",
        progress=rolled.get(row.id, percent(row)),
        depends_on=open_edges[:EDGES_SHOWN],
        depends_on_more=max(0, len(open_edges) - EDGES_SHOWN),
        deadline=row.deadline.isoformat() if row.deadline else "",
        lapsed=claims.lapsed(db, row),
        hold=shorten(row.hold_reason or ""),
    )


def rolled_progress(db: Transaction, task_ids: Iterable[str]) -> dict[str, int]:
    """For each of these tasks that has subtasks, their progress weighed by estimate (one hour where none is known).

    Subtasks are rolled up in their turn, level by level, until a thousand have been read.
    """
    plain = {row.parent_id: row for row in tasks.rolled_up(db, list(task_ids))}
    if not any(row.nested for row in plain.values()):
        return {parent: round(row.percent) for parent, row in plain.items()}
    levels: list[Sequence[Row]] = []
    below = list(plain)
    while below and sum(map(len, levels)) < ROLLED_UP:
        levels.append(tasks.subtask_progress(db, below))
        below = [row.id for row in levels[-1] if row.subtasks]
    rolled: dict[str, float] = {}
    for level in reversed(levels):
        rolled |= _weighed(level, rolled)
    return {parent: round(done) for parent, done in rolled.items()}


def _weighed(subtasks: Iterable[Row], rolled: dict[str, float]) -> dict[str, float]:
    sums: dict[str, tuple[float, float]] = {}
    for row in subtasks:
        if row.status == TaskStatus.CANCELLED:
            continue
        weight = float(row.estimated_hours or 1)
        done, total = sums.get(row.parent_id, (0.0, 0.0))
        sums[row.parent_id] = (
            done + weight * (rolled.get(row.id, percent(row)) if row.progress is None else percent(row)),
            total + weight,
        )
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
