"""Noticing changes: one question to the database for all who wait, a few times a second, while there are any.

The question is cheap enough to be asked on the event loop. Where processes hint each other that it is worth asking, it
is asked then, and otherwise seldom: nothing depends on the hints but how soon.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from swarm_mcp.repository.changes import Changes
    from swarm_mcp.repository.postgres_changes import PostgresChanges

GAP_SECONDS = 0.02
"""Between two questions, however many hints there are."""


class Notices:
    """Tells those who listen that something was committed, by this process or another.

    What it was, and whether it concerns them, they find out themselves.
    """

    def __init__(self, changes: Changes | PostgresChanges, *, seconds: float | None = None) -> None:
        """Ask these, so often or as often as they say."""
        self._changes = changes
        self._seconds = changes.seconds if seconds is None else seconds
        self._listeners: set[asyncio.Event] = set()
        self._watch: asyncio.Task[None] | None = None
        self.ended = False
        """Nothing will be told any more: whoever waits had better answer."""

    def end(self) -> None:
        """Wake everybody for the last time."""
        self.ended = True
        for heard in self._listeners:
            heard.set()

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    @contextmanager
    def listening(self) -> Generator[asyncio.Event]:
        """Listen until the end of the block: the event is set after every change since it began.

        A change of just before may set it as well.
        """
        heard = asyncio.Event()
        self._listeners.add(heard)
        self._look_out_if_wanted()
        try:
            yield heard
        finally:
            self._listeners.discard(heard)
            self._look_out_if_wanted()

    def _look_out_if_wanted(self) -> None:
        if self._listeners and self._watch is None:
            self._watch = asyncio.create_task(self._look_out())
        elif self._watch is not None and not self._listeners:
            self._watch.cancel()
            self._watch = None
            self._changes.rest()

    async def _look_out(self) -> None:
        while True:
            await self._rest()
            if self._changes.happened():
                for heard in self._listeners:
                    heard.set()

    async def _rest(self) -> None:
        """Return when it is time to ask again, or worth it."""
        descriptor = self._changes.descriptor()
        if descriptor is None or not await self._is_hinted(descriptor):
            await asyncio.sleep(self._seconds)

    async def _is_hinted(self, descriptor: int) -> bool:
        """Wait for a hint; whether that was possible."""
        loop = asyncio.get_running_loop()
        hinted = asyncio.Event()

        def hint() -> None:
            loop.remove_reader(descriptor)  # it stays readable until somebody asks
            hinted.set()

        try:
            loop.add_reader(descriptor, hint)
        except (NotImplementedError, OSError, ValueError):
            return False
        try:
            await asyncio.sleep(GAP_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._seconds - GAP_SECONDS)):
                    await hinted.wait()
        finally:
            loop.remove_reader(descriptor)
        return True
