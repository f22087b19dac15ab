"""One durable board for a swarm of agents.

Scripts open it and run the same operations that agents call as tools, several in one transaction if they wish:

    from swarm_mcp import open_swarm, operations

    with open_swarm("board.db").writing(agent="ada") as db:
        task = operations.create_task(db, title="Build auth API")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["Swarm", "open_swarm", "operations"]

if TYPE_CHECKING:
    from swarm_mcp import operations
    from swarm_mcp.operations.swarm import Swarm, open_swarm


def __getattr__(name: str) -> object:
    """Import on first use: a server's start must not pay for what it does not need."""
    from importlib import import_module  # noqa: PLC0415

    if name in {"Swarm", "open_swarm"}:
        return getattr(import_module("swarm_mcp.operations.swarm"), name)
    if name == "operations":
        return import_module("swarm_mcp.operations")
    sentence = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(sentence)
