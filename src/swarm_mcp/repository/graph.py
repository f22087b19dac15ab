"""The dependency graph: edges, and a topological order that keeps it free of cycles.

Every task is two nodes, its start and its finish. A dependency means finish(blocker) before start(task);
parenthood means start(parent) before start(child) and finish(child) before finish(parent). `rank` orders starts and
`end_rank` finishes, with rank(u) < rank(v) for every edge u → v. An edge that already fits the order is accepted at
once; else only the region between its two ends is searched and reordered (Pearce and Kelly, "A dynamic topological
sort algorithm for directed acyclic graphs", JEA 11, 2006). Ranks are sparse, so that a new task nearly always finds
room where it belongs and costs no search at all.
"""

from __future__ import annotations

import secrets
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, insert, select, text, update

from swarm_mcp.model.errors import CycleRefused
from swarm_mcp.repository import tables
from swarm_mcp.repository.grouping import by_task
from swarm_mcp.repository.statement import ListStatement, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task
edge = tables.dependency

INSERT_EDGE = Statement(insert(edge))
DROP_EDGE = Statement(
    delete(edge).where(
        edge.c.task_id == bindparam("task"),
        edge.c.depends_on_id == bindparam("other"),
        edge.c.type == bindparam("kind"),
    )
)
EDGES_OF = Statement(select(edge).where(edge.c.task_id == bindparam("task")))
BLOCKERS = ListStatement(
    lambda wanted: (
        select(edge.c.task_id, task.c.id, task.c.status, task.c.title, task.c.holder_id, task.c.assignee_id)
        .join(task, task.c.id == edge.c.depends_on_id)
        .where(edge.c.task_id.in_(wanted), text("dependency.type = 'blocks'"))
        .order_by(edge.c.created_at, task.c.rank)
    )
)
WAITERS = Statement(
    select(task)
    .join(edge, edge.c.task_id == task.c.id)
    .where(edge.c.depends_on_id == bindparam("task"), text("dependency.type = 'blocks'"))
    .order_by(task.c.urgency, task.c.created_at, task.c.id)
)
SHIFT_WAITS = Statement(
    update(task)
    .where(
        task.c.id.in_(
            select(edge.c.task_id).where(
                edge.c.depends_on_id == bindparam("blocker"), text("dependency.type = 'blocks'")
            )
        )
    )
    .values(waits=task.c.waits + bindparam("by"))
    .returning(task.c.id, task.c.status, task.c.waits, task.c.gates, task.c.hold_reason, task.c.subtasks)
)
LOCK = Statement(
    select(tables.project.c.slug).where(tables.project.c.slug == bindparam("project")).with_for_update(key_share=True)
)
"""Not against whoever only refers to the project, as every new row does."""


def lock_graph(db: Transaction) -> None:
    """Let one transaction at a time change a project's graph or hierarchy, as SQLite's one writer already does.

    What is read afterwards is as the last of them has left it. Take it before the tasks where you can: two that take
    them in different orders wait for each other until the database ends one, which is then run again.
    """
    if db.locks_rows and not db.is_graph_locked:
        LOCK.run(db, {"project": db.project.slug})
        db.is_graph_locked = True


def insert_edge(db: Transaction, task_id: str, depends_on: str, kind: str, *, by: str | None) -> None:
    """Store one edge; the caller has checked that it closes no cycle."""
    INSERT_EDGE.run(
        db, {"task_id": task_id, "depends_on_id": depends_on, "type": kind, "created_at": db.now, "created_by_id": by}
    )


def insert_edges(db: Transaction, wanted: Iterable[tuple[str, str, str]], *, by: str | None) -> None:
    """Store edges (task, what it depends on, type); the caller has checked that they close no cycle."""
    said = {"created_at": db.now, "created_by_id": by}
    rows = [{"task_id": task_id, "depends_on_id": other, "type": kind, **said} for task_id, other, kind in wanted]
    if rows:
        INSERT_EDGE.run_many(db, rows)


def remove_edge(db: Transaction, task_id: str, depends_on: str, kind: str) -> None:
    """Take one edge away."""
    DROP_EDGE.run(db, {"task": task_id, "other": depends_on, "kind": kind})


def edges_of(db: Transaction, task_id: str) -> Sequence[Row]:
    """What a task depends on or is related to."""
    return EDGES_OF.all(db, {"task": task_id})


def blockers(db: Transaction, task_ids: Iterable[str]) -> dict[str, list[Row]]:
    """For each task, what it waits for (finished or not), in the order in which it was said."""
    return by_task(BLOCKERS.all(db, list(task_ids)))


def waiters(db: Transaction, task_id: str) -> Sequence[Row]:
    """The tasks that wait for a task, the most urgent first."""
    return WAITERS.all(db, {"task": task_id})


def shift_waits(db: Transaction, blocker: str, by: int) -> Sequence[Row]:
    """Count a blocker in (+1) or out (-1) for everything that waits for it; those tasks as they are now."""
    return SHIFT_WAITS.all(db, {"blocker": blocker, "by": by})


# --- the order ------------------------------------------------------------------------------------------------------

TOP = 1 << 62
WINDOW = 1 << 42
"""Ranks between the start and the finish of a task without a parent: room for its subtasks."""
SHARE = 64
"""A subtask takes one part in so many of the room that is left, so that long chains and deep trees both fit."""
EPOCH = 1577836800
"""2020-01-01: ranks follow creation time, since later work mostly waits for earlier work."""


class Node(NamedTuple):
    """The start or the finish of a task."""

    task: str
    finish: bool


def place(now: datetime, *, after: Iterable[int], below: int | None) -> tuple[int, int] | None:
    """Ranks for a new task that starts after these ranks and, under a parent, finishes before its finish.

    Returns:
        (rank, end_rank), or None if there is no room, so that the order must be mended.

    """
    low = max(after, default=0)
    if below is None:
        start = max(low + 1, _age(now)) + secrets.randbelow(1 << 18)
        return (start, start + WINDOW) if start + WINDOW < TOP else None
    part = (below - low) // SHARE
    if part < 4:  # noqa: PLR2004 - room for a start, a finish and a gap on both sides
        return None
    start = low + 1 + secrets.randbelow(part // 2)
    return start, start + part // 2


def _age(now: datetime) -> int:
    return int((now.timestamp() - EPOCH) * 1000) << 20


def places(now: datetime, count: int, *, after: Iterable[int], below: int | None) -> range | None:
    """Ranks for so many nodes of a new plan, in an order that fits it: as far apart as there is room.

    Args:
        now: when it is.
        count: how many starts and finishes there are.
        after: ranks of what they all come after.
        below: the rank of what they all come before, if there is such a thing.

    Returns:
        The ranks in their order, or None if there is no room.

    """
    low = max(after, default=0)
    if below is None:
        low = max(low, _age(now)) + secrets.randbelow(1 << 18)
    high = low + (TOP - low) // 2 if below is None else below  # the other half is for what will wait for them
    step = min(WINDOW, (high - low) // (count + 1))
    return range(low + step, low + step * count + 1, step) if step >= 4 else None  # noqa: PLR2004 - as above


RANKS = ListStatement(
    lambda wanted: select(task.c.id, task.c.parent_id, task.c.rank, task.c.end_rank).where(task.c.id.in_(wanted))
)
WAITERS_OF = ListStatement(
    lambda wanted: select(edge.c.depends_on_id, edge.c.task_id).where(
        edge.c.depends_on_id.in_(wanted), text("dependency.type = 'blocks'")
    )
)
BLOCKERS_OF = ListStatement(
    lambda wanted: select(edge.c.task_id, edge.c.depends_on_id).where(
        edge.c.task_id.in_(wanted), text("dependency.type = 'blocks'")
    )
)
CHILDREN_OF = ListStatement(lambda wanted: select(task.c.parent_id, task.c.id).where(task.c.parent_id.in_(wanted)))
SET_RANKS = Statement(
    update(task).where(task.c.id == bindparam("key_id")).values(rank=bindparam("low"), end_rank=bindparam("high"))
)


def connect(db: Transaction, before: Node, after: Node) -> None:
    """Make room in the order for an edge before → after.

    Raises:
        CycleRefused: `after` already comes before `before`; the sentence shows the path.

    """
    lock_graph(db)
    _make_way(db, _Region(db), before, after)


def adopt(db: Transaction, child: str, parent: str) -> None:
    """Make room in the order for a task that moves below a parent; its present parent no longer counts.

    Raises:
        CycleRefused: the parent comes after it; the sentence shows the path.

    """
    lock_graph(db)
    _make_way(db, _Region(db, moving=child), Node(parent, finish=False), Node(child, finish=False))
    # By now it starts after its new parent, which the second search must know and the tables do not say yet.
    _make_way(db, _Region(db, moving=child, below=parent), Node(child, finish=True), Node(parent, finish=True))


def _make_way(db: Transaction, region: _Region, before: Node, after: Node) -> None:
    low, high = region.rank(after), region.rank(before)
    if high < low:
        return
    forward = region.reach(after, onward=True, bound=high, goal=before)
    backward = region.reach(before, onward=False, bound=low, goal=None)
    _reorder(db, region, sorted(backward, key=region.rank) + sorted(forward, key=region.rank))


class _Region:
    """The part of the graph around a new edge, read in batches and remembered."""

    def __init__(self, db: Transaction, *, moving: str = "", below: str = "") -> None:
        """Look at the graph as it is; a task that is `moving` has left its parent and starts `below` another."""
        self.db = db
        self.moving = moving
        self.below = below
        self.tasks: dict[str, Row] = {}

    def load(self, task_ids: Iterable[str]) -> None:
        missing = [each for each in dict.fromkeys(task_ids) if each not in self.tasks]
        self.tasks.update({row.id: row for row in RANKS.all(self.db, missing)})

    def rank(self, node: Node) -> int:
        self.load((node.task,))
        row = self.tasks[node.task]
        return row.end_rank if node.finish else row.rank

    def reach(self, origin: Node, *, onward: bool, bound: int, goal: Node | None) -> set[Node]:
        """Everything that can be reached from a node without leaving the bound."""
        came_from: dict[Node, Node | None] = {origin: None}
        frontier = [origin]
        while frontier:
            steps = self.following(frontier) if onward else self.preceding(frontier)
            self.load(node.task for _, node in steps)
            frontier = []
            for source, node in steps:
                inside = self.rank(node) <= bound if onward else self.rank(node) >= bound
                if node in came_from or not inside:
                    continue
                came_from[node] = source
                if node == goal:
                    raise CycleRefused(_explain(came_from, node))
                frontier.append(node)
        return set(came_from)

    def following(self, nodes: list[Node]) -> list[tuple[Node, Node]]:
        starts = [node.task for node in nodes if not node.finish]
        ends = [node.task for node in nodes if node.finish]
        steps = [(Node(each, finish=False), Node(each, finish=True)) for each in starts]
        for parent, child in self._pairs(CHILDREN_OF, starts):
            if child != self.moving:
                steps.append((Node(parent, finish=False), Node(child, finish=False)))
        if self.below in starts:
            steps.append((Node(self.below, finish=False), Node(self.moving, finish=False)))
        for blocker, waiter in self._pairs(WAITERS_OF, ends):
            steps.append((Node(blocker, finish=True), Node(waiter, finish=False)))
        steps.extend(
            (Node(each, finish=True), Node(self.tasks[each].parent_id, finish=True))
            for each in ends
            if self.tasks[each].parent_id and each != self.moving
        )
        return steps

    def preceding(self, nodes: list[Node]) -> list[tuple[Node, Node]]:
        starts = [node.task for node in nodes if not node.finish]
        ends = [node.task for node in nodes if node.finish]
        steps = [(Node(each, finish=True), Node(each, finish=False)) for each in ends]
        for parent, child in self._pairs(CHILDREN_OF, ends):
            if child != self.moving:
                steps.append((Node(parent, finish=True), Node(child, finish=True)))
        if self.below and self.moving in starts:
            steps.append((Node(self.moving, finish=False), Node(self.below, finish=False)))
        for waiter, blocker in self._pairs(BLOCKERS_OF, starts):
            steps.append((Node(waiter, finish=False), Node(blocker, finish=True)))
        steps.extend(
            (Node(each, finish=False), Node(self.tasks[each].parent_id, finish=False))
            for each in starts
            if self.tasks[each].parent_id and each != self.moving
        )
        return steps

    def _pairs(self, statement: ListStatement, task_ids: list[str]) -> list[tuple[str, str]]:
        return [(first, second) for first, second in statement.all(self.db, task_ids)]


def _explain(came_from: dict[Node, Node | None], last: Node) -> str:
    """The sentence that shows a cycle: each task on the path, in the order in which they would wait."""
    path: list[str] = []
    node: Node | None = last
    while node is not None:
        if not path or path[-1] != node.task:
            path.append(node.task)
        node = came_from[node]
    path.reverse()
    if len(path) > 12:  # noqa: PLR2004 - a sentence, not a listing
        path = [*path[:6], "…", *path[-5:]]
    return f"That would close a cycle: {' → '.join([*path, path[0]])} (each waits for the one before it)."


def _reorder(db: Transaction, region: _Region, nodes: list[Node]) -> None:
    """Give the nodes, in this order, the ranks that they had among them."""
    pool = sorted(region.rank(node) for node in nodes)
    spread = list(accumulate(pool, lambda last, rank: max(rank, last + 1)))
    ranks = dict(zip(nodes, spread, strict=True))
    if spread != pool:
        _push_on(region, ranks)
    changed = {
        node.task: {
            "key_id": node.task,
            "low": ranks.get(Node(node.task, finish=False), region.tasks[node.task].rank),
            "high": ranks.get(Node(node.task, finish=True), region.tasks[node.task].end_rank),
        }
        for node in ranks
    }
    SET_RANKS.run_many(db, changed.values())


def _push_on(region: _Region, ranks: dict[Node, int]) -> None:
    """Move on whatever comes after nodes that had equal ranks and, being spread, have run into it."""
    risen = list(ranks)
    while risen:
        steps = region.following(risen)
        region.load(node.task for _, node in steps)
        risen = []
        for source, node in steps:
            if ranks.get(node, region.rank(node)) <= ranks[source]:
                ranks[node] = ranks[source] + 1
                risen.append(node)
