"""How much work something is: `M`, `2h`, `1h 30m`, `2-4 days`, as hours."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from swarm_mcp.model.draft import HOURS_LIMIT

SIZES = {
    "XS": Decimal("0.5"), "S": Decimal(1), "M": Decimal(3), "L": Decimal(6), "XL": Decimal(12), "XXL": Decimal(24),
}  # fmt: skip
"""Sizes of shirts in hours: S is under 2, M is 2 to 4, L is 4 to 8, and the middle was taken."""
HOURS_IN_A_DAY = 8
HOURS_IN_A_WEEK = 40
UNITS = {
    "m": Decimal(1) / 60, "h": Decimal(1), "d": Decimal(HOURS_IN_A_DAY), "w": Decimal(HOURS_IN_A_WEEK),
}  # fmt: skip
NUMBER = r"\d{1,9}(?:\.\d{1,6})?"
UNIT = r"(?:minutes?|mins?|m|hours?|hrs?|hr|h|days?|d|weeks?|wks?|w)"
PART = re.compile(rf"({NUMBER})\s*({UNIT})(?![a-z])\s*,?\s*", re.IGNORECASE)
RANGE = re.compile(rf"({NUMBER})\s*({UNIT})?\s*(?:-|\u2013|to)\s*({NUMBER})\s*({UNIT})", re.IGNORECASE)
GUESSES = {
    "size": f"Sizes were read as hours: {', '.join(f'{size} {hours.normalize():f}' for size, hours in SIZES.items())}.",
    "days": f"Days were read as {HOURS_IN_A_DAY} hours, and weeks as five days.",
    "range": "Of efforts from one figure to another the middle was taken.",
    "bare": "Efforts without a unit were taken as hours.",
}
"""What was supposed, by the guess of an effort; told once for all of a plan."""
PLACES = Decimal("0.000001")


class Effort(NamedTuple):
    """Hours, and what had to be supposed for them."""

    hours: Decimal
    guess: str = ""
    """`size`, `range`, `days`, `bare`, or nothing."""


def read_effort(words: str) -> Effort | None:
    """The hours that words mean; None if they mean none, or more than can be stored."""
    said = words.strip()
    if said.upper() in SIZES:
        return Effort(SIZES[said.upper()], "size")
    found = _range(said) or _bare(said) or _sum(said)
    return found if found is not None and found.hours <= HOURS_LIMIT else None


def _range(said: str) -> Effort | None:
    match = RANGE.fullmatch(said)
    if match is None:
        return None
    low, of_low, high, of_high = match.groups()
    total = _hours(low, of_low or of_high) + _hours(high, of_high)
    return Effort((total / 2).quantize(PLACES).normalize() + 0, "range")


def _bare(said: str) -> Effort | None:
    return Effort(Decimal(said), "bare") if re.fullmatch(NUMBER, said) else None


def _sum(said: str) -> Effort | None:
    parts, end = [], 0
    while match := PART.match(said, end):
        parts.append(match.groups())
        end = match.end()
    if not parts or end < len(said):
        return None
    hours = sum((_hours(*each) for each in parts), Decimal(0)).quantize(PLACES).normalize() + 0
    return Effort(hours, "days" if any(unit[0].lower() in "dw" for _, unit in parts) else "")


def _hours(number: str, unit: str) -> Decimal:
    return Decimal(number) * UNITS[unit[0].lower()]
