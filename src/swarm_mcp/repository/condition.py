"""What a database is like: its library, its size, how it is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from swarm_mcp.repository.database import Database, Transaction

PRAGMAS = (
    "journal_mode", "synchronous", "foreign_keys", "page_size", "page_count", "freelist_count", "cache_size",
    "journal_size_limit", "application_id", "encoding",
)  # fmt: skip
SETTINGS = (
    "server_encoding", "fsync", "synchronous_commit", "full_page_writes", "TimeZone", "max_connections",
    "lock_timeout", "idle_in_transaction_session_timeout",
)  # fmt: skip


def setup(db: Transaction) -> dict[str, str]:
    """How the database is set up, as it says itself."""
    if db.is_postgres:
        asked = [(name, "SELECT current_setting($1)", (name,)) for name in SETTINGS]
    else:
        asked = [(name, f"PRAGMA {name}", ()) for name in PRAGMAS]
    return {name: str(db.driver.execute(question, bound).fetchone()[0]) for name, question, bound in asked}


def sizes(database: Database) -> dict[str, int]:
    """The bytes that a board takes: its file and its log, or the database on the server."""
    if database.path is not None:
        return {
            "file": _bytes_of(database.path),
            "log": _bytes_of(database.path.with_name(f"{database.path.name}-wal")),
        }
    return {"database": database.read(_bytes_on_server)}


def _bytes_on_server(db: Transaction) -> int:
    return db.driver.execute("SELECT pg_database_size(current_database())").fetchone()[0]


def _bytes_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
