"""Our words in those of Taskmaster. `docs/formats.md` publishes the tables, and a test compares the two."""

from __future__ import annotations

from swarm_mcp.model.lifecycle import Priority, TaskStatus
from swarm_mcp.model.task import Complexity

STATUSES: dict[TaskStatus, str] = {
    TaskStatus.PENDING: "pending",
    TaskStatus.BLOCKED: "pending",
    TaskStatus.IN_PROGRESS: "in-progress",
    TaskStatus.REQUIRES_ASSISTANCE: "in-progress",
    TaskStatus.IN_REVIEW: "review",
    TaskStatus.PARTIAL: "in-progress",
    TaskStatus.COMPLETED: "done",
    TaskStatus.FAILED: "blocked",
    TaskStatus.CANCELLED: "cancelled",
}
"""What waits for others is pending to Taskmaster, which follows dependencies by itself. Failed work is blocked: it must
not be offered again before somebody has looked at it, and nothing that waits for it may begin."""
HELD = "deferred"
"""What is blocked by a hold."""
PRIORITIES: dict[Priority, str] = {each: each.value for each in Priority}
COMPLEXITIES: dict[Complexity, str] = {
    Complexity.LOW: "simple",
    Complexity.MEDIUM: "moderate",
    Complexity.HIGH: "complex",
    Complexity.VERY_HIGH: "very-complex",
}
