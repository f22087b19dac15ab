"""Registering agents: adding them, and changing what they are like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model import arguments as arg
from swarm_mcp.model import ids
from swarm_mcp.model.agent import ENDED, Lifecycle
from swarm_mcp.model.draft import check_json, check_texts
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.registration import AgentChange, Registered
from swarm_mcp.operations import appointing, hierarchy, membership, naming, retiring, telling
from swarm_mcp.operations.answering import unread
from swarm_mcp.operations.catalog import DIRECTING, SCRIPTS, operation
from swarm_mcp.repository import agents, graph

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

CAPABILITIES, CAPABILITY_LIMIT = 50, 100
LARGEST_CAPACITY = 10_000


@operation(profiles=DIRECTING, repeatable=True, long_with=["lifecycle", "superior"])
def register_agent(
    db: Transaction,
    *,
    name: str,
    role: arg.Role = "",
    superior: arg.Superior = "",
    specialty: arg.Text = "",
    capabilities: arg.Texts = [],
    capacity: arg.Capacity = -1,
    team: arg.Text = "",
    team_role: arg.TeamRole = "",
    leave_team: arg.Text = "",
    title: arg.Text = "",
    description: arg.Text = "",
    lifecycle: arg.LifecycleWord = "",
) -> Registered:
    """Add an agent or change what is given; it joins `team`, which is created if need be."""
    folded = ids.fold_name(name)
    if team_role.strip() and not team.strip():
        raise Invalid("team_role goes with team: name the team in which it is that.")
    words = _words(title, description, specialty, capabilities, capacity)
    wanted = appointing.read_wanted(role, superior, lifecycle)
    graph.lock_graph(db)  # what is checked of the hierarchy has to be so still when it changes
    before = agents.find_agent(db, folded)
    warnings: list[str] = []
    effects: dict[str, int] = {}
    if before is None:
        appointing.check_meant(db, folded, wanted, warnings, leaving=bool(leave_team.strip()))
        row = appointing.add(db, folded, name.strip(), wanted, words)
        did = [_addition(db, row)]
    else:
        row = appointing.change(db, before, wanted, words)
        effects = retiring.follow(db, before, row)
        did = [*_changes(db, before, row), *(f"{EFFECTS[what]}: {count}" for what, count in effects.items())]
    did += [membership.leave(db, row, leave_team)] if leave_team.strip() else []
    did += [membership.join(db, row, team, team_role)] if team.strip() else []
    said = "; ".join(each for each in did if each)
    _tell(db, before, row, said)
    shown = {each: value for each, value in words.items() if each not in LONG_WORDS}
    shown |= {"team": naming.folded_team(team)} if team.strip() else {}
    return _registered(db, row, said, shown, effects, warnings)


@operation(profiles=SCRIPTS, repeatable=True)
def configure_agent(
    db: Transaction,
    *,
    name: str,
    config: dict[str, Any] | None = None,
    health: dict[str, Any] | None = None,
    policy_version: str | None = None,
) -> Registered:
    """Set what programs keep about an agent: its configuration, its health, the version of its policy.

    Args:
        db: the transaction.
        name: of the agent.
        config: any JSON object; it takes the place of the former one.
        health: likewise; the agent may say it of itself.
        policy_version: a word of the caller's.

    Raises:
        NotFound: no such agent.
        NotAllowed: the caller does not stand above it.

    """
    graph.lock_graph(db)
    row = naming.known_agent(db, name)
    given = {"config": config, "health": health, "policy_version": policy_version}
    values = {column: value for column, value in given.items() if value is not None}
    for column, value in values.items():
        check_json(value, column)
    changed = [column for column, value in values.items() if getattr(row, column) != value]
    appointing.check_may_change(db, row, changed)
    row = hierarchy.change(db, row, values)
    return _registered(db, row, f"{', '.join(changed)} set" if changed else "", {}, {}, [])


def _words(title: str, description: str, specialty: str, capabilities: list[str], capacity: int) -> dict[str, Any]:
    """The columns that say what an agent is like, as far as they are given."""
    words: dict[str, Any] = {}
    if title.strip():
        words["title"] = title.strip()
    if description.strip():
        words["description"] = description
    if specialty.strip():
        words["specialty"] = ids.fold_name(specialty.strip().removeprefix("specialty:"))
    if capabilities:
        words["capabilities"] = check_texts(capabilities, "capabilities", limit=CAPABILITIES)
        long = next((each for each in words["capabilities"] if len(each) > CAPABILITY_LIMIT), "")
        if long:
            raise Invalid(f"A capability has at most {CAPABILITY_LIMIT} characters; `{long[:40]}…` has {len(long)}.")
    if capacity != -1:
        if not 0 <= capacity <= LARGEST_CAPACITY:
            raise Invalid(f"capacity is 1 to {LARGEST_CAPACITY} claims at once, or 0 for no limit; got {capacity}.")
        words["capacity"] = capacity
    return words


LONG_WORDS = frozenset({"title", "description"})
"""What an answer does not repeat."""
FIRST_CALL = "; it becomes active with its first call"
EFFECTS = {
    "claims": "claims back in the queue",
    "assignments": "assignments taken back",
    "questions": "questions passed on",
    "agents": "agents moved up",
    "teams": "teams left or handed over",
}


def _addition(db: Transaction, row: Row) -> str:
    """How a new agent came to be, as a phrase."""
    where = _below(db, row) or "at the top"
    return f"new, a {row.role} {where}{FIRST_CALL if row.lifecycle == Lifecycle.SPAWNING else ''}"


def _changes(db: Transaction, before: Row, row: Row) -> list[str]:
    """What was changed of an agent, a phrase each."""
    did: list[str] = []
    if before.superior_id != row.superior_id:
        did.append(f"{_below(db, row) or 'at the top'} now, with everybody below it")
    did += [
        f"{name} {getattr(before, name)} → {getattr(row, name)}"
        for name in ("role", "lifecycle")
        if getattr(before, name) != getattr(row, name)
    ]
    if row.lifecycle == Lifecycle.SPAWNING != before.lifecycle:
        did[-1] += FIRST_CALL
    columns = ("specialty", "capabilities", "capacity", "title", "description")
    words = [name for name in columns if getattr(before, name) != getattr(row, name)]
    return [*did, f"{', '.join(words)} changed"] if words else did


def _below(db: Transaction, row: Row) -> str:
    return f"below {agents.agent_row(db, row.superior_id).name}" if row.superior_id else ""


def _tell(db: Transaction, before: Row | None, row: Row, said: str) -> None:
    """Tell the agent, and those below whom it stands and stood, what somebody else made of it."""
    if said and row.id != db.actor.id:
        above = [row.superior_id, before.superior_id if before is not None else None]
        readers = [row.id if row.lifecycle not in ENDED else None, *above]
        verb = "registered" if before is None else "changed"
        telling.tell_agents(db, f"{db.actor.name} {verb} {row.name}: {said}.", [each for each in readers if each])


def _registered(
    db: Transaction, row: Row, said: str, shown: dict[str, Any], effects: dict[str, int], warnings: list[str]
) -> Registered:
    above = agents.agent_names(db, [row.superior_id]).get(row.superior_id, "")
    return Registered(
        agent=AgentChange(
            name=row.name, role=row.role, lifecycle=row.lifecycle, superior=above, level=row.level, **shown
        ),
        message=f"{row.name}: {said}." if said else f"{row.name} is all that already; nothing new.",
        effects=effects,
        warnings=warnings,
        unread=unread(db),
    )
