"""`teams`: which there are, who supervises them, who is in them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm_mcp.cli import completing, roster
from swarm_mcp.cli.acting import VIA, act, asked, opened_there
from swarm_mcp.cli.json_objects import Config, read_object
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, settings
from swarm_mcp.cli.printing import Column, on_terminal, print_facts, print_json, print_rows, print_table

if TYPE_CHECKING:
    from swarm_mcp.model.registration import Registered, TeamChange
    from swarm_mcp.repository.database import Transaction

app = typer.Typer(help="Teams: groups of agents that work may be handed to.", no_args_is_help=True)
COLUMNS = [
    Column("team", flexible=True, wraps=True), Column("supervisor", flexible=True, wraps=True),
    Column("members", right=True), Column("open", right=True), Column("objective", flexible=True, wraps=True),
]  # fmt: skip

Name = Annotated[str, typer.Argument(help="The team.", show_default=False, autocompletion=completing.teams)]
Member = Annotated[
    str, typer.Argument(metavar="AGENT", help="The agent.", show_default=False, autocompletion=completing.agents)
]
Supervisor = Annotated[
    str,
    typer.Option(help="The agent that decides about it.", show_default=False, autocompletion=completing.agents),
]
Description = Annotated[str, typer.Option(help="What it is like, in words.", show_default=False)]
Objective = Annotated[str, typer.Option(help="What it is there for.", show_default=False)]


@app.command("list")
def list_(*, as_json: AsJson = False, database: Database = "", project: Project = "") -> None:
    """List teams. In a pipe: name, supervisor, members, open tasks in its pool, objective.

    Example: swarm-mcp teams list
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations.profiles import list_teams  # noqa: PLC0415 - help must not import the board

    found = asked(chosen, list_teams)
    rows = ((each.name, each.supervisor, str(each.members), str(each.open), each.objective) for each in found)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    elif on_terminal():
        print_table(COLUMNS, rows, title=f"{len(found):,} {'team' if len(found) == 1 else 'teams'}.")
    else:
        print_rows(rows)


@app.command()
def show(name: Name, *, as_json: AsJson = False, database: Database = "", project: Project = "") -> None:
    """Show a team: who supervises it, what waits in its pool, and its members.

    Example: swarm-mcp teams show backend
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations.profiles import team_facts  # noqa: PLC0415

    with opened_there(chosen) as swarm, swarm.reading(via=VIA) as db:
        facts = team_facts(db, name)
        members = roster.collected(db, team=name, role="", status="", most=0)
    if as_json:
        print_json({**facts, "members": [each.structured() for each in members.agents]})
        return
    pool = ", ".join(f"{count:,} {status}" for status, count in facts["pool"].items())
    shown = {"team": facts["name"], **{each: facts[each] for each in ("supervisor", "objective", "description")}}
    print_facts({**shown, "config": roster.in_json(facts["config"]), "pool": pool})
    if on_terminal():
        roster.show_list(members, as_json=False)
    else:
        print_rows(("member", each.name, each.team_role, each.availability) for each in members.agents)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it will be called.", show_default=False)],
    *,
    supervisor: Supervisor = "",
    objective: Objective = "",
    description: Description = "",
    config: Config = "",
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Make a team.

    Example: swarm-mcp teams create backend --supervisor lead --objective "The service answers in 200 ms."
    """
    chosen = settings(database=database, project=project)
    said = _said(supervisor, objective, description, config)
    act(chosen, partial(_create, name=name, said=said), agent=agent, as_json=as_json)


@app.command()
def update(
    name: Name,
    *,
    supervisor: Supervisor = "",
    objective: Objective = "",
    description: Description = "",
    config: Config = "",
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Change what is given of a team; the configuration takes the place of the former one.

    Example: swarm-mcp teams update backend --supervisor ada
    """
    chosen = settings(database=database, project=project)
    said = _said(supervisor, objective, description, config)
    if not said:
        raise typer.BadParameter("Say what shall change: --supervisor, --objective, --description or --config.")
    act(chosen, partial(_update, name=name, said=said), agent=agent, as_json=as_json)


@app.command()
def add(
    name: Name,
    member: Member,
    *,
    role: Annotated[
        str,
        typer.Option(help="lead, member, trainee, a word of your own, or supervisor.", show_default=False),
    ] = "",
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Take an agent into a team, or make it something else there.

    Example: swarm-mcp teams add backend ada --role lead
    """
    chosen = settings(database=database, project=project)
    act(chosen, partial(_join, name=name, member=member, role=role), agent=agent, as_json=as_json)


@app.command()
def remove(
    name: Name,
    member: Member,
    *,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Let an agent leave a team; what it did there stays.

    Example: swarm-mcp teams remove backend ada
    """
    chosen = settings(database=database, project=project)
    act(chosen, partial(_leave, name=name, member=member), agent=agent, as_json=as_json)


def _said(supervisor: str, objective: str, description: str, config: str) -> dict[str, Any]:
    """What was given of a team."""
    values = {"supervisor": supervisor, "objective": objective, "description": description}
    given: dict[str, Any] = {name: value for name, value in values.items() if value.strip()}
    return given | ({"config": read_object(config, "--config")} if config.strip() else {})


def _create(db: Transaction, *, name: str, said: dict[str, Any]) -> TeamChange:
    """Make a team that there is not yet."""
    from swarm_mcp import operations  # noqa: PLC0415
    from swarm_mcp.model.errors import Conflict  # noqa: PLC0415
    from swarm_mcp.operations.naming import folded_team  # noqa: PLC0415
    from swarm_mcp.repository.teams import find_team  # noqa: PLC0415

    folded = folded_team(name)
    if find_team(db, folded) is not None:
        raise Conflict(f"There is a team `{folded}` already: `swarm-mcp teams update {folded}` changes it.")
    return operations.register_team(db, name=name, **said)


def _update(db: Transaction, *, name: str, said: dict[str, Any]) -> TeamChange:
    """Change a team that is there."""
    from swarm_mcp import operations  # noqa: PLC0415
    from swarm_mcp.operations.naming import known_team  # noqa: PLC0415

    return operations.register_team(db, name=known_team(db, name).name, **said)


def _join(db: Transaction, *, name: str, member: str, role: str) -> Registered:
    """Put an agent that is here into a team that is there."""
    from swarm_mcp import operations  # noqa: PLC0415
    from swarm_mcp.operations.naming import known_agent, known_team  # noqa: PLC0415
    from swarm_mcp.operations.profiles import LISTED  # noqa: PLC0415

    group, row = known_team(db, name), known_agent(db, member, listed=LISTED)
    return operations.register_agent(db, name=row.name, team=group.name, team_role=role)


def _leave(db: Transaction, *, name: str, member: str) -> Registered:
    """Take an agent out of a team in which it is."""
    from swarm_mcp import operations  # noqa: PLC0415
    from swarm_mcp.model.errors import NotFound  # noqa: PLC0415
    from swarm_mcp.operations.naming import known_agent, known_team  # noqa: PLC0415
    from swarm_mcp.operations.profiles import LISTED  # noqa: PLC0415
    from swarm_mcp.repository.teams import membership  # noqa: PLC0415

    group, row = known_team(db, name), known_agent(db, member, listed=LISTED)
    if membership(db, group.id, row.id) is None:
        raise NotFound(f"{row.name} is not in team:{group.name}; `swarm-mcp teams show {group.name}` shows who is.")
    return operations.register_agent(db, name=row.name, leave_team=group.name)
