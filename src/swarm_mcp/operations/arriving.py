"""Who is acting: how a name becomes an agent of the board."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from swarm_mcp.model import ids
from swarm_mcp.model.agent import ENDED, THE_OPERATOR, Actor, AgentRole, Lifecycle, Profile
from swarm_mcp.model.errors import LimitReached, NotAllowed, NotFound
from swarm_mcp.operations import hierarchy
from swarm_mcp.operations.authority import is_above
from swarm_mcp.repository import agents, graph, messages

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

HEARTBEAT = timedelta(minutes=1)


def enter(db: Transaction, slug: str, name: str, subject: str = "") -> Row | None:
    """Open the transaction on a project in somebody's name; without a name the person in charge acts.

    An agent that the board does not know yet reads as a stranger and is not registered by that.

    Args:
        db: the transaction.
        slug: the project.
        name: who acts.
        subject: whose credential was shown, if one was.

    Returns:
        The agent, if it is known.

    Raises:
        NotFound: the project was never created.
        NotAllowed: the subject may not act in that name.

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
    if subject and folded != subject:
        _require_below(db, row, folded, subject)
    return row


def _require_below(db: Transaction, row: Row | None, name: str, subject: str) -> None:
    """A credential lets its subject act as itself or as an agent below it: never above, never beside.

    Whether there is an agent of another name, and where it stands, the refusal does not tell.
    """
    own = agents.find_agent(db, subject)
    still = {*ENDED, Lifecycle.PAUSED}
    if own is not None and own.lifecycle not in still and row is not None and is_above(db, own.id, row.id):
        return
    raise NotAllowed(
        f"{subject} may act as itself or as an agent below it, and `{name}` is none that it could act as. "
        "Leave `agent` out, or name one below you; list_agents() shows them.",
    )


def enter_to_write(db: Transaction, slug: str, name: str, profile: Profile, subject: str = "") -> None:
    """The same for an agent that writes: it is registered if it is new, and has been seen.

    Raises:
        NotAllowed: it has ended, or the subject may not act in its name.

    """
    row = enter(db, slug, name, subject)
    if not name:
        return
    if row is None:
        row = _register(db, db.actor.name, name.strip())
        db.actor = agents.as_actor(row)
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
    if profile != Profile.DIRECTOR or (subject and subject != row.name):
        return  # nobody is put at the head of a project by another
    if not db.actor.is_root and row.lifecycle == Lifecycle.ACTIVE:
        _lead_if_nobody_does(db, row)


def _register(db: Transaction, name: str, spelt: str) -> Row:
    """A newcomer becomes a worker below the oldest active root director, or below nobody while there is none."""
    superior = hierarchy.oldest_active_root(db)
    return hierarchy.enrol(db, name, spelt, superior=superior, lifecycle=Lifecycle.ACTIVE, seen=db.now)


def _lead_if_nobody_does(db: Transaction, row: Row) -> None:
    """In a project without an active root director, the first that writes on the director profile becomes it."""
    for root in agents.root_directors(db):
        if root.lifecycle == Lifecycle.ACTIVE and not hierarchy.is_absent(db, root):
            return
    if db.locks_rows and not db.is_graph_locked:  # somebody else may be doing the same
        graph.lock_graph(db)
        _lead_if_nobody_does(db, row)
        return
    orphans = [each for each in agents.orphans(db) if each.id != row.id and each.lifecycle not in ENDED]
    lead = {"role": AgentRole.DIRECTOR.value, "superior_id": None}
    whole = agents.agent_row(db, row.id)
    row = hierarchy.change(db, whole, lead, "director_appointed")
    adopted: list[Row] = []
    for each in orphans:
        with suppress(LimitReached):  # whoever has too many levels below it stays at the top
            adopted.append(hierarchy.change(db, each, {"superior_id": row.id}))
    text = f"{row.name} is now the root director of this project."
    message = messages.insert_message(db, {"type": "system", "text": text})
    messages.deliver(db, message, None, [None, row.id, *(each.id for each in adopted)])
