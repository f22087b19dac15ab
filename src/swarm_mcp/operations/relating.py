"""What was said and done about a task elsewhere, told after the task itself: remarks, notes, progress, ratings.

It happened to nobody here: nobody is told, no claim is renewed, and nobody joins by it. The ledger has how much of it
came, in the event of the task's import. Where nobody is named, it was the operator; without a time, it is now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model.draft import check_json
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.lifecycle import TaskStatus, choose
from swarm_mcp.model.memory import ContextKind
from swarm_mcp.model.message import MessageType
from swarm_mcp.operations import telling
from swarm_mcp.operations.participating import ROLE_LIMIT
from swarm_mcp.operations.remembering import KEY_LIMIT
from swarm_mcp.operations.reporting import HUNDRED
from swarm_mcp.operations.reviewing import BEST
from swarm_mcp.repository import memory, messages, participants, tasks, work

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

KIND_LIMIT = 32


def tell_comments(db: Transaction, row: Row, said: Iterable[tuple[str, str | None, datetime | None]]) -> None:
    """Put comments (text, author, when) into the conversation about a task, for everybody to read.

    Everybody may read questions and answers; so a comment is an answer, to no question in particular, and lies in
    nobody's inbox.
    """
    thread = messages.thread_about(db, row)
    for text, author, at in said:
        messages.insert_message(
            db,
            {"conversation_id": thread, "task_id": row.id, "type": MessageType.ANSWER.value, "text": text,
             "sender_id": author, "at": at or db.now},
        )  # fmt: skip
    if row.status == TaskStatus.COMPLETED:
        telling.follow_conversation(db, row.id, finished=True)


def keep_note(db: Transaction, task_id: str, text: str, author: str | None, at: datetime | None) -> None:
    """Keep a private note: only its author and the operator can read it."""
    memory.insert_note(db, task_id, text, agent_id=author, at=at or db.now)


def keep_progress(
    db: Transaction, row: Row, said: Iterable[tuple[str, int | None, str | None, datetime | None]]
) -> None:
    """Append to a task's progress: (message, percent, author, when) each, the oldest first.

    Raises:
        Invalid: a percentage that is none.

    """
    reports = list(said)
    wrong = [percent for _, percent, _, _ in reports if percent is not None and not 0 <= percent <= HUNDRED]
    if wrong:
        raise Invalid(f"percent is 0 to 100; got {wrong[0]}.")
    latest = None
    for message, percent, author, at in reports:
        work.insert_progress(db, row.id, percent, message, agent_id=author, at=at or db.now)
        latest = latest if percent is None else percent
    if latest is not None:
        tasks.update_task(db, row.id, {"progress": latest})


def keep_context(
    db: Transaction, task_id: str, key: str, value: Any, *, kind: str, rationale: str, author: str | None,
    at: datetime | None,
) -> None:  # fmt: skip
    """Share a value on a task; the latest of a key counts.

    Raises:
        Invalid: no key, one that is too long, no value, or one that is no JSON.

    """
    name = key.strip()
    if not 0 < len(name) <= KEY_LIMIT:
        raise Invalid(f"a key has 1 to {KEY_LIMIT} characters; got {len(name)}.")
    if value is None:
        raise Invalid(f"`{name[:40]}` has no value.")
    check_json(value, f"`{name[:40]}`")
    what = choose(kind or "fact", ContextKind, "kind of context").value
    said = {"key": name, "value": value, "kind": what, "rationale": rationale, "by_id": author, "at": at or db.now}
    memory.insert_context(db, {"task_id": task_id, **said})


def let_join(db: Transaction, task_id: str, agent: str, role: str, at: datetime | None) -> None:
    """Make an agent a participant of a task.

    Raises:
        Invalid: the role is too long.

    """
    if len(role) > ROLE_LIMIT:
        raise Invalid(f"a role has at most {ROLE_LIMIT} characters; got {len(role)}.")
    participants.join(db, task_id, agent, role, at)


def keep_feedback(
    db: Transaction, task_id: str, worker: str | None, *, quality: int | None, timeliness: int | None, notes: str,
    author: str | None, at: datetime | None,
) -> None:  # fmt: skip
    """Keep what was thought of the work.

    Raises:
        Invalid: a rating that is none.

    """
    for name, rating in (("quality", quality), ("timeliness", timeliness)):
        if rating is not None and not 1 <= rating <= BEST:
            raise Invalid(f"{name} is 1 (very poor) to 5 (excellent); got {rating}.")
    said = {"quality": quality, "timeliness": timeliness, "notes": notes, "by_id": author, "at": at or db.now}
    work.insert_feedback(db, {"task_id": task_id, "worker_id": worker, **said})


def keep_notices(
    db: Transaction, task_id: str, said: Iterable[tuple[str | None, str, str, datetime | None, bool]]
) -> None:
    """Keep notifications (whose, kind, text, when, whether it was read). Of a kind, the latest alone stays unread.

    Raises:
        Invalid: the name of a kind is too long.

    """
    unread: set[tuple[str | None, str]] = set()
    kept: list[dict[str, Any]] = []
    for agent, kind, text, at, is_read in reversed(list(said)):
        if len(kind) > KIND_LIMIT:
            raise Invalid(f"the kind of a notification has at most {KIND_LIMIT} characters; got {len(kind)}.")
        is_over = is_read or (agent, kind) in unread
        if not is_over:
            unread.add((agent, kind))
        kept.append({"agent": agent, "kind": kind, "text": text, "at": at or db.now, "is_read": is_over})
    messages.insert_notices(db, task_id, reversed(kept))
