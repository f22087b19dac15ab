"""What a foreign plan says beside a task's own words: comments, notes, progress, context, people, ratings, notices."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from swarm_mcp.model.errors import Refusal
from swarm_mcp.operations import relating

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import TypeVar

    from swarm_mcp.interchange.foreign.document import PlanContext, PlanItem, PlanRemark
    from swarm_mcp.interchange.people import People
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

    R = TypeVar("R", PlanContext, PlanRemark)

KINDS = ("comments", "notes", "progress", "context", "participants", "feedback", "notices")
BEGINNING = datetime.min.replace(tzinfo=UTC)


def brought(item: PlanItem) -> dict[str, int]:
    """How much of each kind comes with a task."""
    return {kind: count for kind in KINDS if (count := len(getattr(item, kind)))}


class Belongings:
    """What comes after the tasks; what cannot be kept is reported, and stays in the task's foreign record."""

    def __init__(self, db: Transaction, people: People) -> None:
        self.db = db
        self.people = people
        self.kept: Counter[str] = Counter()
        self.skipped: list[str] = []

    def keep(self, item: PlanItem, row: Row) -> None:
        """Store everything that comes with a task, each in the order of its time."""
        self._comments(item, row)
        self._notes(item, row)
        self._progress(item, row)
        self._context(item, row)
        self._participants(item, row)
        self._feedback(item, row)
        self._notices(item, row)

    def _comments(self, item: PlanItem, row: Row) -> None:
        said = [(each.text, self.people.who(each.by), each.at) for each in in_time(item.comments) if each.text.strip()]
        if said:
            with self._keeping(item, "comments", len(said)):
                relating.tell_comments(self.db, row, said)

    def _notes(self, item: PlanItem, row: Row) -> None:
        for each in in_time(item.notes):
            if each.text.strip():
                with self._keeping(item, "notes"):
                    relating.keep_note(self.db, row.id, each.text, self.people.who(each.by), each.at)

    def _progress(self, item: PlanItem, row: Row) -> None:
        said = [(each.text, each.percent, self.people.who(each.by), each.at) for each in in_time(item.progress)]
        if said:
            with self._keeping(item, "progress", len(said)):
                relating.keep_progress(self.db, row, said)

    def _context(self, item: PlanItem, row: Row) -> None:
        for each in in_time(item.context):
            with self._keeping(item, "context"):
                relating.keep_context(
                    self.db, row.id, each.key, each.value, kind=each.kind, rationale=each.rationale,
                    author=self.people.who(each.by), at=each.at,
                )  # fmt: skip

    def _participants(self, item: PlanItem, row: Row) -> None:
        for each in item.participants:
            agent = self.people.who(each.agent)
            if agent is not None:
                with self._keeping(item, "participants"):
                    relating.let_join(self.db, row.id, agent, each.role.strip(), each.joined_at)

    def _feedback(self, item: PlanItem, row: Row) -> None:
        for each in item.feedback:
            with self._keeping(item, "feedback"):
                relating.keep_feedback(
                    self.db, row.id, self.people.who(item.assignee), quality=each.quality,
                    timeliness=each.timeliness, notes=each.notes, author=self.people.who(each.by), at=each.at,
                )  # fmt: skip

    def _notices(self, item: PlanItem, row: Row) -> None:
        said = [(self.people.who(each.agent), each.kind, each.text, each.at, each.read) for each in item.notices]
        if said:
            with self._keeping(item, "notices", len(said)):
                relating.keep_notices(self.db, row.id, said)

    @contextmanager
    def _keeping(self, item: PlanItem, kind: str, count: int = 1) -> Generator[None]:
        """Count what is kept, and report what the rules do not take."""
        try:
            yield
        except Refusal as refusal:
            self.skipped.append(f"{item.ref}: {kind} could not be kept: {refusal.message}")
        else:
            self.kept[kind] += count


def in_time(said: Iterable[R]) -> list[R]:
    """The oldest first; what has no time comes before everything else."""
    return sorted(said, key=lambda each: each.at or BEGINNING)
