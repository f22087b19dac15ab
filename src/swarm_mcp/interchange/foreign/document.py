"""A foreign plan as records: what every importer reads, before anything touches the board.

Times are aware. Everything has a default that means "not said", so that a format says only what it knows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from swarm_mcp.model.task import EdgeType


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCriterion:
    """A condition of "done": in words, as a CEL expression, or both."""

    text: str = ""
    measurable: str = ""
    """As it was written; one that is no CEL becomes part of the words, and that is reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRemark:
    """Something that was said about a task: a comment, a note, a report of progress."""

    text: str
    by: str = ""
    """Its author's name; empty is nobody known."""
    at: datetime | None = None
    percent: int | None = None
    """Of a report of progress: 0 to 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """A shared value; the latest per key counts."""

    key: str
    value: object
    """Any JSON value."""
    kind: str = "fact"
    """fact, requirement, decision or artifact."""
    rationale: str = ""
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanParticipant:
    """Somebody who has to do with a task."""

    agent: str
    role: str = ""
    joined_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFeedback:
    """What was thought of the work: 1 very poor to 5 excellent."""

    quality: int | None = None
    timeliness: int | None = None
    notes: str = ""
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNotice:
    """A notification that somebody has or has not read."""

    kind: str
    text: str
    agent: str = ""
    at: datetime | None = None
    read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanItem:
    """One task of a foreign plan, in our words. Absent text is empty."""

    ref: str
    """The foreign id, unique in its document: `3`, its subtask `3.2`, with several lists `list/3.2`."""
    id: str = ""
    """The id that it keeps here: eight lower-case letters and digits. Empty: it gets one."""
    title: str
    """1 to 500 characters, trimmed."""
    parent: str = ""
    """The ref of the task that this one is a part of."""
    description: str = ""
    status: str = "pending"
    """One of our nine words. What was stated, though it may contradict other items."""
    source_status: str = ""
    """The word that the document used."""
    hold: str = ""
    """The reason of the hold that the status stands for: deferred, or blocked with nothing in the way."""
    archived: bool = False
    """Whether it was put away there: a tombstone, an archive."""
    priority: str = "medium"
    complexity: str = ""
    """low, medium, high, very_high, or absent."""
    task_type: str = ""
    area: str = ""
    phase: int = 0
    """1 to 10, or 0."""
    assignee: str = ""
    creator: str = ""
    tags: tuple[str, ...] = ()
    criteria: tuple[PlanCriterion, ...] = ()
    depends_on: tuple[str, ...] = ()
    """Refs of this document that must finish first: no repetitions, not itself, no ancestor, no part of it.
    Cycles are kept; the board refuses them with their path."""
    relations: tuple[tuple[EdgeType, str], ...] = ()
    """Edges that do not gate: what kind, and the ref at the other end. Not of type blocks, none twice, not itself."""
    estimated_hours: Decimal | None = None
    actual_hours: Decimal | None = None
    deadline: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    summary: str = ""
    """What was done, of finished work."""
    comments: tuple[PlanRemark, ...] = ()
    """What everybody may read."""
    notes: tuple[PlanRemark, ...] = ()
    """What only their authors may read."""
    progress: tuple[PlanRemark, ...] = ()
    context: tuple[PlanContext, ...] = ()
    participants: tuple[PlanParticipant, ...] = ()
    feedback: tuple[PlanFeedback, ...] = ()
    notices: tuple[PlanNotice, ...] = ()
    raw: Mapping[str, object] = field(default_factory=dict[str, object])
    """The whole foreign record but its subtasks, as JSON values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """A foreign plan: its items, and what a reader had to decide that its author should know."""

    format: str
    name: str
    """The base name of the file or folder."""
    items: tuple[PlanItem, ...]
    """In the order of the file, parents before their parts."""
    dangling: tuple[tuple[str, str], ...] = ()
    """Dependencies on what is not there: (the ref of the task that waits, the id that nobody has)."""
    guessed: tuple[str, ...] = ()
    """Sentences about what could have been meant otherwise."""
    skipped: tuple[str, ...] = ()
    """Sentences about what was left out."""
    renamed: tuple[str, ...] = ()
    """Sentences about titles that could not be kept."""
    raw: Mapping[str, object] = field(default_factory=dict[str, object])
    """What the file says beside its tasks, as JSON values."""
