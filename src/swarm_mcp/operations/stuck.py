"""What does not move, traced to its roots, each with the call that frees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from swarm_mcp.model.record import Record, spoken
from swarm_mcp.model.task import Overview
from swarm_mcp.model.tokens import fitting
from swarm_mcp.operations import freeing
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.attendance import Attendance
from swarm_mcp.operations.limits import shows_more
from swarm_mcp.operations.remaining import Remaining
from swarm_mcp.repository import standstill, tasks, tree
from swarm_mcp.repository.graph import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

READY_LISTED = 10_000
"""Ready tasks of one lane that are looked at."""


class Root(Record):
    """One thing that keeps work from moving."""

    task: str
    title: str
    why: str
    call: str
    blocks: int = 0
    """How many unfinished tasks wait for it, directly or not, as far as they were counted."""


class Suspect(NamedTuple):
    """A task that stands still by itself, before it is said why."""

    task: str
    gating: bool = False
    """Whether it keeps everything below it waiting, too."""
    lane: str = ""
    """Of a ready task: whose queue it lies in, and nobody takes it from."""
    absence: str = ""
    """Of a ready task: why nobody takes it."""
    waiter: str = ""
    """Of a cancelled or failed task: what waits for it nevertheless; its parent, if `is_part`."""
    is_part: bool = False


def view(db: Transaction, root: Row | None, limit: int) -> Overview:
    """The roots of everything that does not move, what blocks most first."""
    remaining = Remaining(db)
    attendance = Attendance(db)
    suspects = _suspects(db, remaining, attendance)
    if root is not None:
        inside = set(tree.subtree_ids(db, root.id))
        before = remaining.before(inside)
        suspects = [
            each for each in suspects if each.task in inside or Node(each.task, finish=not each.gating) in before
        ]
    suspects.sort(key=lambda each: -remaining.directly_behind(each.task, gating=each.gating))
    counted = [(remaining.behind(each.task, gating=each.gating), each) for each in suspects]
    counted.sort(key=lambda pair: -pair[0])
    rows = tasks.task_rows(db, [each.task for _, each in counted[:limit]])
    found = [_root(db, rows[each.task], each, blocks, attendance) for blocks, each in counted[:limit]]
    shown = fitting(found, spoken)
    return Overview(
        view="stuck",
        message=_sentence(len(counted), len(shown), limit, open_tasks=len(remaining.tasks)),
        items=[each.structured() for each in shown],
    )


def _sentence(count: int, shown: int, limit: int, *, open_tasks: int) -> str:
    if not count:
        return "Nothing is stuck." if open_tasks else "Nothing is stuck: nothing is open."
    words = f"{count:,} {'thing keeps' if count == 1 else 'things keep'} work from moving"
    if count == shown:
        return f"{words}."
    return f"{words}; here the first {shown}, by how much they block ({shows_more(shown, limit, count)})."


def _suspects(db: Transaction, remaining: Remaining, attendance: Attendance) -> list[Suspect]:
    """Everything that stands still by itself; each task once."""
    found = {each: Suspect(each, gating=True) for each in standstill.held(db)}
    for task in (*standstill.buried(db), *standstill.waiting_for_somebody(db), *standstill.lost_claims(db)):
        found.setdefault(task, Suspect(task))
    for dead in _dead(remaining):
        found.setdefault(dead.task, dead)
    for lane, count in standstill.ready_lanes(db).items():
        absence = attendance.absence(lane)
        if absence and lane:
            for task in standstill.ready_ids(db, lane, limit=READY_LISTED):
                found.setdefault(task, Suspect(task, lane=lane, absence=absence))
        elif absence:  # anyone's: whoever comes takes one after the other
            first = standstill.first_unclaimed(db, ready_before=attendance.missed_since)
            if first:
                more = f"; the same goes for {count - 1:,} more" if count > 1 else ""
                found.setdefault(first, Suspect(first, absence=absence + more))
    return list(found.values())


def _dead(remaining: Remaining) -> Iterator[Suspect]:
    """What is over without being done and keeps open work waiting: its waiters, or all that is open below those."""
    for each in remaining.dead:
        if each.waiter in remaining.tasks or each.waiter in remaining.shut:
            yield Suspect(each.task, waiter=each.waiter, is_part=each.is_part)


def _root(db: Transaction, row: Row, suspect: Suspect, blocks: int, attendance: Attendance) -> Root:
    if suspect.waiter:
        why, call = freeing.dead_end(db, row, suspect.waiter, is_part=suspect.is_part)
    elif suspect.absence:
        why, call = f"ready, but {suspect.absence}", freeing.unclaimed(row, suspect.lane, attendance)
    else:
        why, call = freeing.standing(db, row, attendance)
    return Root(task=row.id, title=shorten(row.title), why=why, call=call, blocks=blocks)
