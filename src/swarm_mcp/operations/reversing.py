"""Reversals of what a task says and where it stands: words, parent, edges, criteria, the archive.

Each is the change that takes a recorded one back, with every check that this change has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.draft import read_edge
from swarm_mcp.model.errors import Conflict, IllegalMove, NotAllowed
from swarm_mcp.model.lifecycle import SETTLED, WAITING, TaskStatus
from swarm_mcp.model.task import CriterionOutcome, EdgeType
from swarm_mcp.operations import acting, changing, moves, placing, regrouping
from swarm_mcp.operations.authority import has_worked, others_with_authority
from swarm_mcp.repository import agents, events, graph, tasks, tree, work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

S = TaskStatus
OF_THE_CLAIM = frozenset({"status", "holder_id", "worker_id", "attempt", "started_at"})
"""What an undo leaves to the lifecycle: a claim is not given back."""
BACK_IN_QUEUE = WAITING | {S.CANCELLED, S.FAILED}
"""Where a task depends no longer on what was true when it was claimed."""
LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """A recorded change of a task, and the task as it is now."""

    event: Row
    row: Row
    warnings: list[str] = field(default_factory=list)

    @property
    def data(self) -> dict[str, Any]:
        """What the ledger says of it."""
        return self.event.data

    @property
    def undoes(self) -> dict[str, Any]:
        """What the ledger is to say of its undoing."""
        return {"undoes": self.event.seq}


def changed_since(db: Transaction, change: Change, name: str, words: str = "") -> Conflict:
    """The refusal of what is not any more as the event left it, with the event that changed it.

    Args:
        db: the transaction.
        change: what was to be undone.
        name: what the later event's data have it under.
        words: what has happened, as a phrase without "since".

    """
    latest = events.latest_task_events(db, change.row.id, limit=LOOKED_AT)
    later = next((each for each in latest if each.seq > change.event.seq and name in each.data), None)
    by = f" by event {later.seq} ({later.kind})" if later is not None else ""
    what = words or f"`{name}` of {change.row.id} has changed"
    return Conflict(
        f"Event {change.event.seq} cannot be undone: {what} since{by}. Undo that first, or change it anew.",
        task=change.row.id,
        changed=name,
        event=later.seq if later is not None else None,
    )


def before(db: Transaction, change: Change, names: Iterable[str]) -> dict[str, Any]:
    """The columns of an event as they were before it; refused unless they all still are as it left them."""
    found: dict[str, Any] = {}
    for name in sorted(moves.VERSIONED & set(names) & set(change.data)):
        was, became = (moves.read_back(name, value) for value in change.data[name])
        if getattr(change.row, name) != became:
            raise changed_since(db, change, name)
        found[name] = was
    return found


def check_unclaimed(db: Transaction, change: Change, task_ids: Iterable[str], *, returned: bool = True) -> None:
    """Refuse if somebody has claimed one of these tasks since, and (if `returned` counts) has not given it back."""
    rows = tasks.locked_rows(db, task_ids)
    asked = [each for each, row in rows.items() if not returned or row.status not in BACK_IN_QUEUE]
    for claim in reversed(events.claims_since(db, asked, change.event.seq)):
        who = agents.agent_names(db, [claim.agent_id])[claim.agent_id]
        raise Conflict(
            f"Event {change.event.seq} cannot be undone: {who} has claimed {claim.task_id} since (event {claim.seq}).",
            task=claim.task_id,
            agent=who,
            event=claim.seq,
        )


def words(db: Transaction, change: Change) -> None:
    """Title, description, priority and whatever else was edited become what they were."""
    row, values = change.row, before(db, change, moves.VERSIONED - OF_THE_CLAIM)
    if values.get("needs_review") is False and has_worked(db, row) and others_with_authority(db, row):
        raise NotAllowed(f"{db.actor.name} worked on {row.id}; somebody else with authority must waive its review.")
    moves.change(db, change.row, "undone", values, change.undoes)


def parent(db: Transaction, change: Change) -> None:
    """Move a task back under the parent that it had, or to the top."""
    row, former = change.row, before(db, change, ["parent_id"])["parent_id"]
    above = tasks.task_row(db, former) if former else None
    hindered: list[str] = []
    if above is not None:
        if row.status not in SETTLED:
            placing.check_open_parent(above)
            hindered.append(above.id)
        if above.gates + int(moves.gating(above)) > row.gates:
            hindered += tree.subtree_ids(db, row.id)
    check_unclaimed(db, change, hindered)
    regrouping.set_parent(db, row, above, "undone", change.undoes)


def _edges(change: Change, how: str) -> list[tuple[str, EdgeType]]:
    return [read_edge(each) for each in change.data["edges"].get(how, [])]


def unlink(db: Transaction, change: Change) -> None:
    """Drop the edges that were added."""
    wanted = _edges(change, "added")
    here = {(each.depends_on_id, each.type) for each in graph.edges_of(db, change.row.id)}
    for other, kind in wanted:
        if (other, kind.value) not in here:
            raise changed_since(db, change, "edges", f"{kind}:{other} was dropped from {change.row.id}")
    regrouping.drop_edges(db, change.row, wanted, "undone", change.undoes)


def relink(db: Transaction, change: Change) -> None:
    """Add the edges that were dropped, if they close no cycle."""
    wanted = [(tasks.task_row(db, other), kind) for other, kind in _edges(change, "dropped")]
    here = {(each.depends_on_id, each.type) for each in graph.edges_of(db, change.row.id)}
    for other, kind in wanted:
        if (other.id, kind.value) in here:
            raise changed_since(db, change, "edges", f"{kind}:{other.id} was added to {change.row.id} again")
    if any(kind is EdgeType.BLOCKS and other.status != S.COMPLETED for other, kind in wanted):
        check_unclaimed(db, change, tree.subtree_ids(db, change.row.id))
    placing.add_edges(db, change.row, wanted, "undone", change.undoes)


def archive(db: Transaction, change: Change) -> None:
    """Back into the lists, or out of them."""
    values = before(db, change, ["archived_at"])
    if values["archived_at"] is not None:
        acting.check_archivable(db, change.row)
    moves.change(db, change.row, "undone", values, change.undoes)


def criteria(db: Transaction, change: Change) -> None:
    """Take criteria away that were added, and put those back that were dropped."""
    row, were, are = change.row, change.data.get("were"), change.data.get("are")
    if row.status in SETTLED:
        raise IllegalMove(f"{row.id} is {row.status}; its criteria are settled.", status=row.status)
    if were is None or are is None:
        raise IllegalMove(f"Event {change.event.seq} cannot be undone: the ledger does not hold those criteria.")
    here = {each.position: each for each in work.criteria(db, row.id)}
    for n, text, check in are:
        if n not in here or (here[n].text, here[n].measurable) != (text, check):
            raise changed_since(db, change, "dropped", f"criterion {n} of {row.id} was dropped")
    if are:
        changing.check_waiver(db, row)
        work.drop_criteria(db, row.id, [n for n, _, _ in are])
    free = set(here) - {n for n, _, _ in are}
    for n, text, check, outcome, evidence, reason in were:
        if n in free:
            raise changed_since(db, change, "added", f"{row.id} has got another criterion {n}")
        judged = {"outcome": outcome, "evidence": evidence, "reason": reason}
        work.restore_criterion(db, row.id, n, (text, check), judged)
    moves.record(db, "undone", row, change.undoes)


def waiver(db: Transaction, change: Change) -> None:
    """Criteria that were waived are wanted again."""
    row = change.row
    if row.status in SETTLED:
        raise IllegalMove(f"{row.id} is {row.status}; its criteria are settled.", status=row.status)
    here = {each.position: each for each in work.criteria(db, row.id)}
    for n in change.data["waived"]:
        if n not in here or here[n].outcome != CriterionOutcome.WAIVED:
            raise changed_since(db, change, "dropped", f"criterion {n} of {row.id} was dropped or judged")
        work.set_criterion(db, row.id, n, outcome=CriterionOutcome.OPEN, evidence=here[n].evidence, reason="")
    moves.record(db, "undone", row, change.undoes)
