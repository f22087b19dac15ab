"""Taking part in a task: whoever does hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.errors import Invalid, NotAllowed
from swarm_mcp.model.task import Written
from swarm_mcp.operations import moves
from swarm_mcp.operations.answering import task_change, unread
from swarm_mcp.operations.catalog import DIRECTING, operation
from swarm_mcp.repository import participants, tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

ROLE_LIMIT = 63


@operation(profiles=DIRECTING, repeatable=True)
def join_task(db: Transaction, *, task: str, role: arg.Text = "", leave: arg.Leave = False) -> Written:
    """Take part in a task, and hear of it."""
    if db.actor.id is None:
        raise NotAllowed("The operator takes no part in tasks. Act as an agent to hear of one.")
    if len(role.strip()) > ROLE_LIMIT:
        raise Invalid(f"A role has at most {ROLE_LIMIT} characters; got {len(role.strip())}.")
    row = tasks.resolve_task(db, task)
    message = _leave(db, row) if leave else _join(db, row, role.strip())
    return Written(task=task_change(row), message=message, unread=unread(db))


def _join(db: Transaction, row: Row, role: str) -> str:
    part = participants.find_participant(db, row.id, db.actor.id)
    if part is not None and role in {"", part.role}:
        return f"{db.actor.name} takes part in {row.id} already."
    participants.join(db, row.id, db.actor.id, role)
    moves.record(db, "joined", row, {"role": role} if role else {})
    return f"{db.actor.name} takes part in {row.id}{f' as {role}' if role else ''}."


def _leave(db: Transaction, row: Row) -> str:
    if participants.find_participant(db, row.id, db.actor.id) is not None:
        participants.leave(db, row.id, db.actor.id)
        moves.record(db, "left", row, {})
    relations = {"assignee_id": "assignee", "holder_id": "holder", "creator_id": "creator", "delegator_id": "delegator"}
    still = [words for column, words in relations.items() if getattr(row, column) == db.actor.id]
    hears = f", but hears of it as its {' and '.join(still)}" if still else ""
    return f"{db.actor.name} takes no part in {row.id}{hears}."
