"""Names that tasks had elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select

from swarm_mcp.model import ids
from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

ref = tables.external_ref

KNOWN = ListStatement(
    lambda wanted: select(ref).where(
        ref.c.project == bindparam("project"), ref.c.source == bindparam("source"), ref.c.foreign_id.in_(wanted)
    )
)


INSERT = Statement(insert(ref))


def insert_references(db: Transaction, source: str, named: Iterable[tuple[str, str, Mapping[str, object]]]) -> None:
    """Keep what tasks were called elsewhere: (the task's id, its name there, the record as it was) each."""
    rows = [
        {"id": ids.new_uuid(), "project": db.project.slug, "source": source, "task_id": task, "foreign_id": name,
         "raw": dict(raw)}
        for task, name, raw in named
    ]  # fmt: skip
    INSERT.run_many(db, rows)


def known_references(db: Transaction, source: str, foreign_ids: Iterable[str]) -> dict[str, Row]:
    """Those of these names that tasks of the project have from that source, with the record as it was: by name."""
    found = KNOWN.all(db, list(foreign_ids), {"project": db.project.slug, "source": source})
    return {row.foreign_id: row for row in found}
