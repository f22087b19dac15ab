"""Why a task stands still, in words, and the call that frees it: concrete but for what only its caller can say.

A `…` stands for free text (an answer, a reason, notes) and for nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.lifecycle import FINISHED, TaskStatus
from swarm_mcp.operations import judging
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.authority import is_worker, judges_besides
from swarm_mcp.repository import agents, events, messages, tree

if TYPE_CHECKING:
    from swarm_mcp.operations.attendance import Attendance
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

TRIED = {TaskStatus.PARTIAL: 2, TaskStatus.FAILED: 3}
"""How often work may end like this before its call is no longer to try again."""


def act(row: Row, action: str) -> str:
    """The call of an action on a task."""
    return f'update_task(task="{row.id}", action="{action}")'


def standing(db: Transaction, row: Row, attendance: Attendance) -> tuple[str, str]:
    """Why an open task that is not ready stands still, and which call frees it."""
    if row.archived_at is not None:
        return f"{row.status}, but archived, so that nobody sees it", act(row, "unarchive")
    if row.hold_reason is not None:
        who = agents.agent_names(db, [row.hold_by_id]).get(row.hold_by_id, "operator")
        return f"held by {who}: {shorten(row.hold_reason)}", act(row, "resume")
    if row.holder_id is not None:
        return _claimed(db, row, attendance)
    if row.status == TaskStatus.IN_REVIEW:
        return _in_review(db, row, attendance)
    return _partial(db, row, attendance)


def _claimed(db: Transaction, row: Row, attendance: Attendance) -> tuple[str, str]:
    holder = attendance.agents[row.holder_id]
    if holder.lifecycle in {"paused", "failed", "terminated"}:
        return f"claimed by {holder.name}, which is {holder.lifecycle}", act(row, "recall")
    if row.status == TaskStatus.REQUIRES_ASSISTANCE:
        return _question(db, row)
    return f"the claim of {holder.name} has lapsed", act(row, "recall")


def _question(db: Transaction, row: Row) -> tuple[str, str]:
    question = messages.open_question(db, row.id)
    if question is None:
        return "waits for an answer that nobody owes", act(row, "recall")
    asked = agents.agent_names(db, [question.asked_id]).get(question.asked_id, "operator")
    why = f"{asked} has not answered: {shorten(question.text, 120)}"
    if question.sender_id == db.actor.id:  # one cannot answer oneself, but think better of it
        attempt = f", attempt={row.attempt}"
        return why, f'report_progress(task="{row.id}", message=…, status="in_progress"{attempt})'
    return why, f'send_message(reply_to="m{question.id}", text=…)'


def _in_review(db: Transaction, row: Row, attendance: Attendance) -> tuple[str, str]:
    why, call = _unmet(db, row)
    judging_call = call or f'review_task(task="{row.id}", verdict="accept")'
    return f"waits for review{why}", _judged_by_another(db, row, judging_call, attendance)


def _partial(db: Transaction, row: Row, attendance: Attendance) -> tuple[str, str]:
    """Partial work is tried again, once; what then is still missing is given up, or what there is accepted."""
    why, call = _unmet(db, row)
    times = events.count_of(db, row.id, "partial")
    if call.startswith("update_task"):
        return f"partly done{why}", call
    if times < TRIED[TaskStatus.PARTIAL] or row.waits or row.open_subtasks:
        return "partly done, and nobody goes on", act(row, "retry")
    judging_call = call or f'review_task(task="{row.id}", verdict="accept")'
    return f"partly done {times} times{why}", _judged_by_another(db, row, judging_call, attendance)


def _unmet(db: Transaction, row: Row) -> tuple[str, str]:
    """What its criteria keep a task from, as a phrase to append, and the call that helps; empty if nothing."""
    judgement = judging.recorded(db, row)
    if not judging.is_missing(db, row, judgement):
        return "", ""
    if not judgement.views:
        return ", and needs criteria, being critical and very hard", f'update_task(task="{row.id}", add_criteria=[…])'
    unmet = len(judgement.missing)
    words = f", and {unmet} {'criterion is' if unmet == 1 else 'criteria are'} not met"
    return words, f'review_task(task="{row.id}", verdict="waive", notes=…)'


def _judged_by_another(db: Transaction, row: Row, call: str, attendance: Attendance) -> str:
    """The call itself, or, since nobody judges its own work, the message to somebody who may."""
    if not call.startswith("review_task") or not is_worker(db, row):
        return call
    judges = list(judges_besides(db, row))
    if not judges:
        return call
    whom = next((each.name for each in judges if each.id in attendance.present), "operator")
    return f'send_message(to="{whom}", task="{row.id}", text=…)'


def dead_end(db: Transaction, row: Row, waiter: str, *, is_part: bool) -> tuple[str, str]:
    """Why something that is over without being done keeps others waiting, and which call frees them."""
    if row.status == TaskStatus.CANCELLED:
        return f"cancelled, but {waiter} waits for it", _without(row, waiter)
    why = f"failed: {shorten(row.error or row.completion_summary)}"
    times = events.count_of(db, row.id, "failed")
    if times < TRIED[TaskStatus.FAILED]:
        return why, act(row, "retry")
    why = f"failed {times} times, the last time: {shorten(row.error or row.completion_summary)}"
    if not is_part:
        return why, _without(row, waiter)
    below = any(each.status not in FINISHED for each in tree.descendants(db, row.id))
    subtree = ", subtree=True" if below or row.open_subtasks else ""
    return why, f'update_task(task="{row.id}", action="cancel"{subtree})'


def _without(row: Row, waiter: str) -> str:
    return f'update_task(task="{waiter}", drop_depends_on=["{row.id}"])'


def unclaimed(row: Row, lane: str, attendance: Attendance) -> str:
    """The call by which a ready task that nobody takes gets somebody."""
    to = attendance.substitute(lane) if lane or attendance.reader.is_operator else ""
    if not lane and not to:  # whoever reads this may take it; the operator, who holds nothing, can only wait for one
        return f'claim_task(task="{row.id}")'
    return f'delegate(task="{row.id}", to="{to}")' if to else f'update_task(task="{row.id}", clear=["assignee"])'
