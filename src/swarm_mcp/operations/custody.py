"""The care of a whole database: made, looked at, copied, brought back, emptied, tidied. The operator's alone."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from swarm_mcp.model.agent import THE_OPERATOR
from swarm_mcp.model.custody import Condition, Kept, Revision
from swarm_mcp.model.errors import Conflict, Unavailable
from swarm_mcp.operations.checking import NO_BOARD, require_current
from swarm_mcp.operations.moves import record
from swarm_mcp.repository import condition, copying, migrate, projects, restoration
from swarm_mcp.repository.snapshots import snapshot

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Database, Transaction

VIA = "command line"


def initialise(database: Database) -> Kept:
    """Make a board where there is none; one that is there is left as it is, old or not."""
    found = database.revision() if database.path is None or database.path.exists() else None
    if found is not None:
        return Kept(message=f"There is a board already, at revision {found}; it was left as it is.", revision=found)
    migrate.upgrade(database)
    return Kept(message=f"Made a board at revision {migrate.HEAD}: {database.shown}", revision=migrate.HEAD)


def look(database: Database) -> Condition:
    """What a database is like.

    Raises:
        Unavailable: there is no board.

    """
    revision = require_board(database)
    told = {
        "place": database.shown,
        "engine": "sqlite" if database.is_embedded else "postgresql",
        "library": database.sqlite_version if database.is_embedded else database.server_version,
        "revision": revision,
        "newest": migrate.HEAD,
    }
    rows, settings = database.read(lambda db: (copying.counts(db), condition.setup(db)))
    tasks = rows.get("task", 0)
    words = f"A board with {tasks:,} {'task' if tasks == 1 else 'tasks'} at revision {revision}"
    behind = "" if revision == migrate.HEAD else f"; this program has {migrate.HEAD} (swarm-mcp db upgrade)"
    return Condition(message=f"{words}{behind}.", bytes=condition.sizes(database), rows=rows, settings=settings, **told)


def require_board(database: Database) -> str:
    """The revision of a board that is there.

    Raises:
        Unavailable: there is none.

    """
    revision = database.revision() if database.path is None or database.path.exists() else None
    if revision is None:
        raise Unavailable(NO_BOARD)
    return revision


def newest() -> str:
    """The newest revision that this program knows."""
    return migrate.HEAD


def revisions(database: Database) -> list[Revision]:
    """Every revision that this program knows, the newest first; the board need not be there."""
    found = database.revision() if database.path is None or database.path.exists() else None
    return [
        Revision(revision=revision, after=after, words=words, is_current=revision == found)
        for revision, after, words in migrate.revisions()
    ]


def back_up(database: Database, target: Path, *, force: bool) -> Kept:
    """Copy a board to a file while others go on writing: everything that was acknowledged before is in it.

    Args:
        database: the board, of any kind and revision.
        target: the file, which is a board of its own.
        force: whether a file of that name is replaced, once the new one is complete.

    Raises:
        Conflict: there is a file of that name, or something that is no file, or it is the board's own.
        Unavailable: there is no board, or no room for the copy.

    """
    revision = require_board(database)
    if database.path is not None and target.exists() and target.samefile(database.path):
        raise Conflict("That is the board itself. Choose another name for the backup.")
    if target.is_dir():
        raise Conflict(f"`{target.name}` is a folder. Name a file in it.")
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise Conflict(f"`{target.name}` is a link, a device or a pipe, which is not replaced. Name a file.")
    if target.exists() and not force:
        raise Conflict(f"There is a file `{target.name}` already. Choose another name.")
    made = target.with_name(f".{target.name}.new")
    with contextlib.suppress(OSError):
        made.unlink(missing_ok=True)
    database.backup(made)
    made.replace(target)
    return Kept(message=f"Backed up to {target} (revision {revision}).", copy_at=str(target), revision=revision)


def restore(database: Database, backup: Path) -> Kept:
    """Put a backup in the place of the board, and keep what was there.

    Raises:
        NotFound: there is no such file.
        Unavailable: it cannot be trusted, or is not one of ours; the sentence says why. Nothing was changed.
        Conflict: other programs have the board open. Nothing was changed.

    """
    if database.path is not None and database.path.exists() and backup.exists() and backup.samefile(database.path):
        raise Conflict("That is the board itself. Name a backup of it.")
    kept = restoration.restore(database, backup)
    revision = require_board(database)
    database.write(lambda db: _note(db, "restored", {"from": backup.name, "kept": kept.name if kept else ""}))
    before = f" Its tokens are those of the backup. What was there before is in {kept}." if kept else ""
    return Kept(
        message=f"Restored from {backup} (revision {revision}).{before}",
        copy_at=str(kept) if kept else "",
        revision=revision,
    )


def reset(database: Database) -> Kept:
    """Empty a board, all of its projects, after a snapshot. Its tokens stay, lest a locked door opens by that.

    Raises:
        Unavailable: there is no board of this revision, or no room for the snapshot.

    """
    require_current(database)
    kept = snapshot(database, "reset")
    database.write(lambda db: _empty(db, kept))
    return Kept(
        message=f"Emptied the board; its tokens are still valid. As it was before it is in {kept}.",
        copy_at=str(kept),
        revision=migrate.HEAD,
    )


def _empty(db: Transaction, kept: Path) -> None:
    copying.empty(db)
    if projects.find_project(db, "default") is None:
        projects.insert_project(db, "default")
    _note(db, "reset", {"snapshot": kept.name})


def _note(db: Transaction, kind: str, data: dict[str, str]) -> None:
    """Let the ledger of every project say what happened to the whole board."""
    db.actor, db.via = THE_OPERATOR, VIA
    for slug in projects.slugs(db):
        db.project = projects.find_project(db, slug)
        record(db, kind, None, data)


def move_to(database: Database, revision: str, *, back: bool) -> Kept:
    """Bring the schema to a revision, after a snapshot.

    Args:
        database: the board.
        revision: where to; "" is the newest, or, going back, the one before the present one.
        back: whether to go back.

    Raises:
        Invalid: there is no such revision, or it is in the other direction.
        Unavailable: there is no board, or no room for the snapshot.

    """
    found = require_board(database)
    goal = revision or (migrate.before(found) if back else migrate.HEAD)
    if goal == found:
        return Kept(message=f"The board is at revision {found} already; nothing was done.", revision=found)
    migrate.check_direction(found, goal, back=back)
    # Where the board is a file, the migration takes the snapshot itself, when nobody else can write any more.
    kept = None if database.is_embedded else snapshot(database, f"{found}-to-{goal}")
    taken = migrate.downgrade(database, goal) if back else migrate.upgrade(database, goal)
    kept = taken or kept
    return Kept(
        message=f"The board went from revision {found} to {goal}. As it was before it is in {kept}.",
        copy_at=str(kept or ""),
        revision=goal,
    )


def tidy(database: Database) -> Kept:
    """Give back the room that a board does not need.

    Raises:
        Unavailable: there is no board of this revision.

    """
    require_current(database)
    before = condition.sizes(database)
    database.vacuum()
    after = condition.sizes(database)
    was, now = sum(before.values()), sum(after.values())
    return Kept(
        message=f"{was:,} bytes before, {now:,} bytes now.",
        revision=migrate.HEAD,
        bytes_before=before,
        bytes_after=after,
    )
