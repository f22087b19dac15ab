"""Task Orchestrator's folder: `tasks.db` as `tm` 2.9 makes it, with `contexts`, `notes` and `archives` beside it."""

from swarm_mcp.interchange.writing.task_orchestrator.store import write

__all__ = ["LAYOUT", "write"]

LAYOUT = frozenset({"tasks.db", "tasks.db-wal", "tasks.db-shm", "contexts", "notes", "archives"})
"""What such a folder has in it, its database's companions included."""
