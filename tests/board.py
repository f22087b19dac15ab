"""A board under test: every call is a transaction of its own, in somebody's name, at the time that the test says.

On it are `lead`, the root director, and the workers `ada` and `bob` below it. The operator's name is "".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from postgres import place_of
from sqlalchemy import insert, select, update

from swarm_mcp import operations
from swarm_mcp.model import ids
from swarm_mcp.model.agent import Profile
from swarm_mcp.operations import upkeep
from swarm_mcp.repository import agents, events, messages, tables, tasks, work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from conftest import Clock
    from sqlalchemy import Row

    from swarm_mcp.model.message import InboxItem, Sent
    from swarm_mcp.model.registration import Registered
    from swarm_mcp.model.task import Brief, Claimed, Completed, Planned, TaskLine, Written
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction

T = TypeVar("T")
LEASE = 30
"""Minutes of a claim, where nobody said otherwise."""


class Board:
    """What the agents do, in the fewest words."""

    def __init__(self, swarm: Swarm, clock: Clock) -> None:
        self.swarm = swarm
        self.clock = clock

    @property
    def place(self) -> Path | str:
        """Where it is: a path, or an address."""
        return place_of(self.swarm.database)

    def call(self, agent: str, operation: Callable[..., T], **said: Any) -> T:
        """Run an operation; only `lead` comes with the director's tools."""
        profile = Profile.DIRECTOR if agent == "lead" else Profile.WORKER
        return self.swarm.write(lambda db: operation(db, **said), agent=agent, profile=profile, connection="host")

    def create(self, title: str = "A task", *, by: str = "lead", **said: Any) -> str:
        """The id of a new task."""
        written: Written = self.call(by, operations.create_task, title=title, **said)
        assert written.task is not None
        return written.task.id

    def plan(self, *items: dict[str, Any], by: str = "lead", **said: Any) -> Planned:
        return self.call(by, operations.create_plan, tasks=list(items), **said)

    def claim(self, agent: str, task: str = "", **said: Any) -> Claimed:
        return self.call(agent, operations.claim_task, task=task, **said)

    def claimed(self, agent: str, **said: Any) -> str:
        """The id of the task that an agent gets, or ""."""
        task = self.claim(agent, **said).task
        return task.id if task is not None else ""

    def report(self, agent: str, task: str, message: str = "Going on.", **said: Any) -> Written:
        return self.call(agent, operations.report_progress, task=task, message=message, **said)

    def complete(self, agent: str, task: str, summary: str = "It is done.", **said: Any) -> Completed:
        return self.call(agent, operations.complete_task, task=task, summary=summary, **said)

    def finish(self, agent: str, task: str, **said: Any) -> Completed:
        """Claim and complete."""
        self.claim(agent, task)
        return self.complete(agent, task, **said)

    def update(self, agent: str, task: str, **said: Any) -> Written:
        return self.call(agent, operations.update_task, task=task, **said)

    def review(self, agent: str, task: str, verdict: str = "", **said: Any) -> Written:
        return self.call(agent, operations.review_task, task=task, verdict=verdict, **said)

    def delegate(self, agent: str, task: str, to: str, **said: Any) -> Written:
        return self.call(agent, operations.delegate, task=task, to=to, **said)

    def register(self, agent: str, name: str, **said: Any) -> Registered:
        return self.call(agent, operations.register_agent, name=name, **said)

    def send(self, agent: str, text: str = "Hello.", **said: Any) -> Sent:
        return self.call(agent, operations.send_message, text=text, **said)

    def ask(self, agent: str, task: str, question: str = "Which one?", **said: Any) -> str:
        """Put a question about a held task; the number of its message."""
        self.report(agent, task, question, status="requires_assistance", **said)
        return f"m{self.question(task).id}"

    def inbox(self, agent: str, **said: Any) -> Sequence[InboxItem]:
        return self.call(agent, operations.check_inbox, **said).items

    def news(self, agent: str) -> set[str]:
        """The kinds of everything that is new to an agent."""
        return {item.type for item in self.inbox(agent)}

    def brief(self, agent: str, task: str, **said: Any) -> Brief:
        found = self.swarm.read(lambda db: operations.get_task(db, task=task, **said), agent=agent)
        assert hasattr(found, "criteria")
        return found  # type: ignore[return-value]

    def line(self, task: str) -> TaskLine:
        """A task as a row of a list."""
        found = self.swarm.read(lambda db: operations.list_tasks(db, limit=200))
        return next(each for each in found.tasks if each.id == task)

    def sweep(self) -> int:
        return self.swarm.write(upkeep.sweep)

    def row(self, task: str) -> Row[Any]:
        """A task as it is stored."""
        return self.swarm.read(lambda db: tasks.task_row(db, task))

    def status(self, task: str) -> str:
        return self.row(task).status

    def holder(self, task: str) -> str:
        return self.name_of(self.row(task).holder_id)

    def assignee(self, task: str) -> str:
        return self.name_of(self.row(task).assignee_id)

    def name_of(self, agent_id: str | None) -> str:
        return self.swarm.read(lambda db: agents.agent_names(db, [agent_id])).get(agent_id, "")

    def ledger(self, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
        """What happened to agents, teams and policies: kinds and what they say, in order."""
        found = self.swarm.read(lambda db: events.project_events(db, after=0, limit=10_000))
        return [(each.kind, each.data) for each in found if each.task_id is None and (not kinds or each.kind in kinds)]

    def events(self, task: str) -> Sequence[Row[Any]]:
        return self.swarm.read(lambda db: events.task_events(db, task))

    def kinds(self, task: str) -> list[str]:
        """What happened to a task, in order."""
        return [event.kind for event in self.events(task)]

    def executions(self, task: str) -> list[str]:
        """How each attempt at a task stands."""
        return [each.status for each in self.swarm.read(lambda db: work.executions(db, task))]

    def delegations(self, task: str) -> list[str]:
        """The states of a task's delegations, the first first."""
        return [each.state for each in self.swarm.read(lambda db: work.delegations(db, task))]

    def question(self, task: str) -> Row[Any]:
        """The open question about a task."""
        found = self.swarm.read(lambda db: messages.open_question(db, task))
        assert found is not None
        return found

    def asked(self, task: str) -> str:
        """Who should answer the open question about a task; "" is the operator."""
        return self.name_of(self.question(task).asked_id)

    def agent(self, name: str) -> Row[Any]:
        found = self.swarm.read(lambda db: agents.find_agent(db, name))
        assert found is not None
        return found

    def enlist(self, name: str, *, below: str = "", **columns: Any) -> str:
        """An agent (new or not) with these columns, below another."""
        if below:
            columns["superior_id"] = self.agent(below).id
            columns["level"] = self.agent(below).level + 1
        self.inbox(name)

        def change(db: Transaction) -> None:
            if columns:
                db.execute(update(tables.agent).where(tables.agent.c.id == _id(db, name)).values(**columns))

        self.swarm.write(change)
        return name

    def team(self, name: str, *members: str, supervisor: str = "") -> str:
        """A team of these agents."""

        def store(db: Transaction) -> str:
            team = {"id": ids.new_uuid(), "project": db.project.slug, "created_at": db.now, "updated_at": db.now}
            db.execute(insert(tables.team), {**team, "name": name, "supervisor_id": _id(db, supervisor)})
            for member in members:
                stay = {"id": ids.new_uuid(), "team_id": team["id"], "agent_id": _id(db, member)}
                db.execute(insert(tables.team_member), {**stay, "joined_at": db.now})
            return name

        return self.swarm.write(store)

    def policy(self, **columns: Any) -> None:
        """Change the project's policies."""

        def change(db: Transaction) -> None:
            db.execute(update(tables.project).values(**columns))

        self.swarm.write(change)

    def task_in(self, status: str, **said: Any) -> str:
        """A task that ada (as far as anybody) has brought to that status."""
        outcome = status if status in {"partial", "failed", "completed"} else "completed"
        task = self.create(needs_review=status == "in_review", **said)
        if status == "blocked":
            self.update("lead", task, action="hold", reason="not now")
        elif status == "cancelled":
            self.update("lead", task, action="cancel")
        elif status != "pending":
            self.claim("ada", task)
        if status == "requires_assistance":
            self.ask("ada", task)
        if status in {"in_review", "partial", "failed", "completed"}:
            self.complete("ada", task, outcome=outcome)
        assert self.status(task) == status
        return task


def _id(db: Transaction, name: str) -> str | None:
    return db.execute(select(tables.agent.c.id).where(tables.agent.c.name == name)).scalar() if name else None
