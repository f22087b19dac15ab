"""A scripted agent's hand on the board: an MCP client, and a note of everything that the board acknowledged."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from mcp import Client, StdioServerParameters

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

PROJECT = "default"
BUSY_PAUSE = 0.2
OVERTAKEN = frozenset({"conflict", "illegal_move", "blocked", "criteria_unmet", "not_found", "not_allowed"})
"""Refusals of what was possible a moment ago: somebody was faster, has ended, or nobody fits."""


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
        while True:
            result = await self._client.call_tool(tool, arguments)
            answer: dict[str, Any] = result.structured_content or {}
            if not result.is_error:
                return answer
            if not answer.get("retryable"):
                raise Refused(str(answer.get("code", "")), str(answer.get("message", "")))
            await asyncio.sleep(BUSY_PAUSE)  # nothing was written

    async def write(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that writes, and tell whoever watches what the board acknowledged."""
        answer = await self.call(tool, **arguments)
        self.tell(tool, said=arguments, answer=answer)
        return answer

    async def attempt(self, tool: str, **arguments: Any) -> Refused | None:
        """Write what somebody may have made impossible meanwhile; the refusal, if that is so."""
        try:
            await self.write(tool, **arguments)
        except Refused as refused:
            if refused.code not in OVERTAKEN:
                raise
            return refused
        return None

    async def claim(self, task: str = "") -> dict[str, Any]:
        """Claim a task, or the most urgent one; without a task in the answer there was none."""
        answer = await self.call("claim_task", task=task)
        if answer.get("task"):
            self.tell("claim_task", said={}, answer={"task": answer["task"], "attempt": answer["attempt"]})
        return answer

    async def news(self, seconds: int) -> dict[str, Any]:
        """What is new, as soon as there is something, or something became ready; else after so many seconds."""
        return await self.call("check_inbox", wait_seconds=seconds, limit=50)

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
