"""Times as other programs write them, made aware."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

    from swarm_mcp.interchange.foreign.entry import Entry

NEVER = 1
"""The year of the time that programs in Go write where there is none."""


def instant_of(entry: Entry, key: str, zone: tzinfo) -> datetime | None:
    """A field's time in UTC; without an offset it is one of the zone, which is reported once for the file.

    What is no time is reported and left out.
    """
    words = entry.text(key).strip()
    if not words:
        return None
    try:
        moment = datetime.fromisoformat(words)
        if moment.tzinfo is None:
            entry.findings.naive += 1
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC) if moment.year > NEVER else None
    except (ValueError, OverflowError):
        entry.skip(f"its `{key}` is `{words[:40]}`, which is no time; that was left out")
        return None


def tell_of_naive(count: int, zone: tzinfo) -> list[str]:
    """The sentence about times that said no offset, if there were any."""
    times = "1 time without an offset was" if count == 1 else f"{count:,} times without an offset were"
    return [f"{times} taken as {zone}."] if count else []
