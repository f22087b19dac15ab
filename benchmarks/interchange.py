"""How long a board takes to leave one database and enter another, and that memory does not grow with it.

Each command is a process of its own, as an operator would start it.
Boards go from a file to a file and, where there is a server, from the file to it and out of it again.
"""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.board import seed
from benchmarks.measure import Measure
from benchmarks.own_postgres import new_database

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.board import Board

GOALS = {"export": 20, "import": 60}
"""Seconds for 100,000 tasks."""
TASKS = 100_000
SMALL = 1000
FLAT = 1.25
"""So many times the memory of a board of 1,000 tasks is flat: caches and pages fill up."""
MEGABYTE = 1 << 20


PROGRAM = """
import resource, sys
from swarm_mcp.cli.app import app
app(standalone_mode=False)
try:
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak)
"""
"""The program, which says its peak at the end: what the system says of a child has the parent's in it."""


class Run(NamedTuple):
    """What a command took."""

    seconds: float
    peak: int
    """Bytes of resident memory."""


def measure_interchange(large: Board, folder: Path) -> list[Measure]:
    """Take a large board and a small one through export and import."""
    small = seed(folder / "small.db", SMALL)
    measures = _measure_on("SQLite", large, small, [str(folder / f"{name}-copy.db") for name in ("large", "small")])
    with new_database(folder / "postgres-large") as address, new_database(folder / "postgres-small") as other:
        if address and other:
            measures += _measure_on("PostgreSQL", large, small, [address, other])
    return measures


def _measure_on(where: str, large: Board, small: Board, targets: Sequence[str]) -> list[Measure]:
    runs = {board.tasks: _travel(board, target) for board, target in zip((large, small), targets, strict=True)}
    measures: list[Measure] = []
    for name, goal in GOALS.items():
        much, little = runs[large.tasks][name], runs[small.tasks][name]
        allowed = goal * large.tasks / TASKS
        growth = much.peak / little.peak
        measures.append(
            Measure(
                f"{name} of {large.tasks:,} tasks, {where}",
                f"< {allowed:g} s, memory flat",
                f"{much.seconds:.1f} s, {much.peak >> 20} MB ({small.tasks:,}: {little.peak >> 20} MB)",
                (much.seconds < allowed or large.tasks < TASKS) and growth < FLAT,
                {"seconds": round(much.seconds, 2), "peak_mb": much.peak // MEGABYTE, "growth": round(growth, 3)},
            )
        )
    return measures


def _travel(board: Board, target: str) -> dict[str, Run]:
    """Write a board out, take it in elsewhere, and write it out from there: the file has to be the same."""
    first, second = (board.path.with_name(f"{board.tasks}-{n}.jsonl") for n in ("first", "second"))
    _run("export", "swarm", str(first), "--database", str(board.path), "--force")
    taken = _run("import", "swarm", str(first), "--database", target)
    given = _run("export", "swarm", str(second), "--database", target, "--force")
    _check_same(first, second)
    for path in (first, second):
        path.unlink()
    return {"export": given, "import": taken}


def _run(*words: str) -> Run:
    began = perf_counter()
    told = subprocess.run([sys.executable, "-c", PROGRAM, *words], check=True, stdout=subprocess.PIPE, text=True)
    return Run(perf_counter() - began, int(told.stdout.split()[-1]))


def _check_same(first: Path, second: Path) -> None:
    with first.open("rb") as one, second.open("rb") as other:
        for each in (one, other):
            each.readline()  # the header, which says when
        for a, b in zip(one, other, strict=True):
            if a != b:
                raise RuntimeError(f"What came back is not what was sent: {b[:200]!r} for {a[:200]!r}.")
