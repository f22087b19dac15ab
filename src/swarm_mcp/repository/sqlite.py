"""SQLite itself: which library, how a connection is set up, and which files are ours.

One trap shapes this file: SQLite's locks on Unix belong to the process, and closing *any* descriptor of the
database drops them all (sqlite.org/howtocorrupt.html, 2.2). So nothing here, or anywhere, opens the database
file except through SQLite, not even to look at its first bytes.
"""

from __future__ import annotations

import functools
import importlib
import logging
import os
import random
import time
from typing import TYPE_CHECKING, Any, Final

from swarm_mcp.model.errors import Unavailable
from swarm_mcp.repository.failures import (
    CANTOPEN,
    FOREIGN,
    NEWER,
    NO_FILE,
    NO_WAL,
    READONLY,
    is_contention,
    primary_code,
)
from swarm_mcp.repository.migrate import HEAD

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_log = logging.getLogger(__name__)

_SAFE_SQLITE: Final = (3, 51, 3)
"""The first release without the WAL-reset bug, which can corrupt what several processes write
(sqlite.org/wal.html)."""

APPLICATION_ID: Final = 0x5357524D
"""The letters SWRM, in the header of our files: a path that names another program's database by mistake is told
apart for certain, even if that program uses Alembic too (sqlite.org/pragma.html#pragma_application_id)."""

_PRAGMAS: Final = (
    "PRAGMA synchronous=FULL",  # an acknowledged write survives a power cut
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_size_limit=67108864",  # give the disk back after one long reader made the log grow
    "PRAGMA cache_size=-2048",  # KiB a connection: a host runs many servers, and the system caches the file for all
    "PRAGMA mmap_size=0",  # a mapped file turns disk errors into SIGBUS
    "PRAGMA fullfsync=ON",  # macOS: fsync() alone leaves data in the drive's cache; no effect elsewhere
)

Place = tuple[int, int]
"""Device and inode: which file it is that stands at a path."""


@functools.cache
def driver() -> Any:
    """Find the DBAPI module: `pysqlite3`, whose wheel carries a recent SQLite, or the standard library's."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        module = importlib.import_module("sqlite3.dbapi2")
    if module.sqlite_version_info < _SAFE_SQLITE:
        _log.warning(
            "SQLite %s can damage a database that several processes write (fixed in 3.51.3); "
            "install the pysqlite3 package, or run only one swarm-mcp on a file.",
            module.sqlite_version,
        )
    return module


def place_of(path: Path) -> Place | None:
    """Which file stands at the path now, or None."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a third of the cost of Path.stat(), at every transaction
    except OSError:
        return None
    return status.st_dev, status.st_ino


def pause() -> None:
    """Wait a moment before asking for SQLite's own lock again; uneven, lest pollers march in step."""
    time.sleep(random.uniform(0.0003, 0.003))  # noqa: S311 - no secret


def connect_to_write(path: Path, *, patience: float) -> tuple[sqlite3.Connection, Place | None]:
    """Connect for writing; make the folder and the file if they are missing.

    Returns the raw connection and the place that it is good for.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(NO_FILE) from error
    raw = _connect(path, patience=patience)
    try:
        check_ours(raw)
        _use_wal(raw, deadline=time.monotonic() + patience)
        _set_up(raw)
        if _mark_of(raw) != APPLICATION_ID:
            raw.execute(f"PRAGMA application_id={APPLICATION_ID}")
        # From here on the gate does the waiting, and BEGIN IMMEDIATE is repeated by us: SQLite's own
        # waiting is unfair, and no statement after BEGIN IMMEDIATE ever has to wait.
        raw.execute("PRAGMA busy_timeout=0")
    except BaseException:
        raw.close()
        raise
    return raw, place_of(path)


def connect_to_migrate(path: Path, *, patience: float) -> tuple[sqlite3.Connection, Place | None]:
    """Connect for writing without enforcing foreign keys; see `connect_to_write`."""
    raw, place = connect_to_write(path, patience=patience)
    raw.execute("PRAGMA foreign_keys=OFF")
    return raw, place


def connect_to_read(path: Path, *, patience: float) -> tuple[sqlite3.Connection, Place | None]:
    """Connect for reading, even to a file or folder that may not be written; see `connect_to_write`.

    The place is None if the connection is good for one transaction only.
    """
    raw = _connect(path, patience=patience)
    try:
        frozen = _is_frozen(raw, path)
        if frozen:
            raw.close()
            raw = _connect(path, patience=patience, frozen=True)
        check_ours(raw)
        _set_up(raw)
        raw.execute("PRAGMA query_only=ON")  # a change would be rolled back at the end without a word
    except BaseException:
        raw.close()
        raise
    return raw, None if frozen else place_of(path)


def _connect(path: Path, *, patience: float, frozen: bool = False) -> sqlite3.Connection:
    # `timeout` is SQLite's busy_timeout, set before anything else can need it.
    return driver().connect(
        f"{path.absolute().as_uri()}?immutable=1" if frozen else str(path),
        uri=frozen,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )


def _is_frozen(raw: sqlite3.Connection, path: Path) -> bool:
    """Whether SQLite cannot read the file for want of the shared memory that it may not make in this folder.

    If there is no log either, nobody is writing, and the file can be read without any lock at all.
    """
    try:
        _mark_of(raw)
    except driver().OperationalError as error:
        log = path.with_name(f"{path.name}-wal")
        at_rest = path.is_file() and not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)
        if primary_code(error) in {CANTOPEN, READONLY} and at_rest:
            return True
        raise
    return False


def check_ours(raw: sqlite3.Connection) -> None:
    """Refuse a file that another program made, and one that a newer version of ours has migrated."""
    tables, mark = _tables_of(raw), _mark_of(raw)
    # A dump that was read back in has our tables but lacks the mark.
    if mark != APPLICATION_ID and (mark or tables) and not {"alembic_version", "project"} <= tables:
        raise Unavailable(FOREIGN)
    revision = revision_of(raw)
    if revision is not None and revision > HEAD:
        raise Unavailable(NEWER)


def revision_of(raw: sqlite3.Connection) -> str | None:
    """Read the revision of the schema, as Alembic noted it; None while there is none."""
    if "alembic_version" not in _tables_of(raw):
        return None
    row = raw.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def _tables_of(raw: sqlite3.Connection) -> set[str]:
    try:
        return {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except UnicodeDecodeError as error:  # SQLite names what is damaged, in words that are none any more
        raise driver().DatabaseError("database disk image is malformed") from error


def _mark_of(raw: sqlite3.Connection) -> int:
    (mark,) = raw.execute("PRAGMA application_id").fetchone()
    return mark


def _use_wal(raw: sqlite3.Connection, *, deadline: float) -> None:
    """Switch to write-ahead logging, once in the life of a file. Eight new processes may try at once."""
    while True:
        try:
            (mode,) = raw.execute("PRAGMA journal_mode=WAL").fetchone()
            break
        except driver().OperationalError as error:  # SQLite does not wait for this lock by itself
            if not is_contention(error) or time.monotonic() >= deadline:
                raise
        pause()
    if mode != "wal":
        raise Unavailable(NO_WAL)


def _set_up(raw: sqlite3.Connection) -> None:
    for pragma in _PRAGMAS:
        raw.execute(pragma)
