"""`tasks review`: work is accepted, sent back, failed, waived or rated."""

from __future__ import annotations

from typing import Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import act
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, TaskId, settings

VERDICTS = ("accept", "rework", "fail", "waive")


def review(
    task: TaskId,
    verdict: Annotated[
        str,
        typer.Argument(
            help=f"{', '.join(VERDICTS)}; else it is rated alone.",
            show_default=False,
            autocompletion=completing.words(VERDICTS),
        ),
    ] = "",
    *,
    notes: Annotated[str, typer.Option(help="Why; what is to be done again.", show_default=False)] = "",
    quality: Annotated[int, typer.Option(help="1 to 5.", show_default=False)] = 0,
    timeliness: Annotated[int, typer.Option(help="1 to 5.", show_default=False)] = 0,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Judge work that was handed in: accept it, send it back, fail it; or waive what its criteria lack.

    Example: swarm-mcp tasks review k3x9m2qa rework --notes "The tests are missing." --quality 3
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp import operations  # noqa: PLC0415 - help must not import the board

    act(
        chosen,
        lambda db: operations.review_task(
            db, task=task, verdict=verdict, quality=quality, timeliness=timeliness, notes=notes
        ),
        agent=agent,
        as_json=as_json,
    )
