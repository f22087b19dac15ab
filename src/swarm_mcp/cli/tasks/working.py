"""`tasks claim` and `tasks report`: what an agent does with its work, from its own terminal or for it."""

from __future__ import annotations

from typing import Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import act
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, TaskId, settings

STATUSES = ("in_progress", "blocked", "requires_assistance", "released")


def claim(
    task: Annotated[
        str, typer.Argument(help="This one; else the next.", show_default=False, autocompletion=completing.tasks)
    ] = "",
    *,
    pool: Annotated[str, typer.Option(help="Of a team, a specialty, or anyone's.", show_default=False)] = "",
    under: Annotated[
        str, typer.Option(help="Below this task.", show_default=False, autocompletion=completing.tasks)
    ] = "",
    minutes: Annotated[int, typer.Option(help="For so long; else the project's time.", show_default=False)] = 0,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Claim a task as an agent: the one that is named, or the most urgent that it may have.

    Example: swarm-mcp tasks claim --agent ada
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp import operations  # noqa: PLC0415 - help must not import the board

    act(
        chosen,
        lambda db: operations.claim_task(db, task=task, pool=pool, under=under, lease_minutes=minutes),
        agent=agent,
        as_json=as_json,
    )


def report(
    task: TaskId,
    message: Annotated[str, typer.Argument(help="What there is to say.", show_default=False)] = "",
    *,
    percent: Annotated[int, typer.Option(help="How much is done: 0 to 100.", show_default=False)] = -1,
    status: Annotated[
        str,
        typer.Option(help=f"{', '.join(STATUSES)}.", show_default=False, autocompletion=completing.words(STATUSES)),
    ] = "",
    depends_on: Annotated[
        list[str] | None,
        typer.Option(
            help="With blocked: a task that it waits for.", show_default=False, autocompletion=completing.tasks
        ),
    ] = None,
    ask: Annotated[
        str,
        typer.Option(
            help="With requires_assistance: whom; operator is you.",
            show_default=False,
            autocompletion=completing.agents,
        ),
    ] = "",
    attempt: Annotated[int, typer.Option(help="Which attempt; else the latest.", show_default=False)] = 0,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Report on a task as the agent that holds it: progress, what is in the way, a question; or give it back.

    Example: swarm-mcp tasks report k3x9m2qa "The tests pass." --percent 80 --agent ada
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp import operations  # noqa: PLC0415

    act(
        chosen,
        lambda db: operations.report_progress(
            db, task=task, message=message, percent=percent, status=status, depends_on=depends_on or [], ask=ask,
            attempt=attempt,
        ),
        agent=agent,
        as_json=as_json,
    )  # fmt: skip
