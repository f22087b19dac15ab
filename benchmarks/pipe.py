"""A client that costs next to nothing: a raw pipe, and JSON-RPC written by hand.

Only the two system calls that carry a message are on the clock; requests are encoded before it
starts and answers are decoded after it has stopped.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

Era = Literal["modern", "legacy"]

MODERN_VERSION = "2026-07-28"
LEGACY_VERSION = "2025-11-25"
CLIENT = {"name": "benchmark", "version": "1"}

# Every modern request carries who asks and in which version (specification 2026-07-28, `_meta`).
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN_VERSION,
    "io.modelcontextprotocol/clientInfo": CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}


class CallFailed(Exception):
    """The server refused a call that the benchmark needs."""


class Timed(NamedTuple):
    """One answer, and the seconds that it took."""

    result: dict[str, Any]
    seconds: float


class Pipe:
    """One server process at the other end of a pipe."""

    def __init__(self, command: Sequence[str], *, era: Era = "modern", env: Mapping[str, str] | None = None) -> None:
        self.era: Era = era
        self.command = list(command)
        self.started = perf_counter()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if os.environ.get("BENCH_STDERR") is None else None,
            env={**os.environ, **(env or {})},
            bufsize=0,
        )
        if self.process.stdin is None or self.process.stdout is None:  # pragma: no cover - both were asked for
            raise CallFailed("The server has no pipes.")
        self._to_server = self.process.stdin.fileno()
        self._from_server = self.process.stdout.fileno()
        self._unread = b""
        self._last_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> int:
        """Close stdin, as hosts do, and return the exit code (killed after ten seconds)."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def open(self) -> float:
        """Do what a host does first, up to the first `tools/list`; return the seconds since the spawn."""
        if self.era == "legacy":
            hello = {"protocolVersion": LEGACY_VERSION, "capabilities": {}, "clientInfo": CLIENT}
            self.request("initialize", hello)
            self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        self.request("tools/list", {})
        return perf_counter() - self.started

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Timed:
        """Call a tool; `result` is its `CallToolResult`.

        Raises:
            CallFailed: the tool answered with an error, or the server with none at all.
        """
        answer = self.request("tools/call", {"name": tool, "arguments": dict(arguments)})
        if answer.result.get("isError"):
            raise CallFailed(f"{tool}({json.dumps(arguments)[:200]}): {answer.result['content']}")
        return answer

    def listen(self, uris: Sequence[str]) -> None:
        """Be told of changes of these resources from now on, which `hear` returns."""
        if self.era == "legacy":
            for uri in uris:
                self.request("resources/subscribe", {"uri": uri})
            return
        self._last_id += 1
        params = {"notifications": {"resourceSubscriptions": list(uris)}, "_meta": ENVELOPE}
        self._send({"jsonrpc": "2.0", "id": self._last_id, "method": "subscriptions/listen", "params": params})
        while self.hear().get("method") != "notifications/subscriptions/acknowledged":
            pass

    def hear(self) -> dict[str, Any]:
        """Wait for the next message, whatever it is."""
        return json.loads(self._read_line())

    def request(self, method: str, params: Mapping[str, Any]) -> Timed:
        """Send one request and wait for its answer; notifications on the way are skipped."""
        self._last_id += 1
        asked = self._last_id
        envelope = {"_meta": ENVELOPE} if self.era == "modern" else {}
        message = {"jsonrpc": "2.0", "id": asked, "method": method, "params": {**params, **envelope}}
        line = json.dumps(message).encode() + b"\n"
        began = perf_counter()
        self._write(line)
        while True:
            raw = self._read_line()
            seconds = perf_counter() - began
            answer = json.loads(raw)
            if answer.get("id") == asked:
                break
        if "error" in answer:
            raise CallFailed(f"{method}: {answer['error']}")
        return Timed(answer["result"], seconds)

    def resident_bytes(self) -> int:
        """Resident set size of the server process, in bytes (Linux's VmRSS)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def _send(self, message: Mapping[str, Any]) -> None:
        self._write(json.dumps(message).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._to_server, line) :]

    def _read_line(self) -> bytes:
        while True:
            line, newline, rest = self._unread.partition(b"\n")
            if newline:
                self._unread = rest
                return line
            chunk = os.read(self._from_server, 1 << 20)
            if not chunk:
                raise CallFailed(f"The server ended: {' '.join(self.command)}")
            self._unread += chunk
