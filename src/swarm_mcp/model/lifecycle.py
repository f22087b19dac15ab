"""The lifecycle of a task as data: statuses, priorities, and which moves exist."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from swarm_mcp.model.ids import unknown_word

E = TypeVar("E", bound=StrEnum)


class TaskStatus(StrEnum):
    """Where a task stands."""

    PENDING = "pending"
    BLOCKED = "blocked"
    IN_PROGRESS = "in_progress"
    REQUIRES_ASSISTANCE = "requires_assistance"
    IN_REVIEW = "in_review"
    PARTIAL = "partial"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """How urgent a task is, the most urgent first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


S = TaskStatus
WAITING = frozenset({S.PENDING, S.BLOCKED})
"""Not started: the ready queue and what stands before it."""
FINISHED = frozenset({S.COMPLETED, S.FAILED, S.CANCELLED})
SETTLED = frozenset({S.COMPLETED, S.CANCELLED})
"""What makes a subtask stop counting for its parent."""
CLAIMED = frozenset({S.IN_PROGRESS, S.REQUIRES_ASSISTANCE})
"""Statuses in which somebody holds the task."""

MOVES: dict[TaskStatus, frozenset[TaskStatus]] = {
    S.PENDING: frozenset({S.IN_PROGRESS, S.BLOCKED, S.CANCELLED}),
    S.BLOCKED: frozenset({S.PENDING, S.IN_PROGRESS, S.CANCELLED}),
    S.IN_PROGRESS: WAITING | {S.REQUIRES_ASSISTANCE, S.IN_REVIEW, S.COMPLETED, S.PARTIAL, S.FAILED, S.CANCELLED},
    S.REQUIRES_ASSISTANCE: WAITING | {S.IN_PROGRESS, S.IN_REVIEW, S.COMPLETED, S.PARTIAL, S.FAILED, S.CANCELLED},
    S.IN_REVIEW: WAITING | {S.COMPLETED, S.FAILED, S.CANCELLED},
    S.PARTIAL: WAITING | {S.IN_PROGRESS, S.COMPLETED, S.FAILED, S.CANCELLED},
    S.FAILED: WAITING | {S.CANCELLED},
    S.COMPLETED: WAITING,
    S.CANCELLED: WAITING,
}
"""From each status, the statuses that a task may go to. Requeueing is one verb: it ends in blocked
if something stands in the way, else in pending."""

STATUS_ALIASES: dict[str, tuple[TaskStatus, str]] = {
    "not_started": (S.PENDING, ""),
    "todo": (S.PENDING, ""),
    "open": (S.PENDING, ""),
    "backlog": (S.PENDING, ""),
    "queued": (S.PENDING, ""),
    "assigned": (S.PENDING, ""),
    "done": (S.COMPLETED, ""),
    "closed": (S.COMPLETED, ""),
    "doing": (S.IN_PROGRESS, ""),
    "hooked": (S.IN_PROGRESS, ""),
    "review": (S.IN_REVIEW, ""),
    "canceled": (S.CANCELLED, ""),
    "deferred": (S.BLOCKED, "deferred"),
    "tombstone": (S.CANCELLED, "archived"),
}
"""Words of the older systems: the status, and what comes with it (a hold's reason, or archived)."""

NATURAL_PROGRESS: dict[str, int] = {
    S.PENDING: 0,
    S.BLOCKED: 0,
    S.REQUIRES_ASSISTANCE: 25,
    S.IN_PROGRESS: 50,
    S.PARTIAL: 75,
    S.IN_REVIEW: 90,
    S.COMPLETED: 100,
    S.FAILED: 0,
    S.CANCELLED: 0,
}
STARTED_WAITING_PROGRESS = 25


def natural_progress(status: str, *, started: bool) -> int:
    """Percent done of a task about which nobody reported a figure."""
    if started and status in WAITING:
        return STARTED_WAITING_PROGRESS
    return NATURAL_PROGRESS[status]


def read_status(word: str) -> TaskStatus:
    """The status that a word means, older systems' words included.

    Raises:
        Invalid: no status has that name; the sentence lists them.

    """
    folded = word.strip().lower().replace("-", "_").replace(" ", "_")
    if folded in STATUS_ALIASES:
        return STATUS_ALIASES[folded][0]
    return choose(folded, TaskStatus, "status")


def read_priority(word: str) -> Priority:
    """The priority that a word means; absent is medium."""
    return choose(word, Priority, "priority") if word.strip() else Priority.MEDIUM


def choose(word: str, choices: type[E], what: str) -> E:
    """The member of an enumeration that a word names, in whatever case.

    Raises:
        Invalid: none; the sentence names the nearest and all.

    """
    folded = word.strip().lower().replace("-", "_").replace(" ", "_")
    try:
        return choices(folded)
    except ValueError:
        raise unknown_word(word, what, (member.value for member in choices)) from None
