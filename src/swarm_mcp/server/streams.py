"""The SDK's two streams of messages, straight over lines of bytes.

Anything with these methods may stand in for the SDK's memory streams; reading and writing within
the caller's own task saves two task switches for every message.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import (
    INTERNAL_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from swarm_mcp.server.lines import LineReader, LineWriter

# After the last message, calls in flight may still answer for this long; then they are cancelled.
GRACE_SECONDS = 0.3
# A client that has stopped reading is waited for no longer than this.
FLUSH_SECONDS = 0.3
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_log = logging.getLogger(__name__)


class Unanswered:
    """The requests that have arrived and that nobody has answered yet."""

    def __init__(self) -> None:
        self._ids: set[RequestId] = set()
        self._none = asyncio.Event()
        self._none.set()

    def arrived(self, message: JSONRPCMessage) -> None:
        """Note a request, and forget one that its client has cancelled: that is never answered."""
        if isinstance(message, JSONRPCRequest):
            self._ids.add(message.id)
            self._none.clear()
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            self._forget((message.params or {}).get("requestId"))

    def answered(self, message: JSONRPCMessage) -> None:
        """Forget the request that this message answers, if it does."""
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self._forget(message.id)

    async def settle(self) -> None:
        """Wait until everything has been answered, but not for long."""
        with anyio.move_on_after(GRACE_SECONDS):
            await self._none.wait()

    def _forget(self, request: RequestId | None) -> None:
        if request is not None:
            self._ids.discard(request)
        if not self._ids:
            self._none.set()


class _Closing:
    """What the SDK asks of either stream besides moving messages."""

    async def aclose(self) -> None:
        """Let go of the stream."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()


class Incoming(_Closing):
    """The client's messages; a line that is none arrives as the exception that says why."""

    def __init__(self, lines: LineReader, unanswered: Unanswered, *, on_end: Callable[[str], None]) -> None:
        self._lines = lines
        self._unanswered = unanswered
        self._on_end = on_end
        self._first = True
        self._ahead: SessionMessage | Exception | None = None

    async def peek(self) -> SessionMessage | Exception | None:
        """Return the next message and leave it there; None if there will be no more."""
        if self._ahead is None:
            with suppress(anyio.EndOfStream):
                self._ahead = await self.receive()
        return self._ahead

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def receive(self) -> SessionMessage | Exception:
        """Return the next message.

        Raises:
            anyio.EndOfStream: there will be no more.
        """
        if self._ahead is not None:
            message, self._ahead = self._ahead, None
            return message
        line = await self._line()
        if line is None:
            self._on_end("the client has closed the wire")
            await self._unanswered.settle()
            raise anyio.EndOfStream
        try:
            message = _parsed(line)
        except Exception as error:  # as in the SDK's transport: no line may end the connection
            return error
        self._unanswered.arrived(message)
        return SessionMessage(message)

    async def _line(self) -> bytes | None:
        line = await self._lines.next()
        if self._first and line is not None:
            self._first = False
            line = line.removeprefix(BYTE_ORDER_MARK)
        while line is not None and not line.strip():
            line = await self._lines.next()
        return line


class Outgoing(_Closing):
    """Messages to the client, each sent whole or not at all."""

    def __init__(self, lines: LineWriter, unanswered: Unanswered) -> None:
        self._lines = lines
        self._unanswered = unanswered

    async def send(self, item: SessionMessage, /) -> None:
        """Send a message, and wait while the client is far behind with reading.

        Raises:
            anyio.BrokenResourceError: the client has gone.
        """
        if self._lines.broken:
            raise anyio.BrokenResourceError
        self._unanswered.answered(item.message)
        line = _line_of(item.message)
        if line is None:
            return
        self._lines.write(line)
        if self._lines.congested:
            await self._lines.drain()

    async def aclose(self) -> None:
        """Let what has been sent leave, if the client still reads."""
        with anyio.move_on_after(FLUSH_SECONDS, shield=True):
            await self._lines.drain()


def _parsed(line: bytes) -> JSONRPCMessage:
    try:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError as first:
        # A second chance, since a request that is not understood is never answered and its host waits for ever: bytes
        # that are not UTF-8 are replaced, as in the SDK's transport, and halves of surrogate pairs, which some hosts
        # cut out of long texts, are for the tool to refuse.
        try:
            return jsonrpc_message_adapter.validate_python(json.loads(line.decode(errors="replace")), by_name=False)
        except ValueError:
            raise first from None


def _line_of(message: JSONRPCMessage) -> bytes | None:
    """Encode a message; an answer that cannot be encoded becomes an error, anything else None."""
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
    except ValueError:  # a lone surrogate, say: one bad answer must not end the connection
        _log.exception("a message could not be encoded")
    if not isinstance(message, JSONRPCResponse | JSONRPCError):
        return None
    error = ErrorData(code=INTERNAL_ERROR, message="The answer could not be encoded.")
    return _line_of(JSONRPCError(jsonrpc="2.0", id=message.id, error=error))
