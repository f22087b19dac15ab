"""The board against a plain model: whatever agents do in whatever order, both say the same.

Hypothesis plays a director, three workers and the operator at random. After every call the answer (accepted, or the
code of the refusal) and the whole board are compared with `plain_model`, and `recount` checks the tables against
each other. `SWARM_EXAMPLES=2000` plays longer, and differently each time.

Proves invariants 2 to 11 of the storage design: one live claim, growing attempts, fenced writes, an acyclic graph,
counters that a recount finds, claims of ready tasks only, finished work that stays finished, a ledger that replays.
"""

from __future__ import annotations

import itertools
import json
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from plain_model import OPERATOR, Agent, Board, Place, Refused, Task
from recount import Recount, file_problems, looking
from sqlalchemy import insert, update

from swarm_mcp import operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import Refusal
from swarm_mcp.operations import upkeep
from swarm_mcp.operations.swarm import Swarm
from swarm_mcp.repository import agents as stored_agents
from swarm_mcp.repository.tables import AgentRow, ProjectRow, TeamMemberRow, TeamRow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Clock

    from swarm_mcp.repository.database import Database, Transaction

EXAMPLES = int(os.environ.get("SWARM_EXAMPLES", "0"))
GATE = settings(max_examples=80, stateful_step_count=30, derandomize=True, database=None)
LONG = settings(max_examples=EXAMPLES or 1, stateful_step_count=50)
PROFILE = settings(
    LONG if EXAMPLES else GATE, deadline=None, print_blob=True,
    suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate, Phase.shrink),
)  # fmt: skip

WORKERS = ("ada", "bob", "carla")
EVERYBODY = st.sampled_from(["dana", *WORKERS, OPERATOR])
AGENTS = st.sampled_from(["ada", "bob", "carla", "dana"])
SOME = st.integers(0, 49)
"""Which of the tasks in question, counted round; every fifth number means any task at all."""
PLACES: dict[str, Place] = {
    **{name: ("agent", name) for name in ("dana", *WORKERS)},
    "team:blue": ("team", "blue"),
    "specialty:coding": ("specialty", "coding"),
}
HOLD = {"action": "hold", "reason": "not now"}
WILD = 4
numbers = itertools.count(1)


def some(likely: Callable[[Board, Task], object]) -> Callable[[Any], bool]:
    """Whether there is a task of that kind: what would be refused for certain is not tried all the time."""
    return lambda machine: any(likely(machine.board, task) for task in machine.board.tasks.values())


held = precondition(some(lambda _, task: task.attempts))
begun = precondition(some(lambda _, task: task.stage not in {"waiting", "in_progress"}))


class BoardMachine(RuleBasedStateMachine):
    """Everything that agents can do to tasks, each done to the board and to the model."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.swarm = Swarm(database, f"project-{next(numbers)}")
        self.looker = looking(database.path)
        self.connection = self.looker.__enter__()
        self.ids: list[str] = []
        self.names: dict[str | None, str] = {}
        self.board = Board([], clock.now)

    def teardown(self) -> None:
        self.looker.__exit__(None, None, None)

    @initialize(max_lapses=st.sampled_from([2, 5]))
    def found(self, max_lapses: int) -> None:
        """Begin a project of its own with a director, three workers, a team and a specialty."""
        with self.swarm.database.writing() as db:
            db.execute(
                insert(ProjectRow), {"slug": self.swarm.project, "max_lapses": max_lapses, "created_at": db.now}
            )
        for name in ("dana", *WORKERS):
            self.swarm.write(lambda db: self.names.update({db.actor.id: name}), agent=name, profile=profile_of(name))
        with self.swarm.writing() as db:
            self._set_up(db)
        self.board = Board(
            [
                Agent("dana", director=True, seen=self.clock.now),
                Agent("ada", specialty="coding", seen=self.clock.now),
                Agent("bob", teams=("blue",), capacity=1, seen=self.clock.now),
                Agent("carla", teams=("blue",), seen=self.clock.now),
            ],
            self.clock.now,
            max_lapses,
        )

    def _set_up(self, db: Transaction) -> None:
        ids = {name: agent_id for agent_id, name in self.names.items()}
        team = f"blue-{self.swarm.project}"
        db.execute(update(AgentRow).where(AgentRow.id == ids["ada"]).values(specialty="coding"))
        db.execute(update(AgentRow).where(AgentRow.id == ids["bob"]).values(capacity=1))
        db.execute(
            insert(TeamRow),
            {"id": team, "project": db.project.slug, "name": "blue", "created_at": db.now, "updated_at": db.now},
        )
        for name in ("bob", "carla"):
            stay = {"id": f"{name}-{team}", "team_id": team, "agent_id": ids[name], "joined_at": db.now}
            db.execute(insert(TeamMemberRow), stay)
        self.names[team] = "blue"

    # Doing the same to both.

    def do(
        self, who: str, real: Callable[[Transaction], Any], plain: Callable[[Any], object], *, minutes: float = 0
    ) -> Any:
        """Do something to the board and to the model, and compare how they answer."""
        self.board.now = self.clock.advance(seconds=1, minutes=minutes)
        self.board.steps += 1
        before = self._changes()
        refused = ""
        try:
            answer = self.swarm.write(real, agent="" if who == OPERATOR else who, profile=profile_of(who))
        except Refusal as refusal:
            refused, answer = refusal.code, refusal.message
        try:
            plain(answer)
        except Refused as expected:
            assert refused in expected.codes, f"{answer}: should be refused as {expected.codes}"
            assert self._changes() == before, f"refused ({answer}), and yet something was written"
            return None
        assert not refused, f"should not be refused: {answer}"
        self.board.seen(who)
        return answer

    def _changes(self) -> int:
        """A number that changes with every commit of somebody else."""
        return self.connection.execute("PRAGMA data_version").fetchone()[0]

    def task(self, n: int, likely: Callable[[Task], object] | None = None) -> str:
        """The n-th of the tasks that are likely to make sense; every fifth time, or without such, of all."""
        tasks = list(self.board.tasks.values())
        good = [each for each in tasks if likely(each)] if likely is not None and n % 5 != WILD else []
        chosen = good or tasks
        return chosen[n // 5 % len(chosen)].id

    def attempt(self, name: str, which: int) -> int:
        """The present attempt at a task, mostly; else none, or an earlier or later one."""
        now = len(self.board.tasks[name].attempts)
        return {7: 0, 8: max(1, now - 1), 9: now + 1}.get(which, now)

    def holding(self, n: int, *stages: str) -> tuple[str, str]:
        """An agent and a task that it holds, mostly; else a task and an agent that once held it, or any."""
        held = [each for each in self.board.tasks.values() if each.holder and (not stages or each.stage in stages)]
        once = [each for each in self.board.tasks.values() if each.attempts]
        if held and n % 5 != WILD:
            task = held[n // 5 % len(held)]
            return task.holder, task.id
        if once:
            task = once[n // 5 % len(once)]
            return task.attempts[n % len(task.attempts)][0], task.id
        return "ada", self.task(n)

    # Planning.

    @rule(who=EVERYBODY, n=SOME, under=st.booleans(), after=st.lists(SOME, max_size=3), review=st.booleans(),
          to=st.sampled_from(["", "", "", *PLACES]), priority=st.sampled_from(["critical", "high", "medium", "low"]))  # fmt: skip
    def create(self, who: str, n: int, under: bool, after: list[int], review: bool, to: str, priority: str) -> None:  # noqa: FBT001
        mine = [each.id for each in self.board.tasks.values() if self._is_mine(who, each)] if who in WORKERS else []
        if who in WORKERS and not mine:
            self._create_without_right(who)
            return
        parent = mine[n % len(mine)] if mine else self.task(n) if under and self.board.tasks else ""
        blockers = list(dict.fromkeys(self.task(each) for each in after)) if self.board.tasks else []
        new = Task("nothing2", who, self.clock.now, priority=priority, needs_review=review)

        def plain(answer: Any) -> None:
            new.id = answer.task.id if not isinstance(answer, str) else new.id
            new.created = self.clock.now
            self.board.create(who, new, to=PLACES.get(to), parent=parent or None, after=blockers)
            self.board.split(who, parent or None)

        self.do(
            who,
            lambda db: operations.create_task(
                db, title="a task", parent=parent, depends_on=blockers, assignee=to, needs_review=review,
                priority=priority,
            ),
            plain,
        )  # fmt: skip

    def _is_mine(self, who: str, task: Task) -> bool:
        return any(self.board.own(who, each) for each in [task, *self.board.above(task)])

    def _create_without_right(self, who: str) -> None:
        """A worker that has nothing to do with any task creates none."""

        def plain(_: Any) -> None:
            raise Refused("not_allowed")

        self.do(who, lambda db: operations.create_task(db, title="a task"), plain)

    @rule(n=SOME, count=st.integers(1, 3), chained=st.booleans(), nested=st.booleans())
    def split(self, n: int, count: int, chained: bool, nested: bool) -> None:  # noqa: FBT001
        who, parent = self.holding(n)
        task = self.board.tasks.get(parent)
        if task is None or (who in WORKERS and not self._is_mine(who, task)):
            return
        items: list[dict[str, Any]] = [
            {
                "ref": f"part{number}", "title": f"part {number}",
                "depends_on": [f"part{number - 1}"] if chained and number else [],
                # A part may name the parent itself instead of leaving it to the plan.
                "parent": parent if nested else "",
            }
            for number in range(count)
        ]  # fmt: skip

        def plain(answer: Any) -> None:
            for number in range(count):
                ids = answer.ids if not isinstance(answer, str) else {}
                new = Task(ids.get(f"part{number}", f"nothing{number}"), who, self.clock.now)
                after = [ids.get(f"part{number - 1}", "")] if chained and number else []
                self.board.create(who, new, parent=parent, after=after)
            self.board.split(who, parent)

        self.do(who, lambda db: operations.create_plan(db, tasks=items, parent="" if nested else parent), plain)

    @rule(who=AGENTS, n=SOME, to=st.sampled_from(list(PLACES)))
    def delegate(self, who: str, n: int, to: str) -> None:
        name = self.task(n, lambda task: self.board.own(who, task) or who == "dana")
        self.on(who, name, lambda db: operations.delegate(db, task=name, to=to),
                lambda: self.board.delegate(who, name, PLACES[to]))  # fmt: skip

    @rule(who=EVERYBODY, n=SOME, other=SOME, blocks=st.sampled_from([True, True, True, False]))
    def depend(self, who: str, n: int, other: int, blocks: bool) -> None:  # noqa: FBT001
        name, on = self.task(n), self.task(other)
        edge = on if blocks else f"related:{on}"
        self.on(who, name, lambda db: operations.update_task(db, task=name, add_depends_on=[edge]),
                lambda: self.board.depend(who, name, on, blocks=blocks))  # fmt: skip

    @rule(who=EVERYBODY, n=SOME, other=SOME)
    def independ(self, who: str, n: int, other: int) -> None:
        name = self.task(n, lambda task: task.after)
        edges = list(self.board.tasks[name].after) if name in self.board.tasks else []
        on = edges[other % len(edges)] if edges else self.task(other)
        self.on(who, name, lambda db: operations.update_task(db, task=name, drop_depends_on=[on]),
                lambda: self.board.independ(who, name, on))  # fmt: skip

    @rule(who=EVERYBODY, n=SOME, under=SOME, top=st.booleans())
    def move(self, who: str, n: int, under: int, top: bool) -> None:  # noqa: FBT001
        name, parent = self.task(n), self.task(under)
        where: dict[str, Any] = {"clear": ["parent"]} if top else {"parent": parent}
        self.on(who, name, lambda db: operations.update_task(db, task=name, **where),
                lambda: self.board.move(who, name, None if top else parent))  # fmt: skip

    # Working.

    @rule(who=AGENTS)
    def claim_next(self, who: str) -> None:
        def plain(answer: Any) -> None:
            wanted = self.board.claim_next(who)
            assert (answer.task.id if answer.task is not None else None) == wanted

        self.do(who, operations.claim_task, plain)

    @rule(who=AGENTS, n=SOME, minutes=st.sampled_from([0, 0, 5, 90]))
    def claim(self, who: str, n: int, minutes: int) -> None:
        name = self.task(n, lambda task: self.board.entitled(who, task) and task.stage in {"waiting", "partial"})
        self._claim(who, name, minutes)

    def _claim(self, who: str, name: str, minutes: int = 0) -> None:
        def plain(answer: Any) -> None:
            attempt = self.board.claim(who, name, minutes)
            assert isinstance(answer, str) or answer.attempt == attempt

        if name in self.board.tasks:
            self.do(who, lambda db: operations.claim_task(db, task=name, lease_minutes=minutes), plain)

    @rule(who=AGENTS, n=SOME)
    def take_over(self, who: str, n: int) -> None:
        self._claim(who, self.task(n, self.board.expired))

    @rule(n=SOME)
    def pick_up_what_one_put_down(self, n: int) -> None:
        name = self.task(n, lambda task: task.hold in self.board.agents)
        task = self.board.tasks.get(name)
        self._claim(task.hold if task is not None and task.hold in self.board.agents else "carla", name)

    @rule(n=SOME, which=st.integers(0, 9), percent=st.sampled_from([-1, 40]))
    def report(self, n: int, which: int, percent: int) -> None:
        who, name = self.holding(n)
        attempt = self.attempt(name, which)
        self._report(who, name, attempt, lambda: self.board.report(who, name, attempt), message="", percent=percent)

    @rule(n=SOME, which=st.integers(0, 9))
    def release(self, n: int, which: int) -> None:
        who, name = self.holding(n)
        attempt = self.attempt(name, which)
        self._report(who, name, attempt, lambda: self.board.release(who, name, attempt), status="released")

    @rule(n=SOME, which=st.integers(0, 9), others=st.lists(SOME, min_size=1, max_size=2))
    def wait_for(self, n: int, which: int, others: list[int]) -> None:
        who, name = self.holding(n)
        attempt = self.attempt(name, which)
        on = list(dict.fromkeys(self.task(other, lambda task: task.stage == "waiting") for other in others))
        self._report(who, name, attempt, lambda: self.board.wait_for(who, name, attempt, on),
                     status="blocked", depends_on=on)  # fmt: skip

    @rule(n=SOME, which=st.integers(0, 9))
    def give_up_for_now(self, n: int, which: int) -> None:
        who, name = self.holding(n)
        attempt = self.attempt(name, which)
        self._report(who, name, attempt, lambda: self.board.give_up_for_now(who, name, attempt), status="blocked")

    @rule(n=SOME, which=st.integers(0, 9))
    def ask(self, n: int, which: int) -> None:
        who, name = self.holding(n)
        attempt = self.attempt(name, which)
        self._report(who, name, attempt, lambda: self.board.ask(who, name, attempt), status="requires_assistance")

    @rule(n=SOME, which=st.integers(0, 9))
    def withdraw(self, n: int, which: int) -> None:
        who, name = self.holding(n, "requires_assistance")
        attempt = self.attempt(name, which)
        self._report(who, name, attempt, lambda: self.board.withdraw(who, name, attempt), status="in_progress")

    def _report(self, who: str, name: str, attempt: int, plain: Callable[[], object], **said: Any) -> None:
        said = {"message": "so it is", **said}
        self.on(who, name, lambda db: operations.report_progress(db, task=name, attempt=attempt, **said), plain)

    @rule(who=EVERYBODY, n=SOME)
    def answer(self, who: str, n: int) -> None:
        asking = [task for task in self.board.tasks.values() if task.asked]
        if not asking:
            return
        task = asking[n % len(asking)]
        question = self.connection.execute(
            "SELECT id FROM message WHERE task_id = ? AND asked_at IS NOT NULL", (task.id,)
        ).fetchone()[0]
        who = task.asked[-1] if n % 2 else who
        self.on(who, task.id, lambda db: operations.send_message(db, text="do", reply_to=f"m{question}"),
                lambda: self.board.answer(who, task.id))  # fmt: skip

    @rule(n=SOME, which=st.integers(0, 9),
          outcome=st.sampled_from(["completed", "completed", "completed", "partial", "failed"]))  # fmt: skip
    def complete(self, n: int, which: int, outcome: str) -> None:
        who, name = self.holding(n)
        attempt = self.attempt(name, which)
        self.on(who, name,
                lambda db: operations.complete_task(db, task=name, summary="done", outcome=outcome, attempt=attempt),
                lambda: self.board.complete(who, name, attempt, outcome))  # fmt: skip

    # Judging, and going back.

    @rule(who=EVERYBODY, n=SOME, verdict=st.sampled_from(["accept", "accept", "rework", "fail"]))
    def review(self, who: str, n: int, verdict: str) -> None:
        name = self.task(n, lambda task: task.stage in {"in_review", "partial"})
        self.on(who, name, lambda db: operations.review_task(db, task=name, verdict=verdict, notes="because"),
                lambda: self.board.review(who, name, verdict))  # fmt: skip

    @rule(who=EVERYBODY, n=SOME)
    def hold(self, who: str, n: int) -> None:
        name = self.task(n)
        self.on(who, name, lambda db: operations.update_task(db, task=name, **HOLD),
                lambda: self.board.hold(who, name))  # fmt: skip

    @rule(who=EVERYBODY, n=SOME)
    def resume(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: task.hold)
        self._act(who, name, "resume", lambda: self.board.resume(who, name))

    @rule(who=EVERYBODY, n=SOME)
    def retry(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: task.stage in {"failed", "partial"})
        self._act(who, name, "retry", lambda: self.board.retry(who, name))

    @rule(who=EVERYBODY, n=SOME)
    def reopen(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: task.stage in {"completed", "cancelled"})
        self._act(who, name, "reopen", lambda: self.board.reopen(who, name))

    @rule(who=EVERYBODY, n=SOME, subtree=st.booleans())
    def cancel(self, who: str, n: int, subtree: bool) -> None:  # noqa: FBT001
        name = self.task(n)
        self._act(who, name, "cancel", lambda: self.board.cancel(who, name, subtree=subtree), subtree=subtree)

    @rule(who=EVERYBODY, n=SOME)
    def archive(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: task.stage in {"completed", "cancelled", "failed"})
        self._act(who, name, "archive", lambda: self.board.archive(who, name))

    @rule(who=EVERYBODY, n=SOME)
    def unarchive(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: task.archived)
        self._act(who, name, "unarchive", lambda: self.board.unarchive(who, name))

    @rule(who=EVERYBODY, n=SOME)
    def recall(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: task.holder or task.handed)
        self._act(who, name, "recall", lambda: self.board.recall(who, name))

    @rule(who=EVERYBODY, n=SOME)
    def unassign(self, who: str, n: int) -> None:
        name = self.task(n, lambda task: task.place)
        self.on(who, name, lambda db: operations.update_task(db, task=name, clear=["assignee"]),
                lambda: self.board.unassign(who, name))  # fmt: skip

    def _act(self, who: str, name: str, verb: str, plain: Callable[[], object], **how: bool) -> None:
        self.on(who, name, lambda db: operations.update_task(db, task=name, action=verb, reason="so", **how), plain)

    def on(self, who: str, name: str, real: Callable[[Transaction], Any], plain: Callable[[], object]) -> None:
        """Do something to a task, if there is one."""
        if name in self.board.tasks:
            self.do(who, real, lambda _: plain())

    # Time.

    @rule(minutes=st.sampled_from([1, 6, 31, 61, 125]), swept=st.booleans())
    def time_passes(self, minutes: int, swept: bool) -> None:  # noqa: FBT001
        self.board.now = self.clock.advance(minutes=minutes)
        if swept:
            self.do(OPERATOR, upkeep.sweep, lambda _: self.board.sweep())

    # Agreeing.

    @invariant()
    def the_board_is_what_the_model_says(self) -> None:
        real = {row["id"]: row for row in self._rows()}
        assert {name: self._seen(row) for name, row in real.items()} == {
            task.id: self._expected(task) for task in self.board.tasks.values()
        }

    @invariant()
    def a_recount_finds_nothing_wrong(self) -> None:
        assert Recount(self.connection, self.swarm.project).check() == []

    def _rows(self) -> list[dict[str, Any]]:
        cursor = self.connection.execute(
            "SELECT task.*, d.state, d.lapses AS times, d.to_agent_id, d.to_team_id, d.to_specialty, m.asked_id, "
            "(SELECT json_group_array(type || ':' || depends_on_id) FROM dependency WHERE task_id = task.id) AS edges "
            "FROM task LEFT JOIN delegation d ON d.task_id = task.id AND d.state IN ('offered', 'accepted') "
            "LEFT JOIN message m ON m.task_id = task.id AND m.asked_at IS NOT NULL WHERE task.project = ?",
            (self.swarm.project,),
        )
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def _seen(self, row: dict[str, Any]) -> dict[str, Any]:
        """What is compared of a task, as the tables have it."""
        names = self.names
        kept = row["reserved_from"]
        handed = (self._place(row, "to_agent_id", "to_team_id", "to_specialty"), row["state"], row["times"])
        return {
            "status": row["status"], "parent": row["parent_id"], "edges": sorted(json.loads(row["edges"])),
            "place": self._place(row), "kept from": self._place(json.loads(kept)) if kept is not None else "-",
            "holder": names.get(row["holder_id"], ""), "attempt": row["attempt"], "lapses": row["lapses"],
            "lease": datetime.fromisoformat(row["lease_until"]) if row["lease_until"] else None,
            "hold": names.get(row["hold_by_id"], OPERATOR) if row["hold_reason"] is not None else "",
            "delegator": names.get(row["delegator_id"], ""), "creator": names.get(row["creator_id"], OPERATOR),
            "worker": names.get(row["worker_id"], ""), "archived": row["archived_at"] is not None,
            "handed": handed if row["state"] else None,
            "asked": names.get(row["asked_id"], OPERATOR) if row["status"] == "requires_assistance" else "",
        }  # fmt: skip

    def _place(self, row: dict[str, Any], *columns: str) -> Place:
        agent, team, specialty = columns or ("assignee_id", "pool_team_id", "pool_specialty")
        if row.get(agent):
            return ("agent", self.names[row[agent]])
        if row.get(team):
            return ("team", self.names[row[team]])
        return ("specialty", row[specialty]) if row.get(specialty) else None

    def _expected(self, task: Task) -> dict[str, Any]:
        """The same as the model has it."""
        state = "accepted" if task.handed and task.handed.accepted else "offered"
        return {
            "status": self.board.status(task), "parent": task.parent,
            "edges": sorted([f"blocks:{each}" for each in task.after] + [f"related:{each}" for each in task.related]),
            "place": task.place, "kept from": task.kept_from if task.kept else "-",
            "holder": task.holder, "attempt": len(task.attempts), "lapses": task.lapses, "lease": task.lease,
            "hold": task.hold, "delegator": "" if task.delegator == OPERATOR else task.delegator,
            "creator": task.creator, "worker": task.attempts[-1][0] if task.attempts else "",
            "archived": task.archived,
            "handed": (task.handed.to, state, task.handed.lapses) if task.handed else None,
            "asked": task.asked[-1] if task.asked else "",
        }  # fmt: skip


def profile_of(who: str) -> Profile:
    """The director and the operator have all tools, workers theirs."""
    return Profile.WORKER if who in WORKERS else Profile.DIRECTOR


def test_whatever_agents_do_the_board_is_what_a_plain_model_says(database: Database, clock: Clock) -> None:
    run_state_machine_as_test(lambda: BoardMachine(database, clock), settings=PROFILE)
    assert database.path is not None
    with looking(database.path) as connection:
        assert file_problems(connection) == []
