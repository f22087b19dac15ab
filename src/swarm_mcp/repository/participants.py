"""Queries about who takes part in a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, case, select, text, update

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement
from swarm_mcp.repository.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

participant = tables.participant

JOIN = Statement(
    upsert(
        participant,
        {
            "task_id": bindparam("task"),
            "agent_id": bindparam("agent"),
            "role": bindparam("role"),
            "joined_at": bindparam("at"),
        },
        (participant.c.task_id, participant.c.agent_id),
        left_at=None,
        role=lambda said: case((said.role != text("''"), said.role), else_=participant.c.role),
    )
)
LEAVE = Statement(
    update(participant)
    .where(participant.c.task_id == bindparam("key_task"), participant.c.agent_id == bindparam("key_agent"))
    .values(left_at=bindparam("now"))
)
OF_TASK = Statement(
    select(participant).where(participant.c.task_id == bindparam("task"), text("participant.left_at IS NULL"))
)
FIND = Statement(
    select(participant).where(
        participant.c.task_id == bindparam("task"),
        participant.c.agent_id == bindparam("agent"),
        text("participant.left_at IS NULL"),
    )
)


def join(db: Transaction, task_id: str, agent_id: str | None, role: str = "", at: datetime | None = None) -> None:
    """Make an agent a participant; once is enough, and its role stays unless another is said."""
    if agent_id:
        JOIN.run(db, {"task": task_id, "agent": agent_id, "role": role, "at": at or db.now})


def leave(db: Transaction, task_id: str, agent_id: str) -> None:
    """Note that an agent takes part no longer."""
    LEAVE.run(db, {"key_task": task_id, "key_agent": agent_id, "now": db.now})


def find_participant(db: Transaction, task_id: str, agent_id: str | None) -> Row | None:
    """An agent's part in a task, or None if it has none (any more)."""
    return FIND.first(db, {"task": task_id, "agent": agent_id})


def participants(db: Transaction, task_id: str) -> Sequence[Row]:
    """Who has to do with a task."""
    return OF_TASK.all(db, {"task": task_id})
