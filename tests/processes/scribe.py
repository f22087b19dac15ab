"""A writer that never stops by itself: `scribe.py PATH NAME`.

Whenever a write is committed (and not before) it says so, one line of JSON each: the number of the latest event that
the write left behind, what was done, and the tasks that it was done to.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.agent import Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from swarm_mcp.repository.database import Transaction

LATEST = text("SELECT max(seq) FROM event")
OPERATOR = ""
swarm = open_swarm(sys.argv[1])
name = sys.argv[2]


def do(who: str, what: str, change: Callable[[Transaction], Any], tasks: Callable[[Any], list[str]]) -> list[str]:
    """Write, and acknowledge it."""

    def change_and_look(db: Transaction) -> tuple[Any, int]:
        return change(db), db.connection.execute(LATEST).scalar_one()

    answer, latest = swarm.write(change_and_look, agent=who, profile=Profile.WORKER)
    done = tasks(answer)
    os.write(1, (json.dumps([latest, what, done]) + "\n").encode())
    return done


PARTS = [
    {"ref": "a", "title": "A"},
    {"ref": "b", "title": "B", "parent": "a"},
    {"ref": "c", "title": "C", "depends_on": ["b"]},
]
while True:
    do(OPERATOR, "planned", lambda db: operations.create_plan(db, tasks=PARTS), lambda answer: [*answer.ids.values()])
    [task] = do(name, "claimed", operations.claim_task, lambda answer: [answer.task.id])
    do(
        name, "completed",
        lambda db: operations.complete_task(db, task=task, summary="Done."),  # noqa: B023 - run at once
        lambda answer: [answer.task.id],
    )  # fmt: skip
