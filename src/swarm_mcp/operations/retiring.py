"""What becomes of an agent's work, people and teams when it is paused or ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model.agent import ENDED, AgentRole, Lifecycle
from swarm_mcp.model.task import DelegationState, ExecutionStatus
from swarm_mcp.operations import asking, claims, hierarchy, membership, moves, telling
from swarm_mcp.operations.answering import shorten
from swarm_mcp.repository import agents, messages, tasks, work

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


def follow(db: Transaction, before: Row, row: Row) -> dict[str, int]:
    """Let a change of an agent's lifecycle take effect; how many of what it concerned."""
    if row.lifecycle in ENDED and before.lifecycle not in ENDED:
        return retire(db, row)
    if row.lifecycle == Lifecycle.PAUSED and before.lifecycle in {Lifecycle.ACTIVE, Lifecycle.SPAWNING}:
        return rest(db, row)
    return {}


def rest(db: Transaction, row: Row) -> dict[str, int]:
    """An agent was paused: its claims go back into the queue, no lapse of its own, and its assignments stay with it.

    Returns:
        How many of its claims went back, and of the questions to it went on.

    """
    held = [tasks.task_row(db, task_id) for task_id in tasks.ids_held_by(db, row.id)]
    for task in held:
        live = work.live_delegation(db, task.id)
        if live is not None and task.reserved_from is None:
            work.update_delegation(db, live.id, state=DelegationState.OFFERED)
        _recall(db, task, row, {})
    return _counted(claims=len(held), questions=_pass_questions_on(db, row))


def retire(db: Transaction, row: Row) -> dict[str, int]:
    """An agent has ended: what it held or was assigned goes back, those below it and its teams go to its superior.

    Returns:
        How many claims and assignments went back, questions went on, agents moved, and teams it left or handed over.

    """
    held = tasks.ids_held_by(db, row.id)
    for task_id in held:
        _take_from(db, task_id, row)
    assigned = tasks.ids_assigned_to(db, row.id)
    for task_id in assigned:
        _take_from(db, task_id, row)
    return _counted(
        claims=len(held),
        assignments=len(assigned),
        questions=_pass_questions_on(db, row),
        agents=_move_up(db, row),
        teams=membership.leave_all(db, row) + membership.hand_over(db, row, heir(db, row)),
    )


def _counted(**counts: int) -> dict[str, int]:
    return {what: count for what, count in counts.items() if count}


def _take_from(db: Transaction, task_id: str, agent: Row) -> None:
    """A task goes back to where it was before an agent had it, and its delegation or reservation ends."""
    task = tasks.task_row(db, task_id)
    place = claims.place_before(db, task, DelegationState.RECALLED, f"its agent is {agent.lifecycle}")
    _recall(db, task, agent, {**place, "lapses": 0} if place else {})


def _recall(db: Transaction, task: Row, agent: Row, place: dict[str, Any]) -> None:
    why = {"reason": f"{agent.name} is {agent.lifecycle}"}
    if task.holder_id == agent.id:
        moved = claims.end_claim(db, task, ExecutionStatus.RECALLED, "recalled", place, why)
        kind = "claim_lost"
    else:
        moved = moves.change(db, task, "recalled", place, why)
        kind = "recalled"
    words = f"{task.id} {shorten(task.title)} is no longer with {agent.name}, which is {agent.lifecycle}."
    telling.tell(db, moved.row, kind, words, also=() if agent.lifecycle in ENDED else (agent.id,))


def _pass_questions_on(db: Transaction, row: Row) -> int:
    """Whoever can answer no more is asked no longer."""
    asked = messages.questions_to(db, row.id)
    for question in asked:
        asking.pass_on(db, question)
    return len(asked)


def heir(db: Transaction, row: Row) -> Row | None:
    """Who takes over those below an agent: its superior, else the oldest active root director, else nobody."""
    above = next((each for each in agents.superiors(db, row.id) if each.lifecycle not in ENDED), None)
    return above or hierarchy.oldest_active_root(db, besides=row.id)


def _move_up(db: Transaction, row: Row) -> int:
    """Those below an agent move below its heir; a director among them that finds none becomes the root director."""
    below = sorted(agents.just_below(db, row.id), key=_succession)
    for each in below:
        above = heir(db, row)
        moved = hierarchy.change(db, each, {"superior_id": above.id if above is not None else None})
        if moved.lifecycle not in ENDED:
            where = f"below {above.name}" if above is not None else "at the top"
            telling.tell_agents(db, f"{row.name} is {row.lifecycle}; you stand {where} now.", [each.id])
    return len(below)


def _succession(row: Row) -> tuple[bool, object]:
    """Active directors first, the oldest first."""
    return (row.role != AgentRole.DIRECTOR or row.lifecycle != Lifecycle.ACTIVE, row.created_at)
