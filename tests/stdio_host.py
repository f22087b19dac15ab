"""The host's side of the tests of stdio: the echo server as a process, spoken to by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

ECHO_SERVER = Path(__file__).with_name("stdio_echo_server.py")
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "host", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
# Only so that a server that is stuck fails its test instead of stopping the run.
GIVE_UP_SECONDS = 30


class Host:
    """One echo server and the pipes to it: the wire, its reports, its gate and its stderr."""

    def __init__(self, stdin: IO[bytes] | int = subprocess.PIPE, **environment: str) -> None:
        report, server_report = os.pipe()
        server_gate, self.gate = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, ECHO_SERVER, f"--report={server_report}", f"--gate={server_gate}"],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(server_report, server_gate),
            env={**os.environ, **environment},
        )
        os.close(server_report)
        os.close(server_gate)
        self.reports = os.fdopen(report)
        self._asked = 0

    @property
    def wire_in(self) -> IO[bytes]:
        """What the server reads."""
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def wire_out(self) -> IO[bytes]:
        """What the server writes."""
        assert self.process.stdout is not None
        return self.process.stdout

    def ask(self, tool: str, **arguments: object) -> int:
        """Send a call and return its id."""
        self._asked += 1
        self.send(request(self._asked, tool, **arguments) + b"\n")
        return self._asked

    def send(self, line: bytes) -> None:
        """Write to the wire as it is."""
        self.wire_in.write(line)
        self.wire_in.flush()

    def answer(self) -> dict[str, Any]:
        """Read the next line of the wire."""
        return json.loads(self.wire_out.readline())

    def call(self, tool: str, **arguments: object) -> str:
        """Send a call, and return the text of its answer."""
        asked = self.ask(tool, **arguments)
        answer = self.answer()
        assert answer["id"] == asked
        return answer["result"]["content"][0]["text"]

    def hears(self) -> str:
        """Wait for the server's next report; empty when the server is gone."""
        return self.reports.readline().strip()

    def farewell(self) -> tuple[int, list[str], str]:
        """Wait for the server's end: its exit code, its remaining reports, and its stderr."""
        assert self.process.stderr is not None
        errors = self.process.stderr.read().decode()
        return self.process.wait(), self.reports.read().split("\n")[:-1], errors


def request(number: int, tool: str, **arguments: object) -> bytes:
    """Return one modern `tools/call`, without its newline."""
    params = {"name": tool, "arguments": arguments, "_meta": ENVELOPE}
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode()


@contextmanager
def hosting(stdin: IO[bytes] | int = subprocess.PIPE, **environment: str) -> Generator[Host]:
    """Run an echo server for the time of a test."""
    host = Host(stdin, **environment)
    rescue = threading.Timer(GIVE_UP_SECONDS, host.process.kill)
    rescue.start()
    try:
        yield host
    finally:
        rescue.cancel()
        host.process.kill()
        host.process.wait()
        os.close(host.gate)
        for stream in (host.process.stdin, host.process.stdout, host.process.stderr, host.reports):
            if stream is not None:
                stream.close()
