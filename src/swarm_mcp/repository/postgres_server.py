"""The database server of this process: the few connections to it, and what their failures mean."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, NoReturn

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from swarm_mcp.model.errors import Busy
from swarm_mcp.repository.postgres import CONNECTIONS, connect, driver
from swarm_mcp.repository.postgres_failures import refusal_for, refusal_for_commit, refusal_for_connecting
from swarm_mcp.repository.postgres_link import READ, WRITE, PostgresLink

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager


class PostgresServer:
    """The database on its server. Transactions take a connection that is idle, or open another one."""

    def __init__(self, address: str, *, patience: float) -> None:
        self._address = address
        self._patience = patience
        self._idle: list[PostgresLink] = []
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        self._opening = threading.local()
        driver()
        # One engine for all connections, because it keeps the compiled statements.
        self._engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: self._opening.raw,
            poolclass=NullPool,
            paramstyle="numeric_dollar",
            use_native_hstore=False,
            hide_parameters=True,  # tasks and private notes do not belong in a log
            skip_autocommit_rollback=True,
        )

    @contextlib.contextmanager
    def reading(self) -> Generator[PostgresLink]:
        """Open a transaction that sees the board of one moment, and can change nothing."""
        with self._place(time.monotonic() + self._patience):
            link = self._begin(READ)
            try:
                yield link
            except BaseException as error:
                self._fail(link, error)
            self._undo(link)

    def writing(self, deadline: float) -> AbstractContextManager[PostgresLink]:
        """Open a transaction that may write; committed at the end of the block, undone by any exception."""
        return self._changing(deadline)

    @contextlib.contextmanager
    def migrating(self, deadline: float) -> Generator[PostgresLink]:
        """Open the same on a connection of its own, alone among those that migrate."""
        link = self._open(patience=deadline - time.monotonic())
        try:
            self._begun(link, WRITE)
            try:
                link.lock_migrations()
                yield link
                link.commit()
            except BaseException as error:
                refusal = refusal_for(error, closed=link.is_closed)
                with contextlib.suppress(Exception):
                    link.rollback()
                if refusal is None:
                    raise
                raise refusal from error
        finally:
            self._drop(link)

    @contextlib.contextmanager
    def tidying(self, deadline: float) -> Generator[PostgresLink]:
        """Open a connection without a transaction, for what can be in none."""
        link = self._open(patience=deadline - time.monotonic())
        try:
            yield link
        except driver().Error as error:
            refusal = refusal_for(error, closed=link.is_closed)
            if refusal is None:
                raise
            raise refusal from error
        finally:
            self._drop(link)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._drop(self._idle.pop())

    @contextlib.contextmanager
    def _changing(self, deadline: float) -> Generator[PostgresLink]:
        with self._place(deadline):
            link = self._begin(WRITE)
            try:
                yield link
            except BaseException as error:
                self._fail(link, error)
            try:
                link.commit()
            except BaseException as error:
                refusal = refusal_for_commit(error, closed=link.is_closed)
                self._undo(link)
                if refusal is None:
                    raise
                raise refusal from error
            self._put_back(link)

    @contextlib.contextmanager
    def _place(self, deadline: float) -> Generator[None]:
        """Wait for one of this process's connections to be free."""
        if not self._places.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise Busy
        try:
            yield
        finally:
            self._places.release()

    def _begin(self, how: str) -> PostgresLink:
        """Begin on an idle connection; one that has died meanwhile is let go, and its neighbours are tried."""
        while True:
            try:
                link = self._idle.pop()
            except IndexError:
                link = self._open(patience=self._patience)
                self._begun(link, how)
                return link
            if link.pid != os.getpid():
                self._drop(link)
                continue
            try:
                link.begin(how)
            except driver().Error as error:
                if not link.is_closed:
                    self._fail(link, error)
                self._drop(link)
            except BaseException:
                self._undo(link)
                raise
            else:
                return link

    def _begun(self, link: PostgresLink, how: str) -> None:
        try:
            link.begin(how)
        except BaseException as error:
            self._fail(link, error)

    def _open(self, *, patience: float) -> PostgresLink:
        try:
            raw = connect(self._address, patience=patience)
        except driver().Error as error:
            raise refusal_for_connecting(error) from error
        self._opening.raw = raw
        return PostgresLink(self._engine.connect(), raw)

    def _fail(self, link: PostgresLink, error: BaseException) -> NoReturn:
        """Undo the transaction and raise what the caller should hear."""
        refusal = refusal_for(error, closed=link.is_closed)
        self._undo(link)
        if refusal is None:
            raise error
        raise refusal from error

    def _undo(self, link: PostgresLink) -> None:
        try:
            link.rollback()
        except Exception:
            self._drop(link)
        else:
            self._put_back(link)

    def _put_back(self, link: PostgresLink) -> None:
        if link.is_closed:
            self._drop(link)
        else:
            self._idle.append(link)

    def _drop(self, link: PostgresLink) -> None:
        if link.pid != os.getpid():
            _of_parents.append(link)
            return
        with contextlib.suppress(Exception):
            link.close()


_of_parents: list[PostgresLink] = []
"""Connections that a forked child has inherited. To close them would end the parent's."""
