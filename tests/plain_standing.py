"""What follows from what in the plain model: nothing of this is stored, each look derives it from scratch."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from plain_crew import Crew
from plain_messages import Post
from plain_task import OPERATOR, SETTLED, Place, Task

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from plain_crew import Agent, Team


class Standing:
    """The tasks of a project, its people and what they wrote; how things stand."""

    def __init__(self, agents: Iterable[Agent], teams: Iterable[Team], now: datetime, max_lapses: int = 5) -> None:
        self.crew = Crew(agents, teams)
        self.post = Post()
        self.tasks: dict[str, Task] = {}
        self.now = now
        self.max_lapses = max_lapses
        self.steps = 0

    # What stands in the way.

    def own_waits(self, task: Task) -> bool:
        return any(self.tasks[each].stage != "completed" for each in task.after)

    def above(self, task: Task) -> list[Task]:
        found = []
        while task.parent is not None:
            task = self.tasks[task.parent]
            found.append(task)
        return found

    def below(self, task: Task) -> list[Task]:
        return [each for each in self.tasks.values() if task in self.above(each)]

    def waits(self, task: Task) -> bool:
        return self.own_waits(task) or any(each.hold or self.own_waits(each) for each in self.above(task))

    def open_subtasks(self, task: Task) -> bool:
        return any(each.parent == task.id and each.stage not in SETTLED for each in self.tasks.values())

    def waited_for(self, task: Task) -> bool:
        """Whether something waits until it is done."""
        return task.stage != "completed" and any(task.id in each.after for each in self.tasks.values())

    def obstructed(self, task: Task) -> bool:
        return bool(task.hold) or self.waits(task) or self.open_subtasks(task)

    def status(self, task: Task) -> str:
        if task.stage != "waiting":
            return task.stage
        return "blocked" if self.obstructed(task) else "pending"

    def expired(self, task: Task) -> bool:
        return task.lease is not None and task.lease < self.now

    def acyclic(self) -> bool:
        """Whether all starts and finishes can happen in some order."""
        graph: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for task in self.tasks.values():
            start, finish = (task.id, "start"), (task.id, "finish")
            graph.setdefault(finish, []).append(start)
            graph.setdefault(start, []).extend((each, "finish") for each in task.after)
            if task.parent is not None:
                graph[start].append((task.parent, "start"))
                graph.setdefault((task.parent, "finish"), []).append(finish)
        try:
            TopologicalSorter(graph).prepare()
        except CycleError:
            return False
        return not any({each.id for each in self.above(task)} & task.after.keys() for task in self.tasks.values())

    def could_wait(self, name: str, other: str) -> bool:
        """Whether a task could come to wait for another without a cycle."""
        task = self.tasks[name]
        if other in task.after or other == name:
            return False
        task.after[other] = ""
        fits = self.acyclic()
        del task.after[other]
        return fits

    # Who may.

    def may(self, who: str, task: Task) -> bool:
        """Authority over a task."""
        if self.crew.leads(who):
            return True
        above = self.above(task)
        masters = {name for each in [task, *above] for name in (each.creator, each.delegator)}
        if who in masters or any(who in {each.holder, each.assignee} for each in above):
            return True
        if self._was_delegated(task):
            masters.add(task.assignee)
        boss = self.crew.teams[task.place[1]].supervisor if task.place is not None and task.place[0] == "team" else None
        return who == boss or any(who in self.crew.above(each) for each in [*masters, *filter(None, [boss])])

    @staticmethod
    def _was_delegated(task: Task) -> bool:
        """Whether the assignee has it from the delegator, and neither from one who merely claimed it nor by a claim."""
        handed = [each for each in task.given if each.to == task.place]
        return bool(task.assignee) and not task.kept and bool(handed) and handed[-1].by == task.delegator

    def own(self, who: str, task: Task) -> bool:
        """Whether somebody is a task's assignee or holder."""
        return who != OPERATOR and (task.holder == who or task.place == ("agent", who))

    def entitled(self, who: str, task: Task) -> bool:
        return task.place is None or task.place in self.crew.lanes(who)

    def may_hand_to(self, who: str, to: Place) -> bool:
        """Work may be handed to oneself, an agent below, any team or specialty; root directors hand it to anyone."""
        if to is None or to[0] != "agent":
            return True
        return not self.crew.ended(to[1]) and self.crew.reaches(who, to[1])

    def full(self, who: str) -> bool:
        """Whether an agent's capacity is used up; claims with something in their way do not count."""
        limit = self.crew.agents[who].capacity
        busy = [each for each in self.tasks.values() if each.holder == who and each.stage == "in_progress"]
        return bool(limit) and sum(not self.obstructed(each) for each in busy) >= limit

    def fitting(self, who: str, task: Task) -> set[str]:
        """To whom the board may hand a task that somebody hands to whoever fits best."""
        words = {task.topic, task.place[1] if task.place is not None and task.place[0] == "specialty" else ""}
        return {
            each.name for each in self.crew.agents.values()
            if each.name != who and self.crew.active(each.name) and self.crew.stands_over(who, each.name)
            and words & each.skills and not self.full(each.name)
        }  # fmt: skip

    def askable(self, task: Task, named: str = "") -> list[str]:
        """Whom a question goes to, best first: the operator is always there, agents only while they are active."""
        if named == OPERATOR:
            return [OPERATOR]
        boss = self.crew.agents[task.holder].superior
        order = [named, boss, task.delegator, task.creator, *self.crew.roots()]
        return [
            each for each in dict.fromkeys(order) if each and each != task.holder and self.crew.active(each)
        ] + [OPERATOR]  # fmt: skip

    def concerned(self, task: Task) -> set[str]:
        """Who should hear of a task: its assignee, holder, delegator, creator and participants, if they still read."""
        found = {task.assignee, task.holder, task.delegator, task.creator, *task.parts}
        return {each for each in found if each in self.crew.agents and not self.crew.ended(each)}
