"""`watch`: the board as it changes: a picture on a terminal, in a pipe a line for each event."""

from __future__ import annotations

import contextlib
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli.acting import opened
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.printing import as_json_text, in_one_line, on_terminal, print_json

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.console import Console

    from swarm_mcp.config import Settings
    from swarm_mcp.operations.happenings import Happening
    from swarm_mcp.operations.swarm import Swarm

FRAME_SECONDS = 0.25
"""Between two pictures, however much happens."""
STALE_SECONDS = 5
"""After which it is looked anew though nothing was written: agents go and claims run out by the clock alone."""


def watch(
    *,
    once: Annotated[bool, typer.Option("--once", help="Print one screen, and end.")] = False,
    lines: Annotated[
        int, typer.Option(min=0, max=500, help="In a pipe: begin with so many of the latest events.")
    ] = 10,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Watch tasks, agents and events live; q or Ctrl-C ends it. In a pipe, a line for each event as it comes.

    Example: swarm-mcp watch --project billing
    """
    chosen = settings(database=database, project=project)
    with _board(chosen) as swarm, contextlib.suppress(KeyboardInterrupt), _ended_by_signals():
        if once:
            _print_once(swarm, as_json=as_json)
        elif on_terminal() and not as_json:
            _draw(swarm)
        else:
            _follow(swarm, lines, as_json=as_json)


@contextlib.contextmanager
def _board(chosen: Settings) -> Generator[Swarm]:
    """The board, which has to be there: whoever only watches makes none."""
    from swarm_mcp.model.errors import NotFound  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.repository.database import Database as Stored  # noqa: PLC0415

    path = Stored(chosen.database).path
    if path is not None and not path.exists():
        raise NotFound("There is no board to watch yet; swarm-mcp serve makes one, and --database names another.")
    with opened(chosen) as swarm:
        yield swarm


@contextlib.contextmanager
def _ended_by_signals() -> Generator[None]:
    """Let SIGTERM end it as Ctrl-C does, so that the terminal is left as it was."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print_once(swarm: Swarm, *, as_json: bool) -> None:
    from rich.console import Console  # noqa: PLC0415

    from swarm_mcp.cli.screen import Screen  # noqa: PLC0415
    from swarm_mcp.operations.glance import glance  # noqa: PLC0415

    seen = swarm.read(glance)
    if as_json:
        print_json(seen.structured())
    else:
        console = Console(highlight=False)
        if console.is_terminal:
            console.print(Screen(seen), height=console.height - 1)  # a prompt follows
        else:  # without the blanks that fill a line
            with console.capture() as text:
                console.print(Screen(seen))
            typer.echo("\n".join(line.rstrip() for line in text.get().splitlines()))


def _draw(swarm: Swarm) -> None:
    """Draw until it is ended, whenever something was committed, time has passed, or the terminal has another size."""
    from rich.console import Console  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415

    from swarm_mcp.cli.pause import Pause  # noqa: PLC0415
    from swarm_mcp.cli.screen import Screen  # noqa: PLC0415
    from swarm_mcp.operations.glance import glance  # noqa: PLC0415

    console = Console(highlight=False)
    changes = swarm.database.changes
    changes.open()
    drawn, size, changed = 0.0, console.size, True
    with Pause(keys=True) as pause, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            changed = changes.happened() or changed
            age = time.monotonic() - drawn
            if (changed and age >= FRAME_SECONDS) or age >= STALE_SECONDS:
                changed, drawn, size = False, time.monotonic(), console.size
                live.update(Screen(swarm.read(glance), _hint(console)), refresh=True)
            elif size != console.size:
                size = console.size
                live.refresh()
            if pause.ends(changes.seconds, changes.descriptor()):
                return


def _hint(console: Console) -> str:
    return "q ends" if console.height > 10 else ""  # noqa: PLR2004 - lines that are better used


def _follow(swarm: Swarm, lines: int, *, as_json: bool) -> None:
    """Print what happens, as `tail -f` does: nothing is missed, and nothing comes twice."""
    from swarm_mcp.cli.pause import Pause  # noqa: PLC0415
    from swarm_mcp.operations import happenings  # noqa: PLC0415

    changes = swarm.database.changes
    changes.open()
    found, place = swarm.read(lambda db: happenings.begin(db, lines=lines))
    asked = time.monotonic()
    with Pause(keys=False) as pause:
        while True:
            for each in found:
                typer.echo(_line(each, as_json=as_json))
            if pause.ends(changes.seconds, changes.descriptor()):
                return
            found = []
            if changes.happened() or time.monotonic() - asked >= STALE_SECONDS:
                asked, found, place = time.monotonic(), *swarm.read(partial(happenings.since, place=place))


def _line(each: Happening, *, as_json: bool) -> str:
    if as_json:
        return as_json_text(each.structured(), indent=None)
    words = (str(each.seq), each.at, each.by, each.kind, each.task, in_one_line(each.title), in_one_line(each.details))
    return "\t".join(words).rstrip("\t")
