"""Inserts that update the row which is there already, on either database.

SQLite and PostgreSQL have the same clause; the library has a construct for each. PostgreSQL's compiler accepts SQLite's
but for one attribute, and to import PostgreSQL's own would cost every start on SQLite 35 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.dialects.sqlite.dml import OnConflictDoUpdate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, Table, TextClause
    from sqlalchemy.dialects.sqlite.dml import Insert


class _OnConflict(OnConflictDoUpdate):
    inherit_cache = False
    constraint_target = None
    """PostgreSQL can name a constraint here; we always name columns."""


def upsert(
    table: Table,
    values: dict[str, Any],
    key: Sequence[Column[Any]],
    *new: str,
    where: TextClause | None = None,
    **changed: Any,
) -> Insert:
    """An insert of these values that, where a row with this key is there, sets columns of it instead.

    Args:
        table: into which.
        values: of the new row.
        key: the columns of the unique index that tells whether it is there.
        new: columns that get the new row's value.
        where: the condition of a partial index.
        changed: other columns that are set; a function is given the new row's columns.

    """
    statement = insert(table).values(values)
    excluded = statement.excluded
    settings = {name: excluded[name] for name in new}
    settings |= {name: value(excluded) if callable(value) else value for name, value in changed.items()}
    return statement.ext(_OnConflict(list(key), where, settings, None))  # type: ignore[arg-type]
