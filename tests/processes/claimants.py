"""Claims fought over by processes that are killed: `claimants.py PATH SEED [WHAT IS BROKEN]`.

Each child opens the board for itself; its threads claim, report, release, complete, retry and sweep a few tasks, with
tokens of theirs that are long void too. Its clock goes on with its calls, a little ahead or behind of the others', so
that claims lapse however fast the machine is. Every call is told before it is made and after it was answered, one line
of JSON each. The parent passes the lines on, kills a child from time to time, and puts another one in its place.

With a name of `mutants.MUTATIONS` the product is broken in that way first.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import Busy, Refusal
from swarm_mcp.operations import upkeep
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction

CHILDREN, THREADS, CALLS, KILLS = 4, 2, 90, 8
BEGINNING = datetime(2026, 1, 2, tzinfo=UTC)
TICK = 2_000
"""Milliseconds from one call of a child to the next, as far as the board knows."""
LATER = 60_000
"""Milliseconds by which a child's clock is ahead of that of the one that was born before it."""
SKEW = 20_000
"""Milliseconds by which a clock may be wrong."""
TELLING = 1


class Claimant:
    """One client: a thread with a name of its own and one that it shares with all others."""

    def __init__(self, swarm: Swarm, clock: Clock, chosen: list[str], name: str, connection: str, seed: str) -> None:
        self.swarm = swarm
        self.clock = clock
        self.tasks = chosen
        self.names = [name, "everybody"]
        self.connection = connection
        self.chance = random.Random(seed)
        self.tokens: list[tuple[str, str, int]] = []
        """Whatever it was ever given: agent, task, attempt."""

    def live(self) -> None:
        """Make its calls, one after the other."""
        for number in range(CALLS):
            self.clock.set()
            agent, task, attempt = self.chance.choice(self.names), self.chance.choice(self.tasks), 0
            what = self.chance.choices(list(CALLS_MADE), [4, 3, 6, 3, 2, 1, 3, 1])[0]
            if what in {"report", "release", "completed", "failed"}:
                if not self.tokens:
                    continue
                late = self.chance.random() < 0.3
                agent, task, attempt = self.chance.choice(self.tokens) if late else self.tokens[-1]
            told = f"{self.connection}.{number}"
            say("asked", told, what, task, agent, self.connection, attempt, self.clock.now, time.monotonic_ns())
            answer = self.ask(what, agent, task, attempt)
            say("told", told, *answer, time.monotonic_ns())

    def ask(self, what: str, agent: str, task: str, attempt: int) -> tuple[int, str]:
        """Make a call; its answer as `history.Call` has it (-1: nothing was done) and the task that it is about."""
        try:
            done = self.swarm.write(
                lambda db: CALLS_MADE[what](db, task, attempt),
                agent="" if what in {"again", "sweep"} else agent, profile=Profile.WORKER, connection=self.connection,
            )  # fmt: skip
        except Busy:
            return -1, task
        except Refusal as refusal:
            if refusal.code not in {"conflict", "illegal_move", "claim_lost", "not_allowed"}:
                raise
            return 0, task
        if what in {"claim", "next"} and done[0]:
            self.tokens.append((agent, done[1], done[0]))
        return done


def claim(db: Transaction, task: str, attempt: int) -> tuple[int, str]:
    """Claim a task by name, or the next one."""
    _ = attempt
    answer = operations.claim_task(db, task=task, lease_minutes=1)
    return answer.attempt, answer.task.id if answer.task is not None else ""


def report(db: Transaction, task: str, attempt: int, status: str = "") -> tuple[int, str]:
    """Report on a task, or give it back."""
    operations.report_progress(db, task=task, message="Going on.", status=status, attempt=attempt)
    return 1, task


def complete(db: Transaction, task: str, attempt: int, outcome: str) -> tuple[int, str]:
    """Finish a task."""
    operations.complete_task(db, task=task, summary="It is over.", outcome=outcome, attempt=attempt)
    return 1, task


def again(db: Transaction, task: str, attempt: int) -> tuple[int, str]:
    """As the operator, open a finished task again."""
    _ = attempt
    action = {"completed": "reopen", "failed": "retry"}.get(tasks.task_row(db, task).status, "")
    if action:
        operations.update_task(db, task=task, action=action)
    return int(bool(action)), task


def sweep(db: Transaction, task: str, attempt: int) -> tuple[int, str]:
    """End what has expired, whichever task it is."""
    _ = task, attempt
    upkeep.sweep(db)
    return 1, ""


CALLS_MADE: dict[str, Callable[[Transaction, str, int], tuple[int, str]]] = {
    "claim": claim,
    "next": lambda db, _, attempt: claim(db, "", attempt),
    "report": report,
    "release": lambda db, task, attempt: report(db, task, attempt, "released"),
    "completed": lambda db, task, attempt: complete(db, task, attempt, "completed"),
    "failed": lambda db, task, attempt: complete(db, task, attempt, "failed"),
    "again": again,
    "sweep": sweep,
}


class Clock(threading.local):
    """A clock that each thread sets before a call, so that it is known by which time the call went."""

    def __init__(self, ticks: Iterator[int]) -> None:
        self.ticks = ticks
        self.skew = self.now = 0

    def set(self) -> None:
        """Go on."""
        self.now = next(self.ticks) + self.skew

    def __call__(self) -> datetime:
        """The time of this thread's call."""
        return BEGINNING + timedelta(milliseconds=self.now)


def say(*words: object) -> None:
    """Tell the parent something, in one piece: pipes take a short line whole."""
    os.write(TELLING, (json.dumps(words) + "\n").encode())


def child(path: str, chosen: list[str], number: int, seed: int) -> None:
    """Open the board and let the threads loose on it."""
    clock = Clock(itertools.count(number * LATER, TICK))
    swarm = open_swarm(path, clock=clock)

    def run(thread: int) -> None:
        name, connection = f"claimant{number % CHILDREN}.{thread}", f"connection{number}.{thread}"
        clock.skew = random.Random(f"{seed}{connection}").randrange(-SKEW, SKEW)
        try:
            Claimant(swarm, clock, chosen, name, connection, f"{seed} {connection}").live()
        except BaseException:
            say("error", traceback.format_exc()[-3000:])

    crew = [threading.Thread(target=run, args=(thread,)) for thread in range(THREADS)]
    for each in crew:
        each.start()
    for each in crew:
        each.join()
    say("gone", number)


class Parent:
    """Forks children, passes on what they say, and kills some of them."""

    def __init__(self, path: str, seed: int, chosen: list[str]) -> None:
        self.path, self.seed, self.tasks = path, seed, chosen
        self.chance = random.Random(seed)
        self.hearing, self.speaking = os.pipe()
        self.alive: dict[int, int] = {}
        self.born = 0

    def bear(self) -> None:
        """One more child."""
        number, pid = self.born, os.fork()
        self.born += 1
        if pid == 0:
            os.dup2(self.speaking, TELLING)
            child(self.path, self.tasks, number, self.seed)
            os._exit(0)
        self.alive[number] = pid

    def bury(self, number: int) -> None:
        """Wait for the end of a child."""
        os.waitpid(self.alive.pop(number), 0)

    def watch(self) -> None:
        """Until all children are gone."""
        for _ in range(CHILDREN):
            self.bear()
        kills, until_next = 0, self.chance.randrange(60, 120)
        for line in self.lines():
            print(line, flush=False)
            what, number = json.loads(line)[:2]
            if what == "gone" and number in self.alive:
                self.bury(number)
            until_next -= 1
            if until_next <= 0 and kills < KILLS and self.alive:
                number = self.chance.choice(sorted(self.alive))
                os.kill(self.alive[number], signal.SIGKILL)
                self.bury(number)
                self.bear()
                kills, until_next = kills + 1, self.chance.randrange(60, 120)

    def lines(self) -> Iterator[str]:
        """What the children say, as long as there are any."""
        rest = b""
        while self.alive:
            *whole, rest = (rest + os.read(self.hearing, 1 << 16)).split(b"\n")
            for line in whole:
                yield line.decode()


def main() -> int:
    """Fight over a few tasks."""
    path, seed, *broken = sys.argv[1:]
    if broken:
        from mutants import MUTATIONS

        MUTATIONS[broken[0]]()
    Parent(path, int(seed), sys.stdin.read().split()).watch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
