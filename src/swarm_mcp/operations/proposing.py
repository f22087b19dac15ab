"""What a proposal names: under what it shall stand, what it waits for, and whose it shall be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.agent import AgentRole
from swarm_mcp.model.draft import PlanItem, read_edge
from swarm_mcp.model.errors import NotAllowed, Refusal, gathered, noting
from swarm_mcp.operations import naming, placing
from swarm_mcp.operations.authority import has_authority, is_own
from swarm_mcp.operations.placing import Placement
from swarm_mcp.repository import tasks, tree

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


def checked(
    db: Transaction, draft: PlanItem, above: Row | None, refs: set[str], warnings: list[str], mistakes: list[Refusal]
) -> Placement:
    """A draft checked and resolved as far as it can be; everything that is wrong with it is added to the mistakes."""
    new: Placement | None = None
    with noting(mistakes):
        new = placing.check_draft(draft)
    new = new or Placement(draft)
    with noting(mistakes):
        _resolve(db, new, above, refs, warnings)
    return new


def _resolve(db: Transaction, new: Placement, above: Row | None, refs: set[str], warnings: list[str]) -> None:
    """Find what a draft names: its parent, what it waits for, and whose it shall be.

    Raises:
        Refusal: names that mean nothing, or that the caller may not use.

    """
    draft = new.draft
    wrong: list[Refusal] = []
    with noting(wrong):
        new.parent = _parent_of(db, draft, above, refs, warnings)
    for edge in draft.depends_on:
        with noting(wrong):
            other, kind = read_edge(edge)
            new.blockers.append((other if other in refs else tasks.resolve_task(db, other).id, kind))
    new.blockers = list(dict.fromkeys(new.blockers))
    with noting(wrong):
        if draft.assignee.strip() and not _beside(db, new.parent, refs):
            new.place = naming.assignable(db, draft.assignee, warnings)
    if wrong:
        raise gathered(wrong)
    if new.columns.get("priority") == "critical" and new.columns["complexity"] == "very_high" and not new.criteria:
        warnings.append(f"`{draft.title[:40]}` is critical and very hard: it cannot be completed without criteria.")


def _parent_of(db: Transaction, draft: PlanItem, above: Row | None, refs: set[str], warnings: list[str]) -> str:
    """The id, or the ref, under which a draft shall stand; "" is the top."""
    name = draft.parent.strip()
    if name in refs:
        return name
    if name and (above is None or name != above.id):
        above = find_parent(db, name, warnings)
    return above.id if above is not None else ""


def find_parent(db: Transaction, name: str, warnings: list[str]) -> Row | None:
    """Under what a new task may stand, or None for the top.

    Workers create under what they hold or are assigned; whatever else they discover goes beside that.

    Raises:
        NotAllowed: the caller has no say over the parent.
        IllegalMove: the parent is finished or in review.

    """
    row = tasks.resolve_task(db, name) if name.strip() else None
    if db.actor.role is AgentRole.WORKER and not db.actor.is_operator:
        row = _parent_for_worker(db, row, warnings)
    elif row is not None and not is_own(db.actor, row) and not has_authority(db, row):
        raise NotAllowed(
            f"{db.actor.name} may not create under {row.id}: it needs authority over it, or to be its assignee or "
            "holder."
        )
    if row is not None:
        placing.check_open_parent(row)
    return row


def _parent_for_worker(db: Transaction, row: Row | None, warnings: list[str]) -> Row | None:
    if row is not None and not _beside(db, row.id, set()):
        return row
    own = tasks.own_open_task(db, db.actor.id or "")
    if own is None:
        raise NotAllowed(
            f"{db.actor.name} is a worker and creates tasks only under one that it holds or is assigned: "
            'claim_task() first, or send_message(to="superior", text=…) with what you found.'
        )
    beside = tasks.find_task(db, own.parent_id) if own.parent_id else None
    where = f"under {beside.id}, beside" if beside is not None else "at the top, beside"
    warnings.append(f"You are a worker: this went {where} {own.id}, assigned to nobody.")
    return beside


def _beside(db: Transaction, parent: str, refs: set[str]) -> bool:
    """Whether a worker's discovery goes beside its own work, where it hands nothing to anybody."""
    if db.actor.role is not AgentRole.WORKER or db.actor.is_operator or parent in refs:
        return False
    row = tasks.find_task(db, parent) if parent else None
    return row is None or not (
        is_own(db.actor, row) or any(is_own(db.actor, each) for each in tree.ancestors(db, row.id))
    )


def unassign_discoveries(db: Transaction, news: dict[str, Placement]) -> None:
    """What a worker discovers goes beside its own work unassigned, and so does what it puts under that."""
    for new in news.values():
        top = new
        while top.parent in news:  # which is a tree by now
            top = news[top.parent]
        if new.place.label and top is not new and _beside(db, top.parent, set()):
            new.place = naming.Place()
