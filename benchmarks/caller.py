"""An agent over HTTP that costs next to nothing: one connection that is kept, and requests written by hand.

On the clock is what an agent waits: from the first byte of the request to the last of the answer.
"""

from __future__ import annotations

import asyncio
import json
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

from benchmarks.pipe import ENVELOPE, MODERN_VERSION, CallFailed, Timed

if TYPE_CHECKING:
    from collections.abc import Mapping

INFO = "io.modelcontextprotocol/clientInfo"


class HttpCaller:
    """One agent at one server; the newer generation of the protocol, which has no sessions."""

    def __init__(self, port: int, path: str, name: str) -> None:
        self.port = port
        self.path = path
        self.name = name
        self._envelope = {**ENVELOPE, INFO: {"name": name, "version": "1"}}
        self._asked = 0

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Timed:
        """Call a tool; `result` is its `CallToolResult`.

        Raises:
            CallFailed: the tool answered with an error, or the server with none at all.

        """
        request = self._request(tool, arguments)
        began = perf_counter()
        self._writer.write(request)
        status, body = await self._answer()
        seconds = perf_counter() - began
        answer = json.loads(body)
        if status != b"200" or "error" in answer or answer["result"].get("isError"):
            raise CallFailed(f"{tool}({json.dumps(arguments)[:200]}): {status.decode()} {body[:500]!r}")
        return Timed(answer["result"], seconds)

    def _request(self, tool: str, arguments: Mapping[str, Any]) -> bytes:
        self._asked += 1
        params = {"name": tool, "arguments": dict(arguments), "_meta": self._envelope}
        body = json.dumps({"jsonrpc": "2.0", "id": self._asked, "method": "tools/call", "params": params}).encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {MODERN_VERSION}\r\n"
            f"Mcp-Method: tools/call\r\nMcp-Name: {tool}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def _answer(self) -> tuple[bytes, bytes]:
        """The status and the body; none of these answers comes as a stream."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = head.split(b" ", 2)[1]
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return status, await self._reader.readexactly(int(length))
