"""The database file of this process: the gate in front of it, and the few connections to it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from swarm_mcp.model.errors import Conflict, Unavailable
from swarm_mcp.repository.disk import sync
from swarm_mcp.repository.failures import (
    GONE,
    NO_COPY,
    READONLY,
    is_disk_failure,
    primary_code,
    refusal_for,
    refusal_for_commit,
)
from swarm_mcp.repository.gate import Gate
from swarm_mcp.repository.link import Link
from swarm_mcp.repository.sqlite import (
    connect_to_migrate,
    connect_to_read,
    connect_to_write,
    driver,
    place_of,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from swarm_mcp.repository.sqlite import Place

    Connect = Callable[..., tuple[sqlite3.Connection, Place | None]]

_IDLE_LINKS: Final = 4
"""Connections of each kind that are kept for the next transaction."""


def path_of(target: str | os.PathLike[str]) -> Path:
    """The file that a database is named by: a path, or an address.

    Raises:
        Unavailable: it is the address of something else.

    """
    name = os.fspath(target)
    if "://" not in name:
        return Path(name).expanduser()
    try:
        url = make_url(name)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        sentence = "SWARM_DATABASE has to be a path, a sqlite:/// address of a file, or a postgresql:// address."
        raise Unavailable(sentence)
    return Path(url.database).expanduser()


class SqliteFile:
    """The database file.

    Transactions take their connections from plain lists, whose `pop` and `append` are atomic: there is no
    lock that a fork could copy in a held state.
    """

    def __init__(self, path: Path, *, patience: float) -> None:
        self.path = path
        self._gate = Gate.of(path)
        self._patience = patience
        self._writers: list[Link] = []
        self._readers: list[Link] = []
        self._opening = threading.local()
        self._known = False
        # One engine for all connections, because it keeps the compiled statements.
        self._engine = create_engine(
            "sqlite://",
            module=driver(),
            creator=lambda: self._opening.raw,
            poolclass=NullPool,
            hide_parameters=True,  # tasks and private notes do not belong in a log
            skip_autocommit_rollback=True,
        )

    @contextlib.contextmanager
    def reading(self) -> Generator[Link]:
        """Open a transaction that sees the board of one moment, and changes nothing."""
        if not self._known and place_of(self.path) is None:
            self._check(self._writers, connect_to_write)
        # What this process has just written is still in the memory of the connection that wrote it, and in no other's.
        link = self._idle(self._writers) or self._take(self._readers, connect_to_read)
        begun = False
        try:
            link.begin(time.monotonic() + self._patience)
            begun = True
            yield link
            link.check_unchanged()
        except BaseException as error:
            self._undo(link)
            refusal = refusal_for(error)
            if refusal is None or (begun and primary_code(error) == READONLY):  # to change something here is a bug
                raise
            raise refusal from error
        self._undo(link)

    def writing(self, deadline: float) -> AbstractContextManager[Link]:
        """Open the one transaction that may write; committed at the end of the block, undone by any exception."""
        return self._changing(deadline, self._writers, connect_to_write)

    @contextlib.contextmanager
    def migrating(self, deadline: float) -> Generator[Link]:
        """Open the same on a connection of its own, which does not enforce foreign keys.

        They are in the way of recreating a table, and the switch does nothing inside a transaction.
        """
        links: list[Link] = []
        try:
            with self._changing(deadline, links, connect_to_migrate) as link:
                link.joined()  # Alembic ends only transactions that it began itself
                yield link
        finally:
            for link in links:
                self._drop(link)

    @contextlib.contextmanager
    def tidying(self, deadline: float) -> Generator[Link]:
        """Be the one writer without a transaction, for what can be in none."""
        if not self._known:
            self._check(self._writers, connect_to_write)
        with self._gate.turn(deadline):
            link = self._take(self._writers, connect_to_write)
            try:
                yield link
            except BaseException as error:
                self._drop(link)
                refusal = refusal_for(error)
                if refusal is None:
                    raise
                raise refusal from error
            self._put_back(link)

    def backup(self, target: Path) -> None:
        """Copy the board of this moment to a new file, checked and safe on disk before it gets its name."""
        if target.exists():
            sentence = "There is a file of that name already. Choose another name for the backup."
            raise Conflict(sentence)
        partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
        try:
            with self.reading() as link:
                link.copy_to(partial)
            sync(partial)
            partial.rename(target)
            sync(target.parent)
        except OSError as error:
            raise Unavailable(NO_COPY) from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def close(self) -> None:
        """Close what is idle."""
        for links in (self._writers, self._readers):
            while links:
                self._drop(links.pop())

    @contextlib.contextmanager
    def _changing(self, deadline: float, links: list[Link], connect: Connect) -> Generator[Link]:
        if not self._known:  # before the gate, so that no lock files appear beside a file that is not ours
            self._check(links, connect)
        with self._gate.turn(deadline):
            link = self._take(links, connect)
            try:
                link.begin_immediate(deadline)
                yield link
            except BaseException as error:
                self._undo(link)
                refusal = refusal_for(error)
                if refusal is None:
                    raise
                raise refusal from error
            self._commit(link)

    def _commit(self, link: Link) -> None:
        try:
            link.commit()
        except BaseException as error:
            refusal = refusal_for_commit(error, void=is_disk_failure(error) and link.erase())
            self._undo(link)
            if refusal is None:
                raise
            raise refusal from error
        self._put_back(link)

    def _check(self, links: list[Link], connect: Connect) -> None:
        """Open the file, which tells whether it is ours."""
        self._put_back(self._take(links, connect))

    def _take(self, links: list[Link], connect: Connect) -> Link:
        return self._idle(links) or self._open(links, connect)

    def _idle(self, links: list[Link]) -> Link | None:
        """A connection that nobody uses, if there is one to the file that now stands at the path."""
        place = place_of(self.path)
        if place is None and self._known:
            raise Unavailable(GONE)
        while links:
            try:
                link = links.pop()
            except IndexError:  # another thread was faster
                break
            if link.place == place and link.pid == os.getpid():
                return link
            self._drop(link)
        return None

    def _open(self, links: list[Link], connect: Connect) -> Link:
        try:
            raw, place = connect(self.path, patience=self._patience)
            self._opening.raw = raw
            connection = self._engine.connect()
        except driver().Error as error:
            refusal = refusal_for(error)
            if refusal is None:
                raise
            raise refusal from error
        self._known = True
        return Link(connection, raw, place, home=links)

    def _undo(self, link: Link) -> None:
        try:
            link.rollback()
        except Exception:
            self._drop(link)
        else:
            self._put_back(link)

    def _put_back(self, link: Link) -> None:
        if len(link.home) < _IDLE_LINKS:
            link.home.append(link)
        else:
            self._drop(link)

    def _drop(self, link: Link) -> None:
        if link.pid != os.getpid():
            _of_parents.append(link)
            return
        with contextlib.suppress(Exception):
            link.close()


_of_parents: list[Link] = []
"""Connections that a forked child has inherited. Even to close them would be wrong."""
