"""What whoever handed a task down, or waits for news, hears when it asks how that stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from swarm_mcp.model.message import Inbox
from swarm_mcp.model.record import Answer, Record
from swarm_mcp.model.task import TaskChange

DECLINED = "declined"
"""What came of a task that was given back; else it is the task's status."""
FAILURES = frozenset({DECLINED, "failed", "cancelled"})


class Outcome(Answer):
    """What came of a task that was handed down."""

    outcome: str
    """declined, or the status of the task: completed, failed, partial, or in_review."""
    task: TaskChange
    title: str = ""
    by: str = ""
    summary: str = ""
    outputs: dict[str, Any] = Field(default_factory=dict)
    artifacts: list[str] = Field(default_factory=list)
    issues: list[str] = Field(default_factory=list)
    next_actions: list[str] = Field(default_factory=list)
    left_out: str = ""
    """The call that has the rest, where all of it would be too long."""

    @property
    def is_failure(self) -> bool:
        """Whether what was wanted has not been done and is not being done."""
        return self.outcome in FAILURES


class Asked(Record):
    """A question that waits for an answer of whoever follows the task."""

    id: str
    """As `reply_to` takes it."""
    sender: str
    text: str


class Followed(Record):
    """How a task stands that was handed down. Over is it with an outcome, or recalled."""

    began: datetime
    changed: datetime
    message: str
    question: Asked | None = None
    outcome: Outcome | None = None
    is_recalled: bool = False
    is_kept: bool = False
    """Whether this was told before, and is kept."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.outcome is not None or self.is_recalled


class Awaited(Record):
    """How a wait for news stands. Over is it with an inbox, or given up."""

    began: datetime
    changed: datetime
    seconds: int
    limit: int
    ready: int = 0
    """How many tasks the agent could claim when it began to wait."""
    inbox: Inbox | None = None
    is_given_up: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it is not waited for any more."""
        return self.inbox is not None or self.is_given_up
