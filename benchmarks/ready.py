"""The next ready task inside the database, with blocked tasks of a higher priority in front of it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.measure import Measure, Times
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository.queue import ready_in_lanes

if TYPE_CHECKING:
    from benchmarks.board import Board

GOAL_MS = 1.0
REPEATS = 2000


def measure_next_ready(board: Board) -> list[Measure]:
    """Time the query itself, in an open transaction: without threads, the protocol or the claim."""
    swarm = open_swarm(board.path)
    with swarm.reading() as db:
        if not ready_in_lanes(db, [""], limit=1):
            raise LookupError("There is no ready task on the board.")
        seconds: list[float] = []
        for _ in range(REPEATS):
            began = perf_counter()
            ready_in_lanes(db, [""], limit=1)
            seconds.append(perf_counter() - began)
    swarm.close()
    times = Times(seconds)
    return [
        Measure(
            f"next ready of {board.tasks:,} tasks, inside the database",
            f"< {GOAL_MS:g} ms",
            f"{times.p50:.3f} ms, p95 {times.p95:.3f}",
            times.p50 < GOAL_MS,
            times.facts(),
        )
    ]
