"""A board on which things go wrong: holds, questions, lapses, failures, dead ends, agents that are gone."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from board import Board
from sqlalchemy import insert, update

from swarm_mcp.model import ids
from swarm_mcp.model.lifecycle import FINISHED
from swarm_mcp.operations.swarm import Swarm
from swarm_mcp.repository import tables

if TYPE_CHECKING:
    from conftest import Clock

    from swarm_mcp.repository.database import Database, Transaction

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
IMPOSSIBLE = "What nobody can do"
projects = itertools.count(1)


class Step(NamedTuple):
    """Something that somebody does on the way; the numbers choose what to do it to, counted round."""

    verb: str
    who: str
    n: int
    m: int


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

    def create(self, step: Step, parent: str = "") -> None:
        after = [self.pick(step.m)] if step.m % 3 == 0 and self.all() else []
        self.board.create(
            IMPOSSIBLE if step.n % 6 == 0 else "A task", by=step.who, parent=parent, depends_on=after,
            assignee=PLACES[step.n % len(PLACES)], needs_review=step.m % 5 == 0,
            complexity="very_high" if step.m % 7 == 0 else "", priority="critical" if step.n % 5 == 0 else "medium",
            criteria=["It is seen."] if step.n % 4 == 0 else [], checks=["n < 1"] if step.m % 4 == 1 else [],
        )  # fmt: skip

    def nest(self, step: Step) -> None:
        self.create(step, parent=self.pick(step.m // 2))

    def split(self, step: Step) -> None:
        who, task, _ = self.held(step.n)
        self.board.create(by=who, parent=task, assignee="" if step.m % 2 else step.who)

    def depend(self, step: Step) -> None:
        self.board.update(step.who, self.pick(step.n), add_depends_on=[self.pick(step.m)])

    def hold(self, step: Step) -> None:
        self.board.update(step.who, self.pick(step.n), action="hold", reason=f"Because of {step.m}.")

    def claim(self, step: Step) -> None:
        rows = [row.id for row in self.all() if row.status in {"pending", "partial"}]
        self.board.claim(STAFF[step.m % len(STAFF)], rows[step.n % len(rows)] if rows else self.pick(step.n))

    def claim_next(self, step: Step) -> None:
        self.board.claim(step.who)

    def ask(self, step: Step) -> None:
        who, task, attempt = self.held(step.n)
        whom = ("", "", "operator", *STAFF)[step.m % 9]
        self.board.report(who, task, "Which?", status="requires_assistance", ask=whom, attempt=attempt)

    def put_down(self, step: Step) -> None:
        who, task, attempt = self.held(step.n)
        self.board.report(who, task, "It cannot be.", status="blocked", attempt=attempt)

    def wait_for(self, step: Step) -> None:
        who, task, attempt = self.held(step.n)
        self.board.report(
            who, task, "First the other.", status="blocked", depends_on=[self.pick(step.m)], attempt=attempt
        )

    def finish(self, step: Step) -> None:
        who, task, attempt = self.held(step.n)
        outcome = ("completed", "partial", "failed", "failed")[step.m % 4]
        self.board.complete(
            who, task, outcome=outcome, evidence={"1": "Look."} if step.m % 3 == 0 else {}, attempt=attempt
        )

    def delegate(self, step: Step) -> None:
        self.board.delegate(step.who, self.pick(step.n), PLACES[2 + step.m % (len(PLACES) - 2)])

    def lapse(self, step: Step) -> None:
        self.clock.advance(minutes=(3, 31, 65, 300)[step.m % 4])
        if step.n % 2:
            self.board.sweep()

    def end_agent(self, step: Step) -> None:
        name, lifecycle = STAFF[1 + step.n % 5], LIFECYCLES[step.m % len(LIFECYCLES)]
        below = HIERARCHY[name].get("below", "lead")
        self.change_agent(
            name, below, lifecycle=lifecycle, **({"last_seen_at": None} if lifecycle == "spawning" else {})
        )

    def leave_team(self, step: Step) -> None:
        member = tables.team_member
        agent = self.board.agent(TEAMS["blue"][step.n % 2]).id
        self.write(update(member).where(member.c.agent_id == agent).values(left_at=self.clock.now))

    def drop_out(self, step: Step) -> None:
        self.gone.add(STAFF[1 + step.n % 5])

    def write(self, statement: Any) -> None:
        def change(db: Transaction) -> None:
            db.execute(statement)

        self.swarm.write(change)

    def cancel(self, step: Step) -> None:
        self.board.update(step.who, self.pick(step.n), action="cancel", subtree=step.m % 2 == 0)

    def archive(self, step: Step) -> None:
        finished = [row.id for row in self.all() if row.status in FINISHED]
        self.board.update("lead", finished[step.n % len(finished)] if finished else "nothing", action="archive")

    def again(self, step: Step) -> None:
        self.board.update(step.who, self.pick(step.n), action=("reopen", "retry", "recall")[step.m % 3])

    def unassign(self, step: Step) -> None:
        self.board.update(step.who, self.pick(step.n), clear=["assignee"])

    def criteria(self, step: Step) -> None:
        check = ("n < 1", "n < 0 && n > 0", "nobody_measures_it > 3")[step.m % 3]
        self.board.update("lead", self.pick(step.n), add_checks=[check], add_criteria=["More."] if step.m % 2 else [])

    def urgent(self, step: Step) -> None:
        self.board.update("lead", self.pick(step.n), priority="critical")

    def review(self, step: Step) -> None:
        rows = [row.id for row in self.all() if row.status in {"in_review", "partial"}]
        task = rows[step.n % len(rows)] if rows else self.pick(step.n)
        self.board.review(step.who, task, ("rework", "fail", "accept")[step.m % 3], notes="So it is.")
