"""The program: its commands, its global options, and how it fails."""

from __future__ import annotations

import sys

import typer

from swarm_mcp import __version__
from swarm_mcp.cli import archiving, backups, checks, databases, exporting, importing, projects, tasks, tokens
from swarm_mcp.cli.critical_path import critical_path
from swarm_mcp.cli.demo.command import demo
from swarm_mcp.cli.doctor import doctor
from swarm_mcp.cli.hosting import config
from swarm_mcp.cli.inbox import inbox
from swarm_mcp.cli.options import (
    Agent,
    ChosenProfile,
    ChosenTransport,
    Database,
    Host,
    LogLevel,
    Port,
    Project,
    settings,
)
from swarm_mcp.cli.printing import note
from swarm_mcp.cli.send import send
from swarm_mcp.cli.stats import stats
from swarm_mcp.cli.stuck import stuck
from swarm_mcp.cli.telemetry import set_up_tracing
from swarm_mcp.cli.undo import undo
from swarm_mcp.cli.watch import watch
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
app.command("export")(exporting.export_board)
app.command("archive")(archiving.archive_finished)
app.command()(demo)
app.command()(doctor)
app.command()(config)
app.command()(inbox)
app.command()(send)
app.command()(undo)
app.command()(stuck)
app.command()(stats)
app.command()(watch)
app.command("critical-path")(critical_path)
app.add_typer(projects.app, name="project")
app.add_typer(tasks.app, name="tasks")
app.add_typer(tokens.app, name="token")
app.add_typer(databases.app, name="db")
for command in (checks.check, checks.validate, backups.backup, backups.restore, backups.reset, backups.seed):
    databases.app.command()(command)


@app.callback()
def program(context: typer.Context) -> None:
    """One durable board for a swarm of agents."""
    set_up_tracing()
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def serve(
    database: Database = "",
    project: Project = "",
    agent: Agent = "",
    profile: ChosenProfile = "",
    log_level: LogLevel = "",
    transport: ChosenTransport = "",
    host: Host = "",
    port: Port = -1,
) -> None:
    """Serve the board: to one MCP host over stdio, or to many over HTTP.

    Example: swarm-mcp serve --agent claude --profile director
    """
    where = {"transport": transport, "host": host, "port": str(port) if port >= 0 else ""}
    who = {"agent": agent, "profile": profile}
    chosen = settings(database=database, project=project, log_level=log_level, **who, **where)
    if chosen.transport == "stdio":
        from swarm_mcp.cli.serving import serve_stdio_board  # noqa: PLC0415 - help must not import the protocol

        serve_stdio_board(chosen)
    else:
        from swarm_mcp.cli.remote import serve_board_over_http  # noqa: PLC0415 - nor stdio what HTTP needs

        serve_board_over_http(chosen)


@app.command()
def version() -> None:
    """Print the version.

    Example: swarm-mcp version
    """
    typer.echo(__version__)


def run() -> None:
    """Run a command; a refusal is one sentence on stderr and exit code 1."""
    try:
        app(prog_name="swarm-mcp")  # however it was started: shells complete this name
    except Refusal as refusal:
        note(refusal.message)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
