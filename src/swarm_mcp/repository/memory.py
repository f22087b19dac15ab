"""Queries about shared context and private notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, exists, insert, select

from swarm_mcp.repository import indexing, tables
from swarm_mcp.repository.statement import ListStatement, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import ColumnElement, FromClause, Select

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

context = tables.context
note = tables.note

INSERT_CONTEXT = Statement(insert(context).returning(context.c.id))
LATEST = Statement(
    select(context)
    .where(
        context.c.project == bindparam("project"),
        context.c.task_id == bindparam("task_id"),
        context.c.key == bindparam("key"),
    )
    .order_by(context.c.id.desc())
    .limit(1)
)
INSERT_NOTE = Statement(insert(note))


newer = context.alias("newer")


def _latest(owner: Callable[[FromClause], ColumnElement[bool]]) -> Select[Any]:
    """The entries under every key of some owner that no newer one has replaced.

    By NOT EXISTS, which walks the index of keys; a list of ids from a subquery would cost a table of its own each time.
    """
    replaced = select(newer.c.id).where(
        newer.c.project == context.c.project, owner(newer), newer.c.key == context.c.key, newer.c.id > context.c.id
    )
    return select(context).where(context.c.project == bindparam("project"), owner(context), ~exists(replaced))


def _of(wanted: Sequence[ColumnElement[str]]) -> Select[Any]:
    """The latest of these tasks."""
    return _latest(
        lambda table: table.c.task_id == context.c.task_id if table is newer else table.c.task_id.in_(wanted)
    )


_of_project = _latest(lambda table: table.c.task_id.is_(None))
CONTEXT = ListStatement(lambda wanted: _of(wanted).order_by(context.c.id.desc()).limit(bindparam("limit")))
OF_PROJECT = Statement(_of_project.order_by(context.c.id.desc()).limit(bindparam("limit")))
NOTES = Statement(
    select(note)
    .where(note.c.task_id == bindparam("task"), note.c.agent_id == bindparam("agent"), note.c.id > bindparam("after"))
    .order_by(note.c.id)
    .limit(bindparam("limit"))
)
ALL_NOTES = Statement(
    select(note)
    .where(note.c.task_id == bindparam("task"), note.c.id > bindparam("after"))
    .order_by(note.c.id)
    .limit(bindparam("limit"))
)
LATEST_NOTES = Statement(
    select(note)
    .where(note.c.task_id == bindparam("task"), note.c.agent_id == bindparam("agent"))
    .order_by(note.c.id.desc())
    .limit(bindparam("limit"))
)


def insert_context(db: Transaction, values: dict[str, Any]) -> None:
    """Append a value under a key; the one before stays in the history, and is found no more."""
    row = {"project": db.project.slug, "by_id": db.actor.id, "at": db.now, **values}
    if row["task_id"] is None:
        INSERT_CONTEXT.run(db, row)
        return
    replaced = LATEST.first(db, row)
    indexing.index_context(db, INSERT_CONTEXT.scalar(db, row), row, replaced)


def context_of(db: Transaction, task_ids: Iterable[str], *, limit: int) -> list[Row]:
    """The latest value of every key of these tasks, newest first."""
    return CONTEXT.all(db, list(task_ids), {"project": db.project.slug, "limit": limit})


def context_around(db: Transaction, task_ids: Iterable[str], *, limit: int) -> list[Row]:
    """The latest value of every key of these tasks and of the whole project; the tasks' own first, newest first."""
    bound = {"project": db.project.slug, "limit": limit}
    return [*CONTEXT.all(db, list(task_ids), bound), *OF_PROJECT.all(db, bound)][:limit]


def insert_note(db: Transaction, task_id: str, words: str, **said: Any) -> None:
    """Store a private note; `agent_id` and `at` say whose and of when, if not of whoever acts and now."""
    INSERT_NOTE.run(db, {"task_id": task_id, "agent_id": db.actor.id, "text": words, "at": db.now} | said)


def notes_of(db: Transaction, task_id: str, agent_id: str, *, after: int, limit: int) -> Sequence[Row]:
    """One author's notes on a task, oldest first."""
    bound = {"task": task_id, "agent": agent_id, "after": after, "limit": limit}
    return NOTES.all(db, bound)


def all_notes(db: Transaction, task_id: str, *, after: int, limit: int) -> Sequence[Row]:
    """Everybody's notes on a task, oldest first; for the operator alone."""
    return ALL_NOTES.all(db, {"task": task_id, "after": after, "limit": limit})


def latest_notes(db: Transaction, task_id: str, agent_id: str, *, limit: int) -> Sequence[Row]:
    """One author's notes on a task, newest first."""
    return LATEST_NOTES.all(db, {"task": task_id, "agent": agent_id, "limit": limit})
