"""A foreign plan as records: what every importer reads, before anything touches the board."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanItem:
    """One task of a foreign plan, in our words. Absent text is empty."""

    ref: str
    """The foreign id, unique in its document: `3`, its subtask `3.2`, with several lists `list/3.2`."""
    title: str
    """1 to 500 characters, trimmed."""
    parent: str = ""
    """The ref of the task that this one is a part of."""
    description: str = ""
    status: str = "pending"
    """One of our nine words. What was stated, though it may contradict other items."""
    source_status: str = ""
    """The word that the document used."""
    hold: str = ""
    """The reason of the hold that the status stands for: deferred, or blocked with nothing in the way."""
    priority: str = "medium"
    complexity: str = ""
    """low, medium, high, very_high, or absent."""
    assignee: str = ""
    tags: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    """Manual criteria, in their own words."""
    depends_on: tuple[str, ...] = ()
    """Refs of this document that must finish first: no repetitions, not itself, no ancestor, no part of it.
    Cycles are kept; the board refuses them with their path."""
    raw: Mapping[str, object] = field(default_factory=dict[str, object])
    """The whole foreign record but its subtasks, as JSON values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """A foreign plan: its items, and what a reader had to decide that its author should know."""

    format: str
    name: str
    """The base name of the file."""
    items: tuple[PlanItem, ...]
    """In the order of the file, parents before their parts."""
    dangling: tuple[tuple[str, str], ...] = ()
    """Dependencies on what is not there: (the ref of the task that waits, the id that nobody has)."""
    guessed: tuple[str, ...] = ()
    """Sentences about what could have been meant otherwise."""
    skipped: tuple[str, ...] = ()
    """Sentences about what was left out."""
    renamed: tuple[str, ...] = ()
    """Sentences about titles that could not be kept."""
    raw: Mapping[str, object] = field(default_factory=dict[str, object])
    """What the file says beside its tasks, as JSON values."""
