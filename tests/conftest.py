"""What every test may ask for: a clock, a path, and a real database on it."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import postgres
import pytest
from board import Board
from javascript import Programs, fetched
from recount import problems

from swarm_mcp.cli.app import run
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import migrate
from swarm_mcp.repository.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    Said = tuple[int, str, str]
    Program = Callable[..., Said]

ENGINES = {"sqlite": pytest.param("sqlite"), "postgres": pytest.param("postgres", marks=pytest.mark.no_cover)}
"""The second run of the same tests is not measured, which would make it half as long again."""
FILES = {"database_path", "manned_board"}
"""Fixtures that are SQLite's: whoever asks for one is about a file."""


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
def engine(request: pytest.FixtureRequest) -> str:
    """Which database the test is about: `sqlite` or `postgres`."""
    return getattr(request, "param", "sqlite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take `--engine sqlite`, for a quick look while one is at work."""
    parser.addoption("--engine", choices=list(ENGINES), help="run what uses a board on this database alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what uses a board on both databases, unless it is about SQLite's file."""
    about_files = metafunc.definition.get_closest_marker("sqlite") or FILES.intersection(metafunc.fixturenames)
    if "engine" in metafunc.fixturenames and not about_files:
        wanted = metafunc.config.getoption("engine")
        chosen = [mark for name, mark in ENGINES.items() if wanted in {None, name}]
        metafunc.parametrize("engine", chosen, indirect=True)


def pytest_configure(config: pytest.Config) -> None:
    """Keep boards in memory where that can be had: no test needs a disk, and a thousand syncs wait for one."""
    if not config.option.basetemp and os.access(postgres.MEMORY, os.W_OK):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(postgres.MEMORY))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let the processes that a test and its fixtures start go unmeasured if the test is: that halves what they cost."""
    unmeasured = item.get_closest_marker("no_cover") is not None
    kept = {name: os.environ.pop(name) for name in list(os.environ) if unmeasured and name.startswith("COVERAGE_")}
    try:
        return (yield)
    finally:
        os.environ.update(kept)


@pytest.fixture
def place(engine: str, tmp_path: Path) -> Iterator[Path | str]:
    """Where a board will be: a path without a file, or the address of an empty database."""
    with postgres.new_database() if engine == "postgres" else nullcontext(tmp_path / "swarm.db") as place:
        yield place


@pytest.fixture
def database(place: Path | str, clock: Clock) -> Iterator[Database]:
    """Open a board with the newest schema and nothing in it."""
    board = Database(place, clock=clock)
    migrate.upgrade(board)
    yield board
    board.close()


def manned(place: Path | str) -> Board:
    """A board with `lead`, `ada` and `bob` on it."""
    clock = Clock()
    board = Board(open_swarm(place, clock=clock), clock)
    for agent in ("lead", "ada", "bob", "lead"):
        board.inbox(agent)
    board.swarm.close()
    return board


@pytest.fixture(scope="session")
def manned_board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Board, Path]]:
    """A manned board on SQLite, and a copy of its file.

    Made once, because migrating a file and compiling the statements take longer than most tests.
    """
    path = tmp_path_factory.mktemp("board") / "swarm.db"
    board = manned(path)
    yield board, shutil.copy(path, path.with_name("copy.db"))
    board.swarm.close()


@pytest.fixture(scope="session")
def manned_postgres() -> Iterator[tuple[Board, postgres.Kept]]:
    """A manned board on PostgreSQL, and what is on it."""
    with postgres.new_database() as address:
        board = manned(address)
        kept = postgres.Kept(address)
        yield board, kept
        kept.close()
        board.swarm.close()


@pytest.fixture
def board(request: pytest.FixtureRequest, engine: str, clock: Clock) -> Iterator[Board]:
    """A board with a root director, `lead`, and two workers below it, `ada` and `bob`, and nothing else.

    Whatever a test does to it, its derived columns and its ledger agree with it afterwards.
    """
    if engine == "postgres":
        board, kept = request.getfixturevalue("manned_postgres")
        kept.bring_back()
    else:
        board, copy = request.getfixturevalue("manned_board")
        board.swarm.close()
        shutil.copy(copy, fresh := copy.with_name("fresh.db"))
        fresh.replace(board.place)
    board.clock.now = clock.now
    yield board
    assert problems(board.place) == []


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


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Program:
    """Run swarm-mcp in this process: its exit code, what it printed, and what it complained of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWARM_DATABASE", str(tmp_path / "board.db"))

    def call(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["swarm-mcp", *map(str, words)])
        code: Any = 0
        try:
            run()
        except SystemExit as ended:
            code = ended.code
        printed = capfd.readouterr()
        return code or 0, printed.out, printed.err

    return call


@pytest.fixture(scope="session")
def programs(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """Programs of others that try us out; skips where there is no Node for them or they are not to be had."""
    return fetched(pytestconfig.cache.mkdir("programs"), tmp_path_factory.mktemp("home"))
