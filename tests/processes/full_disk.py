"""A writer whose disk fills up, and has room again: `full_disk.py PATH`.

Prints the ids of the tasks that were created, what it was told when there was no more room (twice), the number of tasks
that it could still read then, and the id of a task that it created when there was room again.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.errors import Refusal

path = Path(sys.argv[1])
swarm = open_swarm(path)


def create() -> str:
    """Create a task with a few thousand words."""
    made = swarm.write(lambda db: operations.create_task(db, title="A task", description="word " * 4000), agent="ada")
    assert made.task is not None
    return made.task.id


print("created", create())
room = path.with_name(f"{path.name}-wal").stat().st_size + 200_000
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
refused = 0
while refused < 2:
    try:
        print("created", create())
    except Refusal as refusal:
        refused += 1
        print("refused", refusal.code, refusal.message)
print("readable", swarm.read(lambda db: operations.list_tasks(db, limit=200)).total)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print("created", create())
swarm.close()
