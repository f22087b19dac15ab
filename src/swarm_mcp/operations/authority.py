"""Who may do what to a task: authority follows the hierarchy, work follows the claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.agent import ENDED, Lifecycle
from swarm_mcp.model.errors import NotAllowed
from swarm_mcp.repository import agents, teams, tree, work

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from swarm_mcp.model.agent import Actor
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


def is_own(actor: Actor, row: Row) -> bool:
    """Whether the task is assigned to, or held by, whoever acts."""
    return actor.id is not None and actor.id in {row.assignee_id, row.holder_id}


def has_authority(db: Transaction, row: Row, actor: Actor | None = None) -> bool:
    """Whether somebody may edit, reassign, hold, recall, cancel, review and waive this task.

    That is: who created or delegated it or an ancestor; assignee or holder of an ancestor; those above its creator
    or delegator, or above an assignee to whom it was delegated; the supervisor of the team it is assigned to, and
    those above; root directors; the operator. Handing on what one merely claimed makes nobody a delegator.
    """
    who = actor or db.actor
    if who.is_operator or who.is_root:
        return True
    if who.id is None:
        return False
    if who.id in {row.creator_id, row.delegator_id}:
        return True
    above = tree.ancestors(db, row.id) if row.parent_id else []
    if any(who.id in {each.creator_id, each.delegator_id, each.assignee_id, each.holder_id} for each in above):
        return True
    return who.id in _superiors_with_authority(db, row, above)


def _superiors_with_authority(db: Transaction, row: Row, above: Iterable[Row]) -> set[str]:
    """Those above somebody whose relation to the task passes upwards."""
    below = {row.creator_id, row.delegator_id}
    for each in above:
        below |= {each.creator_id, each.delegator_id}
    if row.assignee_id and _was_delegated(db, row):
        below.add(row.assignee_id)
    found: set[str] = set()
    if row.pool_team_id:
        supervisor = teams.team_row(db, row.pool_team_id).supervisor_id
        below.add(supervisor)
        found |= {supervisor} if supervisor else set()
    for agent_id in below:
        if agent_id:
            found |= {each.id for each in agents.superiors(db, agent_id)}
    return found


def _was_delegated(db: Transaction, row: Row) -> bool:
    """Whether the assignee has the task from its delegator, and neither by a claim nor from one who merely had one."""
    if row.reserved_from is not None:
        return False
    handed = [each for each in work.delegations(db, row.id) if each.to_agent_id == row.assignee_id]
    return bool(handed) and handed[-1].from_id == row.delegator_id


def is_above(db: Transaction, upper: str | None, lower: str | None) -> bool:
    """Whether one agent stands above another."""
    return bool(upper and lower) and any(each.id == upper for each in agents.superiors(db, lower or ""))


def require_authority(db: Transaction, row: Row, doing: str) -> None:
    """Refuse whoever has no authority over a task.

    Raises:
        NotAllowed: says who has it.

    """
    if not has_authority(db, row):
        raise NotAllowed(
            f"{db.actor.name} may not {doing} {row.id}: ask {whom_to_ask(db, row)}, "
            f'for instance with send_message(to="{whom_to_ask(db, row)}", task="{row.id}", text=…).',
            task=row.id,
            ask=whom_to_ask(db, row),
        )


def whom_to_ask(db: Transaction, row: Row) -> str:
    """The nearest one who has authority over a task: delegator, creator, a root director, else the operator."""
    roots = [each.id for each in agents.root_directors(db) if each.lifecycle not in ENDED]
    names = agents.agent_names(db, [row.delegator_id, row.creator_id, *roots])
    for agent_id in (row.delegator_id, row.creator_id, *roots):
        if agent_id and agent_id != db.actor.id and agent_id in names:
            return names[agent_id]
    return "operator"


def judges_besides(db: Transaction, row: Row) -> Iterator[Row]:
    """The active agents, neither the worker nor whoever acts, that could judge the work; root directors first."""
    involved = {row.worker_id, db.actor.id}
    for each in (*agents.root_directors(db), *agents.everybody(db)):
        if each.id in involved or each.lifecycle != Lifecycle.ACTIVE:
            continue
        if has_authority(db, row, agents.as_actor(each)):
            yield each


def others_with_authority(db: Transaction, row: Row) -> bool:
    """Whether some active agent, neither the worker nor whoever acts, could judge the work."""
    return next(judges_besides(db, row), None) is not None


def is_worker(db: Transaction, row: Row) -> bool:
    """Whether whoever acts is the one that works on the task, or did last."""
    return db.actor.id is not None and db.actor.id == row.worker_id


def has_worked(db: Transaction, row: Row) -> bool:
    """Whether whoever acts holds the task, or ever held it."""
    return db.actor.id is not None and bool(work.attempts_of(db, row.id, db.actor.id))
