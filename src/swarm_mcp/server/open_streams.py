"""Streams that stay open until somebody ends them: so that a server that stops can end them in order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class OpenStreams:
    """Serves answers that never end by themselves, and ends them all at once."""

    def __init__(self) -> None:
        self._ending = asyncio.Event()

    def end(self) -> None:
        """End every stream, those that begin later too."""
        self._ending.set()

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one, until it ends, its client goes, or all are ended; then its client sees a proper end."""
        is_open = False

        async def watched(message: Message) -> None:
            nonlocal is_open
            await send(message)
            is_open = message["type"] == "http.response.start" or bool(message.get("more_body"))

        async with anyio.create_task_group() as group:

            async def end_with_all() -> None:
                await self._ending.wait()
                group.cancel_scope.cancel()

            group.start_soon(end_with_all)
            await app(scope, receive, watched)
            group.cancel_scope.cancel()
        if is_open and self._ending.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})
