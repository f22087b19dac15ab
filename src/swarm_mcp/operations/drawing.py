"""The tree of tasks and the graph of what they depend on, as records: as much of it as is asked for, page by page."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from swarm_mcp.model.drawing import EdgeLine, Graph, Tree, TreeNode
from swarm_mcp.operations.answering import shorten, task_lines
from swarm_mcp.repository import forest, tasks
from swarm_mcp.repository.lines import line_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.forest import Standing

PAGE = 500


def tree(db: Transaction, *, under: str = "", limit: int | None = None) -> Tree:
    """A task and everything below it, or the whole project, siblings the oldest first; archived tasks are left out.

    Args:
        db: the transaction.
        under: the task at the top; its id, a foreign reference, or the beginning of the id.
        limit: at most so many tasks.

    """
    walk = _walk(db, under)
    nodes: list[TreeNode] = []
    while page := list(islice(walk, PAGE if limit is None else min(PAGE, limit - len(nodes)))):
        depths = {each.row.id: each.depth for each in page}
        lines = task_lines(db, line_rows(db, depths))
        nodes += [TreeNode(**vars(line), depth=depths[line.id]) for line in lines]
    is_cut = next(walk, None) is not None
    count = f"{len(nodes):,} {'task' if len(nodes) == 1 else 'tasks'}"
    return Tree(message=f"The first {count}." if is_cut else f"{count}.", nodes=nodes, is_cut=is_cut)


def edges(db: Transaction, *, under: str = "") -> Iterator[EdgeLine]:
    """What a task and those below it, or all tasks, depend on, in the order of the tree."""
    walk = _walk(db, under)
    while page := list(islice(walk, PAGE)):
        found = forest.edges_of(db, [each.row.id for each in page])
        for standing in page:
            for edge in found.get(standing.row.id, ()):
                yield EdgeLine(
                    task=standing.row.id,
                    title=shorten(standing.row.title),
                    status=standing.row.status,
                    type=edge.type,
                    depends_on=edge.depends_on_id,
                    depends_on_title=shorten(edge.title),
                    depends_on_status=edge.status,
                )


def graph(db: Transaction, *, under: str = "") -> Graph:
    """The same as one answer."""
    found = list(edges(db, under=under))
    return Graph(message=f"{len(found):,} {'dependency' if len(found) == 1 else 'dependencies'}.", edges=found)


def _walk(db: Transaction, under: str) -> Iterator[Standing]:
    return forest.walk(db, root=tasks.resolve_task(db, under).id if under.strip() else "")
