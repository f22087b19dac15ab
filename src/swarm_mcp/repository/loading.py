"""Rows from another database, taken in bulk: what is here already, and storing many at once.

The ids of the tasks that came are in `loaded` until the end of the transaction: a view of the project where that was
empty, so that a million of them take no memory, else a temporary table.
"""

# ruff: noqa: S608 - the statements are made of names of ours, and of places for values
from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from swarm_mcp.repository.indexing import add_tasks
from swarm_mcp.repository.kinds import KINDS, NUMBERED
from swarm_mcp.repository.sqlite import driver
from swarm_mcp.repository.types import write_document
from swarm_mcp.repository.whole import Query, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from swarm_mcp.repository.database import Transaction

    Rows = Sequence[Mapping[str, Any]]

END_OF_TIME = "9999-12-31T23:59:59.999999+00:00"
UNSAID: dict[str, dict[str, Any]] = {
    "task": {"connection_id": "", "waits": 0, "gates": 0, "subtasks": 0, "open_subtasks": 0}
}
"""Columns that no line says, and that are not null."""
MILLIONTHS = 1_000_000


class Misfit(Exception):
    """One of many rows cannot be stored: it breaks a rule of the schema."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place
        """Which of them, from 0."""


def begin(db: Transaction, *, fresh: bool) -> dict[str, int]:
    """Prepare to take rows; how far the numbers of messages and events have to be moved to come after those here.

    On PostgreSQL nobody else writes messages or events until the end, so that their numbers stay together.

    Args:
        db: the transaction.
        fresh: whether the project is empty, so that all of its tasks will be loaded ones.

    """
    if fresh:
        slug = db.project.slug.replace("'", "''")
        db.driver.execute(f"CREATE TEMP VIEW loaded AS SELECT id FROM task WHERE project = '{slug}'")
    if not db.is_postgres:
        if not fresh:
            db.driver.execute("CREATE TEMP TABLE loaded (id TEXT PRIMARY KEY) WITHOUT ROWID")
        found = {name: _highest(db, name) for name in NUMBERED}
        kept = db.driver.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
        return {**found, "event": max(found["event"], kept[0] if kept else 0)}
    db.driver.execute("LOCK TABLE event, message IN SHARE ROW EXCLUSIVE MODE")
    if not fresh:
        db.driver.execute('CREATE TEMP TABLE loaded (id varchar(8) COLLATE "C" PRIMARY KEY)')
    return {name: max(_highest(db, name), _drawn(db, name)) for name in NUMBERED}


def go_on_counting(db: Transaction) -> None:
    """Let the next messages and events come after those that were loaded."""
    for name, column in NUMBERED.items() if db.is_postgres else ():
        highest = _highest(db, name)
        if highest > _drawn(db, name):
            db.driver.execute(f"SELECT setval(pg_get_serial_sequence('{name}', '{column}'), $1)", (highest,))


def end(db: Transaction, *, fresh: bool) -> None:
    """Forget what was loaded."""
    db.driver.execute(f"DROP {'VIEW' if fresh else 'TABLE'} loaded")


def _highest(db: Transaction, name: str) -> int:
    return db.driver.execute(f"SELECT max({NUMBERED[name]}) FROM {name}").fetchone()[0] or 0


def _drawn(db: Transaction, name: str) -> int:
    """The last number that PostgreSQL has given out."""
    sequence = f"pg_get_serial_sequence('{name}', '{NUMBERED[name]}')"
    (place,) = db.driver.execute(f"SELECT {sequence}").fetchone()
    last, called = db.driver.execute(f"SELECT last_value, is_called FROM {place}").fetchone()
    return last if called else last - 1


def is_empty(db: Transaction) -> bool:
    """Whether nothing is in the project yet."""
    for name in ("agent", "team", "task", "context", "conversation", "message", "inbox", "event"):
        query = Query(db)
        words = f"SELECT 1 FROM {name} WHERE {query.rows(KINDS[name], Scope())} LIMIT 1"
        if db.driver.execute(words, query.values).fetchone():
            return False
    return True


def found(db: Transaction, name: str, ids: Iterable[Any], *columns: str) -> dict[Any, tuple[Any, ...]]:
    """Those of some ids that a table has, in whichever project, each with some of its columns.

    `loaded` is the table of the tasks that came.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    query = Query(db)
    column = NUMBERED.get(name, "id")
    places = ", ".join(query.bind(each) for each in wanted)
    words = f"SELECT {', '.join((column, *columns))} FROM {name} WHERE {column} IN ({places})"
    return {row[0]: tuple(row[1:]) for row in db.driver.execute(words, query.values).fetchall()}


def memberships(db: Transaction) -> set[tuple[str, str]]:
    """Who is or was in which team of the project: (team, agent)."""
    query = Query(db)
    own = f"SELECT id FROM team WHERE project = {query.bind(db.project.slug)}"
    words = f"SELECT DISTINCT team_id, agent_id FROM team_member WHERE team_id IN ({own})"
    return {(team, agent) for team, agent in db.driver.execute(words, query.values).fetchall()}


def insert_rows(db: Transaction, name: str, rows: Rows) -> None:
    """Store rows of a kind, as `LineReader` reads them; tasks become `loaded` ones by `note_loaded`.

    Raises:
        Misfit: one of them cannot be stored; none of them was.

    """
    if not rows:
        return
    columns, prepared = _prepared(db, name, rows)
    try:
        with _Savepoint(db):
            _store(db, name, columns, prepared)
    except _violations(db):
        for place, each in enumerate(prepared):  # one by one, to find out which
            try:
                with _Savepoint(db):
                    _store(db, name, columns, [each])
            except _violations(db) as error:
                raise Misfit(place) from error
        raise Misfit(0) from None
    if name == "task":
        add_tasks(db, rows)


def note_loaded(db: Transaction, rows: Rows) -> None:
    """Remember which tasks came, in a project that had some."""
    if rows:
        _store(db, "loaded", ("id",), [(row["id"],) for row in rows])


def _prepared(db: Transaction, name: str, rows: Rows) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """The columns and their values as the driver takes them."""
    kind = KINDS[name]
    fields = [field for field in kind.fields if field.name in rows[0]]
    more = dict(UNSAID.get(name, {}))
    if kind.has_project:
        more["project"] = db.project.slug
    columns = (*(field.name for field in fields), *more)
    documents = {field.name for field in fields if field.type == "json"}
    hours = {field.name for field in fields if field.type == "decimal"} if not db.is_postgres else set[str]()
    tail = tuple(more.values())
    plain = [(field.name, field.name in documents, field.name in hours) for field in fields]
    prepared = [
        (
            *(
                write_document(row[key]) if document else _millionths(row[key]) if hour else row[key]
                for key, document, hour in plain
            ),
            *tail,
        )
        for row in rows
    ]
    if name == "task":
        columns = (*columns, "due")
        prepared = [(*each, row["deadline"] or END_OF_TIME) for each, row in zip(prepared, rows, strict=True)]
    return columns, prepared


def _millionths(hours: str | None) -> int | None:
    return None if hours is None else int(Decimal(hours) * MILLIONTHS)


def _store(db: Transaction, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    listed = ", ".join(f'"{column}"' for column in columns)
    if db.is_postgres:
        with db.driver.copy(f"COPY {name} ({listed}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    places = ", ".join("?" * len(columns))
    db.driver.executemany(f"INSERT INTO {name} ({listed}) VALUES ({places})", rows)


class _Savepoint:
    """Undoes what a failed statement has done, and nothing before it."""

    def __init__(self, db: Transaction) -> None:
        self.db = db

    def __enter__(self) -> None:
        self.db.driver.execute("SAVEPOINT loading")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            if not issubclass(kind, _violations(self.db)):
                return  # the transaction is over
            self.db.driver.execute("ROLLBACK TO SAVEPOINT loading")
        self.db.driver.execute("RELEASE SAVEPOINT loading")


def _violations(db: Transaction) -> tuple[type[BaseException], ...]:
    """What the driver raises when a row breaks a rule of the schema."""
    if not db.is_postgres:
        return (driver().IntegrityError, OverflowError)
    from psycopg import DataError, IntegrityError  # noqa: PLC0415 - boards in files do without

    return (IntegrityError, DataError)
