"""The schema on one page: what is stored. What agents read are the records in `swarm_mcp.model`.

Enumerations are lower-case text with a CHECK; times are UTC; ids of tasks are eight random characters and all
other ids are UUIDs or rowids, so that nothing here depends on one machine's counters. Columns marked *derived* can
be recounted from the rest at any time; everything else about a task changes only together with an event.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from swarm_mcp.model.agent import AgentRole, Lifecycle
from swarm_mcp.model.lifecycle import Priority, TaskStatus
from swarm_mcp.model.memory import ContextKind
from swarm_mcp.model.message import InboxState, MessageType
from swarm_mcp.model.task import (
    CompletionChecks,
    Complexity,
    CriterionOutcome,
    DelegationState,
    EdgeType,
    ExecutionStatus,
)
from swarm_mcp.repository.types import ExactDecimal, Json, UtcTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Row_id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite makes a rowid alias of INTEGER PRIMARY KEY only."""


class Base(DeclarativeBase):
    """Every stored thing."""

    metadata = MetaData(naming_convention=NAMING)


def one_of(column: str, choices: type[StrEnum], *, or_empty: bool = False) -> CheckConstraint:
    """A CHECK that a text column holds a member of an enumeration."""
    words = [choice.value for choice in choices] + ([""] if or_empty else [])
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class ProjectRow(Base):
    """A wall: nothing crosses from one project to another. Its other columns are its policies."""

    __tablename__ = "project"
    __table_args__ = (one_of("completion_checks", CompletionChecks),)

    slug: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(Text, default="")
    completion_checks: Mapped[str] = mapped_column(String(16), default="enforce")
    lease_minutes: Mapped[int] = mapped_column(default=30)
    max_lapses: Mapped[int] = mapped_column(default=5)
    max_depth: Mapped[int] = mapped_column(default=8)
    require_review: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class AgentRow(Base):
    """A director, supervisor, coordinator, worker or specialist."""

    __tablename__ = "agent"
    __table_args__ = (
        UniqueConstraint("project", "name"),
        one_of("role", AgentRole),
        one_of("lifecycle", Lifecycle),
        CheckConstraint("superior_id <> id", name="own_superior"),
        Index("ix_agent_superior_id", "superior_id"),
        Index("ix_agent_directors", "project", "created_at", sqlite_where=text("role = 'director' AND superior_id IS NULL"),
              postgresql_where=text("role = 'director' AND superior_id IS NULL")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("project.slug"))
    name: Mapped[str] = mapped_column(String(63))
    title: Mapped[str] = mapped_column(Text, default="")
    description: Mapped[str] = mapped_column(Text, default="")
    role: Mapped[str] = mapped_column(String(16))
    specialty: Mapped[str] = mapped_column(String(63), default="")
    superior_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    level: Mapped[int] = mapped_column(SmallInteger, default=0)
    capabilities: Mapped[list[str]] = mapped_column(Json, default=list)
    capacity: Mapped[int] = mapped_column(default=0)
    lifecycle: Mapped[str] = mapped_column(String(16), default="active")
    config: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    health: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    policy_version: Mapped[str] = mapped_column(Text, default="")
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class ConnectionRow(Base):
    """A live connection of a client, so that two windows of one host get two names."""

    __tablename__ = "connection"
    __table_args__ = (Index("ix_connection_project_agent", "project", "agent"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("project.slug"))
    agent: Mapped[str] = mapped_column(String(63))
    host: Mapped[str] = mapped_column(Text)
    process: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)


class TeamRow(Base):
    """A group of agents that work may be handed to."""

    __tablename__ = "team"
    __table_args__ = (UniqueConstraint("project", "name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("project.slug"))
    name: Mapped[str] = mapped_column(String(63))
    supervisor_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    description: Mapped[str] = mapped_column(Text, default="")
    objective: Mapped[str] = mapped_column(Text, default="")
    config: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class TeamMemberRow(Base):
    """One stay of an agent in a team; at most one is current."""

    __tablename__ = "team_member"
    __table_args__ = (
        Index("uq_team_member_current", "team_id", "agent_id", unique=True,
              sqlite_where=text("left_at IS NULL"), postgresql_where=text("left_at IS NULL")),
        Index("ix_team_member_agent_id", "agent_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("team.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    role: Mapped[str] = mapped_column(String(63), default="member")
    joined_at: Mapped[datetime] = mapped_column(UtcTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcTime)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", Json, default=dict)


READY = "status = 'pending' AND archived_at IS NULL"
LISTED = "archived_at IS NULL"
OVERDUE = "deadline IS NOT NULL AND archived_at IS NULL AND status NOT IN ('completed', 'failed', 'cancelled')"
HELD = "holder_id IS NOT NULL"
LANE = "coalesce(assignee_id, pool_team_id, 'specialty:' || pool_specialty, '')"
FINISHED = "CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN 1 ELSE 0 END"
URGENCY = "CASE priority WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END"


class TaskRow(Base):
    """A piece of work."""

    __tablename__ = "task"
    __table_args__ = (
        one_of("status", TaskStatus),
        one_of("priority", Priority),
        one_of("complexity", Complexity, or_empty=True),
        CheckConstraint("length(id) = 8 AND id = lower(id)", name="id"),
        CheckConstraint("length(title) BETWEEN 1 AND 500", name="title"),
        CheckConstraint("phase IS NULL OR phase BETWEEN 1 AND 10", name="phase"),
        CheckConstraint("progress IS NULL OR progress BETWEEN 0 AND 100", name="progress"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="own_parent"),
        CheckConstraint("waits >= gates AND gates >= 0 AND open_subtasks BETWEEN 0 AND subtasks", name="counters"),
        CheckConstraint("rank < end_rank", name="rank"),
        CheckConstraint("lease_until IS NULL OR holder_id IS NOT NULL", name="lease"),
        CheckConstraint(
            "(holder_id IS NULL) = (status NOT IN ('in_progress', 'requires_assistance'))", name="holder"
        ),
        CheckConstraint("assignee_id IS NULL OR (pool_team_id IS NULL AND pool_specialty IS NULL)", name="place"),
        Index("ix_task_ready", "project", "lane", "urgency", "due", "created_at", "id",
              sqlite_where=text(READY), postgresql_where=text(READY)),
        Index("ix_task_expired", "project", "lease_until", sqlite_where=text("lease_until IS NOT NULL"),
              postgresql_where=text("lease_until IS NOT NULL")),
        Index("ix_task_held", "holder_id", sqlite_where=text(HELD), postgresql_where=text(HELD)),
        Index("ix_task_reserved", "project", sqlite_where=text("reserved_from IS NOT NULL"),
              postgresql_where=text("reserved_from IS NOT NULL")),
        Index("ix_task_list", "project", "status", "urgency", "due", "created_at", "id",
              sqlite_where=text(LISTED), postgresql_where=text(LISTED)),
        Index("ix_task_urgency", "project", "finished", "urgency", "due", "created_at", "id",
              sqlite_where=text(LISTED), postgresql_where=text(LISTED)),
        Index("ix_task_overdue", "project", "due", sqlite_where=text(OVERDUE), postgresql_where=text(OVERDUE)),
        Index("ix_task_parent_id", "parent_id"),
        Index("ix_task_assignee_id", "assignee_id"),
    )

    id: Mapped[str] = mapped_column(String(8), primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("project.slug"))
    # words
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    tags: Mapped[list[str]] = mapped_column(Json, default=list)
    task_type: Mapped[str] = mapped_column(Text, default="")
    area: Mapped[str] = mapped_column(Text, default="")
    phase: Mapped[int | None] = mapped_column(SmallInteger)
    complexity: Mapped[str] = mapped_column(String(16), default="")
    source: Mapped[str] = mapped_column(Text, default="")
    # place
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("task.id"))
    assignee_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    pool_team_id: Mapped[str | None] = mapped_column(ForeignKey("team.id"))
    pool_specialty: Mapped[str | None] = mapped_column(String(63))
    reserved_from: Mapped[dict[str, str] | None] = mapped_column(Json(none_as_null=True))
    """Where the task was before its worker split it and it was kept for that worker."""
    touches: Mapped[list[str]] = mapped_column(Json, default=list)
    # effort and time
    estimated_hours: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    actual_hours: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    deadline: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    # state
    status: Mapped[str] = mapped_column(String(24))
    priority: Mapped[str] = mapped_column(String(16), default="medium")
    hold_reason: Mapped[str | None] = mapped_column(Text)
    hold_by_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    attempt: Mapped[int] = mapped_column(default=0)
    """The fencing token: grows with every claim."""
    needs_review: Mapped[bool] = mapped_column(default=False)
    creator_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    """Who created it; nobody means the operator."""
    delegator_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    worker_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    """Who held it last."""
    source_status: Mapped[str] = mapped_column(Text, default="")
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(default=0)
    """How many of its events changed words, place, status, holder, attempt or assignee."""
    # result
    completion_summary: Mapped[str] = mapped_column(Text, default="")
    outputs: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    artifacts: Mapped[list[str]] = mapped_column(Json, default=list)
    error: Mapped[str] = mapped_column(Text, default="")
    # the claim's clock, and what is derived
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    lease_minutes: Mapped[int] = mapped_column(default=0)
    """What its holder asked for; 0 is the project's policy."""
    connection_id: Mapped[str] = mapped_column(String(36), default="")
    """The connection that claimed it, so that a call without a task renews only that connection's claims."""
    lapses: Mapped[int] = mapped_column(default=0)
    progress: Mapped[int | None] = mapped_column(SmallInteger)
    waits: Mapped[int] = mapped_column(default=0)
    """Derived: own unfinished `blocks` dependencies, plus `gates`."""
    gates: Mapped[int] = mapped_column(default=0)
    """Derived: ancestors that have a hold or unfinished dependencies of their own."""
    subtasks: Mapped[int] = mapped_column(default=0)
    """Derived: children, whatever has become of them, so that nobody looks for those of a leaf."""
    open_subtasks: Mapped[int] = mapped_column(default=0)
    """Derived: children that are neither completed nor cancelled."""
    rank: Mapped[int] = mapped_column(BigInteger)
    """Derived: a topological order of starts …"""
    end_rank: Mapped[int] = mapped_column(BigInteger)
    """… and of finishes (see repository.graph)."""
    lane: Mapped[str] = mapped_column(Text, Computed(LANE, persisted=True))
    urgency: Mapped[int] = mapped_column(SmallInteger, Computed(URGENCY, persisted=True))
    finished: Mapped[int] = mapped_column(SmallInteger, Computed(FINISHED, persisted=True))
    due: Mapped[datetime] = mapped_column(UtcTime)
    """Derived: the deadline, or the end of time, so that the ready queue sorts without NULLs."""


class TallyRow(Base):
    """Derived: how many tasks of a project have a status, so that no list counts a hundred thousand rows.

    Several shards share one count, lest all writers of a fleet queue for one row.
    """

    __tablename__ = "tally"

    project: Mapped[str] = mapped_column(ForeignKey("project.slug"), primary_key=True)
    status: Mapped[str] = mapped_column(String(24), primary_key=True)
    archived: Mapped[bool] = mapped_column(primary_key=True)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=0)
    tasks: Mapped[int] = mapped_column(default=0)


class ExternalRefRow(Base):
    """A name that a task had elsewhere, with the record as it was there."""

    __tablename__ = "external_ref"
    __table_args__ = (UniqueConstraint("project", "source", "foreign_id"), Index("ix_external_ref_task_id", "task_id"),
                      Index("ix_external_ref_foreign_id", "project", "foreign_id"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("project.slug"))
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"))
    source: Mapped[str] = mapped_column(Text)
    foreign_id: Mapped[str] = mapped_column(Text)
    raw: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class DependencyRow(Base):
    """`task` waits for `depends_on` (type blocks), or is otherwise related to it."""

    __tablename__ = "dependency"
    __table_args__ = (
        one_of("type", EdgeType),
        CheckConstraint("task_id <> depends_on_id", name="self"),
        Index("ix_dependency_depends_on_id", "depends_on_id", "type"),
    )

    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"), primary_key=True)
    depends_on_id: Mapped[str] = mapped_column(ForeignKey("task.id"), primary_key=True)
    type: Mapped[str] = mapped_column(String(16), primary_key=True, default="blocks")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    created_by_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))


class CriterionRow(Base):
    """One condition of "done"."""

    __tablename__ = "criterion"
    __table_args__ = (one_of("outcome", CriterionOutcome), CheckConstraint("position >= 1", name="position"))

    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text, default="")
    measurable: Mapped[str] = mapped_column(Text, default="")
    outcome: Mapped[str] = mapped_column(String(16), default="open")
    evidence: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    evaluated_at: Mapped[datetime | None] = mapped_column(UtcTime)


class DelegationRow(Base):
    """One handing down of a task, and what was said with it."""

    __tablename__ = "delegation"
    __table_args__ = (
        one_of("state", DelegationState),
        CheckConstraint("estimated_minutes IS NULL OR estimated_minutes BETWEEN 1 AND 480", name="minutes"),
        Index("ix_delegation_task_id", "task_id", "at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"))
    from_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    to_agent_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    to_team_id: Mapped[str | None] = mapped_column(ForeignKey("team.id"))
    to_specialty: Mapped[str | None] = mapped_column(String(63))
    at: Mapped[datetime] = mapped_column(UtcTime)
    reasoning: Mapped[str] = mapped_column(Text, default="")
    priority: Mapped[str] = mapped_column(String(16), default="")
    estimated_minutes: Mapped[int | None] = mapped_column()
    required_resources: Mapped[list[str]] = mapped_column(Json, default=list)
    success_criteria: Mapped[list[str]] = mapped_column(Json, default=list)
    risk_factors: Mapped[list[str]] = mapped_column(Json, default=list)
    depends_on: Mapped[list[str]] = mapped_column(Json, default=list)
    context_requirements: Mapped[list[str]] = mapped_column(Json, default=list)
    expected_deliverables: Mapped[list[str]] = mapped_column(Json, default=list)
    state: Mapped[str] = mapped_column(String(16), default="offered")
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was declined or recalled."""
    lapses: Mapped[int] = mapped_column(default=0)
    before: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    """Where the task was before it was handed down: what a release goes back to."""


class ExecutionRow(Base):
    """One attempt at a task, with the report that ended it."""

    __tablename__ = "execution"
    __table_args__ = (
        UniqueConstraint("task_id", "attempt"),
        one_of("status", ExecutionStatus),
        CheckConstraint("confidence IS NULL OR confidence BETWEEN 0 AND 1", name="confidence"),
        Index("ix_execution_agent_id", "agent_id", "started_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"))
    attempt: Mapped[int] = mapped_column()
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    specialty: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    status: Mapped[str] = mapped_column(String(16), default="running")
    success: Mapped[bool | None] = mapped_column()
    confidence: Mapped[float | None] = mapped_column(Float)
    summary: Mapped[str] = mapped_column(Text, default="")
    outputs: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    artifacts: Mapped[list[str]] = mapped_column(Json, default=list)
    issues_found: Mapped[list[str]] = mapped_column(Json, default=list)
    blocking_issues: Mapped[list[str]] = mapped_column(Json, default=list)
    next_actions: Mapped[list[str]] = mapped_column(Json, default=list)
    error: Mapped[str] = mapped_column(Text, default="")
    measurements: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class ProgressRow(Base):
    """One report of progress; never changed."""

    __tablename__ = "progress"
    __table_args__ = (
        CheckConstraint("percent IS NULL OR percent BETWEEN 0 AND 100", name="percent"),
        Index("ix_progress_task_id", "task_id", "id"),
    )

    id: Mapped[int] = mapped_column(Row_id, primary_key=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"))
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    percent: Mapped[int | None] = mapped_column(SmallInteger)
    message: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UtcTime)


class ContextRow(Base):
    """Something that everybody in the project may know; the latest per key counts."""

    __tablename__ = "context"
    __table_args__ = (one_of("kind", ContextKind), Index("ix_context_task_key", "project", "task_id", "key", "id"))

    id: Mapped[int] = mapped_column(Row_id, primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("project.slug"))
    task_id: Mapped[str | None] = mapped_column(ForeignKey("task.id"))
    key: Mapped[str] = mapped_column(Text)
    value: Mapped[Any] = mapped_column(Json)
    kind: Mapped[str] = mapped_column(String(16), default="fact")
    rationale: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    at: Mapped[datetime] = mapped_column(UtcTime)


class NoteRow(Base):
    """Something that only its author and the operator may read."""

    __tablename__ = "note"
    __table_args__ = (Index("ix_note_task_agent", "task_id", "agent_id", "id"),)

    id: Mapped[int] = mapped_column(Row_id, primary_key=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"))
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcTime)


class FeedbackRow(Base):
    """What a reviewer thought of the work: 1 very poor to 5 excellent."""

    __tablename__ = "feedback"
    __table_args__ = (
        CheckConstraint("quality IS NULL OR quality BETWEEN 1 AND 5", name="quality"),
        CheckConstraint("timeliness IS NULL OR timeliness BETWEEN 1 AND 5", name="timeliness"),
        Index("ix_feedback_task_id", "task_id", "id"),
    )

    id: Mapped[int] = mapped_column(Row_id, primary_key=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"))
    by_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    worker_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    quality: Mapped[int | None] = mapped_column(SmallInteger)
    timeliness: Mapped[int | None] = mapped_column(SmallInteger)
    notes: Mapped[str] = mapped_column(Text, default="")
    verdict: Mapped[str] = mapped_column(String(16), default="")
    at: Mapped[datetime] = mapped_column(UtcTime)


class ParticipantRow(Base):
    """An agent that has to do with a task and hears of it."""

    __tablename__ = "participant"

    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"), primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(63), default="")
    joined_at: Mapped[datetime] = mapped_column(UtcTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcTime)


class ConversationRow(Base):
    """A thread of messages, usually about a task."""

    __tablename__ = "conversation"
    __table_args__ = (CheckConstraint("status IN ('active', 'paused', 'completed')", name="status"),
                      Index("ix_conversation_task_id", "task_id"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("project.slug"))
    task_id: Mapped[str | None] = mapped_column(ForeignKey("task.id"))
    title: Mapped[str] = mapped_column(Text, default="")
    type: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(16), default="active")
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class MessageRow(Base):
    """Something said by one agent to others."""

    __tablename__ = "message"
    __table_args__ = (
        one_of("type", MessageType),
        Index("ix_message_task_id", "task_id", "id"),
        Index("ix_message_conversation_id", "conversation_id", "id"),
        Index("ix_message_open_questions", "project", "asked_at", sqlite_where=text("asked_at IS NOT NULL"),
              postgresql_where=text("asked_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Row_id, primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("project.slug"))
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversation.id"))
    task_id: Mapped[str | None] = mapped_column(ForeignKey("task.id"))
    sender_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    """Nobody means the operator."""
    type: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    reply_to_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    at: Mapped[datetime] = mapped_column(UtcTime)
    attempt: Mapped[int | None] = mapped_column()
    """Of a question: the attempt that waits for the answer."""
    asked_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    """Of an open question: who should answer; nobody means the operator."""
    asked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """Of an open question: since when. Absent once answered or withdrawn."""


class InboxRow(Base):
    """One recipient's copy of a message, or a notification; every recipient has its own read mark."""

    __tablename__ = "inbox"
    __table_args__ = (
        one_of("state", InboxState),
        Index("ix_inbox_unread", "project", "agent_id", "id", sqlite_where=text("state <> 'read'"),
              postgresql_where=text("state <> 'read'")),
        Index("uq_inbox_notification", "agent_id", "task_id", "kind", unique=True,
              sqlite_where=text("message_id IS NULL AND state <> 'read'"),
              postgresql_where=text("message_id IS NULL AND state <> 'read'")),
        Index("ix_inbox_message_id", "message_id"),
    )

    id: Mapped[int] = mapped_column(Row_id, primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("project.slug"))
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    """Whose copy; nobody means the operator's."""
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    task_id: Mapped[str | None] = mapped_column(ForeignKey("task.id"))
    kind: Mapped[str] = mapped_column(String(32), default="")
    text: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UtcTime)
    state: Mapped[str] = mapped_column(String(8), default="new")


class EventRow(Base):
    """The ledger: what changed, before and after, written in the transaction of the change."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_task_id", "task_id", "seq"),
        Index("ix_event_released", "agent_id", "at", sqlite_where=text("kind = 'released'"), postgresql_where=text("kind = 'released'")),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(Row_id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    project: Mapped[str] = mapped_column(ForeignKey("project.slug"))
    kind: Mapped[str] = mapped_column(String(32))
    task_id: Mapped[str | None] = mapped_column(ForeignKey("task.id"))
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    """Who acted; nobody means the operator or the board itself."""
    via: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int | None] = mapped_column()
    """The task's version after it, if it counts for the version."""
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class IdempotencyRow(Base):
    """The first success under a key, so that a repeated call repeats the answer and not the effect."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_at", "at"),)

    project: Mapped[str] = mapped_column(ForeignKey("project.slug"), primary_key=True)
    agent: Mapped[str] = mapped_column(String(63), primary_key=True)
    operation: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    arguments: Mapped[str] = mapped_column(String(64))
    """A digest of the arguments."""
    result: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(UtcTime)
