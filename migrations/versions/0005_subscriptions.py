"""What sessions over HTTP have subscribed to, for whichever server has their stream.

Revision 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from swarm_mcp.repository.types import Json

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("connection", sa.Column("subscriptions", Json(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("connection", "subscriptions")
