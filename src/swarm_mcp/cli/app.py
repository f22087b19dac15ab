"""The program: its commands, its global options, and how it fails."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from swarm_mcp import __version__
from swarm_mcp.config import Settings
from swarm_mcp.model.errors import Refusal

app = typer.Typer(
    name="swarm-mcp",
    help="One durable board for a swarm of agents.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Database = Annotated[str, typer.Option(help="A path or a SQLAlchemy URL [env: SWARM_DATABASE].", show_default=False)]
Project = Annotated[str, typer.Option(help="The project [env: SWARM_PROJECT].", show_default=False)]
Agent = Annotated[str, typer.Option(help="Who acts [env: SWARM_AGENT].", show_default=False)]
ChosenProfile = Annotated[str, typer.Option(help="worker, director or observer [env: SWARM_PROFILE].", show_default=False)]
LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error [env: SWARM_LOG_LEVEL].", show_default=False)]


def settings(**given: Any) -> Settings:  # noqa: ANN401 - checked by the settings
    """What was said on the command line over the environment, `.env` and the defaults.

    Raises:
        BadParameter: a value that a setting cannot have.

    """
    try:
        return Settings(**{name: value for name, value in given.items() if value})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "a setting"
        words = f"{name} cannot be `{first['input']}`: {first['msg']}"
        raise typer.BadParameter(words) from None


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


