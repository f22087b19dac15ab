"""Claims in the plain model: how they begin, are renewed, and end, and where a task goes then."""

from __future__ import annotations

from datetime import timedelta

from plain_standing import Standing
from plain_task import LEASE, OPERATOR, Task


class Claims(Standing):
    """What claiming, releasing, lapsing and going back have in common."""

    def _take(self, who: str, task: Task, minutes: int) -> None:
        task.stage, task.holder, task.hold, task.minutes = "in_progress", who, "", minutes
        task.attempts.append([who, "running"])
        self._take_part(who, task)
        if task.handed:
            task.handed.accepted = True
        self._renew(task)

    def _renew(self, task: Task) -> None:
        if task.stage == "in_progress":
            task.lease = self.now + self._full_time(task)

    @staticmethod
    def _full_time(task: Task) -> timedelta:
        return timedelta(minutes=task.minutes) if task.minutes else LEASE

    def _write_about(self, who: str, task: Task) -> None:
        """Whoever writes about a task joins it; every write by its holder renews the claim."""
        self._take_part(who, task)
        if task.holder == who:
            self._renew(task)

    def _end_claim(self, task: Task, outcome: str) -> None:
        task.attempts[-1][1] = outcome
        task.stage, task.holder, task.lease = "waiting", "", None
        task.question, task.asked, task.asked_at = None, [], None

    def _back_to_where_it_was(self, task: Task) -> bool:
        """A release goes to the agent that handed the task on, else the pool, else nobody.

        Returns:
            Whether it was anybody's own.

        """
        whose = ("agent", task.holder or task.assignee)
        handed, was_own = task.handed, task.place == whose
        if task.kept:
            self._unreserve(task)
        elif handed is not None and handed.to == whose:
            self._take_back(task)
        elif handed is not None:
            self._offer_to_pool(task)
        elif was_own:
            task.place = None
        return was_own

    def _take_back(self, task: Task) -> None:
        """End the newest delegation, and those before it by which the task would lie with an agent that has ended."""
        handed = task.handed
        while handed is not None:
            handed.live, task.place, task.kept = False, handed.before, False
            handed = task.handed if self.crew.ended(task.assignee) else None
        self._offer_to_pool(task)

    def _unreserve(self, task: Task) -> None:
        if task.kept:
            task.place, task.kept = task.kept_from, False
        self._offer_to_pool(task)

    @staticmethod
    def _offer_to_pool(task: Task) -> None:
        """A pool's delegation is open again when its member gives the task back."""
        if task.handed is not None and task.handed.to is not None and task.handed.to[0] != "agent":
            task.handed.accepted = False

    @staticmethod
    def _end_delegations(task: Task) -> None:
        for each in task.given:
            each.live = False

    def _lapse(self, task: Task) -> None:
        counts = not self.obstructed(task)
        task.lapses += counts
        task.gave_back.add(task.holder)
        if counts and task.lapses >= self.max_lapses:
            self._end_claim(task, "lapsed")
            self._finish(task, "failed")
            return
        handed = task.handed
        if handed is not None:
            handed.accepted = False
            if handed.to == ("agent", task.holder):
                handed.lapses += counts
                if counts and handed.lapses > 1:
                    self._back_to_where_it_was(task)
        self._end_claim(task, "lapsed")

    def _finish(self, task: Task, stage: str) -> None:
        if task.kept:
            task.place, task.kept = task.kept_from, False
        task.stage, task.hold = stage, ""
        self._end_delegations(task)
        if stage == "completed":
            task.lapses = 0

    def _go_on(self, task: Task) -> None:
        task.stage, task.question, task.asked, task.asked_at = "in_progress", None, [], None
        self._renew(task)

    def _pass_on(self, task: Task) -> None:
        """Whoever was asked does not answer: the question goes to the next, and after all to the operator again."""
        assert task.question is not None
        following = [each for each in self.askable(task) if each not in task.asked]
        if following:
            self._ask(task, following[0])
        else:
            task.asked.append(OPERATOR)
        task.asked_at = self.now

    def _ask(self, task: Task, whom: str) -> None:
        assert task.question is not None
        task.asked.append(whom)
        self.post.deliver(task.question, whom)
        self._take_part(whom, task)

    def _take_part(self, who: str, task: Task) -> None:
        """Claiming, sharing and writing about a task join by themselves."""
        if who in self.crew.agents:
            task.parts.add(who)
