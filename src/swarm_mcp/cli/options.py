"""Options that several commands share, and the settings that come of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from pydantic import ValidationError

from swarm_mcp.cli import calls, completing
from swarm_mcp.config import LogLevel as LogLevels
from swarm_mcp.config import Settings, Transport
from swarm_mcp.model.agent import Profile


def remembered(option: typer.CallbackParam, value: str) -> str:
    """What was typed, kept for the commands that our sentences name."""
    if value:
        calls.typed[f"--{option.name}"] = value
    return value


Database = Annotated[
    str,
    typer.Option(
        help="A path or a SQLAlchemy URL; else SWARM_DATABASE.",
        show_default=False,
        callback=remembered,
    ),
]
Project = Annotated[
    str,
    typer.Option(
        help="The project; else SWARM_PROJECT.",
        show_default=False,
        autocompletion=completing.projects,
        callback=remembered,
    ),
]
Agent = Annotated[
    str, typer.Option(help="Who acts; else SWARM_AGENT.", show_default=False, autocompletion=completing.agents)
]
ActingAgent = Annotated[
    str,
    typer.Option(
        "--agent",
        help="Act as this agent; else the operator.",
        show_default=False,
        autocompletion=completing.agents,
        callback=remembered,
    ),
]
"""What only the command line itself may say: the environment of a person's terminal makes nobody an agent."""
ChosenProfile = Annotated[
    str,
    typer.Option(
        help="worker, director or observer; else SWARM_PROFILE.",
        show_default=False,
        autocompletion=completing.words(Profile),
    ),
]
ChosenTransport = Annotated[
    str,
    typer.Option(
        help="stdio, http, sse or all (both on one port); else SWARM_TRANSPORT.",
        show_default=False,
        autocompletion=completing.words(get_args(Transport)),
    ),
]
Host = Annotated[str, typer.Option(help="Where to listen; else SWARM_HOST, 127.0.0.1.", show_default=False)]
Port = Annotated[int, typer.Option(help="Where to listen, 0 for any; else SWARM_PORT, 8765.", show_default=False)]
LogLevel = Annotated[
    str,
    typer.Option(
        help="debug, info, warning or error; else SWARM_LOG_LEVEL.",
        show_default=False,
        autocompletion=completing.words(get_args(LogLevels)),
    ),
]
TaskId = Annotated[
    str,
    typer.Argument(
        help="Its id, a foreign reference, or the beginning.", show_default=False, autocompletion=completing.tasks
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def settings(**given: Any) -> Settings:
    """What was said on the command line over the environment, `.env` and the defaults.

    Raises:
        BadParameter: a value that a setting cannot have.

    """
    try:
        said: dict[str, Any] = {name: value for name, value in given.items() if value}
        return Settings(**said, **_place())
    except OSError as error:
        raise typer.BadParameter("The file .env of this folder is there and cannot be read.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "a setting"
        words = f"{name} cannot be `{first['input']}`: {first['msg']}"
        raise typer.BadParameter(words) from None


def _place() -> dict[str, Any]:
    """No `.env` where this is a folder into which we may not look, as after `runuser`."""
    try:
        Path(".env").stat()
    except PermissionError:
        return {"_env_file": None}
    except OSError:
        pass
    return {}
