"""Taskmaster's `tasks.json`."""

from swarm_mcp.interchange.sheets import expected
from swarm_mcp.interchange.writing.taskmaster.plan import write

__all__ = ["expected", "write"]
