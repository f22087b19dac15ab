"""What every test may ask for: a clock, a path, and a real database on it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from board import Board
from javascript import Programs, fetched
from recount import problems

from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import migrate
from swarm_mcp.repository.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Say what time it is."""
        return self.now

    def advance(self, **duration: float) -> datetime:
        """Move on by a timedelta's keywords (`minutes=31`) and say what time it is then."""
        self.now += timedelta(**duration)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give the clock that `database` goes by."""
    return Clock()


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    """Where the test's board will be; there is no file yet."""
    return tmp_path / "swarm.db"


@pytest.fixture
def database(database_path: Path, clock: Clock) -> Iterator[Database]:
    """Open a board with the newest schema and nothing in it."""
    board = Database(database_path, clock=clock)
    migrate.upgrade(board)
    yield board
    board.close()


@pytest.fixture(scope="session")
def manned_board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Board, Path]]:
    """A board with `lead`, `ada` and `bob` on it, and a copy of its file.

    Made once, because migrating a file and compiling the statements take longer than most tests.
    """
    path = tmp_path_factory.mktemp("board") / "swarm.db"
    clock = Clock()
    board = Board(open_swarm(path, clock=clock), clock)
    for agent in ("lead", "ada", "bob", "lead"):
        board.inbox(agent)
    board.swarm.close()
    yield board, shutil.copy(path, path.with_name("copy.db"))
    board.swarm.close()


@pytest.fixture
def board(manned_board: tuple[Board, Path], clock: Clock) -> Iterator[Board]:
    """A board with a root director, `lead`, and two workers below it, `ada` and `bob`, and nothing else.

    Whatever a test does to it, its derived columns and its ledger agree with it afterwards.
    """
    board, copy = manned_board
    path = copy.with_name("swarm.db")
    board.swarm.close()
    board.clock.now = clock.now
    shutil.copy(copy, fresh := copy.with_name("fresh.db"))
    fresh.replace(path)
    yield board
    assert problems(path) == []


@pytest.fixture
def house(board: Board) -> Board:
    """Below lead: kim, below kim: sue, below sue: ada; below lead also tom, and below tom: bob."""
    for name, below, role in (("kim", "lead", "supervisor"), ("sue", "kim", "supervisor"), ("ada", "sue", "worker"),
                              ("tom", "lead", "supervisor"), ("bob", "tom", "worker")):  # fmt: skip
        board.register("lead", name, superior=below, role=role)
    for agent in ("kim", "sue", "tom", "ada", "bob", "lead"):
        board.inbox(agent)
        board.inbox(agent)
    return board


@pytest.fixture(scope="session")
def programs(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """Programs of others that try us out; skips where there is no Node for them or they are not to be had."""
    return fetched(pytestconfig.cache.mkdir("programs"), tmp_path_factory.mktemp("home"))
