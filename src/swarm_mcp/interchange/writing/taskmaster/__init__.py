"""Taskmaster's `tasks.json`."""

from swarm_mcp.interchange.writing.taskmaster.plan import write

__all__ = ["write"]
