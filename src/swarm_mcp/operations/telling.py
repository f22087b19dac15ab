"""Who hears of what: notifications to the agents that a task concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.repository import graph, messages, participants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


def concerned(db: Transaction, row: Row, *, others: bool = True) -> set[str]:
    """Assignee, holder, delegator, creator and participants of a task, without whoever acts.

    Args:
        db: the transaction.
        row: the task.
        others: False if it is known that nobody but whoever acts takes part in it.

    """
    agents = {row.assignee_id, row.holder_id, row.delegator_id, row.creator_id}
    if others:
        agents.update(each.agent_id for each in participants.participants(db, row.id))
    return {each for each in agents if each and each != db.actor.id}


def tell(
    db: Transaction, row: Row, kind: str, words: str, *, also: Iterable[str | None] = (), others: bool = True
) -> None:
    """Notify everybody concerned with a task, and whoever is named besides; `others` as for `concerned`."""
    audience = concerned(db, row, others=others) | {each for each in also if each and each != db.actor.id}
    messages.notify(db, row.id, kind, words, sorted(audience))


def tell_only(db: Transaction, row: Row, kind: str, words: str, to: Iterable[str | None]) -> None:
    """Notify just these agents."""
    messages.notify(db, row.id, kind, words, sorted({each for each in to if each and each != db.actor.id}))


def tell_agents(db: Transaction, words: str, to: Iterable[str | None]) -> None:
    """Tell agents (nobody: the operator) what concerns themselves and no task: a message of the board's."""
    audience = [each for each in dict.fromkeys(to) if each != db.actor.id]
    if audience:
        message = messages.insert_message(db, {"type": "system", "text": words})
        messages.deliver(db, message, None, audience)


def owners_of_waiters(db: Transaction, row: Row) -> set[str]:
    """Whoever has to do with the tasks that wait for this one."""
    owners: set[str | None] = set()
    for waiter in graph.waiters(db, row.id)[:100]:
        owners |= {waiter.assignee_id, waiter.creator_id, waiter.delegator_id}
    return {each for each in owners if each}


def follow_conversation(db: Transaction, task_id: str, *, finished: bool) -> None:
    """The conversation about a task is completed, and taken up again, with it."""
    messages.set_conversation(db, task_id, "completed" if finished else "active")
