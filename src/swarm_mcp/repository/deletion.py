"""Rows that go for good: those of a task, and everything that belongs to it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, or_, select, update

from swarm_mcp.repository import indexing, tables
from swarm_mcp.repository.statement import SIZES, ListStatement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Table

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task, edge, context = tables.task, tables.dependency, tables.context
message, inbox, conversation = tables.message, tables.inbox, tables.conversation

OWN: tuple[Table, ...] = (
    tables.wording, tables.unindexed, tables.external_ref, tables.criterion, tables.delegation, tables.execution,
    tables.progress, context, tables.note, tables.feedback, tables.participant, tables.event,
)  # fmt: skip
"""What a task has of its own, each row naming it in `task_id`."""
OPEN_EDGES_TO = ListStatement(
    lambda wanted: select(edge.c.task_id, edge.c.depends_on_id, edge.c.type).where(edge.c.depends_on_id.in_(wanted))
)
MESSAGES_OF = ListStatement(
    lambda wanted: (
        select(message.c.id, message.c.task_id, message.c.text)
        .outerjoin_from(message, conversation, conversation.c.id == message.c.conversation_id)
        .where(or_(message.c.task_id.in_(wanted), conversation.c.task_id.in_(wanted)))
    )
)
LATEST_CONTEXT_OF = ListStatement(
    lambda wanted: select(context).where(
        context.c.id.in_(
            select(func.max(context.c.id))
            .where(context.c.task_id.in_(wanted))
            .group_by(context.c.task_id, context.c.key)
        )
    )
)
LOCKS = (
    ListStatement(lambda wanted: select(task.c.id).where(task.c.id.in_(wanted)).with_for_update()),
    ListStatement(lambda wanted: select(conversation.c.id).where(conversation.c.task_id.in_(wanted)).with_for_update()),
)
"""Against whoever is just adding something to them, a message say."""


def edges_to(db: Transaction, task_ids: Sequence[str]) -> list[Row]:
    """Every edge (task_id, depends_on_id, type) that leads to one of these tasks from another."""
    gone = set(task_ids)
    return [row for row in OPEN_EDGES_TO.all(db, task_ids) if row.task_id not in gone]


def delete_tasks(db: Transaction, rows: Sequence[Row]) -> None:
    """Delete tasks with all that is theirs: words, attempts, reports, notes, messages about them, and their events.

    Nothing may refer to them any more but what goes with them; parents and tallies are the caller's.
    """
    task_ids = [row.id for row in sorted(rows, key=lambda row: row.rank, reverse=True)]  # parts before their wholes
    if db.locks_rows:
        for each in LOCKS:
            each.all(db, task_ids)
    messages = {row.id: row for row in MESSAGES_OF.all(db, task_ids)}
    indexing.forget_messages(db, [row for row in messages.values() if row.task_id is not None])
    indexing.forget_context(db, LATEST_CONTEXT_OF.all(db, task_ids))
    indexing.forget_tasks(db, task_ids)
    for gone in _batches(list(messages)):  # nothing finds the answers to a message faster than looking at all of them
        db.execute(update(message).where(message.c.reply_to_id.in_(gone)).values(reply_to_id=None))
    _delete(db, inbox, "message_id", list(messages))
    _delete(db, inbox, "task_id", task_ids)
    _delete(db, message, "id", list(messages))
    _delete(db, conversation, "task_id", task_ids)
    for each in OWN:
        _delete(db, each, "task_id", task_ids)
    _delete(db, edge, "task_id", task_ids)
    _delete(db, edge, "depends_on_id", task_ids)
    _delete(db, task, "id", task_ids)


def _delete(db: Transaction, table: Table, column: str, keys: Sequence[Any]) -> None:
    """Delete the rows whose column has one of these values, in the order of the values."""
    for gone in _batches(keys):
        db.execute(delete(table).where(table.c[column].in_(gone)))


def _batches(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (keys[start : start + SIZES[-1]] for start in range(0, len(keys), SIZES[-1]))
