"""Whether a database is sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"


def damages(db: Transaction, *, limit: int = 5) -> list[str]:
    """What SQLite finds wrong with its file, a phrase each; reads all of it, and changes nothing.

    PostgreSQL looks after its own files; there it is an index that could not be made.
    """
    if db.is_postgres:
        return [f"the index {name} is not valid" for (name,) in db.driver.execute(INVALID).fetchmany(limit)]
    checked = [row[0] for row in db.driver.execute(f"PRAGMA quick_check({limit})")]
    orphans = db.driver.execute("PRAGMA foreign_key_check").fetchmany(limit)
    return [
        *(each for each in checked if each != "ok"),
        *(f"a row of {table} refers to nothing in {other}" for table, _, other, _ in orphans),
    ]
