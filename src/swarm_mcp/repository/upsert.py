"""Inserts that update the row which is there already, on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.dialects.sqlite.dml import OnConflictDoUpdate
from sqlalchemy.ext.compiler import compiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, Table, TextClause
    from sqlalchemy.dialects.sqlite import Insert
    from sqlalchemy.sql.compiler import SQLCompiler


def upsert(
    table: Table,
    values: dict[str, Any] | list[dict[str, Any]],
    key: Sequence[Column[Any]],
    *new: str,
    where: TextClause | None = None,
    **changed: Any,
) -> Insert:
    """An insert of these values that, where a row with this key is there, sets columns of it instead.

    The library has a construct for each database; the clause is the same, and PostgreSQL's compiler reads SQLite's. So
    a board in a file is spared the 2 MB of what the library knows of PostgreSQL.

    Args:
        table: into which.
        values: of the new row, or of each new row.
        key: the columns of the unique index that tells whether it is there.
        new: columns that get the new row's value.
        where: the condition of a partial index.
        changed: other columns that are set; a function is given the new row's columns.

    """
    statement = insert(table).values(values)
    said = statement.excluded
    settings = {name: said[name] for name in new}
    settings |= {name: value(said) if callable(value) else value for name, value in changed.items()}
    return statement.on_conflict_do_update(index_elements=list(key), index_where=where, set_=settings)


@compiles(OnConflictDoUpdate, "postgresql")
def _written_for_postgres(clause: Any, compiler: SQLCompiler, **said: Any) -> str:
    clause.constraint_target = None  # PostgreSQL's may name a constraint instead of its columns, and its compiler asks
    return compiler.visit_on_conflict_do_update(clause, **said)  # type: ignore[attr-defined]
