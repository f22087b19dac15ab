"""One connection to PostgreSQL, and how a transaction begins and ends on it."""

from __future__ import annotations

import os
from datetime import UTC
from typing import TYPE_CHECKING, Any

from swarm_mcp.repository.failures import Contended
from swarm_mcp.repository.postgres import check_revision, driver, revision_of

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg
    from sqlalchemy import Connection
    from sqlalchemy.engine import RootTransaction

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Every statement sees the board of one moment."""
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
"""Every statement sees what others have committed; what must not change meanwhile is locked (see locks.py)."""
MIGRATION = 0x5357524D
"""The advisory lock of migrations: the letters SWRM."""


class PostgresLink:
    """One connection to the server, seen by SQLAlchemy (`connection`) and raw."""

    is_postgres = True

    __slots__ = ("_known", "_now", "_raw", "_root", "connection", "driver", "pid")

    def __init__(self, connection: Connection, raw: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.driver = raw.cursor()
        """A cursor, which executes like SQLite's connection does."""
        self.pid = os.getpid()
        """Not to be used in a forked child: the server would hear two processes on one line."""
        self._raw = raw
        self._root: RootTransaction | None = None
        self._known = False
        self._now: datetime | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the connection is known to be gone."""
        return self._raw.closed or self._raw.broken

    @property
    def now(self) -> datetime:
        """When the transaction began, by the database's clock."""
        assert self._now is not None  # noqa: S101 - begin() comes first
        return self._now

    def begin(self, how: str) -> None:
        """Begin a transaction, and check in the same trip that the schema is one we know."""
        if not self._known:
            self._known = revision_of(self._raw) is not None
        looking = "SELECT now(), version_num FROM alembic_version" if self._known else "SELECT now(), ''"
        cursor = self._raw.execute(f"{how}; {looking}".encode())
        cursor.nextset()
        row = cursor.fetchone()
        if row is None:  # migrated down to nothing since
            self._known = False
            row = self._raw.execute("SELECT now(), ''").fetchone()
            assert row is not None  # noqa: S101 - it has one row
        check_revision(row[1])
        self._now = row[0].astimezone(UTC)
        self._root = self.connection.begin()

    def joined(self) -> Connection:
        """SQLAlchemy's connection, in a transaction of its own that lies around whatever it is asked for."""
        return self.connection

    def lock_migrations(self) -> None:
        """Wait until nobody else migrates; until the end of the transaction nobody else will."""
        self._raw.execute("SELECT pg_advisory_xact_lock($1)", (MIGRATION,))

    def commit(self) -> None:
        """Make the transaction last."""
        root = self._root
        if root is None or not root.is_active or self._status() != driver().pq.TransactionStatus.INTRANS:
            if self._status() == driver().pq.TransactionStatus.INERROR:  # COMMIT would undo it without a word
                sentence = "A statement of the transaction has failed, and somebody went on all the same."
                raise RuntimeError(sentence)
            sentence = "The transaction was ended by something else than its Database."
            raise RuntimeError(sentence) if not self.is_closed else Contended
        self._raw.execute("COMMIT")
        self._root = None
        root.commit()

    def rollback(self) -> None:
        """End the transaction and leave nothing behind."""
        root, self._root = self._root, None
        if not self.is_closed and self._status() != driver().pq.TransactionStatus.IDLE:
            self._raw.execute("ROLLBACK")
        if root is not None:
            root.rollback()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
        self._raw.close()

    @property
    def server_version(self) -> str:
        """The version of PostgreSQL, such as `18.4`."""
        return self._raw.info.parameter_status("server_version") or ""

    def revision(self) -> str | None:
        """Read the revision of the schema; None while there is none."""
        return revision_of(self._raw)

    def _status(self) -> Any:
        return self._raw.info.transaction_status
