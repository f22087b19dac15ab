"""A view of the whole board, asked for on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.cli.acting import asked

if TYPE_CHECKING:
    from swarm_mcp.config import Settings
    from swarm_mcp.model.task import Overview


def overview(chosen: Settings, view: str, *, under: str = "", since: str = "", limit: int = 40) -> Overview:
    """What `get_overview` answers on the board that was chosen."""
    from swarm_mcp.operations.overview import get_overview  # noqa: PLC0415 - help must not import the board

    return asked(chosen, lambda db: get_overview(db, view=view, under=under, since=since, limit=limit))
