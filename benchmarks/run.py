"""All measurements of one run, as a table and as JSON."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from benchmarks.board import Board, seed
from benchmarks.calls import measure_calls
from benchmarks.interchange import measure_interchange
from benchmarks.machine import machine_facts
from benchmarks.measure import Measure
from benchmarks.million import DATABASES, measure_million
from benchmarks.pipe import Era
from benchmarks.push import measure_push
from benchmarks.ready import measure_next_ready
from benchmarks.replicas import measure_fleet
from benchmarks.search import measure_search
from benchmarks.startup import measure_memory, measure_start
from benchmarks.tokens import measure_tokens
from benchmarks.waiting import measure_waiting
from benchmarks.writers import measure_writers

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = ("calls", "search", "start", "memory", "tokens", "queue", "waiting", "push", "writers", "interchange", "fleet")
LARGE = "million"
"""The part that takes minutes and gigabytes, and so is made only when it is asked for."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the one folder that is surely not on a disk


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return 0 if every goal was met, else 1."""
    parser = _options()
    options = parser.parse_args(arguments)
    if LARGE in (options.only or ()) and len(options.only) > 1:
        parser.error(f"`{LARGE}` is measured by itself")
    memory = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    facts = machine_facts()
    with (
        tempfile.TemporaryDirectory(prefix="swarm-bench-", dir=memory) as fast,
        tempfile.TemporaryDirectory(prefix="swarm-bench-", dir=options.disk) as disk,
    ):
        facts |= {
            "boards": f"tmpfs ({fast})" if memory else f"no tmpfs here, so on disk ({fast})",
            "era": options.era,
        }
        _say(" · ".join(f"{name} {value}" for name, value in facts.items()))
        measure = _measure_large if options.only == [LARGE] else _measure
        measures = measure(options, Path(fast), Path(disk))
    _print_table(measures)
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        _say("The machine was busy with other work: repeat the run before believing a ratio.")
    if options.json is not None:
        document = {"machine": facts, "measures": [asdict(measure) for measure in measures]}
        options.json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return int(any(measure.met is False for measure in measures))


def _measure(options: argparse.Namespace, fast: Path, disk: Path) -> list[Measure]:
    parts = options.only or PARTS
    boards: list[Board] = []
    for tasks in options.sizes if set(parts) - {"fleet"} else ():
        _say(f"seeding {tasks:,} tasks …")
        boards.append(seed(fast / f"{tasks}.db", tasks))
    measures: list[Measure] = []
    for part in parts:
        _say(f"measuring {part} …")
        measures += (
            measure_fleet(fast / "postgres") if part == "fleet" else _measure_part(part, options, boards, fast, disk)
        )
    return measures


def _measure_part(  # noqa: PLR0911 - one for each
    part: str, options: argparse.Namespace, boards: Sequence[Board], fast: Path, disk: Path
) -> list[Measure]:
    small, large = boards[0], boards[-1]
    match part:
        case "calls":
            return measure_calls(boards, rounds=options.rounds, calls=options.calls, era=options.era)
        case "search":
            return measure_search(large)
        case "start":
            return measure_start(small, times=options.starts, era=options.era)
        case "memory":
            return measure_memory(large, era=options.era)
        case "tokens":
            return measure_tokens(small)
        case "queue":
            return measure_next_ready(large)
        case "waiting":
            return measure_waiting(large, era=options.era)
        case "push":
            return measure_push(fast, era=options.era)
        case "interchange":
            return measure_interchange(large, fast)
        case _:
            # On a real disk: this one is about waiting for each other, and syncing is part of it.
            return measure_writers(seed(disk / "writers.db", 100), seconds=options.seconds)


def _measure_large(options: argparse.Namespace, _fast: Path, disk: Path) -> list[Measure]:
    databases = DATABASES if options.database == "both" else [options.database]
    return measure_million(options.tasks, databases, disk, _say)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    only = "these parts alone; `million` is measured by itself"
    parser.add_argument("--only", nargs="+", choices=[*PARTS, LARGE], help=only)
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 20_000, 100_000], help="tasks on the boards")
    parser.add_argument("--rounds", type=int, default=10, help="turns that each server takes")
    parser.add_argument("--calls", type=int, default=30, help="calls of each tool in a turn")
    parser.add_argument("--starts", type=int, default=9, help="cold starts of each server")
    parser.add_argument("--seconds", type=float, default=20, help="how long the 32 writers write")
    parser.add_argument("--tasks", type=int, default=1_000_000, help="tasks on the board of the part `million`")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both", help="where that board is made")
    parser.add_argument("--era", choices=get_args(Era), default="modern", help="the protocol to speak")
    parser.add_argument("--disk", type=Path, default=None, help="a folder on a disk, for writers and the million")
    parser.add_argument("--json", type=Path, default=None, help="write the results here as well")
    return parser


def _print_table(measures: Sequence[Measure]) -> None:
    words = {True: "yes", False: "NO", None: ""}
    rows = [("measure", "goal", "measured", "met")]
    rows += [(measure.name, measure.goal, measure.measured, words[measure.met]) for measure in measures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    rows.insert(1, ("-" * widths[0], "-" * widths[1], "-" * widths[2], "-" * widths[3]))
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _say(words: str) -> None:
    print(words, flush=True)
