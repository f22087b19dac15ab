"""Queries about the live connections of clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select, update

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, Statement

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

connection = tables.connection

INSERT = Statement(insert(connection))
OF_PROJECT = Statement(select(connection).where(connection.c.project == bindparam("project")))
BY_ID = Statement(
    select(connection).where(connection.c.project == bindparam("project"), connection.c.id == bindparam("id"))
)
TOUCH = Statement(update(connection).where(connection.c.id == bindparam("key_id")).values(seen_at=bindparam("now")))
SUBSCRIBE = Statement(
    update(connection).where(connection.c.id == bindparam("key_id")).values(subscriptions=bindparam("uris"))
)
LOCKED = Statement(
    select(connection.c.subscriptions).where(connection.c.id == bindparam("id")).with_for_update(key_share=True)
)
SUBSCRIPTIONS = ListStatement(
    lambda wanted: select(connection.c.id, connection.c.subscriptions).where(connection.c.id.in_(wanted))
)
CLOSE = Statement(delete(connection).where(connection.c.id == bindparam("key_id")))


def open_connection(db: Transaction, connection_id: str, name: str, *, host: str, process: int) -> None:
    """Note a live connection."""
    INSERT.run(
        db,
        {
            "id": connection_id,
            "project": db.project.slug,
            "agent": name,
            "host": host,
            "process": process,
            "opened_at": db.now,
            "seen_at": db.now,
        },
    )


def connections(db: Transaction) -> Sequence[Row]:
    """The project's connections, dead ones included until they are swept."""
    return OF_PROJECT.all(db, {"project": db.project.slug})


def find_connection(db: Transaction, connection_id: str) -> Row | None:
    """The connection of that id in this project, or None."""
    return BY_ID.first(db, {"project": db.project.slug, "id": connection_id})


def subscribe(
    db: Transaction, connection_id: str, *, to: Collection[str] = (), leave: Collection[str] = ()
) -> list[str]:
    """Note what a connection listens to from now on, and what no longer; returns all that it listens to then."""
    row = LOCKED.first(db, {"id": connection_id})
    if row is None:
        return []
    uris = [each for each in dict.fromkeys([*row.subscriptions, *to]) if each not in leave]
    SUBSCRIBE.run(db, {"key_id": connection_id, "uris": uris})
    return uris


def subscriptions(db: Transaction, connection_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """What each of these connections listens to; those that are gone are left out."""
    if not connection_ids:
        return {}
    return {row.id: frozenset(row.subscriptions) for row in SUBSCRIPTIONS.all(db, sorted(connection_ids))}


def touch_connection(db: Transaction, connection_id: str) -> None:
    """Note that a connection is still there."""
    TOUCH.run(db, {"key_id": connection_id, "now": db.now})


def close_connection(db: Transaction, connection_id: str) -> None:
    """Forget a connection."""
    CLOSE.run(db, {"key_id": connection_id})
