"""Rules of the state machine: planning, and handing work down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import rule
from plain_task import OPERATOR, Task
from playing import AGENTS, ANYBODY, SOME, TASKS, Drawn, Playing, finished, some
from twin import HANDS, PLACES

from swarm_mcp import operations

Link = tuple[bool, int]
LINK = st.tuples(st.booleans(), SOME)
"""Another item of the same plan, or a task that is there already, or mostly nothing."""


class PlanningRules(Playing):
    """Everything that places tasks."""

    @rule(who=ANYBODY, new=TASKS, to=st.sampled_from(["", "", "", *PLACES]))
    def create(self, who: str, new: Drawn, to: str) -> None:
        n, nested, after, review, priority, topic = new
        who = self.one(who, n)
        parent = self.task(n, lambda task: self._may_create(who, task)) if nested else ""
        if who in HANDS:  # whatever else a worker finds goes beside its own work
            mine = [each.id for each in self.model.tasks.values() if self.is_mine(who, each)]
            if not mine:
                return
            parent = mine[n % len(mine)]
        task = Task("", who, self.clock.now, topic, priority=priority, needs_review=review)
        above = {parent, *(each.id for each in self.model.above(self.model.tasks[parent]))} if parent else set()
        blockers = [self.task(other, lambda task: task.id not in above) for other in after]
        self.twin.create(who, task, parent, list(dict.fromkeys(blockers)), to)

    def _may_create(self, who: str, parent: Task) -> bool:
        return not finished(parent) and (self.model.own(who, parent) or self.model.may(who, parent))

    @some(lambda task: task.holder)
    @rule(n=SOME, count=st.integers(1, 3), chained=st.booleans(), nested=st.booleans())
    def split(self, n: int, count: int, chained: bool, nested: bool) -> None:
        """Several parts under what one holds, said of the plan or (nested) of each part."""
        who, parent = self.holding(n)
        if who in HANDS and not self.is_mine(who, self.model.tasks[parent]):
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

        def name(link: Link, at: int, seldom: int = 3) -> str:
            inside, n = link
            earlier = n % len(items) if n % 5 == 0 else n % max(at, 1)  # mostly of those before it
            return (
                "" if n % 5 >= seldom else f"item{earlier}" if inside else self.task(n, lambda task: not finished(task))
            )

        refs = {f"item{k}": f"item{k}" for k in range(len(items))}
        drafts = [
            {
                "ref": f"item{k}", "title": "An item", "parent": name(under, k, 1),
                "depends_on": list(dict.fromkeys(filter(None, (name(each, k) for each in after)))),
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
        name = self.task(n, lambda task: task.stage in {"waiting", "in_progress", "partial"})
        who = self.worker(
            who, n, lambda each: self._may_hand_on(each, name) and self.model.may_hand_to(each, PLACES[to])
        )
        self._hand(who, name, to)

    @some(lambda task: task.holder)
    @rule(n=SOME, to=st.sampled_from(["", "team:blue", "specialty:coding"]))
    def hand_on(self, n: int, to: str) -> None:
        """Whoever holds something hands it on: to itself, or to whoever takes it."""
        who, name = self.holding(n)
        self._hand(who, name, to or who)

    def _hand(self, who: str, name: str, to: str) -> None:
        self.twin.on(
            who,
            lambda db: operations.delegate(db, task=name, to=to),
            lambda: self.model.delegate(who, name, PLACES[to]),
            told=name,
        )

    @rule(who=st.sampled_from(["dana", "bob", OPERATOR]), n=SOME)
    def delegate_to_the_best(self, who: str, n: int) -> None:
        """The board chooses among those below."""
        name = self.task(n, lambda task: task.stage == "waiting" and self.model.fitting(OPERATOR, task))
        task = self.model.tasks[name]
        who = self.one(who, n, lambda each: self._may_hand_on(each, name) and self.model.fitting(each, task))

        def plain(answer: Any) -> None:
            self.model.delegate_to_the_best(who, name, answer.chosen if answer is not None else "")

        self.twin.do(who, lambda db: operations.delegate(db, task=name, to="auto"), plain, told=name)

    def _may_hand_on(self, who: str, name: str) -> bool:
        task = self.model.tasks[name]
        return task.holder in {"", who} and (self.model.own(who, task) or self.model.may(who, task))

    @rule(who=ANYBODY, n=SOME, other=SOME, blocks=st.sampled_from([True, True, True, False]))
    def depend(self, who: str, n: int, other: int, blocks: bool) -> None:
        name = self.task(n)
        who = self.master(who, n, name)
        on = self.task(other, lambda task: self.model.could_wait(name, task.id))
        edge = on if blocks else f"related:{on}"
        self.update(who, name, lambda: self.model.depend(who, name, on, blocks=blocks), add_depends_on=[edge])

    @some(lambda task: task.after)
    @rule(who=ANYBODY, n=SOME, other=SOME)
    def independ(self, who: str, n: int, other: int) -> None:
        name = self.task(n, lambda task: task.after)
        who = self.master(who, n, name)
        on = self.task(other, lambda task: task.id in self.model.tasks[name].after)
        self.update(who, name, lambda: self.model.independ(who, name, on), drop_depends_on=[on])

    @rule(who=ANYBODY, n=SOME, under=SOME, top=st.booleans())
    def move(self, who: str, n: int, under: int, top: bool) -> None:
        name = self.task(n)
        who = self.master(who, n, name)
        parent = self.task(under, lambda task: name not in {task.id, *(each.id for each in self.model.above(task))})
        where: dict[str, Any] = {"clear": ["parent"]} if top else {"parent": parent}
        self.update(who, name, lambda: self.model.move(who, name, None if top else parent), **where)

    @some(lambda task: task.place)
    @rule(who=ANYBODY, n=SOME)
    def unassign(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: task.place)
        who = self.master(who, n, name)
        self.update(who, name, lambda: self.model.unassign(who, name), clear=["assignee"])
