"""Tasks whole, with everything that belongs to them, some hundred at a time: what is written out for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, exists, select

from swarm_mcp.repository import tables
from swarm_mcp.repository.grouping import by_task
from swarm_mcp.repository.statement import ListStatement, Statement, among
from swarm_mcp.repository.tasks import HERE, task_rows
from swarm_mcp.repository.tree import subtree_ids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, Table

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task
edge = tables.dependency
criterion = tables.criterion
context = tables.context
newer = tables.context.alias("newer")
note = tables.note
progress = tables.progress
feedback = tables.feedback
participant = tables.participant
message = tables.message
inbox = tables.inbox

BATCH = 500
PAGE = Statement(select(task).where(HERE, task.c.id > bindparam("after")).order_by(task.c.id).limit(bindparam("limit")))


def _of_tasks(table: Table, *order: ColumnElement[object], where: ColumnElement[bool] | None = None) -> ListStatement:
    wanted = select(table)
    wanted = wanted if where is None else wanted.where(where)
    return ListStatement(lambda ids: wanted.where(table.c.task_id.in_(ids)).order_by(table.c.task_id, *order))


KINDS = {
    "edges": _of_tasks(edge, edge.c.created_at, edge.c.depends_on_id),
    "criteria": _of_tasks(criterion, criterion.c.position),
    "context": _of_tasks(
        context,
        context.c.id,
        where=~exists(
            select(newer.c.id).where(
                newer.c.project == context.c.project, newer.c.task_id == context.c.task_id,
                newer.c.key == context.c.key, newer.c.id > context.c.id,
            )
        ),
    ),
    "notes": _of_tasks(note, note.c.id),
    "progress": _of_tasks(progress, progress.c.id),
    "feedback": _of_tasks(feedback, feedback.c.id),
    "participants": _of_tasks(
        participant, participant.c.joined_at, participant.c.agent_id, where=participant.c.left_at.is_(None)
    ),
    "messages": _of_tasks(message, message.c.id, where=among(message.c.type, "question", "answer")),
    "notices": _of_tasks(inbox, inbox.c.id, where=inbox.c.message_id.is_(None)),
}  # fmt: skip


class Belongings(NamedTuple):
    """What belongs to some tasks: rows by the task's id, each in the order in which it came."""

    edges: dict[str, list[Row]]
    """Of every type."""
    criteria: dict[str, list[Row]]
    context: dict[str, list[Row]]
    """The latest of every key."""
    notes: dict[str, list[Row]]
    """Everybody's: for the operator alone."""
    progress: dict[str, list[Row]]
    feedback: dict[str, list[Row]]
    participants: dict[str, list[Row]]
    """Those who have not left."""
    messages: dict[str, list[Row]]
    """Questions and answers, which everybody may read."""
    notices: dict[str, list[Row]]
    """Notifications, read or not."""


def batches(db: Transaction, *, root: str = "", since: datetime | None = None) -> Iterator[list[Row]]:
    """Every task of the project, archived or not, or one and all below it, in the order of their ids.

    Args:
        db: the transaction.
        root: the id of the task at which to begin.
        since: leaves out what has not changed since.

    """
    for rows in _below(db, root) if root else _pages(db):
        shown = [row for row in rows if since is None or row.updated_at >= since]
        if shown:
            yield shown


def _pages(db: Transaction) -> Iterator[list[Row]]:
    after = ""
    while rows := PAGE.all(db, {"project": db.project.slug, "after": after, "limit": BATCH}):
        yield rows
        after = rows[-1].id


def _below(db: Transaction, root: str) -> Iterator[list[Row]]:
    ids = sorted(subtree_ids(db, root))
    for start in range(0, len(ids), BATCH):
        found = task_rows(db, ids[start : start + BATCH])
        yield [found[each] for each in sorted(found)]


def belongings(db: Transaction, task_ids: list[str]) -> Belongings:
    """Everything that belongs to these tasks."""
    return Belongings(**{kind: by_task(statement.all(db, task_ids)) for kind, statement in KINDS.items()})
