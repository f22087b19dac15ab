"""Delegating: handing a task down, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.draft import check_texts, read_edge
from swarm_mcp.model.errors import Conflict, Invalid, NotAllowed
from swarm_mcp.model.lifecycle import CLAIMED, FINISHED, Priority, TaskStatus, choose
from swarm_mcp.model.task import Delegated, DelegationState, ExecutionStatus
from swarm_mcp.operations import claims, moves, naming, placing, routing, telling
from swarm_mcp.operations.answering import ready_count, shorten, task_change, unread
from swarm_mcp.operations.authority import has_authority, is_own, whom_to_ask
from swarm_mcp.operations.catalog import DIRECTING, operation
from swarm_mcp.repository import agents, graph, tasks, teams, work

if TYPE_CHECKING:
    from swarm_mcp.operations.naming import Place
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

LIMITS = {
    "required_resources": 20, "success_criteria": 10, "risk_factors": 10, "depends_on": 50,
    "context_requirements": 20, "expected_deliverables": 15,
}  # fmt: skip
MINUTES_LIMIT = 480


@operation(profiles=DIRECTING, repeatable=True, long=True)
def delegate(
    db: Transaction,
    *,
    task: str,
    to: arg.Text,
    reasoning: arg.Text = "",
    expected_deliverables: arg.Texts = [],
    required_resources: arg.Texts = [],
    success_criteria: arg.Texts = [],
    risk_factors: arg.Texts = [],
    context_requirements: arg.Texts = [],
    depends_on: arg.Texts = [],
    priority: arg.Priority = "",
    estimated_minutes: int = 0,
) -> Delegated:
    """Hand a task down and say why. `to`: an agent, team or specialty, or auto: whoever below fits best."""
    graph.lock_graph(db)  # whoever gets the task must not end meanwhile
    row = tasks.resolve_task(db, task)
    said = _read_lists({
        "expected_deliverables": expected_deliverables, "required_resources": required_resources,
        "success_criteria": success_criteria, "risk_factors": risk_factors,
        "context_requirements": context_requirements, "depends_on": depends_on,
    })  # fmt: skip
    if not 0 <= estimated_minutes <= MINUTES_LIMIT:
        raise Invalid(f"estimated_minutes is 1 to {MINUTES_LIMIT}, or 0 for none; got {estimated_minutes}.")
    urgency = choose(priority, Priority, "priority").value if priority.strip() else ""
    edges = [(tasks.resolve_task(db, name), kind) for name, kind in map(read_edge, said["depends_on"])]
    _check_delegable(db, row)
    warnings: list[str] = []
    place, why = _whom(db, row, to, warnings)
    reasoning = "; ".join(each for each in (reasoning.strip(), why and f"chosen by itself: {why}") if each)
    had_it = row.assignee_id
    columns = _columns(db, row, place, urgency)
    before = _take_over(db, row, place)
    row = _out_of_hands(db, row)
    words: dict[str, Any] = {
        **said, "reasoning": reasoning, "priority": urgency, "estimated_minutes": estimated_minutes or None,
        "depends_on": [other.id for other, _ in edges],
    }  # fmt: skip
    delegation = placing.offer(db, row, place, words, before=before)
    told = {"to": place.label, "reasoning": reasoning, "delegation": delegation}
    moved = moves.change(db, row, "delegated", columns, told)
    row = moved.row
    _add_criteria(db, row, said["success_criteria"])
    row, sentences = placing.add_edges(db, row, edges) if edges else (row, [])
    _tell(db, row, place, reasoning, had_it)
    edges_said = f"; {'; '.join(sentences)}" if sentences else ""
    return Delegated(
        task=task_change(row, assignee=place.label),
        message=f"{row.id} is handed to {place.label}, {row.status}{edges_said}.{f' {why}' if why else ''}",
        chosen=place.label if why else "",
        why=why,
        warnings=warnings,
        unread=unread(db),
        ready=ready_count(db),
        delegation=delegation,
    )


def _read_lists(given: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is said with a delegation, each list within its limit."""
    return {name: check_texts(list(said), name, limit=LIMITS[name]) for name, said in given.items()}


def _add_criteria(db: Transaction, row: Row, texts: list[str]) -> None:
    """Add what the delegate is to reach to what the task wants already."""
    last = max((each.position for each in work.criteria(db, row.id)), default=0)
    work.insert_criteria(db, row.id, [(text, "") for text in texts], after=last)


def _check_delegable(db: Transaction, row: Row) -> None:
    """Refuse work that is finished, in review, claimed by another, or none of the caller's business."""
    if row.status in FINISHED or row.status == TaskStatus.IN_REVIEW:
        raise moves.illegal(row, "be delegated")
    if not has_authority(db, row) and not is_own(db.actor, row):
        raise NotAllowed(f"{db.actor.name} may not delegate {row.id}: ask {whom_to_ask(db, row)}.")
    if row.status in CLAIMED and row.holder_id != db.actor.id:
        holder = agents.agent_names(db, [row.holder_id])[row.holder_id]
        raise Conflict(
            f'{holder} holds {row.id}. update_task(task="{row.id}", action="recall", reason=…) ends that claim first.',
            task=row.id,
            holder=holder,
        )


def _whom(db: Transaction, row: Row, to: str, warnings: list[str]) -> tuple[Place, str]:
    """Whom `to` means, and why, if that is left to the board."""
    word = naming.require_name(to, "`to`").strip().lower()
    if word == "auto":
        choice = routing.choose(db, row)
        return naming.Place(agent=choice.agent), choice.why
    place = naming.assignable(db, to, warnings)
    if not place.label:
        raise Invalid(f'`{to[:63]}` is nobody; update_task(clear=["assignee"]) leaves a task to anyone.')
    return place, ""


def _take_over(db: Transaction, row: Row, place: Place) -> dict[str, str]:
    """End the delegations that this one replaces; where a release goes back to.

    Agents between whoever delegates, or the pool in which the task lay, and the new delegate lose it for good.
    """
    before = dict(row.reserved_from if row.reserved_from is not None else naming.place_of(row))
    for live in work.live_delegations(db, row.id):
        again = claims.place_given(live) == place.given()
        if not again and live.to_agent_id in {None, db.actor.id}:
            work.update_delegation(db, live.id, state=DelegationState.ACCEPTED)
            break
        work.update_delegation(db, live.id, state=DelegationState.RECALLED, reason="handed to somebody else")
        before = dict(live.before)
    return before


def _columns(db: Transaction, row: Row, place: Place, urgency: str) -> dict[str, Any]:
    """What handing down changes. Handing on what one merely claimed makes nobody a delegator."""
    columns: dict[str, Any] = {**place.columns(), "reserved_from": None, "lapses": 0}
    if urgency:
        columns["priority"] = urgency
    if _has_it(db, row) or has_authority(db, row):
        columns["delegator_id"] = db.actor.id
    return columns


def _has_it(db: Transaction, row: Row) -> bool:
    """Whether the task is assigned to whoever acts, and not merely kept for it since it was split."""
    return row.assignee_id is not None and row.assignee_id == db.actor.id and row.reserved_from is None


def _out_of_hands(db: Transaction, row: Row) -> Row:
    """End the claim of whoever hands on, and partial work."""
    if row.status in CLAIMED:
        return claims.end_claim(db, row, ExecutionStatus.RELEASED, "handed_on").row
    return moves.requeue(db, row, "requeued").row if row.status == TaskStatus.PARTIAL else row


def _tell(db: Transaction, row: Row, place: Place, reasoning: str, had_it: str | None) -> None:
    """The delegate, or everybody in the pool, hears of it; and who has lost the task."""
    receivers = [] if place.agent is not None else [each.id for each in _pool(db, place)]
    why = f": {shorten(reasoning, 200)}" if reasoning.strip() else "."
    words = f"{db.actor.name} handed {row.id} {shorten(row.title)} to {place.label}{why}"
    telling.tell(db, row, "delegated", words, also=(*receivers, had_it))


def _pool(db: Transaction, place: Place) -> list[Row]:
    if place.team is not None:
        return list(teams.members_of(db, place.team.id))
    return list(agents.with_specialty(db, place.specialty))
