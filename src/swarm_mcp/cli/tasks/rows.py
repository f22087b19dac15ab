"""Tasks as rows: of a table on a terminal, of lines in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.cli.printing import Column, in_one_line, print_table
from swarm_mcp.cli.statuses import marked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from swarm_mcp.model.task import TaskLine

COLUMNS = (
    Column("task"), Column("status"), Column("%", right=True), Column("priority"), Column("title", flexible=True),
    Column("who", flexible=True), Column("due"), Column("besides", flexible=True),
)  # fmt: skip
DAY = slice(10)


def plain(line: TaskLine) -> tuple[object, ...]:
    """A task for another program: id, status, priority, percent, assignee, holder, deadline, what it waits for, title.

    The title comes last, because it alone has blanks.
    """
    who = (line.assignee, line.holder or (line.assignee if line.status in HELD else ""))
    return line.id, line.status, line.priority, line.progress, *who, line.deadline, waits_for(line), line.title


HELD = frozenset({"in_progress", "requires_assistance"})
"""Where a row names no holder, its assignee is it."""


def waits_for(line: TaskLine) -> str:
    """The ids of what a task waits for."""
    more = f" +{line.depends_on_more}" if line.depends_on_more else ""
    return f"{','.join(line.depends_on)}{more}"


def whose(line: TaskLine) -> str:
    """Who has a task: its assignee, and its holder if that is another."""
    return " / ".join(each for each in (line.assignee, line.holder) if each)


def besides(line: TaskLine) -> str:
    """What keeps a task, as phrases."""
    more = f" +{line.depends_on_more}" if line.depends_on_more else ""
    said = (
        "claim lapsed" if line.lapsed else "",
        f"waits for {', '.join(line.depends_on)}{more}" if line.depends_on else "",
        f"held: {in_one_line(line.hold)}" if line.hold else "",
    )
    return " · ".join(each for each in said if each)


def show(lines: Sequence[TaskLine], *, title: str = "") -> None:
    """Tasks as a table; columns in which nothing would stand are left out."""
    rows = [_row(line) for line in lines]
    used = [n for n, _ in enumerate(COLUMNS) if any(str(row[n]) for row in rows)]
    print_table([COLUMNS[n] for n in used], ([row[n] for n in used] for row in rows), title=title)


def _row(line: TaskLine) -> tuple[str | Text, ...]:
    percent = f"{line.progress}" if line.progress else ""
    priority = "" if line.priority == "medium" else line.priority
    return (
        line.id, marked(line.status), percent, priority, line.title, whose(line), line.deadline[DAY], besides(line)
    )  # fmt: skip
