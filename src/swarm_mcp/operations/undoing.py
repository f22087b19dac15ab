"""Undoing: a recorded change is taken back by another one, recorded too, under every check that this has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.agent import ENDED
from swarm_mcp.model.errors import IllegalMove, NotAllowed, NotFound
from swarm_mcp.model.task import Written
from swarm_mcp.operations import moves, restoring, reversing, telling
from swarm_mcp.operations.answering import shorten, task_change, unread
from swarm_mcp.operations.catalog import SCRIPTS, operation
from swarm_mcp.operations.reversing import Change
from swarm_mcp.repository import agents, events, graph, tasks, tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

REVERSALS: dict[str, Callable[[Transaction, Change], None]] = {
    "edited": reversing.words, "moved": reversing.parent, "linked": reversing.unlink, "unlinked": reversing.relink,
    "archived": reversing.archive, "unarchived": reversing.archive, "criteria_changed": reversing.criteria,
    "criteria_waived": reversing.waiver,
    "held": restoring.status, "resumed": restoring.hold_again, "cancelled": restoring.status,
    "completed": restoring.status, "in_review": restoring.status, "accepted": restoring.status,
    "partial": restoring.status, "failed": restoring.status, "sent_back": restoring.status,
    "reopened": restoring.status, "retried": restoring.status, "requeued": restoring.status,
    "delegated": restoring.place, "recalled": restoring.place, "unassigned": restoring.place,
    "reservation_ended": restoring.place,
}  # fmt: skip
"""By the kind of the event."""

CREATED = 'a creation is not undone. update_task(task="{task}", action="cancel") ends the task'
CLAIM_ENDED = 'it ended a claim, and claims are not given back. delegate(task="{task}", to=…) hands it to somebody'
SAID = "what was said or shared stays said"
FOLLOWED = "it followed from another change. Undo that one"
NEVER = {
    "created": CREATED, "imported": CREATED,
    "claimed": 'a claim is not undone. update_task(task="{task}", action="recall", reason=…) ends it',
    "released": CLAIM_ENDED, "lapsed": CLAIM_ENDED, "waited": CLAIM_ENDED, "split": CLAIM_ENDED,
    "handed_on": CLAIM_ENDED, "blocked": FOLLOWED, "unblocked": FOLLOWED, "progressed": SAID, "asked": SAID,
    "question_passed_on": SAID, "context_shared": SAID, "rated": SAID,
    "undone": "an undo is not undone. Make the change again",
}  # fmt: skip
"""Why the others are not undone, as the rest of a sentence."""
SHOWN = 5


@operation(profiles=SCRIPTS, destroys=True)
def undo(db: Transaction, *, event: arg.Whole) -> Written:
    """Take a recorded change back. `event` is its number, with which each line of a task's history begins.

    Allowed while everything that it changed is still as it left it, and nothing that was claimed since depends on it;
    for the operator and root directors.

    Raises:
        NotAllowed: for others.
        NotFound: no such event in this project.
        Conflict: something has changed since, or somebody has claimed; says what, and by which event.
        Refusal: this kind of change is not undone, or the reverse change is refused as it would be by itself.

    """
    _check_may_undo(db)
    found = events.find_event(db, event) if abs(event) < arg.LARGEST_NUMBER else None
    if found is None:
        raise NotFound(
            f'No event {event} in this project. get_task(task=…, include=["history"]) shows the numbers.', event=event
        )
    why = _why_never(found)
    if why:
        raise IllegalMove(f"Event {event} ({found.kind}) cannot be undone: {why}.", event=event, kind=found.kind)
    graph.lock_graph(db)
    before = tasks.task_row(db, found.task_id)
    change = Change(found, before)
    REVERSALS[found.kind](db, change)
    row = tasks.task_row(db, before.id)
    _tell(db, change, row)
    others = _others(db, found)
    return Written(
        task=task_change(row),
        message=f"Event {event} ({found.kind}) is undone: {row.id} {shorten(row.title)} is {row.status}.{others}",
        warnings=change.warnings,
        unread=unread(db),
    )


def _check_may_undo(db: Transaction) -> None:
    if db.actor.is_operator or db.actor.is_root:
        return
    root = next((each.name for each in agents.root_directors(db) if each.lifecycle not in ENDED), "operator")
    raise NotAllowed(
        f"{db.actor.name} may not undo: root directors and the operator may. "
        f'send_message(to="{root}", text=…) asks for it.',
        ask=root,
    )


def _why_never(found: Row) -> str:
    """Why an event is of no kind that can be undone, as the rest of a sentence; "" if it may be."""
    if found.task_id is None or found.kind not in REVERSALS:
        why = NEVER.get(found.kind, "only changes of tasks are undone. Make the opposite change")
        return why.format(task=found.task_id)
    changed = moves.VERSIONED | {"edges", "waived", "dropped"}
    return "" if changed & set(found.data) else "it changed nothing"


def _tell(db: Transaction, change: Change, row: Row) -> None:
    """Whoever has to do with the task now, or had before it was undone."""
    what = f"{change.event.kind}, event {change.event.seq}"
    words = f"{db.actor.name} has undone a change of {row.id} {shorten(row.title)} ({what}); it is {row.status}."
    also = {change.row.assignee_id, change.row.holder_id, change.row.delegator_id, row.worker_id}
    telling.tell(db, row, "undone", words, also=also)


def _others(db: Transaction, found: Row) -> str:
    """What the same call did besides to the tasks around, and can be undone by itself."""
    below = set(tree.subtree_ids(db, found.task_id)) if found.kind == "cancelled" else set()
    others = [
        each
        for each in events.events_beside(db, found)
        if each.data.get("because_of") == found.task_id
        or (each.kind == "cancelled" and each.task_id != found.task_id and each.task_id in below)
    ]
    if not others:
        return ""
    shown = ", ".join(f"{each.seq} ({each.task_id} {each.kind})" for each in others[:SHOWN])
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    return f" With it went {shown}{more}, which can be undone too."
