"""What has happened, as people read it: who did what to which task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.record import Record
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.details import AGENTS, said
from swarm_mcp.repository import agents, events, tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

PAGE = 500


class Happening(Record):
    """An event of the ledger."""

    seq: int
    at: str
    """With seconds, in UTC."""
    by: str = "operator"
    kind: str
    task: str = ""
    title: str = ""
    details: str = ""


class Place(Record):
    """How far the ledger has been read, in its order."""

    xact: int = 0
    seq: int = 0


def begin(db: Transaction, *, lines: int) -> tuple[list[Happening], Place]:
    """What happened last, the oldest of it first, and from where to read on: nothing comes twice or is missed."""
    end = events.end_of_events(db)
    found = events.recent_events(db, limit=lines) if lines else []
    settled = [row for row in found if events.place_in_order(row) <= end]
    return told(db, settled), Place(xact=end[0], seq=end[1])


def since(db: Transaction, place: Place) -> tuple[list[Happening], Place]:
    """What has happened in this project since then, and from where to read on."""
    found: list[Row] = []
    while page := events.events_after(db, (place.xact, place.seq), limit=PAGE):
        found += [row for row in page if row.project == db.project.slug]
        xact, seq = events.place_in_order(page[-1])
        place = Place(xact=xact, seq=seq)
        if len(page) < PAGE:
            break
    return told(db, found), place


def told(db: Transaction, rows: Sequence[Row]) -> list[Happening]:
    """Events with the names and titles of those whom they concern."""
    known = tasks.task_rows(db, {row.task_id for row in rows if row.task_id})
    mentioned = {value for row in rows for name in AGENTS & set(row.data) for value in row.data[name]}
    names = agents.agent_names(db, {row.agent_id for row in rows} | mentioned)
    return [
        Happening(
            seq=row.seq,
            at=f"{row.at:%Y-%m-%dT%H:%M:%SZ}",
            by=names.get(row.agent_id, "operator"),
            kind=row.kind,
            task=row.task_id or "",
            title=shorten(known[row.task_id].title) if row.task_id in known else "",
            details=said(row.data, names).removeprefix(" (").removesuffix(")"),
        )
        for row in rows
    ]
