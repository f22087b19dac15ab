"""The ledger replayed: what the events of a task make of it, to be compared with what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.operations import moves
from swarm_mcp.repository import history

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

BEGINNINGS = frozenset({"created", "imported"})
BATCH = 500


def differences(db: Transaction, after: str) -> tuple[str, list[tuple[str, str]]]:
    """Replay the events of the next tasks in the order of their ids, and compare.

    Returns:
        The last id that was looked at, "" when there are no more; and the tasks that are not what their events have
        made of them, each with how, as a phrase.

    """
    rows = history.tasks_after(db, after, BATCH)
    if not rows:
        return "", []
    ids = [row.id for row in rows]
    told, edges = history.events_of(db, ids), history.edges_of(db, ids)
    found = [(row.id, words) for row in rows for words in _compared(row, told[row.id], edges[row.id])]
    return ids[-1], found


def _compared(row: Row, told: Sequence[Row], edges: set[str]) -> Iterator[str]:
    if not told or told[0].kind not in BEGINNINGS:
        yield "its history does not begin with its creation"
    state, linked = replay(told)
    for name in sorted(moves.VERSIONED):
        is_now = getattr(row, name)
        if state[name] != is_now:
            yield f"its {name} is {_short(is_now)}, its events make it {_short(state[name])}"
    if linked != edges:
        yield f"its edges are {_short(sorted(edges))}, its events make them {_short(sorted(linked))}"


def replay(told: Sequence[Row]) -> tuple[dict[str, Any], set[str]]:
    """What events make of a task: its columns, and its edges as `type:task`."""
    state = {name: history.BEGINNING.get(name) for name in moves.VERSIONED}
    edges: set[str] = set()
    for event in told:
        for name in moves.VERSIONED & event.data.keys():
            value = moves.read_back(name, event.data[name][1])
            state[name] = history.BEGINNING.get(name) if value is None else value
        changed = event.data.get("edges", {})
        edges.update(changed.get("added", []))
        edges.difference_update(changed.get("dropped", []))
    return state, edges


def _short(value: object) -> str:
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:57]}…"  # noqa: PLR2004 - a line, not a listing
