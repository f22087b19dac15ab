"""A board copied row by row from one database into another, whatever kind each of them is.

A file is copied as a file (`SqliteFile.backup`). This is for boards on a server: their copy is a board in a file, which
every swarm-mcp can open, check, and bring back to either kind. The tables' own types say the same thing to both, so
nothing is lost on the way; what is derived for one kind alone (the indexes of words) is made anew for the other.
"""

from __future__ import annotations

import contextlib
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import column, func, insert, inspect, select, table, text

from swarm_mcp.model.errors import Conflict, Unavailable
from swarm_mcp.repository import migrate, tables
from swarm_mcp.repository.failures import NO_COPY
from swarm_mcp.repository.indexing import index_everything

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Table, TableClause

    from swarm_mcp.repository.database import Database, Transaction

BATCH: Final = 1000
"""Rows that are in memory at once."""
REMADE: Final = frozenset({"wording", "unindexed"})
"""What belongs to the index of words of one kind of database."""
OF_THE_SERVER: Final = frozenset({"xact"})
"""The number of a transaction means something on one server alone."""
INDEXED_SINCE: Final = "0002"


def copy_out(database: Database, target: Path) -> None:
    """Write a board of any kind to a new file, as it is at one moment, while others go on writing.

    The file is a board of the same revision; it is complete, checked and on disk before it gets its name.

    Raises:
        Conflict: there is a file of that name.
        Unavailable: it cannot be written there, or there is no board.

    """
    from swarm_mcp.repository.database import Database  # noqa: PLC0415 - it imports this

    if target.exists():
        raise Conflict("There is a file of that name already. Choose another name for the backup.")
    try:
        folder = TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise Unavailable(NO_COPY) from error
    with folder as made, database.reading() as source:
        revision = database.revision()
        if revision is None:
            raise Unavailable("There is no board in this database yet, and nothing to copy.")
        from pathlib import Path  # noqa: PLC0415

        with contextlib.closing(Database(Path(made) / "board.db")) as copy:
            migrate.upgrade(copy, revision)
            with copy.migrating() as link:
                copy_rows(source, into := _joined(link))
                if revision >= INDEXED_SINCE:
                    index_everything(into)
            copy.backup(target)


def copy_rows(source: Transaction, target: Transaction) -> None:
    """Replace every row of a board by those of another; what only one of them has a place for is left out.

    The caller sees to it that nobody else is at the target, and that foreign keys between the rows of one table are
    looked at when all of them are there.
    """
    here, there = _columns(source.connection), _columns(target.connection)
    _clear(target, there)
    for each in tables.metadata.sorted_tables:
        if each.name in REMADE or each.name not in here.keys() & there.keys():
            continue
        names = here[each.name] & there[each.name] - OF_THE_SERVER
        shared = [one for one in each.c if one.computed is None and one.name in names]
        plain = table(each.name, *(column(one.name, one.type) for one in shared))
        found = source.connection.execute(select(plain).execution_options(yield_per=BATCH))
        if target.is_postgres:
            _pour(target, plain, found)
            _go_on_counting(target.connection, each)
            continue
        for rows in found.mappings().partitions():
            target.connection.execute(insert(plain), [dict(row) for row in rows])


def _pour(target: Transaction, plain: TableClause, found: Iterable[Sequence[Any]]) -> None:
    """Store rows on a server by COPY, which takes a fraction of the time of inserts."""
    to_driver = [each.type.dialect_impl(target.dialect).bind_processor(target.dialect) for each in plain.c]
    names = ", ".join(each.name for each in plain.c)
    with target.driver.copy(f"COPY {plain.name} ({names}) FROM STDIN") as copy:
        for row in found:
            copy.write_row(
                [
                    value if process is None or value is None else process(value)
                    for process, value in zip(to_driver, row, strict=True)
                ]
            )


def empty(db: Transaction) -> None:
    """Take everything off a board but its tokens and their projects: a door that was locked once stays so."""
    _clear(db, _columns(db.connection), kept=("token", "project"))
    project, token = tables.project, tables.token
    db.execute(project.delete().where(project.c.slug.not_in(select(token.c.project))))


def _clear(db: Transaction, present: dict[str, set[str]], kept: tuple[str, ...] = ()) -> None:
    """Take every row away, and what the indexes of words have; the numbers of the ledger go on."""
    going = [each.name for each in tables.metadata.sorted_tables if each.name in present and each.name not in kept]
    if db.is_postgres:  # row by row, every reference to each of them would be looked for
        words = tables.WORD_TABLES.keys() & present.keys()
        db.driver.execute(f"TRUNCATE {', '.join([*going, *sorted(words)])}")
        return
    for name in tables.WORD_INDEXES.keys() & present.keys():
        db.driver.execute(f"INSERT INTO {name} ({name}) VALUES ('delete-all')")  # noqa: S608 - names of ours
    db.driver.execute("UPDATE message SET reply_to_id = NULL WHERE reply_to_id IS NOT NULL")  # likewise
    for name in reversed(going):
        db.driver.execute(f"DELETE FROM {name}")  # noqa: S608 - names of ours


def counts(db: Transaction) -> dict[str, int]:
    """How many rows each table has."""
    present = _columns(db.connection)
    return {
        each.name: db.connection.execute(select(func.count()).select_from(each)).scalar_one()
        for each in tables.metadata.sorted_tables
        if each.name in present
    }


def _columns(connection: Connection) -> dict[str, set[str]]:
    """The tables that a database has, of whatever revision, with the names of their columns."""
    looked = inspect(connection)
    every: dict[Any, Any] = looked.get_multi_columns()
    return {name: {each["name"] for each in columns} for (_, name), columns in every.items()}


def _go_on_counting(connection: Connection, filled: Table) -> None:
    """Let PostgreSQL number new rows after those that were put in with their numbers."""
    key = filled.autoincrement_column
    if key is None:
        return
    connection.execute(
        text(
            f"SELECT setval(sequence, greatest((SELECT coalesce(max({key.name}), 0) FROM {filled.name}), "  # noqa: S608 - names of ours
            "nextval(sequence))) FROM (SELECT pg_get_serial_sequence(:name, :key)::regclass AS sequence) AS found "
            "WHERE sequence IS NOT NULL"
        ),
        {"name": filled.name, "key": key.name},
    )


def _joined(link: Any) -> Transaction:
    from swarm_mcp.repository.database import Transaction  # noqa: PLC0415 - it imports this

    return Transaction(link, now=link.now, writable=True)
