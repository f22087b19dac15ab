"""The numbers under which Taskmaster knows our tasks: 7 for a task, 7.2 for a part of it.

A task that came from Taskmaster keeps its number where that is free. No part has the number of a task for which some
part of the same task waits: Taskmaster would take the one for the other. The table lies in a temporary file, so that a
large board needs no more memory than a small one.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, contextmanager
from itertools import count, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from swarm_mcp.repository import forest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from swarm_mcp.interchange.exporting import Wanted
    from swarm_mcp.repository.database import Transaction

BATCH = 500
NUMBERED = re.compile(r"(?:.*/)?(?:\d+\.)*(\d{1,9})")
"""A name from Taskmaster, with the list or namespace that it was in; the number is the last."""
TABLES = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "CREATE TABLE node (id TEXT PRIMARY KEY, top TEXT, parent TEXT, wanted INT, seq INT, number INT) WITHOUT ROWID",
    "CREATE TABLE wait (top TEXT, other TEXT)",
    "CREATE TABLE taken (top TEXT, number INT, PRIMARY KEY (top, number)) WITHOUT ROWID",
)
INDEXES = (
    "CREATE INDEX node_of_top ON node (top, seq)",
    "CREATE INDEX node_of_parent ON node (parent, seq)",
    "CREATE INDEX wait_of_top ON wait (top)",
)


class Number(NamedTuple):
    """A task's number; of a part, with that of its task."""

    task: int
    part: int | None

    def __str__(self) -> str:
        return str(self.task) if self.part is None else f"{self.task}.{self.part}"


class Numbers:
    """Everybody's number."""

    def __init__(self, table: sqlite3.Connection) -> None:
        self._table = table

    def __getitem__(self, task: str) -> Number:
        """The number of a task that is in the file."""
        found = self.of(task)
        if found is None:
            raise KeyError(task)
        return found

    def of(self, task: str) -> Number | None:
        """The number of a task; None if it is not in the file."""
        found = self._table.execute(
            "SELECT node.number, above.number FROM node LEFT JOIN node AS above ON above.id = node.top "
            "WHERE node.id = ?",
            (task,),
        ).fetchone()
        if found is None:
            return None
        own, above = found
        return Number(own, None) if above is None else Number(above, own)

    def parts_of(self, task: str) -> list[Number]:
        """The numbers of the tasks just below one."""
        parts = self._table.execute("SELECT id FROM node WHERE parent = ? ORDER BY seq", (task,)).fetchall()
        return [self[part] for (part,) in parts]


@contextmanager
def numbers(db: Transaction, wanted: Wanted) -> Generator[Numbers]:
    """Number everything that is wanted."""
    with closing(sqlite3.connect("", isolation_level=None)) as table:
        for statement in TABLES:
            table.execute(statement)
        table.execute("BEGIN")
        _enter(table, db, wanted)
        for statement in INDEXES:
            table.execute(statement)
        _number(table, "")
        for (top,) in _rows(table, "SELECT DISTINCT top FROM node WHERE top <> ''"):
            table.execute(
                "INSERT OR IGNORE INTO taken SELECT ?, node.number FROM wait JOIN node ON node.id = wait.other "
                "WHERE wait.top = ? AND node.top = ''",
                (top, top),
            )
            _number(table, top)
        yield Numbers(table)


def _enter(table: sqlite3.Connection, db: Transaction, wanted: Wanted) -> None:
    """Every task in the order of the tree, and what the parts wait for."""
    walk = forest.walk(db, root=wanted.task, since=wanted.since)
    top, seq = "", count()
    while batch := list(islice(walk, BATCH)):
        ids = [each.row.id for each in batch]
        names, edges = forest.foreign_names_of(db, ids), forest.edges_of(db, ids)
        for each in batch:
            task = each.row.id
            top = "" if not each.depth else top or each.parent
            number = next(
                (_stated(name.foreign_id) for name in names.get(task, []) if name.source == "taskmaster"), None
            )
            table.execute("INSERT INTO node VALUES (?, ?, ?, ?, ?, NULL)", (task, top, each.parent, number, next(seq)))
            if top:
                table.executemany(
                    "INSERT INTO wait VALUES (?, ?)",
                    [(top, edge.depends_on_id) for edge in edges.get(task, []) if edge.type == "blocks"],
                )


def _stated(name: str) -> int | None:
    found = NUMBERED.fullmatch(name)
    return int(found[1]) or None if found else None


def _number(table: sqlite3.Connection, top: str) -> None:
    """Number the tasks, or the parts of one: first whoever has a number already."""
    stated = "SELECT id, wanted FROM node WHERE top = ? AND wanted IS NOT NULL ORDER BY seq"
    for task, number in _rows(table, stated, top):
        _take(table, top, task, number)
    free = count(1)
    for (task,) in _rows(table, "SELECT id FROM node WHERE top = ? AND number IS NULL ORDER BY seq", top):
        while not _take(table, top, task, next(free)):
            pass


def _take(table: sqlite3.Connection, top: str, task: str, number: int) -> bool:
    """Give a number to a task if nobody has it."""
    if not table.execute("INSERT OR IGNORE INTO taken VALUES (?, ?)", (top, number)).rowcount:
        return False
    table.execute("UPDATE node SET number = ? WHERE id = ?", (number, task))
    return True


def _rows(table: sqlite3.Connection, statement: str, *values: str) -> Iterator[Any]:
    """Rows one by one, while others are changed."""
    return iter(table.execute(statement, values))
