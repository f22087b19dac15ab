"""The board as it is drawn while the agents work: the tree, cut to the height of the terminal, and who does what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from swarm_mcp.cli.demo.cast import DIRECTOR
from swarm_mcp.cli.statuses import colour
from swarm_mcp.model.agent import AgentRole
from swarm_mcp.model.lifecycle import SETTLED
from swarm_mcp.operations.trees import MARKS
from swarm_mcp.repository import agents
from swarm_mcp.repository.tree import descendants, top_tasks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from swarm_mcp.cli.demo.cast import Cast
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

LIMIT = 500
BAR_WIDTH = 30
SPARE_LINES = 3
"""The heading, and room for the cursor."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A task at the top, with everything below it."""

    top: Row
    below: Sequence[Row]

    @property
    def done(self) -> int:
        """How many of its tasks are finished."""
        return sum(row.status in SETTLED for row in (self.top, *self.below))

    @property
    def is_done(self) -> bool:
        """Whether all of it is finished."""
        return self.done == 1 + len(self.below)


@dataclass(frozen=True, slots=True)
class View:
    """The board of one moment."""

    branches: Sequence[Branch] = ()
    holders: dict[str | None, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many tasks there are."""
        return sum(1 + len(each.below) for each in self.branches)

    @property
    def done(self) -> int:
        """How many tasks are finished."""
        return sum(each.done for each in self.branches)


def look(db: Transaction) -> View:
    """The board as it is now."""
    tops = sorted(top_tasks(db, limit=LIMIT), key=lambda row: (row.created_at, row.rank))
    branches = [
        Branch(top, sorted(descendants(db, top.id), key=lambda row: (row.created_at, row.rank))) for top in tops
    ]
    held = (row.holder_id for each in branches for row in (each.top, *each.below))
    return View(branches, agents.agent_names(db, held))


def people(cast: Cast, doing: Mapping[str, str]) -> list[tuple[Text, Text]]:
    """The agents in the order of the hierarchy, each below its superior, and what each does."""
    rows = [(Text(DIRECTOR, style="bold"), DIRECTOR)]
    for each in cast.below:
        works = each.role is AgentRole.WORKER
        name = Text(f"{'    ' if works else '  '}{each.name} ", style="bold")
        rows.append((name.append(each.specialty if works else f"team:{each.team}", style="not bold cyan"), each.name))
    return [(who, Text(doing[name], overflow="ellipsis", no_wrap=True)) for who, name in rows]


def draw(view: View, crew: Sequence[tuple[Text, Text]], *, seconds: float, height: int) -> RenderableType:
    """The picture: how far it is, the tree, and the agents.

    Args:
        view: the board.
        crew: each agent, and what it does.
        seconds: since the beginning.
        height: lines of the terminal.

    """
    heading = Table.grid(padding=(0, 2))
    heading.add_row(
        Text("swarm-mcp demo", style="bold"),
        ProgressBar(total=max(view.total, 1), completed=view.done, width=BAR_WIDTH),
        f"{view.done} of {view.total} tasks, {len(crew)} scripted agents, {seconds:.1f} s",
    )
    table = Table.grid(padding=(0, 1))
    for row in crew:
        table.add_row(*row)
    room = height - SPARE_LINES - len(crew)
    return Group(heading, *tree(view, max(room, 1)), table)


def tree(view: View, room: int) -> list[Text]:
    """The tree in so many lines: finished branches shrink to one line, and what does not fit is counted."""
    shown = list(view.branches)
    shrunk: list[Branch] = []
    while sum(map(_height, shown)) + bool(shrunk) > room and any(each.is_done for each in shown):
        first = next(each for each in shown if each.is_done)
        shown.remove(first)
        shrunk.append(first)
    lines = [Text(f"● {sum(each.done for each in shrunk)} tasks done", style="green")] if shrunk else []
    for branch in shown:
        lines += _lines(branch, view.holders)
    if len(lines) > room:
        hidden = len(lines) - room + 1
        lines = [*lines[: room - 1], Text(f"… {hidden} more", style="bright_black")]
    return lines


def _active(branch: Branch) -> list[Row]:
    return [row for row in branch.below if row.holder_id is not None]


def _height(branch: Branch) -> int:
    return 1 + len(_active(branch))


def _lines(branch: Branch, holders: dict[str | None, str]) -> list[Text]:
    of_all = f" {branch.done}/{1 + len(branch.below)}" if branch.below else ""
    return [
        _line(branch.top, holders, of_all),
        *(_line(row, holders, "", indent="  ") for row in _active(branch)),
    ]


def _line(row: Row, holders: dict[str | None, str], more: str, *, indent: str = "") -> Text:
    whose = holders.get(row.holder_id, "")
    line = Text(f"{indent}{MARKS[row.status]} ", style=colour(row.status), overflow="ellipsis", no_wrap=True)
    line.append(f"{row.id} {row.title}")
    line.append(more, style="bright_black")
    if whose:
        line.append(f"  ← {whose}", style="bold cyan")
    return line
