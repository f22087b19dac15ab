"""`db check`: whether the board is sound, and mending what follows from the rest."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli.databases import stored_board
from swarm_mcp.cli.options import AsJson, Database
from swarm_mcp.cli.printing import in_one_line, on_terminal, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from swarm_mcp.model.soundness import Checked

Repair = Annotated[bool, typer.Option("--repair", help="Work out anew what can be, after a snapshot.")]


def check(*, repair: Repair = False, as_json: AsJson = False, database: Database = "") -> None:
    """Look at everything that has to be true of a board: a line for each finding, and exit code 1 if there is one.

    Example: swarm-mcp db check --repair
    """
    run(repair=repair, as_json=as_json, database=database)


def validate(*, repair: Repair = False, as_json: AsJson = False, database: Database = "") -> None:
    """Do the same as `db check`.

    Example: swarm-mcp db validate --json
    """
    run(repair=repair, as_json=as_json, database=database)


def run(*, repair: bool, as_json: bool, database: str) -> None:
    """Check, or mend, and print what was found."""
    from swarm_mcp.operations import checking, mending  # noqa: PLC0415 - help must not import the board

    with stored_board(database) as stored, progress() as told:
        found = mending.repair(stored, told) if repair else checking.check(stored, told)
    if as_json:
        print_json(found.model_dump(mode="json"))
    elif on_terminal():
        show(found)
    else:
        for line in lines(found):
            typer.echo(in_one_line(line))
    if not found.sound:
        raise typer.Exit(1)


def lines(found: Checked) -> list[str]:
    """What was found for a pipe: a line for each thing, which begins with its kind."""
    listed = [each.line for each in found.findings]
    shown: dict[str, int] = {}
    for each in found.findings:
        shown[each.kind] = shown.get(each.kind, 0) + 1
    more = [f"{kind}: … and {count - shown.get(kind, 0)} more" for kind, count in found.counts.items()]
    more = [line for line, (kind, count) in zip(more, found.counts.items(), strict=True) if count > shown.get(kind, 0)]
    return [*listed, *more, *(f"not checked: {each}" for each in found.not_checked), found.message]


def show(found: Checked) -> None:
    """What was found for a terminal."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415 - others' words are no markup

    console = Console(highlight=False)
    table = Table.grid(padding=(0, 2))
    for each in found.findings:
        table.add_row(Text(each.kind, style="bold red"), Text(each.subject), Text(in_one_line(each.words)))
    if found.findings:
        console.print(table)
    for line in lines(found)[len(found.findings) : -1]:
        console.print(Text(line, style="dim"))
    console.print(Text(found.message, style="green" if found.sound else "red"))


@contextmanager
def progress() -> Generator[Callable[[str], None]]:
    """Say what is being looked at, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415

    with Console(stderr=True).status("Opening the board …") as shown:
        yield lambda what: shown.update(f"Looking at the board: {what} …")
