"""Stuck work moves: whatever has happened on a board, the calls that `stuck` prints bring everything to its end.

Hypothesis lets a director, a supervisor and their workers make a mess: holds, questions, lapses, reviews, failures, dead
ends, agents that are paused, end, or never come back. Then every agent that is still there only claims and completes,
and the director only makes the calls that it reads in `stuck`. `SWARM_EXAMPLES=500` plays longer, and differently each
time.
"""

from __future__ import annotations

import itertools
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from board import Board
from hypothesis import HealthCheck, given, settings
from recount import Recount, looking
from sqlalchemy import insert, update

from swarm_mcp import operations
from swarm_mcp.cli.demo.director import read_call
from swarm_mcp.model import ids
from swarm_mcp.model.errors import CriteriaUnmet, LimitReached, Refusal
from swarm_mcp.model.lifecycle import FINISHED
from swarm_mcp.operations.swarm import Swarm
from swarm_mcp.repository import tables
from swarm_mcp.repository import tasks as stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Clock

    from swarm_mcp.repository.database import Database, Transaction

EXAMPLES = int(os.environ.get("SWARM_EXAMPLES", "0"))
PLAY = settings(
    max_examples=EXAMPLES or 40, derandomize=not EXAMPLES, database=None, deadline=None, print_blob=True,
    report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
)  # fmt: skip
STAFF = ("lead", "sup", "ada", "bob", "carla", "eve")
WORKERS = STAFF[2:]
PLACES = ("", "", *WORKERS, "sup", "lead", "team:blue", "team:void", "specialty:coding", "specialty:magic", "newcomer")
HIERARCHY: dict[str, dict[str, Any]] = {
    "sup": {"role": "supervisor"},
    "ada": {"below": "sup", "specialty": "coding"},
    "bob": {"below": "sup", "capacity": 1},
    "carla": {"specialty": "magic"},
    "eve": {"below": "sup", "specialty": "coding"},
}
TEAMS = {"blue": ("bob", "carla"), "void": ()}
LIFECYCLES = ("paused", "failed", "terminated", "active", "spawning")
ROUNDS = 100
IMPOSSIBLE = "What nobody can do"
projects = itertools.count(1)

N = st.integers(0, 99)
WHO = st.sampled_from(["lead", "lead", *STAFF])
Step = tuple[str, str, int, int]
PLAN = st.tuples(st.sampled_from(["create", "nest", "nest"]), st.just("lead"), N, N)
STEP = st.tuples(
    st.sampled_from([
        "create", "create", "create", "nest", "nest", "depend", "hold", "claim", "claim", "claim_next", "ask", "put_down",
        "wait_for", "finish", "finish", "delegate", "lapse", "end_agent", "cancel", "archive", "again", "unassign",
        "criteria", "urgent", "leave_team", "review", "drop_out", "split",
    ]),
    WHO, N, N,
)  # fmt: skip


class Mess:
    """A board on which things go wrong."""

    def __init__(self, database: Database, clock: Clock, policy: dict[str, Any]) -> None:
        self.clock = clock
        self.swarm = Swarm(database, f"mess-{next(projects)}")
        with database.writing() as db:
            db.execute(insert(tables.project), {"slug": self.swarm.project, "created_at": db.now, **policy})
        self.board = Board(self.swarm, clock)  # type: ignore[arg-type]
        for name in STAFF:
            self.board.inbox(name)
        for name, columns in HIERARCHY.items():
            self.change_agent(name, **columns)
        for team, members in TEAMS.items():
            self.team(team, *members)
        self.gone: set[str] = set()
        """Agents that are active, as far as the board knows, and will never call again."""

    def change_agent(self, name: str, below: str = "lead", **columns: Any) -> None:
        """Set columns of an agent, which stands below another."""
        if name != "lead":
            columns["superior_id"] = self.board.agent(below).id
        self.write(update(tables.agent).where(tables.agent.c.id == self.board.agent(name).id).values(**columns))

    def team(self, name: str, *members: str) -> None:
        """A team, whose supervisor is `sup`."""
        team = {"id": ids.new_uuid(), "project": self.swarm.project, "name": name}
        about = {
            "supervisor_id": self.board.agent("sup").id,
            "created_at": self.clock.now,
            "updated_at": self.clock.now,
        }
        self.write(insert(tables.team).values(**team, **about))
        for each in members:
            stay = {"id": ids.new_uuid(), "team_id": team["id"], "agent_id": self.board.agent(each).id}
            self.write(insert(tables.team_member).values(**stay, joined_at=self.clock.now))

    def all(self) -> list[Any]:
        statement = tables.task.select().where(tables.task.c.project == self.swarm.project)
        return list(self.swarm.read(lambda db: db.execute(statement.order_by(tables.task.c.rank)).all()))

    def open(self) -> list[Any]:
        return [row for row in self.all() if row.status not in FINISHED]

    def pick(self, n: int) -> str:
        rows = self.all()
        return rows[n % len(rows)].id if rows else "nothing"

    def held(self, n: int) -> tuple[str, str, int]:
        """Somebody that holds something, what, and in which attempt."""
        rows = [row for row in self.all() if row.holder_id]
        if not rows:
            return "lead", "nothing", 0
        row = rows[n % len(rows)]
        return self.board.name_of(row.holder_id), row.id, row.attempt

    # What goes wrong.

    def create(self, who: str, n: int, m: int, parent: str = "") -> None:
        after = [self.pick(m)] if m % 3 == 0 and self.all() else []
        self.board.create(
            IMPOSSIBLE if n % 6 == 0 else "A task", by=who, parent=parent, depends_on=after, assignee=PLACES[n % len(PLACES)], needs_review=m % 5 == 0,
            complexity="very_high" if m % 7 == 0 else "", priority="critical" if n % 5 == 0 else "medium",
            criteria=["It is seen."] if n % 4 == 0 else [], checks=["n < 1"] if m % 4 == 1 else [],
        )  # fmt: skip

    def nest(self, who: str, n: int, m: int) -> None:
        self.create(who, n, m, parent=self.pick(m // 2))

    def split(self, who: str, n: int, m: int) -> None:
        who, task, _ = self.held(n)
        self.board.create(by=who, parent=task, assignee="" if m % 2 else who)

    def depend(self, who: str, n: int, m: int) -> None:
        self.board.update(who, self.pick(n), add_depends_on=[self.pick(m)])

    def hold(self, who: str, n: int, m: int) -> None:
        self.board.update(who, self.pick(n), action="hold", reason=f"Because of {m}.")

    def claim(self, who: str, n: int, m: int) -> None:
        rows = [row.id for row in self.all() if row.status in {"pending", "partial"}]
        self.board.claim(STAFF[m % len(STAFF)], rows[n % len(rows)] if rows else self.pick(n))

    def claim_next(self, who: str, n: int, m: int) -> None:
        self.board.claim(who)

    def ask(self, who: str, n: int, m: int) -> None:
        who, task, attempt = self.held(n)
        whom = ("", "", "operator", *STAFF)[m % 9]
        self.board.report(who, task, "Which?", status="requires_assistance", ask=whom, attempt=attempt)

    def put_down(self, who: str, n: int, m: int) -> None:
        who, task, attempt = self.held(n)
        self.board.report(who, task, "It cannot be.", status="blocked", attempt=attempt)

    def wait_for(self, who: str, n: int, m: int) -> None:
        who, task, attempt = self.held(n)
        self.board.report(who, task, "First the other.", status="blocked", depends_on=[self.pick(m)], attempt=attempt)

    def finish(self, who: str, n: int, m: int) -> None:
        who, task, attempt = self.held(n)
        outcome = ("completed", "partial", "failed", "failed")[m % 4]
        self.board.complete(who, task, outcome=outcome, evidence={"1": "Look."} if m % 3 == 0 else {}, attempt=attempt)

    def delegate(self, who: str, n: int, m: int) -> None:
        self.board.delegate(who, self.pick(n), PLACES[2 + m % (len(PLACES) - 2)])

    def lapse(self, who: str, n: int, m: int) -> None:
        self.clock.advance(minutes=(3, 31, 65, 300)[m % 4])
        if n % 2:
            self.board.sweep()

    def end_agent(self, who: str, n: int, m: int) -> None:
        name, lifecycle = STAFF[1 + n % 5], LIFECYCLES[m % len(LIFECYCLES)]
        below = HIERARCHY[name].get("below", "lead")
        self.change_agent(
            name, below, lifecycle=lifecycle, **({"last_seen_at": None} if lifecycle == "spawning" else {})
        )

    def leave_team(self, who: str, n: int, m: int) -> None:
        member = tables.team_member
        agent = self.board.agent(TEAMS["blue"][n % 2]).id
        self.write(update(member).where(member.c.agent_id == agent).values(left_at=self.clock.now))

    def drop_out(self, who: str, n: int, m: int) -> None:
        self.gone.add(STAFF[1 + n % 5])

    def write(self, statement: Any) -> None:
        def change(db: Transaction) -> None:
            db.execute(statement)

        self.swarm.write(change)

    def cancel(self, who: str, n: int, m: int) -> None:
        self.board.update(who, self.pick(n), action="cancel", subtree=m % 2 == 0)

    def archive(self, who: str, n: int, m: int) -> None:
        finished = [row.id for row in self.all() if row.status in FINISHED]
        self.board.update("lead", finished[n % len(finished)] if finished else "nothing", action="archive")

    def again(self, who: str, n: int, m: int) -> None:
        self.board.update(who, self.pick(n), action=("reopen", "retry", "recall")[m % 3])

    def unassign(self, who: str, n: int, m: int) -> None:
        self.board.update(who, self.pick(n), clear=["assignee"])

    def criteria(self, who: str, n: int, m: int) -> None:
        check = ("n < 1", "n < 0 && n > 0", "nobody_measures_it > 3")[m % 3]
        self.board.update("lead", self.pick(n), add_checks=[check], add_criteria=["More."] if m % 2 else [])

    def urgent(self, who: str, n: int, m: int) -> None:
        self.board.update("lead", self.pick(n), priority="critical")

    def review(self, who: str, n: int, m: int) -> None:
        rows = [row.id for row in self.all() if row.status in {"in_review", "partial"}]
        task = rows[n % len(rows)] if rows else self.pick(n)
        self.board.review(who, task, ("rework", "fail", "accept")[m % 3], notes="So it is.")


class Recovery:
    """What brings a board to its end: agents that claim and complete, and a director that does as it is told."""

    def __init__(self, mess: Mess) -> None:
        self.mess, self.board, self.clock = mess, mess.board, mess.clock
        self.told: list[str] = []

    def run(self) -> None:
        for _ in range(ROUNDS):
            self.work()
            self.clock.advance(minutes=31)
            for name in self.present():
                self.board.inbox(name)
            self.board.sweep()
            self.work()
            if not self.mess.open():
                break
            self.direct()
        left = [f"{row.id} {row.status}" for row in self.mess.open()]
        assert not left, f"{left} after {self.told[-20:]}"
        assert self.stuck("lead") == []

    def present(self) -> list[str]:
        """Whoever calls the board from time to time."""
        rows = [self.board.agent(name) for name in STAFF]
        return [row.name for row in rows if row.lifecycle == "active" and row.name not in self.mess.gone]

    def work(self) -> None:
        """Everybody claims and completes, as long as there is something to claim."""
        while any([self.take(name) + self.complete_all(name) for name in self.present()]):
            pass

    def take(self, name: str) -> int:
        with suppress(LimitReached):
            return self.board.claim(name).task is not None
        return 0

    def complete_all(self, name: str) -> int:
        """Complete what can be completed of what an agent holds; how much that was."""
        agent = self.board.agent(name)
        rows = self.mess.swarm.read(lambda db: stored.held_by(db, agent.id, limit=100))
        ready = [row for row in rows if row.status == "in_progress" and not row.waits and not row.open_subtasks]
        for row in ready:
            claimed = self.board.claim(name, row.id)
            assert claimed.brief is not None
            evidence = {str(each.n): "Look at it." for each in claimed.brief.criteria}
            said = {"evidence": evidence, "measurements": {"n": 0}, "attempt": claimed.attempt}
            try:
                self.board.complete(name, row.id, outcome="failed" if row.title == IMPOSSIBLE else "completed", **said)
            except CriteriaUnmet:
                self.board.complete(name, row.id, outcome="partial", **said)
        return len(ready)

    def stuck(self, reader: str, **said: Any) -> list[dict[str, Any]]:
        def look(db: Transaction) -> Any:
            return operations.get_overview(db, view="stuck", limit=200, **said).model_extra

        return self.mess.swarm.read(look, agent=reader)["items"]

    def direct(self) -> None:
        """Make every call that is printed, each on the board as it is then."""
        first = self.stuck("lead")
        assert first or self.under_way(), f"{[(row.id, row.status) for row in self.mess.open()]} and nothing is stuck"
        done: set[str] = set()
        for _ in range(len(first)):
            call = next((each for each in self.stuck("lead") if each["task"] not in done), None)
            if call is None:
                return
            done.add(call["task"])
            self.follow("lead", call)

    def under_way(self) -> bool:
        """Whether somebody has a live claim, and may still be working."""
        return any(row.lease_until and row.lease_until > self.clock.now for row in self.mess.open())

    def follow(self, who: str, item: dict[str, Any]) -> None:
        name, said = read_call(item["call"])
        self.told.append(f"{who}: {item['why']} → {item['call']}")
        operation: Callable[..., object] = getattr(operations, name)
        try:
            self.board.call("" if who == "operator" else who, operation, **said)
        except Refusal as refusal:
            raise AssertionError(f"{self.told[-1]}: {refusal.message}") from refusal
        if name == "send_message" and "to" in said:  # whoever is asked does what it reads
            reader = "" if said["to"] == "operator" else said["to"]
            (theirs,) = (each for each in self.stuck(reader) if each["task"] == said["task"])
            assert not theirs["call"].startswith("send_message(to"), theirs
            self.follow(said["to"], theirs)


POLICIES = st.fixed_dictionaries(
    {
        "require_review": st.sampled_from([False, False, True]),
        "completion_checks": st.sampled_from(["enforce", "enforce", "warn", "off"]),
        "max_lapses": st.sampled_from([2, 5]),
    }
)


def test_whatever_has_happened_the_calls_of_stuck_bring_everything_to_its_end(database: Database, clock: Clock) -> None:
    @PLAY
    @given(policy=POLICIES, plan=st.lists(PLAN, min_size=5, max_size=9), steps=st.lists(STEP, min_size=20, max_size=50))
    def play(policy: dict[str, Any], plan: list[Step], steps: list[Step]) -> None:
        mess = Mess(database, clock, policy)
        for verb, who, n, m in (*plan, *steps):
            clock.advance(seconds=1)
            with suppress(Refusal):
                getattr(mess, verb)(who, n, m)
        Recovery(mess).run()
        assert database.path is not None
        with looking(database.path) as connection:
            assert Recount(connection, mess.swarm.project).check() == []

    play()
