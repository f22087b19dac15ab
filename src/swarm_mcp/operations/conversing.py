"""Messages between agents, and the inbox."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from swarm_mcp.model import arguments as arg
from swarm_mcp.model import ids
from swarm_mcp.model.agent import ENDED, Lifecycle
from swarm_mcp.model.errors import Invalid, NotFound
from swarm_mcp.model.lifecycle import FINISHED
from swarm_mcp.model.message import Inbox, InboxItem, Sent
from swarm_mcp.model.record import spoken
from swarm_mcp.model.tokens import clipped, fitting, tokens
from swarm_mcp.operations import asking, claiming, claims, naming, waiting
from swarm_mcp.operations.answering import shorten, unread
from swarm_mcp.operations.catalog import operation, paused
from swarm_mcp.repository import agents, messages, tasks, teams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

MESSAGE_NUMBER = re.compile(r"m?(\d{1,18})")
INBOX_LIMIT = 50
TEXT_SHOWN = 600
"""Characters of a text of which the rest can be read with its task."""
LONGEST = 4000
"""Tokens of a text that stands nowhere else."""
NAMES_SHOWN = 5


@operation()
def send_message(
    db: Transaction, *, text: str, to: arg.Text = "", task: arg.Text = "", reply_to: arg.ReplyTo = ""
) -> Sent:
    """Message an agent, team, superior, operator or all; with `reply_to`, answer. Answering a question resumes the
    task that waits for it.
    """
    if not text.strip():
        raise Invalid("The message is empty.")
    replied = _replied(db, reply_to)
    row = tasks.resolve_task(db, task) if task.strip() else None
    question = _question_meant(db, replied, row, to)
    if question is not None:
        replied = question
    if db.actor.lifecycle is Lifecycle.PAUSED and (replied is None or replied.sender_id == db.actor.id):
        raise paused(db)
    if row is None and replied is not None and replied.task_id:
        row = tasks.find_task(db, replied.task_id)
    if row is None:
        _check_readable(text)
    recipients = [each for each in _recipients(db, to, replied) if each != db.actor.id]
    if question is not None and question.sender_id not in {db.actor.id, *recipients}:
        recipients = [*recipients, question.sender_id]
    if not recipients:
        raise NotFound("Nobody would get this message. Name an agent, a team, superior, operator or all in `to`.")
    number = messages.insert_message(
        db,
        {
            "conversation_id": messages.thread_about(db, row) if row is not None else None,
            "task_id": row.id if row is not None else None,
            "type": "answer" if replied is not None and replied.type == "question" else "message",
            "text": text, "reply_to_id": replied.id if replied is not None else None,
        },
    )  # fmt: skip
    messages.deliver(db, number, row.id if row is not None else None, recipients)
    if row is not None:
        claims.touched(db, row)
    resumed = asking.answer(db, question) if question is not None else ""
    return _sent(db, number, recipients, resumed)


def _check_readable(text: str) -> None:
    """Refuse a message about no task of which no answer could hold all; of one about a task, its brief does."""
    if tokens(text) > LONGEST:
        raise Invalid(
            f"This message has some {tokens(text):,} tokens and is about no task: nobody could read more than the "
            f"first {LONGEST:,}. Send it in parts, or put it into a file and send its path."
        )


def _sent(db: Transaction, number: int, recipients: Sequence[str | None], resumed: str) -> Sent:
    names = agents.agent_names(db, recipients)
    shown = sorted(names.get(each, "operator") for each in recipients)
    more = f" and {len(shown) - NAMES_SHOWN} more" if len(shown) > NAMES_SHOWN else ""
    whom = ", ".join(shown[:NAMES_SHOWN]) + more
    goes_on = f"; {resumed} goes on" if resumed else ""
    return Sent(
        id=f"m{number}",
        to=shown[:NAMES_SHOWN],
        resumed=resumed,
        message=f"Sent m{number} to {whom}{goes_on}.",
        unread=unread(db),
    )


def _replied(db: Transaction, reply_to: str) -> Row | None:
    """The message that is answered, which the caller must have sent or got."""
    if not reply_to.strip():
        return None
    number = MESSAGE_NUMBER.fullmatch(reply_to.strip().lower())
    found = messages.find_message(db, int(number[1])) if number else None
    if found is not None and not db.actor.is_operator:
        public = found.type in {"question", "answer"}
        mine = db.actor.id in {found.sender_id, *messages.recipients_of(db, found.id)}
        found = found if public or mine else None
    if found is None:
        raise NotFound(f"No message `{reply_to[:40]}` that you could answer. check_inbox(reread=true) shows yours.")
    return found


def _question_meant(db: Transaction, replied: Row | None, row: Row | None, to: str) -> Row | None:
    """The open question that a message answers, said or understood."""
    if replied is not None:
        return replied if replied.type == "question" else None
    if row is None:
        return None
    question = messages.open_question(db, row.id)
    if question is None or question.sender_id == db.actor.id or not asking.was_asked(db, question):
        return None
    asker = agents.agent_names(db, [question.sender_id]).get(question.sender_id, "")
    return question if to.strip().lower() in {"", asker} else None


def _recipients(db: Transaction, to: str, replied: Row | None) -> list[str | None]:
    """Whom a message is for; None is the operator."""
    word = to.strip().lower()
    if not word:
        if replied is None:
            raise Invalid("Say in `to` who gets it: an agent, a team, superior, operator or all.")
        if replied.sender_id != db.actor.id:
            return [replied.sender_id]
        return messages.recipients_of(db, replied.id)
    if word == "operator":
        return [None]
    if word == "superior":
        return [_superior(db)]
    if word == "all":
        return [each.id for each in agents.everybody(db)]
    place = naming.find_place(db, to)
    if place is None:
        near = ids.nearest(ids.fold_name(to), naming.known_names(db))
        raise NotFound(f"Nobody is called `{to[:63]}`.{ids.did_you_mean(near)}", candidates=near)
    if place.agent is not None:
        if place.agent.lifecycle in ENDED:
            raise NotFound(f"{place.agent.name} has ended and reads nothing any more.")
        return [place.agent.id]
    team = place.team
    members = agents.with_specialty(db, place.specialty) if team is None else teams.members_of(db, team.id)
    return [each.id for each in members if each.lifecycle not in ENDED]


def _superior(db: Transaction) -> str | None:
    """Who stands above whoever acts; the operator stands above all."""
    return db.actor.superior_id


@operation()
def check_inbox(
    db: Transaction, *, wait_seconds: arg.WaitSeconds = 0, reread: arg.Reread = False, limit: int = 20
) -> Inbox:
    """Unread messages and notifications, questions first; counted as read when you ask again.

    The operation answers at once; a server holds an empty answer back until there is news (see server/waiting.py).
    """
    waiting.check_wait(wait_seconds)
    if not reread:
        messages.finish_shown(db, db.actor.id)
    inbox, shown = _read(db, limit)
    messages.show(db, shown)
    if inbox.items or not wait_seconds:
        return inbox
    return _nothing_new(db)


def look_into(db: Transaction, *, limit: int = INBOX_LIMIT) -> Inbox:
    """What whoever reads has not read, without marking it."""
    if db.actor.id is None and not db.actor.is_operator:
        return Inbox(message=_summary([], 0))
    return _read(db, limit)[0]


def _read(db: Transaction, limit: int) -> tuple[Inbox, list[int]]:
    """The inbox, and which of its items could be shown."""
    count = max(1, min(limit, INBOX_LIMIT))
    found = messages.unread(db, db.actor.id, limit=count)
    total = _total(db, found, count)
    items = fitting((_item(db, row) for row in found), spoken)
    more = total - len(items)
    cut = f" (at most {INBOX_LIMIT} at once)" if limit > INBOX_LIMIT else ""
    return Inbox(items=items, more=more, message=_summary(items, more) + cut), [row.id for row in found[: len(items)]]


def _nothing_new(db: Transaction) -> Inbox:
    """What whoever waited in vain, or for a task, does next."""
    ready = claiming.would_get(db)
    left = sum(count for status, count in tasks.tallies(db).items() if status not in FINISHED)
    news = f"No news, but {_tasks(ready)} ready for you: claim_task() takes one." if ready else "Nothing new."
    return Inbox(message=f"{news} {_tasks(left)} open." if left else f"{news} All is finished.", ready=ready, open=left)


def _tasks(count: int) -> str:
    return "1 task is" if count == 1 else f"{count:,} tasks are"


def _total(db: Transaction, found: Sequence[Row], count: int) -> int:
    if len(found) < count:
        return len(found)
    return messages.count_unread(db, db.actor.id)


def _summary(items: list[InboxItem], more: int) -> str:
    if not items:
        return "Nothing new."
    questions = sum(item.type == "question" for item in items)
    asked = f", {questions} of them {'a question' if questions == 1 else 'questions'}" if questions else ""
    rest = f"; {more} more: check_inbox() again" if more else ""
    return f"{len(items)} new{asked}{rest}."


def _item(db: Transaction, row: Row) -> InboxItem:
    sender = agents.agent_names(db, [row.sender_id]).get(row.sender_id, "operator") if row.message_id else ""
    text = row.text if row.message_id else row.notice
    if not row.task_id:
        text = clipped(text, LONGEST)
    elif len(text) > TEXT_SHOWN:
        text = f"{text[:TEXT_SHOWN]}… ({_rest(row)})"
    return InboxItem(
        id=f"m{row.message_id}" if row.message_id else f"n{row.id}",
        type=row.type or row.kind,
        sender=sender,
        task=row.task_id or "",
        title=shorten(row.title or "") if row.message_id else "",
        text=text,
        at=row.at.isoformat(timespec="seconds"),
    )


def _rest(row: Row) -> str:
    """Where all of a long text about a task can be read: a message at the beginning of a page of its own."""
    if not row.message_id:
        return f'get_task(task="{row.task_id}", include=["progress"]) says more'
    page = f'include=["messages"], cursor="{row.message_id - 1}", max_tokens=8000'
    return f'get_task(task="{row.task_id}", {page}) has all of it'
