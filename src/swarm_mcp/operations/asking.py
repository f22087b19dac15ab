"""Questions: whom they go to, and how an answer brings the work on again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.agent import Lifecycle
from swarm_mcp.model.errors import Invalid, NotFound
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.operations import claims, moves, naming, telling
from swarm_mcp.operations.authority import has_authority
from swarm_mcp.repository import agents, messages, participants, tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


def ask_about(db: Transaction, row: Row, text: str, ask: str) -> tuple[str, int]:
    """Put a question about a held task to the one named, else to the nearest who can decide.

    Returns:
        Whom it went to, and the number of the message.

    """
    named = _named(db, ask)
    asked = next(iter(askable(db, row, db.actor.id, named)), None)
    number = messages.insert_message(
        db,
        {
            "conversation_id": messages.thread_about(db, row),
            "task_id": row.id,
            "type": "question",
            "text": text,
            "attempt": row.attempt,
            "asked_id": asked,
            "asked_at": db.now,
        },
    )
    messages.deliver(db, number, row.id, [asked])
    participants.join(db, row.id, asked)
    whom = agents.agent_names(db, [asked]).get(asked, "operator")
    words = f"{db.actor.name} needs help with {row.id} {row.title[:80]} and has asked {whom} (m{number})."
    telling.tell_only(db, row, "assistance_wanted", words, telling.concerned(db, row) - {asked})
    return whom, number


def _named(db: Transaction, ask: str) -> list[str | None]:
    """Whom `ask` names: an agent's id, or nobody for the operator; empty if it names nobody."""
    word = ask.strip().lower()
    if not word or word == "superior":
        return []
    if word == "operator":
        return [None]
    place = naming.find_place(db, ask)
    if place is None or place.agent is None:
        raise NotFound(
            f"No agent `{ask[:63]}` to ask. Leave `ask` empty for your superior, or name an agent or operator."
        )
    if place.agent.id == db.actor.id:
        raise Invalid("You cannot ask yourself; leave `ask` empty for your superior.")
    return [place.agent.id]


def askable(
    db: Transaction,
    row: Row,
    asker: str | None,
    named: list[str | None],
    *,
    passed: frozenset[str | None] = frozenset(),
) -> list[str | None]:
    """Who may be asked about a task, best first, ending with the operator (nobody).

    The one named, else the holder's superior, the delegator, the creator, the root directors, the operator; the asker
    itself, agents that are not active, and those who were passed over already do not count.
    """
    if named == [None]:
        return [None]
    holder = agents.agent_row(db, asker) if asker else None
    order = [
        *named,
        holder.superior_id if holder is not None else None,
        row.delegator_id,
        row.creator_id,
        *(each.id for each in agents.root_directors(db)),
    ]
    found: list[str | None] = []
    for each in order:
        if each is None or each in found or each == asker or each in passed:
            continue
        if agents.agent_row(db, each).lifecycle == Lifecycle.ACTIVE:
            found.append(each)
    return [*found, None]


def answer(db: Transaction, question: Row) -> str:
    """An answer was given: resume the attempt that asked, if the one who answers may decide.

    Returns:
        The id of the task that goes on, or "".

    """
    row = tasks.find_task(db, question.task_id) if question.task_id else None
    if row is None or question.asked_at is None or question.sender_id == db.actor.id:
        return ""
    if not was_asked(db, question) and not has_authority(db, row):
        return ""
    messages.settle_question(db, question.id)
    if row.status != TaskStatus.REQUIRES_ASSISTANCE or row.attempt != question.attempt:
        return ""
    values = {"lease_until": claims.lease(db, row.lease_minutes)}
    moves.move(db, row, TaskStatus.IN_PROGRESS, "resumed", values, {"answered": question.id})
    return row.id


def was_asked(db: Transaction, question: Row) -> bool:
    """Whether a question went to whoever acts, even if it has been passed on since."""
    return question.asked_id == db.actor.id or db.actor.id in messages.recipients_of(db, question.id)


def pass_on(db: Transaction, question: Row) -> None:
    """Whoever was asked does not answer: the question goes to the next."""
    row = tasks.find_task(db, question.task_id) if question.task_id else None
    if row is None:
        return
    been_asked = frozenset(messages.recipients_of(db, question.id))
    nexts = [each for each in askable(db, row, question.sender_id, [], passed=been_asked) if each not in been_asked]
    if not nexts:  # everybody was asked, the operator last: with whom it stays for another two lease times
        messages.ask(db, question.id, None)
        return
    messages.ask(db, question.id, nexts[0])
    messages.deliver(db, question.id, row.id, [nexts[0]])
    participants.join(db, row.id, nexts[0])
    names = agents.agent_names(db, [nexts[0]])
    moves.record(db, "question_passed_on", row, {"message": question.id, "to": names.get(nexts[0], "operator")})
