"""The next ready task inside the database, with blocked tasks of a higher priority in front of it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.measure import Measure, Times
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository.tasks import READY

if TYPE_CHECKING:
    from benchmarks.board import Board

GOAL_MS = 1.0
REPEATS = 2000


def measure_next_ready(board: Board) -> list[Measure]:
    """Time the statement itself, as the driver runs it: without SQLAlchemy, threads or the protocol."""
    swarm = open_swarm(board.path)
    with swarm.reading() as db:
        compiled = READY.compile(dialect=db.connection.dialect)
        bound = compiled.construct_params({"project": "default", "lane": "", "limit": 1})
        values = [bound[name] for name in compiled.positiontup or ()]
        statement = str(compiled)
        cursor = db.connection.connection.cursor()
        if not cursor.execute(statement, values).fetchall():
            raise LookupError("There is no ready task on the board.")
        seconds: list[float] = []
        for _ in range(REPEATS):
            began = perf_counter()
            cursor.execute(statement, values).fetchall()
            seconds.append(perf_counter() - began)
        plan = " ".join(
            str(row[-1]) for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        )
        cursor.close()
    swarm.close()
    times = Times(seconds)
    return [
        Measure(
            f"next ready of {board.tasks:,} tasks, inside the database",
            f"< {GOAL_MS:g} ms",
            f"{times.p50:.4f} ms, p95 {times.p95:.4f}",
            times.p50 < GOAL_MS,
            {**times.facts(), "plan": plan},
        )
    ]
