"""One connection to the database file, and how a transaction begins and ends on it."""

from __future__ import annotations

import contextlib
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from swarm_mcp.model.errors import Unavailable
from swarm_mcp.repository.failures import DAMAGED, NO_COPY, Damaged, is_contention, is_no_room
from swarm_mcp.repository.sqlite import check_ours, driver, pause, revision_of

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from sqlalchemy import Connection
    from sqlalchemy.engine import RootTransaction

    from swarm_mcp.repository.sqlite import Place


class Link:
    """One connection to the file, seen by SQLAlchemy (`connection`) and raw.

    Transactions begin and end in raw SQL: it is cheaper, and the driver's own idea of when to begin is in the
    way of BEGIN IMMEDIATE. SQLAlchemy opens its own inside when it is asked for something, so that a Session can join.
    """

    is_postgres = False

    __slots__ = ("_changes", "_execute", "_raw", "_root", "_schema", "connection", "driver", "home", "pid", "place")

    def __init__(
        self, connection: Connection, raw: sqlite3.Connection, place: Place | None, *, home: list[Link]
    ) -> None:
        self.connection = connection
        self.driver = raw
        """What statements that are compiled already are executed on."""
        self.place = place
        """Which file it is connected to, to notice when another one has taken its path."""
        self.home = home
        """Where it waits for the next transaction, with others of its kind."""
        self.pid = os.getpid()
        """Not to be used in a forked child: the locks are the parent's (sqlite.org/howtocorrupt.html, 2.6)."""
        self._raw = raw
        self._execute = raw.execute
        self._root: RootTransaction | None = None
        self._schema = -1
        self._changes = 0

    server_version = ""

    @property
    def now(self) -> datetime:
        """The time, which a file leaves to the process."""
        return datetime.now(UTC)

    def begin(self, deadline: float) -> None:
        """Begin to read: every statement until the end sees the board of this moment."""
        self._begin("BEGIN", deadline)
        self._changes = self._raw.total_changes

    def begin_immediate(self, deadline: float) -> None:
        """Begin to write, waiting until `deadline` for writers that did not come through the gate."""
        self._begin("BEGIN IMMEDIATE", deadline)

    def joined(self) -> Connection:
        """SQLAlchemy's connection, in a transaction of its own that lies around whatever it is asked for."""
        if self._root is None:
            self._root = self.connection.begin()
        return self.connection

    def check_unchanged(self) -> None:
        """See that a transaction which was begun to read has changed nothing; what it did is rolled back."""
        if self._raw.total_changes != self._changes:
            sentence = "A reading transaction cannot change anything."
            raise RuntimeError(sentence)

    def _begin(self, statement: str, deadline: float) -> None:
        while True:
            try:
                self._execute(statement)
                self._look()
            except driver().OperationalError as error:
                if not is_contention(error) or time.monotonic() >= deadline:
                    raise
            else:
                return
            if self._raw.in_transaction:
                self._execute("ROLLBACK")
            pause()

    def _look(self) -> None:
        """Check that the schema is still one we know: a newer program may have migrated it since.

        The first statement also fixes what a reading transaction sees.
        """
        (schema,) = self._execute("PRAGMA schema_version").fetchone()
        if schema != self._schema:
            check_ours(self._raw)
            self._schema = schema

    def commit(self) -> None:
        """Make the transaction last."""
        self._same_process()
        root, self._root = self._root, None
        if not self._raw.in_transaction or (root is not None and not root.is_active):
            sentence = "The transaction was ended by something else than its Database."
            raise RuntimeError(sentence)
        self._execute("COMMIT")
        if root is not None:
            root.commit()

    def rollback(self) -> None:
        """End the transaction and leave nothing behind."""
        self._same_process()
        if self._raw.in_transaction:
            self._execute("ROLLBACK")
        begun = self.connection.get_transaction()
        self._root = None
        if begun is not None:
            begun.rollback()

    def close(self) -> None:
        """Close the connection."""
        self._same_process()
        self.connection.close()

    def erase(self) -> bool:
        """Make certain that a commit which the disk has failed leaves nothing; True if it worked.

        If only the last sync failed, the log holds the whole transaction. No reader looks there, but after a
        crash it would be found. So write over it: any change starts at the same place in the log.
        """
        try:
            if self._raw.in_transaction:
                self._execute("ROLLBACK")
            (version,) = self._execute("PRAGMA user_version").fetchone()
            self._execute(f"PRAGMA user_version={version}")
        except driver().Error:
            return False
        return True

    def revision(self) -> str | None:
        """Read the revision of the schema; None while there is none."""
        return revision_of(self._raw)

    def copy_to(self, path: Path) -> None:
        """Copy the database in one step: in small steps a copy never finishes while others write."""
        try:
            with contextlib.closing(driver().connect(str(path), isolation_level=None)) as copy:
                self._raw.backup(copy, pages=-1)
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
                (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        except driver().Error as error:
            if is_no_room(error):
                raise Unavailable(NO_COPY) from error
            raise
        if verdict != "ok":
            raise Damaged(DAMAGED)

    def _same_process(self) -> None:
        if os.getpid() != self.pid:
            sentence = "A transaction cannot be ended in a forked process."
            raise RuntimeError(sentence)
