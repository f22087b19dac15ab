"""Many real processes at one board: `crowd.py JOB PATH PROCESSES ARGUMENTS`.

It imports everything once and forks; each child opens the board for itself, and all begin at the same moment. What a
child has to say is one line of JSON, written whole, so that lines of several children do not mix. ARGUMENTS are a
JSON object for the job.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from swarm_mcp import operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import ClaimLost, Refusal
from swarm_mcp.operations.swarm import Swarm, open_swarm
from swarm_mcp.repository import agents

if TYPE_CHECKING:
    from collections.abc import Callable

WORKER = Profile.WORKER


def say(*words: object) -> None:
    """Tell the parent something, in one piece."""
    os.write(1, (json.dumps(words) + "\n").encode())


def create(swarm: Swarm, number: int, count: int) -> None:
    """Create tasks and acknowledge each when it is committed."""
    for k in range(count):
        made = swarm.write(lambda db: operations.create_task(db, title=f"Task {number}.{k}"))  # noqa: B023 - run at once
        assert made.task is not None
        say("created", made.task.id)


def race(swarm: Swarm, number: int, tasks: list[str]) -> None:
    """Try to claim every one of these tasks, all children in the same order."""
    for task in tasks:
        say(*claimed(swarm, f"worker{number}", task))


def claimed(swarm: Swarm, agent: str, task: str) -> tuple[str, str, int]:
    """Claim a task by name: "claimed" and the attempt, or the code of the refusal."""
    try:
        answer = swarm.write(lambda db: operations.claim_task(db, task=task), agent=agent, profile=WORKER)
    except Refusal as refusal:
        return refusal.code, task, 0
    return "claimed", task, answer.attempt


def pass_round(swarm: Swarm, number: int, rounds: int) -> None:
    """Claim whatever is ready and give it back at once; tell when each of it began and ended."""
    agent, chance = f"worker{number}", random.Random(number)
    for _ in range(rounds):
        began = time.monotonic_ns()
        answer = swarm.write(operations.claim_task, agent=agent, profile=WORKER)
        if answer.task is None:
            continue
        task, attempt = answer.task.id, answer.attempt
        say("claimed", task, attempt, agent, began, time.monotonic_ns())
        began = time.monotonic_ns()
        swarm.write(
            lambda db: operations.complete_task(db, task=task, summary="Half.", outcome="failed", attempt=attempt)  # noqa: B023
            if chance.random() < 0.5
            else operations.report_progress(db, task=task, message="Not mine.", status="released", attempt=attempt),  # noqa: B023
            agent=agent, profile=WORKER,
        )  # fmt: skip
        say("ended", task, attempt, agent, began, time.monotonic_ns())


def overload(swarm: Swarm, number: int, tasks: list[str]) -> None:
    """As one agent with several programs, take as much as one gets, by name or not; give it back when it is enough."""
    connection = f"connection{number}"

    def ask(change: Callable[[Any], Any]) -> Any:
        return swarm.write(change, agent="busy", profile=WORKER, connection=connection)

    for n in range(len(tasks)):
        by_name = tasks[(n + 2 * number) % len(tasks)] if n % 4 else ""
        try:
            answer = ask(lambda db: operations.claim_task(db, task=by_name))  # noqa: B023 - run at once
        except Refusal as refusal:
            say("refused", refusal.code)
            continue
        if answer.task is None:
            continue
        said = {"task": answer.task.id, "attempt": answer.attempt, "message": "Enough.", "status": "released"}
        say("holds", swarm.read(lambda db: agents.count_claims_in_progress(db, db.actor.id), agent="busy"))
        with suppress(ClaimLost):  # another program of the agent has given the same claim back
            ask(lambda db: operations.report_progress(db, **said))  # noqa: B023


def entangle(swarm: Swarm, number: int, tasks: list[str], times: int) -> None:
    """Let tasks wait for each other at random; whatever would close a cycle has to be refused."""
    chance = random.Random(number)
    for _ in range(times):
        task, other = chance.sample(tasks, 2)
        try:
            swarm.write(lambda db: operations.update_task(db, task=task, add_depends_on=[other]))  # noqa: B023
        except Refusal as refusal:
            say("refused", refusal.code)
        else:
            say("waits", task, other)


def finish_or_wait(swarm: Swarm, number: int, blockers: list[str], waiters: list[str]) -> None:
    """Half of the children complete the blockers, while the others let tasks wait for them."""
    agent = f"worker{number}"
    for blocker, waiter in zip(blockers, waiters, strict=True):
        if number % 2:
            swarm.write(lambda db: operations.update_task(db, task=waiter, add_depends_on=[blocker]))  # noqa: B023
            say("waits", waiter, blocker)
        elif claimed(swarm, agent, blocker)[0] == "claimed":
            swarm.write(
                lambda db: operations.complete_task(db, task=blocker, summary="Done."),  # noqa: B023
                agent=agent,
                profile=WORKER,
            )
            say("completed", blocker)


def load(swarm: Swarm, number: int, seconds: float, threads: int) -> None:
    """Plan, claim, report and complete without a pause, in several threads, until the time is over."""
    until = time.monotonic() + seconds
    crew = [threading.Thread(target=_work_through, args=(swarm, f"worker{number}.{k}", until)) for k in range(threads)]
    for each in crew:
        each.start()
    for each in crew:
        each.join()


def _work_through(swarm: Swarm, agent: str, until: float) -> None:
    worst, made = 0.0, list[str]()

    def timed(change: Callable[[Any], Any], who: str = agent) -> Any:
        nonlocal worst
        began = time.monotonic()
        answer = swarm.write(change, agent=who, profile=WORKER)
        worst = max(worst, time.monotonic() - began)
        return answer

    try:
        while time.monotonic() < until:
            made.append(timed(lambda db: operations.create_task(db, title=f"For {agent}"), "").task.id)
            task = timed(operations.claim_task).task.id
            timed(lambda db: operations.report_progress(db, task=task, message="Half.", percent=50))  # noqa: B023
            timed(lambda db: operations.complete_task(db, task=task, summary="Done."))  # noqa: B023
    except Exception:  # told to the test, which fails by it
        say("error", agent, traceback.format_exc()[-2000:])
    say("load", agent, len(made), worst)


JOBS: dict[str, Callable[..., None]] = {
    "create": create, "race": race, "pass_round": pass_round, "overload": overload, "entangle": entangle,
    "finish_or_wait": finish_or_wait, "load": load,
}  # fmt: skip


def child(job: str, path: str, number: int, arguments: dict[str, Any], ready: int, go: int) -> None:
    """Open the board, wait for the others, do the job."""
    swarm = open_swarm(path)
    os.write(ready, b".")
    os.read(go, 1)  # returns when the parent closes the other end
    JOBS[job](swarm, number, **arguments)
    swarm.close()


def main() -> int:
    """Fork the children, let them go at once, and wait for all."""
    job, path, processes, arguments = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
    (ready, say_ready), (go, hold) = os.pipe(), os.pipe()
    children = []
    for number in range(processes):
        pid = os.fork()
        if pid == 0:
            os.close(hold)
            try:
                child(job, path, number, arguments, say_ready, go)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
        children.append(pid)
    for _ in children:
        os.read(ready, 1)
    os.close(hold)
    return max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children)


if __name__ == "__main__":
    sys.exit(main())
