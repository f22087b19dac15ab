"""Mishaps: one worker is killed on purpose, others may crash, and what they had goes back to the board."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from swarm_mcp.cli.demo import stage
from swarm_mcp.model.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from swarm_mcp.cli.demo.troupe import Troupe
    from swarm_mcp.operations.swarm import Swarm

ROUND_SECONDS = 0.3
PATIENCE = 6.0
"""Seconds that a superior is given to take back what a dead agent had, before the operator does it."""


class Mishaps:
    """Kills one, notes who is dead, and sees to it, as the operator, that their superiors hear of it."""

    def __init__(self, swarm: Swarm, troupe: Troupe, say: Callable[[str], None]) -> None:
        self.swarm = swarm
        self.troupe = troupe
        self.say = say
        self.killed: dict[str, str] = {}
        """The task that each of those that were killed on purpose held."""
        self.crashes: list[str] = []
        """Sentences about processes that ended otherwise than they should."""
        self._unburied: dict[str, float] = {}
        """The dead whose work the board does not have back yet, and since when somebody knows of it."""

    def kill(self, name: str, task: str) -> None:
        """End an agent's process as a power cut would."""
        self.killed[name] = task
        with suppress(ProcessLookupError):
            self.troupe.players[name].process.kill()

    def ended(self, name: str, code: int) -> None:
        """An agent's process has ended, in order or not."""
        if not code:
            return
        self._unburied[name] = 0.0
        if name in self.killed:
            self.say(f"     The process of {name} was killed while it held {self.killed[name]}.")
            return
        words = f"the process of {name} ended with code {code}; its log is {self.troupe.players[name].log}."
        self.crashes.append(words)
        self.say(f"Crashed: {words}")

    async def attend(self) -> None:
        """Look after the dead until this is cancelled."""
        while True:
            for name in list(self._unburied):
                with suppress(Refusal):  # its superior has ended just now, or the board is busy: the next time
                    await self._bury(name)
            await asyncio.sleep(ROUND_SECONDS)

    async def _bury(self, name: str) -> None:
        """Tell the superior of a dead agent, once; do its part if it does not, or is dead itself."""
        boss = await asyncio.to_thread(self.swarm.read, partial(stage.superior_of_the_living, name=name))
        if boss is None:
            del self._unburied[name]
        elif not self._unburied[name] and not self.troupe.is_over(boss):
            self._unburied[name] = time.monotonic()
            tell = partial(stage.tell_of_a_death, name=name, superior=boss)
            self.say(f"     {await asyncio.to_thread(self.swarm.write, tell, via=stage.VIA)}")
        elif self.troupe.is_over(boss) or time.monotonic() - self._unburied[name] > PATIENCE:
            declare = partial(stage.declare_dead, name=name)
            self.say(f"     The operator: {await asyncio.to_thread(self.swarm.write, declare, via=stage.VIA)}")
