"""Queries about the tokens with which agents call from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

token = tables.token

INSERT = Statement(insert(token))
BY_ID = Statement(select(token).where(token.c.project == bindparam("project"), token.c.id == bindparam("id")))
OF_PROJECT = Statement(
    select(token).where(token.c.project == bindparam("project")).order_by(token.c.created_at, token.c.id)
)
ANY = Statement(select(token.c.id).limit(1))
REVOKE = Statement(update(token).where(token.c.id == bindparam("key_id")).values(revoked_at=bindparam("now")))
USED = Statement(update(token).where(token.c.id == bindparam("key_id")).values(last_used_at=bindparam("now")))


def insert_token(
    db: Transaction, token_id: str, *, digest: str, agent: str, scope: str, expires_at: datetime | None
) -> None:
    """Store a token, as the digest of its secret."""
    INSERT.run(
        db,
        {
            "id": token_id,
            "project": db.project.slug,
            "digest": digest,
            "agent": agent,
            "scope": scope,
            "created_at": db.now,
            "expires_at": expires_at,
        },
    )


def find_token(db: Transaction, token_id: str) -> Row | None:
    """The token of that id in this project, whatever its state, or None."""
    return BY_ID.first(db, {"project": db.project.slug, "id": token_id})


def tokens(db: Transaction) -> Sequence[Row]:
    """Every token of the project, the oldest first."""
    return OF_PROJECT.all(db, {"project": db.project.slug})


def is_there_any(db: Transaction) -> bool:
    """Whether this database has ever had a token, of whatever project and state."""
    return ANY.first(db, {}) is not None


def revoke(db: Transaction, token_id: str) -> None:
    """Let a token open nothing any more."""
    REVOKE.run(db, {"key_id": token_id, "now": db.now})


def mark_used(db: Transaction, token_id: str) -> None:
    """Note that a token was used."""
    USED.run(db, {"key_id": token_id, "now": db.now})
