"""Everything that belongs to a project, or to some of its tasks, kind by kind and row by row."""

# ruff: noqa: S608 - the statements are made of names of ours, and of places for values
from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from swarm_mcp.repository import tables
from swarm_mcp.repository.kinds import KINDS, NUMBERED, Kind, table_of
from swarm_mcp.repository.sqlite import driver
from swarm_mcp.repository.types import UtcTime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction

BATCH = 1000
OF_HERE = "event.kind <> 'project_created'"
"""That a project was created is told of this database: in another one it was created there, or before."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which tasks are meant, and with them whatever belongs to a task."""

    root: str = ""
    """A task and everything below it; empty is all."""
    since: datetime | None = None
    """Only those to which something has happened since."""
    taskless: bool = False
    """Only what belongs to no task."""

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the project."""
        return not self.root and self.since is None


class Query:
    """A statement for the driver, made of words and values."""

    def __init__(self, db: Transaction) -> None:
        self.db = db
        self.values: list[Any] = []

    def bind(self, value: Any) -> str:
        """A value's place in the statement; places come in the order in which they are asked for."""
        self.values.append(self._plain(value))
        return f"${len(self.values)}" if self.db.is_postgres else "?"

    def _plain(self, value: Any) -> Any:
        process = UtcTime().bind_processor(self.db.dialect) if hasattr(value, "isoformat") else None
        return process(value) if process is not None else value

    def tasks(self, scope: Scope, alias: str = "task") -> str:
        """The condition that a task is meant."""
        found = [f"{alias}.project = {self.bind(self.db.project.slug)}"]
        if scope.root:
            found.append(
                f"{alias}.id IN (WITH RECURSIVE below (id) AS (SELECT id FROM task WHERE id = {self.bind(scope.root)} "
                "UNION ALL SELECT task.id FROM task JOIN below ON task.parent_id = below.id) SELECT id FROM below)"
            )
        if scope.since is not None:
            happened = [f"{alias}.updated_at >= {self.bind(scope.since)}"]
            happened += [
                f"EXISTS (SELECT 1 FROM {name} WHERE {name}.task_id = {alias}.id "
                f"AND {name}.at >= {self.bind(scope.since)})"
                for name in ("event", "progress", "context", "note", "feedback", "message")
            ]
            found.append(f"({' OR '.join(happened)})")
        return " AND ".join(found)

    def rows(self, kind: Kind, scope: Scope) -> str:
        """The condition that a row of a kind belongs to what is meant."""
        found = self._rows(kind, scope)
        return f"{found} AND {OF_HERE}" if kind.name == "event" else found

    def _rows(self, kind: Kind, scope: Scope) -> str:
        table = table_of(kind.name)
        if kind.name == "task":
            return self.tasks(scope)
        if scope.taskless:
            return f"task_id IS NULL AND project = {self.bind(self.db.project.slug)}"
        if kind.own == "team":
            return f"team_id IN (SELECT id FROM team WHERE project = {self.bind(self.db.project.slug)})"
        if "task_id" not in table.c or (scope.is_whole and kind.has_project):
            return f"project = {self.bind(self.db.project.slug)}"
        of_task = f"EXISTS (SELECT 1 FROM task WHERE task.id = {kind.name}.task_id AND {self.tasks(scope)})"
        if scope.since is None or scope.root or not table.c.task_id.nullable:
            return of_task
        moment = "created_at" if "created_at" in table.c else "at"
        return (
            f"({of_task} OR (task_id IS NULL AND project = {self.bind(self.db.project.slug)} "
            f"AND {moment} >= {self.bind(scope.since)}))"
        )


def count(db: Transaction, kind: Kind, scope: Scope) -> int:
    """How many rows there are of a kind."""
    query = Query(db)
    words = f"SELECT count(*) FROM {kind.name} WHERE {query.rows(kind, scope)}"
    return db.driver.execute(words, query.values).fetchone()[0]


def before_first(db: Transaction, kind: Kind, scope: Scope) -> int:
    """The number before the first one of a kind; 0 if there is none."""
    query = Query(db)
    column = NUMBERED[kind.name]
    words = f"SELECT min({column}) - 1 FROM {kind.name} WHERE {query.rows(kind, scope)}"
    return db.driver.execute(words, query.values).fetchone()[0] or 0


def stream(db: Transaction, kind: Kind, scope: Scope) -> Iterator[Sequence[Any]]:
    """The rows of a kind in their order, as the driver delivers them; never more than a few in memory."""
    query = Query(db)
    where, order = query.rows(kind, scope), ", ".join(f"{kind.name}.{name}" for name in kind.order)
    words = f"SELECT {_columns(kind)} FROM {kind.name} WHERE {where}"
    if not db.is_postgres:
        if "rank" in kind.order:
            yield from _by_rank(db, kind, where, query.values)
        else:  # by a key, whose index has the order
            yield from db.driver.execute(f"{words} ORDER BY {order}", query.values)
        return
    from psycopg import RawServerCursor  # noqa: PLC0415 - boards in files do without

    with RawServerCursor(db.driver.connection, "whole") as cursor:
        cursor.itersize = BATCH
        cursor.execute(f"{words} ORDER BY {order}".encode(), query.values)
        yield from cursor


def _columns(kind: Kind) -> str:
    return ", ".join(f'{kind.name}."{field.name}"' for field in kind.fields)


def _by_rank(db: Transaction, kind: Kind, where: str, values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Tasks in the order of their ranks, which no index has, and in which SQLite would sort them all in memory.

    (The library that wheels bring sorts nowhere else.) So their places are put in order in a file of their own.
    """
    own = next(n for n, field in enumerate(kind.fields) if field.name == "id")
    with TemporaryDirectory(prefix="swarm-order-") as folder:
        places = driver().connect(Path(folder) / "places.db", isolation_level=None)
        with closing(places):
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-2048"):
                places.execute(f"PRAGMA {pragma}")
            places.execute("CREATE TABLE place (rank INTEGER, id TEXT, PRIMARY KEY (rank, id)) WITHOUT ROWID")
            places.execute("BEGIN")
            found = db.driver.execute(f"SELECT task.rank, task.id FROM task WHERE {where}", values)
            places.executemany("INSERT INTO place (rank, id) VALUES (?, ?)", found)
            places.execute("COMMIT")
            ordered = places.execute("SELECT id FROM place ORDER BY rank, id")
            while batch := [row[0] for row in ordered.fetchmany(BATCH)]:
                wanted = ", ".join("?" * len(batch))
                rows = db.driver.execute(f"SELECT {_columns(kind)} FROM task WHERE id IN ({wanted})", batch)
                by_id = {row[own]: row for row in rows}
                yield from (by_id[each] for each in batch)


def people(db: Transaction, name: str) -> list[Sequence[Any]]:
    """The agents or teams of the project as rows, whoever is above others before them."""
    kind = KINDS[name]
    rows = list(stream(db, kind, Scope()))
    if name != "agent":
        return rows
    own, above = (next(n for n, each in enumerate(kind.fields) if each.name == name) for name in ("id", "superior_id"))
    superiors = {row[own]: row[above] for row in rows}

    def depth(row: Sequence[Any]) -> int:
        steps, each = 0, row[above]
        while each is not None and steps <= len(rows):
            steps, each = steps + 1, superiors.get(each)
        return steps

    return sorted(rows, key=depth)


def project(db: Transaction) -> dict[str, Any]:
    """The project with its policies, as JSON values."""
    row = db.execute(tables.project.select().where(tables.project.c.slug == db.project.slug)).one()
    return {**row._asdict(), "created_at": row.created_at.isoformat(timespec="microseconds")}
