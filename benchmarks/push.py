"""How soon whoever listens is told of a commit by another process, on both databases, and what listening costs."""

from __future__ import annotations

import random
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from benchmarks.machine import processor_seconds
from benchmarks.measure import Measure, Times
from benchmarks.own_postgres import new_database
from benchmarks.pipe import Pipe
from benchmarks.waiting import IDLE_GOAL, IDLE_SECONDS
from swarm_mcp import operations
from swarm_mcp.operations.swarm import open_swarm

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from benchmarks.pipe import Era
    from swarm_mcp.operations.swarm import Swarm

TIMES = 200
GOALS_MS = {"SQLite": 300, "PostgreSQL": 150}
WRITERS = 4


def measure_push(folder: Path, *, era: Era) -> list[Measure]:
    """Measure on a new board of each database that is to be had here."""
    measures = _measure("SQLite", str(folder / "push.db"), era)
    with tempfile.TemporaryDirectory(prefix="swarm-bench-") as files, new_database(Path(files) / "data") as address:
        if address:
            measures += _measure("PostgreSQL", address, era)
    return measures


def _measure(database: str, place: str, era: Era) -> list[Measure]:
    swarm = open_swarm(place)
    with swarm.writing(agent="bench") as db:
        task = operations.create_task(db, title="Watched").task
        others = [operations.create_task(db, title=f"Other {number}").task for number in range(WRITERS)]
    assert task is not None  # noqa: S101 - it was made
    command = ["serve", "--database", place, "--agent", "listener"]
    with Pipe(swarm_command(command), era=era) as pipe:
        pipe.open()
        pipe.listen([f"swarm://tasks/{task.id}"])
        quiet = Times(_told(pipe, swarm, task.id))
        busy = _idle(pipe)
        with _others_writing(place, [each.id for each in others if each is not None]):
            loud = Times(_told(pipe, swarm, task.id))
    swarm.close()
    goal = GOALS_MS[database]
    return [
        Measure(
            f"from a commit to the notification in another process, {database}{words}",
            f"p95 ≤ {goal} ms",
            f"p50 {times.p50:.0f} ms, p95 {times.p95:.0f}",
            times.p95 <= goal,
            times.facts(),
        )
        for words, times in (("", quiet), (f", while {WRITERS} others write", loud))
    ] + [
        Measure(
            f"processor time of a server to which somebody listens for {IDLE_SECONDS} s, {database}",
            f"≤ {IDLE_GOAL * IDLE_SECONDS:g} s",
            f"{busy:.2f} s",
            busy <= IDLE_GOAL * IDLE_SECONDS,
            {"seconds": busy},
        )
    ]


def swarm_command(words: Sequence[str]) -> list[str]:
    """The program with these words."""
    return [sys.executable, "-m", "swarm_mcp", *words]


def _told(pipe: Pipe, swarm: Swarm, task: str) -> list[float]:
    """Seconds from the commit to the notification, each time; a wait of its own for each."""
    seconds: list[float] = []
    for number in range(TIMES):
        time.sleep(random.uniform(0.05, 0.3))
        heard: list[float] = []
        hearing = Thread(target=lambda into: into.append(_hear(pipe)), args=(heard,))
        hearing.start()
        with swarm.writing(agent="bench") as db:
            operations.update_task(db, task=task, title=f"Watched, {number} {uuid.uuid4()}")
        committed = time.perf_counter()
        hearing.join()
        seconds.append(max(0.0, heard[0] - committed))
    return seconds


def _hear(pipe: Pipe) -> float:
    while pipe.hear().get("method") != "notifications/resources/updated":
        pass
    return time.perf_counter()


def _idle(pipe: Pipe) -> float:
    before = processor_seconds(pipe.process.pid)
    time.sleep(IDLE_SECONDS)
    return round(processor_seconds(pipe.process.pid) - before, 3)


@contextmanager
def _others_writing(place: str, tasks: Sequence[str]) -> Generator[None]:
    """Processes that write something else as fast as they are answered."""
    ending = False
    pipes = [Pipe(swarm_command(["serve", "--database", place, "--agent", "bench"])) for _ in tasks]

    def write(pipe: Pipe, task: str) -> None:
        pipe.open()
        number = 0
        while not ending:
            number += 1
            pipe.call("update_task", {"task": task, "title": f"{number} {uuid.uuid4()}"})
            time.sleep(0.005)

    threads = [Thread(target=write, args=each) for each in zip(pipes, tasks, strict=True)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending = True
        for thread in threads:
            thread.join()
        for pipe in pipes:
            pipe.close()
