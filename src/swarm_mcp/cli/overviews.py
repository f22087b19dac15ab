"""A view of the whole board, asked for on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swarm_mcp.config import Settings
    from swarm_mcp.model.task import Overview


def overview(chosen: Settings, view: str, *, under: str = "", since: str = "", limit: int = 40) -> Overview:
    """What `get_overview` answers on the board that was chosen."""
    from swarm_mcp.operations.overview import get_overview  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.operations.swarm import open_swarm  # noqa: PLC0415

    swarm = open_swarm(chosen.database, project=chosen.project)
    try:
        return swarm.read(
            lambda db: get_overview(db, view=view, under=under, since=since, limit=limit), via="command line"
        )
    finally:
        swarm.close()


def in_one_line(words: str) -> str:
    """Somebody's words without the tabs and line ends that would end our columns, and what a terminal would obey."""
    plain = " ".join(words.split())
    return plain if plain.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in plain)
