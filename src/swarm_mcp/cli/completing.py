"""What a shell offers while a command is typed: tasks, agents, teams and projects of the board, and words that we know.

The board is only read, and neither made nor migrated; where it cannot be read, nothing is offered and nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from swarm_mcp.cli.acting import VIA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from swarm_mcp.repository.database import Transaction

LIMIT = 100
PATIENCE_SECONDS = 2.0

Offer = tuple[str, str]
"""What would be typed, and what it means."""


def tasks(context: typer.Context, incomplete: str) -> list[Offer]:
    """Ids of tasks with their titles; without a beginning, of those that are open and urgent."""
    from swarm_mcp.repository import suggestions  # noqa: PLC0415 - help must not import the board

    def found(db: Transaction) -> list[Offer]:
        typed = incomplete.strip()
        rows = suggestions.beginning(db, typed, limit=LIMIT) if typed else suggestions.foremost(db, limit=LIMIT)
        return [(row.id, _meaning(row.title)) for row in rows]

    return _asked(context, found)


def agents(context: typer.Context, incomplete: str) -> list[Offer]:
    """Names of agents."""
    from swarm_mcp.repository.agents import all_agent_names  # noqa: PLC0415

    return _asked(context, lambda db: _like(all_agent_names(db), incomplete))


def teams(context: typer.Context, incomplete: str) -> list[Offer]:
    """Names of teams."""
    from swarm_mcp.repository.teams import all_team_names  # noqa: PLC0415

    return _asked(context, lambda db: _like(all_team_names(db), incomplete))


def projects(context: typer.Context, incomplete: str) -> list[Offer]:
    """Names of projects."""
    from swarm_mcp.repository.projects import slugs  # noqa: PLC0415

    return _asked(context, lambda db: _like(slugs(db), incomplete))


def tokens(context: typer.Context, incomplete: str) -> list[Offer]:
    """Ids of the tokens that still open something, and whose they are."""
    from swarm_mcp.operations.tokens import list_tokens  # noqa: PLC0415

    def found(db: Transaction) -> list[Offer]:
        open_ = [each for each in list_tokens(db).tokens if each.state == "valid" and each.id.startswith(incomplete)]
        return [(each.id, _meaning(f"{each.agent}, {each.scope}")) for each in open_][:LIMIT]

    return _asked(context, found)


def revisions(incomplete: str) -> list[str]:
    """The revisions of the schema, the newest first."""
    from swarm_mcp.repository import migrate  # noqa: PLC0415

    return [each for each, _, _ in migrate.revisions() if each.startswith(incomplete)]


def zones(incomplete: str) -> list[str]:
    """The time zones that this computer knows."""
    from zoneinfo import available_timezones  # noqa: PLC0415

    return sorted(each for each in available_timezones() if each.startswith(incomplete))


def words(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Offers words of a list, for an option whose value is checked later."""
    kept = [str(each) for each in known]
    return lambda incomplete: [each for each in kept if each.startswith(incomplete)]


def _meaning(title: str) -> str:
    """A title as the shell shows it: Typer takes what we say of an offer for markup, and fails on what is none."""
    from rich.markup import escape  # noqa: PLC0415 - help must not wait for it

    from swarm_mcp.cli.printing import in_one_line  # noqa: PLC0415

    return escape(in_one_line(title))


def _like(names: Iterable[str], incomplete: str) -> list[Offer]:
    typed = incomplete.strip().casefold()
    return [(name, "") for name in names if name.startswith(typed)][:LIMIT]


def _asked(context: typer.Context, question: Callable[[Transaction], list[Offer]]) -> list[Offer]:
    """What the board says, as far as that can be had."""
    try:
        return _answered(context, question)
    except Exception:  # a shell would print it into the line that is being typed
        return []


def _answered(context: typer.Context, question: Callable[[Transaction], list[Offer]]) -> list[Offer]:
    from swarm_mcp.cli.options import settings  # noqa: PLC0415 - which offers us
    from swarm_mcp.operations.swarm import Swarm  # noqa: PLC0415
    from swarm_mcp.repository import migrate  # noqa: PLC0415
    from swarm_mcp.repository.database import Database  # noqa: PLC0415

    said = {name: context.params.get(name) or "" for name in ("database", "project")}
    chosen = settings(**said)
    stored = Database(chosen.database, patience=PATIENCE_SECONDS)
    try:
        if (stored.path is not None and not stored.path.exists()) or migrate.pending(stored):
            return []
        return Swarm(stored, chosen.project).read(question, via=VIA)
    finally:
        stored.close()
