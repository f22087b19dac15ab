"""`stats`: how much there is and how much of it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.overviews import overview
from swarm_mcp.cli.printing import in_one_line, on_terminal, print_answer
from swarm_mcp.model.lifecycle import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from swarm_mcp.model.task import Overview

HEADINGS = {
    "status_breakdown": "status", "phase_breakdown": "phase", "component_breakdown": "area", "changes": "since then",
}  # fmt: skip
"""The tables of a summary, and what their rows are."""


def stats(
    *,
    under: Annotated[
        str,
        typer.Option(help="Only this task and those below it.", show_default=False, autocompletion=completing.tasks),
    ] = "",
    since: Annotated[
        str, typer.Option(help="What changed since, too: a day, or a time with its offset.", show_default=False)
    ] = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Count tasks by status, phase and area, with hours, what is overdue, and how much is done.

    Example: swarm-mcp stats --since 2026-01-31
    """
    found = overview(settings(database=database, project=project), "summary", under=under, since=since)
    if as_json:
        print_answer(found, as_json=True)
    elif on_terminal():
        from rich.console import Console  # noqa: PLC0415 - help must not import it

        show(found, Console(highlight=False))
    else:
        typer.echo("\n".join(f"{name}\t{value}" for name, value in lines(found)))


def lines(found: Overview) -> Iterator[tuple[str, str]]:
    """Every fact as a name and a value; those of a table are `table.row`."""
    for name, value in facts(found).items():
        if isinstance(value, dict):
            yield from ((f"{name}.{in_one_line(row)}", str(count)) for row, count in value.items())
        else:
            yield name, f"{value:g}" if isinstance(value, float) else str(value)


def facts(found: Overview) -> dict[str, Any]:
    """What a summary says besides its sentence."""
    return found.model_extra or {}


def show(found: Overview, console: Console) -> None:
    """The summary on one screen: how far it is, hours, and the tables beside each other where there is room."""
    from rich.columns import Columns  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from swarm_mcp.cli.screen import bar  # noqa: PLC0415

    told = facts(found)
    console.print(Text(found.message.partition(":")[0].removesuffix("."), style="bold"))
    console.print(bar(told["completion_percentage"], 100))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bright_black")
    grid.add_column(justify="right")
    for name, words in {
        "tasks": f"{told['total_tasks']:,}",
        "open": f"{told['open_tasks']:,}",
        "overdue": f"{told['overdue']:,}",
        "hours estimated": f"{told['total_estimated_hours']:,g}",
        "hours completed": f"{told['completed_hours']:,g} ({told['progress_percentage']:g}%)",
    }.items():
        grid.add_row(name, words)
    console.print(grid)
    tables = [_table(heading, told[name]) for name, heading in HEADINGS.items() if told.get(name)]
    if since := told.get("since"):
        console.print(Text(f"since {since}" + ("" if told["changes"] else ": nothing"), style="bright_black"))
    console.print(Columns(tables, padding=(0, 4)))


def _table(heading: str, counts: dict[str, int]) -> Any:
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415 - others' words are no markup

    table = Table(heading, "tasks", box=box.SIMPLE_HEAD)
    table.columns[1].justify = "right"
    if heading == "status":
        counts = {status: counts[status] for status in TaskStatus if status in counts}
    is_ours = heading in {"status", "since then"}
    for name, count in counts.items():
        table.add_row(Text(name.replace("_", " ") if is_ours else in_one_line(name)), f"{count:,}")
    return table
