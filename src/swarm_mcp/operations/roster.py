"""The roster: who is there, in the order of the hierarchy, how loaded, and how well each has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.agent import ENDED, AgentLine, AgentList, AgentRole, Availability, Lifecycle, TeamView
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.ids import unknown_word
from swarm_mcp.model.lifecycle import choose
from swarm_mcp.model.record import spoken
from swarm_mcp.model.tokens import fitting
from swarm_mcp.operations import naming
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.availability import availability
from swarm_mcp.operations.catalog import EVERY, operation
from swarm_mcp.operations.limits import at_most, read_limit
from swarm_mcp.repository import agents, crew, figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.figures import Figures
    from swarm_mcp.repository.statement import Row

CAPABILITIES_SHOWN = 6
CAPABILITY_SHOWN = 40
TEAMS_SHOWN = 4
WORDS_SHOWN = 500
ROWS_BUDGET = 5000
STATUSES = (*Lifecycle, *Availability)
OLDER_WORDS = {"error": Lifecycle.FAILED}


@operation(profiles=EVERY - {"worker"}, writes=False, takes_agent=False, long=True)
def list_agents(
    db: Transaction,
    *,
    team: arg.Text = "",
    role: arg.Text = "",
    status: arg.Text = "",
    limit: int = 50,
    cursor: arg.Text = "",
) -> AgentList:
    """Agents by hierarchy, with load and record. `status`: a lifecycle, or busy, idle, offline."""
    most = read_limit(limit)
    wanted_role = choose(role, AgentRole, "role").value if role.strip() else ""
    wanted_status = _read_status(status)
    group = naming.known_team(db, team) if team.strip() else None
    members = crew.members(db, group.id) if group is not None else None
    everybody = hierarchy(crew.places(db))
    busy = figures.live_claims(db)
    meant = [
        row
        for row in everybody
        if (members is None or row.id in members) and (not wanted_role or row.role == wanted_role)
    ]
    found = [row for row in meant if _has_status(db, row, wanted_status, row.id in busy)]
    page = _after(everybody, found, cursor)
    names: dict[str | None, str] = {row.id: row.name for row in everybody}
    lines = fitting(_lines(db, _whole(db, page[:most]), names, members), spoken, budget=ROWS_BUDGET)
    ended = len(meant) - len(found) if not wanted_status else 0
    return AgentList(
        agents=lines,
        total=len(found),
        team=_view(db, group) if group is not None else None,
        next_cursor=lines[-1].name if lines and len(lines) < len(page) else "",
        message=_sentence(len(lines), len(found), group, ended, limit),
    )


def agent_line(db: Transaction, row: Row) -> AgentLine:
    """One agent as a row of the list."""
    return next(_lines(db, [row], agents.agent_names(db, [row.superior_id])))


def hierarchy(rows: Sequence[Row]) -> list[Row]:
    """Agents so that each follows its superior: root directors first, the oldest first; below another by name."""
    below: dict[str | None, list[Row]] = {}
    known = {row.id for row in rows}
    for row in rows:
        below.setdefault(row.superior_id if row.superior_id in known else None, []).append(row)
    tops = sorted(below.get(None, []), key=lambda row: (row.role != AgentRole.DIRECTOR, row.created_at, row.name))
    ordered: list[Row] = []
    stack = tops[::-1]
    while stack:
        row = stack.pop()
        ordered.append(row)
        stack += sorted(below.get(row.id, ()), key=lambda each: each.name, reverse=True)
    return ordered


def _read_status(status: str) -> str:
    word = status.strip().lower()
    word = OLDER_WORDS.get(word, word)
    if word and word not in STATUSES:
        raise unknown_word(status, "status of an agent", STATUSES)
    return word


def _has_status(db: Transaction, row: Row, wanted: str, busy: bool) -> bool:  # noqa: FBT001 - see availability
    """Whether an agent has that lifecycle or availability; without one asked for, whether it has not ended."""
    if not wanted:
        return row.lifecycle not in ENDED
    return wanted in {row.lifecycle, availability(db, row, busy=busy)}


def _after(everybody: list[Row], found: list[Row], cursor: str) -> list[Row]:
    """What follows the agent at which the page before ended, whether or not it would still be listed."""
    name = cursor.strip()
    if not name:
        return found
    place = {row.name: n for n, row in enumerate(everybody)}
    if name not in place:
        raise Invalid(f"`{cursor[:63]}` is no cursor of this list; leave it empty to begin anew.")
    return [row for row in found if place[row.name] > place[name]]


def _whole(db: Transaction, rows: Sequence[Row]) -> list[Row]:
    found = crew.agent_rows(db, [row.id for row in rows])
    return [found[row.id] for row in rows]


def _lines(
    db: Transaction, rows: Sequence[Row], names: Mapping[str | None, str], members: dict[str, str] | None = None
) -> Iterator[AgentLine]:
    ids = [row.id for row in rows]
    known, groups = figures.figures(db, ids), crew.memberships(db, ids)
    for row in rows:
        inside = groups.get(row.id, [])
        about_teams = (
            {"team_role": members[row.id]}
            if members is not None
            else {"teams": inside[:TEAMS_SHOWN], "teams_more": max(0, len(inside) - TEAMS_SHOWN)}
        )
        there = availability(db, row, busy=bool(known[row.id].live))
        yield _line(row, known[row.id], names, there).model_copy(update=about_teams)


def _line(row: Row, known: Figures, names: Mapping[str | None, str], there: Availability) -> AgentLine:
    seen = row.last_seen_at if there is Availability.OFFLINE else None
    response = known.response_seconds
    return AgentLine(
        name=row.name,
        role=row.role,
        availability=there.value,
        superior=names.get(row.superior_id, ""),
        lifecycle=row.lifecycle,
        specialty=row.specialty,
        capabilities=[shorten(str(each), CAPABILITY_SHOWN) for each in row.capabilities[:CAPABILITIES_SHOWN]],
        capabilities_more=max(0, len(row.capabilities) - CAPABILITIES_SHOWN),
        capacity=row.capacity,
        last_seen=seen.isoformat(timespec="seconds") if seen is not None else "",
        claims=known.claims,
        assigned=known.assigned,
        completed=known.completed,
        ended=known.ended,
        success_percentage=None if known.success is None else round(100 * known.success),
        response_minutes=None if response is None else round(response / 60, 1),
        quality=None if known.quality is None else round(known.quality, 1),
        timeliness=None if known.timeliness is None else round(known.timeliness, 1),
        ratings=known.ratings,
    )


def _view(db: Transaction, group: Row) -> TeamView:
    names = agents.agent_names(db, [group.supervisor_id])
    return TeamView(
        name=group.name,
        supervisor=names.get(group.supervisor_id, ""),
        objective=shorten(group.objective, WORDS_SHOWN),
        description=shorten(group.description, WORDS_SHOWN),
    )


def _sentence(shown: int, total: int, group: Row | None, ended: int, limit: int) -> str:
    """How many of how many, and how many were left out because they have ended."""
    inside = f" in the team {group.name}" if group is not None else ""
    gone = (
        f' {ended:,} more {"has" if ended == 1 else "have"} ended: status="failed" or "terminated" lists them.'
        if ended
        else ""
    )
    return f"{shown:,} of {total:,} {'agent' if total == 1 else 'agents'}{inside}{at_most(limit)}.{gone}"
