"""The schema as SQL that people read: every table and column with what it is for, in the words of `tables`."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from swarm_mcp.repository import tables
from swarm_mcp.repository.migrate import HEAD
from swarm_mcp.repository.sqlite import APPLICATION_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Dialect, Table

DIALECTS: Final[dict[str, Dialect]] = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}
WIDTH: Final = 116
COLUMN: Final = re.compile(r'\s*"?(\w+)"? ')
WORDS_OF: Final = {
    "task_words": "Derived: the words of each task.",
    "context_words": "Derived: the words of what is shared about tasks, the latest of each key.",
    "message_words": "Derived: the words of the messages about tasks.",
}


def schema(dialect: str) -> str:
    """Everything that a board of the newest revision consists of; executed on an empty database it is one.

    Args:
        dialect: `sqlite` or `postgresql`.

    """
    spoken = DIALECTS[dialect]
    return (
        "\n\n".join([_comment(f"The schema of a board of swarm-mcp, revision {HEAD}, for {dialect}."), *_parts(spoken)])
        + "\n"
    )


def _parts(dialect: Dialect) -> Iterator[str]:
    is_postgres = dialect.name == "postgresql"
    if not is_postgres:
        yield f"PRAGMA application_id={APPLICATION_ID};"
    told = _told()
    for table in tables.metadata.sorted_tables:
        columns = _with_comments(table, str(CreateTable(table).compile(dialect=dialect)))
        made = f"{_comment(told.get(table.name, ''))}\n{columns};"
        indexes = sorted(table.indexes, key=lambda each: str(each.name))
        yield "\n".join([made, *(f"{CreateIndex(each).compile(dialect=dialect)};" for each in indexes)])
    if is_postgres:
        yield f"{_comment('Which transaction wrote an event, noted by the database itself.')}\n{tables.XACT_DEFAULT};"
    for name in tables.WORD_INDEXES:
        statements = tables.table_of_words(name) if is_postgres else [tables.index_of_words(name)]
        yield "\n".join([_comment(WORDS_OF[name]), *(f"{each};" for each in statements)])
    yield (
        f"{_comment('Which revision this is, for those that come.')}\n"
        "CREATE TABLE alembic_version (\n\tversion_num VARCHAR(32) NOT NULL, \n"
        "\tCONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n);\n"
        f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}');"
    )
    now = "now()" if is_postgres else "strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')"
    yield (
        f"{_comment('The project that is there from the beginning.')}\n"
        "INSERT INTO project (slug, title, completion_checks, lease_minutes, max_lapses, max_depth, require_review, "
        f"created_at)\nVALUES ('default', '', 'enforce', 30, 5, 8, {'false' if is_postgres else '0'}, {now});"
    )


def _told() -> dict[str, str]:
    """What `tables` says beneath each table, by the table's name; only its text has that."""
    body = ast.parse(inspect.getsource(tables)).body
    found: dict[str, str] = {}
    for made, said in pairwise(body):
        if (
            isinstance(made, ast.Assign)
            and isinstance(made.targets[0], ast.Name)
            and isinstance(said, ast.Expr)
            and isinstance(said.value, ast.Constant)
        ):
            found[made.targets[0].id] = str(said.value.value)
    return found


def _with_comments(table: Table, statement: str) -> str:
    """The statement with each column's words above the column."""
    said = {column.name: column.doc for column in table.c if column.doc}
    lines: list[str] = []
    for line in statement.strip().splitlines():
        found = COLUMN.match(line)
        if line.startswith("\t") and found and found[1] in said:
            lines.append(textwrap.indent(_comment(said[found[1]]), "\t"))
        lines.append(line.rstrip())
    return "\n".join(lines)


def _comment(words: str) -> str:
    """Words as a comment; none if there are none."""
    return "\n".join(f"-- {line}" for line in textwrap.wrap(" ".join(words.split()), WIDTH))
