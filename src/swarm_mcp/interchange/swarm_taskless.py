"""Rows that belong to no task, when a board comes to one with things of its own: which of them are here already."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.swarm_lines import LineWriter, encode
from swarm_mcp.repository import whole
from swarm_mcp.repository.kinds import KINDS, NUMBERED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swarm_mcp.interchange.swarm_source import Line
    from swarm_mcp.repository.database import Transaction

NUMBERS = ("id", "seq", "message_id", "reply_to_id", "conversation_id")
"""What is not looked at when two rows are compared: each database counts for itself."""


class Taskless:
    """Recognises project-wide events, messages, context and notices by what they say, each once."""

    def __init__(self, db: Transaction) -> None:
        self.db = db
        self._same: dict[str, Counter[str]] = {}

    def is_new(self, kind: str, line: Line) -> bool:
        """Whether no such row is here that is not recognised yet."""
        if kind == "conversation" or (kind == "inbox" and line["message_id"] is not None):
            return True  # known by their ids, or with their message
        if kind not in self._same:
            self._same[kind] = self._here(kind)
        words = _words(line)
        if not self._same[kind][words]:
            return True
        self._same[kind][words] -= 1
        return False

    def _here(self, name: str) -> Counter[str]:
        """Those that were here before, as text."""
        kind = KINDS[name]
        writer = LineWriter(kind, is_postgres=self.db.is_postgres, bases=dict.fromkeys(NUMBERED, 0))
        empty = {field.name: field.empty for field in kind.fields}
        found: Counter[str] = Counter()
        for row in whole.stream(self.db, kind, whole.Scope(taskless=True)):
            said = writer.line(row)
            del said["row"]
            found[_words({**empty, **said})] += 1
        return found


def _words(row: Mapping[str, Any]) -> str:
    return encode([value for name, value in sorted(row.items()) if name not in NUMBERS])
