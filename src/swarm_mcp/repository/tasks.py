"""Queries about tasks: one or several of them, what lies with an agent, and how many have each status."""

from __future__ import annotations

import secrets
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select, text

from swarm_mcp.model import ids
from swarm_mcp.model.errors import Ambiguous, TaskNotFound
from swarm_mcp.repository import indexing, tables
from swarm_mcp.repository.failures import Contended
from swarm_mcp.repository.lines import LINE
from swarm_mcp.repository.statement import ListStatement, Statement, among, setting
from swarm_mcp.repository.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task
ref = tables.external_ref
tally = tables.tally

SLIM = tuple(
    column
    for column in task.c
    if column.key
    not in {"description", "tags", "source", "completion_summary", "outputs", "artifacts", "error", "lane", "end_rank"}
)
"""What rows of lists and trees are made from: everything but the long texts."""
HERE = task.c.project == bindparam("project")
BY_ID = Statement(select(task).where(HERE, task.c.id == bindparam("id")))
BY_IDS = ListStatement(lambda wanted: select(task).where(HERE, task.c.id.in_(wanted)))
LOCKED_BY_ID = Statement(select(task).where(HERE, task.c.id == bindparam("id")).with_for_update(key_share=True))
LOCKED_BY_IDS = ListStatement(
    lambda wanted: (
        select(task).where(HERE, task.c.id.in_(wanted)).order_by(task.c.id).with_for_update(key_share=True, of=task)
    )
)
BY_REF = Statement(
    select(task)
    .where(
        task.c.id.in_(
            select(ref.c.task_id).where(ref.c.project == bindparam("project"), ref.c.foreign_id == bindparam("name"))
        )
    )
    .limit(6)
)
BY_PREFIX = Statement(
    select(task).where(HERE, task.c.id >= bindparam("low"), task.c.id < bindparam("high")).order_by(task.c.id).limit(6)
)
TAKEN = ListStatement(lambda wanted: select(task.c.id).where(task.c.id.in_(wanted)))
INSERT = Statement(insert(task))
INSERT_ONE = Statement(insert(task).returning(*task.c))
ORDER = (task.c.urgency, task.c.due, task.c.created_at, task.c.id)
HELD_BY = Statement(
    select(*LINE).where(task.c.holder_id == bindparam("agent"), HERE).order_by(*ORDER).limit(bindparam("limit"))
)
HELD_IDS = Statement(select(task.c.id).where(task.c.holder_id == bindparam("agent"), HERE).order_by(task.c.id))
ASSIGNED_IDS = Statement(
    select(task.c.id)
    .where(task.c.assignee_id == bindparam("agent"), HERE, text("task.finished = 0"))
    .order_by(task.c.id)
)
OWN_OPEN = Statement(
    select(task)
    .where(
        HERE,
        (task.c.holder_id == bindparam("agent")) | (task.c.assignee_id == bindparam("agent")),
        among(task.c.status, "pending", "blocked", "in_progress", "requires_assistance", "partial"),
    )
    .order_by(task.c.holder_id.is_(None), task.c.updated_at.desc())
    .limit(1)
)
BLOCKED_SAMPLE = Statement(
    select(*SLIM)
    .where(HERE, text("task.status = 'blocked' AND task.archived_at IS NULL"))
    .order_by(*ORDER)
    .limit(bindparam("limit"))
)
SHARDS = 8
"""Rows that share one count where several may write at once: each picks one, and seldom waits for another."""
TALLIES = Statement(
    select(tally.c.status, func.sum(tally.c.tasks))
    .where(tally.c.project == bindparam("project"), tally.c.archived == bindparam("archived"))
    .group_by(tally.c.status)
)


def task_row(db: Transaction, task_id: str) -> Row:
    """The task of exactly that id.

    Raises:
        TaskNotFound: none in this project.

    """
    row = find_task(db, task_id)
    if row is None:
        raise TaskNotFound(f"No task `{task_id[:40]}`. list_tasks() shows the ones you can see.", task=task_id)
    return row


def find_task(db: Transaction, task_id: str) -> Row | None:
    """The task of exactly that id, or None. Where others write at the same time, it is ours until the end."""
    statement = LOCKED_BY_ID if db.locks_rows else BY_ID
    return statement.first(db, {"project": db.project.slug, "id": task_id})


def resolve_task(db: Transaction, name: str) -> Row:
    """The task that a caller means: exact id, else exact foreign reference, else a clear prefix of an id.

    Raises:
        TaskNotFound: nothing fits.
        Ambiguous: several do; up to five are named.

    """
    wanted = name.strip()
    if ids.TASK_ID.fullmatch(wanted):
        row = find_task(db, wanted)
        if row is not None:
            return row
    return _resolve_loosely(db, wanted)


def _resolve_loosely(db: Transaction, wanted: str) -> Row:
    found: Sequence[Row] = []
    if wanted:
        found = BY_REF.all(db, {"project": db.project.slug, "name": wanted})
    folded = wanted.lower()
    if not found and len(folded) >= ids.PREFIX_MINIMUM and folded.isalnum() and folded.isascii():
        bounds = {"project": db.project.slug, "low": folded, "high": folded + "~"}
        found = BY_PREFIX.all(db, bounds)
    if len(found) == 1:
        return task_row(db, found[0].id) if db.locks_rows else found[0]
    if not found:
        hint = " Give at least four of its letters." if 0 < len(folded) < ids.PREFIX_MINIMUM else ""
        raise TaskNotFound(
            f"No task `{wanted[:40]}`.{hint} list_tasks() shows the ones you can see.", task=wanted[:200]
        )
    shown = [f"{row.id} ({row.title[:40]})" for row in found[:5]]
    more = " and more" if len(found) > 5 else ""  # noqa: PLR2004 - the query asks for one more than is shown
    raise Ambiguous(
        f"`{wanted[:40]}` fits several tasks: {', '.join(shown)}{more}. Give the whole id.",
        candidates=[row.id for row in found[:5]],
    )


def task_rows(db: Transaction, task_ids: Iterable[str]) -> dict[str, Row]:
    """The tasks of these ids that exist, by id; fetched in batches."""
    wanted = list(dict.fromkeys(task_ids))
    return {row.id: row for row in BY_IDS.all(db, wanted, {"project": db.project.slug})}


def locked_rows(db: Transaction, task_ids: Iterable[str]) -> dict[str, Row]:
    """The same, for a change that follows from how they are: until its end nobody else changes them."""
    wanted = list(dict.fromkeys(task_ids))
    statement = LOCKED_BY_IDS if db.locks_rows else BY_IDS
    return {row.id: row for row in statement.all(db, wanted, {"project": db.project.slug})}


def insert_task(db: Transaction, values: dict[str, Any]) -> Row:
    """Store a new task, whose words are to be found, and return it; what the caller leaves out has its default."""
    row = INSERT_ONE.first(db, values)
    indexing.note_new(db, values["id"], values)
    return row


def insert_tasks(db: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Store many new tasks, parents first; every one of them says the same columns."""
    INSERT.run_many(db, rows)
    indexing.index_new(db, rows)


def taken_ids(db: Transaction, wanted: Iterable[str]) -> set[str]:
    """Those of these ids that tasks have, in whatever project: they are unique in the store."""
    return {row.id for row in TAKEN.all(db, list(wanted))}


def update_task(db: Transaction, task_id: str, values: dict[str, Any], *, seen: int | None = None) -> Row:
    """Set columns of one task and return it as it is now.

    Args:
        db: the transaction.
        task_id: which.
        values: columns and their new values.
        seen: the version from which they follow: where others write at the same time, it must still have it.

    Raises:
        Contended: it has another version by now; run again, the change may be another one.

    """
    indexing.note_change(db, task_id, values)
    columns = tuple(sorted(values))
    bound = {"key_id": task_id, **{f"new_{column}": values[column] for column in columns}}
    if seen is None or not db.locks_rows:
        return setting(task, ("id",), columns, returning=True).first(db, bound)
    row = setting(task, ("id", "version"), columns, returning=True).first(db, {**bound, "key_version": seen})
    if row is None:
        raise Contended
    return row


def count_status(db: Transaction, status: str, by: int, *, archived: bool = False) -> None:
    """Keep the tally of a status; it is written at the end of the transaction, because all writers want these rows."""
    if not db.counts:
        db.before_commit.append(write_counts)
    db.counts[status, archived] = db.counts.get((status, archived), 0) + by


def write_counts(db: Transaction) -> None:
    """Write what was counted, in one order for all, lest two writers wait for each other."""
    shard = secrets.randbelow(SHARDS) if db.is_postgres else 0
    counted = [(status, archived, by) for (status, archived), by in sorted(db.counts.items()) if by]
    db.counts.clear()
    if counted:
        bound: dict[str, Any] = {"project": db.project.slug, "shard": shard}
        for n, (status, archived, by) in enumerate(counted):
            bound |= {f"status_{n}": status, f"archived_{n}": archived, f"by_{n}": by}
        _counting(len(counted)).run(db, bound)


@cache
def _counting(several: int) -> Statement:
    """The statement that changes so many counts of the tally."""
    statement = upsert(
        tally,
        [
            {
                "project": bindparam("project"),
                "status": bindparam(f"status_{n}"),
                "archived": bindparam(f"archived_{n}"),
                "shard": bindparam("shard"),
                "tasks": bindparam(f"by_{n}"),
            }
            for n in range(several)
        ],
        (tally.c.project, tally.c.status, tally.c.archived, tally.c.shard),
        tasks=lambda counted: tally.c.tasks + counted.tasks,
    )
    return Statement(statement)


def tallies(db: Transaction, *, archived: bool = False) -> dict[str, int]:
    """How many tasks have each status."""
    write_counts(db)
    rows = TALLIES.all(db, {"project": db.project.slug, "archived": archived})
    return {status: count for status, count in rows if count}


def held_by(db: Transaction, agent: str, *, limit: int) -> Sequence[Row]:
    """What an agent holds as lines, the most urgent first."""
    return HELD_BY.all(db, {"project": db.project.slug, "agent": agent, "limit": limit})


def ids_held_by(db: Transaction, agent: str) -> list[str]:
    """Everything that an agent holds, however much it is."""
    return HELD_IDS.scalars(db, {"project": db.project.slug, "agent": agent})


def ids_assigned_to(db: Transaction, agent: str) -> list[str]:
    """Everything unfinished that is assigned to an agent, or kept for it."""
    return ASSIGNED_IDS.scalars(db, {"project": db.project.slug, "agent": agent})


def own_open_task(db: Transaction, agent: str) -> Row | None:
    """What an agent is on: the task it holds, else the latest that it is assigned; None if there is none."""
    return OWN_OPEN.first(db, {"project": db.project.slug, "agent": agent})


def blocked_sample(db: Transaction, *, limit: int) -> Sequence[Row]:
    """The most urgent blocked tasks."""
    return BLOCKED_SAMPLE.all(db, {"project": db.project.slug, "limit": limit})
