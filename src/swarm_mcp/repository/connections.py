"""Queries about the live connections of clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select, update

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

connection = tables.connection

INSERT = Statement(insert(connection))
OF_PROJECT = Statement(select(connection).where(connection.c.project == bindparam("project")))
BY_ID = Statement(
    select(connection).where(connection.c.project == bindparam("project"), connection.c.id == bindparam("id"))
)
TOUCH = Statement(update(connection).where(connection.c.id == bindparam("key_id")).values(seen_at=bindparam("now")))
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


def touch_connection(db: Transaction, connection_id: str) -> None:
    """Note that a connection is still there."""
    TOUCH.run(db, {"key_id": connection_id, "now": db.now})


def close_connection(db: Transaction, connection_id: str) -> None:
    """Forget a connection."""
    CLOSE.run(db, {"key_id": connection_id})
