"""`undo`: a recorded change is taken back."""

from __future__ import annotations

from typing import Annotated

import typer

from swarm_mcp.cli.acting import act
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, settings


def undo(
    event: Annotated[
        int, typer.Argument(metavar="EVENT", help="Its number: each line of a history begins with it.", min=1)
    ],
    *,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Take a recorded change back, while everything is as it left it and nobody has built upon it.

    Example: swarm-mcp undo 1234
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp import operations  # noqa: PLC0415 - help must not import the board

    act(chosen, lambda db: operations.undo(db, event=event), agent=agent, as_json=as_json)
