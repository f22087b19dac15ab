"""`tasks delete`: a task is gone for good, and a copy of the board is kept."""

from __future__ import annotations

from typing import Annotated

import typer

from swarm_mcp.cli.acting import VIA, asked, opened_there
from swarm_mcp.cli.asking import Yes, require_yes
from swarm_mcp.cli.options import AsJson, Database, Project, TaskId, settings
from swarm_mcp.cli.printing import in_one_line, print_answer


def delete(
    task: TaskId,
    *,
    subtree: Annotated[bool, typer.Option("--subtree", help="And everything below it.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Delete a task with its history, after a snapshot of the board; `tasks update --action archive` keeps both.

    Example: swarm-mcp tasks delete k3x9m2qa --yes
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations.deleting import delete_task  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.repository.tasks import resolve_task  # noqa: PLC0415

    row = asked(chosen, lambda db: resolve_task(db, task))
    below = ", and everything below it" if subtree else ""
    require_yes(f"Delete {row.id} {in_one_line(row.title)}{below}, for good? A copy of the board is kept.", yes=yes)
    with opened_there(chosen) as swarm:
        answer = delete_task(swarm, task=row.id, subtree=subtree, via=VIA)
    print_answer(answer, as_json=as_json)
