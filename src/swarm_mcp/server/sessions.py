"""Streamable HTTP for both generations; a session of the older one goes on at whichever server its client comes to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, authorization_context
from mcp.server.connection import Connection
from mcp.server.runner import serve_connection
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER, StreamableHTTPServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from starlette.datastructures import Headers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import anyio.abc
    from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
    from mcp.server.lowlevel import Server
    from mcp.server.transport_security import TransportSecuritySettings
    from mcp.shared.transport_context import TransportContext
    from starlette.types import Receive, Scope, Send

_log = logging.getLogger(__name__)

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
        gone: Callable[[str], object],
        ended: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__(server, security_settings=security, max_request_body_size=limit)
        self._find = find
        self._gone = gone
        self._ended = ended

    async def _handle_stateful_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        session_id = Headers(scope=scope).get(MCP_SESSION_ID_HEADER)
        if session_id is not None and session_id not in self._server_instances and await self._find(session_id, scope):
            await self._continue(session_id, scope)
        known = session_id is not None and session_id in self._server_instances
        scope[SESSION] = session_id
        await super()._handle_stateful_request(scope, receive, send)
        if known and scope["method"] == "DELETE" and session_id not in self._server_instances:
            await self._ended(session_id or "")

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


def _owner(scope: Scope) -> AuthorizationContext | None:
    user = scope.get("user")
    return authorization_context(user) if isinstance(user, AuthenticatedUser) else None
