"""Our own lossless form of a board: JSON lines, one for each row.

The first line is the header: what follows, how much of it, and from when it is; it alone differs between two exports of
one board. Then come the rows, kind by kind, everything after what it refers to; what is empty is left out. The last
line closes, so that a file which lost its end is told from a whole one. `docs/swarm-lines.schema.json` says it exactly.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import Invalid
from swarm_mcp.repository.kinds import NUMBERED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from swarm_mcp.repository.kinds import Field, Kind

FORMAT = "swarm-lines"
VERSION = 1
HEADER, END = "board", "end"
EXACT_FLOATS = 1e16
"""From here on a float is written with an exponent, which PostgreSQL does not keep."""
PLACES = Decimal(1_000_000)
MOST_HOURS = 10**12
TEXT_OF_INSTANT = len("2026-01-02T03:04:05.678901+00:00")
REFERRING = {"event": "data", "delegation": "before", "task": "reserved_from"}
"""Documents in which agents, teams and numbers are named."""

encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def canonical(value: Any) -> Any:
    """A document in the one form that every database gives it back in: keys in order, no exponents, no -0.0."""
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [canonical(each) for each in value]
    if isinstance(value, float):
        if abs(value) >= EXACT_FLOATS:
            return int(Decimal(repr(value)))
        return value or 0.0
    return value


class LineWriter:
    """Rows of a kind, as the driver delivers them, to lines."""

    def __init__(self, kind: Kind, *, is_postgres: bool, bases: Mapping[str, int]) -> None:
        self.kind = kind
        self.bases = bases
        readers = _POSTGRES if is_postgres else _SQLITE
        self.columns = [(field.name, readers.get(field.type), field.empty, self._base(field)) for field in kind.fields]

    def _base(self, field: Field) -> int:
        """From what its numbers are told; 0 for all that are no numbers of rows."""
        if NUMBERED.get(self.kind.name) == field.name:
            return self.bases[self.kind.name]
        return self.bases[field.refers] if field.refers in NUMBERED else 0

    def line(self, row: Sequence[Any]) -> dict[str, Any]:
        """A row as the object of its line."""
        said: dict[str, Any] = {"row": self.kind.name}
        for (name, read, empty, base), raw in zip(self.columns, row, strict=True):
            if raw is None:
                continue
            value = raw if read is None else read(raw)
            if value == empty:
                continue
            said[name] = value - base if base else value
        if self.kind.name == "event" and "data" in said:
            said["data"] = moved(said["data"], {name: -base for name, base in self.bases.items()})
        return said


def moved(data: Any, by: Mapping[str, int]) -> Any:
    """What an event says, with the numbers of messages and events in it moved."""
    for name, kind in (("undoes", "event"), ("message", "message")):
        if type(data.get(name)) is int and by[kind]:
            data = {**data, name: data[name] + by[kind]}
    return data


def _document(text: str) -> Any:
    if text == "[]":
        return []
    return {} if text == "{}" else canonical(json.loads(text))


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _hours(value: Decimal) -> str:
    words = f"{value:f}"
    return words.rstrip("0").rstrip(".") if "." in words else words


_SQLITE: dict[str, Callable[[Any], Any]] = {
    "json": _document,
    "boolean": bool,
    "decimal": lambda millionths: _hours(Decimal(millionths) / PLACES),
}
_POSTGRES: dict[str, Callable[[Any], Any]] = {"json": canonical, "time": _instant, "decimal": _hours}


class LineReader:
    """Objects of lines to rows: every value checked, everything that is not said filled in."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.names = {field.name for field in kind.fields} | {"row"}
        self.fields = [(field, _CHECKS[field.type]) for field in kind.fields]

    def row(self, said: dict[str, Any]) -> dict[str, Any]:
        """The values by their columns; times in UTC, as text.

        Raises:
            Invalid: a value that is missing or cannot be; the sentence goes on from "line 7: ".

        """
        if not self.names.issuperset(said):
            strange = next(name for name in said if name not in self.names)
            raise Invalid(f"a {self.kind.name} has no `{strange[:40]}`.")
        row: dict[str, Any] = {}
        for field, check in self.fields:
            value = said.get(field.name)
            if value is None:
                if field.empty is ...:
                    raise Invalid(f"a {self.kind.name} needs its `{field.name}`.")
                row[field.name] = field.empty
            else:
                row[field.name] = check(field, value)
        return row


def _wrong(field: Field, wanted: str) -> Invalid:
    return Invalid(f"`{field.name}` has to be {wanted}.")


def _check_text(field: Field, value: Any) -> str:
    if type(value) is not str:
        raise _wrong(field, "text")
    if field.choices and value not in field.choices:
        raise _wrong(field, f"one of {', '.join(each for each in field.choices if each)}")
    if len(value) > field.most:
        raise _wrong(field, f"at most {field.most:,} characters")
    return value


def _check_integer(field: Field, value: Any) -> int:
    if type(value) is not int or not -field.most <= value <= field.most:
        raise _wrong(field, "a whole number that fits")
    return value


def _check_float(field: Field, value: Any) -> float:
    if type(value) not in {int, float} or not isfinite(value):
        raise _wrong(field, "a number")
    return float(value)


def _check_boolean(field: Field, value: Any) -> bool:
    if type(value) is not bool:
        raise _wrong(field, "true or false")
    return value


def _check_time(field: Field, value: Any) -> str:
    try:
        moment = datetime.fromisoformat(value)
        if moment.utcoffset() is None:
            raise _wrong(field, "a time with its offset")
        if len(value) == TEXT_OF_INSTANT and value.endswith("+00:00"):
            return value
        return moment.astimezone(UTC).isoformat(timespec="microseconds")
    except (TypeError, ValueError, OverflowError):
        raise _wrong(field, "a time such as 2026-01-02T03:04:05.678901+00:00") from None


def _check_decimal(field: Field, value: Any) -> str:
    try:
        number = Decimal(value) if type(value) in {str, int} else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= MOST_HOURS or number * PLACES % 1:
        raise _wrong(field, "a decimal number of at most six places, as text")
    return _hours(number)


def _check_document(field: Field, value: Any) -> Any:
    if field.empty == [] and type(value) is not list:
        raise _wrong(field, "a list")
    if field.empty == {} and type(value) is not dict:
        raise _wrong(field, "an object")
    return value


_CHECKS: dict[str, Callable[[Field, Any], Any]] = {
    "text": _check_text, "integer": _check_integer, "float": _check_float, "boolean": _check_boolean,
    "time": _check_time, "decimal": _check_decimal, "json": _check_document,
}  # fmt: skip


def storable(value: Any) -> bool:
    """Whether every text in a document can be stored: no NUL characters, no halves of surrogate pairs."""
    if isinstance(value, str):
        if "\x00" in value:
            return False
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
        return True
    if isinstance(value, dict):
        return all(storable(key) and storable(each) for key, each in value.items())
    return not isinstance(value, list) or all(map(storable, value))
