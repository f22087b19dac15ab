"""Boards of any size, made quickly: rows in bulk, as long real work would have left them.

Two fifths of the tasks are finished. Of the others about a third is ready and of medium priority,
and a third is critical but blocked: a queue that looked at blocked tasks before it came to ready
ones would pay for it here.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from swarm_mcp.model import ids
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository.indexing import index_everything
from swarm_mcp.repository.tables import (
    AgentRow,
    CriterionRow,
    DependencyRow,
    EventRow,
    ExecutionRow,
    InboxRow,
    MessageRow,
    ProgressRow,
    TallyRow,
    TaskRow,
)

if TYPE_CHECKING:
    from pathlib import Path

    from swarm_mcp.repository.database import Transaction

AGENT = "bench"
WORKERS, FOR_EACH_WORKER, MOST_WORKERS = 16, 40, 500
"""Agents: one for so many tasks, but at least and at most so many; every twentieth leads the nineteen after it."""
FOR_EACH_MESSAGE, MOST_MESSAGES = 4, 5000
RARE = 20_000
"""How many words there are that only a few tasks have."""
GROUP = 20
"""A parent and nineteen subtasks: six finished, six ready, seven waiting for those that are ready."""
READY, BLOCKED = range(7, 13), range(13, 20)
FINISHED_SHARE = 0.4
BATCH = 500
SAMPLE = 1000
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
WORDS = ("parse", "render", "index", "cache", "queue", "token", "upload", "report", "export", "sync", "retry")

Rows = dict[type[Any], list[dict[str, Any]]]


@dataclass
class Board:
    """A seeded board, and the ids of some of its tasks."""

    path: Path
    tasks: int
    sample: list[str] = field(default_factory=list[str])
    rare: str = ""
    """A word that few of them have."""


@dataclass
class Group:
    """One parent and its subtasks, on their way into the tables."""

    number: int
    finished: bool
    now: datetime
    workers: list[str]
    words: random.Random
    rows: Rows

    def add(self) -> None:
        """Put the rows of the group to the others."""
        task_ids = [ids.new_task_id() for _ in range(GROUP)]
        states = [self._state(place) for place in range(GROUP)]
        for place, task_id in enumerate(task_ids):
            waits_for = [task_ids[self.words.choice(READY)]] if states[place] == "blocked" and place else []
            self._add_task(place, task_id, states, task_ids[0] if place else None, len(waits_for))
            self._add_criterion(task_id, done=states[place] == "completed")
            self._add_history(task_id, done=states[place] == "completed")
            self.rows[DependencyRow] += [
                {"task_id": task_id, "depends_on_id": other, "type": "blocks", "created_at": self.now}
                for other in waits_for
            ]

    def _state(self, place: int) -> str:
        if self.finished or place in range(1, 7):
            return "completed"
        return "pending" if place in READY else "blocked"

    def _add_task(self, place: int, task_id: str, states: list[str], parent: str | None, waits: int) -> None:
        state = states[place]
        done = state == "completed"
        rare = f"{RARE + self.words.randrange(RARE):x}er"
        # Ranked so that parents enclose their subtasks, and blockers finish before waiters start.
        low = (self.number + 1) << 30
        rank, end_rank = (low + (place << 22), low + (place << 22) + (1 << 21)) if place else (low, low + (1 << 29))
        worker = self.words.choice(self.workers)
        self.rows[TaskRow].append(
            {
                "id": task_id,
                "project": "default",
                "title": " ".join(self.words.choices(WORDS, k=6)).capitalize(),
                "description": " ".join([*self.words.choices(WORDS, k=40), rare]),
                "parent_id": parent,
                "status": state,
                "priority": "critical" if state == "blocked" else "medium",
                "attempt": int(done),
                "worker_id": worker if done else None,
                "version": 3 if done else 1,
                "completion_summary": " ".join(self.words.choices(WORDS, k=20)) if done else "",
                "created_at": self.now,
                "updated_at": self.now,
                "started_at": self.now if done else None,
                "completed_at": self.now if done else None,
                "due": END_OF_TIME,
                "waits": waits,
                "subtasks": 0 if place else GROUP - 1,
                "open_subtasks": 0 if place else GROUP - 1 - states[1:].count("completed"),
                "rank": rank,
                "end_rank": end_rank,
            }
        )

    def _add_criterion(self, task_id: str, *, done: bool) -> None:
        words = " ".join(self.words.choices(WORDS, k=5))
        self.rows[CriterionRow].append(
            {
                "task_id": task_id,
                "position": 1,
                "text": words,
                "outcome": "met" if done else "open",
                "evidence": "seen" if done else "",
                "evaluated_at": self.now if done else None,
            }
        )

    def _add_history(self, task_id: str, *, done: bool) -> None:
        kinds = ["created", "claimed", "completed"] if done else ["created"]
        self.rows[EventRow] += [
            {
                "at": self.now,
                "project": "default",
                "kind": kind,
                "task_id": task_id,
                "version": version,
                "data": {},
            }
            for version, kind in enumerate(kinds, start=1)
        ]
        if done:
            agent = self.words.choice(self.workers)
            self.rows[ExecutionRow].append(
                {
                    "id": ids.new_uuid(),
                    "task_id": task_id,
                    "attempt": 1,
                    "agent_id": agent,
                    "started_at": self.now,
                    "ended_at": self.now,
                    "status": "completed",
                    "success": True,
                }
            )
            self.rows[ProgressRow].append(
                {"task_id": task_id, "agent_id": agent, "percent": 50, "message": "half way", "at": self.now}
            )


def seed(path: Path, tasks: int) -> Board:
    """Make a board of about so many tasks (whole groups of 20) at a path where there is none."""
    board = Board(path, tasks)
    words = random.Random(tasks)
    groups = max(1, tasks // GROUP)
    swarm = open_swarm(path)
    with swarm.writing(agent=AGENT) as db:  # which makes the first one the root director
        workers = _insert_workers(db, tasks)
        tally: dict[str, int] = {}
        for start in range(0, groups, BATCH):
            rows: Rows = {
                table: [] for table in (TaskRow, DependencyRow, CriterionRow, EventRow, ExecutionRow, ProgressRow)
            }
            for number in range(start, min(start + BATCH, groups)):
                now = db.now - timedelta(days=300) + timedelta(minutes=number)
                Group(number, number < groups * FINISHED_SHARE, now, workers, words, rows).add()
            for row in rows[TaskRow]:
                tally[row["status"]] = tally.get(row["status"], 0) + 1
            made = [row["id"] for row in rows[TaskRow]]
            board.rare = rows[TaskRow][-1]["description"].split()[-1]
            board.sample += words.sample(made, k=max(1, len(made) * min(SAMPLE, tasks) // tasks))
            _insert(db, rows)
        counts = [
            {"project": "default", "status": status, "archived": False, "shard": 0, "tasks": count}
            for status, count in tally.items()
        ]
        db.execute(insert(TallyRow), counts)
        _insert_messages(db, board, workers, words)
        index_everything(db)
    swarm.close()
    return board


def _insert_workers(db: Transaction, tasks: int) -> list[str]:
    rows: list[dict[str, Any]] = []
    for number in range(min(MOST_WORKERS, max(WORKERS, tasks // FOR_EACH_WORKER))):
        leader = rows[number - number % GROUP] if number % GROUP else None
        rows.append(
            {
                "id": ids.new_uuid(),
                "project": "default",
                "name": f"worker_{number}",
                "role": "worker" if leader else "supervisor",
                "superior_id": leader["id"] if leader else db.actor.id,
                "level": 2 if leader else 1,
                "created_at": db.now,
                "updated_at": db.now,
            }
        )
    db.execute(insert(AgentRow), rows)
    return [row["id"] for row in rows]


def _insert_messages(db: Transaction, board: Board, workers: list[str], words: random.Random) -> None:
    """Every message is about a task and from one worker to another, who has not read it yet."""
    first = 100  # the board may have said something itself
    messages: list[dict[str, Any]] = [
        {
            "id": first + number,
            "project": "default",
            "task_id": words.choice(board.sample),
            "sender_id": words.choice(workers),
            "type": "message",
            "text": " ".join(words.choices(WORDS, k=30)),
            "at": db.now,
        }
        for number in range(min(MOST_MESSAGES, board.tasks // FOR_EACH_MESSAGE))
    ]
    copies = [
        {
            "project": "default",
            "agent_id": words.choice(workers),
            "message_id": row["id"],
            "task_id": row["task_id"],
            "at": db.now,
            "state": "new",
        }
        for row in messages
    ]
    if messages:
        db.execute(insert(MessageRow), messages)
        db.execute(insert(InboxRow), copies)


def _insert(db: Transaction, rows: Rows) -> None:
    for table, values in rows.items():
        if values:
            db.execute(insert(table), values)
