"""Whether a database file is sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction


def damages(db: Transaction, *, limit: int = 5) -> list[str]:
    """What SQLite finds wrong with its file, a phrase each; reads all of it, and changes nothing."""
    checked = [row[0] for row in db.driver.execute(f"PRAGMA quick_check({limit})")]
    orphans = db.driver.execute("PRAGMA foreign_key_check").fetchmany(limit)
    return [
        *(each for each in checked if each != "ok"),
        *(f"a row of {table} refers to nothing in {other}" for table, _, other, _ in orphans),
    ]
