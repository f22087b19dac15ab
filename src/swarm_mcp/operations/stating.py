"""The importers' door: tasks come with the status that a document states, and that is recorded as such.

Nobody moved them there on this board, so the lifecycle's table is not asked, nobody is told, and no time of completion
is made up. What contradicts the rest of the board is kept as stated, and can be told (`contradictions`).

They come many at a time: what follows from parents and blockers is counted beforehand, so that a row is written once
and in batches. Where the order of the graph leaves no room for them (see `repository.graph`), they are stored one by
one, like tasks that are created here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from swarm_mcp.model.lifecycle import CLAIMED, FINISHED, SETTLED, WAITING, TaskStatus
from swarm_mcp.model.task import EdgeType
from swarm_mcp.operations import moves, placing, standing
from swarm_mcp.repository import events, graph, references, tasks, tree, work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from swarm_mcp.operations.placing import Placement
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

BATCH = 256
NEEDS_NOTHING = frozenset({TaskStatus.PENDING, TaskStatus.BLOCKED, TaskStatus.FAILED, TaskStatus.PARTIAL})
"""What a task may be called whatever stands in its way; failed and partial work leaves its parts to go on."""


@dataclass(slots=True, kw_only=True)
class Stated:
    """A task as a document states it, with the ids of whatever it refers to."""

    new: Placement
    status: TaskStatus
    """What is stated. Work that is called claimed waits instead: nobody on this board holds it."""
    word: str = ""
    """The word that the document uses."""
    hold: str = ""
    """The reason of the hold, if the status stands for one."""
    archived: bool = False
    parts: int = 0
    """How many subtasks will follow, …"""
    open_parts: int = 0
    """… and how many of them are neither completed nor cancelled."""
    columns: dict[str, Any] = field(default_factory=dict)
    """Times, hours, what was done, who created it: whatever else is stated."""
    name: str = ""
    """What it was called there."""
    raw: Mapping[str, object] = field(default_factory=dict[str, object])
    """The record as it was there."""


class Standing(NamedTuple):
    """What has to be known of a stored task by those that come after it."""

    id: str
    title: str
    status: str
    rank: int
    end_rank: int
    waits: int
    gates: int
    hold_reason: str | None
    reserved_from: None
    pool_team_id: str | None
    pool_specialty: str | None


class Intake:
    """Tasks on their way through the door. Parents and blockers come before what is below them and waits for them."""

    def __init__(
        self, db: Transaction, source: str, around: Mapping[str, Row], ranks: Mapping[str, tuple[int, int]] | None
    ) -> None:
        """Open the door.

        Args:
            db: the transaction.
            source: the format of the document.
            around: the tasks of the board that the new ones refer to.
            ranks: the place of every new one in the order, by its id; None where the order has to be mended.

        """
        self.db = db
        self.source = source
        self.around: dict[str, Any] = dict(around)
        self.ranks = ranks
        self.suspects: list[str] = []
        """The ids of those that something contradicts."""
        self._rows: list[dict[str, Any]] = []
        self._first: list[tuple[str, dict[str, Any]]] = []
        self._named: list[tuple[str, str, Mapping[str, object]]] = []
        self._edges: list[tuple[str, str, str]] = []
        self._criteria: dict[str, list[tuple[str, str]]] = {}
        self._handed: list[Stated] = []
        self._relations: list[tuple[str, str, str]] = []
        self._grown: dict[str, tuple[int, int]] = {}

    def take(self, stated: Stated) -> TaskStatus:
        """Let a task in; the status that it has here.

        Raises:
            CycleRefused: it cannot stand there.

        """
        new = stated.new
        new.stated = _columns(self.db, stated)
        self._relations += [(new.id, other, kind.value) for other, kind in new.relations]
        self._named.append((new.id, stated.name, stated.raw))
        status, waits = self._append(stated) if self.ranks is not None else self._store(stated)
        is_gated = waits and stated.status is not TaskStatus.CANCELLED  # which may happen before anything else does
        if stated.status not in NEEDS_NOTHING and (is_gated or stated.open_parts):
            self.suspects.append(new.id)
        if len(self._named) >= BATCH:
            self._flush()
        return status

    def finish(self) -> None:
        """Store what is left, and let what is new count for the parents that were there before."""
        self._flush()
        graph.insert_edges(self.db, self._relations, by=self.db.actor.id)
        for parent, (by, by_open) in self._grown.items():
            moves.turn(self.db, [tree.shift_subtasks(self.db, parent, by=by, by_open=by_open)])

    def _store(self, stated: Stated) -> tuple[TaskStatus, int]:
        """Store one where there may be no room for it."""
        row = placing.insert_new(self.db, stated.new)
        self.around[row.id] = Standing(**{name: getattr(row, name) for name in Standing._fields})
        is_shut = row.status == TaskStatus.PENDING and stated.open_parts
        return TaskStatus.BLOCKED if is_shut else TaskStatus(row.status), row.waits

    def _append(self, stated: Stated) -> tuple[TaskStatus, int]:
        """Put one into the batch."""
        new, ranks = stated.new, self.ranks or {}
        parent = self.around[new.parent] if new.parent else None
        blocking = [self.around[each] for each, _ in new.blockers]
        values = placing.columns_of_new(self.db, new, parent, blocking, ranks[new.id])
        values["subtasks"], values["open_subtasks"] = stated.parts, stated.open_parts
        if stated.open_parts and values["status"] == TaskStatus.PENDING:
            values["status"] = TaskStatus.BLOCKED.value
        status = TaskStatus(values["status"])
        if new.parent and new.parent not in ranks:
            by, by_open = self._grown.get(new.parent, (0, 0))
            self._grown[new.parent] = (by + 1, by_open + int(status not in SETTLED))
        self.around[new.id] = Standing(**{name: values[name] for name in Standing._fields})
        self._rows.append(values)
        self._first.append((new.id, placing.creation(values, new)))
        self._edges += [(new.id, other, EdgeType.BLOCKS.value) for other, _ in new.blockers]
        if new.criteria:
            self._criteria[new.id] = new.criteria
        if new.place.label:
            self._handed.append(stated)
        tasks.count_status(self.db, status, 1, archived=values["archived_at"] is not None)
        return status, values["waits"]

    def _flush(self) -> None:
        """Write the batch."""
        db = self.db
        if self._rows:
            tasks.insert_tasks(db, self._rows)
            events.insert_creations(db, "imported", db.actor.id, self._first)
            graph.insert_edges(db, self._edges, by=db.actor.id)
            work.insert_all_criteria(db, self._criteria)
        if self._named:
            references.insert_references(db, self.source, self._named)
        for stated in self._handed:
            placing.hand_over_new(db, self.around[stated.new.id], stated.new.place)
        for each in (self._rows, self._first, self._edges, self._criteria, self._named, self._handed):
            each.clear()


def _columns(db: Transaction, stated: Stated) -> dict[str, Any]:
    """The columns that a document states."""
    columns: dict[str, Any] = {"source_status": stated.word, **stated.columns}
    if stated.status not in WAITING | CLAIMED:
        columns["status"] = stated.status.value
    elif stated.hold:
        columns |= {"status": TaskStatus.BLOCKED.value, "hold_reason": stated.hold, "hold_by_id": db.actor.id}
    if stated.archived and stated.status in FINISHED:
        columns["archived_at"] = db.now
    return columns


def contradictions(db: Transaction, task_ids: Sequence[str]) -> dict[str, list[str]]:
    """What stands in the way of tasks that are said to be past that, a phrase each, by their ids."""
    return {task_id: standing.in_the_way(db, row) for task_id, row in tasks.task_rows(db, task_ids).items()}
