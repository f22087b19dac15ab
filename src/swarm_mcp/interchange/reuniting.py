"""Edges that an earlier import had to leave out, because what they lead to came only now.

Each archive has one task with everything below it, and comes alone; what its tasks wait for may be in another one. The
ledger of a task says what it lost on its way here, so that nothing else has to remember it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from swarm_mcp.model.errors import CycleRefused
from swarm_mcp.model.task import EdgeType
from swarm_mcp.operations import placing
from swarm_mcp.repository import events, loading, tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

AT_ONCE = 500


def reunite(db: Transaction) -> Counter[str]:
    """Put those edges back whose other end has just come; how many, by their kind.

    What would close a circle by now stays as it is.
    """
    lost = [
        (row.task_id, *said.partition(":")[::2])
        for row in events.of_kind(db, "separated")
        for said in row.data.get("edges", {}).get("dropped", [])
    ]
    found: Counter[str] = Counter()
    for start in range(0, len(lost), AT_ONCE):
        batch = lost[start : start + AT_ONCE]
        came = loading.found(db, "loaded", (other for _, _, other in batch))
        for task, kind, other in batch:
            if other in came and _connect(db, task, kind, other):
                found[kind] += 1
    return found


def _connect(db: Transaction, task: str, kind: str, other: str) -> bool:
    row = tasks.find_task(db, task)
    if row is None:  # deleted since
        return False
    before = db.connection.begin_nested()
    try:
        _, added = placing.add_edges(db, row, [(tasks.task_row(db, other), EdgeType(kind))])
    except CycleRefused:
        before.rollback()
        return False
    before.commit()
    return bool(added)
