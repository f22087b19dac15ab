"""How a database goes about the statements that an operation executes: their own text, with their own values.

SQLite is asked by EXPLAIN QUERY PLAN. PostgreSQL is asked twice: how it would execute the statement with these values,
and how with any (after a few executions on one connection it plans a statement once and for all, if that seems to cost
no more, and such a plan may be another one).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from swarm_mcp.repository.database import Transaction

PLANNED = re.compile(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
GROWING = (
    "task|dependency|event|execution|delegation|criterion|participant|message|inbox|progress"
    "|wording|task_words|message_words"
)
"""Tables that grow with the work, and of which no call may read all."""
WHOLE_TABLE = re.compile(rf"(Parallel )?Seq Scan ({GROWING})\b|SCAN ({GROWING})$")
WHOLE_PROJECT = re.compile(r"(?!.*(ix_agent_directors|ix_task_reserved)).*\(+project\)?(::text)? ?= ?[^ ]*\)$")
"""These two indexes have but the few rows for which they were made."""
SORT = re.compile(r"Sort\b|USE TEMP B-TREE")
NODES = ("Node Type", "Relation Name", "Index Name", "Index Cond")


@dataclass
class Executed:
    """A statement, and the values that it was executed with."""

    sql: str
    bound: Sequence[Any]


@dataclass
class Explained:
    """A statement, and the steps of its plans, a line each such as `Index Scan task ix_task_ready ((project = …`."""

    sql: str
    steps: list[str]
    generic: list[str] = field(default_factory=list[str])
    """PostgreSQL's steps for any values."""


class _Recorder:
    """The driver's cursor, with a memory."""

    def __init__(self, cursor: Any, executed: list[Executed]) -> None:
        self._cursor = cursor
        self._executed = executed

    def execute(self, sql: str, bound: Sequence[Any] = ()) -> Any:
        self._executed.append(Executed(sql, bound))
        return self._cursor.execute(sql, bound)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> Any:
        self._executed += [Executed(sql, bound) for bound in rows[:1]]
        return self._cursor.executemany(sql, rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


@contextmanager
def recording(db: Transaction) -> Generator[list[Executed]]:
    """Everything that a transaction executes inside the block, on whichever way."""
    executed: list[Executed] = []
    cursor, connection = db.driver, db.connection

    def note(_connection: Any, _cursor: Any, sql: str, bound: Any, _context: Any, _many: Any) -> None:
        executed.append(Executed(sql, bound))

    db.driver = _Recorder(cursor, executed)
    event.listen(connection, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        event.remove(connection, "before_cursor_execute", note)
        db.driver = cursor


def explain(db: Transaction, executed: Executed) -> Explained | None:
    """The plans of a statement; None of one that has none."""
    sql = executed.sql
    if not PLANNED.match(sql):
        return None
    if not db.is_postgres:
        return Explained(sql, [step[3] for step in db.driver.execute(f"EXPLAIN QUERY PLAN {sql}", executed.bound)])
    [[[plan]]] = db.driver.execute(f"EXPLAIN (FORMAT JSON) {sql}", executed.bound).fetchall()
    [[[generic]]] = db.driver.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {sql}", prepare=False).fetchall()
    return Explained(sql, list(_steps(plan["Plan"])), list(_steps(generic["Plan"])))


def _steps(plan: dict[str, Any]) -> Generator[str]:
    yield " ".join(str(plan[name]) for name in NODES if name in plan)
    for each in plan.get("Plans", []):
        yield from _steps(each)


def flaws(explained: Explained) -> list[str]:
    """What in the plans of a statement grows with the board: a table is read as a whole, or a project is sorted."""
    found: list[str] = []
    for steps in (explained.steps, explained.generic):
        found += [step for step in steps if WHOLE_TABLE.match(step)]
        if any(SORT.match(step) for step in steps):
            found += [f"sorted: {step}" for step in steps if WHOLE_PROJECT.match(step)]
    return found
