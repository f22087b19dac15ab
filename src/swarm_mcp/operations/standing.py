"""What stands in a task's way, in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from swarm_mcp.model.lifecycle import SETTLED, TaskStatus
from swarm_mcp.operations import answering
from swarm_mcp.repository import agents, graph, tasks, tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

SHOWN = 5


def in_the_way(db: Transaction, row: Row) -> list[str]:
    """Everything that keeps a task from being worked on, a phrase each; empty if nothing does."""
    found: list[str] = []
    if row.hold_reason is not None:
        found.append(f"held by {_who(db, row.hold_by_id)}: {answering.shorten(row.hold_reason)}")
    if row.waits > row.gates:
        found += _waiting(db, row, "it waits for")
    if row.gates:
        for above in tree.ancestors(db, row.id):
            if above.hold_reason is not None:
                found.append(f"its parent {above.id} is held: {answering.shorten(above.hold_reason)}")
            if above.waits > above.gates:
                found += _waiting(db, above, f"its parent {above.id} waits for")
    if row.open_subtasks:
        open_ones = [each for each in tree.children(db, row.id) if each.status not in SETTLED]
        shown = ", ".join(f"{each.id} ({each.status})" for each in open_ones[:SHOWN])
        more = f" and {len(open_ones) - SHOWN} more" if len(open_ones) > SHOWN else ""
        found.append(f"unfinished subtasks {shown}{more}")
    return found


def _waiting(db: Transaction, row: Row, words: str) -> list[str]:
    found = graph.blockers(db, [row.id]).get(row.id, [])
    unfinished = [each for each in found if each.status != TaskStatus.COMPLETED]
    shown = ", ".join(f"{each.id} ({each.status})" for each in unfinished[:SHOWN])
    more = f" and {len(unfinished) - SHOWN} more" if len(unfinished) > SHOWN else ""
    return [f"{words} {shown}{more}"]


def _who(db: Transaction, agent_id: str | None) -> str:
    return agents.agent_names(db, [agent_id]).get(agent_id, "operator")


def say(obstacles: list[str]) -> str:
    """Obstacles as one phrase."""
    return "; ".join(obstacles[:SHOWN])


def overlapping(touches: Iterable[str], live: Iterable[str]) -> list[str]:
    """Which of these paths lie in, or contain, one that is being changed."""
    taken = [path.strip("/") for path in live]
    return [
        path
        for path in touches
        if any(
            path.strip("/") == each or path.strip("/").startswith(f"{each}/") or each.startswith(f"{path.strip('/')}/")
            for each in taken
        )
    ]


def what_others_wait_for(db: Transaction) -> list[str]:
    """The unfinished tasks that most blocked ones wait for, a phrase each."""
    blocked = tasks.blocked_sample(db, limit=200)
    edges = graph.blockers(db, [row.id for row in blocked if row.waits > row.gates])
    counts: Counter[str] = Counter()
    known: dict[str, Row] = {}
    for found in edges.values():
        for each in found:
            if each.status != TaskStatus.COMPLETED:
                counts[each.id] += 1
                known[each.id] = each
    names = agents.agent_names(db, (row.holder_id or row.assignee_id for row in known.values()))
    phrases = [_phrase(known[each], count, names) for each, count in counts.most_common(3)]
    held = sum(1 for row in blocked if row.hold_reason is not None)
    return [*phrases, *([f"{held} held"] if held else [])]


def _phrase(row: Row, count: int, names: dict[str | None, str]) -> str:
    whose = names.get(row.holder_id or row.assignee_id, "")
    detail = f"{whose}, {row.status}" if whose else row.status
    return f"{count} {'task waits' if count == 1 else 'tasks wait'} for {row.id} ({detail})"
