"""A foreign record's words for status, priority and complexity, in ours: what is doubtful is reported, not refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.lifecycle import STATUS_ALIASES, Priority, TaskStatus, choose, read_priority, read_status
from swarm_mcp.model.task import Complexity

if TYPE_CHECKING:
    from swarm_mcp.interchange.foreign.entry import Entry

COMPLEXITIES = {"simple": "low", "moderate": "medium", "complex": "high", "very_complex": "very_high"}
SCORES = ((3, Complexity.LOW), (6, Complexity.MEDIUM), (8, Complexity.HIGH), (10, Complexity.VERY_HIGH))
"""The highest score of each level, of scores from 1 to 10."""
SCORED = "Complexity scores were read as low up to 3, medium up to 6, high up to 8, very_high above."
"""What is reported once where there was a score."""


def folded(word: str) -> str:
    """A word as it is compared: `In-Progress` is `in_progress`."""
    return word.strip().lower().replace("-", "_").replace(" ", "_")


def status_of(entry: Entry, word: str) -> TaskStatus:
    """The status that a word means; pending, with a report, where it means none."""
    if not word:
        entry.guess("it has no status and was taken as pending")
        return TaskStatus.PENDING
    try:
        return read_status(word)
    except Invalid:
        entry.guess(f"its status `{word[:40]}` is unknown and was taken as pending")
        return TaskStatus.PENDING


def stated_hold(word: str) -> str:
    """The reason of the hold that a word for a status stands for: `deferred`."""
    status, what = STATUS_ALIASES.get(folded(word), (None, ""))
    return what if status is TaskStatus.BLOCKED else ""


def is_put_away(word: str) -> bool:
    """Whether a word for a status says that the task was put away too: `tombstone`."""
    return STATUS_ALIASES.get(folded(word), (None, ""))[1] == "archived"


def priority_of(entry: Entry) -> Priority:
    """The priority of an entry; medium where there is none, and, with a report, where it is unknown."""
    word = entry.text("priority").strip()
    try:
        return read_priority(word)
    except Invalid:
        entry.guess(f"its priority `{word[:40]}` is unknown and was taken as medium")
        return Priority.MEDIUM


def complexity_of(entry: Entry, key: str = "complexity") -> str:
    """A level or a score, as a level; absent is empty."""
    word = entry.text(key).strip()
    if not word:
        return ""
    try:
        return choose(COMPLEXITIES.get(folded(word), folded(word)), Complexity, "complexity").value
    except Invalid:
        pass
    try:
        score = float(word)
    except ValueError:
        score = 0
    level = next((level for highest, level in SCORES if 1 <= score <= highest), None)
    if level is None:
        entry.guess(f"its complexity `{word[:40]}` is unknown and was left out")
        return ""
    entry.findings.scored = True
    return level.value
