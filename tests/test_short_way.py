"""A tool call by the short way is answered as by the library's, in both generations of the protocol."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from swarm_mcp.model.agent import Profile
from swarm_mcp.operations import create_task
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.server.app import App
from swarm_mcp.server.board import Board

if TYPE_CHECKING:
    from pathlib import Path

    from mcp.server.lowlevel import Server

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("list_tasks", {"limit": 20}),
    ("list_tasks", {}),
    ("get_task", {"task": "Ünïcode, \"quoted\" and 'plain'"}),
    ("get_task", {"task": "nothing of that name"}),
    ("get_task", {"tusk": "misspelt"}),
    ("get_overview", {}),
    ("list_agents", {}),
    ("claim_task", {"task": "nothing of that name"}),
    ("no_such_tool", {}),
]


async def answers(server: Server[Any], mode: str) -> list[Any]:
    """What each of the calls brings: the whole result, or the protocol's error."""
    found: list[Any] = []
    async with Client(server, mode=mode) as client:
        for name, arguments in CALLS:
            try:
                result = await client.call_tool(name, arguments)
            except MCPError as error:
                found.append((error.error.code, error.error.message, error.error.data))
            else:
                found.append(result.model_dump(mode="json", by_alias=True))
    return found


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_both_ways_come_to_the_same(database_path: Path, mode: str) -> None:
    with closing(open_swarm(database_path)) as swarm, swarm.writing() as db:
        create_task(db, title="Ünïcode, \"quoted\" and 'plain'", description="Words.\nMore words.", criteria=["it is"])
    taken: list[str] = []

    def served(*, shortly: bool) -> list[Any]:
        app = App(Board(str(database_path), "default"), Profile.DIRECTOR, agent="ada")
        server = app.server()
        short = server.middleware.pop()

        async def noted(ctx: Any, call_next: Any) -> Any:
            async def longer(ctx: Any) -> Any:
                taken.append(f"long {ctx.method}")
                return await call_next(ctx)

            return await short(ctx, longer)

        if shortly:
            server.middleware.append(noted)
        try:
            return anyio.run(answers, server, mode)
        finally:
            app.stop()

    served(shortly=True)  # ada is known from now on
    taken.clear()
    assert served(shortly=True) == served(shortly=False)
    assert "long tools/call" not in taken, "the short way was not taken"
