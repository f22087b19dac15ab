"""The agents' processes: started, listened to, and ended together."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable
    from pathlib import Path

FAREWELL_SECONDS = 6.0
"""How long an agent may take to end its server in order."""
LONGEST_LINE = 1 << 20

Telling = dict[str, Any]
"""What an agent tells: its name, the tool, what it said and what the board answered."""


@dataclass(slots=True)
class Player:
    """One agent's process."""

    name: str
    log: Path
    """What it, and its server, wrote to stderr."""
    process: Process
    told: list[Telling] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether its process has ended."""
        return self.process.returncode is not None


class Troupe:
    """A director, supervisors and workers, each a process that starts a server of its own on the same board."""

    def __init__(self, database: Path, workers: int, *, seconds: float, logs: Path) -> None:
        self.logs = logs
        self.players: dict[str, Player] = {}
        self._said = ["--database", str(database), "--seconds", str(seconds), "--workers", str(workers)]

    async def __aenter__(self) -> Self:
        """Nobody is there yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End those that are still there: first by asking, then by force."""
        left = [player.process for player in self.players.values() if not player.is_over]
        for process in left:
            with suppress(ProcessLookupError):
                process.terminate()
        waiting = [asyncio.ensure_future(process.wait()) for process in left]
        if waiting:
            await asyncio.wait(waiting, timeout=FAREWELL_SECONDS)
        for process in left:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def start(self, name: str) -> Player:
        """Start somebody's process."""
        log = self.logs / f"{name}.log"
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "swarm_mcp.cli.demo.acting", name, *self._said,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=stderr, limit=LONGEST_LINE,
                # Ctrl-C is for the demo, which then ends everybody in order.
                start_new_session=True,
            )  # fmt: skip
        self.players[name] = Player(name, log, process)
        return self.players[name]

    def is_over(self, name: str) -> bool:
        """Whether somebody's process has ended, or never was."""
        return name not in self.players or self.players[name].is_over

    async def listen(self, player: Player, heard: Callable[[Telling], None]) -> int:
        """Pass on what an agent tells until its process ends.

        Returns:
            Its exit code.

        """
        assert player.process.stdout is not None  # noqa: S101 - it was started with a pipe
        async for line in player.process.stdout:
            with suppress(ValueError):  # half a line, of an agent that was killed
                telling = json.loads(line)
                player.told.append(telling)
                heard(telling)
        return await player.process.wait()

    def tellings(self) -> list[Telling]:
        """Everything that anybody told."""
        return [each for player in self.players.values() for each in player.told]
