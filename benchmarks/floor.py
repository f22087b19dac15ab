"""The floor: the SDK's stock `async` echo tool over its stock stdio transport, and nothing else."""

from __future__ import annotations

from mcp.server import MCPServer

server = MCPServer("floor")


@server.tool()
async def echo(text: str) -> str:
    """Answer with the same text."""
    return text


if __name__ == "__main__":
    server.run("stdio")
