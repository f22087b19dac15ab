"""What follows from rows that were loaded: counters, the indexes of words, and whether the order of the graph holds.

All of it is about the tasks in the temporary table `loaded` (see `loading`), and in SQL, so that it takes no memory.
"""

# ruff: noqa: S608 - the statements are made of names of ours, and of places for values
from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, func, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.indexing import add_context
from swarm_mcp.repository.statement import Statement
from swarm_mcp.repository.whole import BATCH

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

CHILDREN = "SELECT count(*) FROM task AS child WHERE child.parent_id = task.id"
OPEN = "child.status NOT IN ('completed', 'cancelled')"
COUNT_PARTS = (
    f"SET subtasks = ({CHILDREN}), open_subtasks = ({CHILDREN} AND {OPEN}) WHERE EXISTS "
    "(SELECT 1 FROM task AS child JOIN loaded ON loaded.id = child.id WHERE child.parent_id = task.id)"
)
BLOCKERS = (
    "FROM dependency AS edge JOIN task AS blocker ON blocker.id = edge.depends_on_id "
    "WHERE edge.task_id = task.id AND edge.type = 'blocks' AND blocker.status <> 'completed'"
)
COUNT_BLOCKERS = (
    f"SET waits = (SELECT count(*) {BLOCKERS}) WHERE EXISTS (SELECT 1 FROM loaded WHERE loaded.id = task.id) "
    f"AND EXISTS (SELECT 1 {BLOCKERS})"
)
COUNT_GATES = (
    "SET gates = found.gates, waits = task.waits + found.gates FROM ("
    "WITH RECURSIVE below (id) AS ("
    "SELECT child.id FROM task AS child JOIN task AS parent ON parent.id = child.parent_id "
    "WHERE (parent.hold_reason IS NOT NULL OR parent.waits > parent.gates) AND parent.subtasks > 0 "
    "UNION ALL SELECT child.id FROM task AS child JOIN below ON child.parent_id = below.id) "
    "SELECT below.id, count(*) AS gates FROM below JOIN loaded ON loaded.id = below.id GROUP BY below.id"
    ") AS found WHERE task.id = found.id"
)
"""From each gate downwards. While this looks, the loaded tasks have only their own blockers in `waits`."""
BROKEN_PARENTS = (
    "SELECT parent.id, child.id, 'part' FROM loaded JOIN task AS child ON child.id = loaded.id "
    "JOIN task AS parent ON parent.id = child.parent_id "
    "WHERE NOT (parent.rank < child.rank AND child.end_rank < parent.end_rank)"
)
BROKEN_EDGES = (
    "SELECT blocker.id, waiter.id, 'blocks' FROM loaded JOIN dependency AS edge ON edge.task_id = loaded.id "
    "JOIN task AS waiter ON waiter.id = edge.task_id JOIN task AS blocker ON blocker.id = edge.depends_on_id "
    "WHERE edge.type = 'blocks' AND NOT blocker.end_rank < waiter.rank"
)
OBSTRUCTED = "(hold_reason IS NOT NULL OR waits > 0 OR open_subtasks > 0)"
UNTRUE = (
    "SELECT task.id FROM loaded JOIN task ON task.id = loaded.id "
    f"WHERE status IN ('pending', 'blocked') AND (status = 'blocked') <> {OBSTRUCTED} ORDER BY rank"
)
PARENTS_HERE = (
    "SELECT DISTINCT parent.id FROM loaded JOIN task AS child ON child.id = loaded.id "
    "JOIN task AS parent ON parent.id = child.parent_id WHERE parent.id NOT IN (SELECT id FROM loaded) ORDER BY 1"
)
ROOTS = "SELECT task.id FROM loaded JOIN task ON task.id = loaded.id WHERE parent_id IS NULL ORDER BY rank"
context = tables.context
_later = context.alias()
CONTEXT = Statement(
    select(context)
    .where(
        context.c.id > bindparam("after"),
        text("EXISTS (SELECT 1 FROM loaded WHERE loaded.id = context.task_id)"),
        context.c.id
        == select(func.max(_later.c.id))
        .where(_later.c.project == context.c.project, _later.c.task_id == context.c.task_id,
               _later.c.key == context.c.key)
        .scalar_subquery(),
    )
    .order_by(context.c.id)
    .limit(BATCH)
)  # fmt: skip


class Broken(NamedTuple):
    """An edge against the order of the graph."""

    before: str
    after: str
    kind: str
    """part (the second is a part of the first) or blocks (the second waits for the first)."""


def count(db: Transaction) -> None:
    """Count parts, blockers and gates."""
    # A failure ends the transaction in any case. Without "OR FAIL" SQLite would keep all pages as they were, in memory.
    update = "UPDATE task" if db.is_postgres else "UPDATE OR FAIL task"
    for what in (COUNT_PARTS, COUNT_BLOCKERS, COUNT_GATES):
        db.driver.execute(f"{update} {what}")


def index_context(db: Transaction) -> None:
    """Index the latest value of each key."""
    last = 0
    while rows := CONTEXT.all(db, {"after": last}):
        add_context(db, rows)
        last = rows[-1].id


def broken(db: Transaction, *, limit: int = 100) -> list[Broken]:
    """Edges of loaded tasks against the order of the graph, the first few."""
    words = f"SELECT * FROM ({BROKEN_PARENTS} UNION ALL {BROKEN_EDGES}) AS found LIMIT {limit}"
    return [Broken(*row) for row in db.driver.execute(words).fetchall()]


def untrue(db: Transaction) -> list[str]:
    """Loaded tasks whose status does not agree with what stands in their way."""
    return [row[0] for row in db.driver.execute(UNTRUE).fetchall()]


def parents_here(db: Transaction) -> list[str]:
    """Tasks that were here before and have got new parts."""
    return [row[0] for row in db.driver.execute(PARENTS_HERE).fetchall()]


def roots(db: Transaction) -> list[str]:
    """Loaded tasks that are parts of nothing."""
    return [row[0] for row in db.driver.execute(ROOTS).fetchall()]
