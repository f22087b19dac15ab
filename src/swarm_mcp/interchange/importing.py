"""Putting a foreign plan on the board: all of it in one transaction, twice the same as once, and with a report."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from swarm_mcp.interchange.belongings import Belongings, brought
from swarm_mcp.interchange.drafting import Drafting
from swarm_mcp.interchange.import_report import ImportReport, in_refs
from swarm_mcp.interchange.known import known_ids
from swarm_mcp.interchange.people import People
from swarm_mcp.model import ids
from swarm_mcp.model.errors import CycleRefused, Invalid
from swarm_mcp.model.lifecycle import SETTLED, TaskStatus
from swarm_mcp.model.task import EdgeType
from swarm_mcp.operations import moves, planning, stating
from swarm_mcp.operations.ordering import FINISH, START, starts_and_finishes
from swarm_mcp.operations.stating import Stated
from swarm_mcp.repository import graph, tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from swarm_mcp.interchange.foreign.document import PlanDocument, PlanItem
    from swarm_mcp.interchange.imported import Imported
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

NAMESPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
MISTAKES_SHOWN = 20


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
    told: Callable[[int], None] | None = None,
) -> Imported:
    """Put a plan on the board as the operator; a dry run does the same and undoes it.

    Args:
        swarm: the board.
        document: what a reader made of a file.
        parent: as for `import_plan`.
        namespace: likewise.
        dry_run: whether nothing is kept.
        via: who really called, for the ledger.
        told: is told from time to time how many more tasks are stored.

    Raises:
        Refusal: see `import_plan`; nothing was written.

    """

    def change(db: Transaction) -> Imported:
        report = import_plan(db, document, parent=parent, namespace=namespace, told=told)
        if dry_run:
            words = report.message.replace("Imported", "Would import", 1)
            raise Rehearsed(report.model_copy(update={"dry_run": True, "message": words, "ids": {}}))
        return report

    try:
        return swarm.write(change, via=via)
    except Rehearsed as rehearsed:
        return rehearsed.report


def import_plan(
    db: Transaction,
    document: PlanDocument,
    *,
    parent: str = "",
    namespace: str = "",
    told: Callable[[int], None] | None = None,
) -> Imported:
    """Put what is new in a plan on the board, inside the caller's transaction.

    Every task keeps its foreign id (after `namespace/`, if there is one) and its foreign record. Work in progress
    becomes pending or blocked, since nobody here holds it; its word is kept in `source_status`.

    Args:
        db: the transaction.
        document: what a reader made of a file.
        parent: the task under which the plan's top goes; empty for the board's top.
        namespace: what tells this plan's ids from another plan's.
        told: is told from time to time how many more tasks are stored.

    Raises:
        Invalid: an item that cannot be a task here; all of them are named.
        CycleRefused: the plan waits for itself; the sentence shows the path.
        Conflict: the ids are those of another plan.

    """
    if namespace and not NAMESPACE.fullmatch(namespace):
        raise Invalid(f"`{namespace[:63]}` is no namespace: use up to 63 letters, digits, `_`, `.` or `-`.")
    graph.lock_graph(db)
    loading = _Loading(db, document, namespace)
    above = planning.find_parent(db, parent, []) if parent.strip() else None
    loading.store(above, told or (lambda _: None))
    loading.record()
    return loading.reported()


class _Loading:
    """One plan on its way to the board."""

    def __init__(self, db: Transaction, document: PlanDocument, namespace: str) -> None:
        self.db = db
        self.document = document
        self.prefix = f"{namespace}/" if namespace else ""
        self.namespace = namespace
        self.report = ImportReport(db, document)
        self.people = People(db)
        self.ids = known_ids(db, document, self.prefix, self.report)
        """The ids of all tasks by their refs, those of earlier imports included."""
        self.fresh = {item.ref: item for item in document.items if item.ref not in self.ids}
        """What is new, by its ref."""

    def store(self, above: Row | None, told: Callable[[int], None]) -> None:
        """Store what is new, parents and blockers first, in the order of the file where that is free."""
        if not self.fresh:
            return
        order = self._order()
        self._name_all()
        around = tasks.locked_rows(self.db, [*self._referred_to(), *([above.id] if above is not None else [])])
        intake = stating.Intake(self.db, self.document.format, around, self._ranks(order, around, above))
        drafting = Drafting(self.report)
        parts = self._parts()
        mistakes: list[str] = []
        places = {ref: n for n, ref in enumerate(self.fresh)}
        for n, ref in enumerate((ref for ref, end in order if end == START), start=1):
            item = self.fresh[ref]
            try:
                stated = self._stated(item, drafting, parts.get(ref, (0, 0)), above)
            except Invalid as refusal:
                mistakes.append(f"{ref}: {refusal.message}")
                continue
            # Lists and the queue go by age: a microsecond apart, tasks keep the order of their file.
            age = timedelta(microseconds=len(places) - places[ref])
            stated.columns.setdefault("created_at", self.db.now - age)
            if not mistakes:
                self.report.count(item, stated.new, self._take(intake, stated))
            if n % stating.BATCH == 0:
                told(stating.BATCH)
        if mistakes:
            raise _refused(mistakes)
        intake.finish()
        self._keep_belongings(intake)
        self.report.tell_of_contradictions(intake.suspects, self.ids)
        self.report.tell_of_what_never_comes(self.fresh)
        told(len(self.fresh) % stating.BATCH)

    def _take(self, intake: stating.Intake, stated: Stated) -> TaskStatus:
        try:
            return intake.take(stated)
        except CycleRefused as refusal:
            raise CycleRefused(f"Nothing was imported. {in_refs(refusal.message, self.ids)}") from None

    def _order(self) -> list[tuple[str, str]]:
        try:
            return starts_and_finishes({ref: (item.parent, item.depends_on) for ref, item in self.fresh.items()})
        except CycleRefused as refusal:
            raise CycleRefused(f"Nothing was imported. {refusal.message}") from None

    def _name_all(self) -> None:
        """Give every new task its id: the one that it had, if nobody has it here, else a new one."""
        used: set[str] = set()
        nameless = list(self.fresh)
        wanted = {ref: item.id for ref, item in self.fresh.items() if ids.TASK_ID.fullmatch(item.id)}
        while nameless:
            for ref in nameless:
                name = wanted.pop(ref, "")
                while not name or name in used:
                    name = ids.new_task_id()
                used.add(name)
                self.ids[ref] = name
            # Of 100,000 ids that are drawn at random two are the same once in 170 times, and some may be taken.
            taken = tasks.taken_ids(self.db, [self.ids[ref] for ref in nameless])
            nameless = [ref for ref in nameless if self.ids[ref] in taken]
        for ref, item in self.fresh.items():
            if item.id and self.ids[ref] != item.id:
                why = "another task has it here" if ids.TASK_ID.fullmatch(item.id) else "it is none here"
                self.report.renamed.append(f"{ref}: its id {item.id[:40]} became {self.ids[ref]}, because {why}.")

    def _referred_to(self) -> set[str]:
        """The ids of the tasks of the board, from earlier imports, on which new ones depend or under which they go."""
        fresh = self.fresh
        refs = {each for item in fresh.values() for each in (item.parent, *item.depends_on) if each not in fresh}
        return {self.ids[each] for each in refs if each in self.ids}

    def _ranks(
        self, order: Sequence[tuple[str, str]], around: Mapping[str, Row], above: Row | None
    ) -> dict[str, tuple[int, int]] | None:
        """The place of every new task in the board's order; None if it takes more than a look to find one."""
        grows = any(item.parent in self.ids and item.parent not in self.fresh for item in self.fresh.values())
        if grows or (above is not None and above.id in self._referred_to()):
            return None
        after = [row.rank if above is not None and row.id == above.id else row.end_rank for row in around.values()]
        below = around[above.id].end_rank if above is not None else None
        places = graph.places(self.db.now, len(order), after=after, below=below)
        if places is None:
            return None
        found: dict[str, int] = {}
        ranks: dict[str, tuple[int, int]] = {}
        for (ref, end), rank in zip(order, places, strict=True):
            if end == FINISH:
                ranks[self.ids[ref]] = (found.pop(ref), rank)
            else:
                found[ref] = rank
        return ranks

    def _parts(self) -> dict[str, tuple[int, int]]:
        """How many new subtasks each task gets, and how many of them are open."""
        found: dict[str, tuple[int, int]] = {}
        for item in self.fresh.values():
            if item.parent:
                parts, open_parts = found.get(item.parent, (0, 0))
                found[item.parent] = (parts + 1, open_parts + int(item.status not in SETTLED))
        return found

    def _stated(self, item: PlanItem, drafting: Drafting, parts: tuple[int, int], above: Row | None) -> Stated:
        """An item with everything that it refers to.

        Raises:
            Invalid: it cannot be a task here.

        """
        stated = drafting.stated(item, self.document.name)
        new = stated.new
        new.id = self.ids[item.ref]
        new.parent = self.ids.get(item.parent, above.id if above is not None else "")
        new.blockers = [(self.ids[each], EdgeType.BLOCKS) for each in item.depends_on if each in self.ids]
        relations = [(self.ids[each], kind) for kind, each in item.relations if each in self.ids and each != item.ref]
        new.relations = list(dict.fromkeys(relations))
        for ref in (item.parent, *item.depends_on, *(each for _, each in item.relations)):
            if ref and ref not in self.ids:
                self.report.miss(item.ref, ref)
        new.place = self.people.whose(item.ref, item.assignee)
        new.brought = brought(item)
        stated.columns["creator_id"] = self.people.who(item.creator)
        stated.parts, stated.open_parts = parts
        stated.name, stated.raw = f"{self.prefix}{item.ref}", item.raw
        return stated

    def _keep_belongings(self, intake: stating.Intake) -> None:
        belongings = Belongings(self.db, self.people)
        for ref, item in self.fresh.items():
            if brought(item):
                belongings.keep(item, intake.around[self.ids[ref]])
        self.report.brought += belongings.kept
        self.report.skipped += belongings.skipped

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

    def reported(self) -> Imported:
        """What became of everything."""
        already = len(self.document.items) - len(self.fresh)
        return self.report.made(self.people, {ref: self.ids[ref] for ref in self.fresh}, already)


def _refused(mistakes: list[str]) -> Invalid:
    more = f" … and {len(mistakes) - MISTAKES_SHOWN} more." if len(mistakes) > MISTAKES_SHOWN else ""
    return Invalid(
        f"Nothing was imported. {' '.join(mistakes[:MISTAKES_SHOWN])}{more}", mistakes=mistakes[:MISTAKES_SHOWN]
    )
