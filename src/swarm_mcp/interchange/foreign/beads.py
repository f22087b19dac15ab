"""Beads' JSON lines: one issue a line, with its labels, comments and dependencies.

The format is that of https://github.com/steveyegge/beads (`.beads/issues.jsonl`). An issue is part of another by a
dependency of type `parent-child`, or by its dotted id: `bd-a3f8.1` is part of `bd-a3f8`. What was deleted stays as a
tombstone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from swarm_mcp.interchange.foreign.concluding import conclude
from swarm_mcp.interchange.foreign.document import PlanCriterion, PlanDocument, PlanItem, PlanRemark
from swarm_mcp.interchange.foreign.entry import Entry, Findings
from swarm_mcp.interchange.foreign.instants import instant_of
from swarm_mcp.interchange.foreign.source_file import read_lines
from swarm_mcp.interchange.foreign.wording import folded, is_put_away, stated_hold, status_of
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.lifecycle import FINISHED, Priority, TaskStatus
from swarm_mcp.model.strict_json import parse_json
from swarm_mcp.model.task import EdgeType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo
    from pathlib import Path

Json = dict[str, object]

ID_LIMIT = 200
PRIORITIES = (Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM, Priority.LOW, Priority.LOW)
"""From 0, the highest, to 4, the backlog."""
PARENT = "parent_child"
KINDS = {
    "blocks": EdgeType.BLOCKS, "related": EdgeType.RELATED, "relates_to": EdgeType.RELATED,
    "discovered_from": EdgeType.DISCOVERED_FROM, "duplicates": EdgeType.DUPLICATES,
    "supersedes": EdgeType.SUPERSEDES,
}  # fmt: skip
"""Their types of dependencies; whatever else there is becomes `related`, and that is reported."""
SECTIONS = {"design": "Design", "notes": "Notes", "external_ref": "External reference"}
"""Fields that become parts of the description, under these headings."""
BULLET = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
MINUTES = 60
SHOWN_IDS = 5


@dataclass(slots=True)
class _Edges:
    """What an issue depends on, sorted."""

    parent: str = ""
    blockers: list[str] = field(default_factory=list[str])
    relations: list[tuple[EdgeType, str]] = field(default_factory=list[tuple[EdgeType, str]])


def read(path: Path, zone: tzinfo) -> PlanDocument:
    """A file of beads as a document.

    Args:
        path: the file.
        zone: of times that name none.

    Raises:
        NotFound: there is no such file.
        Invalid: it cannot be read, is no file of beads, or repeats an id; the sentence names the line.

    """
    findings = Findings()
    known = _entries(path, findings)
    edges = {ref: _edges(entry, known) for ref, entry in known.items()}
    _leave_trees_alone(known, edges)
    items = {ref: _item(entry, edges[ref], zone) for ref, entry in known.items()}
    return conclude("beads", path.name, known, items, findings, zone)


def _entries(path: Path, findings: Findings) -> dict[str, Entry]:
    """The issues by their ids, in the order of the file."""
    known: dict[str, Entry] = {}
    twice: dict[str, None] = {}
    unstorable = 0
    for n, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        value, changed = parse_json(line, f"{path.name}, line {n}")
        unstorable += changed
        nameless = Entry("", {}, path.name, f"line {n}", findings)
        if not isinstance(value, dict):
            nameless.refuse("it is no issue of beads, which is an object")
        values = cast("Json", value)
        ref = values.get("id")
        if not isinstance(ref, str) or not 0 < len(ref.strip()) <= ID_LIMIT:
            nameless.refuse(f"its `id` should be a text of 1 to {ID_LIMIT} characters")
        entry = Entry(ref.strip(), values, path.name, f"line {n}", findings)
        if known.setdefault(entry.ref, entry) is not entry:
            twice[entry.ref] = None
    if twice:
        shown = ", ".join(f"`{ref}`" for ref in list(twice)[:SHOWN_IDS])
        more = f" and {len(twice) - SHOWN_IDS} more" if len(twice) > SHOWN_IDS else ""
        raise Invalid(f"`{path.name}` uses an id for several issues: {shown}{more}. Give every issue its own.")
    if not known:
        raise Invalid(f"`{path.name}` holds no issues.")
    if unstorable:
        findings.guessed.append(f"Characters that cannot be stored became \ufffd in {unstorable:,} of its texts.")
    return known


def _edges(entry: Entry, known: Mapping[str, Entry]) -> _Edges:
    """What an issue is part of, waits for, and has to do with."""
    found = _Edges()
    seen: set[tuple[str, str]] = set()
    for said in entry.records("dependencies"):
        other, word = said.text("depends_on_id").strip(), said.text("type").strip() or "blocks"
        kind = folded(word)
        if other not in known:
            entry.findings.dangling.append((entry.ref, f"{other} ({word})"))
        elif other == entry.ref:
            entry.skip(f"it has a dependency on itself ({word}); that was left out")
        elif (other, kind) in seen:
            entry.skip(f"it names {other} as a dependency ({word}) more than once")
        elif kind == PARENT and not found.parent:
            found.parent = other
        elif kind in KINDS:
            _add(found, KINDS[kind], other)
        else:
            why = f"its parent is {found.parent}" if kind == PARENT else f"`{word[:40]}` is no type of ours"
            entry.guess(f"its dependency on {other} became related, because {why}")
            _add(found, EdgeType.RELATED, other)
        seen.add((other, kind))
    above = entry.ref.rpartition(".")[0]
    if not found.parent and above in known:
        found.parent = above
    return found


def _add(found: _Edges, kind: EdgeType, other: str) -> None:
    if kind is EdgeType.BLOCKS:
        found.blockers.append(other)
    elif (kind, other) not in found.relations:
        found.relations.append((kind, other))


def _leave_trees_alone(known: Mapping[str, Entry], edges: Mapping[str, _Edges]) -> None:
    """Leave out that an issue waits for its own part, or for what it is part of: here that is so by itself."""
    for ref, own in edges.items():
        kept: list[str] = []
        for other in own.blockers:
            if other in _above(ref, edges) or ref in _above(other, edges):
                known[ref].skip(f"it waits for {other}, with which it forms one tree; that was left out")
            else:
                kept.append(other)
        own.blockers = kept


def _above(ref: str, edges: Mapping[str, _Edges]) -> set[str]:
    """What an issue is part of; in a circle, which the board refuses, everything in it."""
    found: set[str] = set()
    while (ref := edges[ref].parent) and ref not in found:
        found.add(ref)
    return found


def _item(entry: Entry, edges: _Edges, zone: tzinfo) -> PlanItem:
    """An issue in our words."""
    word = entry.text("status").strip()
    status, hold = _status(entry, word)
    parts = [f"## {heading}\n\n{text}" for key, heading in SECTIONS.items() if (text := entry.text(key).strip())]
    title, description = entry.titled(entry.text("title"), entry.text("description"), *parts)
    deferred = entry.text("defer_until").strip()
    return PlanItem(
        ref=entry.ref,
        title=title,
        parent=edges.parent,
        description=description,
        status=status.value,
        source_status=word,
        hold=f"{hold} until {deferred}" if hold and deferred else hold,
        archived=is_put_away(word),
        priority=_priority(entry).value,
        task_type=(entry.text("issue_type") or entry.text("original_type")).strip(),
        assignee=entry.text("assignee").strip(),
        creator=entry.text("created_by").strip(),
        tags=tuple(dict.fromkeys(each for each in entry.texts("labels") if each.strip())),
        criteria=tuple(PlanCriterion(text=each) for each in _criteria(entry.text("acceptance_criteria"))),
        depends_on=tuple(edges.blockers),
        relations=tuple(edges.relations),
        estimated_hours=_hours(entry),
        deadline=instant_of(entry, "due_at", zone),
        created_at=instant_of(entry, "created_at", zone),
        updated_at=instant_of(entry, "updated_at", zone),
        started_at=instant_of(entry, "started_at", zone),
        completed_at=instant_of(entry, "closed_at", zone) if status in FINISHED else None,
        summary=entry.text("close_reason") or entry.text("delete_reason"),
        comments=tuple(
            PlanRemark(text=said.text("text"), by=said.text("author"), at=instant_of(said, "created_at", zone))
            for said in entry.records("comments")
        ),
        raw=entry.values,
    )


def _status(entry: Entry, word: str) -> tuple[TaskStatus, str]:
    """The status, and the reason of the hold that comes with it."""
    if folded(word) == "pinned":  # stays open, and is never worked off
        return TaskStatus.BLOCKED, "pinned"
    return status_of(entry, word), stated_hold(word)


def _priority(entry: Entry) -> Priority:
    word = entry.text("priority").strip().upper().removeprefix("P")
    if not word:
        return Priority.MEDIUM
    if word.isascii() and word.isdigit() and int(word[:3]) < len(PRIORITIES):
        return PRIORITIES[int(word[:3])]
    entry.guess(f"its priority `{word[:40]}` is unknown and was taken as medium")
    return Priority.MEDIUM


def _criteria(text: str) -> Iterator[str]:
    """The items of a list, or a text as it is."""
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and all(BULLET.match(line) for line in lines):
        yield from dict.fromkeys(stripped for line in lines if (stripped := BULLET.sub("", line, count=1).strip()))
    elif text.strip():
        yield text.strip()


def _hours(entry: Entry) -> Decimal | None:
    minutes = entry.values.get("estimated_minutes")
    if minutes is None:
        return None
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 <= minutes <= MINUTES * 1_000_000:
        entry.skip(f"its `estimated_minutes` are `{str(minutes)[:40]}`; that was left out")
        return None
    return round(Decimal(str(minutes)) / MINUTES, 6) or None
