"""Thirty-two writers on one board: how long does the unluckiest of them wait?

Run as a program (`python -m benchmarks.writers PATH SECONDS`) it is one of the eight
processes, with four threads, and prints what it saw as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.measure import Measure, Times
from swarm_mcp import open_swarm, operations

if TYPE_CHECKING:
    from benchmarks.board import Board
    from swarm_mcp.operations.swarm import Swarm

PROCESSES, THREADS = 8, 4
WAIT_GOAL_SECONDS = 1.0


class Seen(NamedTuple):
    """What one process saw: the seconds that each write took, and what went wrong."""

    waits: list[float]
    errors: list[str]


def measure_writers(board: Board, *, seconds: float) -> list[Measure]:
    """Let them all write at once for so long."""
    command = [sys.executable, "-m", "benchmarks.writers", str(board.path)]
    root = Path(__file__).resolve().parents[1]
    processes = [subprocess.Popen([*command, str(seconds)], stdout=subprocess.PIPE, cwd=root) for _ in range(PROCESSES)]
    seen = [Seen(**json.loads(process.communicate()[0])) for process in processes]
    waits = Times([wait for each in seen for wait in each.waits])
    errors = [error for each in seen for error in each.errors]
    worst = max(waits.seconds)
    return [
        Measure(
            f"worst wait of {PROCESSES * THREADS} writers in {PROCESSES} processes, {seconds:g} s",
            f"< {WAIT_GOAL_SECONDS:g} s, no error",
            f"{worst:.2f} s, {len(errors)} errors ({len(waits.seconds) / seconds:.0f} writes/s)",
            worst < WAIT_GOAL_SECONDS and not errors,
            {
                **waits.facts(),
                "worst_s": round(worst, 3),
                "errors": len(errors),
                "first_error": next(iter(errors), ""),
            },
        )
    ]


def _write(swarm: Swarm, seconds: float, ready: threading.Barrier, seen: Seen) -> None:
    ready.wait()
    end = perf_counter() + seconds
    while (began := perf_counter()) < end:
        try:
            swarm.write(lambda db: operations.create_task(db, title="Written by one of many"))
        except Exception as error:  # any error at all is what is being counted
            seen.errors.append(f"{type(error).__name__}: {error}")
        seen.waits.append(perf_counter() - began)


def main(path: str, seconds: float) -> None:
    """Be one of the processes."""
    swarm, seen, ready = open_swarm(path), Seen([], []), threading.Barrier(THREADS)
    threads = [threading.Thread(target=_write, args=(swarm, seconds, ready, seen)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    swarm.close()
    print(json.dumps(seen._asdict()))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
