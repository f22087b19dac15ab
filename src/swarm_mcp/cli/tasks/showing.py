"""`tasks show`: everything about one task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import asked
from swarm_mcp.cli.calls import in_commands, in_the_shells_words
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, TaskId, settings
from swarm_mcp.cli.printing import console, harmless, on_terminal, print_answer

if TYPE_CHECKING:
    from swarm_mcp.model.task import Brief

SECTIONS = ("context", "notes", "messages", "progress", "history", "executions", "delegations", "tree")
MOST_TOKENS = 8000


def show(
    task: TaskId,
    *,
    include: Annotated[
        list[str] | None,
        typer.Option(
            help=f"More of it: {', '.join(SECTIONS)}.", show_default=False, autocompletion=completing.words(SECTIONS)
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of these.")] = False,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Show a task: what to do, done when, why, what it waits for and what came of that, and what is said about it.

    Example: swarm-mcp tasks show k3x9m2qa --include history
    """
    if not task.strip():  # which to an agent means what it holds
        raise typer.BadParameter("Name a task.", param_hint="TASK")
    chosen = settings(database=database, project=project)
    from swarm_mcp.model.task import Brief  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.operations.briefing import get_task  # noqa: PLC0415

    wanted: list[str] = [*SECTIONS] if everything else include or []
    found = asked(chosen, lambda db: get_task(db, task=task, include=wanted, max_tokens=MOST_TOKENS), agent=agent)
    if isinstance(found, Brief) and on_terminal() and not as_json:
        draw(in_the_shells_words(found))
    else:
        print_answer(found, as_json=as_json)


def draw(brief: Brief) -> None:
    """A brief for a terminal: its sections below headings."""
    from rich.text import Text  # noqa: PLC0415

    from swarm_mcp.cli.statuses import colour  # noqa: PLC0415
    from swarm_mcp.interchange.text import brief_head, brief_sections, brief_tail  # noqa: PLC0415

    screen = console()
    style = f"bold {colour(brief.task.status)}" if brief.task is not None else "bold"
    head, *known = brief_head(brief)
    screen.print(Text(harmless(head), style=style))
    for line in known:
        screen.print(Text(harmless(line), style="bright_black"))
    for title, section in brief_sections(brief):
        screen.print(Text(f"\n{title}", style="bold"))
        for line in section:
            screen.print(Text(harmless(line)))
    for line in brief_tail(brief):
        screen.print(Text(f"\n{harmless(in_commands(line))}", style="bright_black"))
