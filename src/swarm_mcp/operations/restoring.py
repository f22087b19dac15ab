"""Reversals of what became of a task: its status, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import Blocked, IllegalMove
from swarm_mcp.model.lifecycle import CLAIMED, FINISHED, SETTLED, WAITING, TaskStatus
from swarm_mcp.model.task import CriterionOutcome, DelegationState
from swarm_mcp.operations import acting, claims, judging, moves, naming, placing, standing
from swarm_mcp.operations.reversing import OF_THE_CLAIM, before, changed_since, check_unclaimed
from swarm_mcp.repository import agents, graph, tasks, tree, work

if TYPE_CHECKING:
    from swarm_mcp.operations.reversing import Change
    from swarm_mcp.repository.database import Transaction

S = TaskStatus
OF_THE_PLACE = frozenset({*moves.PLACE, "reserved_from", "delegator_id", "priority"})
HANDED_IN = frozenset({"completed", "in_review", "partial", "failed"})
"""Events by which a worker handed its work in, with evidence."""


def status(db: Transaction, change: Change) -> None:
    """The task is again what it was; what was claimed then is in the queue."""
    row = change.row
    check_unclaimed(db, change, [row.id], returned=False)
    was, became = change.data.get("status", ["pending", "pending"])
    if not (row.status == became or {row.status, became} <= WAITING):
        raise changed_since(db, change, "status")
    if row.archived_at is not None:
        raise changed_since(db, change, "archived_at", f"{row.id} was archived")
    values = before(db, change, moves.VERSIONED - OF_THE_CLAIM)
    to = TaskStatus(was)
    _check_receiver(db, change, values if to in FINISHED else {"assignee_id": row.assignee_id, **values})
    _check_surroundings(db, change, to, values)
    if to in WAITING | CLAIMED:
        if change.event.kind in HANDED_IN:
            work.reopen_criteria(db, row.id)
        anew = {"lapses": 0, "progress": None} if row.status not in WAITING else {}
        moves.requeue(db, row, "undone", {**values, **anew}, change.undoes)
    else:
        _check_done(db, change, to, values)
        moves.move_back(db, row, to, values, change.undoes)
        _review_again(db, change, to)
    if row.status not in WAITING or to not in WAITING | CLAIMED:
        _settle_delegations(db, row.id)


def hold_again(db: Transaction, change: Change) -> None:
    """Put a hold back that was lifted. An answered question is not asked again."""
    if "hold_reason" not in change.data:
        raise IllegalMove(f"Event {change.event.seq} cannot be undone: what was said, an answer too, stays said.")
    status(db, change)


def _check_surroundings(db: Transaction, change: Change, to: TaskStatus, values: dict[str, Any]) -> None:
    """Refuse if open work would lie under finished work, or stand in the way of what was claimed meanwhile."""
    row = change.row
    if row.parent_id and row.status in FINISHED and to not in SETTLED:
        placing.check_open_parent(tasks.task_row(db, row.parent_id))
    hindered: list[str] = []
    if row.status == S.COMPLETED:
        for waiter in graph.waiters(db, row.id):
            hindered += tree.subtree_ids(db, waiter.id)
    if row.status in SETTLED and to not in SETTLED and row.parent_id:
        hindered.append(row.parent_id)
    if values.get("hold_reason") is not None:
        hindered += tree.subtree_ids(db, row.id)
    check_unclaimed(db, change, hindered)


def _check_done(db: Transaction, change: Change, to: TaskStatus, values: dict[str, Any]) -> None:
    """Refuse to call a task again what it could not become as things stand."""
    row = change.row
    if values.get("hold_reason", row.hold_reason) is not None:
        raise changed_since(db, change, "hold_reason", f"{row.id} is held")
    if to in {S.COMPLETED, S.IN_REVIEW}:
        obstacles = standing.in_the_way(db, row)
        if obstacles:
            sentence = f"Event {change.event.seq} cannot be undone: {standing.say(obstacles)}."
            raise Blocked(sentence, task=row.id, in_the_way=obstacles)
    if to is S.COMPLETED:
        open_now = {each.position for each in work.criteria(db, row.id) if each.outcome == CriterionOutcome.OPEN}
        for n, outcome, evidence, reason in change.data.get("criteria", []):
            if n in open_now:
                work.set_criterion(db, row.id, n, outcome=outcome, evidence=evidence, reason=reason)
        judging.require_met(db, row, judging.recorded(db, row), worker=False)
    unfinished = acting.unfinished_below(db, row) if to is S.CANCELLED else []
    if unfinished:
        raise Blocked(
            f"Event {change.event.seq} cannot be undone: {row.id} has {len(unfinished)} unfinished "
            f"{'subtask' if len(unfinished) == 1 else 'subtasks'}. "
            f'update_task(task="{row.id}", action="cancel", subtree=True) cancels all of it.',
            task=row.id,
        )


def _review_again(db: Transaction, change: Change, to: TaskStatus) -> None:
    """What a review made of an attempt is taken back with the verdict."""
    if change.event.kind in {"accepted", "failed"} and to in {S.IN_REVIEW, S.PARTIAL}:
        ending = {"status": to.value, "success": to is S.IN_REVIEW}
        work.report_execution(db, change.row.id, change.row.attempt, ending)


def _settle_delegations(db: Transaction, task_id: str) -> None:
    """The delegations by which a task lies where it lies are live, and no others; of a finished one, none."""
    row = tasks.task_row(db, task_id)
    if row.status in FINISHED:
        cancelled = row.status == S.CANCELLED
        claims.end_delegation(db, row.id, DelegationState.RECALLED if cancelled else DelegationState.DONE)
        return
    claims.end_delegation(db, row.id, DelegationState.RECALLED, "undone")
    claims.offer_again(db, row)
    live = work.live_delegation(db, row.id)
    if live is not None and row.status not in WAITING:
        work.update_delegation(db, live.id, state=DelegationState.ACCEPTED)


def place(db: Transaction, change: Change) -> None:
    """Give a task back to whoever had it, with the delegation by which it had it."""
    row = change.row
    if row.status in FINISHED or row.status == S.IN_REVIEW:
        raise moves.illegal(row, "lie elsewhere")
    check_unclaimed(db, change, [row.id])
    values = before(db, change, OF_THE_PLACE)
    if not values:
        raise IllegalMove(
            f"Event {change.event.seq} cannot be undone: it ended a claim, and claims are not given back. "
            f'delegate(task="{row.id}", to=…) hands it to somebody.'
        )
    lies = [values.get(name, getattr(row, name)) for name in moves.PLACE]
    if sum(each is not None for each in lies) > 1:
        name = next(each for each in moves.PLACE if getattr(row, each) is not None)
        raise changed_since(db, change, name)
    _check_receiver(db, change, values)
    moves.change(db, row, "undone", values, change.undoes)
    if set(values) - {"priority", "delegator_id"}:
        _settle_delegations(db, row.id)
    if change.event.kind == "delegated":
        _remind_of_criteria(db, change)


def _check_receiver(db: Transaction, change: Change, values: dict[str, Any]) -> None:
    """Refuse to give a task back to an agent that has ended."""
    if values.get("assignee_id"):
        naming.check_handing_to(db, agents.agent_row(db, values["assignee_id"]), change.warnings)


def _remind_of_criteria(db: Transaction, change: Change) -> None:
    handed = [each for each in work.delegations(db, change.row.id) if each.id == change.data.get("delegation")]
    said = {text for each in handed for text in each.success_criteria}
    kept = [str(each.position) for each in work.criteria(db, change.row.id) if each.text in said]
    if kept:
        change.warnings.append(f"Criteria {', '.join(kept)}, which came with the delegation, stay.")
