"""What of a plan is on the board already, because an earlier import brought it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.errors import Conflict, Invalid
from swarm_mcp.repository import references

if TYPE_CHECKING:
    from swarm_mcp.interchange.foreign.document import PlanDocument
    from swarm_mcp.interchange.import_report import ImportReport
    from swarm_mcp.repository.database import Transaction

LOOKED_UP = 1000
"""How many foreign records are compared at once: with those of the board they are all in memory."""


def known_ids(db: Transaction, document: PlanDocument, prefix: str, report: ImportReport) -> dict[str, str]:
    """The ids of those tasks of a plan that are on the board already, by their refs; what has changed is reported.

    Raises:
        Invalid: two items have the same ref.
        Conflict: most of it was called otherwise, so that it is another plan with the same ids.

    """
    items = {item.ref: item for item in document.items}
    if len(items) < len(document.items):
        raise Invalid(f"`{document.name}` uses an id for several tasks. Give every task its own.")
    known: dict[str, str] = {}
    strangers: list[tuple[str, str]] = []
    refs = list(items)
    for start in range(0, len(refs), LOOKED_UP):
        names = {f"{prefix}{ref}": items[ref] for ref in refs[start : start + LOOKED_UP]}
        for name, row in references.known_references(db, document.format, names).items():
            item = names[name]
            known[item.ref] = row.task_id
            if row.raw.get("title") != item.raw.get("title"):
                strangers.append((item.ref, str(row.raw.get("title"))))
            if row.raw != item.raw:
                report.skipped.append(f"{item.ref}: it has changed since it was imported; the task was left as it is.")
    if len(strangers) * 2 > len(known):
        ref, title = strangers[0]
        raise Conflict(
            f"Nothing was imported: another plan on this board has the same ids (`{ref}` is `{title[:40]}` there and "
            f"`{items[ref].title[:40]}` here). Import this one with --namespace and a name of its own.",
            same=len(known),
        )
    return known
