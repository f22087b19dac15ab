"""A board as a store of Task Orchestrator: rows as they come, so that memory does not grow with them."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import tarfile
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.exporting import Exported, Wanted
from swarm_mcp.interchange.foreign.task_orchestrator_phases import TAG, phase_name
from swarm_mcp.interchange.foreign.task_orchestrator_row import NOBODY
from swarm_mcp.interchange.foreign.task_orchestrator_sharing import OURS
from swarm_mcp.interchange.writing.task_orchestrator import schema
from swarm_mcp.interchange.writing.task_orchestrator.sharing import SOMEBODY, Event, Shared, markdown, shared
from swarm_mcp.interchange.writing.task_orchestrator.words import PRIORITIES, STATUSES
from swarm_mcp.model.lifecycle import CLAIMED, Priority, TaskStatus
from swarm_mcp.model.task import EdgeType
from swarm_mcp.repository import agents, belongings, graph, teams, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from swarm_mcp.repository.belongings import Belongings
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

FORMAT = "task-orchestrator"
AGENTS = ("agent_id", "by_id", "sender_id")
PRAGMAS = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE")
"""The file has a temporary name, and is synced as a whole when it is done."""


def write(db: Transaction, path: Path, wanted: Wanted, told: Callable[[int], None]) -> Exported:
    """Make the folder: every task with all that belongs to it, archived ones with an archive."""
    for folder in (path, path / "contexts", path / "notes", path / "archives"):
        folder.mkdir()
    with closing(sqlite3.connect(path / "tasks.db", isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(schema.TABLES)
        connection.execute("BEGIN")
        store = _Store(db, path, wanted, connection)
        for rows in belongings.batches(db, root=wanted.task, since=wanted.since):
            store.take(rows)
            told(len(rows))
        store.finish()
        connection.execute("COMMIT")
        connection.executescript(schema.INDEXES)
    return store.report()


class _Store:
    """A store while it is written."""

    def __init__(self, db: Transaction, path: Path, wanted: Wanted, connection: sqlite3.Connection) -> None:
        self.db = db
        self.path = path
        self.root = wanted.task
        self.connection = connection
        self.counts: Counter[str] = Counter()
        self.tasks = 0
        self.phases: dict[str, int] = {}
        """The names of the phases that occur, with the lowest number of each."""

    def take(self, rows: list[Row]) -> None:
        """Write some tasks."""
        ids = [row.id for row in rows]
        found = belongings.belongings(self.db, ids)
        names = self._names(rows, found)
        gone = {row.id for row in rows if row.archived_at is not None}
        tasks, beside = [], []
        for row in rows:
            about = shared(
                row.id, found.context.get(row.id, ()), found.progress.get(row.id, ()),
                found.messages.get(row.id, ()), names,
            )  # fmt: skip
            self._put_shared(row, about, list(markdown(found.notes.get(row.id, ()), names)))
            inherited = self._put_edges(row, found.edges.get(row.id, []))
            more = self._beside(row, found.edges.get(row.id, []), inherited)
            phase = self._phase(row)
            tasks.append(_columns(row, found, names, about.intent, phase))
            if more:
                beside.append((row.id, json.dumps(more, ensure_ascii=False)))
        self._put("tasks", tasks)
        self._put("swarm_tasks", beside)
        self._put("participants", [
            (row.task_id, names.get(row.agent_id, SOMEBODY), row.role or None, row.joined_at.isoformat())
            for each in found.participants.values() for row in each
        ])  # fmt: skip
        self._put("notifications", [
            (names.get(row.agent_id), row.task_id, row.kind, row.text, row.at.isoformat(), int(row.state == "read"))
            for each in found.notices.values() for row in each
        ])  # fmt: skip
        self.tasks += len(rows)
        self.counts["archives"] += len(gone)

    def _put(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self.connection.executemany(schema.insert(table), rows)

    def _names(self, rows: list[Row], found: Belongings) -> dict[str | None, str]:
        """The names of everybody who occurs; of teams and specialties, how an assignee is written."""
        people = {each for row in rows for each in (row.assignee_id, row.holder_id, row.creator_id)}
        for kind in found:
            for belonging in kind.values():
                people.update(getattr(row, name, None) for row in belonging for name in AGENTS)
        pools = teams.team_names(self.db, {row.pool_team_id for row in rows})
        return agents.agent_names(self.db, people) | {team: f"team:{name}" for team, name in pools.items()}

    def _put_edges(self, row: Row, edges: list[Row]) -> list[str]:
        """Write what a task waits for; what it waits for because a task above it does.

        That program knows no hierarchy: there, a task waits for its parts, and a part for what those above wait for.
        """
        own = [each.depends_on_id for each in edges if each.type == EdgeType.BLOCKS]
        inherited: list[str] = []
        if row.gates:
            above = [each.id for each in tree.ancestors(self.db, row.id)]
            blocking = (each.id for found in graph.blockers(self.db, above).values() for each in found)
            inherited = [each for each in dict.fromkeys(blocking) if each not in own]
        waits = [(row.id, each) for each in (*own, *inherited)]
        if row.parent_id and row.id != self.root and row.status != TaskStatus.CANCELLED:
            waits.append((row.parent_id, row.id))
        self._put("dependencies", waits)
        self.counts["dependencies"] += len(own)
        return inherited

    def _beside(self, row: Row, edges: list[Row], inherited: list[str]) -> dict[str, Any]:
        """What the columns cannot say."""
        word = STATUSES[TaskStatus(row.status)]
        phased = self._phase_tag(row)
        said: dict[str, Any] = {
            "parent": row.parent_id if row.id != self.root else None,
            "tags": [each for each in row.tags if each != phased],
            "complexity": row.complexity,
            "task_type": row.task_type,
            "area": row.area,
            "archived": row.archived_at is not None,
            "started_at": _at(row.started_at),
            "relations": [f"{each.type}:{each.depends_on_id}" for each in edges if each.type != EdgeType.BLOCKS],
            "inherited": inherited,
        }
        said = {key: value for key, value in said.items() if value}
        if row.phase or phased:
            said["phase"] = row.phase or 0
        if row.status != word or row.hold_reason or row.source_status not in {"", word}:
            said |= {"exported": word, "status": row.status, "source_status": row.source_status}
            said |= {"hold": row.hold_reason} if row.hold_reason else {}
        return said

    def _phase_tag(self, row: Row) -> str:
        return next(
            (each for each in row.tags if (name := each.removeprefix(TAG).strip()) and each == f"{TAG}{name}"), ""
        )

    def _phase(self, row: Row) -> str | None:
        """The id of the phase that a task is in."""
        name = self._phase_tag(row).removeprefix(TAG) or (phase_name(row.phase) if row.phase else "")
        if not name:
            return None
        number = row.phase or len(self.phases) + 1_000
        self.phases[name] = min(self.phases.get(name, number), number)
        return name

    def finish(self) -> None:
        """Write the phases that occurred, in their order; no task waits that was not written itself."""
        self.connection.execute("DELETE FROM dependencies WHERE task_id NOT IN (SELECT id FROM tasks)")
        self._put("phases", [(name, name) for name in sorted(self.phases, key=lambda each: (self.phases[each], each))])

    def _put_shared(self, row: Row, about: Shared, notes: list[tuple[str, str]]) -> None:
        """Write what is shared and noted; what an archived task's agents noted goes into its archive."""
        events = list(about.events)
        if row.hold_reason:
            events.append(Event(SOMEBODY, "update", f"On hold: {row.hold_reason}", f"{OURS}hold", _at(row.updated_at)))
        self._put(
            "collaboration_events",
            [(row.id, each.agent, each.kind, each.content, each.request, each.at) for each in events],
        )
        for name, text in ((f"{row.id}.yaml", about.yaml), (f"{row.id}_progress.jsonl", about.progress)):
            if text:
                (self.path / "contexts" / name).write_text(text, encoding="utf-8", newline="\n")
        files = {f"{row.id}_{author}.md": text for author, text in notes}
        if row.archived_at is not None:
            _archive(self.path / "archives", row, events, files)
        else:
            for name, text in files.items():
                (self.path / "notes" / name).write_text(text, encoding="utf-8", newline="\n")
        self.counts["shared"] += len(about.events)
        self.counts["notes"] += len(files)

    def report(self) -> Exported:
        """What was written."""
        edges = self.counts["dependencies"]
        count = f"{self.tasks:,} {'task' if self.tasks == 1 else 'tasks'}"
        how = f" with {edges:,} {'dependency' if edges == 1 else 'dependencies'}" if edges else ""
        return Exported(
            message=f"Wrote {count}{how} as a store of Task Orchestrator.",
            format=FORMAT,
            tasks=self.tasks,
            counts={name: count for name, count in self.counts.items() if count},
        )


def _columns(row: Row, found: Belongings, names: Any, intent: str, phase: str | None) -> tuple[Any, ...]:
    """A row of `tasks`."""
    criteria = [
        {"criterion": each.text} | ({"measurable": each.measurable} if each.measurable else {})
        for each in found.criteria.get(row.id, ())
    ]
    rated = found.feedback.get(row.id, ())
    rating = rated[-1] if rated else None
    return (
        row.id, row.title, row.description or None, STATUSES[TaskStatus(row.status)],
        PRIORITIES[Priority(row.priority)], _assignee(row, names),
        names.get(row.creator_id, NOBODY), _at(row.created_at), _at(row.updated_at),
        _at(row.completed_at), json.dumps(criteria, ensure_ascii=False) if criteria else None,
        rating.quality if rating else None, rating.timeliness if rating else None,
        (rating.notes or None) if rating else None, row.completion_summary or None, _at(row.deadline),
        _hours(row.estimated_hours), _hours(row.actual_hours), intent or None, phase,
    )  # fmt: skip


def _assignee(row: Row, names: Any) -> str | None:
    """Whose it is: an agent's, or a pool's, which an agent may hold meanwhile."""
    if row.assignee_id:
        return names[row.assignee_id]
    if row.status in CLAIMED and row.holder_id:
        return names[row.holder_id]
    return names.get(row.pool_team_id) or (f"specialty:{row.pool_specialty}" if row.pool_specialty else None)


def _at(moment: datetime | None) -> Any:
    return moment.isoformat() if moment is not None else None


def _hours(hours: Any) -> float | None:
    return float(hours) if hours is not None else None


def _archive(folder: Path, row: Row, events: list[Event], notes: dict[str, str]) -> None:
    """What that program packs away when a task is completed, byte by byte the same each time."""
    stem = f"task_{row.id}_{row.archived_at:%Y%m%d_%H%M%S}"
    said = [{"agent": each.agent, "timestamp": each.at, "type": each.kind, "content": each.content}
            | ({"request_id": each.request} if each.request else {}) for each in events]  # fmt: skip
    files = {f"notes/{name}": text for name, text in notes.items()}
    if said:
        files["context.json"] = json.dumps({"task_id": row.id, "contributions": said}, indent=2, ensure_ascii=False)
    moment = int(row.archived_at.timestamp())
    with (
        (folder / f"{stem}.tar.gz").open("wb") as target,
        gzip.GzipFile(filename="", fileobj=target, mode="wb", mtime=moment) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name, text in files.items():
            data = text.encode()
            member = tarfile.TarInfo(f"{stem}/{name}")
            member.size, member.mtime = len(data), moment
            tar.addfile(member, io.BytesIO(data))
