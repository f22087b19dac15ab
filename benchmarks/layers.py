"""A plan in layers, as a director would store it."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from swarm_mcp import open_swarm, operations
from swarm_mcp.repository import tables, tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

AT_ONCE = 500


def store_plan(address: str, count: int, *, layers: int, edges: int) -> None:
    """Let each task of a layer wait for one or two of the layer before, so that there are so many dependencies."""
    chance = random.Random(11)
    wide = count // layers
    twice = set(chance.sample(range(wide, count), edges - (count - wide)))
    with closing(open_swarm(address)) as swarm:
        ids: dict[int, str] = {}
        for start in range(0, count, AT_ONCE):
            items: list[Any] = []
            for n in range(start, min(start + AT_ONCE, count)):
                layer = range(n // wide * wide - wide, n // wide * wide)
                before = chance.sample(layer, 2 if n in twice else 1) if n >= wide else []
                waits_for = [ids.get(other, f"n{other}") for other in before]
                words = "What is to be done, in a sentence or two."
                items.append({"ref": f"n{n}", "title": f"Task {n}", "description": words, "depends_on": waits_for})
            swarm.write(lambda db, items=items: operations.create_plan(db, tasks=items), agent="lead")
            ids = swarm.read(_ids)


def count_unfinished(address: str) -> int:
    """How many tasks are not completed."""
    with closing(open_swarm(address)) as swarm:
        counts = swarm.read(tasks.tallies)
    return sum(counts.values()) - counts.get("completed", 0)


def _ids(db: Transaction) -> dict[int, str]:
    """The tasks by their numbers; an answer has no room for so many."""
    found = db.execute(select(tables.task.c.title, tables.task.c.id))
    return {int(row.title.removeprefix("Task ")): row.id for row in found}
