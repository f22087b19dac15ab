"""Planning in the plain model: tasks are made, put somewhere, handed to somebody, let wait for each other."""

from __future__ import annotations

from plain_claims import Claims
from plain_task import FINISHED, SETTLED, Handed, Place, Refused, Task, refuse


class Planning(Claims):
    """What directors do."""

    def create(
        self, who: str, task: Task, *, to: Place = None, parent: str | None = None, after: list[str] | None = None
    ) -> None:
        above = self.tasks[parent] if parent is not None else None
        no: set[str] = set()
        if above is not None and not (self.own(who, above) or self.may(who, above)):
            no.add("not_allowed")
        if above is not None and (above.stage in FINISHED or above.stage == "in_review"):
            no.add("illegal_move")
        if to is not None and not self.may_hand_to(who, to):
            no.add("not_allowed")
        task.parent, task.after = parent, dict.fromkeys(after or [], who)
        self.tasks[task.id] = task
        if not self.acyclic():
            no.add("cycle")
        if no:
            del self.tasks[task.id]
            raise Refused(*no, *(["invalid"] if len(no) > 1 else []))  # several mistakes together are invalid
        if to is not None:
            task.place, task.delegator = to, who
            task.given.append(Handed(who, to, None))
        else:
            self._inherit(task)

    def create_all(self, who: str, new: list[tuple[Task, str, list[str]]]) -> None:
        """A whole graph at once, which may refer to itself in any order; only for those who may create anywhere."""
        no: set[str] = set()
        for task, parent, after in new:
            above = self.tasks.get(parent)
            if above is not None and (above.stage in FINISHED or above.stage == "in_review"):
                no |= {"illegal_move", "invalid"}  # several mistakes of different kinds are together invalid
            task.parent, task.after = parent or None, dict.fromkeys(after, who)
        split = [parent for _, parent, _ in new if parent in self.tasks]
        self.tasks.update({task.id: task for task, _, _ in new})
        if not self.acyclic():
            no |= {"cycle", "invalid"}
        if no:
            for task, _, _ in new:
                del self.tasks[task.id]
            raise Refused(*no)
        for task in sorted((task for task, _, _ in new), key=lambda task: len(self.above(task))):
            self._inherit(task)
        for parent in split:
            self.split(who, parent)

    def _inherit(self, task: Task) -> None:
        """Parts that are given to nobody lie in their parent's pool."""
        lies = self.tasks[task.parent].lies if task.parent is not None else None
        if lies is not None and lies[0] != "agent":
            task.place = lies

    def split(self, who: str, parent: str) -> None:
        """What creating under the task that one holds does to that task."""
        task = self.tasks.get(parent)
        if task is None or task.holder != who:
            return
        self._end_claim(task, "waiting")
        if task.place != ("agent", who):
            task.kept, task.kept_from, task.place = True, task.place, ("agent", who)

    def delegate(self, who: str, name: str, to: Place) -> None:
        task = self.tasks[name]
        refuse(self._not_delegable(who, task) | (set() if self.may_hand_to(who, to) else {"not_allowed"}))
        if (task.place == ("agent", who) and not task.kept) or self.may(who, task):
            task.delegator = who
        before = task.lies
        for each in reversed([each for each in task.given if each.live]):
            from_pool_or_self = each.to is not None and (each.to[0] != "agent" or each.to[1] == who)
            if from_pool_or_self and each.to != to:
                each.accepted = True
                break  # it goes back there; whoever was in between has lost it
            each.live, before = False, each.before
        if task.holder:
            self._end_claim(task, "released")
            task.gave_back.add(who)
        task.stage, task.place, task.kept, task.lapses = "waiting", to, False, 0
        task.given.append(Handed(who, to, before))
        task.handed_on = self.steps

    def _not_delegable(self, who: str, task: Task) -> set[str]:
        no: set[str] = set()
        if task.stage in FINISHED or task.stage == "in_review":
            no.add("illegal_move")
        if not (self.may(who, task) or self.own(who, task)):
            no.add("not_allowed")
        if task.holder and task.holder != who:
            no.add("conflict")
        return no

    def delegate_to_the_best(self, who: str, name: str, chosen: str) -> None:
        """The board chooses the delegate, if there is any that fits; who gave it back before need not be chosen."""
        task = self.tasks[name]
        refuse(self._not_delegable(who, task))
        fitting = self.fitting(who, task)
        if not chosen and fitting <= task.gave_back:
            raise Refused("not_found")
        assert chosen in fitting, f"{chosen or 'nobody'} was chosen among {fitting}"
        self.delegate(who, name, ("agent", chosen))

    def unassign(self, who: str, name: str) -> None:
        task = self.tasks[name]
        refuse(set() if self.may(who, task) else {"not_allowed"})
        task.place, task.kept, task.lapses = None, False, 0
        self._end_delegations(task)
        self._write_about(who, task)

    def recall(self, who: str, name: str) -> None:
        task = self.tasks[name]
        above_holder = bool(task.holder) and who in self.crew.above(task.holder)
        no = set() if self.may(who, task) or above_holder else {"not_allowed"}
        if not task.holder and not ((task.handed or task.kept) and task.stage == "waiting"):
            no.add("illegal_move")
        refuse(no)
        if task.holder:
            self._back_to_where_it_was(task)
            self._end_claim(task, "recalled")
        elif task.kept:
            self._unreserve(task)
        else:
            self._take_back(task)
            task.lapses = 0
        self._write_about(who, task)

    def depend(self, who: str, name: str, other: str, *, blocks: bool = True) -> None:
        task = self.tasks[name]
        no = set() if self.own(who, task) or self.may(who, task) else {"not_allowed"}
        edges = task.after if blocks else task.related
        if other not in edges:
            edges[other] = who
            if name == other or not self.acyclic():
                no.add("cycle")
            if no:
                del edges[other]
        refuse(no)
        self._write_about(who, task)

    def independ(self, who: str, name: str, other: str) -> None:
        task = self.tasks[name]
        no: set[str] = set()
        if other not in task.after:
            no.add("invalid")
        elif not self.may(who, task) and task.after[other] != who:
            no.add("not_allowed")
        refuse(no)
        del task.after[other]
        self._write_about(who, task)

    def move(self, who: str, name: str, parent: str | None) -> None:
        task, above = self.tasks[name], self.tasks[parent] if parent is not None else None
        no = set() if self.may(who, task) else {"not_allowed"}
        if above is not None:
            if not (self.own(who, above) or self.may(who, above)):
                no.add("not_allowed")
            if task.stage not in SETTLED and (above.stage in FINISHED or above.stage == "in_review"):
                no.add("illegal_move")
            if above is task or task in self.above(above):
                raise Refused("cycle", *no)
        old, task.parent = task.parent, parent
        if not self.acyclic():
            no.add("cycle")
        if no:
            task.parent = old
            raise Refused(*no)
        self._write_about(who, task)
