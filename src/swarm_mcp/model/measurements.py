"""What was measured: figures by dotted names, as maps that checks can look into."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from swarm_mcp.model.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEPTH_LIMIT = 20
"""How deep measurements may nest: whoever converts them recurses, the CEL library on the native stack."""
VALUES_LIMIT = 100_000
CHARACTERS_LIMIT = 1_000_000
SHOWN_CHARACTERS = 60


class UnusableMeasurementError(ValueError):
    """Something was measured that cannot be compared; the words say what and why."""


@dataclass(slots=True)
class Size:
    """How much was measured of what a check needs."""

    values: int = 0
    characters: int = 0
    longest: int = 1
    """Items of the longest list or map."""


def expand(measurements: Mapping[str, object]) -> dict[str, object]:
    """Measurements with their dotted keys as maps: `{"a.b": 1, "a.c": 2}` is `{"a": {"b": 1, "c": 2}}`.

    Only the outermost keys are expanded: a map such as `{"coverage": {"src/main.py": 0.9}}` stays.

    Raises:
        Invalid: a name is empty, too deep, or measured twice (`a` and `a.b`).

    """
    expanded: dict[str, object] = {}
    for name, value in measurements.items():
        steps = name.split(".")
        if not all(steps) or len(steps) > DEPTH_LIMIT:
            raise Invalid(f"`{cut(name)}` is no name of a measurement; write words joined by single dots.")
        place = expanded
        for step in steps[:-1]:
            below = place.get(step, {})
            if not isinstance(below, dict):
                raise Invalid(f"`{cut(name)}` clashes with another measurement of `{cut(step)}`; send one of them.")
            copied = dict(cast("dict[str, object]", below))  # the map may be the caller's
            place[step] = copied
            place = copied
        _put(place, steps[-1], value, name)
    return expanded


def plain(value: object, name: str, size: Size, depth: int = 0) -> object:
    """A measured value as JSON knows it, its size counted; what is null in a map is absent.

    Raises:
        UnusableMeasurementError: not a number, too large, too deep, or no JSON value at all.

    """
    size.values += 1
    if depth > DEPTH_LIMIT or size.values > VALUES_LIMIT:
        raise UnusableMeasurementError(f"`{cut(name)}` is too large or too deep to be checked")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        return _number(value, name)
    if isinstance(value, str):
        return _text(value, name, size)
    if isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        size.longest = max(size.longest, len(items))
        return [plain(each, name, size, depth + 1) for each in items]
    if isinstance(value, dict):
        entries = cast("dict[object, object]", value)
        size.longest = max(size.longest, len(entries))
        return {
            _text(str(key), name, size): plain(each, f"{name}.{key}", size, depth + 1)
            for key, each in entries.items()
            if each is not None
        }
    raise UnusableMeasurementError(f"`{cut(name)}` is neither a number, a text, a list nor a map")


def find(known: object, path: Sequence[str]) -> object:
    """What was measured under a path, or None."""
    for step in path:
        if not isinstance(known, dict):
            return None
        known = cast("dict[str, object]", known).get(step)
    return known


def cut(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """A text short enough for a sentence."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _put(place: dict[str, object], step: str, value: object, name: str) -> None:
    """Set a value; a map joins the one that other keys have made there."""
    if step not in place:
        place[step] = value
        return
    there = place[step]
    if not isinstance(value, dict) or not isinstance(there, dict):
        raise Invalid(f"`{cut(name)}` is measured twice; send one of them.")
    merged = dict(cast("dict[str, object]", there))
    for key, each in cast("dict[str, object]", value).items():
        _put(merged, key, each, f"{name}.{key}")
    place[step] = merged


def _number(value: float | Decimal, name: str) -> int | float:
    """A number of 64 bits. What lies beyond a whole number's range is compared as a float."""
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return int(value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
    except ValueError:  # Decimal's signalling NaN
        number = math.nan
    if math.isnan(number):
        raise UnusableMeasurementError(f"`{cut(name)}` is not a number")
    return number


def _text(value: str, name: str, size: Size) -> str:
    size.characters += len(value)
    if size.characters > CHARACTERS_LIMIT:
        raise UnusableMeasurementError(f"`{cut(name)}` is too large to be checked")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UnusableMeasurementError(f"`{cut(name)}` holds half a surrogate pair") from None
    return value
