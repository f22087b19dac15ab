"""Who is acting: how a name becomes an agent of the board."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from swarm_mcp.model import ids
from swarm_mcp.model.agent import ENDED, THE_OPERATOR, Actor, AgentRole, Lifecycle, Profile
from swarm_mcp.model.errors import NotAllowed, NotFound
from swarm_mcp.operations import naming
from swarm_mcp.operations.moves import record
from swarm_mcp.repository import agents, messages

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

HEARTBEAT = timedelta(minutes=1)


def enter(db: Transaction, slug: str, name: str) -> Row | None:
    """Open the transaction on a project in somebody's name; without a name the person in charge acts.

    An agent that the board does not know yet reads as a stranger and is not registered by that.

    Returns:
        The agent, if it is known.

    Raises:
        NotFound: the project was never created.

    """
    folded = ids.fold_name(name) if name else ""
    project, row = agents.enter(db, slug, folded)
    if project is None:
        raise NotFound(f"No project `{slug[:64]}`. Create it first: swarm-mcp project create {slug[:64]}.")
    db.project = project
    if not name:
        db.actor = THE_OPERATOR
    else:
        db.actor = agents.as_actor(row) if row is not None else Actor(id=None, name=folded)
    return row


def enter_to_write(db: Transaction, slug: str, name: str, profile: Profile) -> None:
    """The same for an agent that writes: it is registered if it is new, and has been seen.

    Raises:
        NotAllowed: it has ended.

    """
    row = enter(db, slug, name)
    if not name:
        return
    if row is None:
        row = _register(db, db.actor.name, name.strip())
    elif row.last_seen_at is None or db.now - row.last_seen_at > HEARTBEAT or row.lifecycle == Lifecycle.SPAWNING:
        awake = Lifecycle.ACTIVE if row.lifecycle == Lifecycle.SPAWNING else Lifecycle(row.lifecycle)
        agents.mark_seen(db, row.id, awake)
        row = agents.agent_row(db, row.id)
    db.actor = agents.as_actor(row)
    if row.lifecycle in ENDED:
        raise NotAllowed(
            f"{row.name} has ended ({row.lifecycle}) and writes nothing any more. "
            "Use another name, or ask the operator."
        )
    if profile == Profile.DIRECTOR and not db.actor.is_root and row.lifecycle == Lifecycle.ACTIVE:
        _lead_if_nobody_does(db, row)


def _register(db: Transaction, name: str, title: str) -> Row:
    """A newcomer becomes a worker below the oldest active root director, or below nobody while there is none."""
    superior = naming.oldest_active_root(db)
    row = agents.insert_agent(
        db,
        name,
        title="" if title == name else title,
        role=AgentRole.WORKER,
        lifecycle=Lifecycle.ACTIVE,
        superior=superior,
        seen=db.now,
    )
    db.actor = agents.as_actor(row)
    record(db, "agent_registered", None, {"agent": name, "superior": superior.name if superior is not None else ""})
    return row


def _lead_if_nobody_does(db: Transaction, row: Row) -> None:
    """In a project without an active root director, the first that writes on the director profile becomes it."""
    for root in agents.root_directors(db):
        if root.lifecycle == Lifecycle.ACTIVE and not naming.is_absent(db, root):
            return
    agents.update_agent(db, row.id, role=AgentRole.DIRECTOR, superior_id=None)
    adopted = [each for each in agents.orphans(db) if each.id != row.id and each.lifecycle not in ENDED]
    for each in adopted:
        agents.update_agent(db, each.id, superior_id=row.id)
    agents.set_levels(db, row.id, 0)
    db.actor = agents.as_actor(agents.agent_row(db, row.id))
    record(db, "director_appointed", None, {"agent": row.name, "adopted": [each.name for each in adopted]})
    text = f"{row.name} is now the root director of this project."
    message = messages.insert_message(db, {"type": "system", "text": text})
    messages.deliver(db, message, None, [None, row.id, *(each.id for each in adopted)])
