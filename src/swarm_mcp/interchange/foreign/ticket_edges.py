"""What tickets wait for and are related to: both spellings, both directions, each edge once."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from swarm_mcp.interchange.foreign.ticket_fields import OTHER_NAMES, SOFT, names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from swarm_mcp.interchange.foreign.entry import Entry
    from swarm_mcp.model.task import EdgeType

LETTERS = re.compile(r"[^\W\d]*")


@dataclass(slots=True)
class Edges:
    """The edges of all tickets, by the ref of the one that has them."""

    waits: defaultdict[str, dict[str, None]] = field(default_factory=lambda: defaultdict[str, dict[str, None]](dict))
    """What each waits for, in the order in which it was said."""
    relations: defaultdict[str, dict[tuple[EdgeType, str], None]] = field(
        default_factory=lambda: defaultdict[str, dict[tuple["EdgeType", str], None]](dict)
    )


def edges_of(entries: Mapping[str, Entry]) -> Edges:
    """All edges between these entries. Those to what is not there are reported, and those that cannot be."""
    found = Edges()
    for entry in entries.values():
        for key, value in _said(entry):
            for name in dict.fromkeys(names_in(entry, value, key)):
                _add(found, entry, key, name, entries)
    return found


def _said(entry: Entry) -> Iterator[tuple[str, object]]:
    """Every value that names other tickets, under our word for what they are to this one."""
    for key in ("depends_on", "blocks", *SOFT):
        if key in entry.values:
            yield key, entry.values[key]
    inside = entry.values.get("dependencies")
    if not isinstance(inside, dict):
        yield "depends_on", inside
        return
    for word, value in cast("dict[str, object]", inside).items():
        folded = word.strip().lower().replace("-", "_").replace(" ", "_")
        key = OTHER_NAMES.get(folded, folded)
        if key in {"depends_on", "blocks", *SOFT}:
            yield key, value
        elif value:
            entry.skip(f"`dependencies.{word[:40]}` is no kind of dependency; that was left out")


def _add(found: Edges, entry: Entry, key: str, name: str, entries: Mapping[str, Entry]) -> None:
    ref = meant(entry, name, entries)
    other = entries.get(ref)
    if other is None:
        if key == "depends_on":
            entry.findings.dangling.append((entry.ref, ref))
        else:
            entry.skip(f"`{key}` names {ref[:100]}, which is not there; that was left out")
    elif other is entry:
        entry.skip(f"`{key}` names the ticket itself; that was left out")
    elif key in SOFT:
        found.relations[entry.ref][SOFT[key], ref] = None
    elif other in entry.ancestors() or entry in other.ancestors():
        entry.skip(f"`{key}` names {ref}, with which it forms one tree; that was left out")
    elif key == "blocks":
        found.waits[ref][entry.ref] = None
    else:
        found.waits[entry.ref][ref] = None


def meant(entry: Entry, name: str, entries: Mapping[str, Entry]) -> str:
    """The ref that a name in a ticket means, whether it is there or not: in a subtask first a part of the same task."""
    scope = str(entry.values.get("task_id") or "").strip() if "/" in entry.ref else ""
    sibling = f"{scope}/{name}"
    if not scope:
        return name
    if sibling in entries:
        if name in entries:
            entry.guess(f"`{name}` was taken as its sibling {sibling}, not as the ticket {name}")
        return sibling
    own = entry.ref.rpartition("/")[2]
    alike = LETTERS.match(own)
    if name not in entries and alike is not None and alike[0] and name.startswith(alike[0]):
        return sibling
    return name
