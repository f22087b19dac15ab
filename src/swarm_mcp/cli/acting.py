"""Acting from the command line: one change in one transaction, and its answer printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from swarm_mcp.config import Settings
    from swarm_mcp.model.record import Answer
    from swarm_mcp.repository.database import Transaction


def act(chosen: Settings, change: Callable[[Transaction], Answer], *, agent: str, as_json: bool) -> None:
    """Do something to the board as the operator, or as an agent that is named, and print what came of it."""
    from swarm_mcp.interchange.text import render  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.model.agent import Profile  # noqa: PLC0415
    from swarm_mcp.operations.swarm import open_swarm  # noqa: PLC0415

    swarm = open_swarm(chosen.database, project=chosen.project)
    try:
        answer = swarm.write(change, agent=agent, profile=Profile.WORKER, via="command line")
    finally:
        swarm.close()
    typer.echo(json.dumps(answer.structured(), indent=2, ensure_ascii=False) if as_json else render(answer))
