"""`project`: the projects of a database."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli.options import AsJson, Database, settings

if TYPE_CHECKING:
    from swarm_mcp.operations.projects import ProjectLine

app = typer.Typer(help="The projects of a database: nothing crosses from one to another.", no_args_is_help=True)


@app.command()
def create(
    slug: Annotated[
        str, typer.Argument(help="Its name: lower-case letters, digits, `_`, `.` and `-`.", show_default=False)
    ],
    database: Database = "",
) -> None:
    """Create a project; one that exists is left as it is.

    Example: swarm-mcp project create billing
    """
    chosen = settings(database=database)
    from swarm_mcp.operations.projects import create_project  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.operations.swarm import open_swarm  # noqa: PLC0415

    swarm = open_swarm(chosen.database)
    try:
        is_new = swarm.write(lambda db: create_project(db, slug), via="command line")
    finally:
        swarm.close()
    typer.echo(
        f"Created the project {slug}." if is_new else f"There is a project {slug} already; it was left as it is."
    )


@app.command("list")
def list_(*, as_json: AsJson = False, database: Database = "") -> None:
    """List the projects, with how many tasks each has.

    Example: swarm-mcp project list --json
    """
    chosen = settings(database=database)
    from swarm_mcp.operations.projects import list_projects  # noqa: PLC0415
    from swarm_mcp.operations.swarm import open_swarm  # noqa: PLC0415

    swarm = open_swarm(chosen.database)
    try:
        found = swarm.read(list_projects)
    finally:
        swarm.close()
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], indent=2))
    elif sys.stdout.isatty():
        show(found)
    else:
        typer.echo("\n".join(f"{each.slug}\t{sum(each.tasks.values())}" for each in found))


def show(found: list[ProjectLine]) -> None:
    """The list for a terminal."""
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("project", "tasks", "by status", box=box.SIMPLE_HEAD)
    table.columns[1].justify = "right"
    for each in found:
        statuses = ", ".join(f"{count:,} {status}" for status, count in each.tasks.items())
        table.add_row(each.slug, f"{sum(each.tasks.values()):,}", statuses)
    Console(highlight=False).print(table)
