"""The hierarchy: how an agent enters it, where it stands, and who may move it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.agent import ENDED, AgentRole, Lifecycle
from swarm_mcp.model.errors import Conflict, CycleRefused, LimitReached, NotAllowed
from swarm_mcp.operations.authority import is_above
from swarm_mcp.operations.moves import record
from swarm_mcp.repository import agents, graph, teams

if TYPE_CHECKING:
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

ABSENT = timedelta(days=1)
"""A root director unseen for so long counts as absent."""


def is_absent(db: Transaction, root: Row) -> bool:
    """Whether a root director was not seen for a day."""
    return root.last_seen_at is None or db.now - root.last_seen_at >= ABSENT


def oldest_active_root(db: Transaction, *, besides: str | None = None) -> Row | None:
    """The root director that newcomers stand below, or None; one that was seen within a day goes first."""
    active = [each for each in agents.root_directors(db) if each.lifecycle == Lifecycle.ACTIVE and each.id != besides]
    return next((each for each in active if not is_absent(db, each)), active[0] if active else None)


def stands_over(db: Transaction, agent: Row) -> bool:
    """Whether whoever acts may change everything about an agent: those above it, root directors, the operator."""
    return db.actor.is_operator or db.actor.is_root or is_above(db, db.actor.id, agent.id)


def is_within_reach(db: Transaction, agent: Row | None) -> bool:
    """Whether whoever acts may put somebody below this agent: itself, those below it; root directors, anybody."""
    return agent is not None and (agent.id == db.actor.id or stands_over(db, agent))


def check_free(db: Transaction, name: str, what: str) -> None:
    """Refuse a name that means something else already: agents, teams and specialties share one namespace.

    Args:
        db: the transaction.
        name: the folded name.
        what: what it shall be the name of: an agent, a team, a specialty.

    Raises:
        Conflict: says what it is the name of.

    """
    taken = {
        "agent": lambda: agents.find_agent(db, name) is not None,
        "team": lambda: teams.find_team(db, name) is not None,
        "specialty": lambda: agents.has_specialty(db, name),
    }
    for kind, is_taken in taken.items():
        if kind != what and is_taken():
            article = "an" if kind == "agent" else "a"
            raise Conflict(
                f"`{name}` is {article} {kind} here already, and agents, teams and specialties share one namespace: "
                f"choose another name for the {what}.",
                taken_by=kind,
            )


def enrol(
    db: Transaction,
    name: str,
    spelt: str,
    *,
    superior: Row | None,
    lifecycle: Lifecycle,
    seen: datetime | None = None,
    role: AgentRole = AgentRole.WORKER,
    **words: Any,
) -> Row:
    """Let an agent into the project: the one door, whoever opens it.

    Args:
        db: the transaction.
        name: what it is called, folded.
        spelt: the name as it was written, which becomes its title.
        superior: below whom it stands; nobody is the top.
        lifecycle: whether it has called already.
        seen: when it did.
        role: what it is for.
        words: more of its columns.

    Raises:
        Conflict: a team or a specialty has that name.
        LimitReached: it would stand too low.

    """
    graph.lock_graph(db)
    check_free(db, name, "agent")
    _check_superior(superior)
    _check_depth(db, name, 0 if superior is None else superior.level + 1)
    title = words.pop("title", "") or ("" if spelt == name else spelt)
    row = agents.insert_agent(
        db, name, title=title, role=role, lifecycle=lifecycle, superior=superior, seen=seen, **words
    )
    if db.actor.name == name:  # it has come by itself
        db.actor = agents.as_actor(row)
    said = {each: value for each, value in words.items() if value not in ("", [], 0)}
    above = superior.name if superior is not None else ""
    record(db, "agent_registered", None, {"agent": name, "role": role.value, "superior": above, **said})
    return row


def change(db: Transaction, row: Row, values: dict[str, Any], kind: str = "agent_changed", **said: Any) -> Row:
    """Set columns of an agent and record them, before and after; whoever is below it moves with it.

    Args:
        db: the transaction.
        row: the agent as it is, whole.
        values: columns and their new values; those that already have them are left out.
        kind: the event, in the past tense.
        said: more for the event.

    Raises:
        CycleRefused: its new superior stands below it.
        LimitReached: it, or somebody below it, would stand too low.

    """
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not differing:
        return row
    graph.lock_graph(db)
    changed = {name: [getattr(row, name), value] for name, value in differing.items() if name != "superior_id"}
    if "superior_id" in differing:
        changed["superior"] = _move(db, row, differing["superior_id"])
    agents.update_agent(db, row.id, **differing)
    after = agents.agent_row(db, row.id)
    if row.id == db.actor.id:
        db.actor = agents.as_actor(after)
    record(db, kind, None, {"agent": row.name, **changed, **said})
    return after


def _move(db: Transaction, row: Row, superior_id: str | None) -> list[str]:
    """Move an agent with everybody below it to another level; the names of its superiors before and after."""
    superior = agents.agent_row(db, superior_id) if superior_id else None
    _check_superior(superior)
    if superior is not None and (superior.id == row.id or is_above(db, row.id, superior.id)):
        path = [each.name for each in (superior, *agents.superiors(db, superior.id))]
        shown = " below ".join(path[: path.index(row.name) + 1])
        raise CycleRefused(
            f"{superior.name} cannot stand above {row.name}: {shown if superior.id != row.id else 'it is the same'}. "
            "Name another superior.",
            agent=row.name,
        )
    level = superior.level + 1 if superior is not None else 0
    if level > row.level:
        _check_depth(db, row.name, level, below=agents.height(db, row.id))
    agents.shift_levels(db, row.id, level - row.level)
    names = agents.agent_names(db, [row.superior_id, superior_id])
    return [names.get(row.superior_id, ""), names.get(superior_id, "")]


def _check_superior(superior: Row | None) -> None:
    if superior is not None and superior.lifecycle in ENDED:
        raise NotAllowed(
            f"{superior.name} has ended ({superior.lifecycle}); nobody is put below it. Name another superior."
        )


def _check_depth(db: Transaction, name: str, level: int, *, below: int = 0) -> None:
    """Refuse what would make the hierarchy deeper than the project allows; a subtree counts as a whole."""
    limit = db.project.max_depth
    too_many = level + below + 1 - limit
    if too_many <= 0:
        return
    what = f"{name} with the {below} below it" if below else name
    raise LimitReached(
        f"The hierarchy has at most {limit} levels; {what} would be {'one' if too_many == 1 else too_many} more. "
        "register_agent(name=…, superior=…) puts it below somebody higher up.",
        max_depth=limit,
    )
