"""Times as other programs write them, made aware."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

    from swarm_mcp.interchange.foreign.entry import Entry, Findings

BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
NEVER = 1
"""The year of the time that programs in Go write where there is none."""


def instant_of(entry: Entry, key: str, zone: tzinfo) -> datetime | None:
    """A field's time in UTC; without an offset it is one of the zone, which is reported once for the file.

    What is no time is reported and left out.
    """
    words = entry.text(key).strip()
    try:
        return instant(words, zone, entry.findings)
    except (ValueError, OverflowError):
        entry.skip(f"its `{key}` is `{words[:40]}`, which is no time; that was left out")
        return None


def deadline_of(entry: Entry, key: str, zone: tzinfo) -> datetime | None:
    """The same of a deadline: a date alone is the end of that day."""
    words = entry.text(key).strip()
    if not BARE_DATE.fullmatch(words):
        return instant_of(entry, key, zone)
    return instant_of(replace(entry, values={key: f"{words}T{time.max.isoformat()}"}), key, zone)


def instant(words: str, zone: tzinfo, findings: Findings) -> datetime | None:
    """A time in UTC, counted if it names no zone; None for none.

    Raises:
        ValueError: it is no time.
        OverflowError: it is outside the calendar.

    """
    if not words.strip():
        return None
    moment = datetime.fromisoformat(words.strip())
    if moment.tzinfo is None:
        findings.naive += 1
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC) if moment.year > NEVER else None


def tell_of_naive(count: int, zone: tzinfo) -> list[str]:
    """The sentence about times that said no offset, if there were any."""
    times = "1 time without an offset was" if count == 1 else f"{count:,} times without an offset were"
    return [f"{times} taken as {zone}."] if count else []
