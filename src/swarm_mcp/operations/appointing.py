"""Appointing: who may give an agent its role, its superior and its lifecycle, and what it may change of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from swarm_mcp.model import ids
from swarm_mcp.model.agent import ENDED, LIFECYCLE_ALIASES, OPERATOR, AgentRole, Lifecycle
from swarm_mcp.model.errors import Invalid, NotAllowed
from swarm_mcp.model.lifecycle import choose
from swarm_mcp.operations import hierarchy, naming
from swarm_mcp.repository import agents

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

OWN = frozenset({"title", "description", "specialty", "capabilities", "capacity", "health"})
"""What an agent may change of itself."""
BEGINNINGS = frozenset({None, Lifecycle.SPAWNING, Lifecycle.ACTIVE})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for of an agent's position; nothing where it shall stay as it is."""

    role: AgentRole | None = None
    superior: str = ""
    """A name; `operator` is the top."""
    lifecycle: Lifecycle | None = None


def read_wanted(role: str, superior: str, lifecycle: str) -> Wanted:
    """What somebody asks for, in our words."""
    word = lifecycle.strip().lower()
    return Wanted(
        role=choose(role, AgentRole, "role") if role.strip() else None,
        superior=superior.strip() if superior.strip().lower() != OPERATOR else OPERATOR,
        lifecycle=choose(LIFECYCLE_ALIASES.get(word, word), Lifecycle, "lifecycle") if word else None,
    )


# --- new agents -------------------------------------------------------------------------------------------------------


def check_meant(db: Transaction, name: str, wanted: Wanted, warnings: list[str], *, leaving: bool) -> None:
    """Refuse to add an agent where one was meant that is here already; warn of names that are nearly the same."""
    if leaving or wanted.lifecycle not in BEGINNINGS:
        raise naming.no_agent(db, name)
    near = ids.misspelt(name, agents.all_agent_names(db))
    if near:
        warnings.append(f"{name} is new; there is also {' and '.join(near)}.")


def add(db: Transaction, name: str, spelt: str, wanted: Wanted, words: dict[str, Any]) -> Row:
    """Add an agent below its registrar or an agent below it; the operator's stand where newcomers do.

    Raises:
        NotAllowed: the registrar may not give that role or place.
        Conflict: the name, or that of its specialty, means something else already.

    """
    actor = db.actor
    role = wanted.role or AgentRole.WORKER
    _check_role(db, role)
    if wanted.superior:
        above = None if wanted.superior == OPERATOR else naming.known_agent(db, wanted.superior)
        _check_reach(db, above)
    elif actor.is_operator:
        above = None if role is AgentRole.DIRECTOR else hierarchy.oldest_active_root(db)
    else:
        above = agents.agent_row(db, actor.id)
    if above is None:
        _check_top(db, role, asked=wanted.superior == OPERATOR)
    _check_specialty(db, name, words)
    begins = wanted.lifecycle or Lifecycle.SPAWNING
    return hierarchy.enrol(db, name, spelt, superior=above, lifecycle=begins, role=role, **words)


# --- changes ----------------------------------------------------------------------------------------------------------


def change(db: Transaction, row: Row, wanted: Wanted, words: dict[str, Any]) -> Row:
    """Change what is given of an agent, and return it as it is then.

    Raises:
        NotAllowed: it is not for the caller to change.
        CycleRefused: its new superior stands below it.

    """
    above: Row | None = None
    values = dict(words)
    if wanted.role is not None:
        values["role"] = wanted.role.value
    if wanted.lifecycle is not None:
        values["lifecycle"] = _lifecycle_of(row, wanted.lifecycle).value
    if wanted.superior:
        above = None if wanted.superior == OPERATOR else naming.known_agent(db, wanted.superior)
        values["superior_id"] = above.id if above is not None else None
    elif row.superior_id is None and (wanted.role or wanted.lifecycle):
        values |= _where_others_stand(db, row, values)
    values = {name: value for name, value in values.items() if getattr(row, name) != value}
    check_may_change(db, row, list(values))
    if above is not None and "superior_id" in values and wanted.superior:
        _check_reach(db, above)
    _check_position(db, row, wanted, values)
    _check_specialty(db, row.name, values)
    return hierarchy.change(db, row, values)


def _lifecycle_of(row: Row, wanted: Lifecycle) -> Lifecycle:
    """What an agent becomes: whoever has never called and is let return waits for its first call as before."""
    returns = wanted is Lifecycle.ACTIVE and row.lifecycle in {Lifecycle.PAUSED, *ENDED}
    return Lifecycle.SPAWNING if returns and row.last_seen_at is None else wanted


def _where_others_stand(db: Transaction, row: Row, values: dict[str, Any]) -> dict[str, str]:
    """Whoever is at the top and no root director (any more) goes below the oldest active one, as newcomers do."""
    if values.get("role", row.role) == AgentRole.DIRECTOR or values.get("lifecycle", row.lifecycle) in ENDED:
        return {}
    root = hierarchy.oldest_active_root(db, besides=row.id)
    return {"superior_id": root.id} if root is not None else {}


def check_may_change(db: Transaction, row: Row, changed: list[str]) -> None:
    """Refuse to change of an agent what is neither one's own to change nor of an agent below.

    Raises:
        NotAllowed: says whom to ask.

    """
    mine = row.id == db.actor.id
    beyond = [each.removesuffix("_id") for each in changed if not mine or each not in OWN]
    if not beyond or hierarchy.stands_over(db, row):
        return
    boss = agents.agent_names(db, [row.superior_id]).get(row.superior_id, OPERATOR)
    ask = f'ask {boss}, for instance with send_message(to="{boss}", text=…)'
    if mine:
        raise NotAllowed(f"{row.name} may not change its own {' and '.join(beyond)}: {ask}.", ask=boss)
    raise NotAllowed(f"{db.actor.name} does not stand above {row.name} and may not change it: {ask}.", ask=boss)


def _check_position(db: Transaction, row: Row, wanted: Wanted, values: dict[str, Any]) -> None:
    """Refuse a role, a place or a lifecycle that it may not have."""
    role = AgentRole(values.get("role", row.role))
    if "role" in values:
        _check_role(db, role)
    if "lifecycle" in values:
        _check_lifecycle(row, Lifecycle(values["lifecycle"]))
    on_top = values.get("superior_id", row.superior_id) is None
    was_root = row.superior_id is None and row.role == AgentRole.DIRECTOR
    stays_root = was_root and role is AgentRole.DIRECTOR
    if on_top and not stays_root and {"role", "superior_id"} & values.keys():
        _check_top(db, role, asked=wanted.superior == OPERATOR)
    stays = on_top and role is AgentRole.DIRECTOR and values.get("lifecycle", row.lifecycle) == Lifecycle.ACTIVE
    if row.id == db.actor.id and was_root and not stays:
        _check_not_the_last(db, row)


def _check_lifecycle(row: Row, wanted: Lifecycle) -> None:
    """Refuse to pause what has ended, which would revive it, and to say of an agent whether it has called."""
    if wanted is Lifecycle.PAUSED and row.lifecycle in ENDED:
        raise Invalid(
            f"{row.name} has ended ({row.lifecycle}), and there is nothing to pause: "
            f'register_agent(name="{row.name}", lifecycle="active") lets it return.'
        )
    if wanted is Lifecycle.SPAWNING and row.lifecycle == Lifecycle.ACTIVE:
        raise Invalid(f"{row.name} has called already; spawning is whoever has not.")
    if wanted is Lifecycle.ACTIVE and row.lifecycle == Lifecycle.SPAWNING:
        raise Invalid(f"{row.name} has not called yet; it becomes active by itself, with its first call.")


def _check_not_the_last(db: Transaction, row: Row) -> None:
    """The last active root director cannot pause, end, demote or subordinate itself."""
    other = hierarchy.oldest_active_root(db, besides=row.id)
    if other is None or hierarchy.is_absent(db, other):
        raise NotAllowed(
            f"{row.name} is the last active root director, and stays that until there is another: "
            'register_agent(name=…, role="director", superior="operator").'
        )


# --- rules for both ---------------------------------------------------------------------------------------------------


def _check_role(db: Transaction, role: AgentRole) -> None:
    if db.actor.role is AgentRole.WORKER and not db.actor.is_operator and role is not AgentRole.WORKER:
        raise NotAllowed(
            f'{db.actor.name} is a worker and registers workers only; ask with send_message(to="superior", text=…).'
        )


def _check_reach(db: Transaction, above: Row | None) -> None:
    if above is not None and above.id != db.actor.id and not hierarchy.stands_over(db, above):
        raise NotAllowed(
            f"{db.actor.name} does not stand above {above.name}: put agents below yourself, or below those that stand "
            "below you."
        )


def _check_top(db: Transaction, role: AgentRole, *, asked: bool) -> None:
    """Refuse the top to whoever is no director, and to a director of whom none may make a root director."""
    if role is AgentRole.DIRECTOR:
        if not (db.actor.is_operator or db.actor.is_root):
            raise NotAllowed(
                "Root directors come only from a root director or the operator: name a superior, or "
                'ask with send_message(to="operator", text=…).'
            )
    elif asked:
        raise Invalid(
            'Directly below the operator stand root directors alone: say role="director", or name another superior.'
        )


def _check_specialty(db: Transaction, name: str, words: dict[str, Any]) -> None:
    """A specialty is called like no agent and no team, this agent included."""
    specialty = words.get("specialty", "")
    if not specialty:
        return
    if specialty == name:
        raise Invalid(
            f"`{name}` cannot be an agent and a specialty: agents, teams and specialties share one namespace. Call one "
            "of them otherwise."
        )
    hierarchy.check_free(db, specialty, "specialty")
