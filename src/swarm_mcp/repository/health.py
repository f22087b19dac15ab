"""Whether a database is sound, as far as it knows itself: its pages, its indexes, its references, its schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, text

from swarm_mcp.repository import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from swarm_mcp.repository.database import Transaction

INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
LOOKS_AT_PAGES = "SELECT 1 FROM pg_extension WHERE extname = 'amcheck'"
HEAPS = (
    "SELECT found.oid::regclass::text || ': ' || msg FROM (SELECT pg_class.oid FROM pg_class "
    "JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind = 'r' AND nspname = current_schema()) "
    "AS found, verify_heapam(found.oid)"
)
TREES = (
    "SELECT pg_class.oid::regclass::text FROM pg_class JOIN pg_am ON pg_am.oid = relam "
    "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE relkind = 'i' AND amname = 'btree' AND nspname = current_schema() ORDER BY 1"
)
WITHOUT_PAGES = (
    "PostgreSQL's pages: the extension amcheck is not installed here (CREATE EXTENSION amcheck, as a superuser)."
)


def damages(db: Transaction, *, limit: int = 5) -> list[str]:
    """What SQLite finds wrong with its file, a phrase each; reads all of it, and changes nothing.

    PostgreSQL looks after its own files; there it is an index that could not be made.
    """
    if db.is_postgres:
        return [f"the index {name} is not valid" for (name,) in db.driver.execute(INVALID).fetchmany(limit)]
    checked = [row[0] for row in db.driver.execute(f"PRAGMA quick_check({limit})")]
    orphans = db.driver.execute("PRAGMA foreign_key_check").fetchmany(limit)
    return [
        *(each for each in checked if each != "ok"),
        *(f"a row of {table} refers to nothing in {other}" for table, _, other, _ in orphans),
    ]


def damaged_pages(db: Transaction, *, limit: int = 100) -> list[str]:
    """Look at every page and every entry of every index, which takes its time; a phrase for each damage."""
    if not db.is_postgres:
        return [row[0] for row in db.driver.execute(f"PRAGMA integrity_check({limit})") if row[0] != "ok"]
    found = damages(db, limit=limit)
    if not looks_at_pages(db):
        return found
    found += [words for (words,) in db.driver.execute(HEAPS).fetchmany(limit)]
    for (name,) in db.driver.execute(TREES).fetchall():
        savepoint = db.connection.begin_nested()
        try:
            db.driver.execute("SELECT bt_index_check($1::regclass, true)", (name,))
        except Exception as error:
            savepoint.rollback()
            found.append(f"{name}: {str(error).splitlines()[0]}")
        else:
            savepoint.commit()
    return found


def looks_at_pages(db: Transaction) -> bool:
    """Whether the database can look at its own pages: SQLite always, PostgreSQL with an extension."""
    return not db.is_postgres or db.driver.execute(LOOKS_AT_PAGES).fetchone() is not None


def orphans(db: Transaction) -> Iterator[tuple[str, str]]:
    """The rows that refer to what is missing: the table, and which row, as a phrase."""
    for table in tables.metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        for foreign in sorted(table.foreign_keys, key=lambda each: each.parent.name):
            here, there = foreign.parent, foreign.column
            shown = ", ".join(f"{table.name}.{key.name}" for key in keys)
            question = (
                f"SELECT {shown}, {table.name}.{here.name} FROM {table.name} LEFT JOIN {there.table.name} AS other "  # noqa: S608 - names of ours
                f"ON other.{there.name} = {table.name}.{here.name} "
                f"WHERE {table.name}.{here.name} IS NOT NULL AND other.{there.name} IS NULL ORDER BY 1"
            )
            for *key, value in db.execute(text(question)):
                yield table.name, f"row {', '.join(map(str, key))} has {here.name} {value}, which is nowhere"


def drift(db: Transaction) -> Iterator[tuple[str, str]]:
    """Where the database differs from the schema of this program: the table, and how, as a phrase."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - 0.15 s that nobody else needs
    from alembic.migration import MigrationContext  # noqa: PLC0415

    connection: Connection = db.connection
    names = set(inspect(connection).get_table_names())
    words = tables.WORD_TABLES if db.is_postgres else tables.WORD_INDEXES
    for name in sorted(words.keys() - names):
        yield name, "the index of words is missing"
    options = {"compare_type": True, "compare_server_default": not db.is_postgres, "include_name": _is_ours}
    context = MigrationContext.configure(connection, opts=options)
    for difference in compare_metadata(context, tables.metadata):
        yield from _told(difference)


def _is_ours(name: str | None, kind: str, _: object) -> bool:
    """Not an index of words, which is no table to SQLAlchemy, nor one of the tables in which SQLite keeps it."""
    return not (kind == "table" and str(name).startswith(tuple(tables.WORD_INDEXES)))


def _told(difference: Any) -> Iterator[tuple[str, str]]:
    """A difference as Alembic tells it: what would have to be done to get from the database to the tables."""
    if isinstance(difference, list):  # several of one column
        for each in difference:
            yield from _told(each)
        return
    what, *about = difference
    said = {"add": "is missing", "remove": "should not be there", "modify": "is another one than it should be"}
    how = said.get(what.partition("_")[0], "differs")
    last = about[-1] if what.startswith(("add", "remove")) else about[2]
    table = getattr(getattr(last, "table", None), "name", None) or next(
        (each for each in about if isinstance(each, str)), ""
    )
    kind = what.partition("_")[2].replace("_", " ")
    name = getattr(last, "name", last)
    yield str(table or name), f"the {kind} {name} {how}"
