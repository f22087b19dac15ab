"""Transactions: how everything above reads and writes the board.

`Database.write(change)` is the way to change something: it opens a transaction, runs `change`, commits, and
runs `change` again from the start if another program's lock was in the way. So a change may run more than
once and must have no effect but through its transaction; what has to happen afterwards goes into
`after_commit`.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from swarm_mcp.repository import postgres, tracing
from swarm_mcp.repository.changes import Changes
from swarm_mcp.repository.failures import Contended
from swarm_mcp.repository.sqlite import driver, pause
from swarm_mcp.repository.sqlite_file import SqliteFile, path_of
from swarm_mcp.repository.tidying import tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection, CursorResult, Dialect, Executable
    from sqlalchemy.orm import Session

    from swarm_mcp.repository.link import Link
    from swarm_mcp.repository.postgres_changes import PostgresChanges
    from swarm_mcp.repository.postgres_link import PostgresLink
    from swarm_mcp.repository.postgres_server import PostgresServer

    Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Transaction:
    """One transaction and one instant: what every operation gets as `db`."""

    __slots__ = (
        "_link",
        "_session",
        "actor",
        "after_commit",
        "before_commit",
        "connection_id",
        "counts",
        "dialect",
        "driver",
        "is_graph_locked",
        "is_postgres",
        "locks_rows",
        "now",
        "project",
        "via",
        "writable",
    )

    def __init__(self, link: Link | PostgresLink, *, now: datetime, writable: bool) -> None:
        self._link = link
        self.dialect: Dialect = link.connection.dialect
        self.driver: Any = link.driver
        """The driver's own connection, for statements that are compiled already (see statement.py)."""
        self.is_postgres: bool = link.is_postgres
        """Whether others write at the same time, so that what must not change has to be locked."""
        self.now = now
        """When it opened: aware, UTC, to the microsecond."""
        self.writable = writable
        self.locks_rows = writable and self.is_postgres
        """Whether what a change follows from is locked when it is read; SQLite has one writer at a time."""
        self.actor: Any = None
        """Who acts; set by the opener."""
        self.project: Any = None
        """Where; set by the opener."""
        self.via = ""
        """Who really called."""
        self.connection_id = ""
        """Which live connection the call came through (claims remember it)."""
        self.before_commit: list[Callable[[Transaction], None]] = []
        """Run in order before the commit, inside the transaction: what is best written last, and once."""
        self.counts: dict[tuple[str, bool], int] = {}
        """By how much the tally of a status (archived or not) has changed; written before the commit."""
        self.is_graph_locked = False
        """Whether this transaction is the one that may change the project's graph."""
        self.after_commit: list[Callable[[], None]] = []
        """Run in order when the commit has succeeded, outside the transaction; never after a rollback."""
        self._session: Session | None = None

    @property
    def connection(self) -> Connection:
        """SQLAlchemy's connection, for what is not compiled already. What it ends by itself is not committed."""
        return self._link.joined()

    def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[Any]:
        """Execute a Core statement."""
        return self.connection.execute(statement, parameters)

    @property
    def session(self) -> Session:
        """An ORM session inside this transaction, written out before the commit.

        It works under a savepoint: what it rolls back (a flush that violates a constraint, say) it rolls back
        to where it began, and its own commit commits nothing.
        """
        if self._session is None:
            from sqlalchemy.orm import Session  # noqa: PLC0415 - scripts pay for the ORM, servers do without

            self._session = Session(self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        return self._session

    def finish(self) -> None:
        """Write out what was left for the end, and what the session still holds."""
        if self._session is not None:
            self._session.commit()
        for callback in self.before_commit:
            callback(self)

    def close(self) -> None:
        """Let go of the connection, which another transaction is about to use."""
        if self._session is not None:
            with suppress(Exception):  # its savepoint may be gone, as after a full disk
                self._session.close()
        del self._link, self.driver


class Database:
    """The board's database. Opening it is lazy: no file or server is touched before the first transaction.

    `target` is a path or an address (`sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://user@host/name`);
    `clock` says what time it is (an aware datetime), without it this computer does, or PostgreSQL; `patience` is how
    many seconds a transaction waits for other writers before Busy.
    """

    def __init__(
        self,
        target: str | os.PathLike[str],
        *,
        clock: Callable[[], datetime] | None = None,
        patience: float = 30.0,
    ) -> None:
        self.path: Path | None = None
        """The file, if it is one."""
        self.shown = postgres.without_password(os.fspath(target))
        """Where it is, as it may be shown to people."""
        self.changes: Changes | PostgresChanges
        """Tells whether somebody has committed something."""
        self._store: SqliteFile | PostgresServer
        if postgres.is_address(os.fspath(target)):
            self.changes, self._store = _on_a_server(os.fspath(target), patience)
        else:
            self.path = path_of(target)
            self.changes, self._store = Changes(self.path), SqliteFile(self.path, patience=patience)
        self._clock = clock
        self._patience = patience

    @property
    def sqlite_version(self) -> str:
        """The version of the SQLite library in use."""
        return driver().sqlite_version

    @property
    def server_version(self) -> str:
        """The version of PostgreSQL, asked of the server; empty for a file."""
        with self._store.reading() as link:
            return link.server_version

    @property
    def is_embedded(self) -> bool:
        """Whether it is in this process: a short call takes less than a trip to anywhere."""
        return self.path is not None

    def reading(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that sees the board of one moment. Keep it short: the log grows meanwhile."""
        return self._reading()

    def writing(self) -> AbstractContextManager[Transaction]:
        """Open the one transaction that may write; committed at the end of the block, undone by any exception.

        Raises Busy when other writers outlast the patience, Unavailable when the file cannot be used; in both
        cases nothing was written. RuntimeError in a thread that is writing already.
        """
        return self._writing(time.monotonic() + self._patience)

    def write(self, change: Callable[[Transaction], T], *, patience: float | None = None) -> T:
        """Return the result of `change`, run in a transaction: again from the start if a lock was in the way.

        `patience` is another number of seconds than the database's; with 0 it is now, or Busy.
        """
        deadline = time.monotonic() + (self._patience if patience is None else patience)
        tries = 0
        while True:
            try:
                with self._writing(deadline) as transaction:
                    result = change(transaction)
            except Contended as contended:
                tries += 1
                if time.monotonic() >= deadline or tries == contended.tries:
                    raise
                pause()
            else:
                return result

    def read(self, question: Callable[[Transaction], T]) -> T:
        """Return the result of `question`, run in a reading transaction: again if a lock was in the way."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                with self._reading() as transaction:
                    return question(transaction)
            except Contended:
                if time.monotonic() >= deadline:
                    raise
                pause()

    def revision(self) -> str | None:
        """Ask for the schema's revision, which is cheap; None while the board is new."""
        with self._store.reading() as link:
            return link.revision()

    def backup(self, target: Path) -> None:
        """Copy the board, as it is now, to a new file, while others go on writing.

        The copy is a board in one file, also of a board on a server; it is complete, checked and on disk before it gets
        its name. Raises Conflict when there is a file of that name, Unavailable when the copy cannot be written.
        """
        if isinstance(self._store, SqliteFile):
            self._store.backup(target)
            return
        from swarm_mcp.repository.copying import copy_out  # noqa: PLC0415 - most programs copy nothing

        copy_out(self, target)

    def migrating(self) -> AbstractContextManager[Link | PostgresLink]:
        """Open a writing transaction for migrate.py, alone, and without foreign keys where they are in the way.

        It waits ten times as long as others.
        """
        return self._store.migrating(time.monotonic() + 10 * self._patience)

    def vacuum(self) -> None:
        """Write the database anew without the gaps in it. On a file it keeps other writers waiting meanwhile."""
        with self._store.tidying(time.monotonic() + 10 * self._patience) as link:
            tidy(link)

    def close(self) -> None:
        """Close the idle connections. A later transaction opens new ones."""
        self.changes.close()
        self._store.close()

    def _now(self, link: Link | PostgresLink) -> datetime:
        return link.now if self._clock is None else self._clock()

    @contextmanager
    def _reading(self) -> Generator[Transaction]:
        with tracing.transaction(self._store.reading()) as link:
            transaction = Transaction(link, now=self._now(link), writable=False)
            try:
                yield transaction
            finally:
                transaction.close()

    @contextmanager
    def _writing(self, deadline: float) -> Generator[Transaction]:
        with tracing.transaction(self._store.writing(deadline), deadline=deadline) as link:
            transaction = Transaction(link, now=self._now(link), writable=True)
            try:
                yield transaction
                transaction.finish()
            finally:
                transaction.close()
        self.changes.committed()
        for callback in transaction.after_commit:
            try:
                callback()
            except Exception:
                _log.exception("A callback after the commit failed.")


def _on_a_server(address: str, patience: float) -> tuple[PostgresChanges, PostgresServer]:
    """What a board on PostgreSQL is reached by, imported by those who have one."""
    from swarm_mcp.repository.postgres_changes import PostgresChanges  # noqa: PLC0415
    from swarm_mcp.repository.postgres_server import PostgresServer  # noqa: PLC0415

    address = postgres.address_for_driver(address)
    return PostgresChanges(address), PostgresServer(address, patience=patience)
