"""Many real processes at one board: nothing is lost, nothing is given twice, and nobody gets an error.

`SWARM_LOAD_SECONDS=20` loads it for longer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import recount

from swarm_mcp import open_swarm, operations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swarm_mcp import Swarm

pytestmark = pytest.mark.no_cover  # what many do at once is covered where one does it
CROWD = Path(__file__).parent / "processes" / "crowd.py"
LOAD_SECONDS = float(os.environ.get("SWARM_LOAD_SECONDS", "4"))


@pytest.fixture
def swarm(place: Path | str) -> Iterator[Swarm]:
    """A board on which the operator plans."""
    swarm = open_swarm(place)
    yield swarm
    swarm.close()


def crowd(job: str, path: Path, processes: int, **arguments: Any) -> list[list[Any]]:
    """Let that many processes do a job at once; what they said, in the order in which they said it."""
    words = [sys.executable, CROWD, job, path, str(processes), json.dumps(arguments)]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def plan(swarm: Swarm, count: int) -> list[str]:
    """New tasks that anybody may claim."""
    items = [{"title": f"Task {n}"} for n in range(count)]
    made = swarm.write(lambda db: operations.create_plan(db, tasks=items))
    return list(made.ids.values())


def stored(path: Path, statement: str) -> list[Any]:
    """Rows of the board."""
    with recount.looking(path) as connection:
        return connection.execute(statement).fetchall()


def test_of_eight_processes_that_create_fifty_tasks_each_none_loses_one(swarm: Swarm, place: Path | str) -> None:
    created = [task for _, task in crowd("create", place, 8, count=50)]
    assert len(set(created)) == 400
    assert {task for (task,) in stored(place, "SELECT id FROM task")} == set(created)
    assert recount.problems(place) == []


def test_of_eight_processes_that_want_the_same_tasks_each_task_goes_to_one(swarm: Swarm, place: Path | str) -> None:
    tasks = plan(swarm, 40)
    said = Counter((task, word, attempt) for word, task, attempt in crowd("race", place, 8, tasks=tasks))
    assert said == Counter({(task, "claimed", 1): 1 for task in tasks} | {(task, "conflict", 0): 7 for task in tasks})
    assert stored(place, "SELECT DISTINCT status, attempt FROM task") == [("in_progress", 1)]
    assert recount.problems(place) == []


def test_a_task_passed_round_by_eight_processes_is_held_by_one_at_a_time(swarm: Swarm, place: Path | str) -> None:
    tasks = plan(swarm, 6)
    histories: dict[str, list[list[Any]]] = defaultdict(list)
    for line in crowd("pass_round", place, 8, rounds=12):
        histories[line[1]].append(line)
    assert histories.keys() <= set(tasks)
    for history in histories.values():
        check_history(history)
    assert recount.problems(place) == []


def check_history(history: list[list[Any]]) -> None:
    """A task is a lock: attempts are given once each and in order, and each after the one before it was given up.

    What is asserted of times is what has to be so however long a call takes: no claim was acknowledged before the
    call had begun that gave up the attempt before it.
    """
    claims = {attempt: line for line in history if line[0] == "claimed" for attempt in [line[2]]}
    ends = {attempt: line for line in history if line[0] == "ended" for attempt in [line[2]]}
    assert len(claims) == sum(line[0] == "claimed" for line in history), "an attempt was given twice"
    assert sorted(claims) == list(range(1, len(claims) + 1))
    assert ends.keys() == claims.keys()
    for attempt, (_, _, _, agent, _, acknowledged) in claims.items():
        assert ends[attempt][3] == agent
        assert attempt == 1 or acknowledged > ends[attempt - 1][4], "claimed while somebody else held it"


def test_an_agent_at_work_in_eight_programs_never_holds_more_than_its_capacity(swarm: Swarm, place: Path | str) -> None:
    tasks = plan(swarm, 16)
    swarm.write(lambda db: operations.register_agent(db, name="busy", capacity=2))
    said = Counter(tuple(line) for line in crowd("overload", place, 8, tasks=tasks))
    assert max(held for word, held in said if word == "holds") == 2
    assert said["refused", "limit"]
    assert recount.problems(place) == []


def test_edges_that_many_processes_add_at_once_never_close_a_cycle(swarm: Swarm, place: Path | str) -> None:
    said = crowd("entangle", place, 8, tasks=plan(swarm, 12), times=20)
    assert {line[1] for line in said if line[0] == "refused"} == {"cycle"}
    edges = {(line[1], line[2]) for line in said if line[0] == "waits"}
    assert set(stored(place, "SELECT task_id, depends_on_id FROM dependency")) == edges
    assert recount.problems(place) == [], "the recount looks for cycles by itself"


def test_a_task_that_gets_an_edge_while_its_blocker_completes_ends_up_ready(swarm: Swarm, place: Path | str) -> None:
    blockers, waiters = plan(swarm, 20), plan(swarm, 20)
    said = crowd("finish_or_wait", place, 8, blockers=blockers, waiters=waiters)
    assert sorted(line[1] for line in said if line[0] == "completed") == sorted(blockers)
    states = dict(stored(place, "SELECT id, status FROM task"))
    assert {states[task] for task in waiters} == {"pending"}
    assert recount.problems(place) == []


def test_thirty_two_writers_without_a_pause_get_no_error_and_lose_nothing(
    swarm: Swarm, place: Path | str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = crowd("load", place, 8, seconds=LOAD_SECONDS, threads=4)
    assert [line for line in said if line[0] == "error"] == []
    writers = [line for line in said if line[0] == "load"]
    assert len(writers) == 32
    count = sum(line[2] for line in writers)
    assert stored(place, "SELECT status, COUNT(*) FROM task GROUP BY status") == [("completed", count)]
    assert recount.problems(place) == []
    with capsys.disabled():
        worst = max(line[3] for line in writers)
        print(f"\n32 writers: {4 * count} writes in {LOAD_SECONDS:g} s, worst wait {worst:.2f} s", file=sys.stderr)
