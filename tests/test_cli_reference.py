"""README, docs/cli.md and `--help` agree on what commands there are, and docs/cli.md on everything else."""

from __future__ import annotations

import re

import typer
from cli_reference import DOCUMENT, commands, document
from test_house import README

from swarm_mcp.cli.app import app

NAMED = re.compile(r"`swarm-mcp ([a-z][a-z -]*)`")


def overview() -> str:
    """The README's table of commands."""
    section = README.partition("\n## The command line\n")[2].partition("\n## ")[0]
    return "\n".join(line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `swarm-mcp"))


def test_the_reference_is_the_one_of_this_program() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "python tests/cli_reference.py writes it anew"


def test_readme_reference_and_help_have_the_same_commands() -> None:
    known = [name for name, _ in commands()]
    told = NAMED.findall(overview())
    assert (sorted(set(known) - set(told)), sorted(set(told) - set(known))) == ([], []), "the README's table"
    assert sorted(told) == sorted(set(told)), "the README tells a command once"
    headings = re.findall(r"^## swarm-mcp (.+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == known


def test_the_help_of_a_group_lists_each_of_its_commands() -> None:
    def listed(group: object, *words: str) -> set[str]:
        """The commands that a help shows, and those of the groups in it."""
        context = group.make_context("swarm-mcp", [], resilient_parsing=True)
        found: set[str] = set()
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            inside = listed(command, *words, name) if hasattr(command, "commands") else {" ".join((*words, name))}
            found |= set() if command.hidden else inside
        return found

    assert listed(typer.main.get_command(app)) == {name for name, _ in commands()}
