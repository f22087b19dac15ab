"""What the plain model knows of a task: what it is, where it lies, who had it. Nothing derived is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

OPERATOR = "operator"
LEASE = timedelta(minutes=30)
SETTLED = {"completed", "cancelled"}
FINISHED = {*SETTLED, "failed"}
CLAIMED = {"in_progress", "requires_assistance"}
URGENCY = ("critical", "high", "medium", "low")

Place = tuple[str, str] | None
"""Whose a task is: ("agent" or "team" or "specialty", name), or anyone's."""


class Refused(Exception):
    """The board should refuse, with one of these codes."""

    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = set(codes)


def refuse(codes: set[str]) -> None:
    """Refuse if there is a reason to."""
    if codes:
        raise Refused(*codes)


@dataclass
class Handed:
    """A delegation: by whom, where it put a task, and where the task was before."""

    by: str
    to: Place
    before: Place
    live: bool = True
    accepted: bool = False
    lapses: int = 0


@dataclass
class Task:
    """A piece of work. `stage` is its status, but "waiting" for pending and blocked, which are derived."""

    id: str
    creator: str
    created: datetime
    topic: str = ""
    """The word in its title that says what it is about."""
    parent: str | None = None
    priority: str = "medium"
    needs_review: bool = False
    stage: str = "waiting"
    after: dict[str, str] = field(default_factory=dict)
    """What it waits for, and who said so."""
    related: dict[str, str] = field(default_factory=dict)
    place: Place = None
    kept: bool = False
    """Whether it is reserved for the worker that split it …"""
    kept_from: Place = None
    """… and where it was before."""
    given: list[Handed] = field(default_factory=list)
    """Every delegation, the newest last. Several may live: whoever has a task may hand it on."""
    delegator: str = ""
    hold: str = ""
    holder: str = ""
    lease: datetime | None = None
    minutes: int = 0
    lapses: int = 0
    attempts: list[list[str]] = field(default_factory=list)
    """Who had each attempt, and what became of it."""
    question: int | None = None
    """Which message is its open question."""
    asked: list[str] = field(default_factory=list)
    """Whom the open question went to, the present one last."""
    asked_at: datetime | None = None
    archived: bool = False
    released: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    handed_on: int = 0
    gave_back: set[str] = field(default_factory=set)
    """Everybody who ever declined or released it, handed it on, or let it lapse."""
    parts: set[str] = field(default_factory=set)
    """Who takes part in it."""

    @property
    def lies(self) -> Place:
        """Where it is, or was before it was split."""
        return self.kept_from if self.kept else self.place

    @property
    def assignee(self) -> str:
        """The agent that it is assigned to, or kept for."""
        return self.place[1] if self.place is not None and self.place[0] == "agent" else ""

    @property
    def handed(self) -> Handed | None:
        """The delegation by which it lies where it lies."""
        return next((each for each in reversed(self.given) if each.live), None)

    @property
    def worker(self) -> str:
        """Who held it last."""
        return self.attempts[-1][0] if self.attempts else ""

    @property
    def workers(self) -> set[str]:
        """Everybody who ever held it."""
        return {who for who, _ in self.attempts}
