"""A million tasks and one and a half million dependencies, on SQLite and on PostgreSQL, on a disk.

The next ready task is timed inside the database: on SQLite the statement itself, in this process; on PostgreSQL by what
`EXPLAIN ANALYZE` says of its execution, and beside it the trip there and back over a socket of the same machine. Then
whole operations, each a transaction as a server would make it, and the plans of all that they execute.
"""

from __future__ import annotations

import importlib
import itertools
import random
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.explaining import explain, flaws, recording
from benchmarks.fleet import WORDS, Fleet, seed_fleet
from benchmarks.measure import Measure, Times
from benchmarks.own_postgres import new_database
from swarm_mcp import operations
from swarm_mcp.operations.swarm import Swarm, open_swarm
from swarm_mcp.repository.queue import ready_in_lanes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.explaining import Executed, Explained
    from swarm_mcp.model.task import Claimed
    from swarm_mcp.repository.database import Transaction

DATABASES = ("sqlite", "postgres")
GOAL_MS = 1.0
REPEATS, OPERATIONS, PLANNED_TASKS = 1000, 300, 3
MEGABYTE = 1 << 20


def measure_million(tasks: int, databases: Sequence[str], disk: Path, say: Callable[[str], None]) -> list[Measure]:
    """Make the board on each of the databases, measure, and let it go again."""
    measures: list[Measure] = []
    if "sqlite" in databases:
        path = disk / "million.db"
        measures += _measure_on("SQLite", str(path), tasks, say)
        for left in disk.glob("million.db*"):
            left.unlink()
    if "postgres" in databases:
        with new_database(disk / "postgres") as address:
            if address:
                measures += _measure_on("PostgreSQL", address, tasks, say)
            else:
                say("There is no PostgreSQL here: neither a wheel of it nor SWARM_TEST_POSTGRES.")
    return measures


def _measure_on(where: str, target: str, tasks: int, say: Callable[[str], None]) -> list[Measure]:
    say(f"seeding {tasks:,} tasks on {where} …")
    began = perf_counter()
    fleet = seed_fleet(target, tasks)
    seconds = perf_counter() - began
    size = _settle(target)
    say(f"measuring on {where} …")
    swarm = open_swarm(target)
    counts = ", ".join(f"{count:,} {name}" for name, count in fleet.by_status().items())
    made = Measure(
        f"{where}: {fleet.tasks:,} tasks, {fleet.dependencies:,} dependencies made",
        "",
        f"{seconds:.0f} s, {size / MEGABYTE:,.0f} MB ({counts})",
        None,
        {"seconds": round(seconds, 1), "bytes": size, **fleet.by_status()},
    )
    try:
        return [
            made,
            *_next_ready(where, swarm, fleet, ""),
            *_plans(where, swarm, fleet),
            *_whole_operations(where, swarm, fleet),
            *_next_ready(where, swarm, fleet, f", after {OPERATIONS} claims"),
        ]
    finally:
        swarm.close()


def _settle(target: str) -> int:
    """Let PostgreSQL do what its autovacuum would do in time. The bytes on the disk."""
    if not target.startswith("postgresql"):
        return sum(each.stat().st_size for each in Path(target).parent.glob(f"{Path(target).name}*"))
    psycopg: Any = importlib.import_module("psycopg")
    with psycopg.connect(target, autocommit=True) as own:
        own.execute("VACUUM (ANALYZE)")
        own.execute("CHECKPOINT")
        return own.execute("SELECT pg_database_size(current_database())").fetchone()[0]


# --- the next ready task ---------------------------------------------------------------------------------------------


def _next_ready(where: str, swarm: Swarm, fleet: Fleet, when: str) -> list[Measure]:
    measures: list[Measure] = []
    for name, lane in fleet.fullest_lanes().items():
        with swarm.reading() as db:
            with recording(db) as executed:
                if not ready_in_lanes(db, [lane], limit=1):
                    continue  # on a small board the claims may have taken all
            trips = Times(
                [_timed(lambda db=db, lane=lane: ready_in_lanes(db, [lane], limit=1)) for _ in range(REPEATS)]
            )
            inside = Times([_execution(db, executed[0]) for _ in range(REPEATS)]) if db.is_postgres else trips
        trip = f"; there and back {trips.p50:.3f}, p95 {trips.p95:.3f}" if inside is not trips else ""
        measures.append(
            Measure(
                f"{where}: next ready for {name}, inside the database{when}",
                f"< {GOAL_MS:g} ms",
                f"{inside.p50:.4f} ms, p95 {inside.p95:.4f}{trip}",
                inside.p50 < GOAL_MS,
                {**inside.facts(), **{f"trip_{key}": value for key, value in trips.facts().items()}},
            )
        )
    return measures


def _timed(do: Callable[[], object]) -> float:
    began = perf_counter()
    do()
    return perf_counter() - began


def _execution(db: Transaction, executed: Executed) -> float:
    """How many seconds PostgreSQL itself says that it executes a statement for: it is executed once more."""
    asked = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {executed.sql}"
    [[[found]]] = db.driver.execute(asked, executed.bound).fetchall()
    return found["Execution Time"] / 1000


# --- whole operations ------------------------------------------------------------------------------------------------


def _whole_operations(where: str, swarm: Swarm, fleet: Fleet) -> list[Measure]:
    """Transactions with everything that belongs to them, synced to the disk, by many agents in turn."""
    lots = random.Random(0)
    workers = itertools.cycle(f"worker_{number}" for number in range(fleet.workers))
    claimed: list[tuple[str, Claimed]] = []

    def write(change: Callable[[Transaction], Any], agent: str) -> Any:
        return swarm.write(change, agent=agent)

    def claim() -> None:
        agent = next(workers)
        claimed.append((agent, write(operations.claim_task, agent)))

    def complete() -> None:
        agent, claim = claimed.pop()
        write(lambda db: _complete(db, claim), agent)

    def read(question: Callable[[Transaction], object]) -> Callable[[], object]:
        return lambda: swarm.read(question, agent=next(workers))

    turns: dict[str, Callable[[], object]] = {
        "claim_task": claim,
        "complete_task": complete,
        "create_task": lambda: write(lambda db: operations.create_task(db, title="One more"), "lead"),
        "get_task": read(lambda db: operations.get_task(db, task=lots.choice(fleet.sample))),
        "list_tasks": read(operations.list_tasks),
        "list_tasks(ready=True)": read(lambda db: operations.list_tasks(db, ready=True)),
        "list_tasks(status=[blocked])": read(lambda db: operations.list_tasks(db, status=["blocked"])),
        "list_agents": read(operations.list_agents),
        "check_inbox": lambda: write(operations.check_inbox, next(workers)),
    }
    found: list[Measure] = []
    for name, turn in turns.items():
        times = Times([_timed(turn) for _ in range(OPERATIONS)])
        measured = f"{times.p50:.2f} ms, p95 {times.p95:.2f}"
        found.append(Measure(f"{where}: {name}, the whole operation", "", measured, None, times.facts()))
    return found


def _complete(db: Transaction, claim: Claimed) -> None:
    if claim.task is None or claim.brief is None:
        raise LookupError("Nothing was ready.")
    evidence = {str(number): "Seen." for number, _ in enumerate(claim.brief.criteria, start=1)}
    operations.complete_task(db, task=claim.task.id, summary="It is done.", evidence=evidence)


# --- the plans -------------------------------------------------------------------------------------------------------


class _UndoneError(Exception):
    """Takes a transaction back that was made to be looked at."""


def _plans(where: str, swarm: Swarm, fleet: Fleet) -> list[Measure]:
    seen = _explained(swarm, lambda db: _work(db, fleet))
    ready = next(each for each in seen if "task.lane = " in each.sql and "LIMIT" in each.sql and "touches" in each.sql)
    served = all("ix_task_ready" in " ".join(steps) for steps in (ready.steps, ready.generic or ready.steps))
    sorts = [step for step in ready.steps + ready.generic if "Sort" in step or "TEMP B-TREE" in step]
    return [
        Measure(
            f"{where}: plan of the next ready",
            "ix_task_ready, no sort",
            " / ".join(ready.steps),
            served and not sorts,
        ),
        _faultless(f"{where}: plans of {len(seen)} statements of claiming, completing, planning, reading", seen),
        _faultless(f"{where}: plans of list_agents", _explained(swarm, operations.list_agents)),
    ]


def _faultless(name: str, seen: Sequence[Explained]) -> Measure:
    faults = [f"{fault} in {each.sql[:80]}" for each in seen for fault in flaws(each)]
    return Measure(name, "no whole table read, no project sorted", "; ".join(faults) or "none", not faults)


def _work(db: Transaction, fleet: Fleet) -> None:
    for _ in range(PLANNED_TASKS):
        _complete(db, operations.claim_task(db))
    operations.create_task(db, title="One more", depends_on=fleet.sample[:1])
    operations.get_task(db, task=fleet.sample[0])
    operations.list_tasks(db)
    operations.list_tasks(db, ready=True)
    operations.list_tasks(db, status=["blocked"])
    operations.list_tasks(db, assignee="worker_1")
    operations.list_tasks(db, text=" ".join(WORDS[:2]))
    operations.check_inbox(db)


def _explained(swarm: Swarm, work: Callable[[Transaction], object]) -> list[Explained]:
    """The plans of each different statement that some work executes; what it has changed is taken back."""
    found: list[Explained] = []
    with suppress(_UndoneError), swarm.writing(agent="worker_0") as db:
        with recording(db) as executed:
            work(db)
        for each in {each.sql: each for each in executed}.values():
            explained = explain(db, each)
            if explained is not None:
                found.append(explained)
        raise _UndoneError
    return found
