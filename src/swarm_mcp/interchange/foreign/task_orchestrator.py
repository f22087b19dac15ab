"""Task Orchestrator's store: `tasks.db` and the folders beside it, as `tm` 2.2, 2.3, 2.5 and 2.9 wrote them.

The documented layout is that of 2.3; 2.2 lacks eight columns and the participants, 2.9 adds `created_by`, `context`,
phases and `collaboration_events`. Tasks keep their ids. Everything that a row says beside what has a place here stays
in the task's foreign record; private notes never enter it, because everybody may read that.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from swarm_mcp.interchange.foreign import task_orchestrator_row as rows
from swarm_mcp.interchange.foreign.concluding import conclude
from swarm_mcp.interchange.foreign.document import PlanDocument, PlanItem, PlanNotice, PlanParticipant, PlanRemark
from swarm_mcp.interchange.foreign.entry import Entry, Findings
from swarm_mcp.interchange.foreign.instants import instant, instant_of
from swarm_mcp.interchange.foreign.sqlite_copy import opened
from swarm_mcp.interchange.foreign.task_orchestrator_archive import Archive, read_archive
from swarm_mcp.interchange.foreign.task_orchestrator_folder import Folder, located, owner, split_notes
from swarm_mcp.interchange.foreign.task_orchestrator_phases import Phases
from swarm_mcp.interchange.foreign.task_orchestrator_sharing import Sharing
from swarm_mcp.interchange.foreign.yaml_text import parse_yaml
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.strict_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo
    from pathlib import Path

    from swarm_mcp.interchange.foreign.sqlite_copy import Tables

Json = dict[str, object]

FORMAT = "task-orchestrator"
KNOWN = frozenset({"tasks", "dependencies", "participants", "notifications", "collaboration_events", rows.BESIDE})
KEPT_ROWS = 10_000
"""Rows of one other table that are kept with the import."""


def read(path: Path, zone: tzinfo) -> PlanDocument:
    """A store as a document: the folder, the project's folder around it, or its `tasks.db`.

    Raises:
        NotFound: there is no such file or folder.
        Invalid: it cannot be read, is no store, is damaged, or holds what no store holds; the sentence names the place.

    """
    folder, file = located(path)
    store = _Store(path.name or path.resolve().name, folder, zone)
    with opened(file) as tables:
        store.take(tables)
    for gather in (store.notes, store.contexts, store.archives, store.templates):
        gather()
    if path.is_dir():
        folder.others()
    return store.document()


class _Store:
    """A store while it is read."""

    def __init__(self, name: str, folder: Folder, zone: tzinfo) -> None:
        self.name = name
        self.folder = folder
        self.findings = Findings()
        self.zone = zone
        self.entries: dict[str, Entry] = {}
        self.ids: dict[str, str] = {}
        """The refs by the ids that files are named for."""
        self.sharing: dict[str, Sharing] = {}
        self.edges: dict[str, list[str]] = defaultdict(list)
        self.people: dict[str, list[PlanParticipant]] = defaultdict(list)
        self.notices: dict[str, list[PlanNotice]] = defaultdict(list)
        self.private: dict[str, list[PlanRemark]] = defaultdict(list)
        self.events: dict[str, list[Json]] = defaultdict(list)
        self.more: dict[str, Json] = defaultdict(dict)
        """What else is said about a task, for its foreign record."""
        self.packed: list[Archive] = []
        self.archived: set[str] = set()
        self.raw: Json = {}
        self.phases = Phases()
        self.said: dict[str, Json] = {}
        """What an export of ours said beside the columns."""

    def take(self, tables: Tables) -> None:
        """Take everything that the database says."""
        if not {"id", "title"} <= set(tables.columns.get("tasks", ())):
            raise Invalid(
                f"`{tables.name}` is no store of Task Orchestrator: it has no table of tasks with id and title."
            )
        version = "2.9" if "collaboration_events" in tables.columns else "2.3"
        self.raw["schema"] = version if "success_criteria" in tables.columns["tasks"] else "2.2"
        self._tasks(tables)
        self._unpack()
        for entry, each in self._beside(tables, "dependencies"):
            self.edges[entry.ref].append(str(each.get("depends_on") or "").strip())
        for entry, each in self._beside(tables, "participants"):
            at = instant_of(replace(entry, values=each), "joined_at", self.zone)
            agent, role = str(each.get("agent_id") or "").strip(), str(each.get("role") or "").strip()
            self.people[entry.ref].append(PlanParticipant(agent=agent, role=role, joined_at=at))
        for entry, each in self._beside(tables, "notifications"):
            self.notices[entry.ref].append(rows.notice(replace(entry, values=each), self.zone))
        for entry, each in self._beside(tables, "collaboration_events"):
            self.events[entry.ref].append(rows.contribution(each))
        self.phases.take(tables, self.findings)
        for table in sorted(set(tables.columns) - KNOWN):
            self._other(tables, table)
        if tables.unclean:
            self.findings.guessed.append(f"What cannot be stored became \ufffd in {tables.unclean:,} of its texts.")

    def _tasks(self, tables: Tables) -> None:
        """Make the entries, parents before their parts."""
        self.said = {str(each.get("task_id")): rows.said(each) for each in tables.rows(rows.BESIDE)}
        values: dict[str, Json] = {}
        for n, row in enumerate(tables.rows("tasks"), 1):
            ref = str(row["id"]).strip() if row["id"] is not None else ""
            nameless = Entry("", row, tables.name, f"row {n} of `tasks`", self.findings)
            if not 0 < len(ref) <= rows.ID_LIMIT:
                nameless.refuse(f"its id should have 1 to {rows.ID_LIMIT} characters")
            if ref in values:
                nameless.refuse(f"its id `{ref[:40]}` is that of another task")
            values[ref] = row
        depths: dict[str, int] = {}
        for ref, parent in rows.in_order(values, self.said):
            entry = Entry(ref, values[ref], tables.name, f"task {ref}", self.findings, self.entries.get(parent))
            if parent and entry.parent is None:
                entry.guess(f"its parent {parent[:40]} is not there, or a part of it; it stands by itself")
            depths[ref] = depths.get(parent, 0) + 1
            if depths[ref] > rows.NESTING_LIMIT:
                entry.refuse("it is nested too deeply")
            self.entries[ref] = entry
            self.ids[ref] = ref
            self.sharing[ref] = Sharing(entry, self.zone)

    def _beside(self, tables: Tables, table: str) -> Iterator[tuple[Entry, Json]]:
        """The rows of a table about tasks; those about a task that is not there are reported."""
        lost = 0
        for each in tables.rows(table):
            entry = self.entries.get(str(each.get("task_id") or "").strip())
            if entry is None:
                lost += 1
            else:
                yield entry, each
        if lost:
            what = "1 row is" if lost == 1 else f"{lost:,} rows are"
            self._skip(f"`{table}`: {what} about no task that is there, and was left out.")

    def _other(self, tables: Tables, table: str) -> None:
        """Keep a table that only some versions have: what is about a task with it, the rest with the import."""
        if "message" in table:
            self._skip(f"`{table}` was left out: it does not say who may read it.")
        elif "task_id" in tables.columns[table]:
            for entry, each in self._beside(tables, table):
                kept = cast("list[object]", self.more[entry.ref].setdefault(table, []))
                kept.append(each)
                if table in rows.FILES:
                    rows.share_file(self.sharing[entry.ref], each)
        else:
            kept = [each for _, each in zip(range(KEPT_ROWS + 1), tables.rows(table), strict=False)]
            if len(kept) > KEPT_ROWS:
                self._skip(f"`{table}`: only its first {KEPT_ROWS:,} rows were kept.")
            if kept:
                self.raw[table] = kept[:KEPT_ROWS]

    def notes(self) -> None:
        """Take everybody's private notes."""
        for name in self.folder.names("notes"):
            self._note(f"notes/{name}", name.removesuffix(".md"), self.folder.text("notes", name))

    def _note(self, place: str, stem: str, text: str) -> None:
        owned = owner(stem, self.ids)
        if owned is None:
            self._skip(f"`{place}` belongs to no task that is there, and was left out.")
            return
        ref, agent = owned
        for when, words in split_notes(text):
            try:
                at = instant(when, self.zone, self.findings)
            except (ValueError, OverflowError):
                at = None
            note = PlanRemark(text=words, by=agent, at=at)
            if note not in self.private[ref]:
                self.private[ref].append(note)

    def contexts(self) -> None:
        """Take the shared files, then what the database has that does not stand there already."""
        names = set(self.folder.names("contexts"))
        for name in sorted(names):
            stem, _, ending = name.rpartition(".")
            ref = self.ids.get(stem.removesuffix("_progress") if ending == "jsonl" else stem)
            if ref is None or ending not in {"yaml", "yml", "json", "jsonl"}:
                self._skip(f"`contexts/{name[:100]}` belongs to no task that is there, and was left out.")
                continue
            text, where = self.folder.text("contexts", name), f"contexts/{name}"
            if ending == "jsonl":
                self.sharing[ref].read_progress(text, where)
            elif text.strip():
                found = parse_json(text, where)[0] if ending == "json" else parse_yaml(text, where)
                if besides := self.sharing[ref].read_context(found):
                    self.more[ref]["context_file"] = besides
        for ref, events in self.events.items():
            files = {"context": f"{ref}.yaml" in names, "progress": f"{ref}_progress.jsonl" in names, "hold": True}
            self.sharing[ref].contribute(events, repeated=lambda kind, files=files: files.get(kind, True))

    def _unpack(self) -> None:
        """Read the archives; a task that is not in the database any more is there by its archive."""
        for name in self.folder.names("archives"):
            archive = read_archive(name, self.folder.content("archives", name))
            if archive is None:
                self._skip(f"`archives/{name[:100]}` is not called like an archive, and was left out.")
                continue
            if archive.task not in self.entries:
                self._restore(archive)
            self.packed.append(archive)

    def archives(self) -> None:
        """Take what was packed away with a task: its notes, and what of its context stands nowhere else."""
        for archive in self.packed:
            self.sharing[archive.task].read_context(archive.context)
            cast("list[object]", self.more[archive.task].setdefault("archives", [])).append(archive.name)
            for stem, text in archive.notes:
                self._note(f"archives/{archive.name}: {stem}.md", stem, text)
            if archive.others:
                shown = ", ".join(f"`{each[:100]}`" for each in archive.others[:5])
                self._skip(f"`archives/{archive.name}` holds what was not read: {shown}.")

    def _restore(self, archive: Archive) -> None:
        """A task that is not in the database any more."""
        at = archive.at.isoformat() if archive.at is not None else None
        values: Json = {"id": archive.task, "title": archive.context.get("title")}
        entry = Entry(archive.task, values, archive.name, f"task {archive.task}", self.findings)
        values.update(status="completed", completed_at=at, created_at=archive.context.get("created") or at)
        self.entries[archive.task] = entry
        self.ids[archive.task] = archive.task
        self.sharing[archive.task] = Sharing(entry, self.zone)
        self.archived.add(archive.task)
        entry.guess("it is not in the database any more and was taken from its archive, as completed")

    def templates(self) -> None:
        """Keep templates with the import: they are no tasks yet."""
        found = {name: self.folder.text("templates", name) for name in self.folder.names("templates")}
        if found:
            self.raw["templates"] = found
            self._skip(f"No tasks were made of its templates, which are kept: {', '.join(found)[:200]}.")

    def _skip(self, sentence: str) -> None:
        self.findings.skipped.append(sentence)

    def document(self) -> PlanDocument:
        """Everything that was found."""
        items = {ref: self._item(entry) for ref, entry in self.entries.items()}
        self.findings.skipped += self.folder.skipped
        return conclude(FORMAT, self.name, self.entries, items, self.findings, self.zone, self.raw)

    def _item(self, entry: Entry) -> PlanItem:
        ref, shared = entry.ref, self.sharing[entry.ref]
        said = self.said.get(ref, {})
        item = rows.item(entry, said, self.zone, self.phases)
        rows.share_intent(shared, entry)
        edges = rows.edges(entry, self.edges[ref], self.entries, set(rows.texts(said, "inherited")))
        kept = {"dependencies": list(self.edges[ref])} if self.edges[ref] else {}
        return replace(
            item,
            depends_on=edges,
            archived=item.archived or ref in self.archived,
            comments=tuple(shared.comments),
            notes=tuple(self.private[ref]),
            progress=tuple(shared.progress),
            context=tuple(shared.context.values()),
            participants=tuple(self.people[ref]),
            notices=tuple(self.notices[ref]),
            raw={**item.raw, **kept, **self.more[ref]},
        )
