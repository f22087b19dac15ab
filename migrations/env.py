"""What Alembic runs around the revisions. `swarm_mcp.repository.migrate` calls it; there is no alembic.ini.

The caller has opened the transaction and hands over its connection, so that a migration happens completely or
not at all, and nobody writes meanwhile. Nothing here configures logging or prints: a server may be speaking
on stdout.
"""

from __future__ import annotations

from alembic import context

if context.is_offline_mode():
    message = "Migrations run on an open database; there is no offline mode."
    raise RuntimeError(message)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata"),
    render_as_batch=True,  # SQLite alters most things about a table only by copying it
    compare_type=True,
)
context.run_migrations()
