"""The demo does what it shows: real processes, one board, and a verdict that could be another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from recount import problems

from swarm_mcp.cli.demo import ledger, outcome, receipts, stage
from swarm_mcp.cli.demo.performance import WORKERS
from swarm_mcp.cli.demo.superior import read_call
from swarm_mcp.model import ids
from swarm_mcp.operations import moves
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from board import Board

# Only so that a demo that is stuck fails its test instead of stopping the run.
GIVE_UP_SECONDS = 120


@contextmanager
def demo(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The demo as a process; its temporary folders are below this one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "swarm_mcp", "demo", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until_work_is_done(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Read what the demo prints up to the first completion; the processes that there are then."""
    assert process.stdout is not None
    for line in process.stdout:
        if " completed " in line:
            return psutil.Process(process.pid).children(recursive=True)
    pytest.fail("the demo ended before anything was completed")


def small_plan(folder: Path) -> Path:
    """A plan with what other programs' plans have: finished and deferred work, a review, something hopeless."""
    words = ["done", "review", "deferred", "cancelled", "pending", "in-progress"]
    plan = [
        {"id": n, "title": f"Task {n}", "status": word, "dependencies": [n - 1] if n > 1 else []}
        for n, word in enumerate(words, 1)
    ]
    plan.append({"id": 7, "title": "Hard", "priority": "critical", "complexity": "very-complex", "assignee": "Zoe"})
    path = folder / "plan.json"
    path.write_text(json.dumps({"tasks": plan}))
    return path


def test_two_workers_carry_out_the_plan_and_nothing_is_lost(tmp_path: Path) -> None:
    board = tmp_path / "board.db"
    with demo(tmp_path, "--workers", "2", "--database", str(board)) as process:
        out, err = process.communicate(timeout=GIVE_UP_SECONDS)
    assert (process.returncode, err) == (0, ""), out
    assert "They are scripted agents: no model thinks" in out
    assert "35 of 35 tasks completed" in out
    for line in ("Collisions", "Writes lost", "Too early"):
        assert [each.endswith("): none.") for each in out.splitlines() if each.startswith(line)] == [True]
    assert problems(board) == []
    swarm = open_swarm(board)
    replayed = swarm.read(ledger.replay)
    swarm.close()
    assert len(replayed.claims) == 35
    assert {agent for _, _, agent in replayed.claims} <= set(WORKERS[:2])
    assert [each.name for each in tmp_path.iterdir() if each.is_dir()] == []


def test_a_worker_that_crashes_is_reported_and_its_work_goes_to_the_others(tmp_path: Path) -> None:
    with demo(tmp_path, "--workers", "2", "--plan", str(small_plan(tmp_path))) as process:
        there = until_work_is_done(process)
        next(each for each in there if f"swarm_mcp.cli.demo.acting {WORKERS[1]}" in " ".join(each.cmdline())).kill()
        out, err = process.communicate(timeout=GIVE_UP_SECONDS)
    assert (process.returncode, err) == (0, ""), out
    assert f"Crashed: the process of {WORKERS[1]} ended with code -9" in out
    assert "6 of 7 tasks completed (1 are cancelled in the plan)" in out
    board = next(tmp_path.glob("swarm-demo-*/swarm.db"))
    assert problems(board) == []


def test_an_interrupted_demo_takes_everybody_along(tmp_path: Path) -> None:
    with demo(tmp_path, "--workers", "1") as process:
        there = until_work_is_done(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=GIVE_UP_SECONDS)
    assert (process.returncode, err) == (1, "The demo was interrupted; everybody in it has ended.\n")
    assert len(there) >= 3, "the director, the worker and its server"
    assert psutil.wait_procs(there, timeout=GIVE_UP_SECONDS)[1] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.sqlite
def test_a_board_that_is_in_use_is_refused(board: Board, tmp_path: Path) -> None:
    board.create()
    with demo(tmp_path, "--database", str(board.swarm.database.path)) as process:
        out, err = process.communicate(timeout=GIVE_UP_SECONDS)
    assert (process.returncode, out) == (1, "")
    assert err.startswith("That board has tasks already")
    assert list(tmp_path.iterdir()) == []


def test_writes_that_are_not_on_the_board_are_found(board: Board) -> None:
    task = board.create()
    claimed = board.claim("ada", task).structured()
    said = {"task": task, "message": "Half of it."}
    board.report("ada", task, said["message"])
    true = [
        {"agent": "ada", "what": "claim_task", "said": {}, "answer": claimed},
        {"agent": "ada", "what": "report_progress", "said": said, "answer": {}},
    ]
    summary = {"task": task, "summary": "Done."}
    false = [
        {"agent": "ada", "what": "claim_task", "said": {}, "answer": {**claimed, "attempt": 2}},
        {"agent": "bob", "what": "report_progress", "said": said, "answer": {}},
        {"agent": "ada", "what": "share_context", "said": {"task": task, "key": "k", "value": 1}, "answer": {}},
        {"agent": "ada", "what": "complete_task", "said": summary, "answer": {"task": {"status": "completed"}}},
        {"agent": "ada", "what": "send_message", "said": {"text": "?"}, "answer": {"id": "m99"}},
        {"agent": "lead", "what": "delegate", "said": {"task": task, "reasoning": "Why not."}, "answer": {}},
    ]
    with board.swarm.reading() as db:
        replayed = ledger.replay(db)
        assert receipts.lost(db, replayed, true) == []
        assert len(receipts.lost(db, replayed, [*true, *false])) == len(false)
    twice = [true[0], {**true[0], "agent": "bob"}]
    assert receipts.collisions(twice) == [f"ada and bob were both given {task} as attempt 1."]


def test_a_collision_and_a_claim_out_of_order_are_found_in_the_ledger(tmp_path: Path) -> None:
    """The board does not let either happen, so the events are written by hand."""
    swarm = open_swarm(tmp_path / "board.db")
    plan: list[dict[str, Any]] = [{"ref": "a", "title": "A"}, {"ref": "b", "title": "B", "depends_on": ["a"]}]
    from swarm_mcp import operations

    with swarm.writing(agent="lead") as db:
        made = operations.create_plan(db, tasks=plan).ids  # type: ignore[arg-type]
        operations.claim_task(db, task=made["a"])
        for task in made.values():
            row = tasks.task_row(db, task)
            moves.record(db, "claimed", row, {"attempt": [0, 1], "holder_id": [None, "x"]}, version=9)
        found = outcome.judge(db, [], seconds=1, crashes=[])
    swarm.close()
    assert found.collisions == [
        f"lead claimed {made['a']} while somebody held it.",
        f"lead claimed {made['a']} as attempt 1, which there was already.",
    ]
    assert found.out_of_order == [f"lead claimed {made['b']} before {made['a']}."]
    assert found.failure == "The demo failed: 2 tasks are not completed; 2 collisions; 1 claims were too early."


def test_finished_work_of_a_plan_is_opened_again(tmp_path: Path) -> None:
    swarm, report, reopened = stage.set_up(tmp_path / "board.db", small_plan(tmp_path))
    assert reopened == 1
    assert swarm.read(lambda db: tasks.task_row(db, report.ids["1"])).status == "pending"
    assert swarm.read(lambda db: tasks.task_row(db, report.ids["7"])).assignee_id is None
    swarm.close()
    assert problems(tmp_path / "board.db") == []


def test_a_call_that_the_board_proposes_can_be_made() -> None:
    assert read_call('update_task(task="k3x9m2qa", drop_depends_on=["m2qa7c4d"])') == (
        "update_task", {"task": "k3x9m2qa", "drop_depends_on": ["m2qa7c4d"]},
    )  # fmt: skip
    assert read_call('send_message(reply_to="m3", text=…)')[0] == "send_message"
    with pytest.raises(SyntaxError):
        read_call("k3x9m2qa")


def test_no_two_workers_have_names_that_a_board_would_confuse() -> None:
    names = {"director", *WORKERS}
    assert {each: near for each in names if (near := ids.nearest(each, names - {each}))} == {}
