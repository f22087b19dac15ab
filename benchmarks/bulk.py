"""Rows in bulk: the statements that the repository itself would insert them by, many at once; COPY on PostgreSQL."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Table, bindparam, insert, text

from swarm_mcp.repository import indexing, postgres_words, tables
from swarm_mcp.repository.statement import Statement, _bound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.repository.database import Transaction

Rows: TypeAlias = dict[Table, list[dict[str, Any]]]
"""By table, those first that others refer to. A column that a row leaves out gets its default."""

WORDS = ("title", "description", "completion_summary")


@cache
def _inserting(table: Table, numbered: bool) -> Statement:  # noqa: FBT001 - a part of the key
    """The insert of whole rows; of `numbered` ones together with the number that the database would give them."""
    values = {name: bindparam(name, type_=table.c[name].type) for name in table.c.keys()}  # noqa: SIM118 - no dict
    return Statement(insert(table).values(values) if numbered else insert(table))


def store(db: Transaction, rows: Rows) -> None:
    """Store rows, and index the words of the tasks and messages among them; messages come with their numbers."""
    for table, values in rows.items():
        if not values:
            continue
        numbered = table is tables.message
        if db.is_postgres:
            _copy(db, table, values, numbered=numbered)
        else:
            _inserting(table, numbered).run_many(db, values)
    _index_tasks(db, rows.get(tables.task, []))
    for row in rows.get(tables.message, []):
        indexing.index_message(db, row["id"], row["text"])


def _index_tasks(db: Transaction, tasks: Iterable[dict[str, Any]]) -> None:
    if db.is_postgres:
        with db.driver.copy("COPY task_words (task_id, words) FROM STDIN") as copy:
            for task in tasks:
                copy.write_row((task["id"], postgres_words.vector(*(task[name] for name in WORDS))))
        return
    for task in tasks:
        number = indexing.NUMBER.scalar(db, {"task_id": task["id"]})
        title, description, summary = (task[name] for name in WORDS)
        indexing.ADD_TASK.run(db, {"number": number, "title": title, "description": description, "summary": summary})


def _copy(db: Transaction, table: Table, rows: list[dict[str, Any]], *, numbered: bool) -> None:
    inserting = _inserting(table, numbered)
    plan = inserting._plans[True] or inserting._compile(db)  # noqa: SLF001 - its columns, defaults and conversions
    columns = ", ".join(table.c[name].name for name, _ in plan.parameters)
    with db.driver.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(_bound(plan, row))
    if numbered:
        number = text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}")  # noqa: S608 - a name of ours
        db.execute(number)
