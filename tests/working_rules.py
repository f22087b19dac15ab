"""Rules of the state machine: what workers do."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule
from plain_task import OPERATOR
from playing import AGENTS, SOME, WHICH, Playing, some
from twin import STAFF


class WorkingRules(Playing):
    """Claims, reports, results."""

    @rule(who=AGENTS, n=SOME, outcome=st.sampled_from(["", "completed", "completed", "failed"]))
    def claim_next(self, who: str, n: int, outcome: str) -> None:
        """Take what is most urgent, and sometimes finish it right away."""
        who = self.worker(who, n)
        name = self.next_claimed(who)
        if name and outcome:
            self.finish_as(who, name, 0, outcome)

    @rule(who=AGENTS, n=SOME)
    def claim_all(self, who: str, n: int) -> None:
        """One after the other, mostly by one that may not have them all, until there is nothing left or it is full."""
        who = self.worker(who, n, lambda each: self.model.crew.agents[each].capacity)
        while self.next_claimed(who):
            pass

    @precondition(lambda machine: any(map(machine.model.waited_for, machine.model.tasks.values())))
    @rule(n=SOME)
    def clear_the_way(self, n: int) -> None:
        """Do what others wait for."""
        name = self.task(n, lambda task: self.model.waited_for(task) and self.model.status(task) == "pending")
        who = self.worker("ada", n, lambda each: self.model.entitled(each, self.model.tasks[name]))
        if self.claimed_by(who, name):
            self.finish_as(who, name, 0, "completed")

    @rule(
        who=AGENTS, n=SOME, minutes=st.sampled_from([0, 0, 5, 90]),
        then=st.sampled_from(["", "", "asked", "asked", "split", "split", "released", "partial", "completed"]),
    )  # fmt: skip
    def claim(self, who: str, n: int, minutes: int, then: str) -> None:
        """Take what is ready, and sometimes go on at once."""
        good = {"pending", "partial"}
        name = self.task(n, lambda task: self.model.status(task) in good)
        who = self.worker(who, n, lambda each: self.model.entitled(each, self.model.tasks[name]))
        if self.claimed_by(who, name, minutes) and then:
            self.go_on(who, name, then)

    @some(lambda task: task.holder)
    @rule(who=AGENTS, n=SOME)
    def claim_what_somebody_has(self, who: str, n: int) -> None:
        who = self.worker(who, n)
        overdue = [each for each in self.model.tasks.values() if self.model.expired(each)]
        self.claimed_by(who, self.task(n, self.model.expired if overdue else lambda task: task.holder))

    @some(lambda task: task.hold in STAFF)
    @rule(n=SOME)
    def claim_what_one_put_down(self, n: int) -> None:
        """One's own hold, alone in the way, is lifted by claiming."""
        alone = self.task(n, lambda task: task.hold in STAFF and not self.model.waits(task)
                          and not self.model.open_subtasks(task))  # fmt: skip
        self.claimed_by(self.model.tasks[alone].hold if self.model.tasks[alone].hold in STAFF else "ada", alone)

    @some(lambda task: task.holder)
    @rule(n=SOME, which=WHICH, percent=st.sampled_from([-1, 40]))
    def report(self, n: int, which: int, percent: int) -> None:
        who, name = self.holding(n)
        self.report_as(who, name, which, self.model.report, message="", percent=percent)

    @some(lambda task: task.holder)
    @rule(n=SOME, which=WHICH, again=st.booleans())
    def release(self, n: int, which: int, again: bool) -> None:
        """Give a task back, and perhaps ask for another at once."""
        who, name = self.holding(n)
        self.report_as(who, name, which, self.model.release, status="released")
        if again:
            self.next_claimed(who)

    @some(lambda task: task.lease)
    @rule(n=SOME, minutes=st.sampled_from([1, 16, 16, 31, 61]))
    def come_back(self, n: int, minutes: int) -> None:
        """After a while whoever has something asks for more."""
        who, _ = self.holding(n, lambda task: task.lease and not self.model.full(task.holder))
        self.model.now = self.clock.advance(minutes=minutes)
        self.next_claimed(who)

    @some(lambda task: task.holder)
    @rule(n=SOME, which=WHICH, others=st.lists(SOME, min_size=1, max_size=2))
    def wait_for(self, n: int, which: int, others: list[int]) -> None:
        who, name = self.holding(n)
        fitting = [self.task(other, lambda task: self.model.could_wait(name, task.id)) for other in others]
        on = list(dict.fromkeys(fitting))
        self.report_as(
            who, name, which, lambda *claim: self.model.wait_for(*claim, on), status="blocked", depends_on=on
        )  # fmt: skip

    @some(lambda task: task.holder)
    @rule(n=SOME, which=WHICH)
    def put_down(self, n: int, which: int) -> None:
        who, name = self.holding(n)
        self.report_as(who, name, which, self.model.put_down, status="blocked")

    @rule(n=SOME, which=WHICH)
    @some(lambda task: task.place and task.stage == "waiting")
    def decline(self, n: int, which: int) -> None:
        """Give back what one was offered and has not claimed; mostly without a word about an attempt."""
        name = self.task(n, lambda task: task.assignee and task.stage == "waiting")
        who = self.model.tasks[name].assignee or STAFF[n % len(STAFF)]
        self.report_as(who, name, max(which, 7), self.model.release, status="released")

    @some(lambda task: task.holder)
    @rule(n=SOME, which=WHICH, whom=st.sampled_from(["", "", OPERATOR, *STAFF]))
    def ask(self, n: int, which: int, whom: str) -> None:
        who, name = self.holding(n)
        self.report_as(
            who, name, which, lambda *claim: self.model.ask(*claim, whom), status="requires_assistance", ask=whom
        )

    @some(lambda task: task.asked)
    @rule(n=SOME, which=WHICH)
    def withdraw(self, n: int, which: int) -> None:
        who, name = self.holding(n, lambda task: task.asked)
        self.report_as(who, name, which, self.model.withdraw, status="in_progress")

    @some(lambda task: task.holder)
    @rule(n=SOME, which=WHICH, outcome=st.sampled_from(["completed", "completed", "completed", "partial", "failed"]))
    def complete(self, n: int, which: int, outcome: str) -> None:
        self.finish_as(*self.holding(n), which, outcome)
