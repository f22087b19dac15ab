"""How clients are told: through a stream of the newer generation, or through a connection of the older one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from mcp.shared.subscriptions import ResourceUpdated
from mcp_types import (
    ResourceListChangedNotification,
    ResourceUpdatedNotification,
    ResourceUpdatedNotificationParams,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.shared.subscriptions import ServerEvent
    from mcp_types import ServerNotification

    Say = Callable[[ServerNotification], Awaitable[None]]
    """Sends a notification to a client; it may have to wait, and says nothing of a client that has gone."""

_log = logging.getLogger(__name__)


class Stream:
    """What the SDK's handler of one stream hears: events for this stream, and for no other.

    What is told before the handler listens is kept for it.
    """

    def __init__(self) -> None:
        self._early: list[ServerEvent] = []
        self._hear: Callable[[ServerEvent], None] = self._early.append

    def tell(self, event: ServerEvent) -> None:
        """Tell the client of a change."""
        self._hear(event)

    async def publish(self, event: ServerEvent) -> None:
        """Tell the client of a change: the name by which the SDK knows it."""
        self._hear(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Tell this one of the stream's events, until it calls what is returned."""
        self._hear = listener
        for event in self._early:
            listener(event)
        self._early.clear()
        return self._leave

    def _leave(self) -> None:
        self._hear = lambda _: None


class Voice:
    """Tells a client through its connection, one change after the other; what waits to be sent is sent once."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._waiting: dict[ServerEvent, None] = {}
        self._wake = asyncio.Event()
        self._saying = asyncio.create_task(self._speak())

    def tell(self, event: ServerEvent) -> None:
        """Tell the client of a change, as soon as it has read what was told before."""
        self._waiting[event] = None
        self._wake.set()

    def end(self) -> None:
        """Say nothing more."""
        self._saying.cancel()

    async def _speak(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                event = next(iter(self._waiting))
                del self._waiting[event]
                try:
                    await self._say(unasked(event))
                except Exception as error:  # it has gone, and whoever serves it will say so
                    _log.debug("a notification was not sent: %s", error)


def unasked(event: ServerEvent) -> ServerNotification:
    """A change as the older generation is told of it: not as the answer to anything."""
    if isinstance(event, ResourceUpdated):
        return ResourceUpdatedNotification(params=ResourceUpdatedNotificationParams(uri=event.uri))
    return ResourceListChangedNotification()
