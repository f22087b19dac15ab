"""Queries about shared context and private notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select

from swarm_mcp.repository.tables import ContextRow, NoteRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Row

    from swarm_mcp.repository.database import Transaction

context = ContextRow.__table__
note = NoteRow.__table__

INSERT_CONTEXT = insert(context)
INSERT_NOTE = insert(note)
_latest = (
    select(func.max(context.c.id).label("id"))
    .where(context.c.project == bindparam("project"), context.c.task_id.in_(bindparam("tasks", expanding=True)))
    .group_by(context.c.task_id, context.c.key)
)
_latest_of_project = (
    select(func.max(context.c.id).label("id"))
    .where(context.c.project == bindparam("project"), context.c.task_id.is_(None))
    .group_by(context.c.key)
)
CONTEXT = select(context).where(context.c.id.in_(_latest)).order_by(context.c.id.desc()).limit(bindparam("limit"))
PROJECT_CONTEXT = (
    select(context).where(context.c.id.in_(_latest_of_project)).order_by(context.c.id.desc()).limit(bindparam("limit"))
)
NOTES = (
    select(note)
    .where(note.c.task_id == bindparam("task"), note.c.agent_id == bindparam("agent"), note.c.id > bindparam("after"))
    .order_by(note.c.id)
    .limit(bindparam("limit"))
)
LATEST_NOTES = (
    select(note)
    .where(note.c.task_id == bindparam("task"), note.c.agent_id == bindparam("agent"))
    .order_by(note.c.id.desc())
    .limit(bindparam("limit"))
)


def insert_context(db: Transaction, values: dict[str, Any]) -> None:
    """Append a value under a key; the one before stays in the history."""
    db.connection.execute(
        INSERT_CONTEXT, {"project": db.project.slug, "by_id": db.actor.id, "at": db.now, **values}
    )


def context_of(db: Transaction, task_ids: Iterable[str], *, limit: int) -> Sequence[Row[Any]]:
    """The latest value of every key of these tasks, newest first."""
    bound = {"project": db.project.slug, "tasks": list(task_ids), "limit": limit}
    return db.connection.execute(CONTEXT, bound).all()


def project_context(db: Transaction, *, limit: int) -> Sequence[Row[Any]]:
    """The latest value of every key of the whole project, newest first."""
    return db.connection.execute(PROJECT_CONTEXT, {"project": db.project.slug, "limit": limit}).all()


def insert_note(db: Transaction, task_id: str, words: str) -> None:
    """Store a private note of whoever acts."""
    db.connection.execute(INSERT_NOTE, {"task_id": task_id, "agent_id": db.actor.id, "text": words, "at": db.now})


def notes_of(db: Transaction, task_id: str, agent_id: str, *, after: int, limit: int) -> Sequence[Row[Any]]:
    """One author's notes on a task, oldest first. There is no query for anybody else's."""
    bound = {"task": task_id, "agent": agent_id, "after": after, "limit": limit}
    return db.connection.execute(NOTES, bound).all()


def latest_notes(db: Transaction, task_id: str, agent_id: str, *, limit: int) -> Sequence[Row[Any]]:
    """One author's notes on a task, newest first."""
    return db.connection.execute(LATEST_NOTES, {"task": task_id, "agent": agent_id, "limit": limit}).all()
