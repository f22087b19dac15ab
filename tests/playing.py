"""What the rules of the state machine have in common: whom and what they are about, mostly what makes sense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition
from plain_task import FINISHED, OPERATOR, Task
from twin import STAFF, TOPICS

from swarm_mcp import operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Clock
    from plain_model import Board
    from twin import Twin

AGENTS = st.sampled_from(STAFF)
ANYBODY = st.sampled_from(["dana", "dana", "bob", OPERATOR, *STAFF])
SOME = st.integers(0, 49)
"""Which of the things in question, counted round; every fifth number means any at all."""
WILD = 4
WHICH = st.integers(0, 9)
"""Mostly the present attempt at a task; also none, the one before, and one that is still to come."""
PRIORITIES = st.sampled_from(["medium", "critical", "high", "low"])
RARELY = st.sampled_from([False, False, True])
TASKS = st.tuples(SOME, RARELY, st.lists(SOME, max_size=1), st.booleans(), PRIORITIES, st.sampled_from(TOPICS))
"""A new task: which parent, whether it has one, after which others, whether it is reviewed, how urgent, about what."""
Drawn = tuple[int, bool, list[int], bool, str, str]


def some(likely: Callable[[Task], object]) -> Callable[[Any], Any]:
    """Try it only while there is a task of that kind: what is refused for certain need not be tried all the time."""
    return precondition(lambda machine: any(likely(task) for task in machine.model.tasks.values()))


def finished(task: Task) -> bool:
    """Whether a task has come to an end."""
    return task.stage in FINISHED


class Playing(RuleBasedStateMachine):
    """A board and its model, and how to choose what to do to them."""

    clock: Clock
    twin: Twin
    model: Board

    def task(self, n: int, likely: Callable[[Task], object] = bool) -> str:
        """One of the tasks for which it makes sense; if there are none, or every fifth time, any."""
        tasks = list(self.model.tasks.values())
        good = [each for each in tasks if likely(each)] if n % 5 != WILD else []
        return (good or tasks)[n // 5 % len(good or tasks)].id

    def one(self, who: str, n: int, fits: Callable[[str], object] = bool) -> str:
        """That somebody if it takes part and it makes sense, else another; every fifth time it itself."""
        everybody = [who, *STAFF[n % len(STAFF) :], *STAFF[: n % len(STAFF)], OPERATOR]
        awake = [each for each in everybody if each == OPERATOR or self.model.crew.active(each)]
        return next((each for each in awake if fits(each)), who) if n % 5 != WILD else who

    def worker(self, who: str, n: int, fits: Callable[[str], object] = bool) -> str:
        """The same of agents alone."""
        return self.one(who, n, lambda each: each != OPERATOR and fits(each))

    def master(self, who: str, n: int, name: str) -> str:
        """The same of those that have authority over a task."""
        return self.one(who, n, lambda each: self.model.may(each, self.model.tasks[name]))

    def holding(self, n: int, likely: Callable[[Task], object] = bool) -> tuple[str, str]:
        """An agent and a task that it holds; every fifth time one that it held once, or never."""
        held = [each for each in self.model.tasks.values() if each.holder and likely(each)]
        if held and n % 5 != WILD:
            task = held[n // 5 % len(held)]
            return task.holder, task.id
        once = [each for each in self.model.tasks.values() if each.attempts]
        task = once[n // 5 % len(once)]
        return ("ada" if n % 10 == WILD else task.attempts[n // 10 % len(task.attempts)][0]), task.id

    def attempt(self, name: str, which: int) -> int:
        """The number of an attempt at a task."""
        now = len(self.model.tasks[name].attempts)
        return {7: 0, 8: max(1, now - 1), 9: now + 1}.get(which, now)

    def is_mine(self, who: str, task: Task) -> bool:
        """Whether somebody may create under a task although it is a worker."""
        return any(self.model.own(who, each) for each in [task, *self.model.above(task)])

    def act(self, who: str, name: str, verb: str, plain: Callable[[str, str], object]) -> None:
        """Do one of the verbs of `update_task`."""
        told = name if verb in {"hold", "recall", "retry", "reopen", "cancel"} else ""
        self.update(who, name, lambda: plain(who, name), told=told, action=verb, reason="So it is.")

    def update(self, who: str, name: str, plain: Callable[[], object], *, told: str = "", **said: Any) -> None:
        """Change a task."""
        self.twin.on(who, lambda db: operations.update_task(db, task=name, **said), plain, told=told)

    def claimed_by(self, who: str, name: str, minutes: int = 0) -> bool:
        """Claim a task by name; whether that was allowed."""

        def plain(answer: Any) -> None:
            attempt = self.model.claim(who, name, minutes)
            assert answer is None or answer.attempt == attempt

        return bool(
            self.twin.do(who, lambda db: operations.claim_task(db, task=name, lease_minutes=minutes), plain, told=name)
        )

    def next_claimed(self, who: str) -> str:
        """Claim what is most urgent; its id, or "" if there was nothing or that was refused."""

        def plain(answer: Any) -> None:
            wanted, got = self.model.claim_next(who), answer.task.id if answer is not None and answer.task else None
            assert got == wanted, f"{who} got {got} instead of {wanted}"

        claimed = self.twin.do(who, operations.claim_task, plain)
        return claimed.task.id if claimed is not None and claimed.task else ""

    def go_on(self, who: str, name: str, fate: str) -> None:
        """Do to a claimed task what it takes to bring it there."""
        if fate == "asked":
            self.report_as(who, name, 0, self.model.ask, status="requires_assistance")
        elif fate == "released":
            self.report_as(who, name, 0, self.model.release, status="released")
        elif fate == "split":
            self.twin.create(who, Task("", who, self.clock.now), name, [], "")
        elif fate != "claimed":
            self.finish_as(who, name, 0, fate)

    def report_as(self, who: str, name: str, which: int, plain: Callable[..., object], **said: Any) -> None:
        attempt, said = self.attempt(name, which), {"message": "So it is.", **said}
        self.twin.on(
            who,
            lambda db: operations.report_progress(db, task=name, attempt=attempt, **said),
            lambda: plain(who, name, attempt),
            told=name if said.get("status", "in_progress") != "in_progress" else "",
        )

    def finish_as(self, who: str, name: str, which: int, outcome: str) -> None:
        attempt = self.attempt(name, which)
        self.twin.on(
            who,
            lambda db: operations.complete_task(db, task=name, summary="Done.", outcome=outcome, attempt=attempt),
            lambda: self.model.complete(who, name, attempt, outcome),
            told=name,
        )
