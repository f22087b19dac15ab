"""What an import has to tell, gathered while it goes on."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from swarm_mcp.interchange.imported import Imported, Mapped
from swarm_mcp.model import ids
from swarm_mcp.model.lifecycle import CLAIMED, FINISHED, Priority, TaskStatus
from swarm_mcp.model.task import Complexity, EdgeType
from swarm_mcp.operations import stating

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from swarm_mcp.interchange.foreign.document import PlanDocument, PlanItem
    from swarm_mcp.interchange.people import People
    from swarm_mcp.operations.placing import Placement
    from swarm_mcp.repository.database import Transaction

WORD = re.compile(rf"\b{ids.TASK_ID.pattern}\b")
REFS_SHOWN = 5
LOOKED_AT = 1000
"""Contradictions that are told one by one: what stands in a task's way takes a few questions to the board."""


class ImportReport:
    """Counts and sentences about one document."""

    def __init__(self, db: Transaction, document: PlanDocument) -> None:
        self.db = db
        self.document = document
        self.guessed = list(document.guessed)
        self.skipped = list(document.skipped)
        self.renamed = list(document.renamed)
        self._dangling: list[str] = []
        for ref, missing in document.dangling:
            self.miss(ref, missing)
        self._contradictions: dict[str, list[str]] = {}
        self.brought: Counter[str] = Counter()
        self._created = self._subtasks = self._archived = 0
        self._edges: Counter[str] = Counter()
        self._mapped: Counter[tuple[str, str]] = Counter()
        self._claimed: list[str] = []
        self._stated: dict[str, str] = {}

    def miss(self, ref: str, missing: str) -> None:
        """Note that a task refers to what is not there."""
        self._dangling.append(f"{ref}: it refers to {missing}, which is not there; that was left out.")

    def count(self, item: PlanItem, new: Placement, status: TaskStatus) -> None:
        """Note what became of a new task."""
        self._created += 1
        self._subtasks += bool(item.parent and new.parent)
        self._archived += item.archived
        self._edges.update(kind.value for _, kind in (*new.blockers, *new.relations))
        self._mapped[item.source_status, status.value] += 1
        self.brought["criteria"] += len(new.criteria)
        if item.status in CLAIMED:
            self._claimed.append(item.ref)
        if item.status not in stating.NEEDS_NOTHING:
            self._stated[item.ref] = item.source_status or item.status
        if item.priority == Priority.CRITICAL and item.complexity == Complexity.VERY_HIGH and not new.criteria:
            self._contradict(item.ref, "it is critical and very hard, and cannot be completed before it has criteria.")

    def tell_of_contradictions(self, suspects: Sequence[str], known: Mapping[str, str]) -> None:
        """Tell what the document says that cannot all be so; the board keeps it as stated.

        Args:
            suspects: the ids of the tasks that something stands in the way of.
            known: the ids of all tasks by their refs.

        """
        if not suspects:
            return
        refs = {task: ref for ref, task in known.items()}
        found = stating.contradictions(self.db, suspects[:LOOKED_AT])
        for task in suspects[:LOOKED_AT]:
            ref = refs[task]
            for phrase in found[task]:
                words = WORD.sub(lambda word: refs.get(word[0], word[0]), phrase)
                self._contradict(ref, f"it is {self._stated[ref]}, with this in its way: {words}.")
        if len(suspects) > LOOKED_AT:
            more = len(suspects) - LOOKED_AT
            self._contradict("", f"{more:,} more tasks are said to be past what is in their way.")

    def tell_of_what_never_comes(self, items: Mapping[str, PlanItem]) -> None:
        """Tell of open tasks that wait for what was put away without being done, as tombstones are: nobody does it."""
        for ref, item in items.items():
            if item.status in FINISHED:
                continue
            for other in item.depends_on:
                if other in items and items[other].archived and items[other].status != TaskStatus.COMPLETED:
                    self._contradict(ref, f"it waits for {other}, which was put away and is not done.")

    def _contradict(self, ref: str, what: str) -> None:
        self._contradictions.setdefault(ref, []).append(f"{ref}: {what}" if ref else what)

    def made(self, people: People, known: Mapping[str, str], already: int) -> Imported:
        """The report.

        Args:
            people: whom the document names.
            known: the ids of the new tasks by their refs.
            already: how many an earlier import brought.

        """
        self._tell_of_claims()
        statuses: Counter[str] = Counter()
        for (_, status), count in self._mapped.items():
            statuses[status] += count
        return Imported(
            message=self._sentence(already),
            format=self.document.format,
            name=self.document.name,
            created=self._created,
            already=already,
            subtasks=self._subtasks,
            archived=self._archived,
            edges=dict(sorted((+self._edges).items())),
            statuses=dict(statuses),
            mapped=[Mapped(word=word, status=to, tasks=count) for (word, to), count in self._mapped.items()],
            brought=dict(+self.brought),
            people=people.announced,
            renamed=[*self.renamed, *people.renamed],
            dangling=self._dangling,
            guessed=self.guessed,
            skipped=[*self.skipped, *people.skipped],
            contradictions=[each for ref in (*known, "") for each in self._contradictions.get(ref, ())],
            ids=dict(known),
        )

    def _sentence(self, already: int) -> str:
        count = f"{self._created:,} {'task' if self._created == 1 else 'tasks'}"
        gates = self._edges[EdgeType.BLOCKS.value]
        how = f" with {gates:,} {'dependency' if gates == 1 else 'dependencies'}" if gates else ""
        rest = f"; {already:,} {'was' if already == 1 else 'were'} there already" if already else ""
        return f"Imported {count}{how} from {self.document.name}{rest}."

    def _tell_of_claims(self) -> None:
        if self._claimed:
            shown = ", ".join(self._claimed[:REFS_SHOWN])
            more = len(self._claimed) - REFS_SHOWN
            shown += f" and {more} more" if more > 0 else ""
            self.guessed.append(
                f"Nobody here holds what is in progress there, so that it waits to be claimed: {shown}."
            )


def in_refs(words: str, known: Mapping[str, str]) -> str:
    """A sentence with the names that its reader knows tasks by; what is new has no other yet."""
    refs = {task: ref for ref, task in known.items()}
    return WORD.sub(lambda word: refs.get(word[0], word[0]), words)
