"""The rules of the board once more, in plain Python: dictionaries, and everything derived from scratch at each look.

It is written from the model's sentences and not from the product's code, so that the two can only agree if both are
right. Each verb either raises `Refused` with every code that would be a true answer, having changed nothing, or changes
the task. Nothing here counts anything up or down: what stands in a task's way is looked for each time.

`plain_task` says what is known of a task, `plain_crew` who the people are, `plain_messages` what they wrote;
`plain_standing` what follows from that, and `plain_claims`, `plain_planning`, `plain_working` and `plain_judging` what
is done to tasks. Here is what concerns people and tasks at once, and what time does.
"""

from __future__ import annotations

from plain_crew import ENDED
from plain_judging import Judging
from plain_messages import Message
from plain_planning import Planning
from plain_task import FINISHED, LEASE, OPERATOR, Refused, Task
from plain_working import Working


class Board(Planning, Working, Judging):
    """All tasks of a project, its people, and the rules."""

    # Messages.

    def send(self, who: str, to: str, task: str | None, reply_to: int | None) -> None:
        """Somebody writes to somebody, perhaps about a task, perhaps in reply; an answer may bring a task on again."""
        question = reply_to
        if reply_to is not None:
            if who != OPERATOR and not (self.post.is_public(reply_to) or self.post.concerns(who, reply_to)):
                raise Refused("not_found")
            if self.post.messages[reply_to].type != "question":
                question = None
            task = task or self.post.messages[reply_to].task
        elif task is not None:  # to the one who asked, from one who was asked: that is an answer
            about = self.tasks[task]
            meant = about.question is not None and who != about.holder and who in about.asked
            question = reply_to = about.question if meant and to in {"", about.holder} else None
        self.crew.check_takes_part(who, resting=reply_to is not None and self.post.messages[reply_to].sender != who)
        readers = self._readers(who, to, reply_to)
        if question is not None:
            readers |= {self.post.messages[question].sender} - {who}
        if not readers:
            raise Refused("not_found")
        kind = "message" if question is None else "answer"
        self.post.send(Message(who, kind, task, reply_to), sorted(readers))
        if task is not None:
            self._write_about(who, self.tasks[task])
        if question is not None:
            self._answer(who, question)

    def _readers(self, who: str, to: str, reply_to: int | None) -> set[str]:
        """Who gets a copy: never the sender, and nobody that has ended."""
        kind, _, name = to.rpartition(":")
        if kind:
            return {*self.crew.pool(kind, name)} - {who}
        if to == "all":
            return {each for each in self.crew.agents if not self.crew.ended(each)} - {who}
        if to == "superior":
            return {self.crew.superior(who)} - {who}
        if to and self.crew.ended(to):
            raise Refused("not_found")
        if to:
            return {to} - {who}
        if reply_to is None:
            raise Refused("invalid")
        sender = self.post.messages[reply_to].sender
        return {sender} if sender != who else {*self.post.readers(reply_to)} - {who}

    def _answer(self, who: str, question: int) -> None:
        """An answer resumes the work if it comes from one that was asked, or from an authority, not from the asker."""
        task = self.tasks[self.post.messages[question].task or ""]
        if task.question == question and who != task.holder and (who in task.asked or self.may(who, task)):
            self._go_on(task)

    def join_task(self, who: str, name: str, *, leave: bool) -> None:
        """An agent takes part in a task, or no longer."""
        if who == OPERATOR:
            raise Refused("not_allowed")
        if leave:
            self.tasks[name].parts.discard(who)
        else:
            self.tasks[name].parts.add(who)

    # People.

    def appoint(self, who: str, name: str, lifecycle: str) -> None:
        """An agent is paused, ends, or comes back."""
        before = self.crew.appoint(who, name, lifecycle)
        if lifecycle in ENDED and before not in ENDED:
            self._retire(name)
        elif lifecycle == "paused" and before == "active":
            for task in self._held_by(name):
                if task.handed and not task.kept:
                    task.handed.accepted = False
                self._end_claim(task, "recalled")
            self._ask_others_than(name)

    def _retire(self, name: str) -> None:
        """What an agent held or was assigned goes back to where it was, its questions, people and teams to others."""
        assigned = [each for each in self.tasks.values() if each.assignee == name and each.stage not in FINISHED]
        for task in [*self._held_by(name), *(each for each in assigned if not each.holder)]:
            if self._back_to_where_it_was(task):
                task.lapses = 0
            if task.holder:
                self._end_claim(task, "recalled")
        self._ask_others_than(name)
        self.crew.retire(name)

    def _held_by(self, name: str) -> list[Task]:
        return [each for each in self.tasks.values() if each.holder == name]

    def _ask_others_than(self, name: str) -> None:
        waiting = [each for each in self.tasks.values() if each.asked and each.asked[-1] == name]
        for task in sorted(waiting, key=lambda task: task.question or 0):
            self._pass_on(task)

    # Time.

    def sweep(self) -> None:
        """What the board does by itself."""
        for task in [each for each in self.tasks.values() if self.expired(each)]:
            self._lapse(task)
        for task in self.tasks.values():
            if task.kept and not task.holder:
                seen = self.crew.agents[task.assignee].seen
                if seen is None or self.now - seen > 4 * LEASE:
                    self._unreserve(task)
        waiting = [each for each in self.tasks.values() if each.asked_at and each.asked_at < self.now - 2 * LEASE]
        for task in sorted(waiting, key=lambda task: task.question or 0):
            self._pass_on(task)
