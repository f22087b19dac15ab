"""Deleting tasks for good, which is the operator's alone. Archiving is the way of everybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.errors import Blocked
from swarm_mcp.model.lifecycle import CLAIMED, FINISHED, SETTLED
from swarm_mcp.model.record import Answer
from swarm_mcp.operations import moves, regrouping
from swarm_mcp.operations.answering import shorten
from swarm_mcp.repository import agents, deletion, graph, tasks, tree
from swarm_mcp.repository.snapshots import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

SHOWN = 5


class Deleted(Answer):
    """What deleting answers."""

    deleted: list[str] = []
    """The ids of the tasks that are gone, from above."""
    snapshot: str = ""
    """Where the board is as it was before."""


def delete_task(swarm: Swarm, *, task: str, subtree: bool = False, via: str = "command line") -> Deleted:
    """Delete a task and everything that is its own, its history too, after a snapshot of the whole board.

    It takes the board and not a transaction, because the snapshot has to be there before anything is written. What
    is left of it in the ledger is the event `deleted` with its id. Nothing is copied where it is refused.

    Args:
        swarm: the open board; nobody but the operator acts so.
        task: its id, a foreign reference, or the beginning of the id.
        subtree: whether everything below it goes too.
        via: who really called, for the ledger.

    Raises:
        TaskNotFound: there is none.
        Blocked: something unfinished waits for it, somebody works on it, or there is something below it.
        Unavailable: the snapshot cannot be written.

    """
    swarm.read(lambda db: _doomed(db, task, subtree=subtree), via=via)
    kept = snapshot(swarm.database, "deleting")
    return swarm.write(lambda db: _delete(db, task, subtree=subtree, kept=kept), via=via)


def _doomed(db: Transaction, task: str, *, subtree: bool) -> list[Row]:
    """The tasks that would go, the one that was named first."""
    row = tasks.resolve_task(db, task)
    below = tree.subtree_ids(db, row.id)[1:]
    if below and not subtree:
        raise Blocked(
            f"{row.id} has {len(below)} {'task' if len(below) == 1 else 'tasks'} below it, which would go too. "
            "Move them away, or say that the whole subtree is meant.",
            task=row.id,
            below=len(below),
        )
    rows = [row, *tasks.locked_rows(db, below).values()]
    _check_idle(db, rows)
    _check_unwanted(db, rows)
    return rows


def _check_idle(db: Transaction, rows: Iterable[Row]) -> None:
    """Refuse what somebody works on."""
    held = next((row for row in rows if row.status in CLAIMED), None)
    if held is not None:
        who = agents.agent_names(db, [held.holder_id]).get(held.holder_id, "somebody")
        raise Blocked(
            f"{who} works on {held.id} {shorten(held.title)} ({held.status}). Recall it or let it finish first.",
            task=held.id,
            holder=who,
        )


def _check_unwanted(db: Transaction, rows: list[Row]) -> None:
    """Refuse what something unfinished waits for."""
    edges = [each for each in deletion.edges_to(db, [row.id for row in rows]) if each.type == "blocks"]
    waiting = tasks.task_rows(db, [each.task_id for each in edges])
    found = [row.id for row in waiting.values() if row.status not in FINISHED]
    if found:
        shown = ", ".join(found[:SHOWN]) + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
        waits = "waits" if len(found) == 1 else "wait"
        raise Blocked(
            f"{shown} still {waits} for {rows[0].id}. Drop the dependency there first, or archive the task.",
            task=rows[0].id,
            dependents=found,
        )


def _delete(db: Transaction, task: str, *, subtree: bool, kept: Path) -> Deleted:
    graph.lock_graph(db)
    rows = _doomed(db, task, subtree=subtree)
    first = rows[0]
    edges: dict[str, list[tuple[str, str]]] = {}
    for each in deletion.edges_to(db, [row.id for row in rows]):
        edges.setdefault(each.task_id, []).append((each.depends_on_id, each.type))
    for waiter, dropped in edges.items():
        regrouping.drop_edges(db, tasks.task_row(db, waiter), dropped, data={"because_of": first.id})
    rows = [tasks.task_row(db, row.id) for row in rows]  # a finished task may have stood in the way of another of them
    for row in rows:
        tasks.count_status(db, row.status, -1, archived=row.archived_at is not None)
    deletion.delete_tasks(db, rows)
    if first.parent_id:
        is_open = int(first.status not in SETTLED)
        moves.turn(db, [tree.shift_subtasks(db, first.parent_id, by=-1, by_open=-is_open)])
    gone = [row.id for row in rows]
    moves.record(db, "deleted", None, {"tasks": gone, "parent": first.parent_id, "snapshot": kept.name})
    below = f" with {len(gone) - 1} below it" if len(gone) > 1 else ""
    return Deleted(
        message=f"Deleted {first.id} {shorten(first.title)}{below}. The board as it was before is in {kept}.",
        deleted=gone,
        snapshot=str(kept),
    )
