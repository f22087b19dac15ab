"""`stuck`: what does not move, and what frees each: a command here, in JSON the call that agents make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.calls import as_command
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.overviews import overview
from swarm_mcp.cli.printing import Column, on_terminal, print_answer, print_rows, print_table

if TYPE_CHECKING:
    from swarm_mcp.model.task import Overview

COLUMNS = [
    Column("task"), Column("blocks", right=True), Column("why", flexible=True, wraps=True),
    Column("what frees it", flexible=True, wraps=True),
]  # fmt: skip


def stuck(
    *,
    under: Annotated[
        str,
        typer.Option(
            help="Only what keeps this task and those below it.", show_default=False, autocompletion=completing.tasks
        ),
    ] = "",
    limit: Annotated[int, typer.Option(help="At most so many, those that block most first.")] = 40,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Name the roots of what does not move, each with the command that frees it and how many tasks it blocks.

    Example: swarm-mcp stuck --under k3x9m2qa
    """
    chosen = settings(database=database, project=project)
    found = overview(chosen, "stuck", under=under, limit=limit)
    if as_json:
        print_answer(found, as_json=True)
    elif on_terminal():
        print_table(COLUMNS, map(row, items(found)), title=found.message)
    else:
        print_rows((each["task"], each.get("blocks", 0), each["why"], freed_by(each)) for each in items(found))


def items(found: Overview) -> list[dict[str, Any]]:
    """The roots that an overview has."""
    return (found.model_extra or {})["items"]


def row(root: dict[str, Any]) -> tuple[str, ...]:
    """One root for a terminal."""
    return root["task"], f"{root.get('blocks', 0):,}", f"{root['title']}: {root['why']}", freed_by(root)


def freed_by(root: dict[str, Any]) -> str:
    """The command that frees it, to be typed as it is but for each `…`; the call if there is none."""
    return as_command(root["call"]) or root["call"]
