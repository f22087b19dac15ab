"""Bringing a board back from a file: verified before anything is touched, and what it replaces is kept.

The file is copied first, and the copy is what is looked at, migrated, and taken: nobody can change it in between. A
board in a file is then overwritten in one transaction of SQLite's own (the online backup, backwards), so that there is
never a moment without a board, and no program that opens it just then has the old file under the new one's name. Only
what SQLite cannot read any more is moved aside, with its log.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from swarm_mcp.model.errors import Conflict, NotFound, Unavailable
from swarm_mcp.repository import copying, migrate, snapshots, tables
from swarm_mcp.repository.database import Database, Transaction
from swarm_mcp.repository.disk import sync
from swarm_mcp.repository.failures import DAMAGED, FOREIGN, NEWER, Damaged, is_contention, refusal_for
from swarm_mcp.repository.gate import Gate
from swarm_mcp.repository.indexing import index_everything
from swarm_mcp.repository.sqlite import check_ours, connect_to_read, driver, revision_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Generator

    from sqlalchemy import Connection

PATIENCE: Final = 5.0
"""Seconds that a restore waits for others to be done."""
IN_USE: Final = (
    "Other programs have the board open, and it was left as it is. End the servers and hosts that use it, and restore "
    "again."
)
OTHERS: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'swarm-mcp' "
    "AND pid <> pg_backend_pid()"
)


def restore(database: Database, backup: Path) -> Path | None:
    """Put a board that was copied to a file in the place of another.

    Args:
        database: what is replaced; there need be nothing yet.
        backup: a board in a file, of this revision or an older one.

    Returns:
        Where the board is that was replaced; None if there was none.

    Raises:
        NotFound: there is no such file.
        Unavailable: it is damaged, no board, or a newer program's; or there is no room. Nothing was changed.
        Conflict: other programs have the board open. Nothing was changed.

    """
    try:
        folder = TemporaryDirectory(prefix=".restoring-", dir=_folder(database))
    except OSError as error:
        raise Unavailable(
            "There is no room for the board, or its folder may not be written; it is as it was."
        ) from error
    with folder as made:
        copy = Path(made) / "board.db"
        _copy(backup, copy)
        with contextlib.closing(Database(copy)) as verified:
            migrate.upgrade(verified)
        database.close()
        if database.path is not None:
            return _replace_file(database, copy)
        with contextlib.closing(Database(copy)) as verified:
            return _replace_rows(database, verified)


def verify(backup: Path) -> str:
    """See whether a file could be brought back, and tell its revision; raises what `restore` raises."""
    with TemporaryDirectory(prefix="swarm-verifying-") as made:
        return _copy(backup, Path(made) / "board.db")


def _folder(database: Database) -> Path | None:
    """Where the copy goes: beside the file, whose disk has to have room for it anyway."""
    if database.path is None:
        return None
    database.path.parent.mkdir(parents=True, exist_ok=True)
    return database.path.parent


def _copy(backup: Path, copy: Path) -> str:
    """Copy a board out of a file that may be anything, and look at all of it; its revision."""
    if not backup.is_file():
        raise NotFound(f"There is no file `{backup.name}` to restore.")
    try:
        raw, _ = connect_to_read(backup, patience=PATIENCE)
        with contextlib.closing(raw), contextlib.closing(driver().connect(str(copy), isolation_level=None)) as made:
            revision = revision_of(raw)
            raw.backup(made, pages=-1)
            sound = made.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            sound = sound and made.execute("PRAGMA foreign_key_check").fetchone() is None
    except driver().Error as error:
        raise _about(backup, refusal_for(error)) from error
    except Unavailable as refusal:
        raise _about(backup, refusal) from None
    if not sound:
        raise _about(backup, Damaged(DAMAGED))
    if revision is None:
        raise Unavailable(f"`{backup.name}` has no board in it; nothing was changed.")
    return revision


def _about(backup: Path, refusal: Exception | None) -> Unavailable:
    """What is wrong with the backup, in words that are about it and not about the board."""
    words = {
        DAMAGED: "is damaged or incomplete, and cannot be trusted; nothing was changed. Take another backup.",
        FOREIGN: "is not a board of swarm-mcp; nothing was changed.",
        NEWER: "was written by a newer swarm-mcp; nothing was changed. Upgrade swarm-mcp first.",
    }.get(str(refusal), "cannot be read or copied; nothing was changed.")
    return Unavailable(f"`{backup.name}` {words}")


def _replace_file(database: Database, copy: Path) -> Path | None:
    path = database.path
    assert path is not None  # noqa: S101 - the caller has looked
    kept = snapshots.beside(database, "replaced")
    with Gate.of(path).turn(time.monotonic() + PATIENCE):  # nobody writes meanwhile who comes through the gate
        if not path.exists():
            _move(copy, path)
            return None
        try:
            with _alone(path) as raw:
                _keep(raw, kept)
                with contextlib.closing(driver().connect(str(copy), isolation_level=None)) as source:
                    source.backup(raw, pages=-1)
        except Damaged:
            for suffix in ("-wal", "-shm", ""):
                with contextlib.suppress(FileNotFoundError):
                    _move(path.with_name(f"{path.name}{suffix}"), kept.with_name(f"{kept.name}{suffix}"))
            _move(copy, path)
        sync(path.parent)
    return kept


@contextlib.contextmanager
def _alone(path: Path) -> Generator[sqlite3.Connection]:
    """A connection to a board that no other process has open.

    Whoever has read a board with a write-ahead log keeps a lock on it until it closes it, also while it is idle; only
    the last one can leave that mode (sqlite.org/wal.html).

    Raises:
        Conflict: others have it open.
        Damaged: SQLite cannot read it.
        Unavailable: it is not one of ours, or a newer program's.

    """
    raw = driver().connect(str(path), timeout=PATIENCE, isolation_level=None)
    with contextlib.closing(raw):
        try:
            check_ours(raw)
            raw.execute("PRAGMA busy_timeout=1000")
            raw.execute("PRAGMA journal_mode=DELETE")
            yield raw
        except driver().Error as error:
            if is_contention(error):
                raise Conflict(IN_USE) from error
            refusal = refusal_for(error)
            raise refusal if refusal is not None else Damaged(DAMAGED) from error


def _keep(raw: sqlite3.Connection, kept: Path) -> None:
    """Copy what is replaced as it is, sound or not."""
    with contextlib.closing(driver().connect(str(kept), isolation_level=None)) as copy:
        raw.backup(copy, pages=-1)
    sync(kept)


def _move(file: Path, to: Path) -> None:
    file.replace(to)


def _replace_rows(database: Database, source: Database) -> Path | None:
    """Put a board's rows in the place of those on a server."""
    is_new = database.revision() is None
    migrate.upgrade(database)
    database.close()
    kept = None if is_new else snapshots.beside(database, "replaced")
    with database.migrating() as link:
        connection = link.connection
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))  # it waits for the copy
        _check_alone(connection)
        every = ", ".join([*(each.name for each in tables.metadata.sorted_tables), *sorted(tables.WORD_TABLES)])
        connection.execute(text(f"LOCK TABLE {every} IN SHARE ROW EXCLUSIVE MODE"))  # whoever reads may still do so
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            database.backup(kept)
        _let_wait(connection, "DEFERRABLE INITIALLY DEFERRED")
        into = Transaction(link, now=link.now, writable=True)
        with source.reading() as rows:
            copying.copy_rows(rows, into)
        index_everything(into)
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        _let_wait(connection, "NOT DEFERRABLE")
    return kept


def _check_alone(connection: Connection) -> None:
    """Refuse while other programs are connected; a connection that was just closed may be there a moment longer."""
    deadline = time.monotonic() + 1
    while connection.execute(text(OTHERS)).scalar_one():
        if time.monotonic() > deadline:
            raise Conflict(IN_USE)
        connection.execute(text("SELECT pg_sleep(0.05), pg_stat_clear_snapshot()"))


def _let_wait(connection: Connection, how: str) -> None:
    """Say when foreign keys between the rows of one table are looked at."""
    for each in tables.metadata.sorted_tables:
        for foreign in each.foreign_keys:
            if foreign.column.table is each:
                name = f"fk_{each.name}_{foreign.parent.name}_{each.name}"
                connection.execute(text(f"ALTER TABLE {each.name} ALTER CONSTRAINT {name} {how}"))
