"""What is looked at when a board is checked, and what is found."""

from __future__ import annotations

from enum import StrEnum

from swarm_mcp.model.record import Answer, Record


class Aspect(StrEnum):
    """What can be wrong with a board, in the order in which it is looked at."""

    FILE = "file"
    """Pages and indexes, as the database itself sees them."""
    SCHEMA = "schema"
    """Tables, columns and indexes are not those of this revision."""
    REFERENCE = "reference"
    """A row refers to one that is missing."""
    ORDER = "order"
    """The topological order of starts and finishes; derived."""
    CYCLE = "cycle"
    """Tasks wait for each other in a circle."""
    COUNTER = "counter"
    """What is counted of dependencies, gates and subtasks; derived."""
    STATUS = "status"
    """Pending or blocked, and what stands in the way."""
    TALLY = "tally"
    """How many tasks have each status; derived."""
    CLAIM = "claim"
    """Who holds a task, and the attempt that is running."""
    VERSION = "version"
    """A task's version and the number of its events that count."""
    LEDGER = "ledger"
    """A task is not what its events have made of it."""
    WORDS = "words"
    """The indexes of words; derived."""


MENDED = (Aspect.ORDER, Aspect.COUNTER, Aspect.TALLY, Aspect.STATUS, Aspect.WORDS)
"""What follows from the rest and can be worked out anew, in the order in which that is done."""


class Finding(Record):
    """One thing that is wrong."""

    kind: Aspect
    subject: str
    """The task, table or index."""
    words: str

    @property
    def line(self) -> str:
        """The finding in one line."""
        return f"{self.kind}: {self.subject}: {' '.join(self.words.split())}"


class Checked(Answer):
    """What a check has found."""

    sound: bool = True
    counts: dict[str, int] = {}
    """How many findings of each kind there are, also of those that are not listed."""
    findings: list[Finding] = []
    mended: dict[str, int] = {}
    """How many findings of each kind are gone."""
    left: list[str] = []
    """The kinds that nothing was done about."""
    snapshot: str = ""
    not_checked: list[str] = []
    """What could not be looked at, a sentence each."""
