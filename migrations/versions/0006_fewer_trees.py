"""Fewer trees for each claim: attempts, criteria and participants are stored under what they are looked for by.

Revision 0006, after 0005. On SQLite a table has a tree of its own besides that of its key, unless it is told to do
without; an attempt was in four, and every one costs a claim two or three microseconds and a page of the log. Tasks that
are assigned to nobody are in no index of assignees any more.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

from swarm_mcp.repository.types import Json, UtcTime, bytewise

revision = "0006"
down_revision = "0005"

ASSIGNED = sa.text("assignee_id IS NOT NULL")
STATUSES = (
    "'running', 'completed', 'partial', 'failed', 'in_review', 'released', 'lapsed', 'recalled', 'waiting', 'cancelled'"
)


def upgrade() -> None:
    """Store them anew."""
    op.drop_index("ix_task_assignee_id", "task")
    op.create_index("ix_task_assignee_id", "task", ["assignee_id"], sqlite_where=ASSIGNED, postgresql_where=ASSIGNED)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("pk_execution", "execution", type_="primary")
        op.drop_constraint("uq_execution_task_id_attempt", "execution", type_="unique")
        op.create_primary_key("pk_execution", "execution", ["task_id", "attempt"])
        return
    _rebuild("execution", _execution(by_id=False), rowid=False)
    _rebuild("criterion", _criterion(), rowid=False)
    _rebuild("participant", _participant(), rowid=False)


def downgrade() -> None:
    """Store them as before."""
    _tell_attempts_apart()
    op.drop_index("ix_task_assignee_id", "task")
    op.create_index("ix_task_assignee_id", "task", ["assignee_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("pk_execution", "execution", type_="primary")
        op.create_unique_constraint("uq_execution_task_id_attempt", "execution", ["task_id", "attempt"])
        op.create_primary_key("pk_execution", "execution", ["id"])
        return
    _rebuild("execution", _execution(by_id=True), rowid=True)
    _rebuild("criterion", _criterion(), rowid=True)
    _rebuild("participant", _participant(), rowid=True)


def _tell_attempts_apart() -> None:
    """Give an attempt a new id if another one has the same, which until here nobody minded."""
    board = op.get_bind()
    numbered = (
        "SELECT task_id, attempt, row_number() OVER (PARTITION BY id ORDER BY task_id, attempt) AS n FROM execution"
    )
    repeated = board.execute(sa.text(f"SELECT task_id, attempt FROM ({numbered}) AS numbered WHERE n > 1")).all()  # noqa: S608
    for task, attempt in repeated:
        board.execute(
            sa.text("UPDATE execution SET id = :id WHERE task_id = :task AND attempt = :attempt"),
            {"id": str(uuid.uuid4()), "task": task, "attempt": attempt},
        )


def _rebuild(name: str, parts: list[sa.schema.SchemaItem], *, rowid: bool) -> None:
    """Copy a table of SQLite into one that is stored otherwise; nothing refers to these."""
    columns = ", ".join(f'"{part.name}"' for part in parts if isinstance(part, sa.Column))
    indexed = name == "execution"
    if indexed:
        op.drop_index("ix_execution_agent_id", name)
    op.rename_table(name, f"{name}_before")
    op.create_table(name, *parts, sqlite_with_rowid=rowid)
    op.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {name}_before")  # noqa: S608 - names of ours
    op.drop_table(f"{name}_before")
    if indexed:
        op.create_index("ix_execution_agent_id", name, ["agent_id", "started_at"])


def _execution(*, by_id: bool) -> list[sa.schema.SchemaItem]:
    parts: list[sa.schema.SchemaItem] = [
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
        *(
            sa.Column(name, Json(), nullable=False)
            for name in ("outputs", "artifacts", "issues_found", "blocking_issues", "next_actions")
        ),
        sa.Column("error", bytewise(sa.Text()), nullable=False),
        sa.Column("measurements", Json(), nullable=False),
        sa.CheckConstraint(f"status IN ({STATUSES})", name=op.f("ck_execution_status")),
        sa.CheckConstraint("confidence IS NULL OR confidence BETWEEN 0 AND 1", name=op.f("ck_execution_confidence")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_execution_agent_id_agent")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_execution_task_id_task")),
        sa.PrimaryKeyConstraint(*(["id"] if by_id else ["task_id", "attempt"]), name=op.f("pk_execution")),
    ]
    if by_id:
        parts.append(sa.UniqueConstraint("task_id", "attempt", name=op.f("uq_execution_task_id_attempt")))
    return parts


def _criterion() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *(sa.Column(name, bytewise(sa.Text()), nullable=False) for name in ("text", "measurable")),
        sa.Column("outcome", bytewise(sa.String(16)), nullable=False),
        *(sa.Column(name, bytewise(sa.Text()), nullable=False) for name in ("evidence", "reason")),
        sa.Column("evaluated_at", UtcTime(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('open', 'passed', 'failed', 'met', 'waived')", name=op.f("ck_criterion_outcome")
        ),
        sa.CheckConstraint("position >= 1", name=op.f("ck_criterion_position")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_criterion_task_id_task")),
        sa.PrimaryKeyConstraint("task_id", "position", name=op.f("pk_criterion")),
    ]


def _participant() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("agent_id", bytewise(sa.String(36)), nullable=False),
        sa.Column("role", bytewise(sa.String(63)), nullable=False),
        sa.Column("joined_at", UtcTime(), nullable=False),
        sa.Column("left_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_participant_agent_id_agent")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_participant_task_id_task")),
        sa.PrimaryKeyConstraint("task_id", "agent_id", name=op.f("pk_participant")),
    ]
