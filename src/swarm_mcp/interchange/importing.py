"""Putting a foreign plan on the board: all of it in one transaction, twice the same as once, and with a report."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from swarm_mcp.interchange.imported import Imported, Mapped
from swarm_mcp.model import ids
from swarm_mcp.model.draft import TaskDraft
from swarm_mcp.model.errors import Conflict, CycleRefused, Invalid, Refusal
from swarm_mcp.model.lifecycle import CLAIMED, Priority, TaskStatus
from swarm_mcp.model.task import Complexity, EdgeType
from swarm_mcp.operations import moves, naming, placing, planning, stating
from swarm_mcp.operations.naming import Place
from swarm_mcp.operations.ordering import plan_order
from swarm_mcp.repository import graph, references, tasks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swarm_mcp.interchange.foreign.document import PlanDocument, PlanItem
    from swarm_mcp.operations.placing import Placement
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

NAMESPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
WORD = re.compile(rf"\b{ids.TASK_ID.pattern}\b")
MISTAKES_SHOWN = 20
REFS_SHOWN = 5


class Rehearsed(Exception):
    """A dry run has come to its end."""

    def __init__(self, report: Imported) -> None:
        super().__init__(report.message)
        self.report = report


def import_document(
    swarm: Swarm,
    document: PlanDocument,
    *,
    parent: str = "",
    namespace: str = "",
    dry_run: bool = False,
    via: str = "script",
) -> Imported:
    """Put a plan on the board as the operator; a dry run does the same and undoes it.

    Raises:
        Refusal: see `import_plan`; nothing was written.

    """

    def change(db: Transaction) -> Imported:
        report = import_plan(db, document, parent=parent, namespace=namespace)
        if dry_run:
            words = report.message.replace("Imported", "Would import", 1)
            raise Rehearsed(report.model_copy(update={"dry_run": True, "message": words, "ids": {}}))
        return report

    try:
        return swarm.write(change, via=via)
    except Rehearsed as rehearsed:
        return rehearsed.report


def import_plan(db: Transaction, document: PlanDocument, *, parent: str = "", namespace: str = "") -> Imported:
    """Put what is new in a plan on the board, inside the caller's transaction.

    Every task keeps its foreign id (after `namespace/`, if there is one) and its foreign record. Work in progress
    becomes pending or blocked, since nobody here holds it; its word is kept in `source_status`.

    Args:
        db: the transaction.
        document: what a reader made of a file.
        parent: the task under which the plan's top goes; empty for the board's top.
        namespace: what tells this plan's ids from another plan's.

    Raises:
        Invalid: an item that cannot be a task here; all of them are named.
        CycleRefused: the plan waits for itself; the sentence shows the path.
        Conflict: the ids are those of another plan.

    """
    if namespace and not NAMESPACE.fullmatch(namespace):
        raise Invalid(f"`{namespace[:63]}` is no namespace: use up to 63 letters, digits, `_`, `.` or `-`.")
    graph.lock_graph(db)
    loading = _Loading(db, document, namespace)
    loading.find_known()
    above = planning.find_parent(db, parent, []) if parent.strip() else None
    loading.store(above.id if above is not None else "")
    loading.record()
    return loading.report()


class _Loading:
    """One plan on its way to the board."""

    def __init__(self, db: Transaction, document: PlanDocument, namespace: str) -> None:
        self.db = db
        self.document = document
        self.prefix = f"{namespace}/" if namespace else ""
        self.namespace = namespace
        self.known: dict[str, str] = {}
        """The ids of all tasks by their refs, those of earlier imports included."""
        self.fresh: list[PlanItem] = []
        self.guessed = list(document.guessed)
        self.skipped = list(document.skipped)

    def find_known(self) -> None:
        """Leave out what an earlier import brought.

        Raises:
            Conflict: most of it was called otherwise, so that it is another plan with the same ids.

        """
        items = {f"{self.prefix}{item.ref}": item for item in self.document.items}
        found = references.known_references(self.db, self.document.format, items)
        strangers = [name for name, row in found.items() if row.raw.get("title") != items[name].raw.get("title")]
        if len(strangers) * 2 > len(found):
            first = items[strangers[0]]
            raise Conflict(
                f"Nothing was imported: another plan on this board has the same ids (`{first.ref}` is "
                f"`{str(found[strangers[0]].raw.get('title'))[:40]}` there and `{first.title[:40]}` here). "
                "Import this one with --namespace and a name of its own.",
                same=len(found),
            )
        for name, row in found.items():
            self.known[items[name].ref] = row.task_id
            if row.raw != items[name].raw:
                self.skipped.append(
                    f"{items[name].ref}: it has changed since it was imported; the task was left as it is."
                )
        self.fresh = [item for name, item in items.items() if name not in found]

    def store(self, above: str) -> None:
        """Store what is new, parents and blockers first, in the order of the file where that is free."""
        mistakes: list[str] = []
        drafts = [self._draft(item) for item in self.fresh]
        news: dict[str, Placement] = {}
        for item, draft in zip(self.fresh, drafts, strict=True):
            try:
                news[item.ref] = placing.check_draft(draft)
            except Refusal as refusal:
                mistakes.append(f"{item.ref}: {refusal.message}")
        if mistakes:
            raise _refused(mistakes)
        cycles: list[Refusal] = []
        order = plan_order([item.ref for item in self.fresh], list(drafts), cycles)
        if cycles:
            raise CycleRefused(f"Nothing was imported. {cycles[0].message}")
        place_in_file = {item.ref: n for n, item in enumerate(self.fresh)}
        for ref in order:
            n = place_in_file[ref]
            self._store_one(self.fresh[n], news[ref], above, n)

    def _store_one(self, item: PlanItem, new: Placement, above: str, n: int) -> None:
        db = self.db
        new.parent = self.known[item.parent] if item.parent else above
        new.blockers = [(self.known[each], EdgeType.BLOCKS) for each in item.depends_on]
        new.place = self._place(item)
        # Lists and the queue go by age: a microsecond apart, tasks keep the order of their file.
        created_at = db.now - timedelta(microseconds=len(self.fresh) - n)
        row = stating.insert_stated(
            db, new, TaskStatus(item.status), word=item.source_status, hold=item.hold, created_at=created_at
        )
        self.known[item.ref] = row.id
        tasks.insert_reference(db, row.id, self.document.format, f"{self.prefix}{item.ref}", dict(item.raw))

    def _draft(self, item: PlanItem) -> TaskDraft:
        return TaskDraft(
            title=item.title, description=item.description, parent=item.parent, priority=item.priority,
            complexity=item.complexity, tags=list(item.tags), criteria=[each.text for each in item.criteria],
            source=self.document.name, depends_on=[f"{EdgeType.BLOCKS}:{each}" for each in item.depends_on],
        )  # fmt: skip

    def _place(self, item: PlanItem) -> Place:
        """Whose it is: an agent, team or specialty of that name, else a new agent that has not called yet."""
        if not item.assignee:
            return Place()
        try:
            place = naming.find_place(self.db, item.assignee)
            if place is None:
                name = ids.fold_name(item.assignee)
                place = Place(agent=naming.announce(self.db, name, item.assignee))
            if place.agent is not None:
                naming.check_handing_to(self.db, place.agent, [])
        except Refusal as refusal:
            self.skipped.append(f"{item.ref}: it was assigned to nobody. {refusal.message}")
            return Place()
        return place

    def record(self) -> None:
        """Enter the import into the ledger, with what the file says beside its tasks."""
        if self.fresh:
            document = self.document
            said = {
                "format": document.format,
                "name": document.name,
                "namespace": self.namespace,
                "beside": dict(document.raw),
            }
            moves.record(self.db, "plan_imported", None, {**said, "tasks": len(self.fresh)})

    def report(self) -> Imported:
        """What became of everything."""
        document, fresh = self.document, self.fresh
        rows = tasks.task_rows(self.db, [self.known[item.ref] for item in fresh])
        status = {item.ref: rows[self.known[item.ref]].status for item in fresh}
        self._tell_of_claims()
        words = Counter((item.source_status, status[item.ref]) for item in fresh)
        edges = sum(len(item.depends_on) for item in fresh)
        return Imported(
            message=self._sentence(edges),
            format=document.format,
            name=document.name,
            created=len(fresh),
            already=len(document.items) - len(fresh),
            subtasks=sum(bool(item.parent) for item in fresh),
            edges={EdgeType.BLOCKS.value: edges} if edges else {},
            statuses=dict(Counter(status.values())),
            mapped=[Mapped(word=word, status=to, tasks=count) for (word, to), count in words.items()],
            renamed=list(document.renamed),
            dangling=[
                f"{ref}: it waits for {missing}, which is not there; that was left out."
                for ref, missing in document.dangling
            ],
            guessed=self.guessed,
            skipped=self.skipped,
            contradictions=self._contradictions(rows),
            ids={item.ref: self.known[item.ref] for item in fresh},
        )

    def _sentence(self, edges: int) -> str:
        already = len(self.document.items) - len(self.fresh)
        count = f"{len(self.fresh):,} {'task' if len(self.fresh) == 1 else 'tasks'}"
        how = f" with {edges:,} {'dependency' if edges == 1 else 'dependencies'}" if edges else ""
        rest = f"; {already:,} were there already" if already else ""
        return f"Imported {count}{how} from {self.document.name}{rest}."

    def _tell_of_claims(self) -> None:
        claimed = [item.ref for item in self.fresh if item.status in CLAIMED]
        if claimed:
            shown = ", ".join(claimed[:REFS_SHOWN])
            shown += f" and {len(claimed) - REFS_SHOWN} more" if len(claimed) > REFS_SHOWN else ""
            self.guessed.append(
                f"Nobody here holds what is in progress there, so that it waits to be claimed: {shown}."
            )

    def _contradictions(self, rows: Mapping[str, Row]) -> list[str]:
        """What the document says that cannot all be so; the board keeps it as stated."""
        refs = {task: ref for ref, task in self.known.items()}
        found: list[str] = []
        for item in self.fresh:
            row = rows[self.known[item.ref]]
            for phrase in stating.contradictions(self.db, row, TaskStatus(item.status)):
                in_refs = WORD.sub(lambda word: refs.get(word[0], word[0]), phrase)
                found.append(f"{item.ref}: it is {item.source_status or item.status}, with this in its way: {in_refs}.")
            if item.priority == Priority.CRITICAL and item.complexity == Complexity.VERY_HIGH and not item.criteria:
                found.append(
                    f"{item.ref}: it is critical and very hard, and cannot be completed before it has criteria."
                )
        return found


def _refused(mistakes: list[str]) -> Invalid:
    more = f" … and {len(mistakes) - MISTAKES_SHOWN} more." if len(mistakes) > MISTAKES_SHOWN else ""
    return Invalid(
        f"Nothing was imported. {' '.join(mistakes[:MISTAKES_SHOWN])}{more}", mistakes=mistakes[:MISTAKES_SHOWN]
    )
