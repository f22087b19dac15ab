"""Tasks: their enumerations, and the records that agents read."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field, TypeAdapter

from swarm_mcp.model.record import Answer, Record


class CompletionChecks(StrEnum):
    """What a project does about unmet criteria."""

    ENFORCE = "enforce"
    WARN = "warn"
    OFF = "off"


class Complexity(StrEnum):
    """How hard a task is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"


class EdgeType(StrEnum):
    """Dependencies of type blocks gate; the others inform."""

    BLOCKS = "blocks"
    ENABLES = "enables"
    ENHANCES = "enhances"
    RELATED = "related"
    DISCOVERED_FROM = "discovered_from"
    DUPLICATES = "duplicates"
    SUPERSEDES = "supersedes"


class CriterionOutcome(StrEnum):
    """What became of a criterion."""

    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"
    MET = "met"
    WAIVED = "waived"


class DelegationState(StrEnum):
    """What became of a delegation."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    RECALLED = "recalled"
    DONE = "done"


class ExecutionStatus(StrEnum):
    """What became of an attempt."""

    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    IN_REVIEW = "in_review"
    RELEASED = "released"
    LAPSED = "lapsed"
    RECALLED = "recalled"
    WAITING = "waiting"
    CANCELLED = "cancelled"


class TaskLine(Record):
    """A task as one row of a list."""

    id: str
    title: str
    status: str
    priority: str = "medium"
    assignee: str = ""
    holder: str = ""
    progress: int = 0
    depends_on: list[str] = Field(default_factory=list)
    depends_on_more: int = 0
    deadline: str = ""
    lapsed: bool = False
    """Its claim has expired and may be taken by anyone entitled."""
    hold: str = ""


LINES = TypeAdapter(list[TaskLine])
"""Makes all lines of a list in one go, which takes half as long as one after the other."""


class TaskList(Answer):
    """Rows, how many there are in all, and where the next page begins."""

    lines: list[Any]
    """The rows as JSON values without what is empty: they are many, and nearly always go straight over the wire."""
    total: int
    next_cursor: str = ""

    @cached_property
    def tasks(self) -> list[TaskLine]:
        """The rows as records."""
        return LINES.validate_python(self.lines)

    def structured(self) -> dict[str, Any]:
        """The facts, with the rows as they are."""
        facts = {"message": self.message, "tasks": self.lines, "total": self.total}
        return facts | {"next_cursor": self.next_cursor} if self.next_cursor else facts


class TaskChange(Record):
    """A task after a write: what it is now and what changed."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    status: str
    version: int


class Written(Answer):
    """What every write to a task answers."""

    task: TaskChange | None
    unread: int = 0
    ready: int | None = None
    """How many ready tasks lie where this agent may claim, where the write may have changed that."""
    attempt: int = 0
    warnings: list[str] = Field(default_factory=list)


class Delegated(Written):
    """What delegating answers."""

    chosen: str = ""
    """The agent that the board chose, where the choice was left to it …"""
    why: str = ""
    """… and the sentence that says why."""
    delegation: str = Field(default="", exclude=True)
    """Its id, for a server that lets it be followed (operations.following); no part of the answer."""


class CriterionView(Record):
    """A criterion as agents read it."""

    n: int
    text: str = ""
    check: str = ""
    outcome: str = "open"
    evidence: str = ""
    reason: str = ""


class Reached(Record):
    """A task that a write set free."""

    id: str
    title: str
    assignee: str = ""


class Completed(Written):
    """What completing answers."""

    criteria: list[CriterionView] = Field(default_factory=list)
    unblocked: list[Reached] = Field(default_factory=list)
    unblocked_more: int = 0


class Planned(Answer):
    """What a plan answers."""

    ids: dict[str, str]
    ready: list[str] = Field(default_factory=list)
    order: list[list[str]] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    more: str = ""
    unread: int = 0


class ResultView(Record):
    """What a task, for which another waited, has brought."""

    id: str
    title: str
    by: str = ""
    summary: str = ""
    outputs: dict[str, Any] = Field(default_factory=dict)
    artifacts: list[str] = Field(default_factory=list)


class ContextView(Record):
    """A piece of shared context."""

    key: str
    kind: str = "fact"
    value: Any
    rationale: str = ""
    by: str = ""
    task: str = ""


class BriefTask(TaskLine):
    """The row fields of the task that a brief is about."""

    version: int = 0


class Brief(Answer):
    """Everything an agent needs to work on a task, within a budget of tokens."""

    task: BriefTask | None = None
    agent: str = ""
    attempt: int = 0
    lease_until: str = ""
    description: str = ""
    in_the_way: list[str] = Field(default_factory=list)
    criteria: list[CriterionView] = Field(default_factory=list)
    parents: list[TaskLine] = Field(default_factory=list)
    subtasks: list[TaskLine] = Field(default_factory=list)
    delegation: dict[str, Any] = Field(default_factory=dict)
    results: list[ResultView] = Field(default_factory=list)
    context: list[ContextView] = Field(default_factory=list)
    also_changing: list[str] = Field(default_factory=list)
    review: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    messages: list[str] = Field(default_factory=list)
    progress_log: list[str] = Field(default_factory=list)
    history: list[str] = Field(default_factory=list)
    executions: list[str] = Field(default_factory=list)
    delegations: list[str] = Field(default_factory=list)
    tree: list[str] = Field(default_factory=list)
    unread: int = 0
    next: list[str] = Field(default_factory=list)
    left_out: list[str] = Field(default_factory=list)


class Holding(Answer):
    """What an agent holds."""

    agent: str = ""
    held: list[TaskLine] = Field(default_factory=list)
    unread: int = 0
    next: list[str] = Field(default_factory=list)


class Claimed(Answer):
    """What claiming answers: a task with its brief, or why there is none."""

    task: TaskChange | None
    brief: Brief | None = None
    attempt: int = 0
    lease_until: str = ""
    held: list[TaskLine] = Field(default_factory=list)
    blocking: list[str] = Field(default_factory=list)
    open: int = 0
    unread: int = 0

    def structured(self) -> dict[str, Any]:
        """The facts; the brief needs no sentence of its own."""
        facts = super().structured()
        facts.get("brief", {}).pop("message", "")
        return facts


class Overview(Answer):
    """The state of a project, from one side."""

    model_config = ConfigDict(frozen=True, extra="allow")

    view: str

    if TYPE_CHECKING:  # each view has facts of its own

        def __init__(self, *, view: str, message: str, **facts: Any) -> None: ...
