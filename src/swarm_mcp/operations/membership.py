"""Teams: who makes them, who supervises them, who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model import arguments as arg
from swarm_mcp.model import ids
from swarm_mcp.model.agent import ENDED, AgentRole
from swarm_mcp.model.draft import check_json
from swarm_mcp.model.errors import Ambiguous, Invalid, NotAllowed
from swarm_mcp.model.registration import TeamChange
from swarm_mcp.operations import hierarchy, naming, telling
from swarm_mcp.operations.authority import is_above
from swarm_mcp.operations.catalog import SCRIPTS, operation
from swarm_mcp.operations.moves import record
from swarm_mcp.repository import agents, graph, teams

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

MEMBER, LEAD, SUPERVISOR = "member", "lead", "supervisor"
ROLE_LIMIT = 63


@operation(profiles=SCRIPTS, repeatable=True)
def register_team(
    db: Transaction,
    *,
    name: str,
    supervisor: arg.Text = "",
    description: arg.Text = "",
    objective: arg.Text = "",
    config: arg.Outputs = {},
) -> TeamChange:
    """Add a team or change what is given of it.

    Args:
        db: the transaction.
        name: of the team.
        supervisor: an agent; whoever makes the team, if none is named.
        description: in words.
        objective: what the team is there for.
        config: any JSON object; it takes the place of the former one.

    Raises:
        NotAllowed: the caller neither supervises the team nor stands above whoever does.

    """
    folded = naming.folded_team(name)
    check_json(config, "config")
    graph.lock_graph(db)
    group = teams.find_team(db, folded)
    made = group is None
    if group is None:
        group = _create(db, folded, name)
    elif not supervises(db, group):
        raise _not_ones_own(db, group)
    values: dict[str, Any] = {"description": description, "objective": objective, "config": config}
    values = {column: value for column, value in values.items() if value}
    if supervisor.strip():
        values["supervisor_id"] = _found_supervisor(db, supervisor).id
    changed = sorted(name for name, value in values.items() if getattr(group, name) != value)
    after = _change(db, group, values)
    boss = agents.agent_names(db, [after.supervisor_id]).get(after.supervisor_id, "")
    did = "is made" if made else (f"has another {', '.join(changed)}" if changed else "is all that already")
    words = f"team:{folded} {did}".replace("supervisor_id", "supervisor")
    return TeamChange(message=f"{words}, supervised by {boss or 'nobody'}.", team=folded, supervisor=boss)


def supervises(db: Transaction, group: Row) -> bool:
    """Whether whoever acts decides about a team: its supervisor, those above that, root directors, the operator."""
    actor = db.actor
    if actor.is_operator or actor.is_root:
        return True
    boss = group.supervisor_id
    return boss is not None and (boss == actor.id or is_above(db, actor.id, boss))


def join(db: Transaction, member: Row, said: str, role: str) -> str:
    """Make an agent a member of a team, or what it is in it something else; a team that there is not is made.

    Args:
        db: the transaction.
        member: the agent.
        said: the team's name.
        role: lead, member, trainee or free words; `supervisor` makes it the team's supervisor and no member.

    Returns:
        What came of it, as a phrase; empty if nothing did.

    Raises:
        Ambiguous: there is no such team, but one with nearly that name.
        NotAllowed: it is not for the caller to decide.

    """
    word = role.strip().lower() or MEMBER
    if len(word) > ROLE_LIMIT:
        raise Invalid(f"team_role has at most {ROLE_LIMIT} characters: lead, member, trainee or a word of your own.")
    if member.lifecycle in ENDED:
        raise NotAllowed(f"{member.name} has ended ({member.lifecycle}) and joins no team.")
    name = naming.folded_team(said)
    group = teams.find_team(db, name)
    stay = teams.membership(db, group.id, member.id) if group is not None else None
    if stay is not None and (not role.strip() or stay.role == word):
        return ""
    made = "" if group is not None else f"team:{name} is new; "
    group = group or _create(db, name, said)
    if word == SUPERVISOR:
        return made + _appoint(db, group, member)
    _check_may_put(db, group, member, word)
    if stay is not None:
        teams.set_role(db, stay.id, word)
        record(db, "team_role_changed", None, {"team": name, "agent": member.name, "role": [stay.role, word]})
        return f"{word} of team:{name}"
    teams.join(db, group.id, member.id, word)
    record(db, "team_joined", None, {"team": name, "agent": member.name, "role": word})
    _tell_supervisor(db, group, f"{member.name} has joined team:{name} as {word}.")
    return f"{made}in team:{name} as {word}"


def leave(db: Transaction, member: Row, said: str) -> str:
    """End an agent's stay in a team; what came of it, as a phrase."""
    group = naming.known_team(db, said)
    stay = teams.membership(db, group.id, member.id)
    if stay is None:
        return ""
    if member.id != db.actor.id and not supervises(db, group) and not hierarchy.stands_over(db, member):
        raise _not_ones_own(db, group)
    _end(db, group, stay, member)
    _tell_supervisor(db, group, f"{member.name} has left team:{group.name}.")
    return f"no longer in team:{group.name}"


def leave_all(db: Transaction, member: Row) -> int:
    """End all stays of an agent in teams; how many."""
    groups = teams.memberships(db, member.id)
    for group in groups:
        _end(db, group, teams.membership(db, group.id, member.id), member)
    return len(groups)


def hand_over(db: Transaction, boss: Row, heir: Row | None) -> int:
    """Give the teams that an agent supervises to another (or to nobody); how many."""
    groups = teams.supervised_by(db, boss.id)
    for group in groups:
        _change(db, group, {"supervisor_id": heir.id if heir is not None else None})
        if heir is not None:
            telling.tell_agents(db, f"You supervise team:{group.name} now: {boss.name} is {boss.lifecycle}.", [heir.id])
    return len(groups)


def _end(db: Transaction, group: Row, stay: Row, member: Row) -> None:
    teams.leave(db, stay.id)
    record(db, "team_left", None, {"team": group.name, "agent": member.name, "role": stay.role})


def _create(db: Transaction, name: str, spelt: str) -> Row:
    """A new team, supervised by whoever makes it; the operator's by nobody."""
    actor = db.actor
    if not actor.is_operator and actor.role is AgentRole.WORKER:
        raise NotAllowed(
            f"There is no team `{name}`, and {actor.name} is a worker, which makes none: ask with "
            'send_message(to="superior", text=…).'
        )
    near = ids.misspelt(name, teams.all_team_names(db))
    if near:
        raise Ambiguous(
            f"There is no team `{name}`.{ids.did_you_mean(near)} Use that name, or one that is not so close.",
            candidates=near,
        )
    hierarchy.check_free(db, name, "team")
    title = {} if spelt.strip() == name else {"title": spelt.strip()}
    group = teams.insert_team(db, name, actor.id)
    record(db, "team_created", None, {"team": name, "supervisor": actor.name if actor.id else "", **title})
    return group


def _change(db: Transaction, group: Row, values: dict[str, Any]) -> Row:
    """Set columns of a team and record them, before and after."""
    differing = {name: value for name, value in values.items() if getattr(group, name) != value}
    if not differing:
        return group
    changed = {name: [getattr(group, name), value] for name, value in differing.items()}
    if "supervisor_id" in changed:
        names = agents.agent_names(db, changed["supervisor_id"])
        changed["supervisor"] = [names.get(each, "") for each in changed.pop("supervisor_id")]
    record(db, "team_changed", None, {"team": group.name, **changed})
    return teams.update_team(db, group.id, **differing)


def _appoint(db: Transaction, group: Row, boss: Row) -> str:
    if group.supervisor_id == boss.id:
        return ""
    if not supervises(db, group) or not hierarchy.is_within_reach(db, boss):
        raise _not_ones_own(db, group, boss)
    former = group.supervisor_id
    _change(db, group, {"supervisor_id": boss.id})
    telling.tell_agents(db, f"{boss.name} supervises team:{group.name} now.", [former] if former else [])
    return f"supervisor of team:{group.name}"


def _found_supervisor(db: Transaction, said: str) -> Row:
    boss = naming.known_agent(db, said)
    if boss.lifecycle in ENDED:
        raise NotAllowed(f"{boss.name} has ended ({boss.lifecycle}) and supervises no team.")
    if not hierarchy.is_within_reach(db, boss):
        raise NotAllowed(f"{db.actor.name} does not stand above {boss.name} and gives it no team.")
    return boss


def _check_may_put(db: Transaction, group: Row, member: Row, role: str) -> None:
    """Refuse whoever may not decide that this agent is in this team.

    Whoever supervises the team, or stands above that, takes into it itself and those below it; root directors and the
    operator anybody. Who is no worker may join as a plain member by itself.
    """
    if supervises(db, group) and hierarchy.is_within_reach(db, member):
        return
    if member.id == db.actor.id and role == MEMBER and db.actor.role is not AgentRole.WORKER:
        return
    raise _not_ones_own(db, group, member)


def _not_ones_own(db: Transaction, group: Row, member: Row | None = None) -> NotAllowed:
    """The refusal of whoever may not decide about a team; or, if it may, about an agent that is not below it."""
    if member is not None and supervises(db, group):
        return NotAllowed(
            f"{db.actor.name} supervises team:{group.name}, but does not stand above {member.name}: ask with "
            'send_message(to="superior", text=…).'
        )
    boss = agents.agent_names(db, [group.supervisor_id]).get(group.supervisor_id, "operator")
    return NotAllowed(
        f"Only the supervisor of team:{group.name}, and those above it, may decide that: ask with "
        f'send_message(to="{boss}", text=…).',
        ask=boss,
    )


def _tell_supervisor(db: Transaction, group: Row, words: str) -> None:
    if group.supervisor_id:
        telling.tell_agents(db, words, [group.supervisor_id])
