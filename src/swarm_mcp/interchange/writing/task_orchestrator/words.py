"""Our words in those of Task Orchestrator, which has four statuses and no hierarchy."""

from __future__ import annotations

from swarm_mcp.model.lifecycle import Priority, TaskStatus

STATUSES: dict[TaskStatus, str] = {
    TaskStatus.PENDING: "pending",
    TaskStatus.BLOCKED: "blocked",
    TaskStatus.IN_PROGRESS: "in_progress",
    TaskStatus.REQUIRES_ASSISTANCE: "blocked",
    TaskStatus.IN_REVIEW: "in_progress",
    TaskStatus.PARTIAL: "in_progress",
    TaskStatus.COMPLETED: "completed",
    TaskStatus.FAILED: "blocked",
    TaskStatus.CANCELLED: "blocked",
}
"""Every status in its words. Only what is completed may be called so there, because that lets begin what waits for it;
failed and cancelled work is blocked for good. What it was here stands in the table `swarm_tasks`."""

PRIORITIES: dict[Priority, str] = {each: each.value for each in Priority}
"""Every priority in its words, which are ours; its `add` takes no `critical`, its lists show it."""
