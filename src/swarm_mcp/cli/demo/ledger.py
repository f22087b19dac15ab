"""What the ledger says of a performance: who held what when, and whether anything began too early."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.agent import OPERATOR
from swarm_mcp.model.lifecycle import SETTLED, TaskStatus
from swarm_mcp.model.task import EdgeType
from swarm_mcp.repository import agents, events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

PAGE = 1000
BLOCKS = f"{EdgeType.BLOCKS}:"


@dataclass(slots=True)
class Known:
    """A task as the events so far make it."""

    status: str = ""
    parent: str | None = None
    holder: str | None = None
    attempt: int = 0
    blockers: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event, with names instead of ids."""

    kind: str
    task: str
    who: str
    data: dict[str, Any]


@dataclass(slots=True)
class Ledger:
    """The whole ledger, replayed."""

    entries: list[Entry] = field(default_factory=list)
    """Everything that happened, in its order."""
    names: dict[str | None, str] = field(default_factory=lambda: {None: OPERATOR})
    """The agents that acted, by id."""
    tasks: dict[str, Known] = field(default_factory=dict)
    claims: list[tuple[str, int, str]] = field(default_factory=list)
    """(task, attempt, agent) of every claim."""
    versions: set[tuple[str, str, int | None]] = field(default_factory=set)
    """(task, agent, version after it) of everything that an agent did."""
    completed: set[tuple[str, str, str]] = field(default_factory=set)
    """(task, agent, summary) of every completion."""
    collisions: list[str] = field(default_factory=list)
    """Sentences: a task claimed while somebody held it, or an attempt given out twice."""
    out_of_order: list[str] = field(default_factory=list)
    """Sentences: a task claimed before what it waits for was completed."""


def replay(db: Transaction) -> Ledger:
    """Go through all events in their order, and judge every claim by what had happened before it."""
    ledger = Ledger()
    for event in _all_events(db):
        if event.agent_id not in ledger.names:
            ledger.names.update(agents.agent_names(db, [event.agent_id]))
        who = ledger.names[event.agent_id]
        ledger.entries.append(Entry(event.kind, event.task_id or "", who, event.data))
        if event.task_id is None:
            continue
        task = ledger.tasks.setdefault(event.task_id, Known())
        if event.kind == "claimed":
            _judge(ledger, event, task, who)
        ledger.versions.add((event.task_id, who, event.version))
        if event.kind == TaskStatus.COMPLETED:
            summary = event.data.get("completion_summary", ["", ""])[1]
            ledger.completed.add((event.task_id, who, summary))
        _apply(task, event.data)
    return ledger


def _all_events(db: Transaction) -> Iterator[Row]:
    after = 0
    while page := events.project_events(db, after=after, limit=PAGE):
        yield from page
        after = page[-1].seq


def _apply(task: Known, data: dict[str, Any]) -> None:
    for column, name in (
        ("status", "status"),
        ("parent_id", "parent"),
        ("holder_id", "holder"),
        ("attempt", "attempt"),
    ):
        if column in data:
            setattr(task, name, data[column][1])
    edges = data.get("edges", {})
    task.blockers |= {each.removeprefix(BLOCKS) for each in edges.get("added", ()) if each.startswith(BLOCKS)}
    task.blockers -= {each.removeprefix(BLOCKS) for each in edges.get("dropped", ())}


def _judge(ledger: Ledger, event: Row, task: Known, who: str) -> None:
    attempt = event.data["attempt"][1]
    ledger.claims.append((event.task_id, attempt, who))
    if task.holder is not None:
        ledger.collisions.append(f"{who} claimed {event.task_id} while somebody held it.")
    if attempt <= task.attempt:
        ledger.collisions.append(f"{who} claimed {event.task_id} as attempt {attempt}, which there was already.")
    early = [each for each in _waited_for(ledger, task) if ledger.tasks[each].status != TaskStatus.COMPLETED]
    early += [
        name for name, each in ledger.tasks.items() if each.parent == event.task_id and each.status not in SETTLED
    ]
    if early:
        ledger.out_of_order.append(f"{who} claimed {event.task_id} before {', '.join(early)}.")


def _waited_for(ledger: Ledger, task: Known) -> set[str]:
    """What a task and everything above it wait for."""
    found = set(task.blockers)
    while task.parent is not None:
        task = ledger.tasks[task.parent]
        found |= task.blockers
    return found
