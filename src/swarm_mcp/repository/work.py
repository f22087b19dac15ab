"""Queries about what surrounds the work on a task: criteria, delegations, executions, progress, feedback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, text, update

from swarm_mcp.model import ids
from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement, among, set_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

criterion = tables.criterion
delegation = tables.delegation
execution = tables.execution
progress = tables.progress
feedback = tables.feedback
idempotency = tables.idempotency

OF_TASK = {
    "criteria": Statement(
        select(criterion).where(criterion.c.task_id == bindparam("task")).order_by(criterion.c.position)
    ),
    "delegations": Statement(
        select(delegation).where(delegation.c.task_id == bindparam("task")).order_by(delegation.c.at)
    ),
    "executions": Statement(
        select(execution).where(execution.c.task_id == bindparam("task")).order_by(execution.c.attempt)
    ),
    "feedback": Statement(select(feedback).where(feedback.c.task_id == bindparam("task")).order_by(feedback.c.id)),
}
INSERT_CRITERION = Statement(insert(criterion))
SET_CRITERION = Statement(
    update(criterion)
    .where(criterion.c.task_id == bindparam("key_task"), criterion.c.position == bindparam("key_position"))
    .values(
        outcome=bindparam("new_outcome"),
        evidence=bindparam("new_evidence"),
        reason=bindparam("new_reason"),
        evaluated_at=bindparam("new_at"),
    )
)
_after_the_last = (
    select(func.max(delegation.c.at).op("+")(text("interval '1 microsecond'")))
    .where(delegation.c.task_id == bindparam("task_id"))
    .scalar_subquery()
)
INSERT_DELEGATION = Statement(
    insert(delegation),
    postgres=insert(delegation).values(
        {
            **{column.key: bindparam(column.key, type_=column.type) for column in delegation.c},
            "at": func.greatest(bindparam("at", type_=delegation.c.at.type), _after_the_last),
        }
    ),
)
"""A task's delegations are in the order of their time; on SQLite those of one moment are in that of their rows."""
LIVE_DELEGATIONS = Statement(
    select(delegation)
    .where(delegation.c.task_id == bindparam("task"), among(delegation.c.state, "offered", "accepted"))
    .order_by(delegation.c.at.desc())
)
INSERT_EXECUTION = Statement(insert(execution))
END_EXECUTION = Statement(
    update(execution)
    .where(execution.c.task_id == bindparam("key_task"), execution.c.attempt == bindparam("key_attempt"))
    .values(status=bindparam("new_status"), ended_at=bindparam("new_ended"))
)
ATTEMPTS_OF = Statement(
    select(execution.c.attempt).where(
        execution.c.task_id == bindparam("task"), execution.c.agent_id == bindparam("agent")
    )
)
EXECUTION = Statement(
    select(execution).where(execution.c.task_id == bindparam("task"), execution.c.attempt == bindparam("attempt"))
)
INSERT_PROGRESS = Statement(insert(progress))
PROGRESS = Statement(
    select(progress)
    .where(progress.c.task_id == bindparam("task"), progress.c.id > bindparam("after"))
    .order_by(progress.c.id)
    .limit(bindparam("limit"))
)
LATEST_PROGRESS = Statement(
    select(progress)
    .where(progress.c.task_id == bindparam("task"))
    .order_by(progress.c.id.desc())
    .limit(bindparam("limit"))
)
INSERT_FEEDBACK = Statement(insert(feedback))
REMEMBERED = Statement(
    select(idempotency).where(
        idempotency.c.project == bindparam("project"),
        idempotency.c.agent == bindparam("agent"),
        idempotency.c.operation == bindparam("operation"),
        idempotency.c.key == bindparam("key"),
    )
)
REMEMBER = Statement(insert(idempotency))


def _of(what: str, db: Transaction, task_id: str) -> Sequence[Row]:
    return OF_TASK[what].all(db, {"task": task_id})


def criteria(db: Transaction, task_id: str) -> Sequence[Row]:
    """A task's criteria in their order."""
    return _of("criteria", db, task_id)


def insert_criteria(db: Transaction, task_id: str, wanted: Iterable[tuple[str, str]], *, after: int = 0) -> None:
    """Append criteria (text, CEL expression) after a position."""
    insert_all_criteria(db, {task_id: wanted}, after=after)


def insert_all_criteria(db: Transaction, wanted: Mapping[str, Iterable[tuple[str, str]]], *, after: int = 0) -> None:
    """The same for many tasks, by their ids."""
    rows = [
        {"task_id": task_id, "position": after + n, "text": words, "measurable": check}
        for task_id, each in wanted.items()
        for n, (words, check) in enumerate(each, start=1)
    ]
    if rows:
        INSERT_CRITERION.run_many(db, rows)


def restore_criterion(db: Transaction, task_id: str, n: int, words: tuple[str, str], judged: dict[str, Any]) -> None:
    """Put a criterion (text, CEL expression) back under its number, with what had become of it."""
    INSERT_CRITERION.run(db, {"task_id": task_id, "position": n, "text": words[0], "measurable": words[1], **judged})


def set_criterion(db: Transaction, task_id: str, n: int, *, outcome: str, evidence: str, reason: str) -> None:
    """Note what became of a criterion."""
    SET_CRITERION.run(
        db,
        {
            "key_task": task_id,
            "key_position": n,
            "new_outcome": outcome,
            "new_evidence": evidence,
            "new_reason": reason,
            "new_at": db.now,
        },
    )


def drop_criteria(db: Transaction, task_id: str, positions: list[int]) -> None:
    """Take criteria away; the numbers of the others stay."""
    db.connection.execute(delete(criterion).where(criterion.c.task_id == task_id, criterion.c.position.in_(positions)))


def judged_criteria(db: Transaction, task_id: str) -> Sequence[Row]:
    """The criteria that `reopen_criteria` asks for anew."""
    return [each for each in criteria(db, task_id) if each.outcome not in {"open", "waived"}]


def reopen_criteria(db: Transaction, task_id: str) -> None:
    """Ask for evidence anew."""
    db.connection.execute(
        update(criterion)
        .where(criterion.c.task_id == task_id, criterion.c.outcome != "waived")
        .values(outcome="open", evidence="", reason="", evaluated_at=None)
    )


def delegations(db: Transaction, task_id: str) -> Sequence[Row]:
    """The chain of a task, the oldest first."""
    return _of("delegations", db, task_id)


def live_delegations(db: Transaction, task_id: str) -> Sequence[Row]:
    """The delegations that are offered or accepted, the newest first: whoever has a task may have handed it on."""
    return LIVE_DELEGATIONS.all(db, {"task": task_id})


def live_delegation(db: Transaction, task_id: str) -> Row | None:
    """The delegation by which a task lies where it lies, or None."""
    return LIVE_DELEGATIONS.first(db, {"task": task_id})


def insert_delegation(db: Transaction, values: dict[str, Any]) -> str:
    """Store a delegation; its id."""
    delegation_id = ids.new_uuid()
    INSERT_DELEGATION.run(db, {"id": delegation_id, "at": db.now, **values})
    return delegation_id


def update_delegation(db: Transaction, delegation_id: str, **values: object) -> None:
    """Set columns of a delegation."""
    set_columns(db, delegation, {"id": delegation_id}, values)


def executions(db: Transaction, task_id: str) -> Sequence[Row]:
    """A task's attempts, the first first."""
    return _of("executions", db, task_id)


def find_execution(db: Transaction, task_id: str, attempt: int) -> Row | None:
    """One attempt, or None."""
    return EXECUTION.first(db, {"task": task_id, "attempt": attempt})


def attempts_of(db: Transaction, task_id: str, agent_id: str) -> list[int]:
    """The attempts that an agent has had at a task."""
    return list(ATTEMPTS_OF.scalars(db, {"task": task_id, "agent": agent_id}))


def insert_execution(db: Transaction, task_id: str, attempt: int, agent_id: str | None, specialty: str) -> None:
    """Note that an attempt has begun."""
    INSERT_EXECUTION.run(
        db,
        {
            "id": ids.new_uuid(),
            "task_id": task_id,
            "attempt": attempt,
            "agent_id": agent_id,
            "specialty": specialty,
            "started_at": db.now,
            "status": "running",
        },
    )


def end_execution(db: Transaction, task_id: str, attempt: int, status: str) -> None:
    """Note how an attempt ended."""
    bound = {"key_task": task_id, "key_attempt": attempt, "new_status": status, "new_ended": db.now}
    END_EXECUTION.run(db, bound)


def report_execution(db: Transaction, task_id: str, attempt: int, values: dict[str, Any]) -> None:
    """Fill in the report that ended an attempt."""
    set_columns(db, execution, {"task_id": task_id, "attempt": attempt}, values)


def insert_progress(db: Transaction, task_id: str, percent: int | None, message: str, **said: Any) -> None:
    """Append a report of progress; `agent_id` and `at` say whose and of when, if not of whoever acts and now."""
    bound = {"task_id": task_id, "agent_id": db.actor.id, "percent": percent, "message": message, "at": db.now}
    INSERT_PROGRESS.run(db, bound | said)


def progress_of(db: Transaction, task_id: str, *, after: int, limit: int) -> Sequence[Row]:
    """A task's progress, oldest first."""
    return PROGRESS.all(db, {"task": task_id, "after": after, "limit": limit})


def latest_progress(db: Transaction, task_id: str, *, limit: int) -> Sequence[Row]:
    """A task's progress, newest first."""
    return LATEST_PROGRESS.all(db, {"task": task_id, "limit": limit})


def feedback_of(db: Transaction, task_id: str) -> Sequence[Row]:
    """What reviewers said, oldest first."""
    return _of("feedback", db, task_id)


def insert_feedback(db: Transaction, values: dict[str, Any]) -> None:
    """Store what a reviewer said."""
    INSERT_FEEDBACK.run(db, {"at": db.now, **values})


def remembered(db: Transaction, operation: str, key: str) -> Row | None:
    """The first success under a key, or None."""
    bound = {"project": db.project.slug, "agent": db.actor.name, "operation": operation, "key": key}
    return REMEMBERED.first(db, bound)


def remember(db: Transaction, operation: str, key: str, arguments: str, result: dict[str, Any]) -> None:
    """Keep a success under a key."""
    REMEMBER.run(
        db,
        {
            "project": db.project.slug,
            "agent": db.actor.name,
            "operation": operation,
            "key": key,
            "arguments": arguments,
            "result": result,
            "at": db.now,
        },
    )


def forget_keys(db: Transaction, before: Any) -> None:
    """Let go of keys older than their promise."""
    db.connection.execute(delete(idempotency).where(idempotency.c.at < before))
