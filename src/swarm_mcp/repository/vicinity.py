"""Queries about what is near many tasks at once: above them, before them and after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task, edge = tables.task, tables.dependency

PARENTS = ListStatement(lambda wanted: select(task.c.id, task.c.parent_id).where(task.c.id.in_(wanted)))
WHOSE = ListStatement(
    lambda wanted: select(task.c.id, task.c.holder_id, task.c.assignee_id, task.c.touches).where(task.c.id.in_(wanted))
)
BEFORE = ListStatement(lambda wanted: select(edge.c.task_id, edge.c.depends_on_id).where(edge.c.task_id.in_(wanted)))
AFTER = ListStatement(lambda wanted: select(edge.c.task_id).where(edge.c.depends_on_id.in_(wanted)))


def above_each(db: Transaction, task_ids: Iterable[str]) -> dict[str, str | None]:
    """These tasks and all their ancestors, each with its parent."""
    found: dict[str, str | None] = {}
    wanted = set(task_ids)
    while wanted:
        found.update({row.id: row.parent_id for row in PARENTS.all(db, sorted(wanted))})
        wanted = {parent for parent in found.values() if parent is not None} - found.keys()
    return found


def waiters_of_all(db: Transaction, task_ids: Iterable[str]) -> set[str]:
    """Whatever depends on some of these tasks."""
    return {row.task_id for row in AFTER.all(db, sorted(task_ids))}


def edges_before(db: Transaction, task_ids: Iterable[str]) -> dict[str, set[str]]:
    """What each of these tasks depends on; those that depend on nothing are left out."""
    found: dict[str, set[str]] = {}
    for row in BEFORE.all(db, sorted(task_ids)):
        found.setdefault(row.task_id, set()).add(row.depends_on_id)
    return found


def whose(db: Transaction, task_ids: Iterable[str]) -> Sequence[Row]:
    """With whom these tasks lie, and what they change: id, holder_id, assignee_id, touches."""
    return WHOSE.all(db, sorted(task_ids))
