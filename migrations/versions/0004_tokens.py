"""Tokens of callers over HTTP.

Revision 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from swarm_mcp.repository.types import UtcTime, bytewise

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Change the schema."""
    op.create_table(
        "token",
        sa.Column("id", bytewise(sa.String(8)), nullable=False),
        sa.Column("project", bytewise(sa.String(64)), nullable=False),
        sa.Column("digest", bytewise(sa.String(64)), nullable=False),
        sa.Column("agent", bytewise(sa.String(63)), nullable=False),
        sa.Column("scope", bytewise(sa.String(16)), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=True),
        sa.Column("revoked_at", UtcTime(), nullable=True),
        sa.Column("last_used_at", UtcTime(), nullable=True),
        sa.CheckConstraint("scope IN ('worker', 'director', 'operator')", name=op.f("ck_token_scope")),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_token_project_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
    )
    op.create_index("ix_token_project", "token", ["project"], unique=False)


def downgrade() -> None:
    """Change it back."""
    op.drop_table("token")
