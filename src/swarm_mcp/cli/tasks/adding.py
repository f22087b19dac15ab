"""`tasks add`: one new task, with everything that can be said of it."""

from __future__ import annotations

from typing import Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import act
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, settings
from swarm_mcp.cli.tasks import fields


def add(
    title: Annotated[str, typer.Argument(help="What is to be done, in one line.", show_default=False)],
    *,
    description: fields.Description = "",
    parent: fields.Parent = "",
    depends_on: fields.DependsOn = None,
    priority: fields.ChosenPriority = "medium",
    assignee: Annotated[
        str,
        typer.Option(
            help="An agent, team or specialty; else anyone.", show_default=False, autocompletion=completing.agents
        ),
    ] = "",
    criterion: fields.Criterion = None,
    check: fields.Check = None,
    deadline: fields.Deadline = "",
    hours: fields.Hours = 0,
    tag: fields.Tag = None,
    area: fields.Area = "",
    touches: fields.Touches = None,
    review: Annotated[bool, typer.Option("--review", help="It goes to review when it is completed.")] = False,
    complexity: fields.ChosenComplexity = "",
    phase: fields.Phase = 0,
    kind: fields.Kind = "",
    source: fields.Source = "",
    key: Annotated[str, typer.Option(help="The same key never adds twice.", show_default=False)] = "",
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Add a task.

    Example: swarm-mcp tasks add "Build the login" --assignee ada --depends-on k3x9m2qa --criterion "Tests pass."
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp import operations  # noqa: PLC0415 - help must not import the board

    act(
        chosen,
        lambda db: operations.create_task(
            db, title=title, description=description, parent=parent, depends_on=depends_on or [], priority=priority,
            assignee=assignee, criteria=criterion or [], checks=check or [], deadline=deadline, estimated_hours=hours,
            tags=tag or [], area=area, touches=touches or [], needs_review=review, complexity=complexity, phase=phase,
            task_type=kind, source=source, key=key,
        ),
        agent=agent,
        as_json=as_json,
    )  # fmt: skip
