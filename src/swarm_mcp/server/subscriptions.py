"""Who listens to what, and telling them: fed by one tail of the ledger for all of a server, while anybody listens."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from mcp.shared.subscriptions import ResourcesListChanged, ResourceUpdated

from swarm_mcp.interchange import private
from swarm_mcp.interchange.private import Belonging
from swarm_mcp.model.errors import LimitReached, Refusal
from swarm_mcp.server.listener import Listener, Watched, check_count
from swarm_mcp.server.resources import watched_at
from swarm_mcp.server.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from mcp.shared.subscriptions import ServerEvent

    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.server.identity import Caller
    from swarm_mcp.server.notices import Notices
    from swarm_mcp.server.threads import Threads

_log = logging.getLogger(__name__)

MOST_LISTENERS = 2000
LIST_SECONDS = 1.0
"""Between two notifications that the list of resources has changed, after which hosts ask for all of it."""
SOON_SECONDS = 0.05
"""After a look that came in the middle of a change."""
AGAIN_SECONDS = 1.0
"""After a look that failed."""


class Subscriptions:
    """Everybody who listens to one board through one server."""

    def __init__(self, swarm: Swarm, notices: Notices, threads: Threads) -> None:
        self._swarm = swarm
        self._notices = notices
        self._threads = threads
        self._listeners: set[Listener] = set()
        self._joined = asyncio.Event()
        """Somebody listens to something new."""
        self._following: asyncio.Task[None] | None = None
        self._begun: asyncio.Future[None] | None = None
        self._list_told = 0.0
        self._is_list_due = False

    def __len__(self) -> int:
        return len(self._listeners)

    def listener(
        self,
        caller: Caller,
        tell: Callable[[ServerEvent], object],
        *,
        end: Callable[[], object],
        lists: bool,
        token: str | None,
        session: str = "",
    ) -> Listener:
        """Describe a listener, which listens from `begin` on."""
        return Listener(caller, tell, end=end, lists=lists, token=token, session=session)

    async def admitted(self, caller: Caller, uris: Collection[str]) -> list[Watched]:
        """These resources, if they are there and may be read.

        Raises:
            Refusal: the one that reading them would raise.

        """
        check_count(uris)

        def ask(db: Transaction) -> list[Watched]:
            found = {uri: watched_at(db, uri) for uri in uris}
            belongings = {Belonging(each, caller.name) for each in found.values() if private.is_private(each)}
            marks = private.look(db, belongings)
            return [Watched(uri, each, marks.get(Belonging(each, caller.name))) for uri, each in found.items()]

        read = partial(
            self._swarm.read,
            ask,
            agent=caller.name,
            via=caller.name,
            connection=caller.id,
            subject=caller.subject,
        )
        return await self._threads.run(read)

    async def begin(self, listener: Listener) -> None:
        """Tell this one, too: of everything that is committed after this has returned.

        Raises:
            Refusal: there are too many, or the board cannot be read.

        """
        if len(self._listeners) >= MOST_LISTENERS:
            raise LimitReached(f"{MOST_LISTENERS:,} listen to this server already. Listen through another, or later.")
        self._listeners.add(listener)
        self._joined.set()
        try:
            if self._begun is None:
                self._begun = asyncio.get_running_loop().create_future()
                self._following = asyncio.create_task(self._follow(self._begun))
            await asyncio.shield(self._begun)
        except BaseException:
            self.end(listener)
            raise

    def watch(self, listener: Listener, wanted: Sequence[Watched]) -> None:
        """Tell one that has begun to listen of these, too."""
        listener.watch(wanted)
        self._joined.set()

    def end(self, listener: Listener) -> None:
        """Tell this one nothing any more."""
        self._listeners.discard(listener)
        if not self._listeners:
            self.close()

    def close(self) -> None:
        """Tell nobody anything any more."""
        self._listeners.clear()
        if self._following is not None:
            self._following.cancel()
        self._following = self._begun = None

    async def _follow(self, begun: asyncio.Future[None]) -> None:
        """Look after every commit, and tell."""
        tail = Tail(self._swarm)
        with self._notices.listening() as heard:
            try:
                await self._threads.run(partial(self._begin, tail))
            except Exception as error:
                self._following = self._begun = None
                begun.set_exception(error)
                begun.exception()  # whoever waits raises it; there may be nobody left
                return
            if not begun.done():
                begun.set_result(None)
            while True:
                await self._wait(heard)
                heard.clear()
                try:
                    if not await self._look(tail):
                        await asyncio.sleep(SOON_SECONDS)
                        heard.set()
                except Exception as error:  # the board cannot be read now: the place is kept
                    _log.warning("whoever listens is told later: %s", error)
                    await asyncio.sleep(AGAIN_SECONDS)
                    heard.set()

    def _begin(self, tail: Tail) -> None:
        self._swarm.database.changes.open()
        tail.begin()

    async def _wait(self, heard: asyncio.Event) -> None:
        """Return after a commit, or when it is time to tell that the list has changed."""
        now = asyncio.get_running_loop().time
        told_again = self._list_told + LIST_SECONDS
        if not any(each.uris or each.session for each in self._listeners):
            # For the list alone nobody looks more often than it is told.
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, told_again - now())):
                    await self._joined.wait()
        self._joined.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, told_again - now()) if self._is_list_due else None):
                await heard.wait()

    async def _look(self, tail: Tail) -> bool:
        """Tell what has happened; whether nothing was left for the next time."""
        listeners = {each: each.revision for each in self._listeners}
        is_all = True
        watched = {address for each in listeners for address in each.addresses}
        belongings = {belonging for each in listeners for belonging in each.belongings}
        sessions = {each.session for each in listeners if each.session}
        news = await self._threads.run(partial(tail.news, watched, belongings, sessions))
        for listener, revision in listeners.items():
            if listener.token in news.revoked or (listener.token == "" and news.are_tokens_demanded):
                self._listeners.discard(listener)
                listener.end()
                continue
            listener.hear(news)
            if listener.session and (revision % 2 or listener.revision != revision):
                is_all = False
            elif listener.session:
                await self._follow_session(listener, news.subscribed.get(listener.session, frozenset()))
        self._tell_of_list(is_changed=news.is_list_changed)
        return is_all

    async def _follow_session(self, listener: Listener, uris: frozenset[str]) -> None:
        """Listen to what a session has subscribed to through another server, and tell it once: it may have changed."""
        for uri in listener.uris - uris:
            listener.leave(uri)
        for uri in uris - listener.uris:
            with suppress(Refusal):  # what is not there any more cannot change
                listener.watch(await self.admitted(listener.caller, [uri]))
                listener.tell(ResourceUpdated(uri))

    def _tell_of_list(self, *, is_changed: bool) -> None:
        now = asyncio.get_running_loop().time()
        self._is_list_due = self._is_list_due or is_changed
        if self._is_list_due and now >= self._list_told + LIST_SECONDS:
            self._is_list_due, self._list_told = False, now
            for listener in self._listeners:
                if listener.lists:
                    listener.tell(ResourcesListChanged())
