"""The first schema: projects, agents, tasks and everything around them.

Revision 0001, after nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from swarm_mcp.repository.types import ExactDecimal, Json, UtcTime, bytewise

revision = "0001"
down_revision = None

TABLES = (
    "project",
    "agent",
    "connection",
    "idempotency",
    "tally",
    "team",
    "task",
    "team_member",
    "context",
    "conversation",
    "criterion",
    "delegation",
    "dependency",
    "event",
    "execution",
    "external_ref",
    "feedback",
    "note",
    "participant",
    "progress",
    "message",
    "inbox",
)


def upgrade() -> None:
    """Make every table, and the project that is there from the beginning."""
    op.create_table(
        "project",
        sa.Column("slug", bytewise(sa.String(64)), nullable=False),
        sa.Column("title", bytewise(sa.Text()), nullable=False),
        sa.Column("completion_checks", bytewise(sa.String(16)), nullable=False),
        sa.Column("lease_minutes", sa.Integer(), nullable=False),
        sa.Column("max_lapses", sa.Integer(), nullable=False),
        sa.Column("max_depth", sa.Integer(), nullable=False),
        sa.Column("require_review", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.CheckConstraint(
            "completion_checks IN ('enforce', 'warn', 'off')", name=op.f("ck_project_completion_checks")
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_project")),
    )
    op.create_table(
        "agent",
        sa.Column("id", bytewise(sa.String(36)), nullable=False),
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("name", bytewise(sa.String(63)), nullable=False),
        sa.Column("title", bytewise(sa.Text()), nullable=False),
        sa.Column("description", bytewise(sa.Text()), nullable=False),
        sa.Column("role", bytewise(sa.String(16)), nullable=False),
        sa.Column("specialty", bytewise(sa.String(63)), nullable=False),
        sa.Column("superior_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("capabilities", Json(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("lifecycle", bytewise(sa.String(16)), nullable=False),
        sa.Column("config", Json(), nullable=False),
        sa.Column("health", Json(), nullable=False),
        sa.Column("policy_version", bytewise(sa.Text()), nullable=False),
        sa.Column("last_seen_at", UtcTime(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.CheckConstraint(
            "lifecycle IN ('spawning', 'active', 'paused', 'failed', 'terminated')", name=op.f("ck_agent_lifecycle")
        ),
        sa.CheckConstraint(
            "role IN ('director', 'supervisor', 'coordinator', 'worker', 'specialist')", name=op.f("ck_agent_role")
        ),
        sa.CheckConstraint("superior_id <> id", name=op.f("ck_agent_own_superior")),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_agent_project_project")),
        sa.ForeignKeyConstraint(["superior_id"], ["agent.id"], name=op.f("fk_agent_superior_id_agent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent")),
        sa.UniqueConstraint("project", "name", name=op.f("uq_agent_project_name")),
    )
    op.create_index(
        "ix_agent_directors",
        "agent",
        ["project", "created_at"],
        unique=False,
        sqlite_where=sa.text("role = 'director' AND superior_id IS NULL"),
        postgresql_where=sa.text("role = 'director' AND superior_id IS NULL"),
    )
    op.create_index("ix_agent_superior_id", "agent", ["superior_id"], unique=False)
    op.create_table(
        "connection",
        sa.Column("id", bytewise(sa.String(36)), nullable=False),
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("agent", bytewise(sa.String(63)), nullable=False),
        sa.Column("host", bytewise(sa.Text()), nullable=False),
        sa.Column("process", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", UtcTime(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_connection_project_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
    )
    op.create_index("ix_connection_project_agent", "connection", ["project", "agent"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("agent", bytewise(sa.String(63)), nullable=False),
        sa.Column("operation", bytewise(sa.String(40)), nullable=False),
        sa.Column("key", bytewise(sa.String(200)), nullable=False),
        sa.Column("arguments", bytewise(sa.String(64)), nullable=False),
        sa.Column("result", Json(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_idempotency_project_project")),
        sa.PrimaryKeyConstraint("project", "agent", "operation", "key", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"], unique=False)
    op.create_table(
        "tally",
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("status", bytewise(sa.String(24)), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_tally_project_project")),
        sa.PrimaryKeyConstraint("project", "status", "archived", "shard", name=op.f("pk_tally")),
    )
    op.create_table(
        "team",
        sa.Column("id", bytewise(sa.String(36)), nullable=False),
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("name", bytewise(sa.String(63)), nullable=False),
        sa.Column("supervisor_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("description", bytewise(sa.Text()), nullable=False),
        sa.Column("objective", bytewise(sa.Text()), nullable=False),
        sa.Column("config", Json(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_team_project_project")),
        sa.ForeignKeyConstraint(["supervisor_id"], ["agent.id"], name=op.f("fk_team_supervisor_id_agent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("project", "name", name=op.f("uq_team_project_name")),
    )
    op.create_table(
        "task",
        sa.Column("id", bytewise(sa.String(8)), nullable=False),
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("title", bytewise(sa.Text()), nullable=False),
        sa.Column("description", bytewise(sa.Text()), nullable=False),
        sa.Column("tags", Json(), nullable=False),
        sa.Column("task_type", bytewise(sa.Text()), nullable=False),
        sa.Column("area", bytewise(sa.Text()), nullable=False),
        sa.Column("phase", sa.SmallInteger(), nullable=True),
        sa.Column("complexity", bytewise(sa.String(16)), nullable=False),
        sa.Column("source", bytewise(sa.Text()), nullable=False),
        sa.Column("parent_id", bytewise(sa.String(8)), nullable=True),
        sa.Column("assignee_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("pool_team_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("pool_specialty", bytewise(sa.String(63)), nullable=True),
        sa.Column("reserved_from", Json(), nullable=True),
        sa.Column("touches", Json(), nullable=False),
        sa.Column("estimated_hours", ExactDecimal(), nullable=True),
        sa.Column("actual_hours", ExactDecimal(), nullable=True),
        sa.Column("deadline", UtcTime(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=True),
        sa.Column("completed_at", UtcTime(), nullable=True),
        sa.Column("status", bytewise(sa.String(24)), nullable=False),
        sa.Column("priority", bytewise(sa.String(16)), nullable=False),
        sa.Column("hold_reason", bytewise(sa.Text()), nullable=True),
        sa.Column("hold_by_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("holder_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("needs_review", sa.Boolean(), nullable=False),
        sa.Column("creator_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("delegator_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("worker_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("source_status", bytewise(sa.Text()), nullable=False),
        sa.Column("archived_at", UtcTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("completion_summary", bytewise(sa.Text()), nullable=False),
        sa.Column("outputs", Json(), nullable=False),
        sa.Column("artifacts", Json(), nullable=False),
        sa.Column("error", bytewise(sa.Text()), nullable=False),
        sa.Column("lease_until", UtcTime(), nullable=True),
        sa.Column("lease_minutes", sa.Integer(), nullable=False),
        sa.Column("connection_id", bytewise(sa.String(36)), nullable=False),
        sa.Column("lapses", sa.Integer(), nullable=False),
        sa.Column("progress", sa.SmallInteger(), nullable=True),
        sa.Column("waits", sa.Integer(), nullable=False),
        sa.Column("gates", sa.Integer(), nullable=False),
        sa.Column("subtasks", sa.Integer(), nullable=False),
        sa.Column("open_subtasks", sa.Integer(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("end_rank", sa.BigInteger(), nullable=False),
        sa.Column(
            "lane",
            bytewise(sa.Text()),
            sa.Computed("coalesce(assignee_id, pool_team_id, 'specialty:' || pool_specialty, '')", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "urgency",
            sa.SmallInteger(),
            sa.Computed(
                "CASE priority WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "finished",
            sa.SmallInteger(),
            sa.Computed("CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN 1 ELSE 0 END", persisted=True),
            nullable=False,
        ),
        sa.Column("due", UtcTime(), nullable=False),
        sa.CheckConstraint(
            "(holder_id IS NULL) = (status NOT IN ('in_progress', 'requires_assistance'))", name=op.f("ck_task_holder")
        ),
        sa.CheckConstraint("complexity IN ('low', 'medium', 'high', 'very_high', '')", name=op.f("ck_task_complexity")),
        sa.CheckConstraint("priority IN ('critical', 'high', 'medium', 'low')", name=op.f("ck_task_priority")),
        sa.CheckConstraint(
            "status IN ('pending', 'blocked', 'in_progress', 'requires_assistance', 'in_review', 'partial', 'completed', 'failed', 'cancelled')",
            name=op.f("ck_task_status"),
        ),
        sa.CheckConstraint(
            "assignee_id IS NULL OR (pool_team_id IS NULL AND pool_specialty IS NULL)", name=op.f("ck_task_place")
        ),
        sa.CheckConstraint("lease_until IS NULL OR holder_id IS NOT NULL", name=op.f("ck_task_lease")),
        sa.CheckConstraint("length(id) = 8 AND id = lower(id)", name=op.f("ck_task_id")),
        sa.CheckConstraint("length(title) BETWEEN 1 AND 500", name=op.f("ck_task_title")),
        sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name=op.f("ck_task_own_parent")),
        sa.CheckConstraint("phase IS NULL OR phase BETWEEN 1 AND 10", name=op.f("ck_task_phase")),
        sa.CheckConstraint("progress IS NULL OR progress BETWEEN 0 AND 100", name=op.f("ck_task_progress")),
        sa.CheckConstraint("rank < end_rank", name=op.f("ck_task_rank")),
        sa.CheckConstraint(
            "waits >= gates AND gates >= 0 AND open_subtasks BETWEEN 0 AND subtasks", name=op.f("ck_task_counters")
        ),
        sa.ForeignKeyConstraint(["assignee_id"], ["agent.id"], name=op.f("fk_task_assignee_id_agent")),
        sa.ForeignKeyConstraint(["creator_id"], ["agent.id"], name=op.f("fk_task_creator_id_agent")),
        sa.ForeignKeyConstraint(["delegator_id"], ["agent.id"], name=op.f("fk_task_delegator_id_agent")),
        sa.ForeignKeyConstraint(["hold_by_id"], ["agent.id"], name=op.f("fk_task_hold_by_id_agent")),
        sa.ForeignKeyConstraint(["holder_id"], ["agent.id"], name=op.f("fk_task_holder_id_agent")),
        sa.ForeignKeyConstraint(["parent_id"], ["task.id"], name=op.f("fk_task_parent_id_task")),
        sa.ForeignKeyConstraint(["pool_team_id"], ["team.id"], name=op.f("fk_task_pool_team_id_team")),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_task_project_project")),
        sa.ForeignKeyConstraint(["worker_id"], ["agent.id"], name=op.f("fk_task_worker_id_agent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index("ix_task_assignee_id", "task", ["assignee_id"], unique=False)
    op.create_index(
        "ix_task_created",
        "task",
        ["project", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("archived_at IS NULL"),
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_index(
        "ix_task_due",
        "task",
        ["project", "due", "id"],
        unique=False,
        sqlite_where=sa.text("archived_at IS NULL"),
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_index(
        "ix_task_expired",
        "task",
        ["project", "lease_until"],
        unique=False,
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index(
        "ix_task_held",
        "task",
        ["holder_id"],
        unique=False,
        sqlite_where=sa.text("holder_id IS NOT NULL"),
        postgresql_where=sa.text("holder_id IS NOT NULL"),
    )
    op.create_index(
        "ix_task_list",
        "task",
        ["project", "status", "urgency", "due", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("archived_at IS NULL"),
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_index(
        "ix_task_overdue",
        "task",
        ["project", "due"],
        unique=False,
        sqlite_where=sa.text(
            "deadline IS NOT NULL AND archived_at IS NULL AND status NOT IN ('completed', 'failed', 'cancelled')"
        ),
        postgresql_where=sa.text(
            "deadline IS NOT NULL AND archived_at IS NULL AND status NOT IN ('completed', 'failed', 'cancelled')"
        ),
    )
    op.create_index("ix_task_parent_id", "task", ["parent_id"], unique=False)
    op.create_index(
        "ix_task_ready",
        "task",
        ["project", "lane", "urgency", "due", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'pending' AND archived_at IS NULL"),
        postgresql_where=sa.text("status = 'pending' AND archived_at IS NULL"),
    )
    op.create_index(
        "ix_task_reserved",
        "task",
        ["project"],
        unique=False,
        sqlite_where=sa.text("reserved_from IS NOT NULL"),
        postgresql_where=sa.text("reserved_from IS NOT NULL"),
    )
    op.create_index(
        "ix_task_urgency",
        "task",
        ["project", "finished", "urgency", "due", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("archived_at IS NULL"),
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_table(
        "team_member",
        sa.Column("id", bytewise(sa.String(36)), nullable=False),
        sa.Column("team_id", bytewise(sa.String(36)), nullable=False),
        sa.Column("agent_id", bytewise(sa.String(36)), nullable=False),
        sa.Column("role", bytewise(sa.String(63)), nullable=False),
        sa.Column("joined_at", UtcTime(), nullable=False),
        sa.Column("left_at", UtcTime(), nullable=True),
        sa.Column("metadata", Json(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_team_member_agent_id_agent")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_member_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_member")),
    )
    op.create_index("ix_team_member_agent_id", "team_member", ["agent_id"], unique=False)
    op.create_index(
        "uq_team_member_current",
        "team_member",
        ["team_id", "agent_id"],
        unique=True,
        sqlite_where=sa.text("left_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.create_table(
        "context",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=True),
        sa.Column("key", bytewise(sa.Text()), nullable=False),
        sa.Column("value", Json(), nullable=False),
        sa.Column("kind", bytewise(sa.String(16)), nullable=False),
        sa.Column("rationale", bytewise(sa.Text()), nullable=False),
        sa.Column("by_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("at", UtcTime(), nullable=False),
        sa.CheckConstraint("kind IN ('fact', 'requirement', 'decision', 'artifact')", name=op.f("ck_context_kind")),
        sa.ForeignKeyConstraint(["by_id"], ["agent.id"], name=op.f("fk_context_by_id_agent")),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_context_project_project")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_context_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_context")),
    )
    op.create_index("ix_context_task_key", "context", ["project", "task_id", "key", "id"], unique=False)
    op.create_table(
        "conversation",
        sa.Column("id", bytewise(sa.String(36)), nullable=False),
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=True),
        sa.Column("title", bytewise(sa.Text()), nullable=False),
        sa.Column("type", bytewise(sa.Text()), nullable=False),
        sa.Column("status", bytewise(sa.String(16)), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'paused', 'completed')", name=op.f("ck_conversation_status")),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_conversation_project_project")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_conversation_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
    )
    op.create_index("ix_conversation_task_id", "conversation", ["task_id"], unique=False)
    op.create_table(
        "criterion",
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", bytewise(sa.Text()), nullable=False),
        sa.Column("measurable", bytewise(sa.Text()), nullable=False),
        sa.Column("outcome", bytewise(sa.String(16)), nullable=False),
        sa.Column("evidence", bytewise(sa.Text()), nullable=False),
        sa.Column("reason", bytewise(sa.Text()), nullable=False),
        sa.Column("evaluated_at", UtcTime(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('open', 'passed', 'failed', 'met', 'waived')", name=op.f("ck_criterion_outcome")
        ),
        sa.CheckConstraint("position >= 1", name=op.f("ck_criterion_position")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_criterion_task_id_task")),
        sa.PrimaryKeyConstraint("task_id", "position", name=op.f("pk_criterion")),
    )
    op.create_table(
        "delegation",
        sa.Column("id", bytewise(sa.String(36)), nullable=False),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("from_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("to_agent_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("to_team_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("to_specialty", bytewise(sa.String(63)), nullable=True),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("reasoning", bytewise(sa.Text()), nullable=False),
        sa.Column("priority", bytewise(sa.String(16)), nullable=False),
        sa.Column("estimated_minutes", sa.Integer(), nullable=True),
        sa.Column("required_resources", Json(), nullable=False),
        sa.Column("success_criteria", Json(), nullable=False),
        sa.Column("risk_factors", Json(), nullable=False),
        sa.Column("depends_on", Json(), nullable=False),
        sa.Column("context_requirements", Json(), nullable=False),
        sa.Column("expected_deliverables", Json(), nullable=False),
        sa.Column("state", bytewise(sa.String(16)), nullable=False),
        sa.Column("reason", bytewise(sa.Text()), nullable=False),
        sa.Column("lapses", sa.Integer(), nullable=False),
        sa.Column("before", Json(), nullable=False),
        sa.CheckConstraint(
            "state IN ('offered', 'accepted', 'declined', 'recalled', 'done')", name=op.f("ck_delegation_state")
        ),
        sa.CheckConstraint(
            "estimated_minutes IS NULL OR estimated_minutes BETWEEN 1 AND 480", name=op.f("ck_delegation_minutes")
        ),
        sa.ForeignKeyConstraint(["from_id"], ["agent.id"], name=op.f("fk_delegation_from_id_agent")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_delegation_task_id_task")),
        sa.ForeignKeyConstraint(["to_agent_id"], ["agent.id"], name=op.f("fk_delegation_to_agent_id_agent")),
        sa.ForeignKeyConstraint(["to_team_id"], ["team.id"], name=op.f("fk_delegation_to_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index("ix_delegation_task_id", "delegation", ["task_id", "at"], unique=False)
    op.create_table(
        "dependency",
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("depends_on_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("type", bytewise(sa.String(16)), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("created_by_id", bytewise(sa.String(36)), nullable=True),
        sa.CheckConstraint(
            "type IN ('blocks', 'enables', 'enhances', 'related', 'discovered_from', 'duplicates', 'supersedes')",
            name=op.f("ck_dependency_type"),
        ),
        sa.CheckConstraint("task_id <> depends_on_id", name=op.f("ck_dependency_self")),
        sa.ForeignKeyConstraint(["created_by_id"], ["agent.id"], name=op.f("fk_dependency_created_by_id_agent")),
        sa.ForeignKeyConstraint(["depends_on_id"], ["task.id"], name=op.f("fk_dependency_depends_on_id_task")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_dependency_task_id_task")),
        sa.PrimaryKeyConstraint("task_id", "depends_on_id", "type", name=op.f("pk_dependency")),
    )
    op.create_index("ix_dependency_depends_on_id", "dependency", ["depends_on_id", "type"], unique=False)
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("kind", bytewise(sa.String(32)), nullable=False),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=True),
        sa.Column("agent_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("via", bytewise(sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("data", Json(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_event_agent_id_agent")),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_event_project_project")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_event_task_id_task")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_event_released",
        "event",
        ["agent_id", "at"],
        unique=False,
        sqlite_where=sa.text("kind = 'released'"),
        postgresql_where=sa.text("kind = 'released'"),
    )
    op.create_index("ix_event_task_id", "event", ["task_id", "seq"], unique=False)
    op.create_table(
        "execution",
        sa.Column("id", bytewise(sa.String(36)), nullable=False),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("agent_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("specialty", bytewise(sa.Text()), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("status", bytewise(sa.String(16)), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("summary", bytewise(sa.Text()), nullable=False),
        sa.Column("outputs", Json(), nullable=False),
        sa.Column("artifacts", Json(), nullable=False),
        sa.Column("issues_found", Json(), nullable=False),
        sa.Column("blocking_issues", Json(), nullable=False),
        sa.Column("next_actions", Json(), nullable=False),
        sa.Column("error", bytewise(sa.Text()), nullable=False),
        sa.Column("measurements", Json(), nullable=False),
        sa.CheckConstraint(
            "status IN ('running', 'completed', 'partial', 'failed', 'in_review', 'released', 'lapsed', 'recalled', 'waiting', 'cancelled')",
            name=op.f("ck_execution_status"),
        ),
        sa.CheckConstraint("confidence IS NULL OR confidence BETWEEN 0 AND 1", name=op.f("ck_execution_confidence")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_execution_agent_id_agent")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_execution_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_execution")),
        sa.UniqueConstraint("task_id", "attempt", name=op.f("uq_execution_task_id_attempt")),
    )
    op.create_index("ix_execution_agent_id", "execution", ["agent_id", "started_at"], unique=False)
    op.create_table(
        "external_ref",
        sa.Column("id", bytewise(sa.String(36)), nullable=False),
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("source", bytewise(sa.Text()), nullable=False),
        sa.Column("foreign_id", bytewise(sa.Text()), nullable=False),
        sa.Column("raw", Json(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_external_ref_project_project")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_external_ref_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_ref")),
        sa.UniqueConstraint("project", "source", "foreign_id", name=op.f("uq_external_ref_project_source_foreign_id")),
    )
    op.create_index("ix_external_ref_foreign_id", "external_ref", ["project", "foreign_id"], unique=False)
    op.create_index("ix_external_ref_task_id", "external_ref", ["task_id"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("by_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("worker_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("quality", sa.SmallInteger(), nullable=True),
        sa.Column("timeliness", sa.SmallInteger(), nullable=True),
        sa.Column("notes", bytewise(sa.Text()), nullable=False),
        sa.Column("verdict", bytewise(sa.String(16)), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.CheckConstraint("quality IS NULL OR quality BETWEEN 1 AND 5", name=op.f("ck_feedback_quality")),
        sa.CheckConstraint("timeliness IS NULL OR timeliness BETWEEN 1 AND 5", name=op.f("ck_feedback_timeliness")),
        sa.ForeignKeyConstraint(["by_id"], ["agent.id"], name=op.f("fk_feedback_by_id_agent")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_feedback_task_id_task")),
        sa.ForeignKeyConstraint(["worker_id"], ["agent.id"], name=op.f("fk_feedback_worker_id_agent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    op.create_index("ix_feedback_task_id", "feedback", ["task_id", "id"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("agent_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("text", bytewise(sa.Text()), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_note_agent_id_agent")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_note_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index("ix_note_task_agent", "note", ["task_id", "agent_id", "id"], unique=False)
    op.create_table(
        "participant",
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("agent_id", bytewise(sa.String(36)), nullable=False),
        sa.Column("role", bytewise(sa.String(63)), nullable=False),
        sa.Column("joined_at", UtcTime(), nullable=False),
        sa.Column("left_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_participant_agent_id_agent")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_participant_task_id_task")),
        sa.PrimaryKeyConstraint("task_id", "agent_id", name=op.f("pk_participant")),
    )
    op.create_table(
        "progress",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("agent_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("percent", sa.SmallInteger(), nullable=True),
        sa.Column("message", bytewise(sa.Text()), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.CheckConstraint("percent IS NULL OR percent BETWEEN 0 AND 100", name=op.f("ck_progress_percent")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_progress_agent_id_agent")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_progress_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_progress")),
    )
    op.create_index("ix_progress_task_id", "progress", ["task_id", "id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("conversation_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=True),
        sa.Column("sender_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("type", bytewise(sa.String(16)), nullable=False),
        sa.Column("text", bytewise(sa.Text()), nullable=False),
        sa.Column("reply_to_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("asked_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("asked_at", UtcTime(), nullable=True),
        sa.CheckConstraint("type IN ('message', 'question', 'answer', 'system')", name=op.f("ck_message_type")),
        sa.ForeignKeyConstraint(["asked_id"], ["agent.id"], name=op.f("fk_message_asked_id_agent")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_message_conversation_id_conversation")
        ),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_message_project_project")),
        sa.ForeignKeyConstraint(["reply_to_id"], ["message.id"], name=op.f("fk_message_reply_to_id_message")),
        sa.ForeignKeyConstraint(["sender_id"], ["agent.id"], name=op.f("fk_message_sender_id_agent")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_message_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index("ix_message_conversation_id", "message", ["conversation_id", "id"], unique=False)
    op.create_index(
        "ix_message_open_questions",
        "message",
        ["project", "asked_at"],
        unique=False,
        sqlite_where=sa.text("asked_at IS NOT NULL"),
        postgresql_where=sa.text("asked_at IS NOT NULL"),
    )
    op.create_index("ix_message_task_id", "message", ["task_id", "id"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("agent_id", bytewise(sa.String(36)), nullable=True),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=True),
        sa.Column("kind", bytewise(sa.String(32)), nullable=False),
        sa.Column("text", bytewise(sa.Text()), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("state", bytewise(sa.String(8)), nullable=False),
        sa.CheckConstraint("state IN ('new', 'shown', 'read')", name=op.f("ck_inbox_state")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_inbox_agent_id_agent")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_inbox_message_id_message")),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_inbox_project_project")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_inbox_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
    )
    op.create_index("ix_inbox_message_id", "inbox", ["message_id"], unique=False)
    op.create_index(
        "ix_inbox_unread",
        "inbox",
        ["project", "agent_id", "id"],
        unique=False,
        sqlite_where=sa.text("state <> 'read'"),
        postgresql_where=sa.text("state <> 'read'"),
    )
    op.create_index(
        "uq_inbox_notification",
        "inbox",
        ["agent_id", "task_id", "kind"],
        unique=True,
        sqlite_where=sa.text("message_id IS NULL AND state <> 'read'"),
        postgresql_where=sa.text("message_id IS NULL AND state <> 'read'"),
    )
    projects = sa.table(
        "project",
        sa.column("slug"), sa.column("title"), sa.column("completion_checks"), sa.column("lease_minutes"),
        sa.column("max_lapses"), sa.column("max_depth"), sa.column("require_review"),
        sa.column("created_at", UtcTime()),
    )  # fmt: skip
    op.bulk_insert(
        projects,
        [
            {
                "slug": "default", "title": "", "completion_checks": "enforce", "lease_minutes": 30, "max_lapses": 5,
                "max_depth": 8, "require_review": False, "created_at": datetime.now(UTC),
            }
        ],
    )  # fmt: skip


def downgrade() -> None:
    """Take every table away, the dependent ones first."""
    for table in reversed(TABLES):
        op.drop_table(table)
