"""The board of a fleet: a million tasks and one and a half million dependencies, say, as long work would leave them.

Everything is there that the board derives from (the ledger, attempts, delegations, the words of the texts), so that it
passes a recount. Two fifths are finished. The blocked ones are critical, and come before the ready ones in every order
by urgency. Ready ones lie in several lanes: with 500 agents, in 25 teams' and five specialties' pools, and anyone's.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.bulk import Rows, store
from benchmarks.crew import Crew, Place, draw_uuid, recruit
from benchmarks.plan import SIZE, Phase, Plan
from swarm_mcp.operations.moves import END_OF_TIME, VERSIONED, plain
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import tables

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from benchmarks.plan import Task

BATCH = 500
"""Plans that are stored at once."""
CACHE_KIB = 2 << 20
"""Room for SQLite's pages while ids fall all over its indexes; a server has far less."""
SAMPLE = 500
WORDS = ("parse", "render", "index", "cache", "queue", "token", "upload", "report", "export", "sync", "retry")
READY_PRIORITIES = ("high", "medium", "medium", "low")
LEASE = timedelta(days=1)
OF_TASKS = (
    tables.task, tables.dependency, tables.criterion, tables.delegation, tables.execution, tables.participant,
    tables.event, tables.message, tables.inbox,
)  # fmt: skip


@dataclass
class Fleet:
    """What was made."""

    target: str
    tasks: int
    dependencies: int = 0
    statuses: Counter[tuple[str, bool]] = field(default_factory=Counter["tuple[str, bool]"])
    """How many tasks have which status, archived or not."""
    sample: list[str] = field(default_factory=list[str])
    """The ids of some tasks."""
    ready: Counter[tuple[str, str]] = field(default_factory=Counter["tuple[str, str]"])
    """How many tasks are ready in each lane: the kind of a lane, and its name in the queue."""
    workers: int = 0

    def tally(self) -> list[dict[str, Any]]:
        """The rows that say how many tasks have which status."""
        return [
            {"project": "default", "status": status, "archived": archived, "shard": 0, "tasks": count}
            for (status, archived), count in self.statuses.items()
        ]

    def fullest_lanes(self) -> dict[str, str]:
        """Of each kind the lane with the most ready tasks."""
        return {kind: lane for (kind, lane), _ in reversed(self.ready.most_common())}

    def by_status(self) -> dict[str, int]:
        """How many tasks have which status."""
        counts: Counter[str] = Counter()
        for (status, _), count in self.statuses.items():
            counts[status] += count
        return dict(counts.most_common())


def seed_fleet(target: str | os.PathLike[str], tasks: int, *, seed: int = 1) -> Fleet:
    """Make a board of so many tasks (in whole plans of twenty, at least ten) on an empty database."""
    lots, now = random.Random(seed), datetime.now(UTC)
    plans = max(10, tasks // SIZE)
    fleet = Fleet(str(target), plans * SIZE)
    crew, people = recruit(tasks, now, lots)
    fleet.workers = len(crew.workers)
    swarm = open_swarm(target)
    with swarm.writing() as db:  # a single one: ids fall all over the indexes, and each commit would write them anew
        if not db.is_postgres:
            db.driver.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        store(db, people)
        for rows in batches(plans, crew, now, lots):
            _count(fleet, rows, lots)
            store(db, rows)
        store(db, {tables.tally: fleet.tally()})
    swarm.close()
    return fleet


def _count(fleet: Fleet, rows: Rows, lots: random.Random) -> None:
    """Note what is about to be stored."""
    for row in rows[tables.task]:
        fleet.statuses[row["status"], row["archived_at"] is not None] += 1
        if row["status"] == "pending":
            fleet.ready[_lane_of(row)] += 1
    fleet.dependencies += len(rows[tables.dependency])
    ids = [row["id"] for row in rows[tables.task]]
    fleet.sample += lots.sample(ids, k=max(1, len(ids) * SAMPLE // fleet.tasks))


def _lane_of(row: dict[str, Any]) -> tuple[str, str]:
    if row.get("assignee_id"):
        return "an agent", row["assignee_id"]
    if row.get("pool_team_id"):
        return "a team", row["pool_team_id"]
    return ("a specialty", f"specialty:{row['pool_specialty']}") if row.get("pool_specialty") else ("anyone", "")


def batches(plans: int, crew: Crew, now: datetime, lots: random.Random) -> Iterator[Rows]:
    """Draw all plans, some at a time; the same seed draws the same."""
    parents: list[str] = []
    for start in range(0, plans, BATCH):
        rows: Rows = {table: [] for table in OF_TASKS}
        for number in range(start, min(plans, start + BATCH)):
            plan = Plan(number, plans, parents, lots)
            for task in plan.tasks:
                _Telling(plan, task, crew, now - timedelta(days=30) + timedelta(seconds=number), lots).add(rows, now)
            _ask_about(plan, crew, now, rows, lots)
        yield rows


def _ask_about(plan: Plan, crew: Crew, now: datetime, rows: Rows, lots: random.Random) -> None:
    """A message about the plan, which a worker has read or not."""
    message = plan.number + 1
    about = {"project": "default", "task_id": plan.tasks[0].id, "at": now}
    words = " ".join(lots.choices(WORDS, k=8))
    rows[tables.message].append({"id": message, "sender_id": crew.director, "type": "message", "text": words, **about})
    state = "read" if plan.phase is Phase.FINISHED else "new"
    rows[tables.inbox].append({"agent_id": lots.choice(crew.workers), "message_id": message, "state": state, **about})


class _Telling:
    """The rows of one task: what it is, and how it came to be so."""

    def __init__(self, plan: Plan, task: Task, crew: Crew, at: datetime, lots: random.Random) -> None:
        self.plan, self.task, self.lots = plan, task, lots
        self.at = at + timedelta(milliseconds=task.place)
        self.lead = crew.director
        self.place: Place = crew.place(lots)
        self.events: list[dict[str, Any]] = []
        self.columns: dict[str, Any] = {}

    def add(self, rows: Rows, now: datetime) -> None:
        """Put them to the others."""
        task, place = self.task, self.place
        self._create()
        worked = task.status in {"completed", "in_progress", "failed"}
        if task.hold:
            self._change("held", self.lead, {"hold_reason": "Wait for the order.", "hold_by_id": self.lead})
        if worked:
            self._work()
        elif task.status == "cancelled":
            self._change("cancelled", self.lead, {"status": "cancelled"})
        if self.plan.archived:
            self._change("archived", self.lead, {"archived_at": self.at + timedelta(days=1)})
        rows[tables.task].append(self.columns | self._derived(now))
        rows[tables.event] += self.events
        rows[tables.dependency] += [
            {"task_id": task.id, "depends_on_id": other, "type": "blocks", "created_at": self.at}
            for other, _ in task.blockers
        ]
        if task.place % 4 == 0:
            done = {"outcome": "met", "evidence": "seen", "evaluated_at": self.at} if task.status == "completed" else {}
            rows[tables.criterion].append({"task_id": task.id, "position": 1, "text": self._words(5), **done})
        if place.columns:
            rows[tables.delegation].append(self._delegation())
        if worked:
            rows[tables.execution].append(self._execution())
            part = {"task_id": task.id, "agent_id": place.worker, "joined_at": self.at}
            rows[tables.participant].append(part)

    def _create(self) -> None:
        task = self.task
        waiting = task.status in {"pending", "blocked"}
        due = self.at + timedelta(days=60) if self.lots.random() < 0.1 else None  # noqa: PLR2004 - every tenth
        self.columns = {"project": "default", "id": task.id, "version": 0}
        self._change(
            "created",
            self.lead,
            {
                "title": self._words(6).capitalize(),
                "description": self._words(12),
                "parent_id": task.parent.id if task.parent is not None else None,
                "status": task.status if waiting else "pending",
                "priority": "critical" if task.status == "blocked" else self.lots.choice(READY_PRIORITIES),
                "creator_id": self.lead,
                "delegator_id": self.lead if self.place.columns else None,
                "deadline": due,
                **self.place.columns,
            },
            {"edges": {"added": [f"blocks:{other}" for other, _ in task.blockers]}} if task.blockers else {},
        )
        self.columns |= {"created_at": self.at, "due": due or END_OF_TIME, "completion_summary": ""}

    def _work(self) -> None:
        task, worker = self.task, self.place.worker
        claimed = {"status": "in_progress", "holder_id": worker, "worker_id": worker, "attempt": 1}
        self._change("claimed", worker, {**claimed, "started_at": self.at})
        if task.status == "in_progress":
            return
        result: dict[str, Any] = {"status": task.status, "holder_id": None, "completion_summary": self._words(6)}
        if task.status == "completed":
            result["completed_at"] = self.at + timedelta(hours=1)
        else:
            result["error"] = "It did not work."
        self._change(task.status, worker, result)

    def _change(self, kind: str, by: str, values: dict[str, Any], more: dict[str, Any] | None = None) -> None:
        """Set columns, and tell the ledger."""
        first = kind == "created"
        told = {
            name: [None if first else plain(self._present(name)), plain(value)]
            for name, value in values.items()
            if not (first and value is None)
        }
        self.columns |= values
        self.columns["version"] += 1
        told |= more or {}
        self.events.append(
            {"at": self.at, "project": "default", "kind": kind, "task_id": self.task.id, "agent_id": by,
             "version": self.columns["version"], "data": told},
        )  # fmt: skip

    def _present(self, name: str) -> Any:
        """A column as it is before a change."""
        default = tables.task.c[name].default if name in VERSIONED else None
        return self.columns.get(name, default.arg if default is not None else None)  # pyright: ignore[reportAttributeAccessIssue]

    def _derived(self, now: datetime) -> dict[str, Any]:
        task = self.task
        low, high = task.ranks
        base = (self.plan.number + 1) << 30
        gates = task.gates
        lease: dict[str, Any] = {}
        if task.status == "in_progress":
            lease = {"lease_until": now + LEASE, "lease_minutes": int(LEASE.total_seconds() / 60)}
        return {
            "updated_at": self.at, "waits": task.own_waits + gates, "gates": gates, "subtasks": task.subtasks,
            "open_subtasks": task.open_subtasks, "rank": base + low, "end_rank": base + high,
            "archived_at": self.columns.get("archived_at"), **lease,
        }  # fmt: skip

    def _delegation(self) -> dict[str, Any]:
        names = {"assignee_id": "to_agent_id", "pool_team_id": "to_team_id", "pool_specialty": "to_specialty"}
        over = self.plan.phase is Phase.FINISHED or self.task.status in {"completed", "failed"}
        return {
            "id": draw_uuid(self.lots), "task_id": self.task.id, "from_id": self.lead, "at": self.at,
            "state": "done" if over else "accepted" if self.task.status == "in_progress" else "offered",
            **{names[name]: value for name, value in self.place.columns.items()},
        }  # fmt: skip

    def _execution(self) -> dict[str, Any]:
        status = self.task.status
        running = status == "in_progress"
        return {
            "id": draw_uuid(self.lots), "task_id": self.task.id, "attempt": 1, "agent_id": self.place.worker,
            "started_at": self.at, "ended_at": None if running else self.at + timedelta(hours=1),
            "status": "running" if running else status, "success": None if running else status == "completed",
        }  # fmt: skip

    def _words(self, count: int) -> str:
        return " ".join(self.lots.choices(WORDS, k=count))
