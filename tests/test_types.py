"""Column types: what goes in comes out, and what cannot be kept exactly is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select, text
from sqlalchemy.exc import StatementError

from swarm_mcp.repository.database import Database
from swarm_mcp.repository.types import ExactDecimal, Json, UtcTime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METADATA = MetaData()
SAMPLE = Table(
    "sample",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", UtcTime),
    Column("document", Json),
    Column("hours", ExactDecimal),
)


@pytest.fixture
def board(database_path: Path) -> Iterator[Database]:
    """A board with one table of all our types."""
    board = Database(database_path)
    with board.writing() as db:
        METADATA.create_all(db.connection)
    yield board
    board.close()


def keep(board: Database, **values: Any) -> Any:
    """What comes back of a row."""
    with board.writing() as db:
        db.execute(insert(SAMPLE), values)
        (name,) = values
        return db.execute(select(SAMPLE.c[name]).order_by(SAMPLE.c.id.desc())).scalars().first()


def test_an_instant_keeps_its_microseconds_and_comes_back_in_utc(board: Database) -> None:
    tokyo = datetime(2026, 1, 2, 12, 0, 0, 1, tzinfo=timezone(timedelta(hours=9)))
    kept = keep(board, at=tokyo)
    assert kept == tokyo
    assert kept.isoformat() == "2026-01-02T03:00:00.000001+00:00"
    assert keep(board, at=None) is None


def test_the_order_of_stored_instants_is_the_order_of_time(board: Database) -> None:
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    instants = [
        noon,
        noon - timedelta(microseconds=1),
        noon.replace(year=999),
        datetime.max.replace(tzinfo=UTC),
    ]
    with board.writing() as db:
        db.execute(insert(SAMPLE), [{"at": at} for at in instants])
        assert db.execute(select(SAMPLE.c.at).order_by(SAMPLE.c.at)).scalars().all() == sorted(instants)
        assert db.execute(select(func.max(SAMPLE.c.at)).where(SAMPLE.c.at <= noon)).scalar() == noon


def test_a_time_without_a_zone_is_refused(board: Database) -> None:
    with pytest.raises(StatementError, match="time zone"):
        keep(board, at=datetime(2026, 1, 2))  # noqa: DTZ001 - the point


@pytest.mark.parametrize(
    "document", [{"a": [1, 2.5, None, True], "ü": "→"}, [], "1.0", "text", 1.0, 0, False, {"n": 10**30}]
)
def test_a_document_comes_back_as_it_was(board: Database, document: object) -> None:
    kept = keep(board, document=document)
    assert kept == document
    assert type(kept) is type(document)


def test_a_document_is_stored_compactly_and_none_as_null(board: Database) -> None:
    keep(board, document={"a": ["ü", 1]})
    keep(board, document=None)
    with board.reading() as db:
        stored = db.execute(text("SELECT document, typeof(document) FROM sample ORDER BY id")).all()
    assert [tuple(row) for row in stored] == [('{"a":["ü",1]}', "text"), (None, "null")]


def test_a_number_that_json_does_not_have_is_refused(board: Database) -> None:
    with pytest.raises(StatementError, match="JSON"):
        keep(board, document=[float("nan")])


@pytest.mark.parametrize("number", ["0", "1.5", "-0.25", "0.000001", "100", "123456789012.123456"])
def test_a_decimal_is_exact(board: Database, number: str) -> None:
    kept = keep(board, hours=Decimal(number))
    assert str(kept) == number


def test_decimals_add_up_exactly_inside_the_database(board: Database) -> None:
    with board.writing() as db:
        db.execute(insert(SAMPLE), [{"hours": Decimal("0.1")} for _ in range(10)])
        assert db.execute(select(func.sum(SAMPLE.c.hours))).scalar() == 1
        assert db.execute(select(func.count()).where(SAMPLE.c.hours < Decimal("0.100001"))).scalar() == 10


@pytest.mark.parametrize("number", [Decimal("0.0000001"), Decimal("NaN"), Decimal("Infinity")])
def test_a_decimal_that_would_have_to_be_rounded_is_refused(board: Database, number: Decimal) -> None:
    with pytest.raises(StatementError, match="places"):
        keep(board, hours=number)
