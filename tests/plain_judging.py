"""Judging in the plain model: verdicts, holds, and ways back from the end."""

from __future__ import annotations

from plain_claims import Claims
from plain_task import CLAIMED, FINISHED, SETTLED, Task, refuse


class Judging(Claims):
    """What those with authority do."""

    def review(self, who: str, name: str, verdict: str) -> None:
        task = self.tasks[name]
        no = set() if self.may(who, task) else {"not_allowed"}
        if task.stage not in {"in_review", "partial"}:
            no.add("illegal_move")
        elif verdict == "accept":
            others = [each for each in self.crew.agents if each != task.worker and self.crew.active(each)]
            if who == task.worker and any(self.may(each, task) for each in others):
                no.add("not_allowed")
            if self.obstructed(task):
                no.add("blocked")
        refuse(no)
        if verdict == "accept":
            task.attempts[-1][1] = "completed"
            self._finish(task, "completed")
        elif verdict == "fail":
            task.attempts[-1][1] = "failed"
            self._finish(task, "failed")
        else:
            task.stage = "waiting"

    def hold(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if self.own(who, task) or self.may(who, task) else {"not_allowed"}
        if task.hold:
            no.add("conflict")
        if task.stage not in {"waiting", "partial", *CLAIMED}:
            no.add("illegal_move")
        refuse(no)
        if task.holder:
            self._end_claim(task, "recalled")
        task.stage, task.hold = "waiting", who
        self._write_about(who, task)

    def resume(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if task.hold else {"illegal_move"}
        if task.hold != who and not self.may(who, task):
            no.add("not_allowed")
        refuse(no)
        task.hold = ""
        self._write_about(who, task)

    def retry(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if self.may(who, task) else {"not_allowed"}
        if task.stage not in {"failed", "partial"}:
            no.add("illegal_move")
        refuse(no)
        self._start_over(task)
        self._write_about(who, task)

    def reopen(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if self.may(who, task) else {"not_allowed"}
        if task.stage not in SETTLED:
            no.add("illegal_move")
        shut = [each for each in self.above(task) if each.stage in FINISHED or each.stage == "in_review"]
        if shut and not self.may(who, shut[-1]):
            no.add("not_allowed")
        refuse(no)
        for each in [task, *shut]:
            self._start_over(each)
        self._write_about(who, task)

    def _start_over(self, task: Task) -> None:
        task.stage, task.archived, task.lapses = "waiting", False, 0
        for each in reversed(task.given):
            if self.crew.ended(task.assignee) and each.to == task.place:
                task.place = each.before
        if self.crew.ended(task.assignee):
            task.place = None
        place, accepted = task.lies, False
        for each in reversed(task.given):  # the delegations by which it lies there live again
            if place is not None and each.to == place:
                each.live, each.accepted, each.lapses = True, accepted, 0
                place, accepted = each.before, True

    def cancel(self, who: str, name: str, *, subtree: bool) -> None:
        task = self.tasks[name]
        unfinished = [each for each in self.below(task) if each.stage not in SETTLED]
        no = set() if self.may(who, task) else {"not_allowed"}
        if unfinished and not subtree:
            no.add("blocked")
        if task.stage in SETTLED:
            no.add("illegal_move")
        refuse(no)
        for each in [*unfinished, task]:
            if each.holder:
                self._end_claim(each, "cancelled")
            self._finish(each, "cancelled")
        self._write_about(who, task)

    def archive(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if self.may(who, task) else {"not_allowed"}
        waiters = [each for each in self.tasks.values() if name in each.after and each.stage not in FINISHED]
        if task.stage not in FINISHED:
            no.add("illegal_move")
        elif task.stage != "completed" and waiters:
            no.add("blocked")
        refuse(no)
        task.archived = True
        self._write_about(who, task)

    def unarchive(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if self.may(who, task) else {"not_allowed"}
        if not task.archived:
            no.add("illegal_move")
        refuse(no)
        task.archived = False
        self._write_about(who, task)
