"""What agents leave for others and for themselves: shared context and private notes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.lifecycle import choose
from swarm_mcp.model.memory import ContextKind
from swarm_mcp.model.task import Written
from swarm_mcp.operations import claims, moves
from swarm_mcp.operations.answering import shorten, task_change, unread
from swarm_mcp.operations.catalog import operation
from swarm_mcp.repository import memory, tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

KEY_LIMIT = 200


@operation()
def share_context(
    db: Transaction,
    *,
    key: str,
    value: arg.AnyValue,
    task: arg.Text = "",
    kind: arg.ContextKind = "fact",
    rationale: arg.Text = "",
) -> Written:
    """Publish to everybody: on a task (its subtasks inherit it) or, without one, on the whole project. `kind`: fact,
    requirement, decision, artifact.
    """
    name = key.strip()
    if not name or len(name) > KEY_LIMIT:
        raise Invalid(f"A key has 1 to {KEY_LIMIT} characters; got {len(name)}.")
    if value is None:
        raise Invalid("The value is empty; share something.")
    what = choose(kind or "fact", ContextKind, "kind of context")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise Invalid("The value is no JSON: NaN, infinities and objects of a program cannot be shared.") from None
    row = tasks.resolve_task(db, task) if task.strip() else None
    memory.insert_context(
        db,
        {
            "task_id": row.id if row is not None else None,
            "key": name,
            "value": value,
            "kind": what.value,
            "rationale": rationale,
        },
    )
    moves.record(db, "context_shared", row, {"key": name, "kind": what.value})
    where = f"on {row.id}" if row is not None else "with the whole project"
    if row is not None:
        row = claims.touched(db, row)
    return Written(
        task=task_change(row) if row is not None else None,
        message=f"Shared `{shorten(name)}` {where}.",
        unread=unread(db),
    )


@operation()
def add_note(db: Transaction, *, task: str, text: str) -> Written:
    """A private note: only you can read it."""
    if not text.strip():
        raise Invalid("The note is empty.")
    row = tasks.resolve_task(db, task)
    memory.insert_note(db, row.id, text)
    row = claims.touched(db, row)
    return Written(task=task_change(row), message=f"Noted on {row.id}; only you can read it.", unread=unread(db))
