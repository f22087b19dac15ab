"""How long a server takes to answer its first `tools/list`, and how much memory it then holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measure import Measure, Times
from benchmarks.pipe import Pipe
from benchmarks.servers import FLOOR, TEXT, swarm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.board import Board
    from benchmarks.pipe import Era

START_GOAL = 1.15
MEMORY_GOAL_MB = 30
MEMORY_CALLS = 200
MEGABYTE = 1_000_000


def measure_start(board: Board, *, times: int, era: Era) -> list[Measure]:
    """Start both servers in turn, so many times each (and once before that, for the disk's cache)."""
    for command in (FLOOR, swarm(board.path)):
        _start(command, era)
    floor: list[float] = []
    ours: list[float] = []
    for _ in range(times):
        floor.append(_start(FLOOR, era))
        ours.append(_start(swarm(board.path), era))
    stock, mine = Times(floor), Times(ours)
    ratio = mine.p50 / stock.p50
    return [
        Measure(
            "cold start to the first tools/list",
            f"≤ {START_GOAL} x floor's",
            f"{ratio:.2f} x ({mine.p50:.0f} ms, floor {stock.p50:.0f})",
            ratio <= START_GOAL,
            {"p50_ms": round(mine.p50, 1), "floor_p50_ms": round(stock.p50, 1), "ratio": round(ratio, 4)},
        )
    ]


def _start(command: Sequence[str], era: Era) -> float:
    with Pipe(command, era=era) as pipe:
        return pipe.open()


def measure_memory(board: Board, *, era: Era) -> list[Measure]:
    """Compare resident memory after 200 calls of the same kind of work."""
    with Pipe(FLOOR, era=era) as echo, Pipe(swarm(board.path), era=era) as pipe:
        echo.open()
        pipe.open()
        for number in range(MEMORY_CALLS):
            echo.call("echo", {"text": TEXT})
            _a_call(pipe, board, number)
        floor, ours = echo.resident_bytes() / MEGABYTE, pipe.resident_bytes() / MEGABYTE
    return [
        Measure(
            f"resident memory after {MEMORY_CALLS} calls, {board.tasks:,} tasks",
            f"≤ floor + {MEMORY_GOAL_MB} MB",
            f"floor + {ours - floor:.1f} MB ({ours:.1f} MB, floor {floor:.1f})",
            ours - floor <= MEMORY_GOAL_MB,
            {"mb": round(ours, 1), "floor_mb": round(floor, 1)},
        )
    ]


def _a_call(pipe: Pipe, board: Board, number: int) -> None:
    match number % 4:
        case 0:
            pipe.call("list_tasks", {"limit": 20})
        case 1:
            pipe.call("create_task", {"title": f"Weigh call {number}"})
        case _:
            pipe.call("get_task", {"task": board.sample[number % len(board.sample)]})
