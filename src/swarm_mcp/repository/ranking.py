"""The order of starts and finishes worked out anew, from the graph alone (see graph.py for what it orders)."""

from __future__ import annotations

import heapq
from collections import defaultdict
from typing import TYPE_CHECKING

from swarm_mcp.repository import recount
from swarm_mcp.repository.graph import SET_RANKS, Node

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction


class Order:
    """The graph of a whole database, and ranks that fit it as near to the present ones as can be."""

    def __init__(self, db: Transaction) -> None:
        self.now: dict[Node, int] = {}
        self.new: dict[Node, int] = {}
        """In order. What is missing stands in a circle, or behind one."""
        self._after: dict[Node, list[Node]] = defaultdict(list)
        self._before: dict[Node, int] = defaultdict(int)
        rows, blocking = recount.ranks(db)
        for row in rows:
            start, end = Node(row.id, finish=False), Node(row.id, finish=True)
            self.now[start], self.now[end] = row.rank, row.end_rank
        for row in rows:
            start, end = Node(row.id, finish=False), Node(row.id, finish=True)
            self._edge(start, end)
            if row.parent_id:
                self._edge(Node(row.parent_id, finish=False), start)
                self._edge(end, Node(row.parent_id, finish=True))
        for row in blocking:
            self._edge(Node(row.blocker, finish=True), Node(row.waiter, finish=False))
        self._sort()

    def _edge(self, before: Node, after: Node) -> None:
        if before in self.now and after in self.now:
            self._after[before].append(after)
            self._before[after] += 1

    def _sort(self) -> None:
        """Kahn's algorithm, which takes what ranks first now; each comes after all that it follows from."""
        least: dict[Node, int] = {}
        waiting = dict(self._before)
        ready = [(rank, node) for node, rank in self.now.items() if not waiting.get(node)]
        heapq.heapify(ready)
        while ready:
            _, node = heapq.heappop(ready)
            rank = self.new[node] = max(self.now[node], least.get(node, 0))
            for each in self._after[node]:
                least[each] = max(least.get(each, 0), rank + 1)
                waiting[each] -= 1
                if not waiting[each]:
                    heapq.heappush(ready, (self.now[each], each))

    def circle(self) -> list[str]:
        """The tasks of one circle, each waiting for the one before it; empty if there is none."""
        stuck = self.now.keys() - self.new.keys()
        if not stuck:
            return []
        came_from = {each: node for node in stuck for each in self._after[node] if each in stuck}
        path = [next(iter(sorted(came_from)))]
        while path.count(path[-1]) < 2:  # noqa: PLR2004 - back where it has been
            path.append(came_from[path[-1]])
        around = path[path.index(path[-1]) + 1 :]
        return list(dict.fromkeys(node.task for node in reversed(around)))

    def store(self, db: Transaction) -> None:
        """Write down the ranks that have changed."""
        changed = dict.fromkeys(node.task for node, rank in self.new.items() if rank != self.now[node])
        SET_RANKS.run_many(
            db,
            [
                {"key_id": each, "low": self.new[Node(each, finish=False)], "high": self.new[Node(each, finish=True)]}
                for each in changed
            ],
        )
