"""Completing: the one path to completed, partial or failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.draft import read_hours
from swarm_mcp.model.errors import Blocked, Conflict, Invalid
from swarm_mcp.model.lifecycle import CLAIMED, TaskStatus, read_status
from swarm_mcp.model.task import Completed, DelegationState, Reached
from swarm_mcp.operations import claims, judging, moves, standing, telling
from swarm_mcp.operations.answering import ready_count, shorten, task_change, unread
from swarm_mcp.operations.catalog import operation
from swarm_mcp.repository import agents, tasks, work

if TYPE_CHECKING:
    from swarm_mcp.operations.moves import Moved
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

OUTCOMES = frozenset({TaskStatus.COMPLETED, TaskStatus.PARTIAL, TaskStatus.FAILED})
SHOWN = 20
REPORT_LIMITS = {"artifacts": 50, "issues": 20, "next_actions": 20}


@operation(repeatable=True)
def complete_task(
    db: Transaction,
    *,
    task: str,
    summary: arg.Summary,
    outcome: arg.Outcome = "completed",
    measurements: arg.Measurements = {},
    evidence: arg.Evidence = {},
    outputs: arg.Outputs = {},
    artifacts: arg.Artifacts = [],
    issues: arg.Texts = [],
    next_actions: arg.Texts = [],
    confidence: arg.Confidence = -1,
    actual_hours: arg.Hours = 0,
    attempt: arg.Attempt = 0,
) -> Completed:
    """The one path to completed, partial or failed. `evidence` by criterion number or text; checks are judged by
    `measurements`.
    """
    row = tasks.resolve_task(db, task)
    wanted = read_status(outcome or "completed")
    if wanted not in OUTCOMES:
        raise Invalid(f"outcome is completed, partial or failed; got `{outcome[:40]}`.")
    if row.status not in CLAIMED:
        return _again(db, row, wanted, attempt)
    claims.require_claim(db, row, attempt)
    report = _report(confidence, artifacts, issues, next_actions)
    judgement = judging.judge(db, row, measurements, evidence)
    warnings = _check_finished(db, row, wanted, summary, judgement)
    judging.keep(db, row, judgement)
    hours = read_hours(actual_hours, "actual_hours")
    report |= {
        "summary": summary, "outputs": outputs, "measurements": measurements,
        "error": summary if wanted is TaskStatus.FAILED else "",
    }  # fmt: skip
    result = {
        "completion_summary": summary,
        "outputs": outputs,
        "artifacts": list(artifacts),
        **({"actual_hours": hours} if hours is not None else {}),
        **({"error": summary} if wanted is TaskStatus.FAILED else {}),
    }
    moved = finish(db, row, wanted, result, report)
    return _done(db, moved, judgement, warnings)


def _report(confidence: float, artifacts: list[str], issues: list[str], next_actions: list[str]) -> dict[str, Any]:
    for name, given in (("artifacts", artifacts), ("issues", issues), ("next_actions", next_actions)):
        if len(given) > REPORT_LIMITS[name]:
            raise Invalid(f"{name} takes at most {REPORT_LIMITS[name]}; got {len(given)}.")
    if confidence != -1 and not 0 <= confidence <= 1:
        raise Invalid(f"confidence is 0 to 1, or -1 for none; got {confidence}.")
    return {
        "confidence": None if confidence == -1 else confidence, "artifacts": artifacts, "issues_found": issues,
        "next_actions": next_actions,
    }  # fmt: skip


def _again(db: Transaction, row: Row, wanted: TaskStatus, attempt: int) -> Completed:
    """The same agent repeats the same outcome of the same attempt: the recorded result. Anyone else is refused."""
    mine = work.attempts_of(db, row.id, db.actor.id) if db.actor.id else []
    last = attempt or max(mine, default=0)
    execution = work.find_execution(db, row.id, last) if last in mine else None
    handed_in = wanted is TaskStatus.COMPLETED and execution is not None and execution.status == TaskStatus.IN_REVIEW
    if execution is not None and last == row.attempt and (handed_in or execution.status == wanted):
        return Completed(
            task=task_change(row), message=f"{row.id} is {row.status}: this was recorded before.", attempt=last,
            criteria=judging.told(judging.views_of(db, row.id)), unread=unread(db), ready=ready_count(db),
        )  # fmt: skip
    if row.status == TaskStatus.COMPLETED:
        worker = agents.agent_names(db, [row.worker_id]).get(row.worker_id, "operator")
        words = f"{row.id} was completed by {worker} already. claim_task() gives you another one."
        raise Conflict(words, worker=worker)
    claims.require_claim(db, row, attempt)
    raise claims.claim_lost(db, row)


def _check_finished(
    db: Transaction, row: Row, wanted: TaskStatus, summary: str, judgement: judging.Judgement
) -> list[str]:
    """Refuse to call a task done that is not; a milder project's warnings."""
    if wanted is not TaskStatus.COMPLETED:
        if not summary.strip():
            raise Invalid(f"Say in `summary` what was done and why it is {wanted}.")
        return []
    obstacles = standing.in_the_way(db, row)
    if obstacles:
        raise Blocked(
            f"Not completed: {standing.say(obstacles)}. When they are done, it can be.",
            task=row.id,
            in_the_way=obstacles,
        )
    if not summary.strip() and not judgement.views:
        raise Invalid(f"{row.id} has no criteria, so its completion needs a summary of what was done.")
    return judging.require_met(db, row, judgement, worker=True)


def finish(db: Transaction, row: Row, wanted: TaskStatus, result: dict[str, Any], report: dict[str, Any]) -> Moved:
    """End an attempt with its outcome: where a review is wanted, completed work waits for it."""
    claims.withdraw_question(db, row)
    to = wanted
    if wanted is TaskStatus.COMPLETED and (row.needs_review or db.project.require_review):
        to = TaskStatus.IN_REVIEW
    ending = {"status": to.value, "ended_at": db.now, "success": wanted is TaskStatus.COMPLETED}
    work.report_execution(db, row.id, row.attempt, report | ending)
    values = dict(result)
    if to is TaskStatus.COMPLETED:
        values |= {"completed_at": db.now, "lapses": 0}
    if wanted is TaskStatus.COMPLETED:
        values["progress"] = None
    moved = moves.move(db, row, to, str(to), values)
    if to in {TaskStatus.COMPLETED, TaskStatus.FAILED}:
        claims.end_delegation(db, row.id, DelegationState.DONE)
    tell_finished(db, moved.row, to)
    return moved


def tell_finished(db: Transaction, row: Row, to: TaskStatus) -> None:
    """Tell whom it concerns how a task ended."""
    words = {
        TaskStatus.COMPLETED: f"{row.id} {shorten(row.title)} is completed",
        TaskStatus.IN_REVIEW: f'{row.id} {shorten(row.title)} is done and waits for review_task(task="{row.id}", …)',
        TaskStatus.PARTIAL: f"{row.id} {shorten(row.title)} is partly done",
        TaskStatus.FAILED: f"{row.id} {shorten(row.title)} has failed",
        TaskStatus.CANCELLED: f"{row.id} {shorten(row.title)} is cancelled",
    }[to]
    summary = f": {shorten(row.completion_summary, 200)}" if row.completion_summary else "."
    waits = set() if to is TaskStatus.COMPLETED else telling.owners_of_waiters(db, row)
    telling.tell(db, row, to.value, words + summary, also=waits)


def _done(db: Transaction, moved: Moved, judgement: judging.Judgement, warnings: list[str]) -> Completed:
    row, freed = moved.row, moved.unblocked
    names = agents.agent_names(db, (each.assignee_id for each in freed[:SHOWN]))
    reached = [
        Reached(id=each.id, title=shorten(each.title), assignee=names.get(each.assignee_id, ""))
        for each in freed[:SHOWN]
    ]
    unlocks = f"; {len(freed)} unblocked: {', '.join(each.id for each in freed[:5])}" if freed else ""
    waits = " and waits for review" if row.status == TaskStatus.IN_REVIEW else ""
    status = "done" if waits else row.status
    return Completed(
        task=task_change(row),
        message=f"{row.id} is {status}{waits}{unlocks}.",
        criteria=judging.told(judgement.views),
        unblocked=reached,
        unblocked_more=len(freed) - len(reached),
        warnings=warnings,
        unread=unread(db),
        ready=ready_count(db),
    )
