"""What was said as documents: an inbox, and a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.interchange.agent_documents import LISTED
from swarm_mcp.interchange.text import render
from swarm_mcp.model.errors import NotAllowed, NotFound
from swarm_mcp.model.ids import fold_name
from swarm_mcp.model.tokens import clipped, fitting
from swarm_mcp.operations import conversing, naming
from swarm_mcp.operations.answering import shorten
from swarm_mcp.repository import agents, conversations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

PAGE = 100
LONGEST = 4000
"""Tokens of one message."""
BUDGET = 5000
"""Tokens of all: short words, of which talk is full, cost up to half as much again as is estimated."""


def inbox_text(db: Transaction, name: str) -> str:
    """What its reader has not read; nothing is marked by it.

    Raises:
        NotAllowed: it is somebody else's.

    """
    if fold_name(name) != db.actor.name:
        owner = naming.known_agent(db, name, listed=LISTED).name
        raise NotAllowed(f"Only {owner} reads that inbox. Yours is swarm://agents/{db.actor.name}/inbox.")
    return f"{render(conversing.look_into(db))}\n"


def conversation_text(db: Transaction, name: str, after: int) -> str:
    """What its reader may read of a conversation, oldest first; a page ends with where the next one begins.

    Raises:
        NotFound: there is no such conversation, or nothing in it is for this reader.

    """
    thread = conversations.find_conversation(db, name.strip().lower())
    found = _said(db, thread.id, after, PAGE) if thread is not None else []
    if thread is None or not (found or _said(db, thread.id, 0, 1)):
        raise NotFound(f"No conversation `{name[:40]}` in which you take part.")
    names = agents.agent_names(db, (each.sender_id for each in found))
    lines = [
        f"m{each.id} {each.at:%Y-%m-%d %H:%MZ} {names.get(each.sender_id, 'operator')} ({each.type}): "
        + clipped(each.text, LONGEST).replace("\n", "\n  ")
        for each in found
    ]
    shown = fitting(lines, str, budget=BUDGET)
    if len(shown) < len(found) or len(found) == PAGE:
        shown.append(f"more: swarm://conversations/{thread.id}?cursor={found[len(shown) - 1].id}")
    about = f" about {thread.task_id}" if thread.task_id else ""
    return "".join(f"{line}\n" for line in [f"{shorten(thread.title)}{about} ({thread.status})", *shown])


def _said(db: Transaction, thread: str, after: int, limit: int) -> Sequence[Row]:
    return conversations.messages_of(db, thread, db.actor.id, everything=db.actor.is_operator, after=after, limit=limit)
