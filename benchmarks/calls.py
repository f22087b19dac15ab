"""How long a call takes, against the floor in the same minute: boards of several sizes, in rounds."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Measure, Times
from benchmarks.pipe import Pipe
from benchmarks.servers import FLOOR, TEXT, swarm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.board import Board
    from benchmarks.pipe import Era

READS = ("get_task", "list_tasks")
WRITES = ("create_task", "claim_task", "report_progress", "complete_task")
READ_GOAL, WRITE_GOAL, GROWTH_GOAL = 1.0, 1.3, 1.2
WARM_UP = 20

Samples = dict[str, list[float]]


def measure_calls(boards: Sequence[Board], *, rounds: int, calls: int, era: Era) -> list[Measure]:
    """Time the tools on every board and the floor, taking turns; `calls` of each per round."""
    floor: list[float] = []
    samples: list[Samples] = [defaultdict(list) for _ in boards]
    pipes = [Pipe(swarm(board.path), era=era) for board in boards]
    with Pipe(FLOOR, era=era) as echo:
        try:
            for pipe in (echo, *pipes):
                pipe.open()
            _floor(echo, WARM_UP)
            for board, pipe in zip(boards, pipes, strict=True):
                _work(pipe, board, defaultdict(list), WARM_UP)
            turns = [
                lambda: floor.extend(_floor(echo, calls)),
                *(
                    partial(_work, pipe, board, times, calls)
                    for board, pipe, times in zip(boards, pipes, samples, strict=True)
                ),
            ]
            for _ in range(rounds):
                random.shuffle(turns)  # whoever came first every time would look different
                for take_turn in turns:
                    take_turn()
        finally:
            for pipe in pipes:
                pipe.close()
    return _compare(Times(floor), boards, [{tool: Times(t) for tool, t in each.items()} for each in samples])


def _floor(pipe: Pipe, calls: int) -> list[float]:
    return [pipe.call("echo", {"text": TEXT}).seconds for _ in range(calls)]


def _work(pipe: Pipe, board: Board, times: Samples, calls: int) -> None:
    """Look twice, then create, claim, report and complete, so many times: the life of a task."""
    for number in range(calls):
        _timed(pipe, times, "get_task", task=random.choice(board.sample))
        _timed(pipe, times, "list_tasks", limit=20)
        title = f"Measure call {number}"
        # More urgent than whatever is ready already, so that the next claim is the same work on every board.
        _timed(pipe, times, "create_task", title=title, priority="high", criteria=["it was measured"])
        claimed = _timed(pipe, times, "claim_task")
        task = claimed["task"]["id"]
        _timed(pipe, times, "report_progress", task=task, message="half way there", percent=50)
        _timed(pipe, times, "complete_task", task=task, summary="It is done.", evidence={"1": "seen"})


def _timed(pipe: Pipe, times: Samples, tool: str, **arguments: object) -> Mapping[str, Any]:
    answer = pipe.call(tool, arguments)
    times[tool].append(answer.seconds)
    return answer.result["structuredContent"]


def _compare(floor: Times, boards: Sequence[Board], samples: Sequence[Mapping[str, Times]]) -> list[Measure]:
    measures = [Measure("floor: echo", "", f"{floor.p50:.2f} ms, p95 {floor.p95:.2f}", facts=floor.facts())]
    for board, times in zip(boards, samples, strict=True):
        for tool in READS + WRITES:
            goal = READ_GOAL if tool in READS else WRITE_GOAL
            ratio = times[tool].p50 / floor.p50
            measures.append(
                Measure(
                    f"{tool}, {board.tasks:,} tasks",
                    f"≤ {goal} x floor",
                    f"{ratio:.2f} x ({times[tool].p50:.2f} ms, p95 {times[tool].p95:.2f})",
                    ratio <= goal,
                    {**times[tool].facts(), "ratio": round(ratio, 4)},
                )
            )
    if len(boards) > 1:
        measures += [_growth(tool, boards, samples) for tool in READS + WRITES]
    return measures


def _growth(tool: str, boards: Sequence[Board], samples: Sequence[Mapping[str, Times]]) -> Measure:
    ratio = samples[-1][tool].p50 / samples[0][tool].p50
    return Measure(
        f"{tool}, {boards[-1].tasks:,} tasks against {boards[0].tasks:,}",
        f"≤ {GROWTH_GOAL} x",
        f"{ratio:.2f} x",
        ratio <= GROWTH_GOAL,
        {"ratio": round(ratio, 4)},
    )
