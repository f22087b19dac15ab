"""A real board and its plain model side by side: everything is done to both, and compared.

At each look that is all tasks, all people and their teams, and every message with everybody's copy of it. `Twin` knows
how to do one thing to both and how to compare what is stored with what the model says; which things are done, and in
which order, is the state machine's matter.
"""

from __future__ import annotations

import itertools
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import postgres
from plain_crew import Agent, Team
from plain_model import Board
from plain_task import OPERATOR, Place, Refused, Task
from postgres import place_of
from recount import Recount, looking
from sqlalchemy import insert

from swarm_mcp import operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import Refusal
from swarm_mcp.operations.authority import has_authority
from swarm_mcp.operations.swarm import Swarm
from swarm_mcp.repository import tasks
from swarm_mcp.repository.tables import AgentRow, ProjectRow, TeamMemberRow, TeamRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Clock

    from swarm_mcp.repository.database import Database, Transaction

STAFF = ("dana", "bob", "ada", "carla")
"""A director, below it the supervisor bob and the worker ada, below bob the worker carla."""
HANDS = ("ada", "carla")
"""Those who are workers; the others may create tasks wherever they have a say."""
TEAMS = ("blue", "red")
TOPICS = ("coding", "parsing", "coding", "parsing", "something")
PLACES: dict[str, Place] = {
    **{name: ("agent", name) for name in STAFF},
    **{f"team:{name}": ("team", name) for name in TEAMS},
    "specialty:coding": ("specialty", "coding"),
}
NO_TASK = "nothing2"
STORED = (
    "SELECT task.*, m.asked_id FROM task LEFT JOIN message m ON m.task_id = task.id AND m.asked_at IS NOT NULL "
    "WHERE task.project = ?"
)
EDGES = "SELECT d.task_id, d.type, d.depends_on_id FROM dependency d JOIN task ON task.id = d.task_id WHERE project = ?"
HANDED = (
    "SELECT d.task_id, d.to_agent_id AS assignee_id, d.to_team_id AS pool_team_id, d.to_specialty AS pool_specialty, "
    "d.state, d.lapses FROM delegation d JOIN task ON task.id = d.task_id WHERE project = ? "
    "AND state IN ('offered', 'accepted') ORDER BY d.at"
)
PEOPLE = "SELECT id, superior_id, level, role, lifecycle, last_seen_at FROM agent WHERE project = ?"
MEMBERS = (
    "SELECT team.id, supervisor_id, agent_id FROM team LEFT JOIN team_member m ON m.team_id = team.id AND "
    "m.left_at IS NULL WHERE project = ?"
)
MESSAGES = (
    "SELECT id, sender_id, type, task_id, reply_to_id FROM message WHERE id > ? AND project = ? AND type <> 'system' "
    "ORDER BY id"
)
COPIES = "SELECT message_id, agent_id, state FROM inbox WHERE project = ? AND message_id IS NOT NULL"
PARTS = "SELECT task_id, agent_id FROM task JOIN participant ON task.id = task_id WHERE project = ? AND left_at IS NULL"
NOTICES = (
    "SELECT kind, task_id, agent_id, count(*) FROM inbox WHERE project = ? AND message_id IS NULL AND state <> 'read' "
    "GROUP BY 1, 2, 3 HAVING count(*) > 1 OR kind = '' OR task_id IS NULL OR agent_id IS NULL"
)
HEARD = "SELECT agent_id, at FROM inbox WHERE project = ? AND task_id = ? AND state <> 'read'"
numbers = itertools.count(1)


class Twin:
    """A project of its own on a board, with its staff, two teams and a specialty, and its model."""

    def __init__(self, database: Database, clock: Clock, max_lapses: int) -> None:
        self.clock = clock
        self.swarm = Swarm(database, f"project-{next(numbers)}")
        self._looker = looking(place_of(database))
        self.connection = self._looker.__enter__()
        self.names: dict[str | None, str] = {}
        self.sent: list[int] = []
        """What the board calls the messages, in the order of the model."""
        self.first = self.connection.execute("SELECT max(id) FROM message").fetchone()[0] or 0
        agents = [
            Agent("dana", role="director"),
            Agent("bob", "dana", "supervisor", capabilities=("parsing",)),
            Agent("ada", "dana", specialty="coding", capacity=2),
            Agent("carla", "bob", capabilities=("coding", "parsing"), capacity=1),
        ]
        teams = [Team("blue", "bob", {"bob", "carla"}), Team("red", None, {"ada", "carla"})]
        self.model = Board(agents, teams, clock.now, max_lapses)
        with database.writing() as db:
            new = {"slug": self.swarm.project, "max_lapses": max_lapses, "created_at": db.now}
            db.execute(insert(ProjectRow), new)
            for agent in agents:
                self._store_agent(db, agent)
            for team in teams:
                self._store_team(db, team)

    def _store_agent(self, db: Transaction, agent: Agent) -> None:
        about = {
            "id": self._id(agent.name), "project": self.swarm.project, "name": agent.name, "role": agent.role,
            "superior_id": self._id(agent.superior), "level": len(self.model.crew.above(agent.name)),
            "specialty": agent.specialty, "capabilities": list(agent.capabilities), "capacity": agent.capacity,
            "lifecycle": "active", "last_seen_at": db.now, "created_at": db.now, "updated_at": db.now,
        }  # fmt: skip
        agent.seen = db.now
        db.execute(insert(AgentRow), about)

    def _store_team(self, db: Transaction, team: Team) -> None:
        about = {"id": self._id(team.name), "project": self.swarm.project, "name": team.name}
        boss = {"supervisor_id": self._id(team.supervisor), "created_at": db.now, "updated_at": db.now}
        db.execute(insert(TeamRow), about | boss)
        for name in team.members:
            stay = {"id": f"{name}-{about['id']}", "team_id": about["id"], "agent_id": self._id(name)}
            db.execute(insert(TeamMemberRow), {**stay, "joined_at": db.now})

    def _id(self, name: str | None) -> str | None:
        """What the tables call somebody."""
        if name is None:
            return None
        self.names[f"{name}-{self.swarm.project}"] = name
        return f"{name}-{self.swarm.project}"

    def _name(self, agent_id: str | None) -> str:
        """Whom an id means; nobody is the operator."""
        return self.names[agent_id] if agent_id else OPERATOR

    def close(self) -> None:
        """Let go of the second connection."""
        self._looker.__exit__(None, None, None)

    def do(
        self,
        who: str,
        real: Callable[[Transaction], Any],
        plain: Callable[[Any], object],
        *,
        resting: bool = False,
        told: str = "",
    ) -> Any:
        """Do something to the board and to the model, and compare how they answer.

        Args:
            who: does it.
            real: what is done to the board.
            plain: what is done to the model; it gets the board's answer, or None if it refused.
            resting: whether those who are paused may do it too.
            told: a task of which everybody concerned has to hear, if anything becomes of it.

        """
        self.model.now = self.clock.advance(seconds=1)
        self.model.steps += 1
        before, was, refusal, answer = self._changes(), self._state(told), None, None
        try:
            answer = self.swarm.write(real, agent="" if who == OPERATOR else who, profile=profile_of(who))
        except Refusal as error:
            refusal = error
        try:
            self.model.crew.check_takes_part(who, resting=resting)
            plain(answer)
        except Refused as expected:
            assert refusal is not None, f"{who} should be refused as {expected.codes}: {answer}"  # noqa: PT017
            assert refusal.code in expected.codes, f"should be refused as {expected.codes}: {refusal.message}"  # noqa: PT017
            assert self._changes() == before, f"something was written, though it was refused: {refusal.message}"
            return None
        assert refusal is None, f"{who} should not be refused: {refusal.code} {refusal.message}"
        self.model.crew.seen(who, self.clock.now)
        if self._state(told) != was:
            self._check_heard(told, but=who)
        return answer

    def _state(self, name: str) -> tuple[object, ...]:
        """That of a task of which people hear."""
        task = self.model.tasks.get(name)
        return (self.model.status(task), task.holder, len(task.attempts), task.place) if task is not None else ()

    def _check_heard(self, name: str, *, but: str) -> None:
        """Everybody concerned has something unread about the task that came just now."""
        heard = {
            self._name(reader)
            for reader, at in self.connection.execute(HEARD, (self.swarm.project, name))
            if datetime.fromisoformat(at) == self.clock.now
        }
        deaf = self.model.concerned(self.model.tasks[name]) - {but} - heard
        assert not deaf, f"{deaf} did not hear of {name}"

    def on(
        self,
        who: str,
        real: Callable[[Transaction], Any],
        plain: Callable[[], object],
        *,
        resting: bool = False,
        told: str = "",
    ) -> Any:
        """Do something of which only the effect matters."""
        return self.do(who, real, lambda _: plain(), resting=resting, told=told)

    def create(self, who: str, new: Task, parent: str, after: list[str], to: str) -> str:
        """Create a task on both; its id, or "" if that was refused."""

        def plain(answer: Any) -> None:
            new.id = answer.task.id if answer is not None else NO_TASK
            new.created = self.clock.now
            self.model.create(who, new, to=PLACES.get(to), parent=parent or None, after=after)
            self.model.split(who, parent)

        said = {
            "parent": parent, "depends_on": after, "assignee": to, "needs_review": new.needs_review,
            "priority": new.priority,
        }  # fmt: skip
        answer = self.do(who, lambda db: operations.create_task(db, title=f"About {new.topic}", **said), plain)
        return new.id if answer is not None else ""

    def has_authority(self, who: str, name: str) -> bool:
        """Whether the board gives somebody authority over a task."""
        return self.swarm.read(lambda db: has_authority(db, tasks.task_row(db, name)), agent=who)

    def _changes(self) -> int:
        """A number that changes with every change."""
        if isinstance(self.connection, postgres.LikeSqlite):
            written = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::int FROM pg_stat_xact_user_tables"
            return self.connection.execute(written).fetchone()[0]
        return self.connection.execute("PRAGMA data_version").fetchone()[0]

    def agree(self) -> None:
        """Compare everything that is stored with the model, and the tables with each other."""
        rows, self.edges, self.handed = self._rows(STORED), self._rows(EDGES), self._rows(HANDED)
        stored = {row["id"]: self._seen(row) for row in rows}
        assert stored.keys() == self.model.tasks.keys()
        wrong = [
            f"{task.id} has {name} {stored[task.id][name]}, should have {value}"
            for task in self.model.tasks.values()
            for name, value in self._expected(task).items()
            if stored[task.id][name] != value
        ]
        wrong += self._people() + self._messages() + Recount(self.connection, self.swarm.project).check()
        assert not wrong, "\n".join(wrong)

    def _rows(self, statement: str) -> list[dict[str, Any]]:
        cursor = self.connection.execute(statement, (self.swarm.project,))
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def _people(self) -> list[str]:
        """Where the model is wrong about who there is, who stands where, and who is in which team."""
        crew, here = self.model.crew, (self.swarm.project,)
        people = {
            self._name(each): (self.names.get(boss), level, role, life, datetime.fromisoformat(seen))
            for each, boss, level, role, life, seen in self.connection.execute(PEOPLE, here)
        }
        expected = {
            each.name: (each.superior, len(crew.above(each.name)), each.role, each.lifecycle, each.seen)
            for each in crew.agents.values()
        }
        members = sorted(
            (self._name(team), self._name(boss), self.names.get(name, ""))
            for team, boss, name in self.connection.execute(MEMBERS, here)
        )
        wanted = sorted(
            (team.name, team.supervisor or OPERATOR, name)
            for team in crew.teams.values()
            for name in team.members or {""}
        )
        parts = {(task, self._name(name)) for task, name in self.connection.execute(PARTS, here)}
        taking = {(task.id, name) for task in self.model.tasks.values() for name in task.parts}
        pairs = {"people": (people, expected), "teams": (members, wanted), "participants": (parts, taking)}
        return [f"the {what} are {is_}, should be {should}" for what, (is_, should) in pairs.items() if is_ != should]

    def _messages(self) -> list[str]:
        """Where the model is wrong about who said what, and who has read it; and notifications that say nothing."""
        rows = self.connection.execute(MESSAGES, (self.first, self.swarm.project)).fetchall()
        self.sent = [row[0] for row in rows]
        copies_of: dict[int, list[tuple[str, str]]] = {number: [] for number in self.sent}
        for number, reader, state in self.connection.execute(COPIES, (self.swarm.project,)):
            if number in copies_of:
                copies_of[number].append((self._name(reader), state))
        stored = [
            (
                self._name(sender), kind, task, self.sent.index(reply) if reply else None,
                sorted(copies_of[number]),
            )
            for number, sender, kind, task, reply in rows
        ]  # fmt: skip
        post = self.model.post
        kept: list[list[tuple[str, str]]] = [[] for _ in post.messages]
        for copy in post.copies:
            kept[copy.message].append((copy.reader, copy.state))
        expected = [
            (each.sender, each.type, each.task, each.reply_to, sorted(copies))
            for each, copies in zip(post.messages, kept, strict=True)
        ]
        wrong = [] if stored == expected else [f"the messages are {stored}, should be {expected}"]
        return wrong + [f"a notification: {each}" for each in self.connection.execute(NOTICES, (self.swarm.project,))]

    def _seen(self, row: dict[str, Any]) -> dict[str, Any]:
        """What is compared of a task, as the tables have it."""
        names, kept = self.names, row["reserved_from"]
        return {
            "status": row["status"], "parent": row["parent_id"], "edges": sorted(
                f"{each['type']}:{each['depends_on_id']}" for each in self.edges if each["task_id"] == row["id"]
            ),
            "place": self._place(row), "kept from": self._place(json.loads(kept)) if kept is not None else "-",
            "holder": names.get(row["holder_id"], ""), "attempt": row["attempt"], "lapses": row["lapses"],
            "lease": datetime.fromisoformat(row["lease_until"]) if row["lease_until"] else None,
            "hold": names.get(row["hold_by_id"], OPERATOR) if row["hold_reason"] is not None else "",
            "delegator": names.get(row["delegator_id"], ""), "creator": names.get(row["creator_id"], OPERATOR),
            "worker": names.get(row["worker_id"], ""), "archived": row["archived_at"] is not None,
            "handed": [
                (self._place(each), each["state"] == "accepted", each["lapses"])
                for each in self.handed
                if each["task_id"] == row["id"]
            ],
            "asked": names.get(row["asked_id"], OPERATOR) if row["status"] == "requires_assistance" else "",
        }  # fmt: skip

    def _place(self, row: dict[str, Any]) -> Place:
        if row.get("assignee_id"):
            return ("agent", self.names[row["assignee_id"]])
        if row.get("pool_team_id"):
            return ("team", self.names[row["pool_team_id"]])
        return ("specialty", row["pool_specialty"]) if row.get("pool_specialty") else None

    def _expected(self, task: Task) -> dict[str, Any]:
        """The same as the model has it."""
        return {
            "status": self.model.status(task), "parent": task.parent,
            "edges": sorted([f"blocks:{each}" for each in task.after] + [f"related:{each}" for each in task.related]),
            "place": task.place, "kept from": task.kept_from if task.kept else "-",
            "holder": task.holder, "attempt": len(task.attempts), "lapses": task.lapses, "lease": task.lease,
            "hold": task.hold, "delegator": "" if task.delegator == OPERATOR else task.delegator,
            "creator": task.creator, "worker": task.worker,
            "archived": task.archived,
            "handed": [(each.to, each.accepted, each.lapses) for each in task.given if each.live],
            "asked": task.asked[-1] if task.asked else "",
        }  # fmt: skip


def profile_of(who: str) -> Profile:
    """The director and the operator have all tools, the others those of workers: none of them becomes the director."""
    return Profile.DIRECTOR if who in {"dana", OPERATOR} else Profile.WORKER
