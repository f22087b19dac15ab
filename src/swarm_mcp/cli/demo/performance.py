"""A performance from beginning to end: the board, the agents, what befalls them, the picture, the outcome."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from swarm_mcp.cli.demo import outcome, picture, stage
from swarm_mcp.cli.demo.cast import DIRECTOR, cast_for
from swarm_mcp.cli.demo.commentary import Commentary
from swarm_mcp.cli.demo.mishap import Mishaps
from swarm_mcp.cli.demo.troupe import Troupe

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from swarm_mcp.cli.demo.cast import Cast
    from swarm_mcp.cli.demo.outcome import Outcome
    from swarm_mcp.cli.demo.troupe import Telling
    from swarm_mcp.interchange.imported import Imported
    from swarm_mcp.operations.swarm import Swarm

BASE_SECONDS = 60.0
SECONDS_A_TASK = 3.0
"""How long a performance may take in all; far more than it needs."""
FRAME_SECONDS = 0.15


def perform(*, workers: int, plan: Path | None, database: Path | None, keep: bool) -> int:
    """Carry out a plan with scripted agents.

    Returns:
        The exit code: 0 if everything was completed, nobody collided, nothing was lost, and what was to be seen of the
        hierarchy was seen; else 1.

    Raises:
        Refusal: the plan or the board cannot be used.

    """
    folder = Path(tempfile.mkdtemp(prefix="swarm-demo-"))
    path = database.absolute() if database is not None else folder / "swarm.db"
    console = Console(highlight=False)
    kept = keep
    try:
        result = play(path, folder, plan, cast_for(workers), console)
        kept |= bool(result.failure or result.crashes)
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)
    is_there = kept or database is not None
    where = f"The board is {path}." if is_there else "The temporary board is gone; --keep keeps it."
    logs = f" The agents' logs are in {folder}." if kept else ""
    console.print(Text(where + logs), soft_wrap=True)
    if result.failure:
        sys.stderr.write(f"{result.failure}\n")
    return int(bool(result.failure))


def play(path: Path, folder: Path, plan: Path | None, cast: Cast, console: Console) -> Outcome:
    """Set up the board, let the agents work, and print what happened."""
    with stage.plan_file(plan) as file:
        swarm, report, reopened = stage.set_up(path, file)
    try:
        show = Performance(swarm, path, folder, cast, console)
        show.announce(report, reopened)
        result = asyncio.run(show.run(report.created))
    finally:
        swarm.close()
    outcome.show(result, console, cast.names)
    return result


def end_with_a_signal() -> None:
    """SIGTERM ends the demo as Ctrl-C does: with everybody in it."""
    me = asyncio.current_task()
    assert me is not None  # noqa: S101 - a coroutine runs in a task
    with suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)


class Performance:
    """One plan, one board, and everybody who works on it."""

    def __init__(self, swarm: Swarm, path: Path, folder: Path, cast: Cast, console: Console) -> None:
        self.swarm = swarm
        self.path = path
        self.folder = folder
        self.cast = cast
        self.console = console
        self.view = picture.View()
        self.commentary = Commentary(cast.names, self.say if not console.is_terminal else lambda _: None)
        self.listening: dict[str, asyncio.Task[None]] = {}
        self.ready = {name: asyncio.Event() for name in (DIRECTOR, *(each.name for each in cast.supervisors))}
        """Who is there whom others wait for."""

    def announce(self, report: Imported, reopened: int) -> None:
        """Say what is about to be seen."""
        self.say(report.message)
        if reopened:
            self.say(f"{reopened} of them are finished in the plan; they were opened again, to be done here.")
        self.say(
            f"{self.cast.counted}, each a process with an MCP server of its own, on the board {self.path}. "
            "They are scripted agents: no model thinks, and nothing is really built."
        )

    def say(self, words: str) -> None:
        """Print a line."""
        self.console.print(Text(words), soft_wrap=True)

    async def run(self, tasks: int) -> Outcome:
        """Let the agents work until everything is done, or nobody works any more, or time is up."""
        end_with_a_signal()
        seconds = BASE_SECONDS + SECONDS_A_TASK * tasks
        began = time.monotonic()
        troupe = Troupe(self.path, len(self.cast.workers), seconds=seconds, logs=self.folder)
        mishaps = Mishaps(self.swarm, troupe, self.say)
        try:
            async with asyncio.timeout(seconds), troupe:
                await self._with_picture(self._follow(troupe, mishaps), began)
        except TimeoutError:
            mishaps.crashes.append(f"time was up after {seconds:.0f} s.")
        elapsed = (self.commentary.last_completion or time.monotonic()) - began
        return await asyncio.to_thread(
            self.swarm.read,
            lambda db: outcome.judge(
                db, troupe.tellings(), seconds=elapsed, crashes=mishaps.crashes, cast=self.cast, killed=mishaps.killed
            ),
        )

    async def _follow(self, troupe: Troupe, mishaps: Mishaps) -> None:
        """Listen to everybody, until the workers have ended, and those above them once they have seen it.

        The director comes first, alone, since whoever is the first to write on its profile leads the project; and
        nobody works before those are there who could be asked.
        """
        attending = asyncio.create_task(mishaps.attend())
        workers = [each.name for each in self.cast.workers]
        try:
            for names in ([DIRECTOR], [each.name for each in self.cast.supervisors], workers):
                await self._call_in(names, troupe, mishaps)
            await asyncio.gather(*(self.listening[name] for name in workers))
            if await asyncio.to_thread(self.swarm.read, stage.is_done):
                await asyncio.gather(*self.listening.values())
        finally:
            for each in (attending, *self.listening.values()):
                each.cancel()

    async def _call_in(self, names: Sequence[str], troupe: Troupe, mishaps: Mishaps) -> None:
        """Start some of the agents, and wait for those of them that others wait for."""
        for name in names:
            self.listening[name] = asyncio.create_task(self._listen(troupe, mishaps, name))
        for name in names:
            if name in self.ready:
                is_ready = asyncio.create_task(self.ready[name].wait())
                await asyncio.wait([is_ready, self.listening[name]], return_when=asyncio.FIRST_COMPLETED)
                is_ready.cancel()

    async def _listen(self, troupe: Troupe, mishaps: Mishaps, name: str) -> None:
        """Start somebody's process, and listen to it until it ends."""
        code = await troupe.listen(await troupe.start(name), lambda telling: self.heard(telling, mishaps))
        held = mishaps.killed.get(name)
        self.commentary.ended(name, f"was killed while it held {held}" if held else "has ended")
        mishaps.ended(name, code)

    def heard(self, telling: Telling, mishaps: Mishaps) -> None:
        """Take note of what an agent tells, and do what belongs to it."""
        name, what, answer = telling["agent"], telling["what"], telling["answer"]
        self.commentary.heard(telling)
        if what == "ready":
            self.ready[name].set()
        elif what == "lingers":
            mishaps.kill(name, answer["task"]["id"])
        elif what == "claim_task" and answer["task"]["id"] in mishaps.killed.values() and name not in mishaps.killed:
            self.say(f"     {name} took {answer['task']['id']} over, as attempt {answer['attempt']}.")

    async def _with_picture(self, following: Coroutine[object, object, None], began: float) -> None:
        """Draw while the work goes on; in a pipe, lines say what was done."""
        work = asyncio.create_task(following)
        try:
            if self.console.is_terminal:
                await self._draw(work, began)
            await work
        finally:
            work.cancel()

    async def _draw(self, work: asyncio.Task[None], began: float) -> None:
        with Live(console=self.console, auto_refresh=False, transient=False) as live:
            while True:
                over = work.done()
                self.view = await asyncio.to_thread(self.swarm.read, picture.look)
                seconds, height = time.monotonic() - began, self.console.height
                people = picture.people(self.cast, self.commentary.doing)
                live.update(picture.draw(self.view, people, seconds=seconds, height=height), refresh=True)
                if over:
                    return
                await asyncio.wait([work], timeout=FRAME_SECONDS)
