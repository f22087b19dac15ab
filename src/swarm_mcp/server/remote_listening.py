"""Listening over HTTP, where one process serves many, and a session's stream may be open at another server.

What a session over Streamable HTTP has subscribed to is on the board; whichever server has its stream tells it. A
stream that is opened again is told that all of it may have changed, since nobody knows what it has missed. A client of
the newer generation listens through the answer to its request, one of HTTP+SSE through its stream: in this process.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.bearer import BEARER
from swarm_mcp.model.errors import Refusal
from swarm_mcp.repository import connections
from swarm_mcp.server.events_stream import STREAMED
from swarm_mcp.server.listener import check_count
from swarm_mcp.server.listening import Connected, Listening
from swarm_mcp.server.sessions import SESSION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from datetime import datetime

    from mcp.server.context import ServerRequestContext
    from starlette.types import Scope

    from swarm_mcp.model.bearer import Bearer
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.server.callers import Callers
    from swarm_mcp.server.identity import Caller
    from swarm_mcp.server.listening import Reach
    from swarm_mcp.server.subscriptions import Subscriptions
    from swarm_mcp.server.threads import Threads
    from swarm_mcp.server.voices import Say

    Open = Callable[[], Awaitable[tuple[Swarm, Subscriptions]]]

_log = logging.getLogger(__name__)


class SessionStreams:
    """The streams that sessions over Streamable HTTP have open at this server."""

    def __init__(self, reach: Open, threads: Threads, callers: Callers) -> None:
        self._reach = reach
        self._threads = threads
        self._callers = callers
        self._say: dict[str, Say] = {}
        self._open: dict[str, Connected] = {}

    def speaks(self, session_id: str, say: Say) -> None:
        """A session is served here: this is how it is told anything."""
        self._say.setdefault(session_id, say)

    def find(self, session_id: str) -> Connected | None:
        """The connection of a session whose stream is open here."""
        return self._open.get(session_id)

    async def opened(self, session_id: str, scope: Scope) -> Connected | None:
        """A session's stream is about to open: tell it from now on, and of all that it has subscribed to, at once."""
        say, bearer = self._say.get(session_id), scope.get(BEARER)
        if say is None:
            return None
        try:
            swarm, subscriptions = await self._reach()
            caller = self._callers.session(session_id, bearer)
            connected = Connected(
                caller, subscriptions, say, token=bearer.id if bearer is not None else "", session=session_id
            )
            self._open[session_id] = connected
            ask = partial(swarm.read, partial(connections.subscriptions, connection_ids=[session_id]))
            uris = (await self._threads.run(ask)).get(session_id, frozenset())
            for uri in uris:
                try:
                    connected.watch(await subscriptions.admitted(caller, [uri]))
                except Refusal as refusal:
                    _log.debug("a session does not hear of %s any more: %s", uri, refusal)
            await connected.begin()
            connected.tell_of(uris)
        except Refusal as refusal:
            _log.warning("a session is not told of changes: %s", refusal)
        return self._open.get(session_id)

    def closed(self, session_id: str, connected: Connected) -> None:
        """A session's stream is open here no longer; another one may be."""
        connected.end()
        if self._open.get(session_id) is connected:
            del self._open[session_id]

    def forget(self, session_id: str) -> None:
        """A session is served here no longer."""
        if (connected := self._open.get(session_id)) is not None:
            self.closed(session_id, connected)
        self._say.pop(session_id, None)


class RemoteListening(Listening):
    """The requests by which clients listen, on one profile of a board over HTTP."""

    def __init__(self, reach: Reach, streams: SessionStreams, board: Open, threads: Threads) -> None:
        super().__init__(reach)
        self._sessions = streams
        self._board = board
        self._threads = threads

    def credential(self, ctx: ServerRequestContext[Any]) -> tuple[str | None, datetime | None]:
        """The token that let a client in, and when that expires."""
        bearer: Bearer | None = ctx.request.scope.get(BEARER) if ctx.request is not None else None
        return (bearer.id, bearer.expires_at) if bearer is not None else ("", None)

    async def initialized(self, ctx: ServerRequestContext[Any], params: object) -> None:
        """Tell a connection that begins of the list of resources; a session over Streamable HTTP opens a stream."""
        if not session_of(ctx):
            await super().initialized(ctx, params)

    def connection_id(self, ctx: ServerRequestContext[Any]) -> str:
        """The session over HTTP+SSE to which a request belongs."""
        return ctx.request.scope.get(SESSION, "") if ctx.request is not None else ""

    async def hear_of(
        self, ctx: ServerRequestContext[Any], uri: str, caller: Caller, subscriptions: Subscriptions
    ) -> None:
        """Tell a connection of a resource; of a session, whichever server has its stream."""
        session_id = session_of(ctx)
        if not session_id:
            await super().hear_of(ctx, uri, caller, subscriptions)
            return
        wanted = await subscriptions.admitted(caller, [uri])
        with self._changing(session_id) as connected:
            await self._note(session_id, to=[uri])
            if connected is not None:
                connected.watch(wanted)

    async def hear_no_more(self, ctx: ServerRequestContext[Any], uri: str, caller: Caller) -> None:
        """Tell a connection of a resource no longer."""
        session_id = session_of(ctx)
        if not session_id:
            await super().hear_no_more(ctx, uri, caller)
            return
        with self._changing(session_id) as connected:
            await self._note(session_id, leave=[uri])
            if connected is not None:
                connected.leave(uri)

    @contextmanager
    def _changing(self, session_id: str) -> Generator[Connected | None]:
        """The session's connection, if its stream is open here, while what it listens to changes on the board too."""
        connected = self._sessions.find(session_id)
        with connected.changing() if connected is not None else nullcontext():
            yield connected

    async def _note(self, session_id: str, *, to: list[str] | None = None, leave: list[str] | None = None) -> None:
        """Keep on the board what a session listens to."""

        def change(db: Transaction) -> None:
            check_count(connections.subscribe(db, session_id, to=to or (), leave=leave or ()))

        swarm, _ = await self._board()
        await self._threads.run(partial(swarm.write, change))


def session_of(ctx: ServerRequestContext[Any]) -> str:
    """The session over Streamable HTTP to which a request belongs; nothing if to none."""
    scope = ctx.request.scope if ctx.request is not None else {}
    return "" if scope.get(STREAMED) else scope.get(SESSION) or ""
