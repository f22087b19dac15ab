"""A small server over our stdio transport, run as a real process by the tests beside it.

`--report FD` is where it says what happens to it, a line each; `--gate FD` is what its slow tools
wait for.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from swarm_mcp.server.wire import divert_stdout

# Before anything heavy is imported, as the command line does it.
# ruff: noqa: E402
divert_stdout()

from typing import TYPE_CHECKING

import anyio
from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)

from swarm_mcp.server.stdio import run_stdio

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

options = argparse.ArgumentParser()
options.add_argument("--report", type=int, default=-1)
options.add_argument("--gate", type=int, default=-1)
given = options.parse_args()


def report(line: str) -> None:
    if given.report >= 0:
        os.write(given.report, line.encode() + b"\n")


def pass_gate() -> None:
    os.read(given.gate, 1)


async def echo(text: str, times: int = 1) -> str:
    return text * times


async def tell(text: str) -> str:
    report(text)
    return text


async def pid() -> str:
    return str(os.getpid())


async def chatter() -> str:
    """Do everything that must not reach the wire, and return what a child could read of it."""
    print("print")
    sys.__stdout__.write("sys.__stdout__\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]
    os.write(1, b"os.write\n")
    subprocess.run(["echo", "child"], check=True)  # noqa: ASYNC221
    return subprocess.run(["cat"], check=True, capture_output=True, text=True).stdout  # noqa: ASYNC221


async def surrogate() -> str:
    return "\ud800"


async def wait_for_ever() -> str:
    report("waiting")
    try:
        await anyio.Event().wait()
    finally:
        report("cancelled")
    return "never"


async def write_slowly(path: str) -> str:
    """Write a file in two halves on a worker thread; the gate stands between them."""

    def halves() -> None:
        with Path(path).open("w") as file:
            file.write("first half, ")
            file.flush()
            report("half written")
            pass_gate()
            file.write("second half")

    await anyio.to_thread.run_sync(halves)
    return "written"


async def hang() -> str:
    """Block the event loop itself."""
    report("hanging")
    pass_gate()
    return "late"


TOOLS = {tool.__name__: tool for tool in (echo, tell, pid, chatter, surrogate, wait_for_ever, write_slowly, hang)}


async def list_tools(
    _ctx: ServerRequestContext[dict[str, object]], _params: PaginatedRequestParams | None
) -> ListToolsResult:
    return ListToolsResult(tools=[Tool(name=name, input_schema={"type": "object"}) for name in TOOLS])


async def call_tool(_ctx: ServerRequestContext[dict[str, object]], params: CallToolRequestParams) -> CallToolResult:
    text = await TOOLS[params.name](**(params.arguments or {}))
    return CallToolResult(content=[TextContent(text=text)])


run_stdio(
    Server("echo", version="1", on_list_tools=list_tools, on_call_tool=call_tool),
    on_stop=lambda: report("stopped"),
)
