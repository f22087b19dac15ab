"""A wait for news that outlives the call that began it: any server can look after it, by its id.

What was asked is kept under the id, and so is what came of it, so that whoever has lost the answer is told the same
again. Nothing is marked as shown before it is told, and a look marks nothing: what was told counts as read when its
reader asks for news the next time, as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model import ids
from swarm_mcp.model.errors import NotFound
from swarm_mcp.model.following import Awaited
from swarm_mcp.operations import conversing, waiting
from swarm_mcp.operations.following import UUID
from swarm_mcp.repository import work

if TYPE_CHECKING:
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction

BEGUN = "await_news"
ENDED = "news_awaited"


def await_news(db: Transaction, *, seconds: int, limit: int) -> str:
    """Begin to wait, after a look into the inbox that found nothing; the id of the wait."""
    waiting.check_wait(seconds)
    wait = ids.new_uuid()
    ready = waiting.look(db).ready
    begun = Awaited(began=db.now, changed=db.now, seconds=seconds, limit=limit, ready=ready)
    work.remember(db, BEGUN, wait, "", begun.model_dump(mode="json"))
    return wait


def follow_wait(db: Transaction, *, wait: str) -> tuple[Awaited, bool]:
    """How a wait stands, and whether it is worth an answer now. It only reads.

    Raises:
        NotFound: whoever acts does not wait under this id.

    """
    ended = work.remembered(db, ENDED, wait) if UUID.fullmatch(wait) else None
    if ended is not None:
        return Awaited.model_validate(ended.result), False
    begun = work.remembered(db, BEGUN, wait) if UUID.fullmatch(wait) else None
    if begun is None:
        raise NotFound(f"{db.actor.name} does not wait under this id.")
    awaited = Awaited.model_validate(begun.result)
    return awaited, _is_up(db, awaited) or waiting.look(db).wakes(awaited.ready)


def settle_wait(db: Transaction, *, wait: str) -> Awaited:
    """The same; and where it is worth an answer, that is what `check_inbox` says now, and is kept."""
    awaited, is_worth_it = follow_wait(db, wait=wait)
    if not is_worth_it:
        return awaited
    # Reread: whoever waits asked when it began to, so what others have been shown since then is not read yet.
    inbox = conversing.check_inbox(db, wait_seconds=awaited.seconds, reread=True, limit=awaited.limit)
    return _end(db, wait, awaited.model_copy(update={"changed": db.now, "inbox": inbox}))


def give_up_wait(db: Transaction, *, wait: str) -> None:
    """Wait no more. Nothing is marked; does nothing when the wait is over."""
    awaited, _ = follow_wait(db, wait=wait)
    if not awaited.is_over:
        _end(db, wait, awaited.model_copy(update={"changed": db.now, "is_given_up": True}))


def _end(db: Transaction, wait: str, awaited: Awaited) -> Awaited:
    work.remember(db, ENDED, wait, "", awaited.model_dump(mode="json"))
    return awaited


def _is_up(db: Transaction, awaited: Awaited) -> bool:
    began: datetime = awaited.began
    return (db.now - began).total_seconds() >= awaited.seconds
