"""One board served over HTTP: an App for each profile, shared by everybody who calls."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.shared.inbound import X_MCP_HEADER_KEY

from swarm_mcp.model.agent import Profile
from swarm_mcp.model.bearer import BEARER
from swarm_mcp.model.errors import Refusal
from swarm_mcp.repository import connections
from swarm_mcp.repository.postgres import CONNECTIONS
from swarm_mcp.server.app import SWEEP_SECONDS, App, settle
from swarm_mcp.server.callers import Callers
from swarm_mcp.server.calls import Calls
from swarm_mcp.server.events_stream import STREAMED, EventsStream
from swarm_mcp.server.exchange import client_name
from swarm_mcp.server.notices import Notices
from swarm_mcp.server.open_streams import OpenStreams
from swarm_mcp.server.remote_listening import RemoteListening, SessionStreams, session_of
from swarm_mcp.server.resources import Resources
from swarm_mcp.server.sessions import SESSION, Sessions
from swarm_mcp.server.subscriptions import Subscriptions
from swarm_mcp.server.threads import Threads
from swarm_mcp.server.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.types import ASGIApp, Receive, Scope, Send

    from swarm_mcp.model.bearer import Bearer
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.server.board import Board
    from swarm_mcp.server.capabilities import BoardServer
    from swarm_mcp.server.identity import Caller
    from swarm_mcp.server.listening import Listening

_log = logging.getLogger(__name__)

THREADS = 16
"""At a file: enough that writers, who wait for each other, leave some to the readers. At a server as many as there are
connections: more would wait for one, and not in the order in which they came."""
PATIENCE_SECONDS = 4.0
"""How long open streams wait for calls in flight when the server stops; with what comes after it, under five."""
LAST_WORDS_SECONDS = 0.1
"""For an answer that was just given to leave through its stream."""


class RemoteApp(App):
    """One profile of one board, served to everybody who comes to its address."""

    runs_short_calls_at_once = False
    """Others wait behind whoever is alone on a pipe nowhere; here they would."""

    def __init__(self, remote: Remote, profile: Profile) -> None:
        self._remote = remote
        super().__init__(remote.board, profile)
        self._threads = remote.threads

    def _make_listening(self) -> Listening:
        remote = self._remote
        return RemoteListening(self.reach, remote.session_streams, remote.reach, remote.threads)

    def server(self) -> BoardServer:
        """The protocol's side of it, which also notes when a session begins."""
        server = super().server()
        server.middleware.append(self._note)
        # Else the SDK lists all tools for each call of one, and walks the schema of that one through. It looks for
        # arguments that are told in headers as well, of which these tools have none.
        schemas = {tool["name"]: tool["inputSchema"] for tool in self._tools}
        server.get_tool_input_schema = {
            name: schema for name, schema in schemas.items() if X_MCP_HEADER_KEY in json.dumps(schema)
        }.get
        return server

    @asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncGenerator[dict[str, Any]]:
        yield {}  # the board is kept by whoever serves it, not by a connection

    def _open(self) -> None:
        swarm = self.board.open()
        with self.board.opening:
            if self._calls is None:
                calls = Calls(swarm, self.profile)
                self._resources = Resources(swarm)
                self._waiting = Waiting(calls, self._threads, self._remote.notices(swarm))
                self._subscriptions = self._remote.subscriptions(swarm)
                self._calls = calls
        settle()

    def _caller_of(self, ctx: ServerRequestContext[Any]) -> Caller:
        scope = ctx.request.scope if ctx.request is not None else {}
        session_id, bearer = scope.get(SESSION), scope.get(BEARER)
        if session_id:
            return self._remote.callers.session(session_id, bearer)
        return self._remote.callers.sessionless(client_name(ctx), bearer)

    async def _is_heard(self, ctx: ServerRequestContext[Any]) -> bool:
        # The newer generation's calls end with their request. An answer that goes through another request's stream
        # ends with that stream.
        if ctx.request is None or not ctx.request.scope.get(SESSION) or ctx.request.scope.get(STREAMED):
            return True
        return not await ctx.request.is_disconnected()

    async def _note(self, ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
        """Count what is in flight, and enter a session into the board when it begins, for other servers to find."""
        self._remote.in_flight += 1
        if session_id := session_of(ctx):
            self._remote.session_streams.speaks(session_id, ctx.session.send_notification)
        try:
            result = await call_next(ctx)
            if ctx.method == "initialize":
                client = dict((ctx.params or {}).get("clientInfo") or {})
                await self._begin_session(ctx, str(client.get("name") or ""))
            return result
        finally:
            self._remote.in_flight -= 1
            self._remote.landed.set()

    async def _begin_session(self, ctx: ServerRequestContext[Any], client: str) -> None:
        try:
            calls = await self._opened()
            await self._threads.run(partial(calls.make_known, self._caller_of(ctx), client))
        except Refusal as refusal:  # its first call tries again, and tells
            _log.debug("a session could not be noted: %s", refusal)


class Remote:
    """A board over HTTP: the addresses that speak the protocol, and what they share."""

    def __init__(self, board: Board, *, security: TransportSecuritySettings, limit: int, agent: str = "") -> None:
        self.board = board
        self.threads = Threads(THREADS if board.open().database.is_embedded else CONNECTIONS)
        self.callers = Callers(board.project, agent)
        self.streams = OpenStreams()
        self.in_flight = 0
        self.landed = asyncio.Event()
        """Set by every request that is done."""
        self._notices: Notices | None = None
        self._subscriptions: Subscriptions | None = None
        self.session_streams = SessionStreams(self.reach, self.threads, self.callers)
        self.apps = {profile: RemoteApp(self, profile) for profile in Profile}
        servers = {profile: app.server() for profile, app in self.apps.items()}
        self._sessions = {
            profile: Sessions(
                server,
                security,
                limit=limit,
                find=self._find,
                streams=self.session_streams,
                gone=self._forget,
                ended=self._end,
            )
            for profile, server in servers.items()
        }
        self._events = {
            profile: EventsStream(server, f"/messages/{profile}", security, limit=limit, ended=self._end)
            for profile, server in servers.items()
        }

    def notices(self, swarm: Swarm) -> Notices:
        """One for all, since a change is told only once to whoever asks for changes."""
        if self._notices is None:
            self._notices = Notices(swarm.database.changes)
        return self._notices

    def subscriptions(self, swarm: Swarm) -> Subscriptions:
        """One for all: the ledger is read once, whoever listens."""
        if self._subscriptions is None:
            self._subscriptions = Subscriptions(swarm, self.notices(swarm), self.threads)
        return self._subscriptions

    async def reach(self) -> tuple[Swarm, Subscriptions]:
        """The board, and who listens to it."""
        swarm = await self.threads.run(self.board.open)
        return swarm, self.subscriptions(swarm)

    def streamable(self, profile: Profile) -> ASGIApp:
        """Streamable HTTP, both generations."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            introduce(scope)
            serve_one = self._sessions[profile].asgi_app
            if scope["method"] == "GET":
                await self.streams.serve(serve_one, scope, receive, send)
            else:
                await serve_one(scope, receive, send)

        return serve

    def events(self, profile: Profile) -> tuple[ASGIApp, ASGIApp]:
        """The older HTTP+SSE: the stream, and where messages for it are posted."""

        async def stream(scope: Scope, receive: Receive, send: Send) -> None:
            introduce(scope)
            await self.streams.serve(self._events[profile].stream, scope, receive, send)

        async def post(scope: Scope, receive: Receive, send: Send) -> None:
            introduce(scope)
            await self._events[profile].post(scope, receive, send)

        return stream, post

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Serve within the block, and keep the board up meanwhile."""
        upkeep = asyncio.create_task(self._keep_up())
        try:
            async with AsyncExitStack() as stack:
                for sessions in self._sessions.values():
                    await stack.enter_async_context(sessions.run())
                yield
        finally:
            upkeep.cancel()
            if self._subscriptions is not None:
                self._subscriptions.close()
            self.threads.close()

    async def end(self) -> None:
        """Begin to stop: whoever waits is answered, calls in flight finish, then the streams that stay open end.

        A request that never ends by itself has to be ended here first, or it counts as in flight until the time is up.
        """
        if self._notices is not None:
            self._notices.end()
        for app in self.apps.values():
            app.listening.end()
        with anyio.move_on_after(PATIENCE_SECONDS):
            while self.in_flight:
                self.landed.clear()
                await self.landed.wait()
        await asyncio.sleep(LAST_WORDS_SECONDS)
        self.streams.end()

    async def _find(self, session_id: str, scope: Scope) -> bool:
        """Whether a session of another server's may go on here, with the credential that this request has shown."""
        if len(session_id) > 36:  # noqa: PLR2004 - none of ours is longer
            return False
        bearer: Bearer | None = scope.get(BEARER)
        swarm = await self.threads.run(self.board.open)
        ask = partial(swarm.read, lambda db: connections.find_connection(db, session_id))
        row = await self.threads.run(ask)
        if row is None or row.process or (bearer is not None and bearer.agent != row.agent):
            return False
        self.callers.continued(session_id, row.agent, bearer)
        return True

    def _forget(self, session_id: str) -> None:
        """A session is served here no longer."""
        self.callers.forget(session_id)
        self.session_streams.forget(session_id)
        for app in self.apps.values():
            app.listening.forget(session_id)

    async def _end(self, session_id: str) -> None:
        """Take a session off the board: its client has ended it."""
        self._forget(session_id)
        try:
            swarm = await self.threads.run(self.board.open)
            close = partial(swarm.write, lambda db: connections.close_connection(db, session_id))
            await self.threads.run(close)
        except Refusal as refusal:
            _log.debug("a session could not be forgotten: %s", refusal)

    async def _keep_up(self) -> None:
        while True:
            try:
                swarm = await self.threads.run(self.board.open)
                calls = Calls(swarm, Profile.OBSERVER)
                await self.threads.run(partial(calls.sweep, list(self.callers.alive())))
            except Refusal as refusal:
                _log.warning("%s", refusal)
            except Exception:
                _log.exception("the upkeep failed")
            await asyncio.sleep(SWEEP_SECONDS)


def introduce(scope: Scope) -> None:
    """Tell the SDK whose credential was shown, so that nobody else's goes on with a session."""
    bearer: Bearer | None = scope.get(BEARER)
    if bearer is not None:
        scopes = sorted(bearer.scopes)
        scope["user"] = AuthenticatedUser(
            AccessToken(token="", client_id=bearer.id, scopes=[str(each) for each in scopes], subject=bearer.agent)
        )
