"""Task Orchestrator's folder: `tasks.db` as `tm` 2.9 makes it, with `contexts`, `notes` and `archives` beside it."""

from swarm_mcp.interchange.writing.task_orchestrator.folder import strangers
from swarm_mcp.interchange.writing.task_orchestrator.store import write

__all__ = ["strangers", "write"]
