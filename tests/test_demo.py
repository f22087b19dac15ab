"""The demo does what it shows: real processes, one board, and a verdict that could be another."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from recount import problems

from swarm_mcp import operations
from swarm_mcp.cli.demo import episodes, ledger, outcome, receipts, stage
from swarm_mcp.cli.demo.cast import CAPABILITIES, DIRECTOR, TEAMS, WORKERS, cast_for
from swarm_mcp.cli.demo.superior import read_call
from swarm_mcp.model import ids
from swarm_mcp.operations import moves
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import agents, tasks

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


def line(out: str, beginning: str) -> str:
    """The one line that begins so."""
    (found,) = (each for each in out.splitlines() if each.startswith(beginning))
    return found


def test_a_hierarchy_carries_out_the_plan_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "board.db"
    with demo(tmp_path, "--workers", "4", "--database", str(path)) as process:
        out, err = process.communicate(timeout=GIVE_UP_SECONDS)
    assert (process.returncode, err) == (0, ""), out
    assert "They are scripted agents: no model thinks" in out
    assert "41 of 41 tasks completed" in out
    for checked in ("Collisions", "Writes lost", "Too early"):
        assert line(out, checked).endswith("): none.")
    assert re.search("4 workers in 2 teams; .* [1-9] times to a team, 1 to a specialty, ", line(out, "Hierarchy"))
    assert re.fullmatch(r"Questions: ada asked about \w{8}, and \w+ answered\.", line(out, "Questions"))
    assert {"vera sent", "tomasz sent"} <= set(re.findall(r"\w+ sent", line(out, "Sent back")))
    taken = re.match(r"Taken over: chiyo was killed while it held (\w{8}); (\w+) took it over", line(out, "Taken over"))
    assert taken, out
    assert problems(path) == []
    swarm = open_swarm(path)
    replayed = swarm.read(ledger.replay)
    assert swarm.read(lambda db: agents.find_agent(db, "chiyo").lifecycle) == "failed"  # type: ignore[union-attr]
    swarm.close()
    assert len(replayed.claims) == 41 + 2 + 1, "two pieces of work were sent back, and one was taken over"
    assert [agent for task, _, agent in replayed.claims if task == taken[1]][:2] == ["chiyo", taken[2]]
    assert [each.name for each in tmp_path.iterdir() if each.is_dir()] == []


@pytest.mark.no_cover
@pytest.mark.parametrize("victim", ["boris", DIRECTOR])
def test_whoever_crashes_is_reported_and_the_others_carry_on(tmp_path: Path, victim: str) -> None:
    with demo(tmp_path, "--workers", "2", "--plan", str(small_plan(tmp_path))) as process:
        there = until_work_is_done(process)
        next(each for each in there if f"swarm_mcp.cli.demo.acting {victim}" in " ".join(each.cmdline())).kill()
        out, err = process.communicate(timeout=GIVE_UP_SECONDS)
    assert (process.returncode, err) == (0, ""), out
    assert f"Crashed: the process of {victim} ended with code -9" in out
    nobody_above = victim == DIRECTOR
    assert ("The operator: director: " if nobody_above else "The operator has told tomasz that the process of") in out
    assert "12 of 13 tasks completed (1 are cancelled in the plan)" in out
    by_chance = f"Taken over: {victim} crashed while it held "  # what it held, if anything, depends on when it dies
    nobody = "Taken over: does not apply; with fewer than three workers nobody is killed."
    assert line(out, "Taken over").startswith((nobody, by_chance)), out
    assert problems(next(tmp_path.glob("swarm-demo-*/swarm.db"))) == []


@pytest.mark.no_cover
def test_an_interrupted_demo_takes_everybody_along(tmp_path: Path) -> None:
    with demo(tmp_path, "--workers", "1") as process:
        there = until_work_is_done(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=GIVE_UP_SECONDS)
    assert (process.returncode, err) == (1, "The demo was interrupted; everybody in it has ended.\n")
    assert len(there) >= 6, "the director, two supervisors, the worker and their servers"
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


def test_what_was_to_be_seen_and_was_not_is_a_failure(board: Board) -> None:
    with board.swarm.reading() as db:
        judged = partial(outcome.judge, db, [], seconds=1)
        bare = judged(crashes=[], cast=cast_for(3))
        assert bare.failure == (
            "The demo failed: the hierarchy was not used; no question was asked and answered; no review sent work back "
            "that was then accepted; nobody took over what the killed worker held."
        )
        assert "Questions: missing." in outcome.summary(bare)
        few = judged(crashes=[], cast=cast_for(2))
        assert "Taken over: does not apply; with fewer than three workers nobody is killed." in outcome.summary(few)
        assert "nobody took over" not in few.failure
        assert judged(crashes=["the process of ada ended."], cast=cast_for(3)).failure == ""


def test_a_question_a_rework_and_a_takeover_are_found_on_the_board(board: Board) -> None:
    held, judged = board.create(), board.create(needs_review=True)
    board.claim("ada", held)
    board.report("ada", held, "Which way?", status="requires_assistance")
    (question,) = (each for each in board.inbox("lead") if each.type == "question")
    board.call("lead", operations.send_message, reply_to=question.id, text="That way.")
    board.finish("bob", judged)
    board.call("lead", operations.review_task, task=judged, verdict="rework", notes="Once more.")
    board.finish("bob", judged, attempt=2)
    board.call("lead", operations.review_task, task=judged, verdict="accept")
    board.call("lead", operations.register_agent, name="ada", lifecycle="failed")
    board.finish("bob", held)
    with board.swarm.reading() as db:
        replayed = ledger.replay(db)
        assert list(episodes.questions(replayed)) == [f"ada asked about {held}, and lead answered."]
        assert list(episodes.reviews(replayed)) == [f"lead sent {judged} back, and accepted what was made of it."]
        taken = f"while it held {held}; bob took it over as attempt 2 and completed it."
        assert list(episodes.takeovers(db, replayed, {"ada"})) == [f"ada was killed {taken}"]
        assert list(episodes.takeovers(db, replayed, ())) == [f"ada crashed {taken}"]


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


def test_no_two_names_are_such_as_a_board_would_confuse() -> None:
    names = {DIRECTOR, *WORKERS, *TEAMS, *TEAMS.values(), *CAPABILITIES}
    assert {each: near for each in names if (near := ids.nearest(each, names - {each}))} == {}


@pytest.mark.parametrize("workers", range(1, len(WORKERS) + 1))
def test_everybody_has_a_place_and_whoever_is_killed_leaves_somebody_in_the_team(workers: int) -> None:
    cast = cast_for(workers)
    assert sorted(cast.names) == sorted([DIRECTOR, *TEAMS.values(), *WORKERS[:workers]])
    assert all(TEAMS[each.team] == each.superior for each in cast.workers)
    victim = cast.member(cast.victim)
    assert (victim is not None) == (workers > 2)
    assert victim is None or len(cast.team(victim.team)) > 1
    assert cast.asker != cast.victim
