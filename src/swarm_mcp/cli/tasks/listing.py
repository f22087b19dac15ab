"""`tasks list`: tasks as rows, by every filter that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import VIA, opened_there
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, settings
from swarm_mcp.cli.printing import note, on_terminal, print_answer, print_rows
from swarm_mcp.cli.tasks import rows
from swarm_mcp.model.lifecycle import Priority, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from swarm_mcp.model.task import TaskList

SORTS = ("urgency", "created", "updated", "deadline")


def list_(
    *,
    status: Annotated[
        list[str] | None,
        typer.Option(help="Only these.", show_default=False, autocompletion=completing.words(TaskStatus)),
    ] = None,
    assignee: Annotated[
        str,
        typer.Option(
            help="An agent, team, specialty, or anyone.", show_default=False, autocompletion=completing.agents
        ),
    ] = "",
    text: Annotated[str, typer.Option(help="Those in which all these words are.", show_default=False)] = "",
    under: Annotated[
        str, typer.Option(help="Only below this task.", show_default=False, autocompletion=completing.tasks)
    ] = "",
    priority: Annotated[
        str, typer.Option(help="Only this one.", show_default=False, autocompletion=completing.words(Priority))
    ] = "",
    tag: Annotated[str, typer.Option(help="Only with this tag.", show_default=False)] = "",
    area: Annotated[str, typer.Option(help="Only of this area.", show_default=False)] = "",
    ready: Annotated[bool, typer.Option("--ready", help="Only what could be claimed.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is late.")] = False,
    archived: Annotated[bool, typer.Option("--archived", help="The archived ones instead.")] = False,
    sort: Annotated[str, typer.Option(help=f"{', '.join(SORTS)}.", autocompletion=completing.words(SORTS))] = "urgency",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
    everything: Annotated[bool, typer.Option("--all", help="However many there are.")] = False,
    cursor: Annotated[str, typer.Option(help="Where the page before has ended.", show_default=False)] = "",
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """List tasks. In a pipe: id, status, priority, percent, assignee, holder, deadline, what it waits for, title.

    Example: swarm-mcp tasks list --status pending --status blocked --assignee ada --all
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations.browsing import page_of, read_filter  # noqa: PLC0415 - help must not import the board

    with opened_there(chosen) as swarm, swarm.reading(agent=agent, via=VIA) as db:
        wanted = read_filter(
            db, status=status or [], assignee=assignee, under=under, ready=ready, overdue=overdue, priority=priority,
            tag=tag, area=area, text=text, archived=archived,
        )  # fmt: skip

        def page(most: int, after: str) -> TaskList:
            return page_of(db, wanted, sort=sort, limit=most, cursor=after)

        pages = paged(page, None if everything else limit, cursor)
        if not (as_json or on_terminal()):
            piped(pages)
            return
        found = together(pages, is_whole=not cursor)
    if as_json:
        print_answer(found, as_json=True)
    else:
        rows.show(found.tasks, title=found.message)
        if found.next_cursor:
            note(more(found))


def paged(page: Callable[[int, str], TaskList], limit: int | None, cursor: str) -> Iterator[TaskList]:
    """Pages until there are as many tasks as are wanted, or no more."""
    from swarm_mcp.operations.limits import MOST  # noqa: PLC0415

    left = limit
    while True:
        found = page(MOST if left is None else min(MOST, left), cursor)
        yield found
        cursor = found.next_cursor
        left = None if left is None else left - len(found.lines)
        if not cursor or left == 0:
            return


def together(pages: Iterable[TaskList], *, is_whole: bool) -> TaskList:
    """Pages as one list, whose sentence counts what is on it."""
    first, *rest = pages
    if not rest:
        return first
    lines = [line for each in (first, *rest) for line in each.lines]
    after = rest[-1].next_cursor
    total = len(lines) if is_whole and not after else first.total
    known = first.message.partition(" of ")[2]
    words = f"{len(lines):,} of {known}" if after else f"{len(lines):,} of {total:,} tasks."
    return type(first)(lines=lines, total=total, next_cursor=after, message=words)


def piped(pages: Iterable[TaskList]) -> None:
    """Rows as they come, so that a million need no memory; what is left out is told beside them."""
    left_out = ""
    for found in pages:
        print_rows(map(rows.plain, found.tasks))
        left_out = more(found) if found.next_cursor else ""
    if left_out:
        note(left_out)


def more(found: TaskList) -> str:
    """How to see what is not shown."""
    return f"There are more: --all lists them, and --cursor {found.next_cursor} goes on."
