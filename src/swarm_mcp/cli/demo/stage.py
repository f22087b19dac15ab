"""The board of the demo: a fresh one, with a plan on it that is all to do."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING

from swarm_mcp import operations
from swarm_mcp.cli.demo.superior import DEATH
from swarm_mcp.interchange.foreign import taskmaster
from swarm_mcp.interchange.importing import import_document
from swarm_mcp.model.agent import ENDED, Lifecycle
from swarm_mcp.model.errors import Conflict
from swarm_mcp.model.lifecycle import FINISHED, SETTLED, TaskStatus
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import agents, tasks

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from swarm_mcp.interchange.imported import Imported
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction

PLAN = "newsletter.json"
VIA = "demo"


@contextmanager
def plan_file(given: Path | None) -> Generator[Path]:
    """The plan to carry out: the one given, else the one that comes with the package."""
    if given is not None:
        yield given
        return
    with resources.as_file(resources.files("swarm_mcp.interchange") / "plans" / PLAN) as path:
        yield path


def set_up(path: Path, plan: Path) -> tuple[Swarm, Imported, int]:
    """Open a new board and put the plan on it; what the plan calls finished is opened again.

    Returns:
        The board, the report of the import, and how many tasks were opened again.

    Raises:
        Conflict: the board has tasks already.

    """
    document = taskmaster.read(plan)
    # Whoever the plan assigns is not here: everybody may take everything.
    document = replace(document, items=tuple(replace(item, assignee="") for item in document.items))
    swarm = open_swarm(path)
    try:
        check_fresh(swarm)
        report = import_document(swarm, document, via=VIA)
        reopened = swarm.write(lambda db: reopen(db, report.ids), via=VIA)
    except BaseException:
        swarm.close()
        raise
    return swarm, report, reopened


def check_fresh(swarm: Swarm) -> None:
    """Refuse a board that somebody works on.

    Raises:
        Conflict: it has tasks already.

    """
    if swarm.read(tasks.tallies):
        raise Conflict(
            "That board has tasks already; the demo wants one of its own. Name a file that does not exist yet."
        )


def reopen(db: Transaction, ids: Mapping[str, str]) -> int:
    """Open what is finished again, but what was cancelled; how many tasks that were."""
    before = tasks.task_rows(db, ids.values())
    for task in before:
        status = tasks.task_row(db, task).status
        if status in FINISHED - {TaskStatus.CANCELLED}:
            action = "retry" if status == TaskStatus.FAILED else "reopen"
            operations.update_task(db, task=task, action=action, reason="The demo does it again.")
    return sum(row.status in FINISHED - {TaskStatus.CANCELLED} for row in before.values())


def superior_of_the_living(db: Transaction, name: str) -> str | None:
    """Who stands above an agent ("" if nobody does); None if the agent has ended, or was never here."""
    row = agents.find_agent(db, name)
    if row is None or row.lifecycle in ENDED:
        return None
    return agents.agent_names(db, [row.superior_id]).get(row.superior_id, "")


def tell_of_a_death(db: Transaction, name: str, superior: str) -> str:
    """Write to the superior of an agent whose process is gone; what was done, as a sentence."""
    operations.send_message(db, to=superior, text=DEATH.format(name=name))
    return f"The operator has told {superior} that the process of {name} has ended."


def declare_dead(db: Transaction, name: str) -> str:
    """Let an agent count as failed, so that what it had goes back; what was done, as a sentence."""
    return operations.register_agent(db, name=name, lifecycle=Lifecycle.FAILED.value).message


def is_done(db: Transaction) -> bool:
    """Whether every task is completed, or was cancelled in the plan."""
    return set(tasks.tallies(db)) <= SETTLED
