"""PostgreSQL itself: its driver, what a connection is told at its start, and which databases and servers are ours.

Everything that matters to a caller is decided on the connection: instants come in UTC, an acknowledged commit is on
the server's disk, nobody waits for a lock for ever, and a process that was stopped in the middle of a transaction does
not keep the others out.
"""

from __future__ import annotations

import functools
import importlib
import re
from typing import TYPE_CHECKING, Any, Final

from swarm_mcp.model.errors import Unavailable
from swarm_mcp.repository.failures import FOREIGN_DATABASE, NEWER
from swarm_mcp.repository.migrate import HEAD

if TYPE_CHECKING:
    import psycopg

SCHEMES: Final = ("postgresql", "postgresql+psycopg", "postgres")
INSTALL: Final = (
    "A board on PostgreSQL needs the driver, which is not installed: pip install 'swarm-mcp-server[postgres]'."
)
NO_SYNC: Final = (
    "The PostgreSQL server runs with fsync or full_page_writes off, so that a power cut could take acknowledged work "
    "or all of the board. Nothing was written. Whoever runs the server has to turn them on and reload it."
)
OLDEST: Final = 140_000
TOO_OLD: Final = "The PostgreSQL server is too old: swarm-mcp needs version 14 or newer."
CONNECTIONS: Final = 6
"""Connections of one process at once. More of them serve nobody sooner (measured with three replicas: sixteen each cost
the server half as much again for the same calls), and replicas share what it allows, a hundred as it is delivered."""
PREPARED_AFTER: Final = 1
"""How often a statement is executed before the server is asked to keep it: what comes twice comes again."""
STATEMENTS_KEPT: Final = 400
"""Of all that we have, with the lengths of their lists; by itself the driver keeps a hundred, and the rest is parsed
and planned anew each time."""
SILENT_SECONDS: Final = 60
"""A transaction in which nothing happens for so long belongs to a process that was stopped; its locks are freed."""


@functools.cache
def driver() -> Any:
    """Find psycopg 3, or say how to get it."""
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:  # also when there is a psycopg without a libpq
        raise Unavailable(INSTALL) from error


def is_address(target: str) -> bool:
    """Whether a database is named by an address of PostgreSQL."""
    return target.split("://", 1)[0].lower() in SCHEMES and "://" in target


def address_for_driver(target: str) -> str:
    """The address as libpq reads it, which knows every option of a connection (`sslmode`, `host=/socket`, …)."""
    return f"postgresql://{target.split('://', 1)[1]}"


def connect(address: str, *, patience: float) -> psycopg.Connection[Any]:
    """Connect, look at the server, and tell it how we work.

    Args:
        address: as libpq reads it.
        patience: seconds to wait for the server, and for any lock.

    Raises:
        Unavailable: the server does not keep what it acknowledges, or is too old.

    """
    psycopg = driver()
    raw = psycopg.connect(
        address,
        autocommit=True,  # transactions begin and end in SQL of ours
        cursor_factory=psycopg.RawCursor,  # $1 is PostgreSQL's own way, and % needs no escape
        connect_timeout=max(2, int(patience)),
        application_name="swarm-mcp",
        prepare_threshold=PREPARED_AFTER,
    )
    raw.prepared_max = STATEMENTS_KEPT
    try:
        _check_server(raw)
        for name, value in (
            ("timezone", "UTC"),
            ("lock_timeout", f"{max(1, int(patience * 1000))}ms"),
            ("idle_in_transaction_session_timeout", f"{SILENT_SECONDS}s"),
        ):
            raw.execute("SELECT set_config($1, $2, false)", (name, value))
    except BaseException:
        raw.close()
        raise
    return raw


def _check_server(raw: psycopg.Connection[Any]) -> None:
    """Refuse a server that may lose what it has acknowledged; what a session can decide for itself, it does."""
    row = raw.execute(
        "SELECT current_setting('server_version_num')::int, current_setting('fsync'), "
        "current_setting('full_page_writes'), current_setting('synchronous_commit')"
    ).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without a table has one row
    version, fsync, full_pages, synchronous = row
    if version < OLDEST:
        raise Unavailable(TOO_OLD)
    if "off" in (fsync, full_pages):
        raise Unavailable(NO_SYNC)
    if synchronous == "off":
        raw.execute("SET synchronous_commit = on")


def revision_of(raw: psycopg.Connection[Any]) -> str | None:
    """Read the revision of the schema; None while there is none.

    Raises:
        Unavailable: the database is another program's, or a newer swarm-mcp has migrated it.

    """
    found = raw.execute(
        "SELECT to_regclass('alembic_version') IS NOT NULL, to_regclass('project') IS NOT NULL"
    ).fetchone()
    has_versions, has_ours = found or (False, False)
    row = raw.execute("SELECT version_num FROM alembic_version").fetchone() if has_versions else None
    if (row is not None) != has_ours:
        raise Unavailable(FOREIGN_DATABASE)
    if row is not None:
        check_revision(row[0])
    return row[0] if row is not None else None


def check_revision(revision: str) -> None:
    """Refuse a board that a newer version of ours has migrated."""
    if revision > HEAD:
        raise Unavailable(NEWER)


def without_password(target: str) -> str:
    """An address as it may be shown."""
    hidden = re.sub(r"(://[^:/?@]*):[^/?]*@", r"\1:***@", target)
    return re.sub(r"([?&](?:ssl)?password=)[^&]*", r"\1***", hidden)
