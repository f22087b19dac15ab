"""Working in the plain model: claims, reports, questions, results."""

from __future__ import annotations

from copy import deepcopy

from plain_claims import Claims
from plain_messages import Message
from plain_task import FINISHED, LEASE, URGENCY, Refused, Task, refuse


class Working(Claims):
    """What workers do."""

    def claim_next(self, who: str) -> str | None:
        """Claim what is most urgent: the task, or None. A call that names no task renews all of one's claims."""
        refuse({"limit"} if self.full(who) else set())
        for task in self.tasks.values():
            if task.holder == who and task.lease is not None and task.lease - self.now < self._full_time(task) / 2:
                self._renew(task)
        for task in [each for each in self.tasks.values() if self.expired(each)]:
            self._lapse(task)
        lanes = self.crew.lanes(who)
        ready = [
            each
            for each in self.tasks.values()
            if self.status(each) == "pending" and each.place in lanes and not self._just_gave_back(who, each)
        ]
        if not ready:
            return None
        best = min(ready, key=lambda each: (
            each.priority != "critical", self._tier(who, each), URGENCY.index(each.priority), each.created, each.id
        ))  # fmt: skip
        self._take(who, best, 0)
        return best.id

    @staticmethod
    def _tier(who: str, task: Task) -> int:
        """One's own assignments come first, then one's pools, then what is anyone's."""
        return 2 if task.place is None else 0 if task.place == ("agent", who) else 1

    def _just_gave_back(self, who: str, task: Task) -> bool:
        at, step = task.released.get(who, (None, 0))
        return at is not None and at > self.now - LEASE and step > task.handed_on

    def claim(self, who: str, name: str, minutes: int = 0) -> int:
        """Claim a task by name.

        Returns:
            The attempt.

        """
        task = self.tasks[name]
        if task.holder == who:
            if task.lease is not None:
                task.minutes = minutes or task.minutes
                self._renew(task)
            return len(task.attempts)
        no: set[str] = set()
        if task.holder:
            if not self.expired(task):
                raise Refused("conflict")
            no |= set() if self.entitled(who, task) else {"not_allowed"}
            kept = deepcopy(task)
            self._lapse(task)
            no |= self._not_claimable(who, task)
            if no:
                self.tasks[name] = kept
        else:
            no = self._not_claimable(who, task)
        refuse(no)
        self._take(who, task, minutes)
        return len(task.attempts)

    def _not_claimable(self, who: str, task: Task) -> set[str]:
        no: set[str] = set()
        own_hold_alone = task.hold == who and not self.waits(task) and not self.open_subtasks(task)
        if task.stage not in {"waiting", "partial"}:
            no.add("illegal_move")
        elif self.obstructed(task) and not own_hold_alone:
            no.add("blocked")
        if not self.entitled(who, task):
            no.add("not_allowed")
        if self.full(who):
            no.add("limit")
        return no

    def fence(self, who: str, task: Task, attempt: int) -> None:
        """Refuse whoever does not hold the task in this attempt."""
        if task.holder == who:
            once = sum(worker == who for worker, _ in task.attempts) == 1
            if attempt == len(task.attempts) or (attempt == 0 and once):
                return
            raise Refused("claim_lost")
        raise Refused("claim_lost" if who in task.workers else "not_allowed")

    def report(self, who: str, name: str, attempt: int) -> None:
        task = self.tasks[name]
        self.fence(who, task, attempt)
        self._renew(task)

    def release(self, who: str, name: str, attempt: int) -> None:
        """Give a task back that one holds, or (then nothing is said of an attempt) that one was offered."""
        task = self.tasks[name]
        offered = not attempt and task.stage == "waiting" and task.assignee == who
        if not offered:
            self.fence(who, task, attempt)
        self._back_to_where_it_was(task)
        if not offered:
            self._end_claim(task, "released")
        task.gave_back.add(who)
        task.released[who] = (self.now, self.steps)

    def wait_for(self, who: str, name: str, attempt: int, others: list[str]) -> None:
        task = self.tasks[name]
        self.fence(who, task, attempt)
        stages = {self.tasks[each].stage for each in others}
        no = {"blocked"} if stages & {"failed", "cancelled"} or stages == {"completed"} else set[str]()
        before = dict(task.after)
        task.after = {**dict.fromkeys(others, who), **before}
        if name in others or not self.acyclic():
            no.add("cycle")
        if no:
            task.after = before
            raise Refused(*no)
        self._end_claim(task, "waiting")

    def put_down(self, who: str, name: str, attempt: int) -> None:
        """Blocked by something that is no task."""
        task = self.tasks[name]
        self.fence(who, task, attempt)
        self._end_claim(task, "waiting")
        task.hold = who

    def ask(self, who: str, name: str, attempt: int, named: str = "") -> None:
        task = self.tasks[name]
        self.fence(who, task, attempt)
        if named == who:
            raise Refused("invalid")
        task.stage, task.lease, task.asked, task.asked_at = "requires_assistance", None, [], self.now
        task.question = self.post.send(Message(who, "question", name), [])
        self._ask(task, self.askable(task, named)[0])

    def withdraw(self, who: str, name: str, attempt: int) -> None:
        task = self.tasks[name]
        self.fence(who, task, attempt)
        self._go_on(task)

    def complete(self, who: str, name: str, attempt: int, outcome: str) -> None:
        task = self.tasks[name]
        if not task.holder:
            self._complete_again(who, task, attempt, outcome)
            return
        self.fence(who, task, attempt)
        if outcome == "completed" and self.obstructed(task):
            raise Refused("blocked")
        to = "in_review" if outcome == "completed" and task.needs_review else outcome
        self._end_claim(task, to)
        if to in FINISHED:
            self._finish(task, to)
        task.stage = to

    def _complete_again(self, who: str, task: Task, attempt: int, outcome: str) -> None:
        mine = [number for number, (worker, _) in enumerate(task.attempts, 1) if worker == who]
        last = attempt or max(mine, default=0)
        recorded = {outcome, "in_review"} if outcome == "completed" else {outcome}
        if last in mine and last == len(task.attempts) and task.attempts[-1][1] in recorded:
            return
        if task.stage == "completed":
            raise Refused("conflict")
        raise Refused("claim_lost" if mine else "not_allowed")
