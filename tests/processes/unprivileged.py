"""A writer that may only read: `unprivileged.py PATH`. Prints what it is told, and how many tasks it sees."""

from __future__ import annotations

import os
import sys

import swarm_mcp.repository.tables  # noqa: F401 - imports what only root may be able to read
from swarm_mcp import open_swarm, operations
from swarm_mcp.model.errors import Refusal
from swarm_mcp.operations.swarm import Swarm
from swarm_mcp.repository.database import Database

if os.getuid() == 0:
    os.setuid(65534)
try:
    swarm = open_swarm(sys.argv[1])
    swarm.write(lambda db: operations.create_task(db, title="A task"), agent="ada")
except Refusal as refusal:
    print("refused", refusal.code, refusal.message)
reader = Swarm(Database(sys.argv[1]))
print("readable", reader.read(operations.list_tasks).total)
