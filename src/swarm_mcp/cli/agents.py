"""`agents`: who is on the board, and what becomes of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm_mcp.cli import completing, roster
from swarm_mcp.cli.acting import VIA, act, asked, opened_there
from swarm_mcp.cli.json_objects import Config, read_object
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, settings
from swarm_mcp.model.agent import AgentRole, Availability, Lifecycle

if TYPE_CHECKING:
    from swarm_mcp.model.registration import Registered
    from swarm_mcp.repository.database import Transaction

app = typer.Typer(help="Agents: who is on the board, and what becomes of them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The agent.", show_default=False, autocompletion=completing.agents)]
ChosenRole = Annotated[
    str,
    typer.Option(
        "--role", help=f"{', '.join(AgentRole)}.", show_default=False, autocompletion=completing.words(AgentRole)
    ),
]
Superior = Annotated[
    str,
    typer.Option(
        help="The agent that it stands below; operator for a root director.",
        show_default=False,
        autocompletion=completing.agents,
    ),
]
Specialty = Annotated[str, typer.Option(help="What it is good at, in a word: testing.", show_default=False)]
Capability = Annotated[
    list[str] | None, typer.Option(help="Something that it can do; several times for more.", show_default=False)
]
Capacity = Annotated[
    int | None, typer.Option(min=0, help="How many claims it may have at once; 0: no limit.", show_default=False)
]
Team = Annotated[
    str,
    typer.Option(
        help="A team that it joins, which is made if there is none.",
        show_default=False,
        autocompletion=completing.teams,
    ),
]
TeamRole = Annotated[
    str,
    typer.Option(
        help="What it is in that team: lead, member, trainee, a word of your own, or supervisor.", show_default=False
    ),
]
Title = Annotated[str, typer.Option(help="What people call it.", show_default=False)]
Description = Annotated[str, typer.Option(help="What it is like, in words.", show_default=False)]


@app.command("list")
def list_(
    *,
    team: Annotated[
        str, typer.Option(help="Only this team's.", show_default=False, autocompletion=completing.teams)
    ] = "",
    role: ChosenRole = "",
    status: Annotated[
        str,
        typer.Option(
            help=f"Only these: {', '.join((*Lifecycle, *Availability))}. Else all that have not ended.",
            show_default=False,
            autocompletion=completing.words((*Lifecycle, *Availability)),
        ),
    ] = "",
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0: all.")] = 0,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """List agents by hierarchy. In a pipe: name, role, lifecycle, availability, superior, specialty, teams (or what it
    is in the team), claims, assigned, completed, ended attempts.

    Example: swarm-mcp agents list --team backend --status idle
    """  # noqa: D205 - one sentence that fits no line
    chosen = settings(database=database, project=project)
    with opened_there(chosen) as swarm, swarm.reading(via=VIA) as db:
        found = roster.collected(db, team=team, role=role, status=status, most=limit)
    roster.show_list(found, as_json=as_json)


@app.command()
def show(name: Name, *, as_json: AsJson = False, database: Database = "", project: Project = "") -> None:
    """Show an agent: what it is, where it stands, how it has done, and what it holds.

    Example: swarm-mcp agents show ada
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations.profiles import agent_facts  # noqa: PLC0415 - help must not import the board

    roster.show_agent(asked(chosen, lambda db: agent_facts(db, name)), as_json=as_json)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What it will be called.", show_default=False)],
    *,
    role: ChosenRole = "",
    superior: Superior = "",
    specialty: Specialty = "",
    capability: Capability = None,
    capacity: Capacity = None,
    team: Team = "",
    team_role: TeamRole = "",
    title: Title = "",
    description: Description = "",
    config: Config = "",
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Add an agent: a worker below the oldest active root director, unless something else is said.

    Example: swarm-mcp agents add ada --role specialist --specialty testing --superior lead --team backend
    """
    chosen = settings(database=database, project=project)
    said = _said(role, superior, specialty, capability, capacity, team, team_role, title, description)
    kept = _kept(config)
    act(chosen, partial(_add, name=name, said=said, kept=kept), agent=agent, as_json=as_json)


@app.command()
def update(
    name: Name,
    *,
    role: ChosenRole = "",
    superior: Superior = "",
    specialty: Specialty = "",
    capability: Capability = None,
    capacity: Capacity = None,
    team: Team = "",
    team_role: TeamRole = "",
    leave_team: Annotated[
        str, typer.Option(help="A team that it leaves.", show_default=False, autocompletion=completing.teams)
    ] = "",
    title: Title = "",
    description: Description = "",
    config: Config = "",
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Change what is given of an agent; capabilities and the configuration take the place of the former ones.

    Example: swarm-mcp agents update ada --superior lead --capability pytest --capability rust --capacity 2
    """
    chosen = settings(database=database, project=project)
    said = _said(role, superior, specialty, capability, capacity, team, team_role, title, description)
    said |= {"leave_team": leave_team} if leave_team.strip() else {}
    kept = _kept(config)
    if not said and not kept:
        raise typer.BadParameter("Say what shall change: --role, --superior, --specialty, --capacity …")
    act(chosen, partial(_change, name=name, said=said, kept=kept), agent=agent, as_json=as_json)


@app.command()
def pause(
    name: Name,
    *,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Pause an agent: its claims go back to the queue, its assignments stay; it may read, note and answer.

    Example: swarm-mcp agents pause ada
    """
    _live(name, Lifecycle.PAUSED, agent, settings(database=database, project=project), as_json=as_json)


@app.command()
def resume(
    name: Name,
    *,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Let an agent take part again that was paused, or has ended; one that never called waits for its first call.

    Example: swarm-mcp agents resume ada
    """
    _live(name, Lifecycle.ACTIVE, agent, settings(database=database, project=project), as_json=as_json)


@app.command()
def end(
    name: Name,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="It has failed, and was not simply let go.")] = False,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """End an agent: its work is taken back, and its people and teams go to its superior; `resume` lets it return.

    Example: swarm-mcp agents end ada
    """
    last = Lifecycle.FAILED if failed else Lifecycle.TERMINATED
    _live(name, last, agent, settings(database=database, project=project), as_json=as_json)


def _live(name: str, lifecycle: Lifecycle, agent: str, chosen: Any, *, as_json: bool) -> None:
    """Change an agent's lifecycle alone."""
    change = partial(_change, name=name, said={"lifecycle": lifecycle.value}, kept={})
    act(chosen, change, agent=agent, as_json=as_json)


def _said(
    role: str,
    superior: str,
    specialty: str,
    capability: list[str] | None,
    capacity: int | None,
    team: str,
    team_role: str,
    title: str,
    description: str,
) -> dict[str, Any]:
    """What was given of an agent."""
    values: dict[str, Any] = {
        "role": role, "superior": superior, "specialty": specialty, "capabilities": capability, "team": team,
        "team_role": team_role, "title": title, "description": description,
    }  # fmt: skip
    given = {name: value for name, value in values.items() if value}
    return given if capacity is None else given | {"capacity": capacity}


def _kept(config: str) -> dict[str, Any]:
    return {"config": read_object(config, "--config")} if config.strip() else {}


def _add(db: Transaction, *, name: str, said: dict[str, Any], kept: dict[str, Any]) -> Registered:
    """Register an agent that is not here yet."""
    from swarm_mcp.model.errors import Conflict  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.model.ids import fold_name  # noqa: PLC0415
    from swarm_mcp.repository.agents import find_agent  # noqa: PLC0415

    folded = fold_name(name)
    if find_agent(db, folded) is not None:
        raise Conflict(f"There is an agent `{folded}` already: `swarm-mcp agents update {folded}` changes it.")
    return _registered(db, name, said or {"role": "worker"}, kept)


def _change(db: Transaction, *, name: str, said: dict[str, Any], kept: dict[str, Any]) -> Registered:
    """Change an agent that is here."""
    from swarm_mcp.operations.naming import known_agent  # noqa: PLC0415
    from swarm_mcp.operations.profiles import LISTED  # noqa: PLC0415

    return _registered(db, known_agent(db, name, listed=LISTED).name, said, kept)


def _registered(db: Transaction, name: str, said: dict[str, Any], kept: dict[str, Any]) -> Registered:
    """Both kinds of changes in one transaction, and one answer."""
    from swarm_mcp import operations  # noqa: PLC0415

    if not said and kept:
        return operations.configure_agent(db, name=name, **kept)
    first = operations.register_agent(db, name=name, **said)
    if not kept:
        return first
    second = operations.configure_agent(db, name=name, **kept)
    return first.model_copy(update={"message": f"{first.message} {second.message}"})
