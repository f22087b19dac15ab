"""Servers that listen on this machine, several of a kind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.machine import processor_seconds
from benchmarks.servers import FLOOR

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

START_SECONDS = 60.0


class Listeners(NamedTuple):
    """Processes, and the ports on which they listen."""

    processes: list[subprocess.Popen[bytes]]
    ports: list[int]

    def processor_seconds(self) -> float:
        """Processor time that they have used so far."""
        return sum(processor_seconds(process.pid) for process in self.processes)


def swarm_command(address: str, port: int) -> list[str]:
    """One of our servers."""
    options = ["--database", address, "--transport", "http", "--port", str(port)]
    return [sys.executable, "-m", "swarm_mcp", "serve", *options]


def floor_command(port: int) -> list[str]:
    """One of the SDK's."""
    return [*FLOOR, str(port)]


@contextmanager
def listening(command: Callable[[int], Sequence[str]], count: int) -> Generator[Listeners]:
    """So many servers of one kind, up when the block begins."""
    ports = [_free_port() for _ in range(count)]
    errors = subprocess.DEVNULL if os.environ.get("BENCH_STDERR") is None else None
    processes = [
        subprocess.Popen(command(port), stdin=subprocess.DEVNULL, stdout=errors, stderr=errors) for port in ports
    ]
    try:
        for port in ports:
            _await(port)
        yield Listeners(processes, ports)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def _await(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
