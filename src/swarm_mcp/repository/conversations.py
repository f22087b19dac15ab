"""Queries about conversations: who may read what of a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, or_, select

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement, among

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

conversation, message, inbox = tables.conversation, tables.message, tables.inbox

FOUND = Statement(
    select(conversation).where(
        conversation.c.project == bindparam("project"),
        or_(conversation.c.id == bindparam("name"), conversation.c.task_id == bindparam("name")),
    )
)
SAID = (
    select(message)
    .where(message.c.conversation_id == bindparam("conversation"), message.c.id > bindparam("after"))
    .order_by(message.c.id)
    .limit(bindparam("limit"))
)
PUBLIC = among(message.c.type, "question", "answer")
GOT = select(inbox.c.id).where(inbox.c.message_id == message.c.id, inbox.c.agent_id == bindparam("reader")).exists()
SAID_TO_ALL = Statement(SAID.where(PUBLIC))
SAID_TO_AGENT = Statement(SAID.where(or_(PUBLIC, message.c.sender_id == bindparam("reader"), GOT)))
SAID_AT_ALL = Statement(SAID)


def find_conversation(db: Transaction, name: str) -> Row | None:
    """The conversation of that id, or about the task of that id; None if there is none."""
    return FOUND.first(db, {"project": db.project.slug, "name": name})


def messages_of(
    db: Transaction, conversation_id: str, reader: str | None, *, everything: bool, after: int, limit: int
) -> Sequence[Row]:
    """What a reader may read of a conversation after a message, oldest first: questions, answers, and its own.

    A reader that is nobody is a stranger: the operator, who is nobody in the tables too, reads everything.
    """
    statement = SAID_AT_ALL if everything else SAID_TO_ALL if reader is None else SAID_TO_AGENT
    return statement.all(db, {"conversation": conversation_id, "reader": reader, "after": after, "limit": limit})
