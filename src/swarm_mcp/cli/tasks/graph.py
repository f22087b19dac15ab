"""`tasks graph`: what depends on what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import VIA, asked, opened_there
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.printing import Column, harmless, on_terminal, print_answer, print_rows, print_table
from swarm_mcp.cli.statuses import colour

if TYPE_CHECKING:
    from rich.text import Text

    from swarm_mcp.model.drawing import EdgeLine
    from swarm_mcp.repository.database import Transaction

COLUMNS = (Column("task", flexible=True), Column("depends"), Column("on", flexible=True))


def graph(
    task: Annotated[
        str,
        typer.Argument(
            help="Only of this one and what is below it.", show_default=False, autocompletion=completing.tasks
        ),
    ] = "",
    *,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Draw what is around the task in Mermaid.")] = False,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """List dependencies. In a pipe: the task, the type, what it depends on, the two statuses.

    Example: swarm-mcp tasks graph k3x9m2qa
    """
    if mermaid and not task.strip():
        raise typer.BadParameter("Name the task to draw; swarm-mcp export mermaid draws the board.", param_hint="TASK")
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations import drawing  # noqa: PLC0415 - help must not import the board

    if mermaid:
        typer.echo(harmless(asked(chosen, lambda db: _mermaid(db, task))), nl=False)
    elif as_json:
        print_answer(asked(chosen, lambda db: drawing.graph(db, under=task)), as_json=True)
    elif on_terminal():
        found = asked(chosen, lambda db: drawing.graph(db, under=task))
        print_table(COLUMNS, map(row, found.edges), title=found.message)
    else:
        with opened_there(chosen) as swarm, swarm.reading(via=VIA) as db:
            print_rows(
                (each.task, each.type, each.depends_on, each.status, each.depends_on_status)
                for each in drawing.edges(db, under=task)
            )


def _mermaid(db: Transaction, task: str) -> str:
    from swarm_mcp.interchange import task_documents  # noqa: PLC0415
    from swarm_mcp.repository.tasks import resolve_task  # noqa: PLC0415

    return task_documents.mermaid(db, resolve_task(db, task))


def row(edge: EdgeLine) -> tuple[str | Text, ...]:
    """An edge for a terminal, as a sentence."""
    kind = "waits for" if edge.type == "blocks" else edge.type.replace("_", " ")
    return (
        _end(edge.task, edge.status, edge.title),
        kind,
        _end(edge.depends_on, edge.depends_on_status, edge.depends_on_title),
    )


def _end(task: str, status: str, title: str) -> Text:
    from rich.text import Text  # noqa: PLC0415

    from swarm_mcp.cli.printing import in_one_line  # noqa: PLC0415
    from swarm_mcp.operations.trees import MARKS  # noqa: PLC0415

    return Text.assemble(
        (f"{MARKS[status]} ", colour(status)), f"{task} {in_one_line(title)}", no_wrap=True, overflow="ellipsis"
    )
