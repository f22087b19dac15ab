"""What is derived counted anew, and what a check compares: each question is one statement over the whole database.

Nothing here uses what it counts. The answers come for all projects, because damage does not keep to one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement
from swarm_mcp.repository.types import UtcTime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import TextClause

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task, tally = tables.task, tables.tally
COUNTERS = ("waits", "gates", "subtasks", "open_subtasks")

_COUNTED = """
WITH RECURSIVE
own (id, n) AS (
    SELECT edge.task_id, count(*) FROM dependency AS edge JOIN task AS blocker ON blocker.id = edge.depends_on_id
    WHERE edge.type = 'blocks' AND blocker.status <> 'completed' GROUP BY edge.task_id
),
gating (id) AS (SELECT id FROM task WHERE hold_reason IS NOT NULL UNION SELECT id FROM own),
below (root, id) AS (
    SELECT gating.id, task.id FROM gating JOIN task ON task.parent_id = gating.id
    UNION SELECT below.root, task.id FROM below JOIN task ON task.parent_id = below.id
),
above (id, n) AS (SELECT id, count(*) FROM below GROUP BY id),
part (id, n, n_open) AS (
    SELECT parent_id, count(*), sum(CASE WHEN status IN ('completed', 'cancelled') THEN 0 ELSE 1 END)
    FROM task WHERE parent_id IS NOT NULL GROUP BY parent_id
),
counted AS (
    SELECT task.id, task.project, task.status, task.hold_reason IS NOT NULL AS held,
        task.archived_at IS NOT NULL AS archived, task.due, coalesce(task.deadline, :never) AS real_due,
        task.waits, task.gates, task.subtasks, task.open_subtasks,
        coalesce(own.n, 0) + coalesce(above.n, 0) AS real_waits, coalesce(above.n, 0) AS real_gates,
        coalesce(part.n, 0) AS real_subtasks, coalesce(part.n_open, 0) AS real_open_subtasks
    FROM task LEFT JOIN own ON own.id = task.id LEFT JOIN above ON above.id = task.id
    LEFT JOIN part ON part.id = task.id
)
SELECT * FROM counted WHERE """  # UNION, so that even a circle of parents comes to an end


def _counting(condition: str) -> Statement:
    words: TextClause = text(_COUNTED + condition).bindparams(bindparam("never", type_=UtcTime()))
    return Statement(
        words.columns(
            **{name: task.c[name].type for name in ("id", "project", "status")},
            **dict.fromkeys(("held", "archived"), Boolean()),
            **dict.fromkeys(("due", "real_due"), UtcTime()),
            **dict.fromkeys([*COUNTERS, *(f"real_{name}" for name in COUNTERS)], Integer()),
        )
    )


MISCOUNTED = _counting(" OR ".join([*(f"{name} <> real_{name}" for name in COUNTERS), "due <> real_due"]))
_FREE = "(NOT held AND real_waits = 0 AND real_open_subtasks = 0)"
DISAGREEING = _counting(
    f"(status = 'pending' AND NOT {_FREE}) OR (status = 'blocked' AND {_FREE}) OR (held AND status <> 'blocked') "
    "OR (archived AND status NOT IN ('completed', 'failed', 'cancelled'))"
)
SET_COUNTERS = Statement(
    update(task)
    .where(task.c.id == bindparam("key_id"))
    .values({name: bindparam(f"new_{name}") for name in (*COUNTERS, "due")})
)

LATE_BLOCKERS = Statement(
    text(
        "SELECT edge.task_id, edge.depends_on_id FROM dependency AS edge "
        "JOIN task AS waiter ON waiter.id = edge.task_id JOIN task AS blocker ON blocker.id = edge.depends_on_id "
        "WHERE edge.type = 'blocks' AND blocker.end_rank >= waiter.rank ORDER BY 1, 2"
    ).columns(task.c.id.label("waiter"), task.c.id.label("blocker"))
)
LOOSE_CHILDREN = Statement(
    text(
        "SELECT task.id, parent.id FROM task JOIN task AS parent ON parent.id = task.parent_id "
        "WHERE task.rank <= parent.rank OR task.end_rank >= parent.end_rank ORDER BY 1"
    ).columns(task.c.id.label("child"), task.c.id.label("parent"))
)
RANKS = Statement(select(task.c.id, task.c.parent_id, task.c.rank, task.c.end_rank))
BLOCKING = Statement(
    text("SELECT task_id, depends_on_id FROM dependency WHERE type = 'blocks'").columns(
        task.c.id.label("waiter"), task.c.id.label("blocker")
    )
)

MISTALLIED = Statement(
    text(
        "SELECT project, status, archived, sum(kept), sum(found) FROM ("
        "SELECT project, status, archived, sum(tasks) AS kept, 0 AS found FROM tally GROUP BY 1, 2, 3 "
        "UNION ALL SELECT project, status, archived_at IS NOT NULL, 0, count(*) FROM task GROUP BY 1, 2, 3) AS every "
        "GROUP BY project, status, archived HAVING sum(kept) <> sum(found) ORDER BY 1, 2, 3"
    ).columns(
        tally.c.project.label("project"), tally.c.status.label("status"), tally.c.archived.label("archived"),
        tally.c.tasks.label("kept"), tally.c.tasks.label("found"),
    )
)  # fmt: skip

_SAID = (task.c.id.label("id"), task.c.title.label("words"))
CLAIMS: dict[str, Statement] = {
    what: Statement(text(f"{statement} ORDER BY 1").columns(*_SAID))
    for what, statement in {
        "holder": (
            "SELECT task.id, 'its holder has no running attempt ' || task.attempt FROM task "
            "WHERE task.holder_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM execution AS run "
            "WHERE run.task_id = task.id AND run.attempt = task.attempt AND run.agent_id = task.holder_id "
            "AND run.status = 'running')"
        ),
        "running": (
            "SELECT task.id, 'attempt ' || execution.attempt || ' is running and nobody holds the task by it' "
            "FROM execution JOIN task ON task.id = execution.task_id WHERE execution.status = 'running' AND NOT "
            "(coalesce(task.holder_id, '') = coalesce(execution.agent_id, '') AND task.attempt = execution.attempt)"
        ),
        "ended": (
            "SELECT task_id, 'attempt ' || attempt || ' has ended and not ended' FROM execution "
            "WHERE (ended_at IS NULL) <> (status = 'running')"
        ),
        "attempts": (
            "SELECT task.id, 'it is at attempt ' || task.attempt || ', and ' || count(execution.id) || ' are known' "
            "FROM task LEFT JOIN execution ON execution.task_id = task.id GROUP BY task.id, task.attempt "
            "HAVING count(execution.id) <> task.attempt OR coalesce(max(execution.attempt), 0) <> task.attempt"
        ),
        "lease": (
            "SELECT id, CASE WHEN lease_until IS NULL THEN 'its claim has no end' "
            "ELSE 'it has a lease and no claim that runs' END FROM task "
            "WHERE (lease_until IS NOT NULL) <> (status = 'in_progress')"
        ),
        "question": (
            "SELECT task.id, 'it waits for an answer and there is no open question, or the other way round' FROM task "
            "WHERE (status = 'requires_assistance') <> EXISTS (SELECT 1 FROM message WHERE message.task_id = task.id "
            "AND message.asked_at IS NOT NULL AND message.attempt = task.attempt)"
        ),
    }.items()
}
"""What cannot be true of a claim, by what is looked at."""

MISVERSIONED = Statement(
    text(
        "SELECT task.id, task.version, count(event.version), coalesce(max(event.version), 0) FROM task "
        "LEFT JOIN event ON event.task_id = task.id AND event.version IS NOT NULL GROUP BY task.id, task.version "
        "HAVING count(event.version) <> task.version OR coalesce(max(event.version), 0) <> task.version "
        "OR count(DISTINCT event.version) <> task.version ORDER BY 1"
    ).columns(id=task.c.id.type, version=BigInteger, events=BigInteger, newest=BigInteger)
)


def miscounted(db: Transaction, never: datetime) -> Sequence[Row]:
    """The tasks whose counters or due date are not what a recount finds: both (`waits` and `real_waits`, …)."""
    return MISCOUNTED.all(db, {"never": never})


def disagreeing(db: Transaction, never: datetime) -> Sequence[Row]:
    """The tasks whose status is not what their obstacles make it, as they are recounted."""
    return DISAGREEING.all(db, {"never": never})


def keep_others_out(db: Transaction) -> None:
    """Let nobody else change what is counted until the end, as SQLite's one writer does by itself."""
    if db.is_postgres:
        db.execute(text("LOCK TABLE task, dependency, tally IN SHARE ROW EXCLUSIVE MODE"))


def set_counters(db: Transaction, rows: Sequence[Row]) -> None:
    """Write down what `miscounted` has found."""
    SET_COUNTERS.run_many(
        db,
        [
            {"key_id": row.id, **{f"new_{name}": getattr(row, f"real_{name}") for name in (*COUNTERS, "due")}}
            for row in rows
        ],
    )


def mistallied(db: Transaction) -> Sequence[Row]:
    """Where the tally of a status and the tasks that have it differ."""
    return MISTALLIED.all(db, {})


def set_tally(db: Transaction) -> None:
    """Count all tasks anew."""
    archived = case((task.c.archived_at.is_(None), False), else_=True)
    real = select(task.c.project, task.c.status, archived, literal(0), func.count()).group_by(
        task.c.project, task.c.status, archived
    )
    db.execute(delete(tally))
    db.execute(insert(tally).from_select(["project", "status", "archived", "shard", "tasks"], real))


def broken_claims(db: Transaction) -> Iterator[Row]:
    """What cannot be true of a claim: the task, and a phrase about it."""
    for statement in CLAIMS.values():
        yield from statement.all(db, {})


def misversioned(db: Transaction) -> Sequence[Row]:
    """The tasks whose version is not the number of the events that count."""
    return MISVERSIONED.all(db, {})


def out_of_order(db: Transaction) -> Iterator[tuple[str, str]]:
    """The tasks whose rank does not fit another's, each with the reason as a phrase."""
    for row in LATE_BLOCKERS.all(db, {}):
        yield row.waiter, f"does not rank after {row.blocker}, for which it waits"
    for row in LOOSE_CHILDREN.all(db, {}):
        yield row.child, f"does not rank inside {row.parent}, of which it is a part"


def ranks(db: Transaction) -> tuple[Sequence[Row], Sequence[Any]]:
    """The whole graph: every task (id, parent_id, rank, end_rank), and who waits for whom (waiter, blocker)."""
    return RANKS.all(db, {}), BLOCKING.all(db, {})
