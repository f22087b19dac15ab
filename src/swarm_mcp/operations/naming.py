"""Whom a word means: agents, teams and specialties share one namespace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from swarm_mcp.model import ids
from swarm_mcp.model.agent import ENDED, Lifecycle
from swarm_mcp.model.errors import Ambiguous, Invalid, NotAllowed, NotFound
from swarm_mcp.operations import hierarchy
from swarm_mcp.operations.moves import PLACE
from swarm_mcp.repository import agents, teams

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


TEAMS_NAMED = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where work may lie: with an agent, a team, a specialty, or with nobody in particular."""

    agent: Row | None = None
    team: Row | None = None
    specialty: str = ""

    @property
    def label(self) -> str:
        """The name that agents read."""
        if self.agent is not None:
            return self.agent.name
        if self.team is not None:
            return f"team:{self.team.name}"
        return f"specialty:{self.specialty}" if self.specialty else ""

    def columns(self) -> dict[str, str | None]:
        """The place as columns of a task."""
        return {
            "assignee_id": self.agent.id if self.agent is not None else None,
            "pool_team_id": self.team.id if self.team is not None else None,
            "pool_specialty": self.specialty or None,
        }

    def given(self) -> dict[str, str]:
        """The columns that it fills."""
        return {name: value for name, value in self.columns().items() if value}


NOWHERE: dict[str, str | None] = dict.fromkeys(PLACE)


def place_of(row: Row) -> dict[str, str]:
    """Where a task lies, to be remembered; without what is empty."""
    return {name: getattr(row, name) for name in NOWHERE if getattr(row, name)}


def find_place(db: Transaction, name: str) -> Place | None:
    """The agent, team or specialty of that name, in this order; None if nobody has it."""
    kind, colon, rest = name.strip().partition(":")
    if not (colon and kind in {"team", "specialty", "agent"}):
        kind, rest = "", name
    folded = ids.fold_name(rest)
    if kind in {"", "agent"}:
        row = agents.find_agent(db, folded)
        if row is not None:
            return Place(agent=row)
    if kind in {"", "team"}:
        team = teams.find_team(db, folded)
        if team is not None:
            return Place(team=team)
    if kind == "specialty" or (not kind and folded in agents.all_specialties(db)):
        return Place(specialty=folded)
    if kind:
        raise NotFound(f"No {kind} `{folded}`.")
    return None


def known_agent(db: Transaction, said: str, *, listed: str = "list_agents() shows who is here.") -> Row:
    """The agent of that name.

    Args:
        db: the transaction.
        said: the name.
        listed: how its reader can see all agents.

    Raises:
        NotFound: none; the sentence names the nearest.

    """
    name = ids.fold_name(said)
    row = agents.find_agent(db, name)
    if row is None:
        raise no_agent(db, name, listed)
    return row


def no_agent(db: Transaction, name: str, listed: str = "list_agents() shows who is here.") -> NotFound:
    """The refusal of a name that no agent has."""
    near = ids.nearest(name, agents.all_agent_names(db))
    return NotFound(f"No agent `{name}`.{ids.did_you_mean(near)} {listed}", candidates=near)


def known_team(db: Transaction, said: str) -> Row:
    """The team of that name.

    Raises:
        NotFound: none; the sentence names the nearest, else some.

    """
    name = folded_team(said)
    row = teams.find_team(db, name)
    if row is None:
        known = teams.all_team_names(db)
        near = ids.nearest(name, known)
        there = f" There are {', '.join(sorted(known)[:TEAMS_NAMED])}." if known and not near else ""
        raise NotFound(f"No team `{name}`.{ids.did_you_mean(near)}{there}", candidates=near)
    return row


def folded_team(said: str) -> str:
    """A team's name as it is stored."""
    return ids.fold_name(said.strip().removeprefix("team:"))


def known_names(db: Transaction) -> list[str]:
    """Every name that work can be handed to."""
    return [*agents.all_agent_names(db), *teams.all_team_names(db), *agents.all_specialties(db)]


def assignable(db: Transaction, name: str, warnings: list[str]) -> Place:
    """Whom an assignment means. A name that nobody has, and that resembles none, becomes an agent below the caller.

    Raises:
        Ambiguous: the name is unknown but close to a known one.
        NotAllowed: the caller may not hand work to it.

    """
    if name.strip().lower() in {"anyone", ""}:
        return Place()
    if name.strip().lower() == "auto":
        raise Invalid('Create it without an assignee; then delegate(task=…, to="auto") chooses whoever fits best.')
    place = find_place(db, name)
    if place is None:
        folded = ids.fold_name(name)
        near = ids.misspelt(folded, known_names(db))
        if near:
            raise Ambiguous(
                f"Nobody is called `{folded}`.{ids.did_you_mean(near)} Use that name, or one that is not so close.",
                candidates=near,
            )
        place = Place(agent=announce(db, folded, name.strip()))
        warnings.append(
            f"{folded} is new: it is registered below {db.actor.name} and becomes active with its first call."
        )
    if place.agent is not None:
        check_handing_to(db, place.agent, warnings)
    return place


def check_handing_to(db: Transaction, agent: Row, warnings: list[str]) -> None:
    """Refuse handing work to an agent that has ended, or that the caller does not stand above."""
    if agent.lifecycle in ENDED:
        raise NotAllowed(f"{agent.name} has ended ({agent.lifecycle}); hand the work to somebody else.")
    if agent.lifecycle == Lifecycle.PAUSED:
        warnings.append(f"{agent.name} is paused and gets no work until it is resumed.")
    if hierarchy.is_within_reach(db, agent):
        return
    raise NotAllowed(
        f"{db.actor.name} does not stand above {agent.name}: hand work to yourself, an agent below you, a team or a "
        "specialty, or ask your superior."
    )


def announce(db: Transaction, name: str, title: str) -> Row:
    """Register an agent that has not called yet, below whoever acts."""
    superior = agents.agent_row(db, db.actor.id) if db.actor.id else hierarchy.oldest_active_root(db)
    return hierarchy.enrol(db, name, title, superior=superior, lifecycle=Lifecycle.SPAWNING)


def pool_label(db: Transaction, row: Row) -> str:
    """The pool that a task lies in, as agents write it."""
    if row.pool_team_id:
        return f"team:{teams.team_row(db, row.pool_team_id).name}"
    return f"specialty:{row.pool_specialty}" if row.pool_specialty else ""


def require_name(words: str, what: str) -> str:
    """A name that must be given."""
    if not words.strip():
        raise Invalid(f"{what} is missing: name an agent, a team or a specialty.")
    return words
