"""A performance from beginning to end: the board, the agents, the picture, the outcome."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from swarm_mcp.cli.demo import outcome, picture, stage
from swarm_mcp.cli.demo.troupe import Troupe

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from swarm_mcp.cli.demo.outcome import Outcome
    from swarm_mcp.cli.demo.troupe import Player, Telling
    from swarm_mcp.interchange.imported import Imported
    from swarm_mcp.operations.swarm import Swarm

DIRECTOR = "director"
# No two look alike: a board asks back when an unknown name is close to a known one.
WORKERS = (
    "ada", "boris", "chiyo", "dmitri", "esther", "fuad", "gwen", "hugo", "ingrid", "jamal", "kofi", "lupe", "mwangi",
    "noor", "oskar", "priya",
)  # fmt: skip
BASE_SECONDS = 60.0
SECONDS_A_TASK = 3.0
"""How long a performance may take in all; far more than it needs."""
FRAME_SECONDS = 0.15
GIVE_BACK_SECONDS = 0.5


def perform(*, workers: int, plan: Path | None, database: Path | None, keep: bool) -> int:
    """Carry out a plan with scripted agents.

    Returns:
        The exit code: 0 if everything was completed, nobody collided and nothing was lost, else 1.

    Raises:
        Refusal: the plan or the board cannot be used.

    """
    folder = Path(tempfile.mkdtemp(prefix="swarm-demo-"))
    path = database.absolute() if database is not None else folder / "swarm.db"
    console = Console(highlight=False)
    kept = keep
    try:
        result = play(path, folder, plan, list(WORKERS[:workers]), console)
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


def play(path: Path, folder: Path, plan: Path | None, workers: list[str], console: Console) -> Outcome:
    """Set up the board, let the agents work, and print what happened."""
    with stage.plan_file(plan) as file:
        swarm, report, reopened = stage.set_up(path, file)
    try:
        show = Performance(swarm, path, folder, workers, console)
        show.announce(report, reopened)
        result = asyncio.run(show.run(report.created))
    finally:
        swarm.close()
    outcome.show(result, console, [DIRECTOR, *workers])
    return result


def end_with_a_signal() -> None:
    """SIGTERM ends the demo as Ctrl-C does: with everybody in it."""
    me = asyncio.current_task()
    assert me is not None  # noqa: S101 - a coroutine runs in a task
    with suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)


class Performance:
    """One plan, one board, a director and some workers."""

    def __init__(self, swarm: Swarm, path: Path, folder: Path, workers: list[str], console: Console) -> None:
        self.swarm = swarm
        self.path = path
        self.folder = folder
        self.workers = workers
        self.console = console
        self.doing = dict.fromkeys([DIRECTOR, *workers], "is starting")
        self.view = picture.View()
        self.crashed: list[str] = []
        self.crashes: list[str] = []
        self.completed = 0
        self.last_completion = 0.0

    def announce(self, report: Imported, reopened: int) -> None:
        """Say what is about to be seen."""
        self.say(report.message)
        if reopened:
            self.say(f"{reopened} of them are finished in the plan; they were opened again, to be done here.")
        crew = "1 worker" if len(self.workers) == 1 else f"{len(self.workers)} workers"
        self.say(
            f"1 director and {crew}, each a process with an MCP server of its own, on the board {self.path}. "
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
        troupe = Troupe(self.path, DIRECTOR, self.workers, seconds=seconds, logs=self.folder)
        try:
            async with asyncio.timeout(seconds), troupe:
                await self._with_picture(self._follow(troupe), began)
        except TimeoutError:
            self.crashes.append(f"time was up after {seconds:.0f} s.")
        elapsed = (self.last_completion or time.monotonic()) - began
        return await asyncio.to_thread(
            self.swarm.read, lambda db: outcome.judge(db, troupe.tellings(), seconds=elapsed, crashes=self.crashes)
        )

    async def _follow(self, troupe: Troupe) -> None:
        """Listen to everybody. When the workers have ended, so will the director, once it has seen it."""
        listening = {name: asyncio.create_task(self._listen(troupe, player)) for name, player in troupe.players.items()}
        giving_back = asyncio.create_task(self._give_back())
        try:
            await asyncio.gather(*(listening[name] for name in self.workers))
            if await asyncio.to_thread(self.swarm.read, stage.is_done):
                await listening[DIRECTOR]
        finally:
            for each in (giving_back, *listening.values()):
                each.cancel()

    async def _listen(self, troupe: Troupe, player: Player) -> None:
        code = await troupe.listen(player, self.heard)
        self.doing[player.name] = "has ended"
        if code:
            self.crashed.append(player.name)
            words = f"the process of {player.name} ended with code {code}; its log is {player.log}."
            self.crashes.append(words)
            self.say(f"Crashed: {words}")

    async def _give_back(self) -> None:
        """Take back what the crashed have, for as long as somebody may still hand them something."""
        while True:
            for name in self.crashed:
                returned = await asyncio.to_thread(self.swarm.write, partial(stage.give_back, name=name), via=stage.VIA)
                if returned:
                    self.say(f"     {returned} of {name}'s tasks went back to the others.")
            await asyncio.sleep(GIVE_BACK_SECONDS)

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
                live.update(picture.draw(self.view, self.doing, seconds=seconds, height=height), refresh=True)
                if over:
                    return
                await asyncio.wait([work], timeout=FRAME_SECONDS)

    def heard(self, telling: Telling) -> None:
        """Note what an agent tells."""
        name, what, said, answer = telling["agent"], telling["what"], telling["said"], telling["answer"]
        task = answer.get("task") or {}
        title = task.get("title", "") if what == "claim_task" else ""
        if what == "complete_task":
            self.completed += 1
            self.last_completion = time.monotonic()
        self.doing[name] = f"{VERBS.get(what, what)} {task.get('id', '')} {title}".strip()
        if self.console.is_terminal:
            return
        if what == "complete_task":
            self.say(f"{self.completed:>4} {name} completed {task['id']}")
        elif what == "summary" or what in {"delegate", "send_message"} or said.get("status") == "requires_assistance":
            self.say(f"     {name}: {answer['message']}")


VERBS = {
    "claim_task": "works on", "report_progress": "reports on", "share_context": "shares on",
    "complete_task": "completed", "delegate": "hands on", "send_message": "answers", "update_task": "frees",
    "review_task": "reviews", "summary": "sums up",
}  # fmt: skip
