"""Reviewing: accepting finished work, sending it back, waiving criteria, saying how good it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.errors import Blocked, IllegalMove, Invalid, NotAllowed
from swarm_mcp.model.lifecycle import FINISHED, TaskStatus
from swarm_mcp.model.task import CriterionOutcome, DelegationState, ExecutionStatus, Written
from swarm_mcp.operations import claims, completing, judging, moves, standing, telling
from swarm_mcp.operations.answering import ready_count, shorten, task_change, unread
from swarm_mcp.operations.authority import is_worker, others_with_authority, require_authority
from swarm_mcp.operations.catalog import DIRECTING, operation
from swarm_mcp.repository import tasks, work

if TYPE_CHECKING:
    from collections.abc import Callable

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

BEST = 5
REVIEWABLE = frozenset({TaskStatus.IN_REVIEW, TaskStatus.PARTIAL})


@operation(profiles=DIRECTING)
def review_task(
    db: Transaction,
    *,
    task: str,
    verdict: arg.Text = "",
    quality: arg.Rating = 0,
    timeliness: arg.Rating = 0,
    notes: arg.Text = "",
) -> Written:
    """Judge work: accept, rework, fail, waive (unmet criteria; needs notes), or ratings 1-5 alone."""
    row = tasks.resolve_task(db, task)
    for name, rating in (("quality", quality), ("timeliness", timeliness)):
        if not 0 <= rating <= BEST:
            raise Invalid(f"{name} is 1 (very poor) to 5 (excellent), or 0 for no rating; got {rating}.")
    word = verdict.strip().lower()
    if word and word not in VERDICTS:
        raise Invalid(f"`{verdict[:40]}` is no verdict: accept, rework, fail, waive, or none with ratings.")
    if not word and not (quality or timeliness or notes.strip()):
        raise Invalid("Say a verdict (accept, rework, fail, waive), or rate it.")
    require_authority(db, row, "review")
    worker = row.worker_id
    message, after, warnings = VERDICTS[word](db, row, notes) if word else ("Noted", row, [])
    work.insert_feedback(
        db,
        {
            "task_id": row.id, "by_id": db.actor.id, "worker_id": worker, "quality": quality or None,
            "timeliness": timeliness or None, "notes": notes, "verdict": word,
        },
    )  # fmt: skip
    if not word:
        moves.record(db, "rated", row, {"quality": quality, "timeliness": timeliness})
    said = f": {shorten(notes, 200)}" if notes.strip() else "."
    words = f"{db.actor.name} reviewed {row.id} ({word or 'ratings'}){said}"
    telling.tell(db, after, "reviewed", words, also=(worker,))
    return Written(
        task=task_change(after), message=f"{message}: {row.id} is {after.status}.", warnings=warnings,
        unread=unread(db), ready=ready_count(db),
    )  # fmt: skip


def _judge_of_others(db: Transaction, row: Row, what: str) -> list[str]:
    """Nobody judges its own work, unless nobody else could."""
    if not is_worker(db, row):
        return []
    if others_with_authority(db, row):
        raise NotAllowed(f"{db.actor.name} worked on {row.id} and cannot {what} it; somebody else with authority must.")
    done = {"accept": "self-accepted", "waive": "self-waived"}[what]
    return [f"Nobody else could judge this: recorded as {done}."]


def _accept(db: Transaction, row: Row, notes: str) -> tuple[str, Row, list[str]]:
    if row.status not in REVIEWABLE:
        raise moves.illegal(row, "be accepted", " Only work in review, or partial work, is accepted.")
    alone = _judge_of_others(db, row, "accept")
    obstacles = standing.in_the_way(db, row)
    if obstacles:
        raise Blocked(f"Not accepted: {standing.say(obstacles)}.", task=row.id, in_the_way=obstacles)
    warnings = alone + judging.require_met(db, row, judging.recorded(db, row), worker=False)
    data = {"self_accepted": True} if alone else None
    values = {"completed_at": db.now, "lapses": 0, "progress": None}
    moved = moves.move(db, row, TaskStatus.COMPLETED, "accepted", values, data)
    work.report_execution(db, row.id, row.attempt, {"status": ExecutionStatus.COMPLETED.value, "success": True})
    claims.end_delegation(db, row.id, DelegationState.DONE)
    _ = notes
    return "Accepted", moved.row, warnings


def _rework(db: Transaction, row: Row, notes: str) -> tuple[str, Row, list[str]]:
    if row.status not in REVIEWABLE:
        raise moves.illegal(
            row, "be sent back", f' update_task(task="{row.id}", action="reopen") reopens finished work.'
        )
    if not notes.strip():
        raise Invalid("Say in `notes` what is to be done again.")
    return "Sent back", moves.requeue(db, row, "sent_back", {"progress": None}).row, []


def _fail(db: Transaction, row: Row, notes: str) -> tuple[str, Row, list[str]]:
    if row.status not in REVIEWABLE:
        raise moves.illegal(row, "be failed by a review", " Only work in review, or partial work, is.")
    if not notes.strip():
        raise Invalid("Say in `notes` why it has failed.")
    moved = moves.move(db, row, TaskStatus.FAILED, "failed", {"error": notes})
    work.report_execution(db, row.id, row.attempt, {"status": ExecutionStatus.FAILED.value, "success": False})
    claims.end_delegation(db, row.id, DelegationState.DONE)
    completing.tell_finished(db, moved.row, TaskStatus.FAILED)
    return "Failed", moved.row, []


def _waive(db: Transaction, row: Row, notes: str) -> tuple[str, Row, list[str]]:
    if row.status in FINISHED:
        raise IllegalMove(f"{row.id} is {row.status}; there is nothing left to waive.")
    if not notes.strip():
        raise Invalid("A waiver needs `notes` that say why.")
    warnings = _judge_of_others(db, row, "waive")
    unmet = [each for each in work.criteria(db, row.id) if each.outcome not in judging.SATISFIED]
    if not unmet:
        raise Invalid(f"Every criterion of {row.id} is met already; there is nothing to waive.")
    for each in unmet:
        work.set_criterion(
            db, row.id, each.position, outcome=CriterionOutcome.WAIVED, evidence=each.evidence, reason=notes
        )
    data = {"waived": [each.position for each in unmet], **({"self_waived": True} if warnings else {})}
    moves.record(db, "criteria_waived", row, data)
    return f"Waived {len(unmet)}", row, warnings


VERDICTS: dict[str, Callable[[Transaction, Row, str], tuple[str, Row, list[str]]]] = {
    "accept": _accept,
    "rework": _rework,
    "fail": _fail,
    "waive": _waive,
}
