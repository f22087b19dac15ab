"""Listening to a board as a client of either generation does, and what it was told."""

from __future__ import annotations

import queue
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from listening import visiting
from mcp.client.subscriptions import ResourcesListChanged, ResourceUpdated
from mcp_types import ResourceListChangedNotification, ResourceUpdatedNotification
from serving import GIVE_UP_SECONDS, LEGACY, MODERN, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from listening import Listener
    from serving import Desk

LIST = "the list"
WAYS = [("stdio", MODERN), ("stdio", LEGACY), ("/mcp", MODERN), ("/mcp", LEGACY), ("/sse", MODERN), ("/sse", LEGACY)]


class Ear:
    """One client that listens to resources, whichever way its generation has for that."""

    def __init__(self, desk: Desk, told: queue.SimpleQueue[Any], mode: str) -> None:
        self.desk = desk
        self.told = told
        self._mode = mode
        self._stream: Future[str] | None = None

    def listen(self, *uris: str, lists: bool = False) -> None:
        """Begin to listen; raises what the server refuses with."""
        if self._mode == LEGACY:
            for uri in uris:
                self.desk.run("subscribe_resource", uri=uri)
            return
        ready = threading.Event()
        self._stream = self.desk.portal.start_task_soon(self._follow, uris, lists, ready)
        self._stream.add_done_callback(lambda _: ready.set())
        assert ready.wait(GIVE_UP_SECONDS)
        if self._stream.done():
            self._stream.result()

    async def _follow(self, uris: tuple[str, ...], lists: bool, ready: threading.Event) -> str:
        listening = self.desk.client.listen(resource_subscriptions=list(uris), resources_list_changed=lists)
        async with listening as stream:
            ready.set()
            async for event in stream:
                self.told.put(name_of(event))
        return "ended in order"

    def next(self) -> str:
        """The next thing that it is told, an address or `LIST`."""
        return self.told.get(timeout=GIVE_UP_SECONDS)

    def until(self, last: str) -> set[str]:
        """All that it is told, up to and with this."""
        heard = {self.next()}
        while last not in heard:
            heard.add(self.next())
        return heard

    def leave(self, uri: str) -> None:
        """Listen to a resource (the newer generation: to anything) no longer."""
        if self._mode == LEGACY:
            self.desk.run("unsubscribe_resource", uri=uri)
        else:
            assert self._stream is not None
            self._stream.cancel()

    def end(self) -> str:
        """How the stream ended, when it has."""
        assert self._stream is not None
        return self._stream.result(GIVE_UP_SECONDS)


def name_of(event: Any) -> str:
    """What was told, in a word."""
    match event:
        case ResourceUpdated(uri=uri):
            return uri
        case ResourceUpdatedNotification(params=params):
            return str(params.uri)
        case ResourcesListChanged() | ResourceListChangedNotification():
            return LIST
        case _:
            return repr(event)


@contextmanager
def listener(
    board: Path, way: str, mode: str, *options: str, server: Listener | None = None, name: str = "ear", token: str = ""
) -> Iterator[Ear]:
    """A client of that generation: on a pipe to a process of its own, or at an address of a server."""
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()

    async def hear(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification | ResourceListChangedNotification):
            told.put(name_of(message))

    with ExitStack() as stack:
        able = {"message_handler": hear} if mode == LEGACY else None
        if way == "stdio":
            desk = stack.enter_context(serving(board, *options, name=name, mode=mode, able=able))
        else:
            assert server is not None
            desk = stack.enter_context(visiting(server, way, mode=mode, name=name, token=token, able=able))
        yield Ear(desk, told, mode)
