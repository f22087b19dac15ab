"""A scripted agent's hand on the board: an MCP client, and a note of everything that the board acknowledged."""

from __future__ import annotations

import json
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from mcp import Client, StdioServerParameters

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

PROJECT = "default"


class Refused(Exception):
    """The board refused a call."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Hand:
    """Calls tools in the name of one agent."""

    def __init__(self, client: Client, agent: str) -> None:
        self.agent = agent
        self._client = client

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool; its structured answer.

        Raises:
            Refused: the board refused; its sentence says what to do instead.

        """
        result = await self._client.call_tool(tool, arguments)
        answer: dict[str, Any] = result.structured_content or {}
        if result.is_error:
            raise Refused(str(answer.get("code", "")), str(answer.get("message", "")))
        return answer

    async def write(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that writes, and tell whoever watches what the board acknowledged."""
        answer = await self.call(tool, **arguments)
        self.tell(tool, said=arguments, answer=answer)
        return answer

    def tell(self, what: str, **facts: Any) -> None:
        """Write a line for whoever watches: stdout is a pipe to the demo."""
        sys.stdout.write(json.dumps({"agent": self.agent, "what": what, **facts}) + "\n")
        sys.stdout.flush()


@asynccontextmanager
async def hand_on(database: str, agent: str, profile: str) -> AsyncGenerator[Hand]:
    """Start a server for one agent, as a host would, and speak to it; both end together."""
    server = StdioServerParameters(
        command=sys.executable,
        args=[
            "-m", "swarm_mcp", "serve", "--database", database, "--project", PROJECT, "--agent", agent,
            "--profile", profile,
        ],
        env=dict(os.environ),
    )  # fmt: skip
    async with Client(server) as client:
        yield Hand(client, agent)
