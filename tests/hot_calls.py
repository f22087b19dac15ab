"""The calls that every agent makes all day: what a large board must not slow down, whichever database it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from swarm_mcp import operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.operations import upkeep, waiting
from swarm_mcp.repository import suggestions
from swarm_mcp.server.resources import document

if TYPE_CHECKING:
    from collections.abc import Callable

    from swarm_mcp import Swarm
    from swarm_mcp.repository.database import Transaction

T = TypeVar("T")


def call(swarm: Swarm, agent: str, change: Callable[[Transaction], T]) -> T:
    return swarm.write(change, agent=agent, profile=Profile.DIRECTOR if agent == "lead" else Profile.WORKER)


def ready(swarm: Swarm) -> list[str]:
    """Tasks that anybody may claim, and at the end one that is a part of a part of another, if there is any."""
    found = swarm.read(lambda db: operations.list_tasks(db, ready=True, assignee="anyone", limit=100)).tasks
    part = "SELECT task.id FROM task JOIN task AS above ON above.id = task.parent_id ORDER BY above.parent_id IS NULL"
    [part_id] = swarm.read(lambda db: db.driver.execute(part).fetchone())
    return [*(each.id for each in found), part_id]


def report(db: Transaction, task: str, **said: Any) -> None:
    """Claim a task, and report on it."""
    attempt = operations.claim_task(db, task=task).attempt  # perhaps not the first: other tests let go of tasks
    operations.report_progress(db, task=task, message="So it is.", attempt=attempt, **said)


def complete(db: Transaction, task: str) -> None:
    """Claim a task, and complete it."""
    claim = operations.claim_task(db, task=task)
    assert claim.brief is not None
    evidence = {str(number): "Seen." for number, _ in enumerate(claim.brief.criteria, start=1)}
    operations.complete_task(db, task=task, attempt=claim.attempt, summary="Done.", evidence=evidence)


def discussed(db: Transaction, tasks: list[str]) -> str:
    """Claim a task, and ask a question about it."""
    report(db, tasks[29], status="requires_assistance")
    return tasks[29]


CALLS: dict[str, tuple[str, Callable[[Transaction, list[str]], Any]]] = {
    "claim the next": ("ada", lambda db, _: operations.claim_task(db)),
    "claim one by name": ("ada", lambda db, tasks: operations.claim_task(db, task=tasks[20])),
    "report": ("bob", lambda db, tasks: report(db, tasks[21], percent=50)),
    "release": ("bob", lambda db, tasks: report(db, tasks[22], status="released")),
    "ask": ("bob", lambda db, tasks: report(db, tasks[23], status="requires_assistance")),
    "wait for others": ("bob", lambda db, tasks: report(db, tasks[24], status="blocked", depends_on=tasks[40:42])),
    "complete": ("bob", lambda db, tasks: complete(db, tasks[25])),
    "create": ("lead", lambda db, tasks: operations.create_task(db, title="New", depends_on=[tasks[26]])),
    "hold": ("lead", lambda db, tasks: operations.update_task(db, task=tasks[27], action="hold", reason="So it is.")),
    "read the inbox": ("lead", lambda db, _: operations.check_inbox(db)),
    "look whether to wake a worker": ("ada", lambda db, _: waiting.look(db)),
    "look whether to wake one that let go of something": (
        "worker_2", lambda db, tasks: [report(db, tasks[28], status="released"), waiting.look(db)]
    ),
    "wait in vain": ("lead", lambda db, _: [operations.check_inbox(db, wait_seconds=1) for _ in range(2)]),
    "read the roster": ("lead", lambda db, _: document(db, "swarm://agents")),
    "read about an agent": ("lead", lambda db, _: document(db, "swarm://agents/lead")),
    "read a conversation": ("bob", lambda db, tasks: document(db, f"swarm://conversations/{discussed(db, tasks)}")),
    "complete an id": ("lead", lambda db, tasks: suggestions.beginning(db, tasks[0][:2], limit=100)),
    "complete a title": ("lead", lambda db, _: suggestions.foremost(db, limit=100)),
    "read a brief": ("worker_1", lambda db, _: operations.get_task(db)),
    "read a brief of a part": ("lead", lambda db, tasks: operations.get_task(db, task=tasks[-1])),
    "list": ("lead", lambda db, _: operations.list_tasks(db)),
    "list what is pending": ("lead", lambda db, _: operations.list_tasks(db, status=["pending"])),
    "list what is ready": ("lead", lambda db, _: operations.list_tasks(db, ready=True)),
    "list what is not finished": ("lead", lambda db, _: operations.list_tasks(db, status=["pending", "blocked"])),
    "list two pages": (
        "lead", lambda db, _: operations.list_tasks(db, cursor=operations.list_tasks(db).next_cursor)
    ),
    "list the agents": ("lead", lambda db, _: operations.list_agents(db)),
    "hand down to whoever fits": ("lead", lambda db, tasks: operations.delegate(db, task=tasks[28], to="auto")),
    "search": ("worker_1", lambda db, _: operations.list_tasks(db, text="task 1999")),
    "search for what is common": ("worker_1", lambda db, _: operations.list_tasks(db, text="task", status=["pending"])),
    "search in a narrow list": ("lead", lambda db, _: operations.list_tasks(db, text="task", assignee="worker_1")),
    "list what somebody has": ("lead", lambda db, _: operations.list_tasks(db, assignee="worker_1")),
    "look whether there is something to sweep": ("lead", lambda db, _: upkeep.due(db)),
    "sweep": ("lead", lambda db, _: upkeep.sweep(db)),
}  # fmt: skip
