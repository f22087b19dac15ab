"""A real board and its plain model side by side: everything is done to both, and compared.

`Twin` knows how to do one thing to both and how to compare what is stored with what the model says; which things are
done, and in which order, is the state machine's matter.
"""

from __future__ import annotations

import itertools
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import postgres
from plain_model import OPERATOR, Agent, Board, Place, Refused, Task
from postgres import place_of
from recount import Recount, looking
from sqlalchemy import insert, update

from swarm_mcp import operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import Refusal
from swarm_mcp.operations.swarm import Swarm
from swarm_mcp.repository.tables import AgentRow, ProjectRow, TeamMemberRow, TeamRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Clock

    from swarm_mcp.repository.database import Database, Transaction

WORKERS = ("ada", "bob", "carla")
PLACES: dict[str, Place] = {
    **{name: ("agent", name) for name in ("dana", *WORKERS)},
    "team:blue": ("team", "blue"),
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
numbers = itertools.count(1)


class Twin:
    """A project of its own on a board, with a director, three workers, a team and a specialty, and its model."""

    def __init__(self, database: Database, clock: Clock, max_lapses: int) -> None:
        self.clock = clock
        self.swarm = Swarm(database, f"project-{next(numbers)}")
        self._looker = looking(place_of(database))
        self.connection = self._looker.__enter__()
        self.names: dict[str | None, str] = {}
        with database.writing() as db:
            new = {"slug": self.swarm.project, "max_lapses": max_lapses, "created_at": db.now}
            db.execute(insert(ProjectRow), new)
        for name in ("dana", *WORKERS):
            self.swarm.write(
                lambda db: self.names.update({db.actor.id: db.actor.name}), agent=name, profile=profile_of(name)
            )
        self.swarm.write(self._give_places)
        agents = [
            Agent("dana", director=True),
            Agent("ada", specialty="coding"),
            Agent("bob", teams=("blue",), capacity=1),
            Agent("carla", teams=("blue",)),
        ]
        self.model = Board(agents, clock.now, max_lapses)
        for agent in agents:
            self.model.seen(agent.name)

    def _give_places(self, db: Transaction) -> None:
        ids = {name: agent_id for agent_id, name in self.names.items()}
        team = f"blue-{self.swarm.project}"
        db.execute(update(AgentRow).where(AgentRow.id == ids["ada"]).values(specialty="coding"))
        db.execute(update(AgentRow).where(AgentRow.id == ids["bob"]).values(capacity=1))
        here = {"id": team, "project": db.project.slug, "name": "blue", "created_at": db.now, "updated_at": db.now}
        db.execute(insert(TeamRow), here)
        for name in ("bob", "carla"):
            stay = {"id": f"{name}-{team}", "team_id": team, "agent_id": ids[name], "joined_at": db.now}
            db.execute(insert(TeamMemberRow), stay)
        self.names[team] = "blue"

    def close(self) -> None:
        """Let go of the second connection."""
        self._looker.__exit__(None, None, None)

    def do(self, who: str, real: Callable[[Transaction], Any], plain: Callable[[Any], object]) -> Any:
        """Do something to the board and to the model, and compare how they answer.

        `plain` gets the board's answer, or None if it refused.
        """
        self.model.now = self.clock.advance(seconds=1)
        self.model.steps += 1
        before, refusal, answer = self._changes(), None, None
        try:
            answer = self.swarm.write(real, agent="" if who == OPERATOR else who, profile=profile_of(who))
        except Refusal as error:
            refusal = error
        try:
            plain(answer)
        except Refused as expected:
            assert refusal is not None, f"{who} should be refused as {expected.codes}: {answer}"  # noqa: PT017
            assert refusal.code in expected.codes, f"should be refused as {expected.codes}: {refusal.message}"  # noqa: PT017
            assert self._changes() == before, f"something was written, though it was refused: {refusal.message}"
            return None
        assert refusal is None, f"{who} should not be refused: {refusal.code} {refusal.message}"
        self.model.seen(who)
        return answer

    def on(self, who: str, real: Callable[[Transaction], Any], plain: Callable[[], object]) -> None:
        """Do something of which only the effect matters."""
        self.do(who, real, lambda _: plain())

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
        answer = self.do(who, lambda db: operations.create_task(db, title="A task", **said), plain)
        return new.id if answer is not None else ""

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
        wrong += Recount(self.connection, self.swarm.project).check()
        assert not wrong, "\n".join(wrong)

    def _rows(self, statement: str) -> list[dict[str, Any]]:
        cursor = self.connection.execute(statement, (self.swarm.project,))
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor]

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
            "creator": task.creator, "worker": task.attempts[-1][0] if task.attempts else "",
            "archived": task.archived,
            "handed": [(each.to, each.accepted, each.lapses) for each in task.given if each.live],
            "asked": task.asked[-1] if task.asked else "",
        }  # fmt: skip


def profile_of(who: str) -> Profile:
    """The director and the operator have all tools, workers theirs."""
    return Profile.WORKER if who in WORKERS else Profile.DIRECTOR
