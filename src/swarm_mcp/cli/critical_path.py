"""`critical-path`: the longest chain of work that remains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.calls import in_commands
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.overviews import overview
from swarm_mcp.cli.printing import in_one_line, on_terminal, print_answer

if TYPE_CHECKING:
    from rich.console import Console

    from swarm_mcp.model.task import Overview


def critical_path(
    *,
    under: Annotated[
        str, typer.Option(help="Up to the end of this task.", show_default=False, autocompletion=completing.tasks)
    ] = "",
    limit: Annotated[int, typer.Option(help="At most so many tasks, the first ones of the chain.")] = 40,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Show the longest chain of open work, by estimated hours: the whole takes at least so long.

    Example: swarm-mcp critical-path --under k3x9m2qa
    """
    found = overview(settings(database=database, project=project), "critical_path", under=under, limit=limit)
    if as_json:
        print_answer(found, as_json=True)
    elif on_terminal():
        from rich.console import Console  # noqa: PLC0415 - help must not import it

        show(found, Console(highlight=False))
    else:
        for each in steps(found):
            hours = (f"{each['hours']:g}", f"{each['done_after']:g}")
            words = (each["task"], *hours, each["status"], each.get("assignee", ""), in_one_line(each["title"]))
            typer.echo("\t".join(words))


def steps(found: Overview) -> list[dict[str, Any]]:
    """The tasks of the chain, the first to be done first."""
    return (found.model_extra or {}).get("items", [])


def show(found: Overview, console: Console) -> None:
    """The chain for a terminal, and what will never come to its end."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415 - others' words are no markup

    console.print(Text(in_commands(found.message), style="bold"))
    table = Table("task", "", "status", "who", "hours", "done after", box=box.SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    for column in table.columns[4:]:
        column.justify, column.no_wrap = "right", True
    for each in steps(found):
        hours = f"{each['hours']:g}{' ?' if 'estimate' in each else ''}"
        title, who = Text(in_one_line(each["title"])), Text(each.get("assignee", ""))
        table.add_row(each["task"], title, each["status"].replace("_", " "), who, hours, f"{each['done_after']:g}")
    if steps(found):
        console.print(table)
    for each in (found.model_extra or {}).get("dead_ends", []):
        console.print(Text(f"{each['task']} is {each['status']} and {each['waiter']} waits for it.", style="yellow"))
