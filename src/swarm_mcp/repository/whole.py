"""Everything that belongs to a project, kind by kind, as rows that another database can take.

What follows from the rest is left out and made anew: counters, the places in queues, indexes of words, the tally. The
order of the graph (`rank`, `end_rank`) is kept, because it is cheaper to check than to make. So is left out what is
this database's alone: connections and who claimed through which, tokens (with the digests of their secrets), and the
answers that are kept for repeated calls.

Only messages and events have numbers that something refers to. They are told from the first one on, gaps included, so
that all of them can be moved by one distance; the other numbers are told by the order of the rows.
"""

# ruff: noqa: S608 - the statements are made of names of ours, and of places for values
from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Float, Integer, SmallInteger, String

from swarm_mcp.repository import tables
from swarm_mcp.repository.sqlite import driver
from swarm_mcp.repository.types import ExactDecimal, Json, UtcTime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Column, Table

    from swarm_mcp.repository.database import Transaction

NUMBERED = {"message": "id", "event": "seq"}
"""Kinds whose rows are referred to by their number, and its column."""
LEFT_OUT = {
    "task": {"connection_id", "waits", "gates", "subtasks", "open_subtasks", "lane", "urgency", "finished", "due"},
    "event": {"xact"},
} | {name: {"id"} for name in ("progress", "context", "note", "feedback", "inbox")}
UNBOUNDED = 2**63 - 1
SPANS = {SmallInteger: 15, Integer: 31, BigInteger: 63}
"""Bits of the numbers that a column can hold."""
BATCH = 1000
OF_HERE = "event.kind <> 'project_created'"
"""That a project was created is told of this database: in another one it was created there, or before."""


class Field(NamedTuple):
    """One value of a row."""

    name: str
    """As the column is called."""
    type: str
    """text, integer, float, boolean, time, decimal or json."""
    nullable: bool
    empty: Any
    """What it is when nothing is said; for a column that has to be said, `...`."""
    choices: tuple[str, ...]
    """The words that it may be; none: any."""
    most: int
    """Characters of a text (0: as many as there are), or the largest number."""
    refers: str
    """The kind of row that it names, if it names one."""
    says: str
    """What the table says of it."""


class Kind(NamedTuple):
    """A kind of rows: a table, as it leaves one database and enters another."""

    name: str
    fields: tuple[Field, ...]
    order: tuple[str, ...]
    """The columns by which its rows are ordered: everything comes after what it refers to."""
    own: str
    """How it belongs to a project: by its `project`, or by its task or team."""

    @property
    def has_project(self) -> bool:
        """Whether its rows name their project."""
        return "project" in table_of(self.name).c


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


def table_of(name: str) -> Table:
    """The table of a kind."""
    return tables.metadata.tables[name]


ORDERS = {
    "agent": ("id",),
    "team": ("id",),
    "team_member": ("id",),
    "task": ("rank", "id"),
    "external_ref": ("id",),
    "dependency": ("task_id", "depends_on_id", "type"),
    "criterion": ("task_id", "position"),
    "delegation": ("id",),
    "execution": ("id",),
    "progress": ("id",),
    "context": ("id",),
    "note": ("id",),
    "feedback": ("id",),
    "participant": ("task_id", "agent_id"),
    "conversation": ("id",),
    "message": ("id",),
    "inbox": ("id",),
    "event": ("seq",),
}


@cache
def kinds() -> dict[str, Kind]:
    """Every kind of rows that belongs to a project, in the order in which they refer to each other."""
    return {name: _kind(name, order) for name, order in ORDERS.items()}


def _kind(name: str, order: tuple[str, ...]) -> Kind:
    table = table_of(name)
    out = LEFT_OUT.get(name, set()) | {"project"}
    own = "task" if "task_id" in table.c else "team" if "team_id" in table.c else "project"
    return Kind(name, tuple(_field(table, each) for each in table.c if each.name not in out), order, own)


def _field(table: Table, column: Column[Any]) -> Field:
    choices = next(
        (tuple(each.info["words"]) for each in table.constraints if _is_choice_of(each, column.name)),
        (),
    )
    refers = next((key.column.table.name for key in column.foreign_keys), "")
    most, says = _most(column), column.doc or ""
    return Field(column.name, _type_name(column), bool(column.nullable), _empty(column), choices, most, refers, says)


def _is_choice_of(constraint: object, column: str) -> bool:
    return isinstance(constraint, CheckConstraint) and constraint.info.get("column") == column


def _type_name(column: Column[Any]) -> str:
    if column.foreign_keys and NUMBERED.get(next(iter(column.foreign_keys)).column.table.name):
        return "integer"
    found = {UtcTime: "time", Json: "json", ExactDecimal: "decimal", Boolean: "boolean", Float: "float"}
    for type_, name in found.items():
        if isinstance(column.type, type_):
            return name
    return "text" if isinstance(column.type, String) or column.foreign_keys else "integer"


def _empty(column: Column[Any]) -> Any:
    """What need not be said, because nothing is there: a default that is empty, or no value."""
    if column.nullable:
        return None
    default = column.default.arg if column.default is not None else ...  # type: ignore[attr-defined]
    made = default(None) if callable(default) else default
    return made if made in ("", [], {}, 0, False) and made is not ... else ...


def _most(column: Column[Any]) -> int:
    length = getattr(column.type, "length", None)
    if length:
        return int(length)
    return next((2**bits - 1 for type_, bits in SPANS.items() if type(column.type) is type_), UNBOUNDED)


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
    kind = kinds()[name]
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


@cache
def project_kind() -> Kind:
    """The project itself, as the header tells it."""
    fields = tuple(_field(tables.project, each) for each in tables.project.c)
    return Kind("project", fields, ("slug",), "project")


def project(db: Transaction) -> dict[str, Any]:
    """The project with its policies, as JSON values."""
    row = db.execute(tables.project.select().where(tables.project.c.slug == db.project.slug)).one()
    return {**row._asdict(), "created_at": row.created_at.isoformat(timespec="microseconds")}
