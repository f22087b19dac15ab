"""`tasks delegate`: a task is handed to somebody."""

from __future__ import annotations

from typing import Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import act
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, TaskId, settings
from swarm_mcp.cli.tasks import fields


def _several(words: str) -> typer.models.OptionInfo:
    return typer.Option(help=words, show_default=False)


def delegate(
    task: TaskId,
    to: Annotated[
        str,
        typer.Argument(
            help="An agent, team or specialty; auto: whoever fits best.",
            show_default=False,
            autocompletion=completing.agents,
        ),
    ],
    *,
    reasoning: Annotated[str, typer.Option(help="Why.", show_default=False)] = "",
    deliverable: Annotated[list[str] | None, _several("What is to come of it.")] = None,
    resource: Annotated[list[str] | None, _several("What it takes.")] = None,
    criterion: fields.Criterion = None,
    risk: Annotated[list[str] | None, _several("What might go wrong.")] = None,
    context: Annotated[list[str] | None, _several("What has to be known.")] = None,
    depends_on: fields.DependsOn = None,
    priority: fields.ChosenPriority = "",
    minutes: Annotated[int, typer.Option(help="How long it should take: 1 to 480.", show_default=False)] = 0,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Hand a task to an agent, a team or a specialty, and say why.

    Example: swarm-mcp tasks delegate k3x9m2qa ada --reasoning "She wrote the parser."
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp import operations  # noqa: PLC0415 - help must not import the board

    act(
        chosen,
        lambda db: operations.delegate(
            db, task=task, to=to, reasoning=reasoning, expected_deliverables=deliverable or [],
            required_resources=resource or [], success_criteria=criterion or [], risk_factors=risk or [],
            context_requirements=context or [], depends_on=depends_on or [], priority=priority,
            estimated_minutes=minutes,
        ),
        agent=agent,
        as_json=as_json,
    )  # fmt: skip
