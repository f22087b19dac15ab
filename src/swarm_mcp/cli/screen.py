"""The board at a glance, on a screen of any size: counts, what is in progress, who is there, what happened last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from swarm_mcp.cli.printing import in_one_line
from swarm_mcp.cli.statuses import COLOURS
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.operations.trees import MARKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from swarm_mcp.model.task import TaskLine
    from swarm_mcp.operations.glance import Glance, Presence
    from swarm_mcp.operations.happenings import Happening

WIDE = 120
"""Columns from which agents stand beside the tasks."""
BAR_WIDTH = 30
FAINT = "bright_black"
PRESENT = {"busy": ("●", "green"), "idle": ("○", "white"), "offline": ("·", FAINT)}
TIME = slice(11, 19)
"""Of a moment, the hours, minutes and seconds."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with rows below it, all of the same columns."""

    heading: str
    rows: Sequence[Sequence[Text]]
    total: int
    stretched: int
    """The column that takes what room there is."""
    none: str

    @property
    def height(self) -> int:
        """Lines that it would fill if it could."""
        return 1 + max(1, len(self.rows) + (self.total > len(self.rows)))

    def table(self, height: int, *, newest_last: bool = False) -> Table:
        """As many rows as fit into so many lines; what is left out is counted."""
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_row(Text(self.heading, style="bold"))
        shown, left = self._cut(height - 1, newest_last=newest_last)
        if shown:
            table.add_row(self._grid(shown))
        if not self.rows:
            table.add_row(Text(self.none, style=FAINT))
        elif left:
            table.add_row(Text(f"… {left:,} more", style=FAINT))
        return table

    def _cut(self, room: int, *, newest_last: bool) -> tuple[Sequence[Sequence[Text]], int]:
        """The rows that fit into so many lines, and how many are left out, which takes a line to say."""
        room = max(room, 1)
        if newest_last:
            return self.rows[-room:], 0
        shown = self.rows if self.total <= room else self.rows[: room - 1]
        return shown, self.total - len(shown)

    def _grid(self, rows: Sequence[Sequence[Text]]) -> Table:
        grid = Table.grid(padding=(0, 1), expand=True)
        for number in range(len(rows[0])):
            ratio = 1 if number == self.stretched else None
            grid.add_column(ratio=ratio, no_wrap=True, overflow="ellipsis")
        for row in rows:
            grid.add_row(*row)
        return grid


@dataclass(frozen=True, slots=True)
class Screen:
    """One look at the board, cut to the size of the terminal at the moment of drawing."""

    seen: Glance
    footer: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        head = self._head(width)
        apart = options.update(height=None)  # or each part would fill the whole height
        room = height - sum(len(console.render_lines(each, apart, pad=False)) for each in head) - bool(self.footer)
        parts = [*head, *self._sections(room, wide=width >= WIDE)]
        if self.footer:
            parts.append(Text(self.footer, style=FAINT, no_wrap=True, overflow="ellipsis"))
        lines = console.render_lines(Group(*parts), apart, pad=False)
        for line in lines[:height]:
            yield from line
            yield Segment.line()

    def _sections(self, room: int, *, wide: bool) -> list[Table]:
        """Tasks, agents and events in so many lines; a section of which nothing could be seen is left out."""
        tasks, there, happened = _under_way(self.seen), _there(self.seen), _events(self.seen, wide=wide)
        if not wide:
            heights = shares(room, [tasks.height, there.height, happened.height])
            drawn = zip((tasks, there, happened), heights, (False, False, True), strict=True)
            return [each.table(lines, newest_last=last) for each, lines, last in drawn if lines > 1]
        upper, lower = shares(room, [max(tasks.height, there.height), happened.height])
        beside = Table.grid(padding=(0, 3), expand=True)
        beside.add_column(ratio=3)
        beside.add_column(ratio=2)
        beside.add_row(tasks.table(upper), there.table(upper))
        return [*[beside] * (upper > 1), *[happened.table(lower, newest_last=True)] * (lower > 1)]

    def _head(self, width: int) -> list[Text]:
        """What it is, how far, and how many tasks stand where."""
        counts = self.seen.statuses
        done = counts.get(TaskStatus.COMPLETED, 0)
        counted = sum(counts.values()) - counts.get(TaskStatus.CANCELLED, 0)
        words = f"{done:,} of {counted:,} tasks completed"
        title = Text.assemble(
            ("swarm-mcp ", "bold"), self.seen.project, (f"  {self.seen.at[:10]} {self.seen.at[TIME]}Z", FAINT)
        )
        title.truncate(width, overflow="ellipsis")
        far = Text(" ").join([bar(done, counted), Text(words)])
        parts = [
            Text(f"{MARKS[status]} {counts[status]:,} {status.replace('_', ' ')}", style=COLOURS[status])
            for status in TaskStatus
            if counts.get(status)
        ]
        return [title, far, *(packed(parts, width) or [Text("There are no tasks yet.", style=FAINT)]), Text()]


def bar(done: float, whole: float) -> Text:
    """How much of something is done; it can be read without colours, too."""
    full = int(BAR_WIDTH * done / whole) if whole else 0
    return Text.assemble(("━" * full, "green"), ("╌" * (BAR_WIDTH - full), FAINT))


def packed(parts: Sequence[Text], width: int) -> list[Text]:
    """Parts beside each other, in as few lines as they need without being broken."""
    lines: list[Text] = []
    for part in parts:
        if lines and lines[-1].cell_len + 2 + part.cell_len <= width:
            lines[-1] = Text("  ").join([lines[-1], part])
        else:
            lines.append(part)
    return lines


def shares(room: int, wanted: Sequence[int]) -> list[int]:
    """Lines for each of some sections: what one does not need, the others get."""
    given = [0] * len(wanted)
    left = max(room, 0)
    order = sorted(range(len(wanted)), key=lambda each: wanted[each])
    for place, each in enumerate(order):
        given[each] = min(wanted[each], left // (len(order) - place))
        left -= given[each]
    return given


def _under_way(seen: Glance) -> Section:
    rows = [_task_row(each) for each in seen.under_way]
    return Section("in progress", rows, seen.under_way_total, 2, "Nobody is at work.")


def _task_row(line: TaskLine) -> list[Text]:
    status = TaskStatus(line.status)
    said = "lapsed" if line.lapsed else f"{line.progress}%" if line.progress else ""
    return [
        Text(MARKS[status], style=COLOURS[status]),
        Text(line.id, style=FAINT),
        Text(in_one_line(line.title)),
        Text(line.holder or line.assignee, style="cyan"),
        Text(said, style="red" if line.lapsed else "", justify="right"),
    ]


def _there(seen: Glance) -> Section:
    rows = [_agent_row(each) for each in seen.agents]
    return Section("agents", rows, seen.agents_total, 1, "There are no agents yet.")


def _agent_row(agent: Presence) -> list[Text]:
    mark, colour = PRESENT[agent.availability]
    held = f", holds {agent.claims}" if agent.claims else ""
    paused = f" ({agent.lifecycle})" if agent.lifecycle != "active" else ""
    return [
        Text(mark, style=colour),
        Text(agent.name, style="cyan"),
        Text(agent.role, style=FAINT),
        Text(f"{agent.availability}{held}{paused}", style=colour),
    ]


def _events(seen: Glance, *, wide: bool) -> Section:
    rows = [_event_row(each, wide=wide) for each in seen.events]
    return Section("events", rows, len(rows), 3, "Nothing has happened yet.")


def _event_row(event: Happening, *, wide: bool) -> list[Text]:
    what = Text(f"{event.task} {in_one_line(event.title)}".strip())
    if event.details and (wide or not event.task):
        what.append(f"{'  ' * bool(what)}{in_one_line(event.details)}", style=FAINT)
    return [Text(event.at[TIME], style=FAINT), Text(event.by, style="cyan"), Text(event.kind.replace("_", " ")), what]
