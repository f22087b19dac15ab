"""Column types that mean the same on every database: instants, documents, exact decimals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, DateTime, Numeric, String, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

_PLACES = 6
_UNIT = 10**_PLACES
_TEXT_OF_INSTANT = len("2026-01-02T03:04:05.678901+00:00")

# One encoder for every document: json.dumps() would build a new one for each call with arguments.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _write_instant(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = _in_utc(value)
    return _text_of(value)


@lru_cache(maxsize=64)
def _text_of(instant: datetime) -> str:
    """The text of an instant in UTC. A transaction writes its own instant again and again."""
    return instant.isoformat(timespec="microseconds")


def _in_utc(value: datetime) -> datetime:
    if value.utcoffset() is None:
        sentence = "An instant needs a time zone."
        raise ValueError(sentence)
    return value.astimezone(UTC)


def write_document(value: Any) -> str | None:
    """Write a document as text."""
    if value is None:
        return None
    if not value and isinstance(value, list | dict):  # as most are
        return "[]" if isinstance(value, list) else "{}"
    return _encode(value)


def _read_instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _read_document(value: str | None) -> Any:
    if value == "[]":
        return []
    if value == "{}":
        return {}
    return None if value is None else json.loads(value)


def bytewise(kind: TypeEngine[str]) -> TypeEngine[str]:
    """Text whose order is that of its bytes on every database.

    PostgreSQL's default is the order of some language, in which a prefix may not be a range, and replicas and Python
    would sort otherwise.
    """
    length = getattr(kind, "length", None)
    return kind.with_variant(type(kind)(length, collation="C"), "postgresql")  # type: ignore[call-arg]


class UtcTime(TypeDecorator[datetime]):
    """An instant: an aware datetime in, an aware UTC datetime out, to the microsecond.

    On SQLite it is ISO 8601 text of fixed width ending in `+00:00`, so that the order of the text
    is the order of time and `datetime.fromisoformat` (C code) reads it back; on PostgreSQL it is
    `timestamptz`. A naive datetime is refused with ValueError, because nobody knows when it was.
    """

    impl = String
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(_TEXT_OF_INSTANT)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type on this database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(_TEXT_OF_INSTANT))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive instants; move the others to UTC."""
        if dialect.name != "postgresql":
            return _write_instant(value)
        return value if value is None or value.tzinfo is UTC else _in_utc(value)

    def bind_processor(self, dialect: Dialect) -> Any:
        """Write text without the decorator's detour: a call binds a dozen instants."""
        return super().bind_processor(dialect) if dialect.name == "postgresql" else _write_instant

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Read text without the decorator's detour: a task has eight instants."""
        return super().result_processor(dialect, coltype) if dialect.name == "postgresql" else _read_instant

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Read the instant back, in UTC."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            return value.astimezone(UTC)
        return datetime.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """A JSON document; None is SQL NULL, never the JSON word `null`.

    Compact text as people wrote it (no ASCII escapes) on SQLite, where the column is TEXT: a column
    declared JSON has numeric affinity there and would turn the document `1.0` into a number.
    JSONB on PostgreSQL. NaN and infinities are refused with ValueError: they are not JSON.
    """

    impl = JSON
    cache_ok = True

    def __init__(self, none_as_null: bool = True) -> None:  # noqa: FBT001, FBT002 - as JSON has it
        super().__init__(none_as_null=none_as_null)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type on this database."""
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415 - 2 MB that a board in a file spares

            return dialect.type_descriptor(JSONB(none_as_null=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> Any:
        """Write the document as text, where the driver does not."""
        return value if dialect.name == "postgresql" else write_document(value)

    def bind_processor(self, dialect: Dialect) -> Any:
        """Write text without the decorator's detour, as above."""
        return super().bind_processor(dialect) if dialect.name == "postgresql" else write_document

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Read text without the decorator's detour; most documents are empty."""
        return super().result_processor(dialect, coltype) if dialect.name == "postgresql" else _read_document

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        """Read the document back."""
        if value is None or dialect.name == "postgresql":
            return value
        return json.loads(value)


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal number, exact to six places (hours, mostly): Decimal or int in, Decimal out.

    SQLite has no exact fractions, so the column is an integer of millionths there: sums, order and
    comparisons in SQL are exact. NUMERIC(18, 6) on PostgreSQL. Numbers with more than six places
    are refused with ValueError, never rounded. Trailing zeros do not survive: 1.50 comes back as 1.5.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(18, _PLACES)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type on this database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(18, _PLACES))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Refuse what would have to be rounded."""
        if value is None:
            return None
        millionths = Decimal(value) * _UNIT
        if not millionths.is_finite() or millionths != millionths.to_integral_value():
            sentence = f"A decimal number here has at most {_PLACES} places."
            raise ValueError(sentence)
        return value if dialect.name == "postgresql" else int(millionths)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        """Read the number back, without trailing zeros or exponents."""
        if value is None:
            return None
        number = Decimal(value) if dialect.name == "postgresql" else Decimal(value).scaleb(-_PLACES)
        return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()
