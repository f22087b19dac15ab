"""Queries about conversations, messages and inboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, insert, or_, select, text, update

from swarm_mcp.model import ids
from swarm_mcp.repository import indexing, tables
from swarm_mcp.repository.statement import Statement
from swarm_mcp.repository.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

agent = tables.agent
message = tables.message
inbox = tables.inbox
conversation = tables.conversation
task = tables.task

INSERT_MESSAGE = Statement(insert(message).returning(message.c.id))
INSERT_COPY = Statement(insert(inbox))
NOTIFY = Statement(
    upsert(
        inbox,
        {
            "project": bindparam("project"),
            "agent_id": bindparam("agent"),
            "task_id": bindparam("task"),
            "kind": bindparam("kind"),
            "text": bindparam("text"),
            "at": bindparam("at"),
            "state": "new",
        },
        (inbox.c.agent_id, inbox.c.task_id, inbox.c.kind),
        "text",
        "at",
        where=text("message_id IS NULL AND state <> 'read'"),
        state="new",
    )
)
MINE = (inbox.c.project == bindparam("in_project"), inbox.c.agent_id == bindparam("reader"))
OPERATORS = (inbox.c.project == bindparam("in_project"), inbox.c.agent_id.is_(None))
HOW_MANY_UNREAD = select(func.count()).where(*MINE, text("inbox.state <> 'read'"))
COUNT_UNREAD = Statement(HOW_MANY_UNREAD)
COUNT_UNREAD_OF_OPERATOR = Statement(select(func.count()).where(*OPERATORS, text("inbox.state <> 'read'")))
ITEMS = (
    select(
        inbox.c.id,
        inbox.c.kind,
        inbox.c.at,
        inbox.c.state,
        inbox.c.task_id,
        inbox.c.message_id,
        inbox.c.text.label("notice"),
        message.c.type,
        message.c.text,
        message.c.sender_id,
        task.c.title,
    )
    .outerjoin(message, message.c.id == inbox.c.message_id)
    .outerjoin(task, task.c.id == inbox.c.task_id)
    .order_by(
        case(
            (message.c.type == "question", 0),
            (message.c.type == "answer", 1),
            (message.c.type.is_not(None), 2),
            else_=3,
        ),
        inbox.c.id,
    )
    .limit(bindparam("limit"))
)
UNREAD = Statement(ITEMS.where(*MINE, text("inbox.state <> 'read'")))
UNREAD_OF_OPERATOR = Statement(ITEMS.where(*OPERATORS, text("inbox.state <> 'read'")))
SHOWN = text("inbox.state = 'shown' AND inbox.state <> 'read'")
"""The second condition follows from the first, but only with it does SQLite see that the index of the unread serves."""
FINISH_SHOWN = Statement(update(inbox).where(*MINE, SHOWN).values(state="read"))
FINISH_SHOWN_TO_OPERATOR = Statement(update(inbox).where(*OPERATORS, SHOWN).values(state="read"))
SHOW = Statement(update(inbox).where(inbox.c.id == bindparam("key_id")).values(state="shown"))
MESSAGE = Statement(select(message).where(message.c.id == bindparam("id"), message.c.project == bindparam("project")))
RECIPIENTS = Statement(select(inbox.c.agent_id).where(inbox.c.message_id == bindparam("id")))
OPEN_QUESTION = Statement(
    select(message)
    .where(message.c.task_id == bindparam("task"), text("message.asked_at IS NOT NULL"))
    .order_by(message.c.id.desc())
    .limit(1)
)
_overdue = (
    select(message)
    .where(
        message.c.project == bindparam("project"),
        text("message.asked_at IS NOT NULL"),
        or_(
            message.c.asked_at < bindparam("before"),
            message.c.asked_id.in_(select(agent.c.id).where(text("agent.lifecycle NOT IN ('active', 'spawning')"))),
        ),
    )
    .limit(50)
)
OVERDUE_QUESTIONS = Statement(_overdue)
FREE_OVERDUE_QUESTIONS = Statement(_overdue.with_for_update(key_share=True, skip_locked=True, of=message))
ASKED = Statement(
    select(message).where(
        message.c.project == bindparam("project"),
        text("message.asked_at IS NOT NULL"),
        message.c.asked_id == bindparam("asked"),
    )
)
SETTLE = Statement(update(message).where(message.c.id == bindparam("key_id")).values(asked_at=None))
ASK = Statement(
    update(message)
    .where(message.c.id == bindparam("key_id"))
    .values(asked_id=bindparam("asked"), asked_at=bindparam("now"))
)
CONVERSATION = Statement(select(conversation.c.id).where(conversation.c.task_id == bindparam("task")).limit(1))
INSERT_CONVERSATION = Statement(insert(conversation))
END_CONVERSATION = Statement(
    update(conversation).where(conversation.c.task_id == bindparam("key_task")).values(status=bindparam("new_status"))
)


def insert_message(db: Transaction, values: dict[str, Any]) -> int:
    """Store a message, index its words if it is about a task, and return its id."""
    row = {"project": db.project.slug, "sender_id": db.actor.id, "at": db.now, **values}
    number = INSERT_MESSAGE.scalar(db, row)
    if values.get("task_id"):
        indexing.index_message(db, number, values["text"])
    return number


def deliver(db: Transaction, message_id: int, task_id: str | None, recipients: Iterable[str | None]) -> None:
    """Put a copy of a message into every recipient's inbox."""
    copies = [
        {
            "project": db.project.slug,
            "agent_id": recipient,
            "message_id": message_id,
            "task_id": task_id,
            "at": db.now,
            "state": "new",
        }
        for recipient in recipients
    ]
    if copies:
        INSERT_COPY.run_many(db, copies)


def notify(db: Transaction, task_id: str, kind: str, words: str, recipients: Iterable[str]) -> None:
    """Tell agents what happened to a task: one unread notification per task and kind."""
    notices = [
        {
            "project": db.project.slug,
            "agent": recipient,
            "task": task_id,
            "kind": kind,
            "text": words,
            "at": db.now,
        }
        for recipient in sorted(recipients)  # in one order for all, lest two tellers wait for each other
    ]
    if notices:
        NOTIFY.run_many(db, notices)


def insert_notices(db: Transaction, task_id: str, notices: Iterable[dict[str, Any]]) -> None:
    """Store notifications (agent, kind, text, at) about a task that are read already, or not (`is_read`)."""
    for each in notices:
        row = {"project": db.project.slug, **each}
        if row.pop("is_read"):
            INSERT_COPY.run(db, {**row, "agent_id": each["agent"], "task_id": task_id, "state": "read"})
        else:
            NOTIFY.run(db, {**row, "task": task_id})


def count_unread(db: Transaction, agent_id: str | None) -> int:
    """How many items an agent (nobody: the operator) has not read."""
    statement = COUNT_UNREAD if agent_id else COUNT_UNREAD_OF_OPERATOR
    return statement.scalar(db, {"in_project": db.project.slug, "reader": agent_id})


def unread(db: Transaction, agent_id: str | None, *, limit: int) -> Sequence[Row]:
    """What an agent (nobody: the operator) has not read, questions first."""
    statement = UNREAD if agent_id else UNREAD_OF_OPERATOR
    return statement.all(db, {"in_project": db.project.slug, "reader": agent_id, "limit": limit})


def finish_shown(db: Transaction, agent_id: str | None) -> None:
    """Count as read what was shown the last time."""
    statement = FINISH_SHOWN if agent_id else FINISH_SHOWN_TO_OPERATOR
    statement.run(db, {"in_project": db.project.slug, "reader": agent_id})


def show(db: Transaction, item_ids: Iterable[int]) -> None:
    """Mark items as shown."""
    shown = [{"key_id": item} for item in item_ids]
    if shown:
        SHOW.run_many(db, shown)


def find_message(db: Transaction, message_id: int) -> Row | None:
    """A message of this project, or None."""
    return MESSAGE.first(db, {"id": message_id, "project": db.project.slug})


def recipients_of(db: Transaction, message_id: int) -> list[str | None]:
    """Who got a copy; None is the operator."""
    return list(RECIPIENTS.scalars(db, {"id": message_id}))


def open_question(db: Transaction, task_id: str) -> Row | None:
    """The unanswered question about a task, or None."""
    return OPEN_QUESTION.first(db, {"task": task_id})


def overdue_questions(db: Transaction, before: Any) -> Sequence[Row]:
    """Questions that whoever was asked has left lying, or can answer no more."""
    statement = FREE_OVERDUE_QUESTIONS if db.locks_rows else OVERDUE_QUESTIONS
    return statement.all(db, {"project": db.project.slug, "before": before})


def questions_to(db: Transaction, agent_id: str) -> Sequence[Row]:
    """The open questions that an agent should answer."""
    return ASKED.all(db, {"project": db.project.slug, "asked": agent_id})


def settle_question(db: Transaction, message_id: int) -> None:
    """A question is answered or withdrawn."""
    SETTLE.run(db, {"key_id": message_id})


def ask(db: Transaction, message_id: int, agent_id: str | None) -> None:
    """Note who should answer a question."""
    ASK.run(db, {"key_id": message_id, "asked": agent_id, "now": db.now})


def thread_about(db: Transaction, task_row: Any) -> str:
    """The conversation about a task, begun if there is none."""
    found = CONVERSATION.scalar(db, {"task": task_row.id})
    if found:
        return found
    thread = ids.new_uuid()
    INSERT_CONVERSATION.run(
        db,
        {
            "id": thread,
            "project": db.project.slug,
            "task_id": task_row.id,
            "title": task_row.title,
            "status": "active",
            "created_at": db.now,
        },
    )
    return thread


def set_conversation(db: Transaction, task_id: str, status: str) -> None:
    """A conversation ends, or goes on, with its task."""
    END_CONVERSATION.run(db, {"key_task": task_id, "new_status": status})


def about_task(
    db: Transaction, task_id: str, reader: str | None, *, everything: bool, limit: int, after: int = 0
) -> Sequence[Row]:
    """Messages about a task that a reader may read: questions, answers, and its own.

    The newest, newest first; or those after a number, oldest first.

    A reader that is nobody is a stranger: the operator, who is nobody in the tables too, reads everything.
    """
    statement = select(message).where(message.c.task_id == task_id)
    if not everything:
        readable = message.c.type.in_(["question", "answer"])
        if reader is not None:
            mine = select(inbox.c.message_id).where(inbox.c.agent_id == reader, inbox.c.message_id.is_not(None))
            readable = or_(readable, message.c.sender_id == reader, message.c.id.in_(mine))
        statement = statement.where(readable)
    statement = statement.where(message.c.id > after) if after else statement
    return db.connection.execute(statement.order_by(message.c.id if after else message.c.id.desc()).limit(limit)).all()
