"""Rules of the state machine: verdicts, holds, ways back from the end."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule
from plain_task import SETTLED
from playing import ANYBODY, SOME, Playing, finished, some
from twin import STAFF

from swarm_mcp import operations


class JudgingRules(Playing):
    """What those with authority do."""

    @some(lambda task: task.stage in {"in_review", "partial"})
    @rule(who=ANYBODY, n=SOME, verdict=st.sampled_from(["accept", "accept", "rework", "fail"]))
    def review(self, who: str, n: int, verdict: str) -> None:
        name = self.task(n, lambda task: task.stage in {"in_review", "partial"})
        self._judge(self.master(who, n, name), name, verdict)

    @precondition(lambda machine: machine.own_judges())
    @rule(n=SOME, outcome=st.sampled_from(["completed", "partial"]))
    def judge_oneself(self, n: int, outcome: str) -> None:
        """Somebody takes what it has authority over, does it, and accepts it itself."""
        judges = self.own_judges()
        who, name = judges[n % len(judges)]
        if self.claimed_by(who, name):
            self.finish_as(who, name, 0, outcome)
            self._judge(who, name, "accept")

    def own_judges(self) -> list[tuple[str, str]]:
        """Who could claim which task that it has authority over."""
        return [
            (who, task.id)
            for task in self.model.tasks.values()
            if self.model.status(task) == "pending"
            for who in STAFF
            if self.model.crew.active(who) and self.model.entitled(who, task) and self.model.may(who, task)
        ]

    def _judge(self, who: str, name: str, verdict: str) -> None:
        self.twin.on(
            who,
            lambda db: operations.review_task(db, task=name, verdict=verdict, notes="So it is."),
            lambda: self.model.review(who, name, verdict),
            told=name,
        )

    @rule(who=ANYBODY, n=SOME)
    def hold(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: not task.hold and not finished(task))
        self.act(self.master(who, n, name), name, "hold", self.model.hold)

    @some(lambda task: task.hold)
    @rule(who=ANYBODY, n=SOME)
    def resume(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: task.hold)
        self.act(self.master(who, n, name), name, "resume", self.model.resume)

    @some(lambda task: task.stage in {"failed", "partial"})
    @rule(who=ANYBODY, n=SOME)
    def retry(self, who: str, n: int) -> None:
        name = self._over(n, {"failed", "partial"})
        self.act(self.master(who, n, name), name, "retry", self.model.retry)

    @some(lambda task: task.stage in {"completed", "cancelled"})
    @rule(who=ANYBODY, n=SOME)
    def reopen(self, who: str, n: int) -> None:
        name = self._over(n, {"completed", "cancelled"})
        self.act(self.master(who, n, name), name, "reopen", self.model.reopen)

    @precondition(lambda machine: len(machine.model.tasks) > 4)
    @rule(who=ANYBODY, n=SOME, subtree=st.booleans())
    def cancel(self, who: str, n: int, subtree: bool) -> None:
        name = self.task(n, lambda task: task.stage not in SETTLED and (subtree or not self.model.open_subtasks(task)))
        who = self.master(who, n, name)
        self.update(who, name, lambda: self.model.cancel(who, name, subtree=subtree), action="cancel", subtree=subtree)

    @some(finished)
    @rule(who=ANYBODY, n=SOME)
    def archive(self, who: str, n: int) -> None:
        name = self.task(n, finished)
        self.act(self.master(who, n, name), name, "archive", self.model.archive)

    @some(lambda task: task.archived)
    @rule(who=ANYBODY, n=SOME)
    def unarchive(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: task.archived)
        self.act(self.master(who, n, name), name, "unarchive", self.model.unarchive)

    @some(lambda task: task.holder or task.handed)
    @rule(who=ANYBODY, n=SOME)
    def recall(self, who: str, n: int) -> None:
        """By those with authority, or by those that merely stand above the holder."""
        name = self.task(n, lambda task: task.holder or task.handed)
        above = self.model.crew.above(self.model.tasks[name].holder)
        self.act(above[0] if above and n % 3 else self.master(who, n, name), name, "recall", self.model.recall)

    def _over(self, n: int, stages: set[str]) -> str:
        """What has come to such an end; half the time rather what lies with somebody that has ended."""
        orphaned = [each for each in self.model.tasks.values() if self.model.crew.ended(each.assignee)]
        good = [each for each in orphaned if each.stage in stages] if n % 2 else []
        return good[n // 5 % len(good)].id if good else self.task(n, lambda task: task.stage in stages)
