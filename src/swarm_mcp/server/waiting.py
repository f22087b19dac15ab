"""A call that waits: check_inbox(wait_seconds=…) answers when there is news, a ready task, or the time is up.

The operation itself answers at once. Where it has nothing to tell, its answer is held back here, on the event loop:
no thread waits with it, other calls go on, and a caller that goes away takes its wait with it, because nothing is
marked as shown before the answer that shows it is made.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio

from swarm_mcp.interchange.arguments import read_arguments
from swarm_mcp.interchange.calling import model_of
from swarm_mcp.model.errors import Refusal
from swarm_mcp.operations import waiting
from swarm_mcp.server.notices import Notices
from swarm_mcp.server.refusals import broken, refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from swarm_mcp.server.calls import Calls
    from swarm_mcp.server.identity import Caller
    from swarm_mcp.server.threads import Threads

    Progress = Callable[[float, float | None, str | None], Awaitable[None]]

_log = logging.getLogger(__name__)

TOOL = "check_inbox"
PROGRESS_SECONDS = 5
"""Between two notifications of progress, which keep clients from giving up."""


class Begun(NamedTuple):
    """A call that has been answered once, with the name of whoever made it filled in."""

    answer: dict[str, Any]
    given: dict[str, Any]
    agent: str
    seconds: int
    """For how long it waits; 0 when its first answer is its last."""


class Waiting:
    """Answers calls that wait, on one board."""

    def __init__(self, calls: Calls, threads: Threads, notices: Notices | None = None) -> None:
        self._calls = calls
        self._threads = threads
        self.notices = notices or Notices(calls.swarm.database.changes)

    def is_wanted(self, tool: str, given: Mapping[str, Any] | None) -> bool:
        """Whether a call asks for news that are still to come."""
        return tool == TOOL and bool((given or {}).get("wait_seconds"))

    async def call(
        self,
        given: Mapping[str, Any] | None,
        caller: Caller,
        client: str,
        progress: Progress,
        is_heard: Callable[[], Awaitable[bool]],
    ) -> dict[str, Any]:
        """Check the inbox, and if nothing is in it, again when that is worth it.

        What nobody hears any more must not count as shown; `is_heard` tells.
        """
        begun = await self._threads.run(partial(self.begin, dict(given or {}), caller, client))
        if not begun.seconds:
            return begun.answer
        with self.notices.listening() as heard:
            await self._wait(begun, caller, heard, progress)
        if not await is_heard():
            return begun.answer
        return await self._threads.run(partial(self._calls.call, TOOL, begun.given, caller, client))

    def begin(self, given: dict[str, Any], caller: Caller, client: str) -> Begun:
        """The first answer; on a worker thread."""
        try:
            arguments = read_arguments(model_of(TOOL), given)
            self._calls.make_known(caller, client)
            # Said by name from now on: while this call waits, others may act through the same connection.
            agent = caller.agent(arguments["agent"], writing=True)
        except Refusal as refusal:
            return Begun(refused(refusal), given, "", 0)
        except Exception:
            _log.exception("%s failed", TOOL)
            return Begun(broken(), given, "", 0)
        named = {**given, "agent": caller.spelt(agent)}
        answer = self._calls.call(TOOL, named, caller, client)
        if answer["isError"] or answer["structuredContent"].get("items"):
            return Begun(answer, named, agent, 0)
        self._calls.swarm.database.changes.open()
        return Begun(answer, named, agent, arguments["wait_seconds"])

    async def _wait(self, begun: Begun, caller: Caller, heard: asyncio.Event, progress: Progress) -> None:
        """Return when there is something for the agent, or the time is up."""
        now = asyncio.get_running_loop().time
        began = now()
        ends, told = began + begun.seconds, began + PROGRESS_SECONDS
        await progress(0, begun.seconds, "Waiting for news.")
        seen = await self._look(caller, begun.agent)
        ready = seen.ready if seen is not None else 0
        while seen is not None and not seen.wakes(ready) and now() < ends and not self.notices.ended:
            with anyio.move_on_after(min(ends, told) - now()):
                await heard.wait()
            if now() >= told:
                await progress(round(now() - began), begun.seconds, "Still waiting for news.")
                told += PROGRESS_SECONDS
            if heard.is_set():
                heard.clear()
                ready = min(ready, seen.ready)
                seen = await self._look(caller, begun.agent)

    async def _look(self, caller: Caller, agent: str) -> waiting.Look | None:
        """What there is for the agent; None if the board cannot be read, which the call itself will say."""
        try:
            return await self._threads.run(partial(self._calls.ask, waiting.look, caller, agent))  # type: ignore[arg-type]
        except Exception as error:
            _log.debug("nothing to be seen: %s", error)
            return None
