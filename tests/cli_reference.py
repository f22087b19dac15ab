"""docs/cli.md, generated from the program itself: every command with its arguments, options and an example.

`python tests/cli_reference.py` writes it anew; test_cli_reference.py holds the one against the other. Only what every
Typer has is asked of it, because its insides change from version to version.
"""

from __future__ import annotations

import enum
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from swarm_mcp.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
OPENING = """\
# The command line, command by command

Generated from the program: `python tests/cli_reference.py` writes it anew. `swarm-mcp --help` and
`swarm-mcp COMMAND --help` say the same; the [README](../README.md#the-command-line) has an overview and the settings,
which go below what is said on the command line.

Exit codes: 0 done, 1 refused or failed with one sentence on stderr, 2 wrong usage. In a pipe, commands print lines with
tabs between the columns; on a terminal, tables. `swarm-mcp --install-completion` teaches your shell to complete
commands, options, and the tasks, agents and projects of the board; `--show-completion` prints what it would install.
"""
TAKES = {int: "N", float: "N", Path: "PATH"}


def document() -> str:
    """The whole document."""
    known = list(commands())
    contents = [
        f"| [`swarm-mcp {name}`](#swarm-mcp-{name.replace(' ', '-')}) | {cell(told(command)[0])} |"
        for name, command in known
    ]
    table = ["| command | does |", "|---|---|", *contents, ""]
    return "\n".join([OPENING, *table, *(line for name, command in known for line in section(name, command))])


def commands(group: Any = None, *before: str) -> Iterator[tuple[str, Any]]:
    """Every command that the help shows, by the words that call it, in alphabetical order."""
    for name, command in sorted((group or typer.main.get_command(app)).commands.items()):
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from commands(command, *before, name)
        else:
            yield " ".join((*before, name)), command


def section(name: str, command: Any) -> Iterator[str]:
    """A command: what it does, what it takes, and an example."""
    does, example = told(command)
    types = typing.get_type_hints(command.callback)
    arguments = [each for each in command.params if isinstance(each, typer.core.TyperArgument)]
    options = [each for each in command.params if each not in arguments and not each.hidden]
    words = [word if each.required else f"[{word}]" for each in arguments for word in [metavar(each, types)]]
    yield from (f"## swarm-mcp {name}", "", does, "", "```console", example, "```", "")
    yield from ("Usage: `" + " ".join(["swarm-mcp", name, *words, *["[OPTIONS]"] * bool(options)]) + "`", "")
    if command.params:
        yield from ("| takes | means |", "|---|---|")
        yield from (f"| `{cell(metavar(each, types))}` | {meaning(each, types)} |" for each in arguments)
        yield from (f"| `{cell(spelling(each, types))}` | {meaning(each, types)} |" for each in options)
        yield ""


def told(command: Any) -> tuple[str, str]:
    """What a command's help says, in one paragraph, and the example at its end."""
    does, _, example = (command.help or "").partition("Example:")
    return " ".join(does.split()), example.strip()


def metavar(parameter: Any, types: dict[str, Any]) -> str:
    """What stands for a value."""
    type_ = types.get(parameter.name)
    if parameter.metavar or isinstance(parameter, typer.core.TyperArgument):
        return (parameter.metavar or parameter.name.strip("_").upper()) + "..." * (parameter.nargs == -1)
    if isinstance(type_, type) and issubclass(type_, enum.Enum):
        return "|".join(each.value for each in type_)
    return TAKES.get(type_, "TEXT")  # type: ignore[arg-type]


def spelling(option: Any, types: dict[str, Any]) -> str:
    """An option as it is typed."""
    names = ", ".join([*option.opts, *option.secondary_opts])
    return names if option.is_flag else f"{names} {metavar(option, types)}"


def meaning(parameter: Any, types: dict[str, Any]) -> str:
    """What a parameter is for, which words it takes, and what it is if nothing is said."""
    parts = [cell(parameter.help or "")]
    type_ = types.get(parameter.name)
    if isinstance(type_, type) and issubclass(type_, enum.Enum) and isinstance(parameter, typer.core.TyperArgument):
        parts.append(f"One of {', '.join(f'`{each.value}`' for each in type_)}.")
    default = parameter.default
    if parameter.show_default and default not in (None, "", False) and not callable(default):
        parts.append(f"Default: `{getattr(default, 'value', default)}`.")
    if getattr(parameter, "multiple", False):
        parts.append("May be repeated.")
    return " ".join(parts)


def cell(words: str) -> str:
    """Words that may stand in a table."""
    return " ".join(words.split()).replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
