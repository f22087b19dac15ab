"""How soon a waiting call hears of a commit by another process, and what a server costs in which somebody waits."""

from __future__ import annotations

import random
import time
from threading import Thread
from typing import TYPE_CHECKING

from sqlalchemy import update

from benchmarks.machine import processor_seconds
from benchmarks.measure import Measure, Times
from benchmarks.pipe import Pipe
from benchmarks.servers import swarm
from swarm_mcp import operations
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository.tables import AgentRow

if TYPE_CHECKING:
    from benchmarks.board import Board
    from benchmarks.pipe import Era

AGENT = "waiter"
TIMES = 100
GOAL_MS = 250
IDLE_SECONDS = 10
IDLE_GOAL = 0.01
"""A hundredth of a processor."""


def measure_waiting(board: Board, *, era: Era) -> list[Measure]:
    """Write from this process to an agent that waits in a server's; then let it wait for nothing."""
    with Pipe(swarm(board.path, agent=AGENT, profile="worker"), era=era) as pipe:
        pipe.open()
        seconds = _wake_up(pipe, board)
        busy = _idle(pipe)
    times = Times(seconds)
    return [
        Measure(
            f"check_inbox wakes after a commit of another process, {board.tasks:,} tasks",
            f"< {GOAL_MS} ms",
            f"{times.p50:.0f} ms, p95 {times.p95:.0f}, worst {max(seconds) * 1000:.0f}",
            max(seconds) * 1000 < GOAL_MS,
            times.facts(),
        ),
        Measure(
            f"processor time of a server in which somebody waits for {IDLE_SECONDS} s",
            f"≤ {IDLE_GOAL * IDLE_SECONDS:g} s",
            f"{busy:.2f} s",
            busy <= IDLE_GOAL * IDLE_SECONDS,
            {"seconds": busy},
        ),
    ]


def _wake_up(pipe: Pipe, board: Board) -> list[float]:
    """Seconds from the commit of a message to the answer of the call that waited for it, each time."""
    opened = open_swarm(board.path)
    with opened.writing(agent=AGENT) as db:  # room for no claim, so that only news wake it, whatever is ready
        operations.claim_task(db)
        db.execute(update(AgentRow).where(AgentRow.id == db.actor.id).values(capacity=1))
    pipe.call("check_inbox", {"limit": 50})
    seconds: list[float] = []
    for number in range(TIMES):
        answered: list[float] = []
        waiting = Thread(target=_wait, args=(pipe, answered))
        waiting.start()
        time.sleep(random.uniform(0.15, 0.35))  # by then it waits, and the next look comes at any moment
        with opened.writing(agent="bench") as db:
            operations.send_message(db, text=f"Wake up, {number}.", to=AGENT)
        committed = time.perf_counter()
        waiting.join()
        seconds.append(answered[0] - committed)
    opened.close()
    return seconds


def _wait(pipe: Pipe, answered: list[float]) -> None:
    pipe.call("check_inbox", {"wait_seconds": 45})
    answered.append(time.perf_counter())


def _idle(pipe: Pipe) -> float:
    """Seconds of processor time while the server waits for nothing."""
    pipe.call("check_inbox", {})
    before = processor_seconds(pipe.process.pid)
    pipe.call("check_inbox", {"wait_seconds": IDLE_SECONDS})
    return round(processor_seconds(pipe.process.pid) - before, 3)
