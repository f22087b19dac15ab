"""What keeps a request out before anybody looks at it: a name that is not ours, a strange page, too much, too slow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers

from swarm_mcp.web.answers import mistake

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 4 * 1024 * 1024
"""Bytes of a request's body."""
ARRIVAL_SECONDS = 30.0
"""How long a body may take to arrive."""
PASSING, PASSING_SECONDS = 4 * LIMIT, 2.0
"""How much of a body that is too large is let pass, so that its sender reads why it was refused."""
OPEN_TO_ANY_NAME = frozenset({"/health"})
"""A balancer asks by the address; and what it hears, everybody may."""
FORBIDDEN = 403


class Walls:
    """Checks the name that was called, the page that called, and the size and pace of what comes.

    A browser that was lured onto a name which resolves to this machine (DNS rebinding) says that name in `Host`, and
    the page that it shows in `Origin`; programs send no `Origin`.
    """

    def __init__(self, app: ASGIApp, names: Collection[str], origins: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, if nothing is wrong with it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["path"] not in OPEN_TO_ANY_NAME and not self._is_ours(headers.get("host", "")):
            await mistake(421)(scope, receive, send)
        elif not self._may_call(headers.get("origin", "")):
            words = "Pages of that origin may not call this server; SWARM_ALLOWED_ORIGINS names those that may."
            await mistake(FORBIDDEN, words)(scope, receive, send)
        else:
            await self._serve(scope, headers, receive, send)

    async def _serve(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        told = headers.get("content-length", "0")
        if not told.isascii() or not told.isdigit():
            await mistake(400)(scope, receive, send)
            return
        if int(told[:20]) > LIMIT:
            await _let_pass(receive)
            await mistake(413, headers={"Connection": "close"})(scope, receive, send)
            return
        if scope["method"] in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        arrived: list[Message] = []
        try:
            async with asyncio.timeout(ARRIVAL_SECONDS):  # every call has one, and anyio's costs it 0.1 ms
                size = await _take(receive, arrived)
        except TimeoutError:
            await mistake(408, headers={"Connection": "close"})(scope, receive, send)
            return
        if size > LIMIT:
            await _let_pass(receive)
            await mistake(413, headers={"Connection": "close"})(scope, receive, send)
        else:
            await self._app(scope, _after(arrived, receive), send)

    def _is_ours(self, host: str) -> bool:
        return name_of(host) in self._names

    def _may_call(self, origin: str) -> bool:
        if not origin or origin.lower() in self._origins:
            return True
        return name_of(urlsplit(origin).netloc) in self._names


def name_of(host: str) -> str:
    """The name in a `Host` header, without the port and the brackets of an address."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


async def _take(receive: Receive, arrived: list[Message]) -> int:
    """Take the body in, as far as the limit; how long it is."""
    size, more, parts = 0, True, bytearray()
    while more and size <= LIMIT:
        message = await receive()
        if message["type"] != "http.request":
            arrived.append(message)
            break
        size += len(message.get("body", b""))
        parts += message.get("body", b"")
        more = message.get("more_body", False)
    arrived.insert(0, {"type": "http.request", "body": bytes(parts), "more_body": False})
    return size


async def _let_pass(receive: Receive) -> None:
    """Drop what still comes, for a while: whoever is sending hears an answer only afterwards."""
    size = 0
    with anyio.move_on_after(PASSING_SECONDS):
        while size <= PASSING:
            message = await receive()
            size += len(message.get("body", b""))
            if not message.get("more_body", False):
                return


def _after(arrived: list[Message], receive: Receive) -> Receive:
    """What has arrived, and then the rest: that the client goes, say."""

    async def next_message() -> Message:
        return arrived.pop(0) if arrived else await receive()

    return next_message
