"""`tasks update`: a task is edited, or something is done to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import act
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, TaskId, settings
from swarm_mcp.cli.tasks import fields
from swarm_mcp.model.errors import Invalid

if TYPE_CHECKING:
    from swarm_mcp.model.record import Answer
    from swarm_mcp.repository.database import Transaction

ACTIONS = ("hold", "resume", "recall", "retry", "reopen", "cancel", "archive", "unarchive")
DESCRIBED = ("area", "phase", "complexity", "task_type", "source", "touches")
"""What can be emptied besides what `update_task` empties."""
CLEARABLE = ("assignee", "parent", "deadline", "tags", "description", "estimated_hours", *DESCRIBED)


def update(
    task: TaskId,
    *,
    action: Annotated[
        str,
        typer.Option(help=f"{', '.join(ACTIONS)}.", show_default=False, autocompletion=completing.words(ACTIONS)),
    ] = "",
    reason: Annotated[str, typer.Option(help="Why, for the action.", show_default=False)] = "",
    subtree: Annotated[bool, typer.Option("--subtree", help="Cancel what is below it, too.")] = False,
    title: Annotated[str, typer.Option(help="Another title.", show_default=False)] = "",
    description: fields.Description = "",
    priority: fields.ChosenPriority = "",
    parent: fields.Parent = "",
    deadline: fields.Deadline = "",
    hours: fields.Hours = 0,
    tag: fields.Tag = None,
    depends_on: fields.DependsOn = None,
    drop_depends_on: Annotated[
        list[str] | None,
        typer.Option(help="A task that it no longer depends on.", show_default=False, autocompletion=completing.tasks),
    ] = None,
    criterion: fields.Criterion = None,
    check: fields.Check = None,
    drop_criterion: Annotated[
        list[int] | None, typer.Option(metavar="N", help="A criterion or check, by number.", show_default=False)
    ] = None,
    area: fields.Area = "",
    touches: fields.Touches = None,
    review: Annotated[
        bool | None,
        typer.Option("--review/--no-review", help="Whether it goes to review when completed.", show_default=False),
    ] = None,
    complexity: fields.ChosenComplexity = "",
    phase: fields.Phase = 0,
    kind: fields.Kind = "",
    source: fields.Source = "",
    clear: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A field to empty: {', '.join(CLEARABLE)}.",
            show_default=False,
            autocompletion=completing.words(CLEARABLE),
        ),
    ] = None,
    version: Annotated[int, typer.Option(help="Refused if the task has changed since.", show_default=False)] = 0,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Edit a task, or hold, resume, recall, retry, reopen, cancel, archive or unarchive it.

    Example: swarm-mcp tasks update k3x9m2qa --action hold --reason "The customer thinks it over."
    """
    chosen = settings(database=database, project=project)
    emptied = clear or []
    wrong = next((each for each in emptied if each not in CLEARABLE), "")
    if wrong:
        raise Invalid(f"`{wrong[:60]}` cannot be cleared; --clear takes {', '.join(CLEARABLE)}.")
    described: dict[str, Any] = {
        "area": area, "phase": phase, "complexity": complexity, "task_type": kind, "source": source,
        "touches": touches, "clear": [each for each in emptied if each in DESCRIBED],
    }  # fmt: skip
    edited: dict[str, Any] = {
        "title": title, "description": description, "priority": priority, "parent": parent, "deadline": deadline,
        "estimated_hours": hours, "tags": tag, "add_depends_on": depends_on, "drop_depends_on": drop_depends_on,
        "add_criteria": criterion, "add_checks": check, "drop_criteria": drop_criterion,
        "clear": [each for each in emptied if each not in DESCRIBED], "action": action, "reason": reason,
        "subtree": subtree,
    }  # fmt: skip
    reviewed = {} if review is None else {"needs_review": review}
    change = partial(_update, task=task, version=version, described=_said(described) | reviewed, edited=_said(edited))
    act(chosen, change, agent=agent, as_json=as_json)


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _update(db: Transaction, *, task: str, version: int, described: dict[str, Any], edited: dict[str, Any]) -> Answer:
    """Both kinds of edits in one transaction, and one answer."""
    from swarm_mcp import operations  # noqa: PLC0415 - help must not import the board

    if not described:
        return operations.update_task(db, task=task, version=version, **edited)
    first = operations.describe_task(db, task=task, version=version, **described)
    if not edited:
        return first
    second = operations.update_task(db, task=task, **edited)
    before = first.message.partition("; it is ")[0]
    return second.model_copy(update={"message": f"{before}. {second.message}"})
