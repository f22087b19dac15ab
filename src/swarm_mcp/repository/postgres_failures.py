"""What a failure of PostgreSQL means to a caller: driver errors become refusals here, once, at the edge.

Codes: postgresql.org/docs/current/errcodes-appendix.html. The sentences carry no driver text, no address and no name of
a database.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError

from swarm_mcp.model.errors import Invalid, Refusal, Unavailable
from swarm_mcp.repository.failures import Contended, Damaged
from swarm_mcp.repository.postgres import driver

NO_SERVER: Final = (
    "The board's database cannot be reached; nothing was written. Call again in a while, and if it stays so, tell "
    "whoever runs swarm-mcp: `swarm-mcp doctor` looks at it."
)
NO_ENTRY: Final = (
    "The board's database does not let swarm-mcp in. Whoever runs swarm-mcp should check SWARM_DATABASE: the user, the "
    "password, the name of the database, and what that user may do there."
)
_FULL: Final = (
    "The disk or the memory of the board's database is full; nothing was written. "
    "Tell whoever runs swarm-mcp, and call again when there is room."
)
_READ_ONLY: Final = (
    "The board's database is read-only; nothing was written. Reading works. Tell whoever runs swarm-mcp."
)
_DAMAGED: Final = (
    "The board's database is damaged; nothing was written. Whoever runs swarm-mcp should bring back a backup."
)
_SAVE_UNSURE: Final = (
    "The connection to the database was lost while it was saving, so this change may or may not have been kept. "
    "Look at the board before you repeat the call."
)
_NO_SUCH_TEXT: Final = "Text cannot contain the character NUL (\\u0000); nothing was written. Leave it out."

_AGAIN: Final = frozenset({
    "40001", "40P01", "55P03",  # serialization failure, deadlock, a lock that was not free in time
    "25P03",  # ended for having been silent inside a transaction
    "57P01", "57P02", "57P03",  # the server ends this connection, or starts up
    "53300",  # too many connections
})  # fmt: skip
_UNIQUE: Final = "23505"
"""Two transactions made the same thing (a name, a key): the second, run again, finds it."""
_SENTENCES: Final = {
    "28": NO_ENTRY,  # authorisation
    "3D": NO_ENTRY,  # no such database
    "42501": NO_ENTRY,
    "53": _FULL,  # out of disk, out of memory
    "54": _FULL,
    "58": _DAMAGED,  # the operating system failed below it
    "XX": _DAMAGED,
    "25006": _READ_ONLY,
    "22021": _NO_SUCH_TEXT,
    "22P05": _NO_SUCH_TEXT,
}


class Lost(Contended):
    """The connection to the database was lost and nothing was written. Call again."""


class Twice(Contended):
    """Somebody else made the same thing just now, and nothing was written. Call again."""

    tries = 8
    """If it goes on, it is no race."""


def cause_of(error: BaseException) -> BaseException:
    """The driver's error, if it is what failed."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def refusal_for(error: BaseException, *, closed: bool) -> Refusal | None:
    """Say what to tell the caller; None if it is a bug of ours (bad SQL, say) or no error of PostgreSQL at all.

    Args:
        error: what was raised.
        closed: whether the connection is gone.

    """
    cause = cause_of(error)
    if not isinstance(cause, driver().Error):
        return None
    code = getattr(cause, "sqlstate", None) or ""
    if code in _AGAIN:
        return Lost() if closed else Contended()
    if code == _UNIQUE:
        return Twice()
    sentence = _SENTENCES.get(code) or _SENTENCES.get(code[:2])
    if sentence:
        kind = {_NO_SUCH_TEXT: Invalid, _DAMAGED: Damaged}.get(sentence, Unavailable)
        return kind(sentence)
    if not code and isinstance(cause, driver().DataError) and "NUL" in str(cause):
        return Invalid(_NO_SUCH_TEXT)
    return Lost() if closed or code.startswith("08") else None


def refusal_for_connecting(error: BaseException) -> Refusal:
    """Say the same of a connection that could not be made. The driver has no code for most reasons."""
    code = getattr(error, "sqlstate", None) or ""
    if code in _AGAIN:
        return Contended()
    words = str(error)
    refused_entry = code[:2] in {"28", "3D"} or any(
        each in words for each in ("authentication failed", "no password", "does not exist", "no pg_hba", "permission")
    )
    return Unavailable(NO_ENTRY if refused_entry else NO_SERVER)


def refusal_for_commit(error: BaseException, *, closed: bool) -> Refusal | None:
    """Say the same of a commit that failed. Where the connection went with it, nobody knows what became of it."""
    if isinstance(cause_of(error), driver().Error) and closed:
        return Unavailable(_SAVE_UNSURE)
    return refusal_for(error, closed=closed)
