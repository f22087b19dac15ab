"""`demo`: a director, two supervisors and their workers carry out a plan before one's eyes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

WORKERS_LIMIT = 16


def demo(
    *,
    workers: Annotated[int, typer.Option(min=1, max=WORKERS_LIMIT, help="How many workers.")] = 4,
    plan: Annotated[
        Path | None, typer.Option(help="A Taskmaster file; without it, a plan that comes along.", show_default=False)
    ] = None,
    database: Annotated[
        Path | None, typer.Option(help="A new file for the board; without it, a temporary one.", show_default=False)
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the temporary board.")] = False,
) -> None:
    """Watch a director and two teams carry out a plan: scripted agents, real processes, real MCP, one board.

    Example: swarm-mcp demo --workers 4
    """
    from swarm_mcp.cli.demo.performance import perform  # noqa: PLC0415 - help must not import the board

    try:
        code = perform(workers=workers, plan=plan, database=database, keep=keep)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("The demo was interrupted; everybody in it has ended.\n")
        code = 1
    raise typer.Exit(code)
