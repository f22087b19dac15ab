"""What is told of a database as a whole."""

from __future__ import annotations

from swarm_mcp.model.record import Answer, Record


class Condition(Answer):
    """A database, as it is."""

    place: str
    engine: str
    """sqlite or postgresql."""
    library: str
    """The version of SQLite in this process, or of the server."""
    revision: str
    newest: str
    """The revision of this program."""
    bytes: dict[str, int] = {}
    """What it takes: `file` and `log`, or `database`."""
    rows: dict[str, int] = {}
    """How many rows each table has."""
    settings: dict[str, str] = {}


class Revision(Record):
    """One revision of the schema."""

    revision: str
    after: str = ""
    words: str
    is_current: bool = False


class Kept(Answer):
    """What was done to a whole board, and where a copy is."""

    copy_at: str = ""
    """A backup, or the board as it was before; empty if there is none."""
    revision: str = ""
    bytes_before: dict[str, int] = {}
    bytes_after: dict[str, int] = {}
