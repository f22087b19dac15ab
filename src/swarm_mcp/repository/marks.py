"""How far inboxes, notes and conversations are: marks that differ when something in them has changed.

The ledger says nothing of messages and notes, since everybody reads it. Whoever listens to one compares marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.conversations import GOT, PUBLIC
from swarm_mcp.repository.statement import ListStatement, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.repository.database import Transaction

agent, inbox, note, message = tables.agent, tables.inbox, tables.note, tables.message
conversation = tables.conversation

Mark = tuple[Any, ...] | None
"""Compared with another one of the same, and good for nothing else. None: there is nothing."""

INBOXES = ListStatement(
    lambda wanted: (
        select(agent.c.name, func.count(inbox.c.id), func.max(inbox.c.id), func.max(inbox.c.at))
        .join(inbox, inbox.c.agent_id == agent.c.id)
        .where(
            agent.c.project == bindparam("project"),
            agent.c.name.in_(wanted),
            inbox.c.project == bindparam("project"),
            text("inbox.state <> 'read'"),
        )
        .group_by(agent.c.name)
    )
)
NOTES = ListStatement(
    lambda wanted: (
        select(note.c.task_id, agent.c.name, func.max(note.c.id))
        .join(agent, agent.c.id == note.c.agent_id)
        .where(note.c.task_id.in_(wanted))
        .group_by(note.c.task_id, agent.c.name)
    )
)
CONVERSATION = Statement(
    select(conversation.c.title, conversation.c.status, func.max(message.c.id))
    .join(message, message.c.conversation_id == conversation.c.id)
    .where(
        conversation.c.project == bindparam("project"),
        conversation.c.id == bindparam("conversation"),
        PUBLIC | (message.c.sender_id == bindparam("reader")) | GOT,
    )
    .group_by(conversation.c.title, conversation.c.status)
)
AGENT = Statement(select(agent.c.id).where(agent.c.project == bindparam("project"), agent.c.name == bindparam("name")))


def inbox_marks(db: Transaction, names: Iterable[str]) -> dict[str, Mark]:
    """The mark of what each of these agents has not read."""
    found = INBOXES.all(db, sorted(names), {"project": db.project.slug})
    return {name: (count, last, at) for name, count, last, at in found}


def note_marks(db: Transaction, task_ids: Iterable[str]) -> dict[tuple[str, str], Mark]:
    """The mark of the notes that each agent has on these tasks, by task and agent."""
    return {(task_id, name): (last,) for task_id, name, last in NOTES.all(db, sorted(task_ids))}


def conversation_mark(db: Transaction, conversation_id: str, name: str) -> Mark:
    """The mark of what an agent may read of a conversation."""
    project = db.project.slug
    reader = AGENT.scalar(db, {"project": project, "name": name})
    bound = {"project": project, "conversation": conversation_id, "reader": reader}
    found = CONVERSATION.first(db, bound)
    return tuple(found) if found is not None else None
