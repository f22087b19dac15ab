"""Streams that stay open until somebody ends them: so that a server that stops can end them in order."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio

from swarm_mcp.model.bearer import BEARER

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from swarm_mcp.model.bearer import Bearer


class OpenStreams:
    """Serves answers that never end by themselves, and ends them all at once."""

    def __init__(self) -> None:
        self._ending = asyncio.Event()

    def end(self) -> None:
        """End every stream, those that begin later too."""
        self._ending.set()

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one, until it ends, its client goes, its token expires, or all are ended: then it ends properly."""
        is_open = False
        bearer: Bearer | None = scope.get(BEARER)
        expires = bearer.expires_at if bearer is not None else None
        seconds = (expires - datetime.now(UTC)).total_seconds() if expires is not None else math.inf

        async def watched(message: Message) -> None:
            nonlocal is_open
            await send(message)
            is_open = message["type"] == "http.response.start" or bool(message.get("more_body"))

        async with anyio.create_task_group() as group:

            async def end_in_time() -> None:
                with anyio.move_on_after(seconds):
                    await self._ending.wait()
                group.cancel_scope.cancel()

            group.start_soon(end_in_time)
            await app(scope, receive, watched)
            is_open = False  # it has ended by itself
            group.cancel_scope.cancel()
        if is_open:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
