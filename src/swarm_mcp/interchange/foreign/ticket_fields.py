"""The fields of a ticket's front matter: under which names they go, and what their values say."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, cast

from swarm_mcp.interchange.foreign.efforts import GUESSES, read_effort
from swarm_mcp.interchange.foreign.instants import tell_of_naive
from swarm_mcp.model.task import EdgeType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo
    from decimal import Decimal

    from swarm_mcp.interchange.foreign.entry import Entry

SOFT = {kind.value: kind for kind in EdgeType if kind is not EdgeType.BLOCKS}
"""The edges that gate nothing, by their names in front matter."""
OTHER_NAMES = {
    "acceptance_criteria": "criteria", "success_criteria": "criteria", "actual_hours": "actual",
    "agent": "assignee", "assigned_to": "assignee", "owner": "assignee", "author": "creator", "created_by": "creator",
    "reporter": "creator", "blocked_by": "depends_on", "requires": "depends_on", "waits_for": "depends_on",
    "closed": "completed", "closed_at": "completed", "completed_at": "completed", "completion_date": "completed",
    "finished": "completed", "component": "area", "created_at": "created", "due": "deadline", "due_date": "deadline",
    "duplicate_of": "duplicates", "effort": "estimate", "estimated_hours": "estimate", "estimated_time": "estimate",
    "size": "estimate", "labels": "tags", "modified": "updated", "updated_at": "updated", "name": "title",
    "parent_id": "parent", "parent_task": "parent", "parent_ticket": "parent", "related_to": "related",
    "relates_to": "related", "started_at": "started", "task_type": "type", "completion_summary": "summary",
}  # fmt: skip
FIELDS = frozenset(OTHER_NAMES.values()) | frozenset(SOFT) | {
    "id", "task_id", "subtask_id", "status", "priority", "complexity", "phase", "description", "dependencies", "blocks",
    "requirements", "design_ref",
}  # fmt: skip
NOTHING = frozenset({"", "-", "none", "n/a", "nil"})
"""What people write for nothing, beside YAML's own words."""
FULL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
OFFSET = re.compile(r"\s+(?=[+-]\d{1,2}:?\d{0,2}$|Z$)", re.IGNORECASE)


def fields_of(front_matter: dict[str, object], unknown: Counter[str]) -> dict[str, object]:
    """The front matter under our names for its fields; of several that mean the same, the first that says anything."""
    found: dict[str, object] = {}
    for key, value in front_matter.items():
        folded = FULL.sub("_", key.strip()).lower().replace("-", "_").replace(" ", "_")
        name = OTHER_NAMES.get(folded, folded)
        if name not in FIELDS or found.get(name) is not None:
            unknown[key[:40]] += value is not None
        else:
            found[name] = value
    return found


def names_in(entry: Entry, value: object, key: str) -> Iterator[str]:
    """What a value names: one thing, several with commas between, or a list of them."""
    match value:
        case None:
            return
        case str():
            yield from (each for part in value.split(",") if (each := part.strip()).lower() not in NOTHING)
        case list():
            for each in cast("list[object]", value):
                if isinstance(each, str):
                    yield from ([each.strip()] if each.strip().lower() not in NOTHING else [])
                else:  # [[TSK-001]] is a link, and a list in a list to YAML
                    yield from names_in(entry, each, key)
        case dict():
            fields = cast("dict[str, object]", value)
            named = next((fields[each] for each in ("id", "task", "ticket") if each in fields), None)
            if named is None and len(fields) == 1:  # `- TSK-001: because of the schema`
                named = next(iter(fields))
            if not isinstance(named, str):
                entry.refuse(f"`{key}` names something that is no id")
            yield from names_in(entry, named, key)
        case _:
            entry.refuse(f"`{key}` names something that is no id")


@dataclass(slots=True)
class Suppositions:
    """What was supposed about the times, efforts and boxes of many tickets, told once for all of them."""

    zone: tzinfo
    counts: Counter[str] = field(default_factory=Counter[str])

    def moment(self, entry: Entry, key: str, *, ends: bool = False) -> datetime | None:
        """A time, in UTC; a date is where its day begins, or ends, in the zone."""
        words = entry.text(key).strip()
        if words.lower() in NOTHING:
            return None
        try:
            return self._read(words, ends=ends)
        except (ValueError, OverflowError):
            entry.guess(f"its `{key}` `{words[:40]}` is no time and was left out")
            return None

    def _read(self, words: str, *, ends: bool) -> datetime:
        try:
            day = date.fromisoformat(words)
        except ValueError:
            moment = datetime.fromisoformat(OFFSET.sub("", words))
            if moment.tzinfo is None:
                self.counts["naive"] += 1
                moment = moment.replace(tzinfo=self.zone)
        else:
            self.counts["date"] += 1
            moment = datetime.combine(day, time.max if ends else time.min, self.zone)
        return moment.astimezone(UTC)

    def hours(self, entry: Entry, key: str) -> Decimal | None:
        """An effort, in hours."""
        words = entry.text(key).strip()
        if words.lower() in NOTHING:
            return None
        effort = read_effort(words)
        if effort is None:
            entry.guess(f"its `{key}` `{words[:40]}` is no effort and was left out")
            return None
        self.counts[effort.guess] += 1
        return effort.hours or None

    def sentences(self) -> Iterator[str]:
        """What was supposed."""
        said = {
            "date": f"Dates without a time were taken as whole days in {self.zone} ({self.counts['date']:,}).",
            **GUESSES,
            "boxes": f"Boxes that stand under no heading of acceptance stayed text ({self.counts['boxes']:,}).",
        }
        yield from tell_of_naive(self.counts["naive"], self.zone)
        yield from (sentence for kind, sentence in said.items() if self.counts[kind])
