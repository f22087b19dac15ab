"""`tasks done`: what is done is completed (or is in part, or has failed), and what was handed in is accepted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import act
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, TaskId, settings

if TYPE_CHECKING:
    from swarm_mcp.model.record import Answer
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


def done(
    task: TaskId,
    *,
    summary: Annotated[
        str, typer.Option(help="What was done; what went wrong, if it has failed.", show_default=False)
    ] = "",
    outcome: Annotated[
        str,
        typer.Option(
            help="completed, partial or failed.",
            show_default=False,
            autocompletion=completing.words(("completed", "partial", "failed")),
        ),
    ] = "",
    evidence: Annotated[
        list[str] | None, typer.Option(metavar="N=TEXT", help="For a criterion, by number.", show_default=False)
    ] = None,
    measure: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="For checks.", show_default=False)
    ] = None,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Complete a task as an agent, which claims it if it is free; or accept, as the operator, what was handed in.

    Example: swarm-mcp tasks done k3x9 --agent ada --summary "Deployed." --evidence 1="CI run 42"
    """
    chosen = settings(database=database, project=project)
    shown = dict(_pair(each, "--evidence") for each in evidence or [])
    measured = {name: _value(words) for name, words in (_pair(each, "--measure") for each in measure or [])}
    change = partial(_done, task=task, summary=summary, outcome=outcome, evidence=shown, measurements=measured)
    act(chosen, change, agent=agent, as_json=as_json)


def _pair(words: str, option: str) -> tuple[str, str]:
    name, sign, value = words.partition("=")
    if not sign or not name.strip():
        raise typer.BadParameter(f"`{words[:60]}` is not of the form NAME=VALUE.", param_hint=option)
    return name.strip(), value


def _value(words: str) -> object:
    """What was measured: a number or another JSON value, else the text itself."""
    from swarm_mcp.model.errors import Invalid  # noqa: PLC0415
    from swarm_mcp.model.strict_json import parse_json  # noqa: PLC0415

    try:
        return parse_json(words, "--measure")[0]
    except Invalid:
        return words


def _done(
    db: Transaction, *, task: str, summary: str, outcome: str, evidence: dict[str, str], measurements: dict[str, Any]
) -> Answer:
    """Complete a task, or accept it: which of them follows from how it stands and who acts."""
    from swarm_mcp import operations  # noqa: PLC0415
    from swarm_mcp.model.errors import Invalid  # noqa: PLC0415
    from swarm_mcp.model.lifecycle import TaskStatus  # noqa: PLC0415
    from swarm_mcp.repository.tasks import resolve_task  # noqa: PLC0415

    row = resolve_task(db, task)
    if row.status == TaskStatus.IN_REVIEW or (row.status == TaskStatus.PARTIAL and db.actor.is_operator):
        if evidence or measurements:
            raise Invalid(f"{row.id} was handed in ({row.status}): what its criteria lack is waived, not shown.")
        if outcome and outcome.strip().lower() not in {"completed", "done", "closed"}:
            raise Invalid(
                f"{row.id} was handed in ({row.status}): `swarm-mcp tasks review {row.id}` sends it back or fails it."
            )
        return operations.review_task(db, task=row.id, verdict="accept", notes=summary)
    if db.actor.is_operator:
        _refuse_operator(db, row)
    attempt = operations.claim_task(db, task=row.id).attempt
    return operations.complete_task(
        db, task=row.id, summary=summary, outcome=outcome, evidence=evidence, measurements=measurements,
        attempt=attempt,
    )  # fmt: skip


def _refuse_operator(db: Transaction, row: Row) -> None:
    """The operator holds no tasks: say who could complete this one, as the command to type."""
    from swarm_mcp.model.errors import Conflict, NotAllowed  # noqa: PLC0415
    from swarm_mcp.model.lifecycle import FINISHED  # noqa: PLC0415
    from swarm_mcp.repository.agents import agent_names  # noqa: PLC0415

    if row.status in FINISHED:
        raise Conflict(f"{row.id} is {row.status} already.", task=row.id, status=row.status)
    names = agent_names(db, [row.holder_id, row.assignee_id])
    who = names.get(row.holder_id or row.assignee_id, "NAME")
    why = f"{who} holds {row.id}" if row.holder_id else f"{row.id} is {row.status} and nobody holds it"
    raise NotAllowed(
        f"{why}; the operator completes nothing by itself. As an agent: "
        f"swarm-mcp tasks done {row.id} --agent {who} --summary …",
        task=row.id,
    )
