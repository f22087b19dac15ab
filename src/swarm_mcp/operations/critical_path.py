"""The critical path: the longest chain of work that remains, by estimated hours.

Nothing on it can be done at the same time as the rest of it, so that the whole takes at least so long. Kelley and
Walker ("Critical-path planning and scheduling", 1959), over starts and finishes: a parent's wrap-up follows its
subtasks, and what waits for a parent waits for all that is open below it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from swarm_mcp.model.record import Record, spoken
from swarm_mcp.model.task import Overview
from swarm_mcp.model.tokens import fitting
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.limits import shows_more
from swarm_mcp.operations.remaining import Remaining
from swarm_mcp.repository import agents, tasks, tree, unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.operations.remaining import Dead
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

ASSUMED = Decimal(1)
"""Hours of a task that nobody has estimated. A mean of what is known would change with every other task."""
DEAD_SHOWN = 5


class Step(Record):
    """One task of the chain."""

    task: str
    title: str
    status: str
    assignee: str = ""
    hours: float
    estimate: str = ""
    """"assumed" where nobody has estimated it."""
    done_after: float
    """Hours from now until it is finished, if nothing on the chain waits for anybody."""


class DeadEnd(Record):
    """Something that is over without being done, and what waits for it."""

    task: str
    status: str
    waiter: str


class Reach(NamedTuple):
    """When something can happen, in hours from now, and the task whose work it follows."""

    hours: Decimal
    after: str


class Estimated(Remaining):
    """What remains, and how long its tasks take, as far as that is estimated."""

    def __init__(self, db: Transaction) -> None:
        super().__init__(db)
        self.hours = unfinished.estimates(db)


AT_ONCE = Reach(Decimal(0), "")


def view(db: Transaction, root: Row | None, limit: int) -> Overview:
    """The longest chain that remains in the project, or up to the end of a task and everything below it."""
    remaining = Estimated(db)
    ends = set(remaining.tasks)
    if root is not None:
        ends &= set(tree.subtree_ids(db, root.id))
    chain, reached = longest_chain(remaining, ends)
    dead = _dead_ends(remaining, ends, narrowed=root is not None)
    if not chain:
        return Overview(view="critical_path", message="Nothing is open, so no work remains.", total_hours=0.0)
    steps = fitting(_steps(db, remaining, chain[:limit], reached), spoken)
    assumed = sum(each not in remaining.hours for each in chain)
    total = reached[chain[-1]].hours
    facts: dict[str, Any] = {"total_hours": float(total), "chain": len(chain), "open_tasks": len(ends)}
    if assumed:
        facts["assumed"] = assumed
    if dead:
        facts |= {
            "dead_ends": [_dead_end(each).structured() for each in dead[:DEAD_SHOWN]],
            "dead_end_count": len(dead),
        }
    return Overview(
        view="critical_path",
        message=_sentence(len(chain), total, assumed, len(steps), limit) + _warning(dead),
        items=[each.structured() for each in steps],
        **facts,
    )


def longest_chain(remaining: Estimated, ends: set[str]) -> tuple[list[str], dict[str, Reach]]:
    """The chain of open tasks that takes longest to the finish of one of these, and when each task can be finished.

    The ranks of the graph order all starts and finishes already, so one pass in that order is enough.
    """
    nodes = [(row.rank, row.id, False) for row in (*remaining.tasks.values(), *remaining.shut.values())]
    nodes += [(row.end_rank, row.id, True) for row in remaining.tasks.values()]
    begins: dict[str, Reach] = {}
    reached: dict[str, Reach] = {}
    for _, task, finish in sorted(nodes):
        if finish:
            latest = _latest(begins[task], remaining.parts.get(task, ()), reached)
            reached[task] = Reach(latest.hours + remaining.hours.get(task, ASSUMED), latest.after)
        else:
            opens = begins.get(remaining.parents.get(task, ""), AT_ONCE)
            begins[task] = _latest(opens, remaining.blockers.get(task, ()), reached)
    last = max(ends, key=lambda each: (reached[each].hours, -remaining.tasks[each].rank), default="")
    chain: list[str] = []
    while last:
        chain.append(last)
        last = reached[last].after
    return chain[::-1], reached


def _latest(first: Reach, others: Iterable[str], reached: dict[str, Reach]) -> Reach:
    """The latest of a moment and the finishes of some tasks; one that is over, or a dead end, takes no time."""
    latest = first
    for each in others:
        found = reached.get(each)
        if found is not None and found.hours > latest.hours:
            latest = Reach(found.hours, each)
    return latest


def _steps(db: Transaction, remaining: Estimated, chain: list[str], reached: dict[str, Reach]) -> list[Step]:
    rows = tasks.task_rows(db, chain)
    names = agents.agent_names(db, (row.holder_id or row.assignee_id for row in rows.values()))
    steps: list[Step] = []
    for each in chain:
        row, estimate = rows[each], remaining.hours.get(each)
        steps.append(
            Step(
                task=each,
                title=shorten(row.title),
                status=row.status,
                assignee=names.get(row.holder_id or row.assignee_id, ""),
                hours=float(ASSUMED if estimate is None else estimate),
                estimate="assumed" if estimate is None else "",
                done_after=float(reached[each].hours),
            )
        )
    return steps


def _dead_ends(remaining: Estimated, ends: set[str], *, narrowed: bool) -> list[Dead]:
    """The dead ends before these tasks."""
    if not narrowed:
        return remaining.dead
    before = {node.task for node in remaining.before(ends)}
    return [each for each in remaining.dead if each.waiter in before and each.task in before]


def _dead_end(dead: Dead) -> DeadEnd:
    return DeadEnd(task=dead.task, status=dead.status, waiter=dead.waiter)


def _sentence(length: int, total: Decimal, assumed: int, shown: int, limit: int) -> str:
    tasks_in_words = "1 task" if length == 1 else f"{length:,} tasks"
    words = f"The longest chain of work that remains is {tasks_in_words} and {float(total):g} h"
    if assumed:
        words += (
            f" ({assumed:,} without an estimate {'counts' if assumed == 1 else 'count'} 1 h{' each' * (assumed > 1)})"
        )
    if shown < length:
        words += f"; the first {shown} are shown, {shows_more(shown, limit, length)}"
    return f"{words}."


def _warning(dead: list[Dead]) -> str:
    if not dead:
        return ""
    one = len(dead) == 1
    return (
        f" {len(dead):,} dead {'end' if one else 'ends'}, which {'takes' if one else 'take'} no time here: "
        'get_overview(view="stuck") frees what waits.'
    )
