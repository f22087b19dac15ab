"""Servers as hosts run them: a process on a pipe, spoken to by the SDK's client in either form of the protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anyio.from_thread import start_blocking_portal
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import Implementation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from anyio.from_thread import BlockingPortal

MODERN, LEGACY = "auto", "legacy"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
AS_NOBODY = """
import os
import swarm_mcp.cli.app, swarm_mcp.cli.serving, swarm_mcp.operations.swarm  # what only root may be able to read
import swarm_mcp.server.calls, swarm_mcp.server.resources
from swarm_mcp.__main__ import main
os.setuid(65534)
main()
"""
# Only so that a server that is stuck fails its test instead of stopping the run.
GIVE_UP_SECONDS = 120.0


def passed_on() -> dict[str, str]:
    """What a client, which passes little on, has to: what is tested here is to be what runs, and is measured, there."""
    return {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE_", "PYTHONPATH"))}


@dataclass(frozen=True)
class Answer:
    """What a tool answered: the text for some hosts, the facts for the others."""

    text: str
    facts: dict[str, Any]
    refused: bool

    def __getitem__(self, name: str) -> Any:
        """A fact by its name."""
        return self.facts[name]

    @property
    def task(self) -> str:
        """The id of the task that was written."""
        return self.facts["task"]["id"]


class Desk:
    """One host's connection to one server process."""

    def __init__(self, portal: BlockingPortal, client: Client, board: Path | str, log: Path) -> None:
        self.portal = portal
        self.client = client
        self.board = board
        self.log = log
        """What the server wrote to stderr."""

    def begin(self, tool: str, /, *, progress: Any = None, **arguments: Any) -> Future[Answer]:
        """Send a call and do not wait for its answer; `progress` is called with what the server says meanwhile."""
        return self.portal.start_task_soon(self._answer, tool, arguments, progress)

    def ask(self, tool: str, /, **arguments: Any) -> Answer:
        """Call a tool, whatever comes of it."""
        return self.portal.call(self._answer, tool, arguments)

    def call(self, tool: str, /, **arguments: Any) -> Answer:
        """Call a tool that must not refuse."""
        answer = self.ask(tool, **arguments)
        assert not answer.refused, answer.text
        return answer

    def refusal(self, tool: str, /, **arguments: Any) -> Answer:
        """Call a tool that must refuse."""
        answer = self.ask(tool, **arguments)
        assert answer.refused, answer.text
        return answer

    def read(self, uri: str) -> str:
        """The text of a resource."""
        contents = self.portal.call(self.client.read_resource, uri).contents
        assert len(contents) == 1
        assert contents[0].uri == uri
        return contents[0].text  # pyright: ignore[reportAttributeAccessIssue] - all of ours are text

    def run(self, request: str, /, **arguments: Any) -> Any:
        """Any other request of the client, by the name of its method."""

        async def send() -> Any:
            return await getattr(self.client, request)(**arguments)

        return self.portal.call(send)

    async def _answer(self, tool: str, arguments: dict[str, Any], progress: Any = None) -> Answer:
        result = await self.client.call_tool(tool, arguments, progress_callback=progress)
        text = "\n".join(block.text for block in result.content)  # pyright: ignore[reportAttributeAccessIssue]
        return Answer(text, result.structured_content or {}, bool(result.is_error))


@contextmanager
def serving(
    board: Path, *options: str, name: str = "host", mode: str = MODERN, address: str = "",
    able: Mapping[str, Any] | None = None, **environment: str,
) -> Iterator[Desk]:  # fmt: skip
    """Run a server on a board for a host of that name; `able` says what its client can do besides.

    The board is in the file, or in the database at `address`, and then only the log is beside that file.
    """
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "swarm_mcp", "serve", "--database", address or str(board), *options],
        env={**passed_on(), **environment},
        cwd=board.parent,
    )
    log = board.with_name(f"{board.name}.{name}.log")
    with log.open("a") as errors, start_blocking_portal() as portal:
        host = Client(
            stdio_client(command, errlog=errors),
            mode=mode,
            client_info=Implementation(name=name, version="1"),
            read_timeout_seconds=GIVE_UP_SECONDS,
            **(able or {}),
        )
        with portal.wrap_async_context_manager(host) as client:
            yield Desk(portal, client, address or board, log)


class Wire:
    """A server process spoken to by hand, a line at a time, for what no client would send."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log
        self._asked = 0

    def send(self, method: str, params: dict[str, Any] | None = None, **meta: Any) -> int:
        """Send a modern request and return its id."""
        self._asked += 1
        message = {
            "jsonrpc": "2.0", "id": self._asked, "method": method,
            "params": {**(params or {}), "_meta": {**ENVELOPE, **meta}},
        }  # fmt: skip
        self.write(json.dumps(message).encode())
        return self._asked

    def write(self, line: bytes) -> None:
        """Send a line as it is."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Wait for the next line; it must be JSON."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line)

    def request(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        asked = self.send(method, params)
        answer = self.hear()
        assert answer["id"] == asked
        return answer

    def call(self, tool: str, arguments: object) -> dict[str, Any]:
        """Call a tool; its result as the wire has it."""
        return self.request("tools/call", {"name": tool, "arguments": arguments})["result"]

    def rest(self) -> bytes:
        """Hang up; everything that the server still had to say."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        return self.process.stdout.read()


@contextmanager
def wired(board: Path, *options: str, unprivileged: bool = False, **environment: str) -> Iterator[Wire]:
    """Run a server on a board, spoken to by hand; as nobody in particular, where root would be let in everywhere."""
    program = ["-c", AS_NOBODY] if unprivileged and os.getuid() == 0 else ["-m", "swarm_mcp"]
    log = board.with_name(f"{board.name}.wire.log")
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, *program, "serve", "--database", str(board), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=board.parent,
            env={**os.environ, **environment},
        )
    rescue = threading.Timer(GIVE_UP_SECONDS, process.kill)
    rescue.start()
    try:
        yield Wire(process, log)
    finally:
        rescue.cancel()
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
