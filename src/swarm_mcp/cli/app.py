"""The program: its commands, its global options, and how it fails."""

from __future__ import annotations

import sys

import typer

from swarm_mcp import __version__
from swarm_mcp.cli import importing, projects, tasks
from swarm_mcp.cli.demo.command import demo
from swarm_mcp.cli.doctor import doctor
from swarm_mcp.cli.options import Agent, ChosenProfile, Database, LogLevel, Project, settings
from swarm_mcp.cli.stuck import stuck
from swarm_mcp.cli.undo import undo
from swarm_mcp.model.errors import Refusal

app = typer.Typer(
    name="swarm-mcp",
    help="One durable board for a swarm of agents.",
    invoke_without_command=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("import")(importing.import_plan)
app.command()(demo)
app.command()(doctor)
app.command()(undo)
app.command()(stuck)
app.add_typer(projects.app, name="project")
app.add_typer(tasks.app, name="tasks")


@app.callback()
def program(context: typer.Context) -> None:
    """One durable board for a swarm of agents."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def serve(
    database: Database = "",
    project: Project = "",
    agent: Agent = "",
    profile: ChosenProfile = "",
    log_level: LogLevel = "",
) -> None:
    """Serve the board to one MCP host over stdio.

    Example: swarm-mcp serve --agent claude --profile director
    """
    chosen = settings(database=database, project=project, agent=agent, profile=profile, log_level=log_level)
    from swarm_mcp.cli.serving import serve_stdio_board  # noqa: PLC0415 - help must not import the protocol

    serve_stdio_board(chosen)


@app.command()
def version() -> None:
    """Print the version.

    Example: swarm-mcp version
    """
    typer.echo(__version__)


def run() -> None:
    """Run a command; a refusal is one sentence on stderr and exit code 1."""
    try:
        app()
    except Refusal as refusal:
        sys.stderr.write(f"{refusal.message}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
