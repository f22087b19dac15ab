"""Events remember their transaction on PostgreSQL, where numbers are given before the commit and not in its order.

Revision 0003, after 0002. On SQLite, which has one writer at a time, the column stays empty.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NOTED = sa.text("xact IS NOT NULL")


def upgrade() -> None:
    """Add the column, its default and its index."""
    op.add_column("event", sa.Column("xact", sa.BigInteger(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE event ALTER COLUMN xact SET DEFAULT pg_current_xact_id()::text::bigint")
    op.create_index("ix_event_xact", "event", ["xact", "seq"], sqlite_where=NOTED, postgresql_where=NOTED)


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_event_xact", "event")
    op.drop_column("event", "xact")
