"""Giving room back: what deletions have left behind, and what the indexes of words have in many pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swarm_mcp.repository.link import Link
    from swarm_mcp.repository.postgres_link import PostgresLink


def tidy(link: Link | PostgresLink) -> None:
    """Write the database anew without its gaps, on a connection that is in no transaction.

    SQLite gets no statistics: the statements are written for the plans that it makes without them, and tests hold that.
    """
    from swarm_mcp.repository import tables  # noqa: PLC0415 - a database without a schema is opened without it

    driver: Any = link.driver
    if link.is_postgres:
        for name in [*(each.name for each in tables.metadata.sorted_tables), *tables.WORD_TABLES]:
            driver.execute(f"VACUUM (ANALYZE) {name}")
        return
    for name in tables.WORD_INDEXES:
        driver.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")  # noqa: S608 - names of ours
    driver.execute("VACUUM")
    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
