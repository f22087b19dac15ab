"""A fleet: three servers on one PostgreSQL, and many agents who carry out one plan, each at one of the servers.

The floor is the same three processes serving the SDK's echo to the same agents, turn and turn about in the same run.
The agents do nothing but call, so what is measured is a fleet as busy as it can be: how long a call takes is how long
it waits for the others. The processor time of a call tells more where a machine is shared: who needs more processes
for a call gets more of a busy machine.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import defaultdict
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.caller import HttpCaller
from benchmarks.layers import count_unfinished, store_plan
from benchmarks.listeners import Listeners, floor_command, listening, swarm_command
from benchmarks.measure import Measure, Times
from benchmarks.own_postgres import new_database, processor_seconds_of
from benchmarks.servers import TEXT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

SERVERS, AGENTS = 3, 64
TASKS, LAYERS, EDGES = 2000, 8, 3000
TURNS = 5
"""The first, in which the servers learn their statements, is not counted."""
ECHOES = 25
"""Calls of each agent in a turn of the floor."""
GOAL = 2.5
NOTHING_READY_SECONDS = 0.05

Samples = dict[str, list[float]]


class Turn(NamedTuple):
    """What all agents did in one turn."""

    times: Samples
    seconds: float
    calls: int
    served: float
    """Seconds of processor time of the servers."""
    stored: float = 0.0
    """… and of the database."""


def measure_fleet(folder: Path) -> list[Measure]:
    """Let all agents work through a plan, with the floor in between."""
    with ExitStack() as stack:
        address = stack.enter_context(new_database(folder))
        if not address:
            return []
        store_plan(address, TASKS, layers=LAYERS, edges=EDGES)
        ours = stack.enter_context(listening(lambda port: swarm_command(address, port), SERVERS))
        floor = stack.enter_context(listening(floor_command, SERVERS))
        echoes, works = asyncio.run(_take_turns(floor, ours, address))
        left = count_unfinished(address)
    return [*_compare(echoes, works), _throughput(works, left)]


def _compare(echoes: Sequence[Turn], works: Sequence[Turn]) -> list[Measure]:
    who = f"{AGENTS} agents at {SERVERS} servers"
    echo, claim = _times(echoes, "echo"), _times(works, "claim_task")
    ratios = [_times([ours], "claim_task").p50 / _times([floor], "echo").p50 for floor, ours in zip(echoes, works)]  # noqa: B905 - as many
    ratio = statistics.median(ratios)
    rate = sum(turn.calls for turn in echoes) / sum(turn.seconds for turn in echoes)
    measures = [
        Measure(
            f"floor: echo, {who}", "", f"{echo.p50:.1f} ms, p95 {echo.p95:.1f}; {rate:.0f} calls/s",
            facts={**echo.facts(), "calls_per_second": round(rate, 1)},
        ),
        Measure(
            f"claim_task, {who} on PostgreSQL", f"≤ {GOAL} x floor",
            f"{ratio:.2f} x ({claim.p50:.1f} ms, p95 {claim.p95:.1f}; turns {', '.join(f'{x:.2f}' for x in ratios)})",
            ratio <= GOAL, {**claim.facts(), "ratio": round(ratio, 3)},
        ),
    ]  # fmt: skip
    for what in ("report_progress", "complete_task", "claim, report and complete"):
        times = _times(works, what)
        measures.append(
            Measure(f"{what}, the same", "", f"{times.p50:.1f} ms, p95 {times.p95:.1f}", facts=times.facts())
        )
    (served, stored), (echoed, _) = _cost(works), _cost(echoes)
    words = f"{served:.2f} ms in the server, {stored:.2f} in the database; {echoed:.2f}"
    measures.append(
        Measure(
            "processor time of a call, and of the floor's", "", f"{(served + stored) / echoed:.2f} x ({words})",
            facts={"server_ms": round(served, 3), "database_ms": round(stored, 3), "floor_ms": round(echoed, 3)},
        )
    )  # fmt: skip
    return measures


def _throughput(works: Sequence[Turn], left: int) -> Measure:
    seconds = sum(turn.seconds for turn in works)
    claims, calls = (sum(each) / seconds for each in (
        (len(turn.times["claim_task"]) for turn in works), (turn.calls for turn in works)
    ))  # fmt: skip
    return Measure(
        f"{TASKS:,} tasks with {EDGES:,} dependencies", "all completed",
        f"{claims:.0f} claims/s ({calls:.0f} calls/s); {left} left",
        left == 0, {"claims_per_second": round(claims, 1), "calls_per_second": round(calls, 1), "left": left},
    )  # fmt: skip


def _times(turns: Sequence[Turn], what: str) -> Times:
    return Times([each for turn in turns for each in turn.times[what]])


def _cost(turns: Sequence[Turn]) -> tuple[float, float]:
    """Milliseconds of processor time that a call took in the server, and in the database."""
    calls = sum(turn.calls for turn in turns)
    return tuple(1000 * sum(each) / calls for each in zip(*((t.served, t.stored) for t in turns), strict=True))  # type: ignore[return-value]


async def _take_turns(floor: Listeners, ours: Listeners, address: str) -> tuple[list[Turn], list[Turn]]:
    turns = [
        (await _echo(floor), await _work(ours, TASKS // TURNS, lambda: processor_seconds_of(address)))
        for _ in range(TURNS)
    ]
    return [echo for echo, _ in turns[1:]], [work for _, work in turns[1:]]


@asynccontextmanager
async def _agents(ports: Sequence[int], path: str) -> AsyncGenerator[list[HttpCaller]]:
    """All agents, on connections that are new in each turn: the floor closes those that are silent for five seconds."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(HttpCaller(ports[number % len(ports)], path, f"agent-{number}"))
            for number in range(AGENTS)
        ]


async def _echo(floor: Listeners) -> Turn:
    times: Samples = defaultdict(list)

    async def speak(caller: HttpCaller) -> None:
        for _ in range(ECHOES):
            times["echo"].append((await caller.call("echo", {"text": TEXT})).seconds)

    async with _agents(floor.ports, "/mcp") as callers:
        began, served = perf_counter(), floor.processor_seconds()
        await asyncio.gather(*map(speak, callers))
        return Turn(times, perf_counter() - began, AGENTS * ECHOES, floor.processor_seconds() - served)


async def _work(ours: Listeners, count: int, stored: Callable[[], float]) -> Turn:
    """Claim, report and complete until so many more tasks are done."""
    times: Samples = defaultdict(list)
    left, calls = count, 0

    async def carry_out(agent: HttpCaller) -> None:
        nonlocal left, calls
        while left > 0:
            left -= 1
            claimed = await agent.call("claim_task", {})
            calls += 1
            task = claimed.result["structuredContent"].get("task")
            if task is None:  # everything that is left waits for what others are doing
                left += 1
                await asyncio.sleep(NOTHING_READY_SECONDS)
                continue
            reported = await agent.call("report_progress", {"task": task["id"], "message": "half way", "percent": 50})
            done = await agent.call("complete_task", {"task": task["id"], "summary": "It is done."})
            calls += 2
            for what, took in (("claim_task", claimed), ("report_progress", reported), ("complete_task", done)):
                times[what].append(took.seconds)
            times["claim, report and complete"].append(claimed.seconds + reported.seconds + done.seconds)

    async with _agents(ours.ports, "/mcp/worker") as agents:
        began, served, kept = perf_counter(), ours.processor_seconds(), stored()
        await asyncio.gather(*map(carry_out, agents))
        seconds = perf_counter() - began
        return Turn(times, seconds, calls, ours.processor_seconds() - served, stored() - kept)
