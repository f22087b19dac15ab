"""One plan of a large board: twenty tasks, thirty dependencies, and what has become of them, drawn by a seed.

A parent with fifteen subtasks, the last of which has four of its own. Of a finished plan all are done; of an open one
seven are, six are ready (or held, or failed) and the rest is blocked; a later one waits for an open one as a whole.
What the board derives is derived here from its definition, and `tests/recount.py` agrees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from swarm_mcp.model import ids

if TYPE_CHECKING:
    import random

SIZE = 20
INNER = 15
"""The place of the subtask with four subtasks of its own."""
DONE = (1, 2, 3, 4, 5, 6, 16)
"""The places of an open plan that are completed."""
HELD, FAILED, CANCELLED = 7, 11, 14
"""The places that may be …"""
PAIRS = (
    *((place, place - 1) for place in range(2, 7)),
    *((place, place - 2) for place in range(3, 7)),
    *((place, place - 6) for place in range(7, 12)),
    *((place, place - 5) for place in range(7, 12)),
    *((12, 7), (12, 8), (13, 9), (13, 10), (14, 11), (14, 10)),
    *((15, 6), (17, 16), (18, 17), (19, 18)),
)
"""Which place waits for which; one more dependency leads to another plan."""
SETTLED = {"completed", "cancelled"}


class Phase(Enum):
    """How far a plan is."""

    FINISHED = 0.4
    OPEN = 0.8
    LATER = 1.0


@dataclass(slots=True)
class Task:
    """One of the twenty."""

    id: str
    place: int
    status: str = "waiting"
    """Until `settle` knows whether it is pending or blocked."""
    parent: Task | None = None
    blockers: list[tuple[str, bool]] = field(default_factory=list["tuple[str, bool]"])
    """Ids, and whether they are completed."""
    hold: bool = False
    subtasks: int = 0
    open_subtasks: int = 0

    @property
    def own_waits(self) -> int:
        """How many tasks that it waits for are not completed."""
        return sum(not completed for _, completed in self.blockers)

    @property
    def gates(self) -> int:
        """How many tasks above it have a hold or wait for something themselves."""
        count, above = 0, self.parent
        while above is not None:
            count += above.hold or above.own_waits > 0
            above = above.parent
        return count

    @property
    def ranks(self) -> tuple[int, int]:
        """Where it starts and finishes within its plan: inside its parent, and after what it waits for."""
        if self.parent is None:
            return 0, 1 << 29
        if self.place > INNER:
            start = (INNER << 24) + ((self.place - INNER) << 18)
            return start, start + (1 << 17)
        return self.place << 24, (self.place << 24) + (1 << 23)


class Plan:
    """Twenty tasks, made in the order of their places."""

    def __init__(self, number: int, plans: int, parents: list[str], lots: random.Random) -> None:
        """Draw the plan of that number; `parents` are those of the plans before it, to which it is added."""
        self.number = number
        share = number / plans
        self.phase = next(each for each in Phase if share < each.value)
        self.archived = share < Phase.FINISHED.value / 10
        self.tasks = [Task(_draw_id(lots), place) for place in range(SIZE)]
        for task in self.tasks[1:]:
            task.parent = self.tasks[INNER if task.place > INNER else 0]
        self._set_statuses()
        for place, other in PAIRS:
            blocker = self.tasks[other]
            self.tasks[place].blockers.append((blocker.id, blocker.status == "completed"))
        self._wait_for_another(plans, parents, lots)
        parents.append(self.tasks[0].id)
        self._settle()

    def _set_statuses(self) -> None:
        if self.phase is Phase.FINISHED:
            for task in self.tasks:
                task.status = "completed"
            if self.number % 10 == 5:  # noqa: PLR2004 - one plan in ten
                self.tasks[CANCELLED].status = "cancelled"
        if self.phase is not Phase.OPEN:
            return
        for place in DONE:
            self.tasks[place].status = "completed"
        self.tasks[0].hold = self.number % 40 == 0
        if self.number % 4 == 1:
            self.tasks[HELD].status = "in_progress"
        if self.number % 10 == 3:  # noqa: PLR2004 - one plan in ten
            self.tasks[FAILED].status = "failed"

    def _wait_for_another(self, plans: int, parents: list[str], lots: random.Random) -> None:
        """Let the parent wait for that of an earlier plan, which is finished, or open if this is a later one."""
        finished = max(1, int(plans * Phase.FINISHED.value))
        if self.phase is Phase.LATER:
            other = lots.randrange(finished, max(finished + 1, int(plans * Phase.OPEN.value) - 1))
            self.tasks[0].blockers.append((parents[other], False))
        elif self.number:
            self.tasks[0].blockers.append((parents[lots.randrange(min(self.number, finished - 1) or 1)], True))
        else:
            self.tasks[19].blockers.append((self.tasks[17].id, True))

    def _settle(self) -> None:
        """Count the subtasks, and find out what is ready."""
        for task in self.tasks:
            if task.parent is not None:
                task.parent.subtasks += 1
                task.parent.open_subtasks += task.status not in SETTLED
        for task in self.tasks:
            if task.status == "waiting":
                obstructed = task.hold or task.own_waits or task.gates or task.open_subtasks
                task.status = "blocked" if obstructed else "pending"


def _draw_id(lots: random.Random) -> str:
    return "".join(lots.choices(ids.ALPHABET, k=ids.TASK_ID_LENGTH))
