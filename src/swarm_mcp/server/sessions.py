"""Streamable HTTP for both generations; a session of the older one goes on at whichever server its client comes to."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, authorization_context
from mcp.server.connection import Connection
from mcp.server.runner import serve_connection
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER, StreamableHTTPServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers

from swarm_mcp.server.toolbox import every_tool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import anyio.abc
    from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
    from mcp.server.lowlevel import Server
    from mcp.server.transport_security import TransportSecuritySettings
    from mcp.shared.transport_context import TransportContext
    from mcp_types import ServerNotification
    from starlette.types import Message, Receive, Scope, Send

    from swarm_mcp.server.listening import Connected
    from swarm_mcp.server.remote_listening import SessionStreams

_log = logging.getLogger(__name__)

_AT_ONCE: ContextVar[bool] = ContextVar("answered at once", default=False)
"""Whether the answer to the request that is being served is one message."""
AT_ONCE = frozenset(tool["name"].encode() for tool in every_tool()) - {b"check_inbox"}
"""Tools that say nothing on the way; a call that waits tells how it goes, and its answer is a stream."""
SESSION = "swarm.session"
"""Where a request's scope says to which session it belongs; the newer generation's belong to none."""


class Sessions(StreamableHTTPSessionManager):
    """The SDK's sessions, and those that another server began.

    `find` is asked for a session that this server does not know, with the request's scope; it answers whether there
    is one that this caller may go on with. `gone` is told of a session that this server serves no longer, `ended` of
    one that its client has ended. Overrides methods of the SDK that are its own affair: tests/test_http.py fails when
    they move.
    """

    def __init__(
        self,
        server: Server[Any],
        security: TransportSecuritySettings,
        *,
        limit: int,
        find: Callable[[str, Scope], Awaitable[bool]],
        streams: SessionStreams,
        gone: Callable[[str], object],
        ended: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__(server, security_settings=security, max_request_body_size=limit)
        self._find = find
        self._streams = streams
        self._gone = gone
        self._ended = ended
        self._ending: set[str] = set()
        """Which nobody may go on with: their clients are just ending them."""

    @property
    def json_response(self) -> bool:  # type: ignore[override]
        """Whether an answer is one message; the SDK asks once for each request of the newer generation.

        A stream has a task for the handler, one that looks whether the client has gone, and a queue between them, which
        cost a call a quarter more (measured).
        """
        return _AT_ONCE.get()

    @json_response.setter
    def json_response(self, value: bool) -> None:
        """Take no notice: it depends on the request."""

    async def _handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = _AT_ONCE.set(_is_answered_at_once(scope))
        try:
            await super()._handle_request(scope, receive, send)
        finally:
            _AT_ONCE.reset(token)

    async def _handle_stateful_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        session_id = Headers(scope=scope).get(MCP_SESSION_ID_HEADER)
        scope[SESSION] = session_id
        if session_id is None:
            await super()._handle_stateful_request(scope, receive, send)
            return
        # Twice, since another request may take it up or end it while we ask.
        if self._is_strange(session_id) and await self._find(session_id, scope) and self._is_strange(session_id):
            await self._continue(session_id, scope)
        transport = self._server_instances.get(session_id)
        if transport is not None and scope["method"] == "GET":
            await self._serve_stream(session_id, scope, receive, send)
            return
        if transport is None or scope["method"] != "DELETE":
            await super()._handle_stateful_request(scope, receive, send)
            return
        self._ending.add(session_id)
        try:
            await super()._handle_stateful_request(scope, receive, self._once_ended(session_id, transport, send))
        finally:
            self._ending.discard(session_id)

    async def _serve_stream(self, session_id: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a session's own stream, if it gets one: then what it listens to is told through it."""
        connected: Connected | None = None

        async def watched(message: Message) -> None:
            nonlocal connected
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.OK:
                connected = await self._streams.opened(session_id, scope)
            await send(message)

        try:
            await super()._handle_stateful_request(scope, receive, watched)
        finally:
            if connected is not None:
                self._streams.closed(session_id, connected)

    def _is_strange(self, session_id: str) -> bool:
        return session_id not in self._server_instances and session_id not in self._ending

    def _once_ended(self, session_id: str, transport: StreamableHTTPServerTransport, send: Send) -> Send:
        """Answer only when the session is off the board, or whoever is quick would find it there and go on with it."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and transport.is_terminated:
                await self._ended(session_id)
            await send(message)

        return answer

    async def _serve_opening_request(
        self, http_transport: StreamableHTTPServerTransport, scope: Scope, receive: Receive, send: Send
    ) -> None:
        scope[SESSION] = http_transport.mcp_session_id
        await super()._serve_opening_request(http_transport, scope, receive, send)

    async def _discard_session(self, session_id: str, transport: StreamableHTTPServerTransport) -> None:
        self._gone(session_id)
        await super()._discard_session(session_id, transport)

    async def _continue(self, session_id: str, scope: Scope) -> None:
        """Take a session up whose handshake another server has seen."""
        transport = StreamableHTTPServerTransport(
            mcp_session_id=session_id,
            security_settings=self.security_settings,
            idle_timeout=self.session_idle_timeout,
        )
        owner: AuthorizationContext | None = _owner(scope)
        if owner is not None:
            self._session_owners[session_id] = owner
        self._server_instances[session_id] = transport
        version = Headers(scope=scope).get(MCP_PROTOCOL_VERSION_HEADER)

        async def run(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            async with transport.connect() as (incoming, outgoing):
                task_status.started()
                dispatcher: JSONRPCDispatcher[TransportContext] = JSONRPCDispatcher(incoming, outgoing)
                connection = Connection.for_loop(dispatcher, session_id=session_id, protocol_version_hint=version)
                connection.initialized.set()
                self._streams.speaks(session_id, partial(_say, dispatcher))
                try:
                    assert transport.idle_scope is not None  # noqa: S101 - made by connect(), since there is a timeout
                    with transport.idle_scope:
                        await serve_connection(
                            self.app, dispatcher, connection=connection, lifespan_state=self._lifespan_state
                        )
                except Exception:
                    _log.exception("a session ended by a mistake of ours")
                finally:
                    await self._discard_session(session_id, transport)

        assert self._task_group is not None  # noqa: S101 - it is being served
        await self._task_group.start(run)


async def _say(dispatcher: JSONRPCDispatcher[TransportContext], notification: ServerNotification) -> None:
    """Tell a session something that it has not asked for."""
    data = notification.model_dump(by_alias=True, mode="json", exclude_none=True)
    await dispatcher.notify(data["method"], data.get("params"))


def _is_answered_at_once(scope: Scope) -> bool:
    """Whether a request calls a tool that says nothing on the way; the SDK refuses headers that lie about it."""
    said = dict(scope["headers"])
    version = said.get(MCP_PROTOCOL_VERSION_HEADER.encode(), b"").decode("latin-1")
    is_call = said.get(b"mcp-method") == b"tools/call" and said.get(b"mcp-name") in AT_ONCE
    return is_call and version not in HANDSHAKE_PROTOCOL_VERSIONS


def _owner(scope: Scope) -> AuthorizationContext | None:
    user = scope.get("user")
    return authorization_context(user) if isinstance(user, AuthenticatedUser) else None
