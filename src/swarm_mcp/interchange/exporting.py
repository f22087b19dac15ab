"""A board written out for other programs: all of it or nothing, and never over what is there already."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol

from swarm_mcp.interchange import writing
from swarm_mcp.interchange.foreign.sqlite_copy import HEADER
from swarm_mcp.model.errors import Conflict, Invalid, NotFound, Unavailable
from swarm_mcp.model.record import Answer
from swarm_mcp.repository import tasks
from swarm_mcp.repository.disk import sync

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction

COMPANIONS = ("-wal", "-shm", "-journal", ".gate.next", ".gate")
"""What the files beside an open database end with."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a board is written out; without anything, all of it."""

    task: str = ""
    """Only this task and everything below it. A writer gets its whole id."""
    since: datetime | None = None
    """Only the tasks that have changed since: aware."""


class Exported(Answer):
    """What an export wrote."""

    format: str
    name: str = ""
    """The base name of the file or folder; empty where it went to standard output. A writer need not say it."""
    tasks: int = 0
    counts: dict[str, int] = {}
    """What else was written, by kind."""


Strangers = Callable[[Path], list[str]]
"""What in a folder is none of a writer's, by name."""


class Writer(Protocol):
    """A module of `writing`."""

    def write(self, db: Transaction, path: Path, wanted: Wanted, told: Callable[[int], None]) -> Exported:
        """Write one new file, or make one new folder, at `path`, where nothing is.

        Args:
            db: the transaction: one moment of the board, seen by the operator.
            path: a temporary name, which becomes the real one when this returns and all of it is on disk.
            wanted: what of the board.
            told: to be called with how much more has been written, for a bar of progress.

        """
        ...

    # A writer of folders has `strangers`, which says what in one it did not write: only one without may be replaced.


def formats() -> list[str]:
    """The formats that there are, our own first."""
    found = (module.name.replace("_", "-") for module in iter_modules(writing.__path__))
    return sorted(found, key=lambda name: (name != "swarm", name))


def writer(name: str) -> Writer:
    """The module that writes a format which there is."""
    return import_module(f"{writing.__name__}.{name.replace('-', '_')}")  # type: ignore[return-value]


def export(
    swarm: Swarm,
    name: str,
    path: Path,
    wanted: Wanted,
    *,
    forced: bool = False,
    told: Callable[[int], None] = lambda _: None,
    begun: Callable[[int | None], None] = lambda _: None,
    via: str = "script",
) -> Exported:
    """Write a board out as the operator sees it, at one moment.

    Args:
        swarm: the board.
        name: the format.
        path: the file or folder, which appears when it is whole and on disk.
        wanted: what of the board.
        forced: replace what is there, if it is what this format writes: a file by a file, a store by a store.
        told: called with how much more has been written.
        begun: called once with how much there will be, or None where nobody knows.
        via: who really asked.

    Raises:
        Conflict: something is there already.
        NotFound: there is no such folder to write into, or no such task.
        Unavailable: the file system refused.

    """
    chosen = writer(name)
    strangers = getattr(chosen, "strangers", None)
    with (
        replacing(path, forced=forced, strangers=strangers, board=swarm.database.path) as partial,
        swarm.reading(via=via) as db,
    ):
        if wanted.task:
            wanted = replace(wanted, task=tasks.resolve_task(db, wanted.task).id)
        expected = getattr(chosen, "expected", _tasks_expected)
        begun(expected(db, wanted))
        done = chosen.write(db, partial, wanted, told)
    return done.model_copy(update={"name": path.name})


def _tasks_expected(db: Transaction, wanted: Wanted) -> int | None:
    if wanted != Wanted():
        return None
    return sum(sum(tasks.tallies(db, archived=archived).values()) for archived in (False, True))


@contextmanager
def replacing(
    path: Path, *, forced: bool = False, strangers: Strangers | None = None, board: Path | None = None
) -> Generator[Path]:
    """A name beside `path` for a new file or folder, which gets its real name at the end of the block.

    By then it is on disk, so that after a power cut there is all of it or nothing. After an exception there is
    nothing new.

    Args:
        path: the real name.
        forced: replace a file by a file, or a folder in which nothing is strange by a folder.
        strangers: what tells the strange things in a folder that is there; None if it will be a file.
        board: the file of the board that is open, which stays whatever it looks like.

    """
    if not path.name or path.name == "..":
        raise Invalid("That is no name for a file or folder; name one that shall be made.")
    partial = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.partial")
    try:
        _check_free(path, strangers, board, forced=forced)
        yield partial
        _sync_all(partial)
        _check_free(path, strangers, board, forced=forced)
        _put(partial, path)
        sync(path.parent)
    except OSError as error:
        raise Unavailable(f"`{path.name}` cannot be written: {error.strerror or 'the system refused'}.") from error
    finally:
        _remove(partial)


def _check_free(path: Path, strangers: Strangers | None, board: Path | None, *, forced: bool) -> None:
    if not path.parent.is_dir():
        raise NotFound(f"There is no folder to write `{path.name}` into.")
    _check_no_companion(path)  # even where nothing is yet: SQLite would take it for its own
    if not os.path.lexists(path):
        return
    if not forced:
        raise Conflict(f"There is a `{path.name}` already. Name another place, or replace it with --force.")
    if path.is_symlink():  # /dev/stdout is one
        raise Conflict(f"`{path.name}` is a link, which is not replaced. Name what it leads to.")
    if path.is_dir():
        _check_ours(path, strangers)
        if board is not None and board.resolve().is_relative_to(path.resolve()):
            raise Conflict(f"`{path.name}` has the open board in it, and is not replaced. Name another place.")
    elif not path.is_file():
        raise Conflict(f"`{path.name}` is a device or a pipe, which is not replaced; - is standard output.")
    elif is_database(path) or _is_of(board, path):
        raise Conflict(f"`{path.name}` is a database, which no export replaces. Name another place.")
    elif strangers is not None:
        raise Conflict(f"`{path.name}` is a file, and a folder is to be written. Name another place.")


def is_database(path: Path) -> bool:
    """Whether a file is one of SQLite's; anybody may keep a board, or a browser its history, under any name."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(HEADER)) == HEADER


def _check_no_companion(path: Path) -> None:
    """Leave alone what is beside a database: with another log or lock, it would lose what was committed last."""
    for ending in COMPANIONS:
        name = path.name.removesuffix(ending)
        if name and name != path.name and is_database(path.with_name(name)):
            raise Conflict(f"`{path.name}` belongs to the database `{name}`, which needs it. Name another place.")


def _is_of(board: Path | None, path: Path) -> bool:
    """Whether a file is the open board's, or one beside it, by whatever name."""
    if board is None:
        return False
    files = [board, *(board.with_name(f"{board.name}{ending}") for ending in COMPANIONS)]
    return any(each.exists() and each.samefile(path) for each in files)


def _check_ours(folder: Path, strangers: Strangers | None) -> None:
    """Leave alone whatever else people keep in a folder: a slip of the hand must not cost them a home."""
    if strangers is None:
        raise Conflict(f"`{folder.name}` is a folder, and a file is to be written. Name a file in it.")
    other = strangers(folder)
    if other:
        names = f"`{other[0]}`" if len(other) == 1 else f"`{other[0]}` and {len(other) - 1} more"
        raise Conflict(f"`{folder.name}` has other things in it ({names}), and is not replaced. Name another place.")


def _put(partial: Path, path: Path) -> None:
    """Give it its name. A folder cannot be replaced in one step: what was there steps aside first."""
    if not path.is_dir() and not partial.is_dir():
        partial.replace(path)
        return
    aside = path.with_name(f"{partial.name}.before")
    with suppress(FileNotFoundError):
        path.rename(aside)
    try:
        partial.rename(path)
    except OSError:
        with suppress(FileNotFoundError):
            aside.rename(path)
        raise
    _remove(aside)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _sync_all(path: Path) -> None:
    """Wait until a file, or everything in a folder, is on disk."""
    if not path.is_dir():
        sync(path)
    for folder, _, names in os.walk(path):
        for name in names:
            sync(Path(folder, name))
        sync(Path(folder))
