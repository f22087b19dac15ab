"""What remains to be done, and what waits for what: read once, walked in memory.

Every task is two nodes, its start and its finish, as in the order of the graph: a dependency means finish(blocker)
before start(task); parenthood means start(parent) before start(child) and finish(child) before finish(parent).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from swarm_mcp.repository import unfinished
from swarm_mcp.repository.graph import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

COUNTED = 1000
"""As far as it is counted how much waits for something."""
VISITED = 200_000
"""Nodes that are visited for counting, at most; what waits for the rest directly is all that is counted then."""


class Dead(NamedTuple):
    """Something that is over without being done, and what waits for it nevertheless."""

    task: str
    status: str
    waiter: str
    is_part: bool
    """Whether the waiter is its parent."""


class Remaining:
    """The open tasks of a project as a graph."""

    def __init__(self, db: Transaction) -> None:
        self.tasks = unfinished.open_tasks(db)
        self.shut = unfinished.shut_parents(db, self.tasks)
        """Finished tasks above open ones."""
        self.parents: dict[str, str] = {}
        self.parts: dict[str, list[str]] = {}
        self.blockers: dict[str, list[str]] = {}
        self.waiters: dict[str, list[str]] = {}
        self.dead: list[Dead] = []
        for row in (*self.tasks.values(), *self.shut.values()):
            self._under(row.id, row.parent_id)
        for row in unfinished.gates(db, self.shut):
            self.blockers.setdefault(row.task_id, []).append(row.depends_on_id)
            self.waiters.setdefault(row.depends_on_id, []).append(row.task_id)
            if row.status in {"failed", "cancelled"}:
                self.dead.append(Dead(row.depends_on_id, row.status, row.task_id, is_part=False))
        for row in unfinished.failed_parts(db):
            if row.id not in self.shut:
                self._under(row.id, row.parent_id)
            self.dead.append(Dead(row.id, "failed", row.parent_id, is_part=True))
        self._counts: dict[Node, int] = {}
        self._visited = 0

    def _under(self, task: str, parent: str | None) -> None:
        if parent:
            self.parents[task] = parent
            self.parts.setdefault(parent, []).append(task)

    def row(self, task: str) -> Row | None:
        """An open task, or a finished one above an open one."""
        return self.tasks.get(task) or self.shut.get(task)

    def following(self, node: Node) -> list[Node]:
        """What cannot happen before this."""
        if not node.finish:
            inner = [Node(each, finish=False) for each in self.parts.get(node.task, ())]
            return [Node(node.task, finish=True), *inner]
        found = [Node(each, finish=False) for each in self.waiters.get(node.task, ())]
        parent = self.parents.get(node.task)
        return [*found, Node(parent, finish=True)] if parent else found

    def preceding(self, node: Node) -> list[Node]:
        """What has to happen before this."""
        if node.finish:
            inner = [Node(each, finish=True) for each in self.parts.get(node.task, ())]
            return [Node(node.task, finish=False), *inner]
        found = [Node(each, finish=True) for each in self.blockers.get(node.task, ())]
        parent = self.parents.get(node.task)
        return [*found, Node(parent, finish=False)] if parent else found

    def before(self, ends: Iterable[str]) -> set[Node]:
        """Everything that has to happen before these tasks are finished, and their finishes."""
        stack = [Node(each, finish=True) for each in ends]
        found = set(stack)
        while stack:
            fresh = [each for each in self.preceding(stack.pop()) if each not in found]
            found.update(fresh)
            stack += fresh
        return found

    def directly_behind(self, task: str, *, gating: bool) -> int:
        """About how many open tasks wait for one directly; takes no time to speak of."""
        return len(self.following(Node(task, finish=True))) + gating * len(self.parts.get(task, ()))

    def behind(self, task: str, *, gating: bool) -> int:
        """How many open tasks wait for one, directly or through others, as far as they are counted.

        Args:
            task: the task that does not move.
            gating: whether it keeps everything below it waiting, too.

        """
        return min(self._count(Node(task, finish=not gating)) - (task in self.tasks), COUNTED)

    def _count(self, node: Node) -> int:
        """How many open tasks cannot be finished before this node; its own, too."""
        line: list[Node] = []
        while node not in self._counts:
            nexts = self.following(node)
            if len(nexts) != 1:
                self._counts[node] = self._reach(node)
                break
            line.append(node)
            node = nexts[0]
        for each in reversed(line):  # what has but one follower needs no search of its own
            self._counts[each] = self._counts[node] + (each.finish and each.task in self.tasks)
            node = each
        return self._counts[node]

    def _reach(self, origin: Node) -> int:
        seen = {origin}
        stack = [origin]
        count = 0
        while stack and count <= COUNTED and (self._visited < VISITED or len(seen) == 1):
            node = stack.pop()
            self._visited += 1
            count += node.finish and node.task in self.tasks
            fresh = [each for each in self.following(node) if each not in seen]
            seen.update(fresh)
            stack += fresh
        return count + len({each.task for each in stack} if self._visited >= VISITED else ())
