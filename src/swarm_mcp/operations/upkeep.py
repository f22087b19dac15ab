"""Upkeep: what a board does by itself, from time to time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from swarm_mcp.model.agent import THE_OPERATOR
from swarm_mcp.operations import asking, claims, lapsing, moves, telling
from swarm_mcp.repository import agents, connections, messages, queue, tasks, work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.repository.database import Transaction

BATCH = 100
KEYS_KEPT = timedelta(days=30)
CONNECTION_SILENT = timedelta(seconds=90)
SESSION_SILENT = timedelta(minutes=30)
"""A session over HTTP outlives the server that began it, so that another may go on with it."""


def due(db: Transaction) -> bool:
    """Whether a sweep would find anything to do; a read, so that an idle board is not written to."""
    asked_before = db.now - 2 * claims.lease_time(db)
    return bool(
        queue.expired_claims(db, limit=1) or queue.reserved_tasks(db) or messages.overdue_questions(db, asked_before)
    )


def sweep(db: Transaction) -> int:
    """End expired claims and reservations, pass questions on, forget old keys.

    Returns:
        How many things were done; at most a hundred claims at once.

    """
    db.actor, db.via = THE_OPERATOR, "sweep"
    done = 0
    for row in queue.expired_claims(db, limit=BATCH):
        lapsing.lapse(db, tasks.task_row(db, row.id))
        done += 1
    done += _end_reservations(db)
    for question in messages.overdue_questions(db, db.now - 2 * claims.lease_time(db)):
        asking.pass_on(db, question)
        done += 1
    work.forget_keys(db, db.now - KEYS_KEPT)
    return done


def _end_reservations(db: Transaction) -> int:
    """A task kept for a worker that was not seen for four lease times goes back to where it was."""
    ended, patience = 0, claims.RESERVATION_LEASES * claims.lease_time(db)
    for row in queue.reserved_tasks(db):
        worker = agents.agent_row(db, row.assignee_id) if row.assignee_id else None
        seen = worker.last_seen_at if worker is not None else None
        if row.holder_id is not None or (seen is not None and db.now - seen <= patience):
            continue
        values = claims.unreserve(db, row)
        moved = moves.change(db, tasks.task_row(db, row.id), "reservation_ended", values)
        telling.tell(db, moved.row, "reservation_ended", f"{row.id} is no longer reserved: its worker is gone.")
        ended += 1
    return ended


def renew_all(db: Transaction) -> None:
    """Give the caller's claims on this connection their full time again, once less than half is left."""
    for row in queue.leases(db, db.actor.id) if db.actor.id is not None else ():
        until = claims.lease(db, row.lease_minutes)
        if row.lease_until - db.now < (until - db.now) / 2:
            queue.renew_lease(db, row.id, until)


def keep_connections(db: Transaction, alive: Iterable[str]) -> None:
    """Note that some connections live, and forget those that do not."""
    for connection_id in alive:
        connections.touch_connection(db, connection_id)
    for each in connections.connections(db):
        silent = CONNECTION_SILENT if each.process else SESSION_SILENT
        if db.now - each.seen_at > silent:
            connections.close_connection(db, each.id)
