"""`config`: what an MCP host has to be told to start this installation, in the host's own words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from swarm_mcp import __version__
from swarm_mcp.cli.options import AsJson, ChosenProfile, Database, Project, settings

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "swarm-mcp"
"""What the server is called in every host."""
START_SECONDS = 30


class Host(StrEnum):
    """The programs whose configuration is known."""

    CLAUDE_DESKTOP = "claude-desktop"
    CLAUDE_CODE = "claude-code"
    CURSOR = "cursor"
    VSCODE = "vscode"
    CODEX = "codex"
    GEMINI = "gemini"


class Server(NamedTuple):
    """How a host starts a server: a program and its arguments, without a shell, and what its environment has besides.

    The board is told by the environment, because whoever may list processes sees arguments, and an address may have a
    password in it.
    """

    command: str
    args: list[str]
    env: dict[str, str]

    @property
    def entry(self) -> dict[str, Any]:
        """What stands under the server's name, in most hosts."""
        return self._asdict()


def config(
    host: Annotated[Host, typer.Argument(help="The program that is to start the server.", show_default=False)],
    *,
    agent: Annotated[
        str, typer.Option(help="Who acts through this host; else one called after the host.", show_default=False)
    ] = "",
    profile: ChosenProfile = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Print an MCP host's configuration for this installation; where it belongs is said on stderr.

    Example: swarm-mcp config cursor --agent ada --profile worker
    """
    chosen = settings(database=database, project=project, profile=profile)
    from swarm_mcp.model.ids import fold_name  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.operations.projects import check_slug  # noqa: PLC0415

    check_slug(chosen.project)

    place = absolute(chosen.database)
    words = ["serve", "--transport", "stdio", "--agent", fold_name(agent or host), "--profile", chosen.profile]
    command = working(candidates())
    server = Server(command[0], [*command[1:], *words, "--project", chosen.project], {"SWARM_DATABASE": place})
    shape = SHAPES[host]
    if as_json:
        typer.echo(json.dumps({"host": host, "name": NAME, **server.entry, "place": shape.place()}, indent=2))
        return
    typer.echo(shape.place(), err=True)
    if has_password(place):
        typer.echo("The board's address has a password in it: keep what is printed here to yourself.", err=True)
    typer.echo(shape.write(server))


def absolute(database: str) -> str:
    """The board's place as it is meant wherever the host starts the server."""
    from swarm_mcp.repository.database import Database as Stored  # noqa: PLC0415

    path = Stored(database).path
    return database if path is None else str(path.absolute())


def has_password(place: str) -> bool:
    """Whether an address says more than may be shown."""
    from swarm_mcp.repository.postgres import without_password  # noqa: PLC0415

    return without_password(place) != place


# --- the program ----------------------------------------------------------------------------------------------------


def candidates() -> list[list[str]]:
    """How this installation may be started: by its script, else by this Python.

    With -P it looks for nothing in the folder that it is started in, which may be full of other people's modules.
    """
    script = Path(sysconfig.get_path("scripts")) / ("swarm-mcp.exe" if os.name == "nt" else "swarm-mcp")
    module = [sys.executable, "-P", "-m", "swarm_mcp"]
    return [[str(script)], module] if script.is_file() else [module]


def working(commands: list[list[str]]) -> list[str]:
    """The first of these commands that really starts this version in a foreign folder, with next to no environment.

    Raises:
        Unavailable: none does.

    """
    from swarm_mcp.model.errors import Unavailable  # noqa: PLC0415

    for command in commands:
        if starts(command):
            return command
    raise Unavailable(
        "This installation starts only from here (perhaps by PYTHONPATH), so no host could start it. "
        "Install it into an environment: pip install of its folder."
    )


def starts(command: list[str]) -> bool:
    """Whether a command tells our version wherever it is started."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "USERPROFILE") if name in os.environ}
    with tempfile.TemporaryDirectory() as elsewhere:
        try:
            done = subprocess.run(  # noqa: S603 - our own program
                [*command, "version"], cwd=elsewhere, env=kept, stdin=subprocess.DEVNULL, capture_output=True,
                text=True, check=False, timeout=START_SECONDS,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return False
    return (done.returncode, done.stdout.strip()) == (0, __version__)


# --- the hosts ------------------------------------------------------------------------------------------------------


class Shape(NamedTuple):
    """A host's way to say it."""

    write: Callable[[Server], str]
    place: Callable[[], str]
    """Where it belongs, as a sentence."""


def _as_json(key: str, **more: str) -> Callable[[Server], str]:
    """A file of JSON with its servers under this key; `more` comes first in each."""

    def write(server: Server) -> str:
        return json.dumps({key: {NAME: {**more, **server.entry}}}, indent=2, ensure_ascii=False)

    return write


def _as_command(server: Server) -> str:
    """A line for a terminal, quoted as its shell wants it."""
    import shlex  # noqa: PLC0415

    entry = json.dumps({"type": "stdio", **server.entry}, ensure_ascii=False)
    words = ["claude", "mcp", "add-json", "--scope", "user", NAME, entry]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _as_toml(server: Server) -> str:
    """A table of TOML. Its strings are JSON's, but that DEL is escaped, too."""

    def said(value: object) -> str:
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

    head = [f"[mcp_servers.{NAME}]", f"command = {said(server.command)}", f"args = {said(server.args)}"]
    env = [f"{name} = {said(value)}" for name, value in server.env.items()]
    return "\n".join([*head, "", f"[mcp_servers.{NAME}.env]", *env])


def _in_file(path: str, key: str) -> Callable[[], str]:
    return lambda: f"It belongs into {path}; merge it under `{key}` if the file is there already."


def _of_claude_desktop() -> str:
    """Its folder differs from system to system."""
    folders = {"darwin": "~/Library/Application Support/Claude", "win32": "%APPDATA%\\Claude"}
    folder = folders.get(sys.platform, "~/.config/Claude")
    path = os.path.join(folder, "claude_desktop_config.json")  # noqa: PTH118 - `~` and `%APPDATA%` are shown as they are
    return _in_file(path, "mcpServers")() + " Then start Claude Desktop again."


def _of_claude_code() -> str:
    return "Run this line; or put its JSON object into a project's .mcp.json, under `mcpServers` as `swarm-mcp`."


SHAPES: dict[Host, Shape] = {
    Host.CLAUDE_DESKTOP: Shape(_as_json("mcpServers"), _of_claude_desktop),
    Host.CLAUDE_CODE: Shape(_as_command, _of_claude_code),
    Host.CURSOR: Shape(
        _as_json("mcpServers"), _in_file("~/.cursor/mcp.json, or a project's .cursor/mcp.json", "mcpServers")
    ),
    Host.VSCODE: Shape(
        _as_json("servers", type="stdio"),
        _in_file("a project's .vscode/mcp.json, or what `MCP: Open User Configuration` opens", "servers"),
    ),
    Host.CODEX: Shape(_as_toml, _in_file("~/.codex/config.toml", "mcp_servers")),
    Host.GEMINI: Shape(
        _as_json("mcpServers"), _in_file("~/.gemini/settings.json, or a project's .gemini/settings.json", "mcpServers")
    ),
}
