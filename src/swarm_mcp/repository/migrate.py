"""Bring a board's schema up to date, or back: Alembic's revisions in one transaction behind the write gate.

The gate is the migration lock: of eight servers that start at once on a new file one migrates and seven wait.
The look inside the transaction is what counts; the gate only keeps the others from polling.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from swarm_mcp.model.errors import Invalid, Unavailable
from swarm_mcp.repository.snapshots import snapshot

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

    from swarm_mcp.repository.database import Database

HEAD: Final = "0006"
"""The newest revision in the migrations folder. Revisions have four digits, so text order is their order."""


def pending(database: Database) -> str | None:
    """Tell the revision that `upgrade` would bring the board to, or None if it is there already.

    Raises Unavailable when a newer swarm-mcp has migrated the board.
    """
    return None if database.revision() == HEAD else HEAD


def upgrade(database: Database, revision: str = "") -> Path | None:
    """Bring the board to the newest revision, or to an older one that is still newer than its own.

    One query and nothing else (not even Alembic's import) if it is there already. Otherwise takes a snapshot beside
    the database first, unless the board is new. Everything or nothing: a migration that fails leaves the board as it
    was. Returns where the snapshot is. Raises Unavailable when a newer swarm-mcp has migrated the board, Invalid when
    there is no such revision.
    """
    if revision or pending(database):
        return _migrate(database, revision or HEAD, back=False)
    return None


def downgrade(database: Database, revision: str) -> Path | None:
    """Bring the board back to an older revision ("base": to an empty file), after a snapshot, whose place is returned.

    Raises Invalid when the revision is unknown or newer than the board's.
    """
    if revision != database.revision():
        return _migrate(database, revision, back=True)
    return None


def check_direction(found: str, goal: str, *, back: bool) -> None:
    """Refuse a goal that there is not, before a snapshot is taken for it, or one that lies in the other direction.

    Alembic would do nothing about the latter, and say nothing.
    """
    if goal != "base" and goal not in {each for each, _, _ in revisions()}:
        raise Invalid(f"There is no revision `{goal[:40]}`. swarm-mcp db history lists them.")
    if (goal == "base" or goal < found) != back:
        way = "older" if back else "newer"
        raise Invalid(
            f"The board is at revision {found}, and {goal[:40]} is not {way}. swarm-mcp db history lists them."
        )


def revisions() -> list[tuple[str, str, str]]:
    """Every revision, the newest first: its number, the one before it ("" is none), and what it is for."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as below

    script = ScriptDirectory.from_config(alembic_config())
    return [
        (each.revision, str(each.down_revision or ""), each.doc.partition("\n")[0]) for each in script.walk_revisions()
    ]


def before(revision: str) -> str:
    """The revision before one; "base" before the first."""
    return next((down for each, down, _ in revisions() if each == revision), "") or "base"


def folder() -> Path:
    """Where the revisions are: inside an installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / "migrations", package.parents[1] / "migrations"):
        if (place / "env.py").is_file():
            return place
    sentence = "This installation of swarm-mcp lacks its migrations. Install it again."
    raise Unavailable(sentence)


def alembic_config(connection: Connection | None = None, *, metadata: object = None) -> Config:
    """Alembic's configuration, built in code: `alembic.command` functions take it."""
    from alembic.config import Config  # noqa: PLC0415 - 0.15 s that a start on a current board does without

    config = Config(stdout=io.StringIO())  # stdout belongs to the protocol
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes.update(connection=connection, metadata=metadata)
    return config


def _migrate(database: Database, goal: str, *, back: bool) -> Path | None:
    kept = None
    with database.migrating() as link:
        found = link.revision()
        if found == goal:  # another process was faster
            return None
        if found and database.path:
            kept = snapshot(database, f"{found}-to-{goal}")
        _run_revisions(link.connection, found, goal, back=back)
        if not link.is_postgres:
            _check_references(link.connection)
    return kept


def _run_revisions(connection: Connection, found: str | None, goal: str, *, back: bool) -> None:
    from alembic import command  # noqa: PLC0415 - as above, and one server of eight will do
    from alembic.util import CommandError  # noqa: PLC0415

    move = command.downgrade if back else command.upgrade
    try:
        move(alembic_config(connection), goal)
    except CommandError as error:
        sentence = f"The board cannot go from revision {found or 'base'} to {goal}."
        raise Invalid(sentence) from error


def _check_references(connection: Connection) -> None:
    """Foreign keys are off during a migration, because recreating a table would trip over them."""
    orphans: list[Any] = list(connection.exec_driver_sql("PRAGMA foreign_key_check"))
    if orphans:
        tables = ", ".join(sorted({orphan[0] for orphan in orphans}))
        sentence = (
            f"The board was not migrated: rows of {tables} refer to rows that are missing. "
            "Nothing was changed; `swarm-mcp db check` shows more."
        )
        raise Unavailable(sentence)
