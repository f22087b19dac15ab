"""A ticket in our words: its fields, its text, and the boxes in it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, cast

from swarm_mcp.interchange.foreign.checklists import Outline, outline
from swarm_mcp.interchange.foreign.document import PlanContext, PlanCriterion, PlanItem
from swarm_mcp.interchange.foreign.misdecoding import misdecoded
from swarm_mcp.interchange.foreign.ticket_fields import NOTHING, Suppositions, names_in
from swarm_mcp.interchange.foreign.wording import complexity_of, is_put_away, priority_of, stated_hold, status_of
from swarm_mcp.model.draft import LIST_LIMIT, PHASES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from swarm_mcp.interchange.foreign.entry import Entry
    from swarm_mcp.interchange.foreign.ticket_edges import Edges

COMPLETED_ON = re.compile(r"^[-*]?[ \t]*\*\*Completion Date\*\*:[ \t]*(\d[^\n]*)$", re.MULTILINE | re.IGNORECASE)


class Ticket(NamedTuple):
    """A ticket as it stands in its file."""

    entry: Entry
    raw: dict[str, object]
    body: str


def item_of(ticket: Ticket, edges: Edges, supposed: Suppositions) -> PlanItem:
    """A ticket in our words."""
    entry, body = ticket.entry, ticket.body
    found = outline(body)
    supposed.counts["boxes"] += found.others
    if wrong := misdecoded(body):
        entry.guess(f"its text seems decoded with the wrong code page (`{wrong[:20]}`); it was kept as it is")
    title, description = entry.titled(_title(entry, found), entry.text("description"), body)
    word = entry.text("status").strip()
    return PlanItem(
        ref=entry.ref,
        parent=entry.parent.ref if entry.parent else "",
        title=title,
        description=description,
        status=status_of(entry, word).value,
        source_status=word,
        hold=stated_hold(word),
        archived=is_put_away(word),
        priority=priority_of(entry).value,
        complexity=complexity_of(entry),
        task_type=entry.text("type").strip(),
        area=entry.text("area").strip(),
        phase=_phase(entry),
        assignee=entry.text("assignee").strip(),
        creator=entry.text("creator").strip(),
        tags=tuple(dict.fromkeys(names_in(entry, entry.values.get("tags"), "tags"))),
        criteria=tuple(_criteria(entry, found)),
        depends_on=tuple(edges.waits[entry.ref]),
        relations=tuple(edges.relations[entry.ref]),
        estimated_hours=supposed.hours(entry, "estimate"),
        actual_hours=supposed.hours(entry, "actual"),
        deadline=supposed.moment(entry, "deadline", ends=True),
        created_at=supposed.moment(entry, "created"),
        updated_at=supposed.moment(entry, "updated"),
        started_at=supposed.moment(entry, "started"),
        completed_at=_completion(entry, body, supposed),
        summary=entry.text("summary").strip(),
        context=tuple(_context(entry)),
        raw={**ticket.raw, "title": title},
    )


def _title(entry: Entry, found: Outline) -> str:
    title = " ".join(entry.text("title").split())
    if title or not found.heading:
        return title
    entry.guess("it has no title; its first heading was taken")
    return found.heading.removeprefix(f"{entry.ref}:").strip()


def _phase(entry: Entry) -> int:
    words = entry.text("phase").strip()
    if words.isascii() and words.isdigit() and 1 <= int(words[:3]) <= PHASES:
        return int(words)
    if words.lower() not in NOTHING:
        entry.guess(f"its phase `{words[:40]}` is none from 1 to {PHASES} and was left out")
    return 0


def _criteria(entry: Entry, found: Outline) -> Iterator[PlanCriterion]:
    """What the front matter lists, then the boxes under headings of acceptance, each once."""
    listed = entry.values.get("criteria")
    said = [listed] if isinstance(listed, str) else entry.items("criteria")
    known: dict[tuple[str, str], PlanCriterion] = {}
    for each in [*said, *(box.text for box in found.criteria)]:
        fields = cast("dict[str, object]", each) if isinstance(each, dict) else {"criterion": each}
        text, check = fields.get("criterion") or fields.get("text") or "", fields.get("measurable") or ""
        if not isinstance(text, str) or not isinstance(check, str):
            entry.refuse("`criteria` holds something that is not text")
        if text.strip() or check.strip():
            known[text.strip(), check.strip()] = PlanCriterion(text=text.strip(), measurable=check.strip())
    if len(known) > LIST_LIMIT:
        entry.skip(f"of its {len(known):,} criteria those after the first {LIST_LIMIT} are in its description alone")
    ticked = sum(box.ticked for box in found.criteria)
    if ticked:
        entry.guess(f"{ticked:,} of its boxes are ticked there; here every criterion is open until it has evidence")
    yield from list(known.values())[:LIST_LIMIT]


def _context(entry: Entry) -> Iterator[PlanContext]:
    """What whoever works on it should know besides."""
    requirements = list(names_in(entry, entry.values.get("requirements"), "requirements"))
    if requirements:
        yield PlanContext(key="requirements", value=requirements, kind="requirement")
    if design := entry.text("design_ref").strip():
        yield PlanContext(key="design", value=design, kind="artifact")


def _completion(entry: Entry, body: str, supposed: Suppositions) -> datetime | None:
    """When it was completed; SwarmDirector says it in the text alone."""
    stated = supposed.moment(entry, "completed")
    told = None if stated else COMPLETED_ON.search(body)
    if told is None:
        return stated
    entry.guess(f"that it was completed on `{told[1].strip()[:40]}` was taken from its text")
    return supposed.moment(replace(entry, values={"completed": told[1]}), "completed")
