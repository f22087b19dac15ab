"""The end of reading a foreign plan: what can only be said of an item when all of them are there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from swarm_mcp.interchange.foreign.document import PlanDocument
from swarm_mcp.interchange.foreign.instants import tell_of_naive
from swarm_mcp.model.lifecycle import SETTLED, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from datetime import tzinfo

    from swarm_mcp.interchange.foreign.document import PlanItem
    from swarm_mcp.interchange.foreign.entry import Entry, Findings


def conclude(
    format_: str,
    name: str,
    entries: Mapping[str, Entry],
    items: Mapping[str, PlanItem],
    findings: Findings,
    zone: tzinfo,
    raw: Mapping[str, object] | None = None,
) -> PlanDocument:
    """The document of these items, with the holds that their statuses stand for, and with what was found.

    Args:
        format_: what it is called.
        name: the base name of the file or folder.
        entries: what each item was made from, by its ref.
        items: all items by their refs, in the order of the document.
        findings: what had to be decided on the way; what is decided here is added.
        zone: what times without an offset were taken for.
        raw: what the file says beside its tasks.

    """
    unfinished = {item.parent for item in items.values() if item.status not in SETTLED}
    held = tuple(_with_hold(entries[ref], items, unfinished) for ref in items)
    return PlanDocument(
        format=format_,
        name=name,
        items=held,
        dangling=tuple(findings.dangling),
        guessed=(*findings.guessed, *tell_of_naive(findings.naive, zone)),
        skipped=tuple(findings.skipped),
        renamed=tuple(findings.renamed),
        raw=raw or {},
    )


def _with_hold(entry: Entry, items: Mapping[str, PlanItem], unfinished: Container[str]) -> PlanItem:
    """The item of an entry; if it is said to be blocked and nothing is in its way, with a hold that says so.

    Args:
        entry: what it was made from.
        items: all items of the plan by their refs.
        unfinished: the refs of those that have parts which are not settled.

    """
    item = items[entry.ref]
    if item.status != TaskStatus.BLOCKED or item.hold or item.ref in unfinished:
        return item
    above: dict[str, PlanItem] = {item.ref: item}
    while (parent := items.get(next(reversed(above.values())).parent)) is not None and parent.ref not in above:
        above[parent.ref] = parent
    if any(items[ref].status != TaskStatus.COMPLETED for each in above.values() for ref in each.depends_on):
        return item
    entry.guess("it is blocked with nothing in its way; it was put on hold")
    return replace(item, hold=item.source_status)
