"""The floor: the SDK's stock `async` echo tool over its stock transport, and nothing else.

On a pipe; with a port as its argument, over Streamable HTTP on this machine.
"""

from __future__ import annotations

import sys

# What the SDK brings along by itself; swarm-mcp depends on more, and the floor shall not profit from it.
sys.modules["httptools"] = sys.modules["uvloop"] = None  # type: ignore[assignment]

from mcp.server import MCPServer  # noqa: E402 - see above

server = MCPServer("floor")


@server.tool()
async def echo(text: str) -> str:
    """Answer with the same text."""
    return text


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run("stdio")
