"""Servers that listen on this machine, each a process of its own, and those who call them."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from anyio import BrokenResourceError
from anyio.from_thread import start_blocking_portal
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import Implementation
from serving import ENVELOPE, GIVE_UP_SECONDS, MODERN, Desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

BOTH = ("application/json, text/event-stream",)
VERSION_OF_SESSIONS = "2025-11-25"


@dataclass(frozen=True)
class Heard:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def facts(self) -> dict[str, Any]:
        """The body as JSON; of a stream, its last message."""
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            data = [line[6:] for line in self.body.decode().splitlines() if line.startswith("data: ")]
            return json.loads(data[-1])
        return json.loads(self.body)


@dataclass(frozen=True)
class Listener:
    """A server process."""

    board: Path | str
    process: subprocess.Popen[bytes]
    log: Path
    port: int
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=GIVE_UP_SECONDS)

    def ask(self, method: str, path: str, body: object = None, *, token: str = "", **headers: str) -> Heard:
        """One request, and its whole answer."""
        connection = self.connect()
        try:
            begin(connection, method, path, body, token=token, **headers)
            answer = connection.getresponse()
            return Heard(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(GIVE_UP_SECONDS)


def begin(
    connection: http.client.HTTPConnection, method: str, path: str, body: object = None, *, token: str = "",
    **headers: str,
) -> None:  # fmt: skip
    """Send a request and do not wait for its answer; `_` in the name of a header is a dash."""
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        said["Authorization"] = f"Bearer {token}"
    if body is not None:
        said.setdefault("Content-Type", "application/json")
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection.request(method, path, data, said)


def modern(method: str, params: dict[str, Any] | None = None, **meta: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A request of the newer generation, and the headers that go with it."""
    params = {**(params or {}), "_meta": {**deepcopy(ENVELOPE), **meta}}
    headers = {"Accept": BOTH[0], "MCP_Protocol_Version": "2026-07-28", "Mcp_Method": method}
    if "name" in params:
        headers["Mcp_Name"] = params["name"]
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, headers


def call(tool: str, **arguments: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A call of a tool in the newer generation."""
    return modern("tools/call", {"name": tool, "arguments": arguments})


def of_session(session: str = "") -> dict[str, str]:
    """The headers of a request of the older generation."""
    headers = {"Accept": BOTH[0], "MCP_Protocol_Version": VERSION_OF_SESSIONS}
    return {**headers, "Mcp_Session_Id": session} if session else headers


def handshake(listener: Listener, path: str = "/mcp", name: str = "host", **said: str) -> str:
    """Begin a session of the older generation by hand; its id."""
    params = {"protocolVersion": VERSION_OF_SESSIONS, "capabilities": {}, "clientInfo": {"name": name, "version": "1"}}
    body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    begun = listener.ask("POST", path, body, **of_session(), **said)
    assert begun.status == 200, begun.body
    session = begun.headers["mcp-session-id"]
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert listener.ask("POST", path, ready, **of_session(session), **said).status == 202
    return session


def old_call(
    listener: Listener, session: str, tool: str, path: str = "/mcp", /, *, token: str = "", **said: Any
) -> Any:
    """A call of a tool in a session; its result."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": said}}
    heard = listener.ask("POST", path, body, token=token, **of_session(session))
    assert heard.status == 200, heard.body
    return heard.facts["result"]


@contextmanager
def listening(
    board: Path, *options: str, name: str = "http", program: tuple[str, ...] = ("-m", "swarm_mcp"), address: str = "",
    patience: float = GIVE_UP_SECONDS, **environment: str,
) -> Iterator[Listener]:  # fmt: skip
    """Run a server on any port that is free, on the board in that file, or in a database beside which its log is."""
    log = board.with_name(f"{board.name}.{name}.log")
    command = [sys.executable, *program, "serve", "--database", address or str(board), "--port", "0"]
    if "--transport" not in options:
        command += ["--transport", "all"]
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [*command, *options], stdin=subprocess.DEVNULL, stderr=errors, cwd=board.parent,
            env={**os.environ, **environment},
        )  # fmt: skip
    rescue = threading.Timer(patience, process.kill)
    rescue.start()
    try:
        yield Listener(address or board, process, log, port_of(process, log))
    finally:
        rescue.cancel()
        if process.poll() is None:
            process.terminate()  # not killed: what it ran is measured
        process.wait(GIVE_UP_SECONDS)


def port_of(process: subprocess.Popen[bytes], log: Path) -> int:
    """Wait until a server says where it listens."""
    while process.poll() is None:
        told = re.search(r"serves \S+ on http://\S+?:(\d+)/", log.read_text())
        if told:
            return int(told[1])
        threading.Event().wait(0.02)
    raise AssertionError(log.read_text())


@asynccontextmanager
async def streamable(url: str, headers: dict[str, str]) -> AsyncIterator[Any]:
    """The client's side of Streamable HTTP, with headers."""
    async with (
        create_mcp_http_client(headers=headers) as client,
        streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams


@asynccontextmanager
async def streaming(url: str, headers: dict[str, str]) -> AsyncIterator[Any]:
    """The client's side of HTTP+SSE. A message that arrives while the library's client closes is an error to it, since
    nobody is there to take it; it is none to us."""
    leaving = False
    try:
        async with sse_client(url, headers=headers) as streams:
            yield streams
            leaving = True
    except* BrokenResourceError:
        if not leaving:
            raise


@contextmanager
def closed_while_told() -> Iterator[None]:
    """The SDK's client over HTTP+SSE fails if it is told something in the moment in which it is closed."""
    try:
        yield
    except BaseExceptionGroup as group:
        if group.split(BrokenResourceError)[1] is not None:
            raise


@contextmanager
def visiting(
    listener: Listener, path: str = "/mcp", *, mode: str = MODERN, token: str = "", name: str = "host",
    able: Mapping[str, Any] | None = None,
) -> Iterator[Desk]:  # fmt: skip
    """The SDK's client at one of a server's addresses; `able` says what it can do besides."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with start_blocking_portal() as portal, closed_while_told():
        if path.startswith("/sse"):
            transport: Any = streaming(listener.url + path, headers)
        else:
            transport = streamable(listener.url + path, headers)
        host = Client(
            transport,
            mode=mode,
            client_info=Implementation(name=name, version="1"),
            read_timeout_seconds=GIVE_UP_SECONDS,
            **(able or {}),
        )
        with portal.wrap_async_context_manager(host) as client:
            yield Desk(portal, client, listener.board, listener.log)
