"""Noticing changes: one question to the database for all who wait, a few times a second, while there are any."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from swarm_mcp.repository.changes import Changes
    from swarm_mcp.repository.postgres_changes import PostgresChanges

INTERVAL_SECONDS = 0.1
"""Between two questions. They are cheap enough to be asked on the event loop, and nobody asks while nobody waits."""


class Notices:
    """Tells those who listen that something was committed, by this process or another.

    What it was, and whether it concerns them, they find out themselves.
    """

    def __init__(self, changes: Changes | PostgresChanges) -> None:
        self._changes = changes
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

    async def _look_out(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            if self._changes.happened():
                for heard in self._listeners:
                    heard.set()
