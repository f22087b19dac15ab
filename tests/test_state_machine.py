"""Whatever agents do, in whatever order, the board is what a plain model says.

Hypothesis plays a director, three workers and the operator at random. After every call the answer (accepted, or the
code of the refusal) and the whole board are compared with `plain_model`, and `recount` checks the tables against
each other. `SWARM_EXAMPLES=2000` plays longer, and differently each time.

Proves invariants 2 to 11 of the storage design: one live claim, growing attempts, fenced writes, an acyclic graph,
counters that a recount finds, claims of ready tasks only, finished work that stays finished, a ledger that replays.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from plain_model import OPERATOR, Task
from postgres import place_of
from recount import file_problems, looking
from twin import PLACES, WORKERS, Twin

from swarm_mcp import operations
from swarm_mcp.operations import upkeep

if TYPE_CHECKING:
    from collections.abc import Callable

    from board import Board
    from conftest import Clock

    from swarm_mcp.repository.database import Database

EXAMPLES = int(os.environ.get("SWARM_EXAMPLES", "0"))
PLAY = settings(
    max_examples=EXAMPLES or 100, stateful_step_count=40, derandomize=not EXAMPLES, database=None, deadline=None,
    print_blob=True, report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
)  # fmt: skip

AGENTS = st.sampled_from(["ada", "bob", "carla", "dana"])
ANYBODY = st.sampled_from(["dana", "dana", "dana", OPERATOR, *WORKERS])
SOME = st.integers(0, 49)
"""Which of the tasks in question, counted round; every fifth number means any task at all."""
WILD = 4
WHICH = st.integers(0, 9)
"""Mostly the present attempt at a task; also none, the one before, and one that is still to come."""
PRIORITIES = st.sampled_from(["medium", "critical", "high", "low"])
TASKS = st.tuples(SOME, st.booleans(), st.lists(SOME, max_size=2), st.booleans(), PRIORITIES)
FATES = st.sampled_from(["", "", "", "claimed", "completed", "partial", "failed", "asked", "held", "cancelled"])


Link = tuple[bool, int]
LINK = st.tuples(st.booleans(), SOME)
"""Another item of the same plan, or a task that is there already, or mostly nothing."""


def some(likely: Callable[[Task], object]) -> Callable[[Any], Any]:
    """Try it only while there is a task of that kind: what is refused for certain need not be tried all the time."""
    return precondition(lambda machine: any(likely(task) for task in machine.model.tasks.values()))


def finished(task: Task) -> bool:
    """Whether a task has come to an end."""
    return task.stage in {"completed", "failed", "cancelled"}


class BoardMachine(RuleBasedStateMachine):
    """Everything that agents can do to tasks."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__()
        self.database, self.clock = database, clock

    @initialize(
        max_lapses=st.sampled_from([2, 5]),
        tasks=st.lists(st.tuples(TASKS, FATES, AGENTS), min_size=3, max_size=7),
    )
    def begin(self, max_lapses: int, tasks: list[tuple[tuple[int, bool, list[int], bool, str], str, str]]) -> None:
        """A director's plan: a few tasks in trees that wait for each other, and what has become of them so far."""
        self.twin = Twin(self.database, self.clock, max_lapses)
        self.model = self.twin.model
        made = []
        for (n, nested, after, review, priority), _, _ in tasks:
            parent = self.task(n) if nested and self.model.tasks else ""
            blockers = list(dict.fromkeys(map(self.task, after))) if self.model.tasks else []
            new = Task("", "dana", self.clock.now, priority=priority, needs_review=review)
            made.append(self.twin.create("dana", new, parent, blockers, ""))
        for name, (_, fate, who) in zip(made, tasks, strict=True):
            self._bring(who, name, fate)

    def _bring(self, who: str, name: str, fate: str) -> None:
        if name and fate == "held":
            self._act("dana", name, "hold", self.model.hold)
        elif name and fate == "cancelled":
            self._act("dana", name, "cancel", lambda who, name: self.model.cancel(who, name, subtree=False))
        elif name and fate:
            self._claim(who, name)
            if fate == "asked":
                self._report(who, name, 0, self.model.ask, status="requires_assistance")
            elif fate != "claimed":
                self._complete(who, name, 0, fate)

    def teardown(self) -> None:
        if hasattr(self, "twin"):
            self.twin.close()

    def task(self, n: int, likely: Callable[[Task], object] = bool) -> str:
        """One of the tasks for which it makes sense; if there are none, or every fifth time, any."""
        tasks = list(self.model.tasks.values())
        good = [each for each in tasks if likely(each)] if n % 5 != WILD else []
        return (good or tasks)[n // 5 % len(good or tasks)].id

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

    # Planning.

    @rule(who=ANYBODY, new=TASKS, to=st.sampled_from(["", "", "", *PLACES]))
    def create(self, who: str, new: tuple[int, bool, list[int], bool, str], to: str) -> None:
        n, nested, after, review, priority = new
        parent = self.task(n) if nested else ""
        if who in WORKERS:  # whatever else a worker finds goes beside its own work
            mine = [each.id for each in self.model.tasks.values() if self._is_mine(who, each)]
            if not mine:
                return
            parent = mine[n % len(mine)]
        self._create(
            who, parent, list(dict.fromkeys(map(self.task, after))), to, priority=priority, needs_review=review
        )

    def _create(self, who: str, parent: str, after: list[str], to: str, **more: Any) -> None:
        self.twin.create(who, Task("", who, self.clock.now, **more), parent, after, to)

    def _is_mine(self, who: str, task: Task) -> bool:
        return any(self.model.own(who, each) for each in [task, *self.model.above(task)])

    @some(lambda task: task.holder)
    @rule(n=SOME, count=st.integers(1, 3), chained=st.booleans(), nested=st.booleans())
    def split(self, n: int, count: int, chained: bool, nested: bool) -> None:
        """Several parts under what one holds, said of the plan or (nested) of each part."""
        who, parent = self.holding(n)
        if who in WORKERS and not self._is_mine(who, self.model.tasks[parent]):
            return
        items: list[dict[str, Any]] = [
            {
                "ref": f"part{k}", "title": "A part", "depends_on": [f"part{k - 1}"] if chained and k else [],
                "parent": parent if nested else "",
            }
            for k in range(count)
        ]  # fmt: skip

        def plain(answer: Any) -> None:
            ids = answer.ids if answer is not None else {}
            for k in range(count):
                after = [ids.get(f"part{k - 1}", "")] if chained and k else []
                created = self.clock.now + k * timedelta(microseconds=1)
                new = Task(ids.get(f"part{k}", f"nothing{k}"), who, created)
                self.model.create(who, new, parent=parent, after=after)
            self.model.split(who, parent)

        self.twin.do(who, lambda db: operations.create_plan(db, tasks=items, parent="" if nested else parent), plain)

    @rule(
        who=st.sampled_from(["dana", OPERATOR]),
        items=st.lists(st.tuples(LINK, st.lists(LINK, max_size=2)), min_size=2, max_size=4),
    )
    def plan(self, who: str, items: list[tuple[Link, list[Link]]]) -> None:
        """A graph at once, of which each item may name others, earlier and later, and tasks that are there already."""

        def name(link: Link, ids: dict[str, str]) -> str:
            inside, n = link
            return "" if n % 5 > 2 else ids[f"item{n % len(items)}"] if inside else self.task(n)

        refs = {f"item{k}": f"item{k}" for k in range(len(items))}
        drafts = [
            {
                "ref": f"item{k}", "title": "An item", "parent": name(under, refs),
                "depends_on": list(dict.fromkeys(filter(None, (name(each, refs) for each in after)))),
            }
            for k, (under, after) in enumerate(items)
        ]  # fmt: skip

        def plain(answer: Any) -> None:
            ids = answer.ids if answer is not None else refs
            self.model.create_all(who, [
                (
                    Task(ids[draft["ref"]], who, self.clock.now + k * timedelta(microseconds=1)),
                    ids.get(draft["parent"], draft["parent"]),
                    [ids.get(each, each) for each in draft["depends_on"]],
                )
                for k, draft in enumerate(drafts)
            ])  # fmt: skip

        self.twin.do(who, lambda db: operations.create_plan(db, tasks=drafts), plain)

    @rule(who=AGENTS, n=SOME, to=st.sampled_from(list(PLACES)))
    def delegate(self, who: str, n: int, to: str) -> None:
        name = self.task(n, lambda task: self.model.own(who, task) or who == "dana")
        self.twin.on(who, lambda db: operations.delegate(db, task=name, to=to),
                     lambda: self.model.delegate(who, name, PLACES[to]))  # fmt: skip

    @rule(who=ANYBODY, n=SOME, other=SOME, blocks=st.sampled_from([True, True, True, False]))
    def depend(self, who: str, n: int, other: int, blocks: bool) -> None:
        name = self.task(n, lambda task: self.model.may(who, task))
        on = self.task(other, lambda task: self.model.could_wait(name, task.id))
        edge = on if blocks else f"related:{on}"
        self.update(who, name, lambda: self.model.depend(who, name, on, blocks=blocks), add_depends_on=[edge])

    @some(lambda task: task.after)
    @rule(who=ANYBODY, n=SOME, other=SOME)
    def independ(self, who: str, n: int, other: int) -> None:
        name = self.task(n, lambda task: task.after)
        on = self.task(other, lambda task: task.id in self.model.tasks[name].after)
        self.update(who, name, lambda: self.model.independ(who, name, on), drop_depends_on=[on])

    @rule(who=ANYBODY, n=SOME, under=SOME, top=st.booleans())
    def move(self, who: str, n: int, under: int, top: bool) -> None:
        name, parent = self.task(n, lambda task: self.model.may(who, task)), self.task(under)
        where: dict[str, Any] = {"clear": ["parent"]} if top else {"parent": parent}
        self.update(who, name, lambda: self.model.move(who, name, None if top else parent), **where)

    # Working.

    @rule(who=AGENTS, outcome=st.sampled_from(["", "completed", "completed", "failed"]))
    def claim_next(self, who: str, outcome: str) -> None:
        """Take what is most urgent, and sometimes finish it right away."""

        def plain(answer: Any) -> None:
            wanted, got = self.model.claim_next(who), answer.task.id if answer is not None and answer.task else None
            assert got == wanted, f"{who} got {got} instead of {wanted}"

        claimed = self.twin.do(who, operations.claim_task, plain)
        if claimed is not None and claimed.task and outcome:
            self._complete(who, claimed.task.id, 0, outcome)

    @rule(who=AGENTS, n=SOME, minutes=st.sampled_from([0, 0, 5, 90]))
    def claim(self, who: str, n: int, minutes: int) -> None:
        good = {"pending", "partial"}
        name = self.task(n, lambda task: self.model.entitled(who, task) and self.model.status(task) in good)
        self._claim(who, name, minutes)

    @some(lambda task: task.holder)
    @rule(who=AGENTS, n=SOME)
    def claim_what_somebody_has(self, who: str, n: int) -> None:
        overdue = [each for each in self.model.tasks.values() if self.model.expired(each)]
        self._claim(who, self.task(n, self.model.expired if overdue else lambda task: task.holder))

    @some(lambda task: task.hold in {*WORKERS, "dana"})
    @rule(n=SOME)
    def claim_what_one_put_down(self, n: int) -> None:
        held = [each for each in self.model.tasks.values() if each.hold in self.model.agents]
        task = held[n % len(held)]
        self._claim(task.hold, task.id)

    def _claim(self, who: str, name: str, minutes: int = 0) -> None:
        def plain(answer: Any) -> None:
            attempt = self.model.claim(who, name, minutes)
            assert answer is None or answer.attempt == attempt

        self.twin.do(who, lambda db: operations.claim_task(db, task=name, lease_minutes=minutes), plain)

    @some(lambda task: task.attempts)
    @rule(n=SOME, which=WHICH, percent=st.sampled_from([-1, 40]))
    def report(self, n: int, which: int, percent: int) -> None:
        who, name = self.holding(n)
        self._report(who, name, which, self.model.report, message="", percent=percent)

    @some(lambda task: task.holder)
    @rule(n=SOME, which=WHICH)
    def release(self, n: int, which: int) -> None:
        who, name = self.holding(n)
        self._report(who, name, which, self.model.release, status="released")

    @some(lambda task: task.holder)
    @rule(n=SOME, which=WHICH, others=st.lists(SOME, min_size=1, max_size=2))
    def wait_for(self, n: int, which: int, others: list[int]) -> None:
        who, name = self.holding(n)
        fitting = [self.task(other, lambda task: self.model.could_wait(name, task.id)) for other in others]
        on = list(dict.fromkeys(fitting))
        self._report(
            who, name, which, lambda *claim: self.model.wait_for(*claim, on), status="blocked", depends_on=on
        )  # fmt: skip

    @some(lambda task: task.holder)
    @rule(n=SOME, which=WHICH)
    def put_down(self, n: int, which: int) -> None:
        who, name = self.holding(n)
        self._report(who, name, which, self.model.put_down, status="blocked")

    @some(lambda task: task.holder)
    @rule(n=SOME, which=WHICH)
    def ask(self, n: int, which: int) -> None:
        who, name = self.holding(n)
        self._report(who, name, which, self.model.ask, status="requires_assistance")

    @some(lambda task: task.asked)
    @rule(n=SOME, which=WHICH)
    def withdraw(self, n: int, which: int) -> None:
        who, name = self.holding(n, lambda task: task.asked)
        self._report(who, name, which, self.model.withdraw, status="in_progress")

    def _report(self, who: str, name: str, which: int, plain: Callable[..., object], **said: Any) -> None:
        attempt, said = self.attempt(name, which), {"message": "So it is.", **said}
        self.twin.on(who, lambda db: operations.report_progress(db, task=name, attempt=attempt, **said),
                     lambda: plain(who, name, attempt))  # fmt: skip

    @some(lambda task: task.asked)
    @rule(who=ANYBODY, n=SOME)
    def answer(self, who: str, n: int) -> None:
        asking = [task for task in self.model.tasks.values() if task.asked]
        task = asking[n // 2 % len(asking)]
        open_question = "SELECT id FROM message WHERE task_id = ? AND asked_at IS NOT NULL"
        number = self.twin.connection.execute(open_question, (task.id,)).fetchone()[0]
        who = who if n % 2 else task.asked[-1]
        self.twin.on(who, lambda db: operations.send_message(db, text="Do it.", reply_to=f"m{number}"),
                     lambda: self.model.answer(who, task.id))  # fmt: skip

    @some(lambda task: task.attempts)
    @rule(n=SOME, which=WHICH, outcome=st.sampled_from(["completed", "completed", "completed", "partial", "failed"]))
    def complete(self, n: int, which: int, outcome: str) -> None:
        self._complete(*self.holding(n), which, outcome)

    def _complete(self, who: str, name: str, which: int, outcome: str) -> None:
        attempt = self.attempt(name, which)
        self.twin.on(
            who,
            lambda db: operations.complete_task(db, task=name, summary="Done.", outcome=outcome, attempt=attempt),
            lambda: self.model.complete(who, name, attempt, outcome),
        )

    # Judging, and going back.

    @some(lambda task: task.stage in {"in_review", "partial"})
    @rule(who=ANYBODY, n=SOME, verdict=st.sampled_from(["accept", "accept", "rework", "fail"]))
    def review(self, who: str, n: int, verdict: str) -> None:
        name = self.task(n, lambda task: task.stage in {"in_review", "partial"})
        self.twin.on(who, lambda db: operations.review_task(db, task=name, verdict=verdict, notes="So it is."),
                     lambda: self.model.review(who, name, verdict))  # fmt: skip

    @rule(who=ANYBODY, n=SOME)
    def hold(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: not task.hold and not finished(task))
        self._act(who, name, "hold", self.model.hold)

    @some(lambda task: task.hold)
    @rule(who=ANYBODY, n=SOME)
    def resume(self, who: str, n: int) -> None:
        self._act(who, self.task(n, lambda task: task.hold), "resume", self.model.resume)

    @some(lambda task: task.stage in {"failed", "partial"})
    @rule(who=ANYBODY, n=SOME)
    def retry(self, who: str, n: int) -> None:
        self._act(who, self.task(n, lambda task: task.stage in {"failed", "partial"}), "retry", self.model.retry)

    @some(lambda task: task.stage in {"completed", "cancelled"})
    @rule(who=ANYBODY, n=SOME)
    def reopen(self, who: str, n: int) -> None:
        self._act(who, self.task(n, lambda task: task.stage in {"completed", "cancelled"}), "reopen", self.model.reopen)

    @rule(who=ANYBODY, n=SOME, subtree=st.booleans())
    def cancel(self, who: str, n: int, subtree: bool) -> None:
        name = self.task(n)
        self.update(who, name, lambda: self.model.cancel(who, name, subtree=subtree), action="cancel", subtree=subtree)

    @some(finished)
    @rule(who=ANYBODY, n=SOME)
    def archive(self, who: str, n: int) -> None:
        self._act(who, self.task(n, finished), "archive", self.model.archive)

    @some(lambda task: task.archived)
    @rule(who=ANYBODY, n=SOME)
    def unarchive(self, who: str, n: int) -> None:
        self._act(who, self.task(n, lambda task: task.archived), "unarchive", self.model.unarchive)

    @some(lambda task: task.holder or task.handed)
    @rule(who=ANYBODY, n=SOME)
    def recall(self, who: str, n: int) -> None:
        self._act(who, self.task(n, lambda task: task.holder or task.handed), "recall", self.model.recall)

    @some(lambda task: task.place)
    @rule(who=ANYBODY, n=SOME)
    def unassign(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: task.place)
        self.update(who, name, lambda: self.model.unassign(who, name), clear=["assignee"])

    def _act(self, who: str, name: str, verb: str, plain: Callable[[str, str], object]) -> None:
        self.update(who, name, lambda: plain(who, name), action=verb, reason="So it is.")

    def update(self, who: str, name: str, plain: Callable[[], object], **said: Any) -> None:
        """Change a task."""
        self.twin.on(who, lambda db: operations.update_task(db, task=name, **said), plain)

    # Time.

    @rule(minutes=st.sampled_from([1, 6, 31, 61, 125]), swept=st.booleans())
    def time_passes(self, minutes: int, swept: bool) -> None:
        self.model.now = self.clock.advance(minutes=minutes)
        if swept:
            self.twin.on(OPERATOR, upkeep.sweep, self.model.sweep)

    @invariant()
    def both_agree(self) -> None:
        self.twin.agree()


def test_whatever_agents_do_the_board_is_what_a_plain_model_says(database: Database, clock: Clock) -> None:
    run_state_machine_as_test(lambda: BoardMachine(database, clock), settings=PLAY)
    with looking(place_of(database)) as connection:
        assert file_problems(connection) == []


def test_partial_work_kept_for_its_worker_is_retried_from_the_pool_it_came_from(board: Board) -> None:
    """A delegation to the same worker that was recalled long ago stays recalled."""
    board.team("blue", "ada")
    task = board.create()
    board.delegate("lead", task, "ada")
    board.update("lead", task, action="recall")
    board.delegate("lead", task, "team:blue")
    board.claim("ada", task)
    part = board.create(by="ada", parent=task)
    board.finish("ada", part)
    attempt = board.claim("ada", task).attempt
    board.complete("ada", task, outcome="partial", attempt=attempt)
    board.update("lead", task, action="retry")
    assert board.delegations(task) == ["recalled", "offered"]
