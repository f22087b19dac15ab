"""What a failure of SQLite means to a caller: driver errors become refusals here, once, at the edge.

The sentences carry no driver text and no paths, and name nothing that would harm the board if an agent did
it. Result codes: sqlite.org/rescode.html.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError

from swarm_mcp.model.errors import Busy, Refusal, Unavailable

# pysqlite3 reports primary codes only, the standard library extended ones (low byte: primary).
READONLY: Final = 8
_IOERR: Final = 10
_FULL: Final = 13
CANTOPEN: Final = 14
_CONTENDED: Final = frozenset((5, 6, 15, 17))  # SQLITE_BUSY, _LOCKED, _PROTOCOL, _SCHEMA
_IOERR_WRITE: Final = 778
_IOERR_SHMSIZE: Final = 4874

DAMAGED: Final = (
    "The board's file is damaged; nothing was written. "
    "Whoever runs swarm-mcp should look at it with `swarm-mcp db check` and bring back a backup."
)
FOREIGN: Final = (
    "The configured file is not a board of swarm-mcp, and was left as it is. "
    "Point SWARM_DATABASE at another file, or at one that does not exist yet."
)
FOREIGN_DATABASE: Final = (
    "The configured database is not a board of swarm-mcp, and was left as it is. "
    "Point SWARM_DATABASE at another database, or at an empty one."
)
GONE: Final = (
    "The board's file has been moved away; nothing was written. "
    "Whoever runs swarm-mcp has to put it back or start swarm-mcp again."
)
NEWER: Final = "The board was written by a newer swarm-mcp; nothing was changed. Upgrade swarm-mcp and start it again."
NO_COPY: Final = "The backup could not be written there; the board is as it was. Choose another place for it."
NO_FILE: Final = (
    "The board's file cannot be opened. Whoever runs swarm-mcp should check that SWARM_DATABASE names a file "
    "whose folder exists and may be read and written."
)
NO_WAL: Final = (
    "The filesystem of the board's file does not let several programs share it (write-ahead logging failed). "
    "Point SWARM_DATABASE at a file on a local disk."
)
_DISK_FAILED: Final = "The disk that holds the board reports errors; nothing was written. Tell whoever runs swarm-mcp."
_DISK_FULL: Final = (
    "The disk that holds the board is full or takes no more; nothing was written. "
    "Tell whoever runs swarm-mcp, and call again when there is room."
)
_READ_ONLY: Final = (
    "The board's file or its folder is read-only; nothing was written. Reading works. "
    "Whoever runs swarm-mcp has to make both writable."
)
_SAVE_UNSURE: Final = (
    "The disk failed while it was saving, so this change may or may not have been kept. "
    "Look at the board before you repeat the call, and tell whoever runs swarm-mcp."
)

_SENTENCES: Final = {
    3: NO_FILE,  # SQLITE_PERM
    READONLY: _READ_ONLY,
    _IOERR: _DISK_FAILED,
    11: DAMAGED,  # SQLITE_CORRUPT
    _FULL: _DISK_FULL,
    CANTOPEN: NO_FILE,
    23: NO_FILE,  # SQLITE_AUTH
    26: FOREIGN,  # SQLITE_NOTADB
}


_CODES: Final = {
    "attempt to write a readonly database": READONLY,
    "disk I/O error": _IOERR,
    "database disk image is malformed": 11,
    "database or disk is full": _FULL,
    "unable to open database file": CANTOPEN,
    "file is not a database": 26,
}
"""By SQLite's own words (sqlite3_errstr): what fails while a database is copied comes without a code from pysqlite3."""


class Contended(Busy):
    """Another writer was in the way and nothing was written. Call again."""

    tries = 0
    """How often it is worth trying; 0 is until the patience ends."""


class Damaged(Unavailable):
    """The board's database is damaged; nothing was written."""


def error_code(error: BaseException) -> int | None:
    """Tell SQLite's result code, if SQLite is what failed."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    if code is None and type(cause).__name__ in {"OperationalError", "DatabaseError"}:
        return _CODES.get(str(cause))
    return code


def primary_code(error: BaseException) -> int | None:
    """Tell the kind of failure, if SQLite is what failed."""
    code = error_code(error)
    return None if code is None else code & 0xFF


def is_contention(error: BaseException) -> bool:
    """Whether SQLite says that somebody else has the lock."""
    return primary_code(error) in _CONTENDED


def is_disk_failure(error: BaseException) -> bool:
    """Whether the disk failed in a way that leaves open how far it got."""
    return primary_code(error) == _IOERR


def is_no_room(error: BaseException) -> bool:
    """Whether a new file could not be made, or not be filled."""
    return primary_code(error) in {READONLY, _IOERR, _FULL, CANTOPEN}


def refusal_for(error: BaseException) -> Refusal | None:
    """Say what to tell the caller; None if it is a bug of ours (bad SQL, say) or no SQLite error at all."""
    code = error_code(error)
    if code is None:
        return None
    if is_contention(error):
        return Contended()
    if code in {
        _IOERR_WRITE,
        _IOERR_SHMSIZE,
    }:  # a quota or a size limit, for which SQLite has no code of its own
        return Unavailable(_DISK_FULL)
    sentence = _SENTENCES.get(code & 0xFF)
    if sentence is DAMAGED:
        return Damaged(sentence)
    return Unavailable(sentence) if sentence else None


def refusal_for_commit(error: BaseException, *, void: bool) -> Refusal | None:
    """Say the same of a commit that failed; `void` means that it is certain to have left nothing."""
    if not is_disk_failure(error):
        return refusal_for(error)
    return Unavailable(_DISK_FULL if void else _SAVE_UNSURE)
