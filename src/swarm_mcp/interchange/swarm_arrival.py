"""Tasks of a board that is imported, and all that belongs to them: what is new is stored, batch by batch."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.swarm_lines import REFERRING, moved
from swarm_mcp.interchange.swarm_taskless import Taskless
from swarm_mcp.model.errors import Conflict
from swarm_mcp.operations import moves
from swarm_mcp.repository import graph, indexing, loading, references, tasks
from swarm_mcp.repository.kinds import KINDS, Field
from swarm_mcp.repository.loading import Misfit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swarm_mcp.interchange.swarm_people import People
    from swarm_mcp.interchange.swarm_source import Line, Source
    from swarm_mcp.repository.database import Transaction

SHOWN = 5
MOST_NUMBER = 1 << 53


class Arrival:
    """Rows on their way into a project."""

    def __init__(
        self,
        db: Transaction,
        source: Source,
        people: People,
        *,
        fresh: bool,
        shifts: Mapping[str, int],
        namespace: str,
    ) -> None:
        self.db = db
        self.source = source
        self.people = people
        self.fresh = fresh
        """Whether the project was empty."""
        self.shifts = shifts
        self.prefix = f"{namespace}/" if namespace else ""
        self.created = self.already = self.subtasks = 0
        self.statuses: Counter[str] = Counter()
        self.edges: Counter[str] = Counter()
        self.stored: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        """Rows that were left out, because what they belong to is here already."""
        self.cut: dict[str, dict[str, Any]] = {}
        """For each task what it named that is neither in the file nor here: its parent, and edges."""
        self.taskless = Taskless(db)

    def take(self, kind: str, batch: list[Line]) -> None:
        """Store what is new of a batch."""
        fields = KINDS[kind].fields
        self._find_people(kind, fields, batch)
        if kind == "task":
            news = self._new_tasks(batch)
        else:
            news = self._belonging(kind, batch)
            self.left[kind] += len(batch) - len(news)
        try:
            loading.insert_rows(self.db, kind, news)
        except Misfit as misfit:
            words = f"this {kind} contradicts itself, or another line, or something on this board."
            self.source.refuse(words, news[misfit.place].number)
        self.stored[kind] += len(news)
        if kind == "message" and news:
            indexing.add_messages(self.db, news)
        if kind == "dependency":
            self.edges.update(line["type"] for line in news)
        if kind == "task":
            self._count(news)
            if not self.fresh:
                loading.note_loaded(self.db, news)

    def _find_people(self, kind: str, fields: tuple[Field, ...], batch: list[Line]) -> None:
        named = [field.name for field in fields if field.refers in {"agent", "team"}]
        document = REFERRING.get(kind)
        for line in batch:
            for name in named:
                line[name] = self.people.here(line, name)
            if document and self.people.changed and line[document]:
                line[document] = _renamed(line[document], self.people.changed)

    def _count(self, news: list[Line]) -> None:
        self.created += len(news)
        for line in news:
            self.subtasks += line["parent_id"] is not None
            self.statuses[line["status"]] += 1
            tasks.count_status(self.db, line["status"], 1, archived=line["archived_at"] is not None)

    # Tasks.

    def _new_tasks(self, batch: list[Line]) -> list[Line]:
        mentioned = [line[name] for line in batch for name in ("id", "parent_id") if line[name]]
        here = loading.found(self.db, "task", mentioned, "project", "created_at")
        came = loading.found(self.db, "loaded", mentioned)
        news: dict[str, Line] = {}
        taken: list[str] = []
        for line in batch:
            task = line["id"]
            if task in came or task in news:
                self.source.refuse(f"the task {task} is there twice.", line.number)
            elif task not in here:
                news[task] = line
            elif here[task][0] == self.db.project.slug and _moment(here[task][1]) == line["created_at"]:
                self.already += 1
            else:
                taken.append(task)
        if taken:
            raise Conflict(
                f"Nothing was imported: {', '.join(taken[:SHOWN])}{' …' if len(taken) > SHOWN else ''} "
                f"{'is another task' if len(taken) == 1 else 'are other tasks'} of this database already "
                f"(of the project {here[taken[0]][0]}), and an id belongs to one task.",
                tasks=taken[:SHOWN],
            )
        for line in news.values():
            if abs(line["rank"]) > graph.TOP or abs(line["end_rank"]) > graph.TOP:
                self.source.refuse(f"`rank` and `end_rank` are at most {graph.TOP:,}.", line.number)
            above = line["parent_id"]
            if above and above not in news and not self._is_here(above, here):
                if not self.source.is_part:
                    self.source.refuse(f"there is no task {above[:40]} above it.", line.number)
                self.cut.setdefault(line["id"], {})["parent"] = above
                line["parent_id"] = None
        return list(news.values())

    def _is_here(self, task: str, found: Mapping[str, tuple[Any, ...]]) -> bool:
        return task in found and found[task][0] == self.db.project.slug

    # What belongs to them.

    def _belonging(self, kind: str, batch: list[Line]) -> list[Line]:
        """Those rows of a batch that belong to a task that came, or to none and are new."""
        owners = [line["task_id"] for line in batch if line["task_id"]]
        came = loading.found(self.db, "loaded", owners)
        here = loading.found(self.db, "task", (each for each in owners if each not in came), "project")
        news: list[Line] = []
        for line in batch:
            owner = line["task_id"]
            if owner is None:
                if self.fresh or self.taskless.is_new(kind, line):
                    news.append(line)
            elif owner in came:
                news.append(line)
            elif not self._is_here(owner, here):
                self.source.refuse(f"there is no task {owner[:40]}.", line.number)
        take = {
            "dependency": self._edges, "external_ref": self._names, "message": self._messages, "inbox": self._copies,
            "event": self._events, "conversation": self._threads,
        }.get(kind)  # fmt: skip
        return take(news) if take is not None else news

    def _events(self, news: list[Line]) -> list[Line]:
        for line in news:
            self._number(line, "seq", "event")
            line["data"] = moved(line["data"], self.shifts)
        return news

    def _number(self, line: Line, name: str, kind: str) -> None:
        """Move a row's own number behind those of this database, where there has to be room for more after it."""
        if not 1 <= line[name] <= MOST_NUMBER:
            self.source.refuse(f"`{name}` has to be 1 to {MOST_NUMBER:,}.", line.number)
        line[name] += self.shifts[kind]

    def _threads(self, news: list[Line]) -> list[Line]:
        if self.fresh:
            return news
        taken = loading.found(self.db, "conversation", (line["id"] for line in news), "project")
        return [line for line in news if not self._is_here(line["id"], taken)]

    def _edges(self, news: list[Line]) -> list[Line]:
        here = loading.found(self.db, "task", (line["depends_on_id"] for line in news), "project")
        there: list[Line] = []
        for line in news:
            other = line["depends_on_id"]
            if self._is_here(other, here):
                there.append(line)
            elif self.source.is_part:
                self.cut.setdefault(line["task_id"], {}).setdefault("edges", []).append(f"{line['type']}:{other}")
            else:
                self.source.refuse(f"there is no task {other[:40]} to depend on.", line.number)
        return there

    def _names(self, news: list[Line]) -> list[Line]:
        """Refuse names from elsewhere that other tasks have here."""
        for line in news:
            line["foreign_id"] = f"{self.prefix}{line['foreign_id']}"
        for source in [] if self.fresh else sorted({line["source"] for line in news}):
            wanted = {line["foreign_id"]: line["task_id"] for line in news if line["source"] == source}
            for name, row in references.known_references(self.db, source, wanted).items():
                raise Conflict(
                    f"Nothing was imported: {name} ({source}) is the name of {row.task_id} here and of "
                    f"{wanted[name]} in the file. Import it with --namespace and a name of its own."
                )
        return news

    def _messages(self, news: list[Line]) -> list[Line]:
        threads = loading.found(
            self.db, "conversation", (line["conversation_id"] for line in news if line["conversation_id"]), "project"
        )
        for line in news:
            self._number(line, "id", "message")
            if line["conversation_id"] and not self._is_here(line["conversation_id"], threads):
                self._miss(line, "conversation_id")
            if line["reply_to_id"] is not None:
                line["reply_to_id"] += self.shifts["message"]
        earlier = loading.found(self.db, "message", (line["reply_to_id"] for line in news if line["reply_to_id"]))
        own = {line["id"] for line in news}
        for line in news:
            replied = line["reply_to_id"]
            if replied is not None and not self._came(replied, earlier) and replied not in own:
                self._miss(line, "reply_to_id")
        return news

    def _copies(self, news: list[Line]) -> list[Line]:
        """Copies of messages that came, and notifications."""
        for line in news:
            if line["message_id"] is not None:
                line["message_id"] += self.shifts["message"]
        there = loading.found(self.db, "message", (line["message_id"] for line in news if line["message_id"]))
        found: list[Line] = []
        for line in news:
            if line["message_id"] is None or self._came(line["message_id"], there):
                found.append(line)
            elif self.fresh and not self.source.is_part:
                self._miss(line, "message_id")
        return found

    def _came(self, message: int, there: Mapping[int, Any]) -> bool:
        """Whether a message is one of the file's, and was stored."""
        return message > self.shifts["message"] and message in there

    def _miss(self, line: Line, name: str) -> None:
        """Something is named that did not come: its task is here already, or it is not in this part of the board."""
        if self.fresh and not self.source.is_part:
            self.source.refuse(f"`{name}` names what no line before has told.", line.number)
        line[name] = None

    # What is told.

    def record_cuts(self) -> None:
        """Record what tasks named that is neither in the file nor here, so that the ledger says how they stand."""
        for task, cut in self.cut.items():
            row = tasks.task_row(self.db, task)
            data: dict[str, Any] = {"parent_id": [cut["parent"], None]} if "parent" in cut else {}
            if "edges" in cut:
                data["edges"] = {"dropped": cut["edges"]}
            moves.record_outside(self.db, row, data)

    def dangling(self) -> list[str]:
        """What was cut off, a sentence for each task."""
        found: list[str] = []
        for task, cut in self.cut.items():
            edges = [each.partition(":")[2] for each in cut.get("edges", [])]
            if "parent" in cut:
                found.append(f"{task}: it was a part of {cut['parent']}, which is not there; it stands by itself now.")
            if edges:
                found.append(f"{task}: it named {', '.join(edges)}, not there; that was left out.")
        return found

    def skipped(self) -> list[str]:
        """What was left as it is."""
        if not self.already:
            return []
        rows = sum(self.left.values())
        about = f"{rows:,} {'row' if rows == 1 else 'rows'}"
        if self.already == 1:
            return [f"1 task is here already; it was left as it is, with {about} about it."]
        return [f"{self.already:,} tasks are here already; they were left as they are, with {about} about them."]


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in value.items()}
    return [_renamed(each, names) for each in value] if isinstance(value, list) else value


def _moment(value: Any) -> str:
    return value if isinstance(value, str) else value.isoformat(timespec="microseconds")
