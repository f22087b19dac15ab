"""Edges that an earlier import had to leave out, because what they lead to came only now.

Each archive has one task with everything below it, and comes alone; what its tasks wait for may be in another one. The
ledger of a task says what it lost on its way here, so that nothing else has to remember it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import CycleRefused
from swarm_mcp.model.task import EdgeType
from swarm_mcp.operations import placing
from swarm_mcp.repository import events, loading, tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

AT_ONCE = 500
PAGE = 100


def reunite(db: Transaction) -> Counter[str]:
    """Put those edges back whose other end has just come; how many, by their kind.

    What would close a circle by now stays as it is, and so does what somebody has added or dropped since.
    """
    lost = [(row, *edge) for row in events.of_kind(db, "separated") for edge in _dropped(row.data)]
    found: Counter[str] = Counter()
    for start in range(0, len(lost), AT_ONCE):
        batch = lost[start : start + AT_ONCE]
        tasks_ = {row.task_id for row, _, _ in batch} | {other for _, _, other in batch}
        came = loading.found(db, "loaded", tasks_)
        for row, kind, other in batch:
            # A task that came with this very file came with those of its edges that it still has.
            if other in came and row.task_id not in came and not _is_decided(db, row, f"{kind}:{other}"):
                found[kind] += _connect(db, row.task_id, kind, other)
    return +found


def _dropped(data: Any) -> list[tuple[EdgeType, str]]:
    """What an event says of edges that were left out; it may be of a file that somebody has written by hand."""
    edges = data.get("edges") if isinstance(data, dict) else None
    said = edges.get("dropped") if isinstance(edges, dict) else None
    parts = [each.partition(":") for each in said or [] if isinstance(each, str)] if isinstance(said, list) else []
    return [(EdgeType(kind), other) for kind, _, other in parts if kind in set(EdgeType)]


def _is_decided(db: Transaction, separated: Row, edge: str) -> bool:
    """Whether anything has become of an edge since it was left out."""
    after = separated.seq
    while page := events.task_events(db, separated.task_id, after=after, limit=PAGE):
        for row in page:
            edges = row.data.get("edges") if row.kind != "separated" else None
            if isinstance(edges, dict) and any(edge in edges.get(name, ()) for name in ("added", "dropped")):
                return True
        after = page[-1].seq
    return False


def _connect(db: Transaction, task: str, kind: EdgeType, other: str) -> bool:
    row = tasks.find_task(db, task)
    if row is None:  # deleted since
        return False
    before = db.connection.begin_nested()
    try:
        _, added = placing.add_edges(db, row, [(tasks.task_row(db, other), kind)])
    except CycleRefused:
        before.rollback()
        return False
    before.commit()
    return bool(added)
