"""Serving a board over stdio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from swarm_mcp.cli.logs import set_up_logs
from swarm_mcp.server.app import App
from swarm_mcp.server.board import Board
from swarm_mcp.server.stdio import serve_stdio

if TYPE_CHECKING:
    from swarm_mcp.config import Settings


def serve_stdio_board(settings: Settings) -> None:
    """Serve until the host is done with this process."""
    set_up_logs(settings)
    board = Board(settings.database, settings.project)

    async def serve() -> None:
        app = App(board, settings.profile, agent=settings.agent)
        await serve_stdio(app.server(), on_end=app.listening.end, on_stop=app.stop)

    asyncio.run(serve())
