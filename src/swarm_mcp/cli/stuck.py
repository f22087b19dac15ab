"""`stuck`: what does not move, and the call that frees each."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm_mcp.cli.options import AsJson, Database, Project, settings

if TYPE_CHECKING:
    from swarm_mcp.model.task import Overview


def stuck(
    *,
    under: Annotated[str, typer.Option(help="Only what keeps this task and those below it.", show_default=False)] = "",
    limit: Annotated[int, typer.Option(help="At most so many, those that block most first.")] = 40,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Name the roots of everything that does not move, each with the call that frees it and how many tasks it blocks.

    Example: swarm-mcp stuck --under k3x9m2qa
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations.overview import get_overview  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.operations.swarm import open_swarm  # noqa: PLC0415

    swarm = open_swarm(chosen.database, project=chosen.project)
    try:
        found = swarm.read(lambda db: get_overview(db, view="stuck", under=under, limit=limit), via="command line")
    finally:
        swarm.close()
    if as_json:
        typer.echo(json.dumps(found.structured(), indent=2, ensure_ascii=False))
    elif sys.stdout.isatty():
        show(found)
    else:
        for each in items(found):
            typer.echo("\t".join((each["task"], str(each.get("blocks", 0)), in_one_line(each["why"]), each["call"])))


def items(found: Overview) -> list[dict[str, Any]]:
    """The roots that an overview has."""
    return (found.model_extra or {})["items"]


def in_one_line(words: str) -> str:
    """Somebody's words without the tabs and line ends that would end our columns."""
    return " ".join(words.split())


def show(found: Overview) -> None:
    """The roots for a terminal."""
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415 - others' words are no markup

    table = Table("task", "blocks", "why", "what frees it", box=box.SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    table.columns[1].justify = "right"
    for each in items(found):
        words = f"{in_one_line(each['title'])}: {in_one_line(each['why'])}"
        table.add_row(each["task"], f"{each.get('blocks', 0):,}", Text(words), Text(each["call"]))
    console = Console(highlight=False)
    console.print(Text(found.message))
    if items(found):
        console.print(table)
