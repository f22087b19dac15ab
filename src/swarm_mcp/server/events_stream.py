"""HTTP+SSE, which remote agents of the older kind still use: a stream of answers, and where to post messages for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from mcp.server.runner import serve_dual_era_loop
from mcp.server.sse import SseServerTransport

from swarm_mcp.server.sessions import SESSION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.lowlevel import Server
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.types import Message, Receive, Scope, Send

STREAMED = "swarm.streamed"
"""Marks a request whose answer goes through another one's stream."""
TOLD = re.compile(rb"session_id=([0-9a-f]{32})")


class EventsStream:
    """One server over HTTP+SSE. A session lives as long as its stream, and in the process that has it."""

    def __init__(
        self,
        server: Server[Any],
        post_to: str,
        security: TransportSecuritySettings,
        *,
        limit: int,
        ended: Callable[[str], Awaitable[None]],
    ) -> None:
        self._server = server
        self._transport = SseServerTransport(post_to, security_settings=security, max_request_body_size=limit)
        self._ended = ended

    async def stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client until its stream ends."""
        session_id = ""

        async def watched(message: Message) -> None:
            nonlocal session_id
            if not session_id and (told := TOLD.search(message.get("body", b""))):
                session_id = told[1].decode()
            await send(message)

        try:
            async with self._transport.connect_sse(scope, receive, watched) as (incoming, outgoing):
                await serve_dual_era_loop(self._server, incoming, outgoing, lifespan_state={})
        except ValueError:
            if session_id:
                raise  # before the stream begins it says that the request was refused, and has answered it
        finally:
            if session_id:
                await self._ended(session_id)

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a message for a stream."""
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        scope[SESSION], scope[STREAMED] = query.get("session_id", [""])[-1].replace("-", "").lower(), True
        await self._transport.handle_post_message(scope, receive, send)
