"""Inserts that update the row which is there already, on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.postgresql import insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, Table, TextClause
    from sqlalchemy.dialects.postgresql import Insert


def upsert(
    table: Table,
    values: dict[str, Any],
    key: Sequence[Column[Any]],
    *new: str,
    where: TextClause | None = None,
    **changed: Any,
) -> Insert:
    """An insert of these values that, where a row with this key is there, sets columns of it instead.

    The library has a construct for each database; the clause is the same, and SQLite's compiler reads PostgreSQL's.

    Args:
        table: into which.
        values: of the new row.
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
