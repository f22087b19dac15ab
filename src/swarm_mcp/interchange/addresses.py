"""Which documents an event touches: from what happened to the addresses under which it can be read.

In doubt a document is touched: whoever is told once too often reads it again, whoever is not told goes on with what is
no longer true. What changes by the passing of time alone (a lease, whether somebody seems to be there) happens to
nobody and touches nothing; messages and notes, of which the ledger does not speak, are in private.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.repository import agents, vicinity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

TASK = "swarm://tasks/"
AROUND = ("", "/tree", "/graph")
"""The documents of a task that show more than itself."""
HOLDERS = ("assignee_id", "holder_id", "worker_id")
OFFERED = ("in_progress", "requires_assistance", "in_review", "pending", "partial", "blocked")
"""The statuses of the tasks that a host is offered."""
CHANGES_NO_ROSTER = frozenset({
    "context_shared", "progressed", "joined", "left", "criteria_changed", "criteria_waived", "question_passed_on",
})  # fmt: skip


def of_event(event: Row) -> set[str]:
    """The addresses of what an event touches by itself, whatever else there is."""
    found = {"swarm://overview", "swarm://events"}
    if event.kind not in CHANGES_NO_ROSTER:
        found.add("swarm://agents")
    if event.task_id is None:
        if isinstance(name := event.data.get("agent"), str):
            found.add(f"swarm://agents/{name}")
        return found | _of_deleted(event)
    task = TASK + event.task_id
    found |= {"swarm://tasks", f"{task}/progress", f"{task}/history"}
    found |= {task + each for each in AROUND}
    if event.kind == "context_shared":
        found.add(f"{task}/context")
    return found


def _of_deleted(event: Row) -> set[str]:
    """The documents of tasks that are gone, and of the one above them."""
    if event.kind != "deleted":
        return set()
    gone = [f"{TASK}{each}{part}" for each in event.data["tasks"] for part in (*AROUND, "/progress", "/history")]
    above = [f"{TASK}{event.data['parent']}{part}" for part in AROUND if event.data["parent"]]
    return {"swarm://tasks", *gone, *above}


def touched(db: Transaction, events: Sequence[Row], watched: Collection[str]) -> set[str]:
    """Those of these addresses that some of these events touch.

    Args:
        db: a transaction that sees the board as it is after the events.
        events: what happened in the project.
        watched: addresses without a query, each with the id of what it shows.

    """
    found = {address for event in events for address in of_event(event)}
    changed = {event.task_id for event in events if event.task_id is not None}
    if not changed and not any(event.kind == "context_shared" for event in events):
        return found & set(watched)
    if any(address.startswith("swarm://agents/") for address in watched):
        found |= _agents(db, events, changed)
    watched_tasks = {each for address in watched if (each := task_of(address, AROUND))}
    if watched_tasks:
        near = _near(db, events, changed, watched_tasks)
        found |= {f"{TASK}{each}{part}" for each in near for part in AROUND}
        if _is_everywhere(db, events, changed):
            found |= {TASK + each for each in watched_tasks}
    return found & set(watched)


def changes_list(event: Row) -> bool:
    """Whether a host is offered other resources after it: the open tasks, by their titles."""
    if event.kind in {"created", "imported", "deleted"} or {"title", "archived_at"} & event.data.keys():
        return True
    before, after = event.data.get("status", (None, None))
    return (before in OFFERED) != (after in OFFERED)


def task_of(address: str, parts: Iterable[str]) -> str:
    """The id of the task, if an address is that of one of these documents of a task; else nothing."""
    if not address.startswith(TASK):
        return ""
    task_id, slash, part = address.removeprefix(TASK).partition("/")
    return task_id if slash + part in parts else ""


def _agents(db: Transaction, events: Sequence[Row], changed: set[str]) -> set[str]:
    """The agents with whom a changed task lies, or lay."""
    ids = {each for event in events for name in HOLDERS for each in _before_and_after(event.data.get(name))}
    for row in vicinity.whose(db, changed):
        ids |= {row.holder_id, row.assignee_id}
    return {f"swarm://agents/{name}" for name in agents.agent_names(db, ids - {None}).values()}


def _near(db: Transaction, events: Sequence[Row], changed: set[str], watched: set[str]) -> set[str]:
    """The watched tasks that show something of a changed one.

    A tree or graph shows what is below a task, what that waits for, and what waits for the task. A brief shows its
    subtasks, and what its task and those above it wait for; and what is shared above it.
    """
    changed = changed | _mentioned(events)
    beside = changed | vicinity.waiters_of_all(db, changed)
    for others in vicinity.edges_before(db, changed).values():
        beside |= others
    below = watched & vicinity.above_each(db, beside).keys()
    parents = vicinity.above_each(db, watched)
    before = vicinity.edges_before(db, parents)
    found = set(below)
    for each in watched - below:
        here: str | None = each
        while here is not None and each not in found:
            if here in changed or not changed.isdisjoint(before.get(here, ())):
                found.add(each)
            here = parents.get(here)
    return found


def _mentioned(events: Iterable[Row]) -> set[str]:
    """Other tasks that an event names: parents and dependencies that there were, or are now."""
    found: set[str] = set()
    for event in events:
        found.update(each for each in _before_and_after(event.data.get("parent_id")) if each)
        edges: dict[str, Any] = event.data.get("edges") or {}
        for words in edges.values():
            found.update(str(each).rpartition(":")[2] for each in words)
    return found


def _is_everywhere(db: Transaction, events: Sequence[Row], changed: set[str]) -> bool:
    """Whether it may be seen in the brief of any task: shared with the whole project, or changing the same things."""
    if any(event.kind == "context_shared" and event.task_id is None for event in events):
        return True
    moved = {event.task_id for event in events if {"status", "holder_id", "touches"} & event.data.keys()}
    return any(row.touches for row in vicinity.whose(db, moved & changed))


def _before_and_after(change: Any) -> Sequence[Any]:
    return change if isinstance(change, list) and len(change) == 2 else ()  # noqa: PLR2004
