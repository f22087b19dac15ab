"""The rules of the board once more, in plain Python: dictionaries, and everything derived from scratch at each look.

It is written from the model's sentences and not from the product's code, so that the two can only agree if both are
right. Each verb either raises `Refused` with every code that would be a true answer, having changed nothing, or changes
the task. Nothing here counts anything up or down: what stands in a task's way is looked for each time.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter

OPERATOR = "operator"
LEASE = timedelta(minutes=30)
SETTLED = {"completed", "cancelled"}
FINISHED = {*SETTLED, "failed"}
CLAIMED = {"in_progress", "requires_assistance"}
URGENCY = ("critical", "high", "medium", "low")

Place = tuple[str, str] | None
"""Whose a task is: ("agent" or "team" or "specialty", name), or anyone's."""


class Refused(Exception):
    """The board should refuse, with one of these codes."""

    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = set(codes)


@dataclass
class Agent:
    """Somebody who works. The director is above everybody."""

    name: str
    director: bool = False
    specialty: str = ""
    teams: tuple[str, ...] = ()
    capacity: int = 0
    seen: datetime | None = None


@dataclass
class Handed:
    """A delegation: where it put a task, and where the task was before."""

    to: Place
    before: Place
    live: bool = True
    accepted: bool = False
    lapses: int = 0


@dataclass
class Task:
    """A piece of work. `stage` is its status, but "waiting" for pending and blocked, which are derived."""

    id: str
    creator: str
    created: datetime
    parent: str | None = None
    priority: str = "medium"
    needs_review: bool = False
    stage: str = "waiting"
    after: dict[str, str] = field(default_factory=dict)
    """What it waits for, and who said so."""
    related: dict[str, str] = field(default_factory=dict)
    place: Place = None
    kept: bool = False
    """Whether it is reserved for the worker that split it …"""
    kept_from: Place = None
    """… and where it was before."""
    given: list[Handed] = field(default_factory=list)
    """Every delegation, the newest last. Several may live: whoever has a task may hand it on."""
    delegator: str = ""
    hold: str = ""
    holder: str = ""
    lease: datetime | None = None
    minutes: int = 0
    lapses: int = 0
    attempts: list[list[str]] = field(default_factory=list)
    """Who had each attempt, and what became of it."""
    asked: list[str] = field(default_factory=list)
    """Whom the open question went to, the present one last."""
    asked_at: datetime | None = None
    archived: bool = False
    released: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    handed_on: int = 0

    @property
    def lies(self) -> Place:
        """Where it is, or was before it was split."""
        return self.kept_from if self.kept else self.place

    @property
    def handed(self) -> Handed | None:
        """The delegation by which it lies where it lies."""
        return next((each for each in reversed(self.given) if each.live), None)

    @property
    def workers(self) -> set[str]:
        """Everybody who ever held it."""
        return {who for who, _ in self.attempts}


class Board:
    """All tasks of a project, and the rules."""

    def __init__(self, agents: list[Agent], now: datetime, max_lapses: int = 5) -> None:
        self.agents = {agent.name: agent for agent in agents}
        self.tasks: dict[str, Task] = {}
        self.now = now
        self.max_lapses = max_lapses
        self.steps = 0

    # What follows from what: nothing of this is stored.

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

    def may(self, who: str, task: Task) -> bool:
        """Authority over a task."""
        if who == OPERATOR or self.agents[who].director:
            return True
        above = self.above(task)
        return who in {task.creator, task.delegator} or any(
            who in {each.creator, each.delegator, each.holder} or each.place == ("agent", who) for each in above
        )

    def own(self, who: str, task: Task) -> bool:
        """Whether somebody is a task's assignee or holder."""
        return who != OPERATOR and (task.holder == who or task.place == ("agent", who))

    def entitled(self, who: str, task: Task) -> bool:
        return task.place is None or task.place in self.lanes(who)

    def lanes(self, who: str) -> list[Place]:
        agent = self.agents[who]
        specialty: list[Place] = [("specialty", agent.specialty)] if agent.specialty else []
        return [("agent", who), *(("team", each) for each in agent.teams), *specialty, None]

    def full(self, who: str) -> bool:
        """Whether an agent's capacity is used up; claims with something in their way do not count."""
        limit = self.agents[who].capacity
        busy = [each for each in self.tasks.values() if each.holder == who and each.stage == "in_progress"]
        return bool(limit) and sum(not self.obstructed(each) for each in busy) >= limit

    def seen(self, who: str) -> None:
        """An accepted write is a heartbeat, kept at most once a minute."""
        agent = self.agents.get(who)
        if agent is not None and (agent.seen is None or self.now - agent.seen > timedelta(minutes=1)):
            agent.seen = self.now

    # Planning.

    def create(
        self, who: str, task: Task, *, to: Place = None, parent: str | None = None, after: list[str] | None = None
    ) -> None:
        above = self.tasks[parent] if parent is not None else None
        no: set[str] = set()
        if above is not None and not (self.own(who, above) or self.may(who, above)):
            no.add("not_allowed")
        if above is not None and (above.stage in FINISHED or above.stage == "in_review"):
            no.add("illegal_move")
        if to is not None and not self._may_hand_to(who, to):
            no.add("not_allowed")
        task.parent, task.after = parent, dict.fromkeys(after or [], who)
        self.tasks[task.id] = task
        if not self.acyclic():
            no.add("cycle")
        if no:
            del self.tasks[task.id]
            raise Refused(*no)
        if to is not None:
            task.place, task.delegator = to, who
            task.given.append(Handed(to, None))
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

    def _may_hand_to(self, who: str, to: Place) -> bool:
        return to is None or to[0] != "agent" or who == OPERATOR or self.agents[who].director or to[1] == who

    def delegate(self, who: str, name: str, to: Place) -> None:
        task = self.tasks[name]
        no: set[str] = set()
        if task.stage in FINISHED or task.stage == "in_review":
            no.add("illegal_move")
        if not (self.may(who, task) or self.own(who, task)) or not self._may_hand_to(who, to):
            no.add("not_allowed")
        if task.holder and task.holder != who:
            no.add("conflict")
        self._refuse(no)
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
        task.stage, task.place, task.kept, task.lapses = "waiting", to, False, 0
        task.given.append(Handed(to, before))
        task.handed_on = self.steps

    def unassign(self, who: str, name: str) -> None:
        task = self.tasks[name]
        self._refuse(set() if self.may(who, task) else {"not_allowed"})
        task.place, task.kept, task.lapses = None, False, 0
        self._end_delegations(task)
        self._renew_by(who, task)

    def recall(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if self.may(who, task) else {"not_allowed"}
        if not task.holder and not ((task.handed or task.kept) and task.stage == "waiting"):
            no.add("illegal_move")
        self._refuse(no)
        if task.holder:
            self._back_to_where_it_was(task)
            self._end_claim(task, "recalled")
        elif task.kept:
            self._unreserve(task)
        else:
            self._take_back(task)
            task.lapses = 0

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
        self._refuse(no)
        self._renew_by(who, task)

    def independ(self, who: str, name: str, other: str) -> None:
        task = self.tasks[name]
        no: set[str] = set()
        if other not in task.after:
            no.add("invalid")
        elif not self.may(who, task) and task.after[other] != who:
            no.add("not_allowed")
        self._refuse(no)
        del task.after[other]
        self._renew_by(who, task)

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
        self._renew_by(who, task)

    # Working.

    def claim_next(self, who: str) -> str | None:
        """Claim what is most urgent: the task, or None. A call that names no task renews all of one's claims."""
        self._refuse({"limit"} if self.full(who) else set())
        for task in self.tasks.values():
            if task.holder == who and task.lease is not None and task.lease - self.now < self._full_time(task) / 2:
                self._renew(task)
        for task in [each for each in self.tasks.values() if self.expired(each)]:
            self._lapse(task)
        lanes = self.lanes(who)
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
        self._refuse(no)
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

    def _take(self, who: str, task: Task, minutes: int) -> None:
        task.stage, task.holder, task.hold, task.minutes = "in_progress", who, "", minutes
        task.attempts.append([who, "running"])
        if task.handed:
            task.handed.accepted = True
        self._renew(task)

    def _renew(self, task: Task) -> None:
        if task.stage == "in_progress":
            task.lease = self.now + self._full_time(task)

    @staticmethod
    def _full_time(task: Task) -> timedelta:
        return timedelta(minutes=task.minutes) if task.minutes else LEASE

    def _renew_by(self, who: str, task: Task) -> None:
        """Every write by the holder about the task renews the claim."""
        if task.holder == who:
            self._renew(task)

    def _end_claim(self, task: Task, outcome: str) -> None:
        task.attempts[-1][1] = outcome
        task.stage, task.holder, task.lease, task.asked, task.asked_at = "waiting", "", None, [], None

    def _back_to_where_it_was(self, task: Task) -> None:
        """A release goes to the agent that handed the task on, else the pool, else nobody."""
        handed, mine = task.handed, ("agent", task.holder)
        if task.kept:
            self._unreserve(task)
        elif handed is not None and handed.to == mine:
            self._take_back(task)
        elif handed is not None:
            self._offer_to_pool(task)
        elif task.place == mine:
            task.place = None

    def _take_back(self, task: Task) -> None:
        """End the newest delegation."""
        handed = task.handed
        assert handed is not None
        handed.live, task.place, task.kept = False, handed.before, False
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
        task = self.tasks[name]
        self.fence(who, task, attempt)
        self._back_to_where_it_was(task)
        self._end_claim(task, "released")
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

    def ask(self, who: str, name: str, attempt: int) -> None:
        task = self.tasks[name]
        self.fence(who, task, attempt)
        task.stage, task.lease = "requires_assistance", None
        task.asked, task.asked_at = [self._askable(task)[0]], self.now

    def _askable(self, task: Task) -> list[str]:
        directors = [each.name for each in self.agents.values() if each.director]
        order = [*directors, task.delegator, task.creator]
        return [each for each in dict.fromkeys(order) if each not in {"", OPERATOR, task.holder}] + [OPERATOR]

    def withdraw(self, who: str, name: str, attempt: int) -> None:
        task = self.tasks[name]
        self.fence(who, task, attempt)
        self._go_on(task)

    def answer(self, who: str, name: str) -> None:
        """An answer resumes the work if it comes from the one asked, or from an authority, and not from the asker."""
        task = self.tasks[name]
        if who != task.holder and (who in task.asked or self.may(who, task)):
            self._go_on(task)
        self._renew_by(who, task)

    def _go_on(self, task: Task) -> None:
        task.stage, task.asked, task.asked_at = "in_progress", [], None
        self._renew(task)

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

    # Judging, and going back.

    def review(self, who: str, name: str, verdict: str) -> None:
        task = self.tasks[name]
        no = set() if self.may(who, task) else {"not_allowed"}
        if task.stage not in {"in_review", "partial"}:
            no.add("illegal_move")
        elif verdict == "accept":
            worker = task.attempts[-1][0]
            if who == worker and any(each != worker and self.may(each, task) for each in self.agents):
                no.add("not_allowed")
            if self.obstructed(task):
                no.add("blocked")
        self._refuse(no)
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
        self._refuse(no)
        if task.holder:
            self._end_claim(task, "recalled")
        task.stage, task.hold = "waiting", who

    def resume(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if task.hold else {"illegal_move"}
        if task.hold != who and not self.may(who, task):
            no.add("not_allowed")
        self._refuse(no)
        task.hold = ""

    def retry(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if self.may(who, task) else {"not_allowed"}
        if task.stage not in {"failed", "partial"}:
            no.add("illegal_move")
        self._refuse(no)
        self._start_over(task)

    def reopen(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if self.may(who, task) else {"not_allowed"}
        if task.stage not in SETTLED:
            no.add("illegal_move")
        shut = [each for each in self.above(task) if each.stage in FINISHED or each.stage == "in_review"]
        if shut and not self.may(who, shut[-1]):
            no.add("not_allowed")
        self._refuse(no)
        for each in [task, *shut]:
            self._start_over(each)

    def _start_over(self, task: Task) -> None:
        task.stage, task.archived, task.lapses = "waiting", False, 0
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
        self._refuse(no)
        for each in [*unfinished, task]:
            if each.holder:
                self._end_claim(each, "cancelled")
            self._finish(each, "cancelled")

    def archive(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if self.may(who, task) else {"not_allowed"}
        waiters = [each for each in self.tasks.values() if name in each.after and each.stage not in FINISHED]
        if task.stage not in FINISHED:
            no.add("illegal_move")
        elif task.stage != "completed" and waiters:
            no.add("blocked")
        self._refuse(no)
        task.archived = True

    def unarchive(self, who: str, name: str) -> None:
        task = self.tasks[name]
        no = set() if self.may(who, task) else {"not_allowed"}
        if not task.archived:
            no.add("illegal_move")
        self._refuse(no)
        task.archived = False

    # Time.

    def sweep(self) -> None:
        """What the board does by itself."""
        for task in [each for each in self.tasks.values() if self.expired(each)]:
            self._lapse(task)
        for task in self.tasks.values():
            if task.kept and not task.holder and task.place is not None:
                seen = self.agents[task.place[1]].seen
                if seen is None or self.now - seen > 4 * LEASE:
                    self._unreserve(task)
            if task.asked_at is not None and task.asked_at < self.now - 2 * LEASE:
                nexts = [each for each in self._askable(task) if each not in task.asked]
                if nexts:
                    task.asked, task.asked_at = [*task.asked, nexts[0]], self.now

    @staticmethod
    def _refuse(codes: set[str]) -> None:
        if codes:
            raise Refused(*codes)
