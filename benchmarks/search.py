"""Full-text search on a large board: a word that few tasks have, one that all of them have, and two at once."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.board import WORDS
from benchmarks.measure import Measure, Times
from swarm_mcp import operations
from swarm_mcp.operations.swarm import open_swarm

if TYPE_CHECKING:
    from benchmarks.board import Board

GOAL_MS = 20.0
REPEATS = 50


def measure_search(board: Board) -> list[Measure]:
    """Time `list_tasks(text=…)` as a supervisor calls it, without the protocol: the first page of twenty."""
    swarm = open_swarm(board.path)
    common, another = WORDS[0], WORDS[3]
    sought = {
        "a rare word": board.rare,
        "a word of every task": common,
        "two words of every task": f"{common} {another}",
        "a rare and a common word": f"{board.rare} {common}",
        "no word of any task": "nothing",
    }
    measures: list[Measure] = []
    for name, text in sought.items():
        seconds: list[float] = []
        total = 0
        for _ in range(REPEATS):
            began = perf_counter()
            found = swarm.read(lambda db, text=text: operations.list_tasks(db, text=text), agent="worker_0")
            seconds.append(perf_counter() - began)
            total = found.total
        times = Times(seconds)
        measures.append(
            Measure(
                f"search of {board.tasks:,} tasks for {name}",
                f"< {GOAL_MS:g} ms",
                f"{times.p50:.2f} ms, p95 {times.p95:.2f} ({total:,} found)",
                times.p50 < GOAL_MS,
                times.facts(),
            )
        )
    swarm.close()
    return measures
