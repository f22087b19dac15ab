"""`watch`, `stats` and `critical-path`: what is on the screen at two widths, and what comes through a pipe."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from rich.cells import cell_len
from rich.console import Console
from terminals import terminal

from swarm_mcp import operations
from swarm_mcp.cli import critical_path, stats
from swarm_mcp.cli.screen import Screen, shares
from swarm_mcp.operations import happenings
from swarm_mcp.operations.glance import Glance, glance
from swarm_mcp.operations.projects import create_project
from swarm_mcp.operations.swarm import Swarm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from board import Board
    from conftest import Program

SCREENS = Path(__file__).parent / "data"
WATCH = [sys.executable, "-m", "swarm_mcp", "watch"]
ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def garden(board: Board) -> Iterator[dict[str, str]]:
    """A small board at a fixed time, with whatever a screen has to cope with: the ids of its tasks, by short names."""
    plan = board.plan(
        {"ref": "soil", "title": "Turn [bold]the soil[/bold] of all beds\x1b[2J, and of the one behind the house"},
        {"ref": "sow", "title": "Sow", "depends_on": ["soil"], "estimated_hours": 5, "area": "beds"},
        {"ref": "fence", "title": "Mend the fence", "estimated_hours": 3, "area": "[red]walls"},
        {"ref": "gate", "title": "門を塗る", "area": "beds"},
        {"ref": "path", "title": "Lay the path", "depends_on": ["fence"]},
    )
    board.clock.advance(minutes=5)
    board.claim("ada", plan.ids["soil"])
    board.report("ada", plan.ids["soil"], percent=60)
    board.clock.advance(seconds=20)
    board.claim("bob", plan.ids["gate"])
    board.ask("bob", plan.ids["gate"])
    board.finish("lead", plan.ids["fence"])
    board.enlist("kim", below="lead", lifecycle="paused")
    return plan.ids


def drawn(width: int, ids: dict[str, str], show: object, height: int = 24) -> list[str]:
    """The lines of a screen, with the tasks' ids replaced by names of the same length."""
    console = Console(file=io.StringIO(), width=width, height=height, highlight=False)
    show(console)
    text = console.file.getvalue()
    for name, task in ids.items():
        text = text.replace(task, f"{name:_<8}")
    return [line.rstrip() for line in text.splitlines()]


@pytest.mark.sqlite  # PostgreSQL keeps what an event says in another order
@pytest.mark.parametrize("width", [80, 200])
def test_the_screens_at_a_narrow_and_a_wide_terminal(board: Board, garden: dict[str, str], width: int) -> None:
    """What they should be is in files, because it is wider than code may be."""
    seen = board.swarm.read(glance)
    found = board.swarm.read(lambda db: operations.get_overview(db, since="2026-01-01"))
    chain = board.swarm.read(lambda db: operations.get_overview(db, view="critical_path"))
    shown = [
        *drawn(width, garden, lambda console: console.print(Screen(seen)), height=18),
        *drawn(width, garden, lambda console: stats.show(found, console)),
        *drawn(width, garden, lambda console: critical_path.show(chain, console)),
    ]
    assert shown == (SCREENS / f"screens-{width}.txt").read_text(encoding="utf-8").splitlines()


def test_a_screen_never_has_more_lines_or_columns_than_the_terminal(board: Board, garden: dict[str, str]) -> None:
    seen = board.swarm.read(glance)
    empty = Glance(
        at=seen.at, project="none", statuses={}, under_way=[], under_way_total=0, agents=[], agents_total=0, events=[]
    )
    for each in (seen, empty):
        for height in (1, 5, 9, 12, 16, 40):
            for width in (40, 79, 119, 120, 300):
                screen = Screen(each, "q ends")
                shown = drawn(width, garden, lambda console, screen=screen: console.print(screen), height=height)
                assert len(shown) <= height, (width, height)
                assert max(map(cell_len, shown)) <= width
                assert not any("\x1b" in line for line in shown), "nobody's words move the cursor"
                if height == 40:
                    heard = "kim" if each is seen else "Nothing has happened yet."
                    assert any(heard in line for line in shown)
    assert shares(12, [20, 3, 4]) == [5, 3, 4]
    assert shares(2, [5, 5]) == [1, 1]
    assert shares(-1, [5, 5]) == [0, 0]


def test_what_is_seen_at_a_glance_is_counted_in_full(board: Board, garden: dict[str, str]) -> None:
    seen = board.swarm.read(glance)
    assert (seen.under_way_total, [each.id for each in seen.under_way]) == (2, [garden["soil"], garden["gate"]])
    assert [(each.name, each.availability, each.lifecycle) for each in seen.agents] == [
        ("ada", "busy", "active"), ("bob", "busy", "active"), ("kim", "idle", "paused"), ("lead", "idle", "active"),
    ]  # fmt: skip
    board.clock.advance(minutes=31)
    later = board.swarm.read(glance)
    assert [each.availability for each in later.agents] == ["busy", "offline", "offline", "offline"]
    assert later.under_way[0].lapsed


# --- a pipe ----------------------------------------------------------------------------------------------------------


def test_every_event_is_told_once_in_the_order_in_which_it_is_settled(board: Board) -> None:
    with board.swarm.writing() as db:
        create_project(db, "elsewhere")
    first = board.create("First")
    shown, place = board.swarm.read(lambda db: happenings.begin(db, lines=1))
    assert [(each.kind, each.task, each.title, each.by) for each in shown] == [("created", first, "First", "lead")]
    assert board.swarm.read(lambda db: happenings.since(db, place)) == ([], place)
    other = Swarm(board.swarm.database, "elsewhere")
    with other.writing() as db:
        operations.create_plan(db, tasks=[{"title": f"Not ours {number}"} for number in range(7)])
    later = [board.create(title) for title in ("Second", "Third")]
    whole = happenings.PAGE
    try:
        happenings.PAGE = 3  # so that some pages have nothing of ours
        found, after = board.swarm.read(lambda db: happenings.since(db, place))
    finally:
        happenings.PAGE = whole
    assert [each.task for each in found] == later
    if not board.swarm.database.is_embedded:
        with psycopg.connect(str(board.place)) as older:
            older.execute("SELECT pg_current_xact_id()")
            last = board.create("While another writes")
            assert board.swarm.read(lambda db: happenings.since(db, after)) == ([], after)
            older.rollback()
        found, _ = board.swarm.read(lambda db: happenings.since(db, after))
        assert [each.task for each in found] == [last]


def test_a_pipe_gets_a_line_for_each_event_as_it_comes(board: Board) -> None:
    first = board.create("First\tof\nall")
    environment = {**os.environ, "SWARM_DATABASE": str(board.place)}
    with subprocess.Popen([*WATCH, "--lines", "1"], stdout=subprocess.PIPE, text=True, env=environment) as program:
        assert program.stdout is not None
        assert re.fullmatch(rf"\d+\t\S+Z\tlead\tcreated\t{first}\tFirst of all\t.*\n", program.stdout.readline())
        for title in ("Second", "Third"):
            task = board.create(title)
            assert f"\tcreated\t{task}\t{title}\t" in program.stdout.readline()
        if board.swarm.database.is_embedded:
            program.send_signal(signal.SIGTERM)
            assert (program.stdout.read(), program.wait()) == ("", 0)
        else:
            program.stdout.close()  # nobody reads any more, as after `| head`
            assert program.wait() == 0


@pytest.mark.sqlite
def test_one_screen_is_printed_where_nobody_watches(board: Board, garden: dict[str, str], program: Program) -> None:
    code, out, err = program("watch", "--once", "--database", board.place)
    assert (code, err) == (0, "")
    assert "1 of 5 tasks completed" in out
    assert not any(line.endswith(" ") for line in out.splitlines())
    for columns in (80, 200):
        with terminal(columns) as screen:
            program("watch", "--once", "--database", board.place)
        assert all(each in screen.text for each in ("in progress", "agents", "events", garden["soil"], "kim"))
    seen = json.loads(program("watch", "--once", "--json", "--database", board.place)[1])
    assert (seen["statuses"]["pending"], seen["under_way"][0]["id"]) == (1, garden["soil"])
    code, out, err = program("watch", "--database", "nowhere.db")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert not os.path.lexists("nowhere.db")
    counted = dict(line.split("\t") for line in program("stats", "--database", board.place)[1].splitlines())
    assert (counted["total_tasks"], counted["status_breakdown.completed"]) == ("5", "1")
    assert json.loads(program("stats", "--json", "--database", board.place)[1])["total_tasks"] == 5
    (first, second) = program("critical-path", "--database", board.place)[1].splitlines()
    assert second == f"{garden['sow']}\t5\t6\tblocked\t\tSow"
    assert first.startswith(f"{garden['soil']}\t1\t1\tin_progress\tada\tTurn [bold]")
    chain = json.loads(program("critical-path", "--json", "--under", garden["path"], "--database", board.place)[1])
    assert [each["task"] for each in chain["items"]] == [garden["path"]]


# --- a terminal ------------------------------------------------------------------------------------------------------


class Terminal:
    """A terminal of our own, with the program in it."""

    def __init__(self, board: Board) -> None:
        self.ours, theirs = pty.openpty()
        self.resize(80)
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs
        environment = {
            name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}
        }
        environment |= {"SWARM_DATABASE": str(board.place), "TERM": "xterm"}
        self.program = subprocess.Popen(WATCH, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        self.seen = b""

    def resize(self, columns: int) -> None:
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def wait_for(self, words: str) -> str:
        """Everything that has come, up to the moment when these words are on the screen."""
        while words.encode() not in ESCAPE.sub(b"", self.seen):
            ready, _, _ = select.select([self.ours], [], [], 30)
            assert ready, self.seen
            self.seen += os.read(self.ours, 65536)
        seen, self.seen = ESCAPE.sub(b"", self.seen).decode(errors="replace"), b""
        return seen

    def press(self, key: bytes) -> int:
        """Press a key that ends it; the exit code."""
        os.write(self.ours, key)
        while self.program.poll() is None:
            if select.select([self.ours], [], [], 0.05)[0]:
                self.seen += os.read(self.ours, 65536)
        while select.select([self.ours], [], [], 0)[0]:
            self.seen += os.read(self.ours, 65536)
        return self.program.wait()


@pytest.mark.sqlite
def test_a_terminal_shows_changes_follows_its_size_and_is_left_as_it_was(board: Board) -> None:
    terminal = Terminal(board)
    try:
        terminal.wait_for("Nobody is at work.")
        task = board.create("Paint the gate")
        board.claim("ada", task)
        terminal.wait_for("Paint the gate")
        terminal.resize(200)
        wide = terminal.wait_for(f"{task} Paint the gate  status: pending → in_progress")
        assert re.search(r"in progress {50,}agents", wide), "beside each other"
        assert terminal.press(b"q") == 0
        assert b"\x1b[?1049l" in terminal.seen, "the screen of before is back"
        assert b"\x1b[?25h" in terminal.seen, "and the cursor"
        assert termios.tcgetattr(terminal.theirs) == terminal.before
    finally:
        terminal.program.kill()
        terminal.program.wait()
        os.close(terminal.ours)
        os.close(terminal.theirs)
