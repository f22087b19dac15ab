"""The schema on one page: what is stored. What agents read are the records in `swarm_mcp.model`.

Enumerations are lower-case text with a CHECK; times are UTC; ids of tasks are eight random characters and all
other ids are UUIDs or rowids, so that nothing here depends on one machine's counters. Columns marked *derived* can
be recounted from the rest at any time; everything else about a task changes only together with an event.

These are Core tables, which a server can do with alone; the mapped classes for scripts (`TaskRow` and so on) are made
on first use, because the library's ORM costs 12 MB and a tenth of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    FetchedValue,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.event import listen
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex

from swarm_mcp.model.agent import AgentRole, Lifecycle
from swarm_mcp.model.bearer import TokenScope
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
from swarm_mcp.repository.types import ExactDecimal, Json, UtcTime, bytewise

if TYPE_CHECKING:
    from enum import StrEnum

    from sqlalchemy.sql.compiler import DDLCompiler

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

WHERE = "where"
"""Of an index over some of the rows only: the key in its `info` under which the condition is. The library has an option
for each database instead, and to name one imports all that it knows of that database: 2 MB of PostgreSQL."""


@compiles(CreateIndex)
def _create_index(statement: CreateIndex, compiler: DDLCompiler, **said: Any) -> str:
    """Tell the library of the condition, now that it is known of which database it is."""
    index = statement.element
    if where := index.info.get(WHERE):
        index.dialect_options[compiler.dialect.name]["where"] = text(where)
    return compiler.visit_create_index(statement, **said)


Row_id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite makes a rowid alias of INTEGER PRIMARY KEY only."""


metadata = MetaData(naming_convention=NAMING)


def one_of(column: str, choices: type[StrEnum], *, or_empty: bool = False) -> CheckConstraint:
    """A CHECK that a text column holds a member of an enumeration."""
    words = [choice.value for choice in choices] + ([""] if or_empty else [])
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column, info={"column": column, "words": words})


project = Table(
    "project",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("title", Text, nullable=False, default=""),
    Column("completion_checks", String(16), nullable=False, default="enforce"),
    Column("lease_minutes", Integer, nullable=False, default=30),
    Column("max_lapses", Integer, nullable=False, default=5),
    Column("max_depth", Integer, nullable=False, default=8),
    Column("require_review", Boolean, nullable=False, default=False),
    Column("created_at", UtcTime, nullable=False),
    one_of("completion_checks", CompletionChecks),
)
"""A wall: nothing crosses from one project to another. Its other columns are its policies."""


agent = Table(
    "agent",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project", ForeignKey("project.slug"), nullable=False),
    Column("name", String(63), nullable=False),
    Column("title", Text, nullable=False, default=""),
    Column("description", Text, nullable=False, default=""),
    Column("role", String(16), nullable=False),
    Column("specialty", String(63), nullable=False, default=""),
    Column("superior_id", ForeignKey("agent.id")),
    Column("level", SmallInteger, nullable=False, default=0),
    Column("capabilities", Json, nullable=False, default=list),
    Column("capacity", Integer, nullable=False, default=0),
    Column("lifecycle", String(16), nullable=False, default="active"),
    Column("config", Json, nullable=False, default=dict),
    Column("health", Json, nullable=False, default=dict),
    Column("policy_version", Text, nullable=False, default=""),
    Column("last_seen_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("project", "name"),
    one_of("role", AgentRole),
    one_of("lifecycle", Lifecycle),
    CheckConstraint("superior_id <> id", name="own_superior"),
    Index("ix_agent_superior_id", "superior_id"),
    Index(
        "ix_agent_directors",
        "project",
        "created_at",
        info={WHERE: "role = 'director' AND superior_id IS NULL"},
    ),
)
"""A director, supervisor, coordinator, worker or specialist."""


connection = Table(
    "connection",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project", ForeignKey("project.slug"), nullable=False),
    Column("agent", String(63), nullable=False),
    Column("host", Text, nullable=False),
    Column("process", BigInteger, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column(
        "subscriptions",
        Json,
        nullable=False,
        server_default="[]",
        doc="The resources to which a session over HTTP has subscribed: its stream may be open at another server.",
    ),
    Index("ix_connection_project_agent", "project", "agent"),
)
"""A live connection of a client, so that two windows of one host get two names. A session over HTTP belongs to no
process (`process` 0): any server of the board may go on with it."""


token = Table(
    "token",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("project", ForeignKey("project.slug"), nullable=False),
    Column("digest", String(64), nullable=False, doc="SHA-256 of the secret, which is stored nowhere."),
    Column("agent", String(63), nullable=False, doc="By its name: it may be on the board only later."),
    Column("scope", String(16), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("last_used_at", UtcTime, doc="To the minute."),
    one_of("scope", TokenScope),
    Index("ix_token_project", "project"),
)
"""What an agent shows that calls from elsewhere."""


team = Table(
    "team",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project", ForeignKey("project.slug"), nullable=False),
    Column("name", String(63), nullable=False),
    Column("supervisor_id", ForeignKey("agent.id")),
    Column("description", Text, nullable=False, default=""),
    Column("objective", Text, nullable=False, default=""),
    Column("config", Json, nullable=False, default=dict),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("project", "name"),
)
"""A group of agents that work may be handed to."""


team_member = Table(
    "team_member",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("team_id", ForeignKey("team.id"), nullable=False),
    Column("agent_id", ForeignKey("agent.id"), nullable=False),
    Column("role", String(63), nullable=False, default="member"),
    Column("joined_at", UtcTime, nullable=False),
    Column("left_at", UtcTime),
    Column("metadata", Json, nullable=False, key="details", default=dict),
    Index(
        "uq_team_member_current",
        "team_id",
        "agent_id",
        unique=True,
        info={WHERE: "left_at IS NULL"},
    ),
    Index("ix_team_member_agent_id", "agent_id"),
)
"""One stay of an agent in a team; at most one is current."""


READY = "status = 'pending' AND archived_at IS NULL"
UNHINDERED = "status = 'in_progress' AND waits = 0 AND open_subtasks = 0"
LISTED = "archived_at IS NULL"
OVERDUE = "deadline IS NOT NULL AND archived_at IS NULL AND status NOT IN ('completed', 'failed', 'cancelled')"
HELD = "holder_id IS NOT NULL"
LANE = "coalesce(assignee_id, pool_team_id, 'specialty:' || pool_specialty, '')"
FINISHED = "CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN 1 ELSE 0 END"
URGENCY = "CASE priority WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END"


task = Table(
    "task",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("project", ForeignKey("project.slug"), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False, default=""),
    Column("tags", Json, nullable=False, default=list),
    Column("task_type", Text, nullable=False, default=""),
    Column("area", Text, nullable=False, default=""),
    Column("phase", SmallInteger),
    Column("complexity", String(16), nullable=False, default=""),
    Column("source", Text, nullable=False, default=""),
    Column("parent_id", ForeignKey("task.id")),
    Column("assignee_id", ForeignKey("agent.id")),
    Column("pool_team_id", ForeignKey("team.id")),
    Column("pool_specialty", String(63)),
    Column(
        "reserved_from",
        Json(none_as_null=True),
        doc="Where the task was before its worker split it and it was kept for that worker.",
    ),
    Column("touches", Json, nullable=False, default=list),
    Column("estimated_hours", ExactDecimal),
    Column("actual_hours", ExactDecimal),
    Column("deadline", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("completed_at", UtcTime),
    Column("status", String(24), nullable=False),
    Column("priority", String(16), nullable=False, default="medium"),
    Column("hold_reason", Text),
    Column("hold_by_id", ForeignKey("agent.id")),
    Column("holder_id", ForeignKey("agent.id")),
    Column("attempt", Integer, nullable=False, default=0, doc="The fencing token: grows with every claim."),
    Column("needs_review", Boolean, nullable=False, default=False),
    Column("creator_id", ForeignKey("agent.id"), doc="Who created it; nobody means the operator."),
    Column("delegator_id", ForeignKey("agent.id")),
    Column("worker_id", ForeignKey("agent.id"), doc="Who held it last."),
    Column("source_status", Text, nullable=False, default=""),
    Column("archived_at", UtcTime),
    Column(
        "version",
        Integer,
        nullable=False,
        default=0,
        doc="How many of its events changed words, place, status, holder, attempt or assignee.",
    ),
    Column("completion_summary", Text, nullable=False, default=""),
    Column("outputs", Json, nullable=False, default=dict),
    Column("artifacts", Json, nullable=False, default=list),
    Column("error", Text, nullable=False, default=""),
    Column("lease_until", UtcTime),
    Column(
        "lease_minutes", Integer, nullable=False, default=0, doc="What its holder asked for; 0 is the project's policy."
    ),
    Column(
        "connection_id",
        String(36),
        nullable=False,
        default="",
        doc="The connection that claimed it, so that a call without a task renews only that connection's claims.",
    ),
    Column("lapses", Integer, nullable=False, default=0),
    Column("progress", SmallInteger),
    Column(
        "waits", Integer, nullable=False, default=0, doc="Derived: own unfinished `blocks` dependencies, plus `gates`."
    ),
    Column(
        "gates",
        Integer,
        nullable=False,
        default=0,
        doc="Derived: ancestors that have a hold or unfinished dependencies of their own.",
    ),
    Column(
        "subtasks",
        Integer,
        nullable=False,
        default=0,
        doc="Derived: children, whatever has become of them, so that nobody looks for those of a leaf.",
    ),
    Column(
        "open_subtasks",
        Integer,
        nullable=False,
        default=0,
        doc="Derived: children that are neither completed nor cancelled.",
    ),
    Column("rank", BigInteger, nullable=False, doc="Derived: a topological order of starts …"),
    Column("end_rank", BigInteger, nullable=False, doc="… and of finishes (see repository.graph)."),
    Column("lane", Text, Computed(LANE, persisted=True), nullable=False),
    Column("urgency", SmallInteger, Computed(URGENCY, persisted=True), nullable=False),
    Column("finished", SmallInteger, Computed(FINISHED, persisted=True), nullable=False),
    Column(
        "due",
        UtcTime,
        nullable=False,
        doc="Derived: the deadline, or the end of time, so that the ready queue sorts without NULLs.",
    ),
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
    CheckConstraint("(holder_id IS NULL) = (status NOT IN ('in_progress', 'requires_assistance'))", name="holder"),
    CheckConstraint("assignee_id IS NULL OR (pool_team_id IS NULL AND pool_specialty IS NULL)", name="place"),
    Index(
        "ix_task_ready",
        "project",
        "lane",
        "urgency",
        "due",
        "created_at",
        "id",
        info={WHERE: READY},
    ),
    Index(
        "ix_task_expired",
        "project",
        "lease_until",
        info={WHERE: "lease_until IS NOT NULL"},
    ),
    Index("ix_task_held", "holder_id", info={WHERE: HELD}),
    Index(
        "ix_task_reserved",
        "project",
        info={WHERE: "reserved_from IS NOT NULL"},
    ),
    Index(
        "ix_task_list",
        "project",
        "status",
        "urgency",
        "due",
        "created_at",
        "id",
        info={WHERE: LISTED},
    ),
    Index(
        "ix_task_urgency",
        "project",
        "finished",
        "urgency",
        "due",
        "created_at",
        "id",
        info={WHERE: LISTED},
    ),
    Index("ix_task_created", "project", "created_at", "id", info={WHERE: LISTED}),
    Index("ix_task_due", "project", "due", "id", info={WHERE: LISTED}),
    Index("ix_task_overdue", "project", "due", info={WHERE: OVERDUE}),
    Index("ix_task_parent_id", "parent_id"),
    Index("ix_task_assignee_id", "assignee_id", info={WHERE: "assignee_id IS NOT NULL"}),
)
"""A piece of work."""


tally = Table(
    "tally",
    metadata,
    Column("project", ForeignKey("project.slug"), primary_key=True),
    Column("status", String(24), primary_key=True),
    Column("archived", Boolean, primary_key=True),
    Column("shard", SmallInteger, primary_key=True, default=0),
    Column("tasks", Integer, nullable=False, default=0),
)
"""Derived: how many tasks of a project have a status, so that no list counts a hundred thousand rows.

Several shards share one count, lest all writers of a fleet queue for one row."""


external_ref = Table(
    "external_ref",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project", ForeignKey("project.slug"), nullable=False),
    Column("task_id", ForeignKey("task.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("foreign_id", Text, nullable=False),
    Column("raw", Json, nullable=False, default=dict),
    UniqueConstraint("project", "source", "foreign_id"),
    Index("ix_external_ref_task_id", "task_id"),
    Index("ix_external_ref_foreign_id", "project", "foreign_id"),
)
"""A name that a task had elsewhere, with the record as it was there."""


dependency = Table(
    "dependency",
    metadata,
    Column("task_id", ForeignKey("task.id"), primary_key=True),
    Column("depends_on_id", ForeignKey("task.id"), primary_key=True),
    Column("type", String(16), primary_key=True, default="blocks"),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by_id", ForeignKey("agent.id")),
    one_of("type", EdgeType),
    CheckConstraint("task_id <> depends_on_id", name="self"),
    Index("ix_dependency_depends_on_id", "depends_on_id", "type"),
)
"""`task` waits for `depends_on` (type blocks), or is otherwise related to it."""


criterion = Table(
    "criterion",
    metadata,
    Column("task_id", ForeignKey("task.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("text", Text, nullable=False, default=""),
    Column("measurable", Text, nullable=False, default=""),
    Column("outcome", String(16), nullable=False, default="open"),
    Column("evidence", Text, nullable=False, default=""),
    Column("reason", Text, nullable=False, default=""),
    Column("evaluated_at", UtcTime),
    one_of("outcome", CriterionOutcome),
    CheckConstraint("position >= 1", name="position"),
    sqlite_with_rowid=False,
)
"""One condition of "done"."""


delegation = Table(
    "delegation",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("task_id", ForeignKey("task.id"), nullable=False),
    Column("from_id", ForeignKey("agent.id")),
    Column("to_agent_id", ForeignKey("agent.id")),
    Column("to_team_id", ForeignKey("team.id")),
    Column("to_specialty", String(63)),
    Column("at", UtcTime, nullable=False),
    Column("reasoning", Text, nullable=False, default=""),
    Column("priority", String(16), nullable=False, default=""),
    Column("estimated_minutes", Integer),
    Column("required_resources", Json, nullable=False, default=list),
    Column("success_criteria", Json, nullable=False, default=list),
    Column("risk_factors", Json, nullable=False, default=list),
    Column("depends_on", Json, nullable=False, default=list),
    Column("context_requirements", Json, nullable=False, default=list),
    Column("expected_deliverables", Json, nullable=False, default=list),
    Column("state", String(16), nullable=False, default="offered"),
    Column("reason", Text, nullable=False, default="", doc="Why it was declined or recalled."),
    Column("lapses", Integer, nullable=False, default=0),
    Column(
        "before",
        Json,
        nullable=False,
        default=dict,
        doc="Where the task was before it was handed down: what a release goes back to.",
    ),
    one_of("state", DelegationState),
    CheckConstraint("estimated_minutes IS NULL OR estimated_minutes BETWEEN 1 AND 480", name="minutes"),
    Index("ix_delegation_task_id", "task_id", "at"),
)
"""One handing down of a task, and what was said with it."""


execution = Table(
    "execution",
    metadata,
    Column("id", String(36), nullable=False),  # nothing looks for it
    Column("task_id", ForeignKey("task.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("agent_id", ForeignKey("agent.id")),
    Column("specialty", Text, nullable=False, default=""),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("status", String(16), nullable=False, default="running"),
    Column("success", Boolean),
    Column("confidence", Float),
    Column("summary", Text, nullable=False, default=""),
    Column("outputs", Json, nullable=False, default=dict),
    Column("artifacts", Json, nullable=False, default=list),
    Column("issues_found", Json, nullable=False, default=list),
    Column("blocking_issues", Json, nullable=False, default=list),
    Column("next_actions", Json, nullable=False, default=list),
    Column("error", Text, nullable=False, default=""),
    Column("measurements", Json, nullable=False, default=dict),
    one_of("status", ExecutionStatus),
    CheckConstraint("confidence IS NULL OR confidence BETWEEN 0 AND 1", name="confidence"),
    Index("ix_execution_agent_id", "agent_id", "started_at"),
    sqlite_with_rowid=False,
)
"""One attempt at a task, with the report that ended it."""


progress = Table(
    "progress",
    metadata,
    Column("id", Row_id, primary_key=True),
    Column("task_id", ForeignKey("task.id"), nullable=False),
    Column("agent_id", ForeignKey("agent.id")),
    Column("percent", SmallInteger),
    Column("message", Text, nullable=False, default=""),
    Column("at", UtcTime, nullable=False),
    CheckConstraint("percent IS NULL OR percent BETWEEN 0 AND 100", name="percent"),
    Index("ix_progress_task_id", "task_id", "id"),
)
"""One report of progress; never changed."""


context = Table(
    "context",
    metadata,
    Column("id", Row_id, primary_key=True),
    Column("project", ForeignKey("project.slug"), nullable=False),
    Column("task_id", ForeignKey("task.id")),
    Column("key", Text, nullable=False),
    Column("value", Json, nullable=False),
    Column("kind", String(16), nullable=False, default="fact"),
    Column("rationale", Text, nullable=False, default=""),
    Column("by_id", ForeignKey("agent.id")),
    Column("at", UtcTime, nullable=False),
    one_of("kind", ContextKind),
    Index("ix_context_task_key", "project", "task_id", "key", "id"),
)
"""Something that everybody in the project may know; the latest per key counts."""


note = Table(
    "note",
    metadata,
    Column("id", Row_id, primary_key=True),
    Column("task_id", ForeignKey("task.id"), nullable=False),
    Column("agent_id", ForeignKey("agent.id")),
    Column("text", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_note_task_agent", "task_id", "agent_id", "id"),
)
"""Something that only its author and the operator may read."""


feedback = Table(
    "feedback",
    metadata,
    Column("id", Row_id, primary_key=True),
    Column("task_id", ForeignKey("task.id"), nullable=False),
    Column("by_id", ForeignKey("agent.id")),
    Column("worker_id", ForeignKey("agent.id")),
    Column("quality", SmallInteger),
    Column("timeliness", SmallInteger),
    Column("notes", Text, nullable=False, default=""),
    Column("verdict", String(16), nullable=False, default=""),
    Column("at", UtcTime, nullable=False),
    CheckConstraint("quality IS NULL OR quality BETWEEN 1 AND 5", name="quality"),
    CheckConstraint("timeliness IS NULL OR timeliness BETWEEN 1 AND 5", name="timeliness"),
    Index("ix_feedback_task_id", "task_id", "id"),
    Index("ix_feedback_worker_id", "worker_id", "id"),
)
"""What a reviewer thought of the work: 1 very poor to 5 excellent."""


participant = Table(
    "participant",
    metadata,
    Column("task_id", ForeignKey("task.id"), primary_key=True),
    Column("agent_id", ForeignKey("agent.id"), primary_key=True),
    Column("role", String(63), nullable=False, default=""),
    Column("joined_at", UtcTime, nullable=False),
    Column("left_at", UtcTime),
    sqlite_with_rowid=False,
)
"""An agent that has to do with a task and hears of it."""


conversation = Table(
    "conversation",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project", ForeignKey("project.slug"), nullable=False),
    Column("task_id", ForeignKey("task.id")),
    Column("title", Text, nullable=False, default=""),
    Column("type", Text, nullable=False, default=""),
    Column("status", String(16), nullable=False, default="active"),
    Column("created_at", UtcTime, nullable=False),
    CheckConstraint("status IN ('active', 'paused', 'completed')", name="status"),
    Index("ix_conversation_task_id", "task_id"),
)
"""A thread of messages, usually about a task."""


message = Table(
    "message",
    metadata,
    Column("id", Row_id, primary_key=True),
    Column("project", ForeignKey("project.slug"), nullable=False),
    Column("conversation_id", ForeignKey("conversation.id")),
    Column("task_id", ForeignKey("task.id")),
    Column("sender_id", ForeignKey("agent.id"), doc="Nobody means the operator."),
    Column("type", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("reply_to_id", ForeignKey("message.id")),
    Column("at", UtcTime, nullable=False),
    Column("attempt", Integer, doc="Of a question: the attempt that waits for the answer."),
    Column(
        "asked_id", ForeignKey("agent.id"), doc="Of an open question: who should answer; nobody means the operator."
    ),
    Column("asked_at", UtcTime, doc="Of an open question: since when. Absent once answered or withdrawn."),
    one_of("type", MessageType),
    Index("ix_message_task_id", "task_id", "id"),
    Index("ix_message_conversation_id", "conversation_id", "id"),
    Index(
        "ix_message_open_questions",
        "project",
        "asked_at",
        info={WHERE: "asked_at IS NOT NULL"},
    ),
)
"""Something said by one agent to others."""


inbox = Table(
    "inbox",
    metadata,
    Column("id", Row_id, primary_key=True),
    Column("project", ForeignKey("project.slug"), nullable=False),
    Column("agent_id", ForeignKey("agent.id"), doc="Whose copy; nobody means the operator's."),
    Column("message_id", ForeignKey("message.id")),
    Column("task_id", ForeignKey("task.id")),
    Column("kind", String(32), nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
    Column("at", UtcTime, nullable=False),
    Column("state", String(8), nullable=False, default="new"),
    one_of("state", InboxState),
    Index(
        "ix_inbox_unread",
        "project",
        "agent_id",
        "id",
        info={WHERE: "state <> 'read'"},
    ),
    Index(
        "uq_inbox_notification",
        "agent_id",
        "task_id",
        "kind",
        unique=True,
        info={WHERE: "message_id IS NULL AND state <> 'read'"},
    ),
    Index("ix_inbox_message_id", "message_id", "agent_id"),
)
"""One recipient's copy of a message, or a notification; every recipient has its own read mark."""


event = Table(
    "event",
    metadata,
    Column("seq", Row_id, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("project", ForeignKey("project.slug"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("task_id", ForeignKey("task.id")),
    Column("agent_id", ForeignKey("agent.id"), doc="Who acted; nobody means the operator or the board itself."),
    Column("via", Text, nullable=False, default=""),
    Column("version", Integer, doc="The task's version after it, if it counts for the version."),
    Column("data", Json, nullable=False, default=dict),
    Column(
        "xact",
        BigInteger,
        FetchedValue(),
        doc="On PostgreSQL: the transaction that wrote it, because the order of numbers is not the order of commits.",
    ),
    Index("ix_event_task_id", "task_id", "seq"),
    Index(
        "ix_event_xact",
        "xact",
        "seq",
        info={WHERE: "xact IS NOT NULL"},
    ),
    Index(
        "ix_event_released",
        "agent_id",
        "at",
        info={WHERE: "kind = 'released'"},
    ),
    sqlite_autoincrement=True,
)
"""The ledger: what changed, before and after, written in the transaction of the change."""


idempotency = Table(
    "idempotency",
    metadata,
    Column("project", ForeignKey("project.slug"), primary_key=True),
    Column("agent", String(63), primary_key=True),
    Column("operation", String(40), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("arguments", String(64), nullable=False, doc="A digest of the arguments."),
    Column("result", Json, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_idempotency_at", "at"),
)
"""The first success under a key, so that a repeated call repeats the answer and not the effect."""


wording = Table(
    "wording",
    metadata,
    Column("number", Row_id, primary_key=True),
    Column("task_id", ForeignKey("task.id"), nullable=False, unique=True),
)
"""Derived: the number under which SQLite's index of words knows a task."""


unindexed = Table(
    "unindexed",
    metadata,
    Column("place", Row_id, primary_key=True),
    Column("task_id", ForeignKey("task.id"), nullable=False),
    Column("number", BigInteger, doc="What the index knows it under; nothing while it does not know it at all."),
    Column("title", Text, doc="The words that the index still has, here …"),
    Column("description", Text, doc="… and here …"),
    Column("summary", Text, doc="… and here."),
)
"""Derived: the few tasks whose words the index does not have, or not as they are now."""


WORD_INDEXES = {"task_words": "title, description, summary", "context_words": "text", "message_words": "text"}
"""Derived: SQLite's indexes of words, which are no tables for SQLAlchemy; only `repository.indexing` writes them."""


WORD_TABLES = {"task_words": "task", "context_words": "context", "message_words": "message"}
"""Derived: the same on PostgreSQL, one row for each row of these."""


def index_of_words(name: str) -> str:
    """The statement that makes an index of words on SQLite."""
    tokenizer = "unicode61 remove_diacritics 2"
    return f"CREATE VIRTUAL TABLE {name} USING fts5({WORD_INDEXES[name]}, content='', tokenize='{tokenizer}')"


def table_of_words(name: str) -> list[str]:
    """The statements that make an index of words on PostgreSQL."""
    about = WORD_TABLES[name]
    key = 'task_id varchar(8) COLLATE "C"' if about == "task" else "id bigint"
    return [
        f"CREATE TABLE {name} ({key} PRIMARY KEY REFERENCES {about} (id), words tsvector NOT NULL)",
        f"CREATE INDEX ix_{name}_words ON {name} USING gin (words)",
    ]


for _column in (column for made in metadata.tables.values() for column in made.c):
    if isinstance(_column.type, String):
        _column.type = bytewise(_column.type)

XACT_DEFAULT = "ALTER TABLE event ALTER COLUMN xact SET DEFAULT pg_current_xact_id()::text::bigint"
"""PostgreSQL notes by itself which transaction wrote an event."""
listen(metadata, "after_create", DDL(XACT_DEFAULT).execute_if(dialect="postgresql"))

for _name in WORD_INDEXES:
    listen(metadata, "after_create", DDL(index_of_words(_name)).execute_if(dialect="sqlite"))
    for _statement in table_of_words(_name):
        listen(metadata, "after_create", DDL(_statement).execute_if(dialect="postgresql"))


def __getattr__(name: str) -> Any:
    """Map a class to its table on first use."""
    if name.endswith("Row"):
        from swarm_mcp.repository.rows import MAPPED  # noqa: PLC0415 - see above

        if name in MAPPED:
            return MAPPED[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
