"""What a document tells of each task: the task, where it stands, its edges, criteria and foreign names, in batches."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from swarm_mcp.repository import agents, forest, tasks, teams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from swarm_mcp.interchange.exporting import Wanted
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

BATCH = 200
"""Tasks whose long texts are in memory at once."""


class Sheet(NamedTuple):
    """A task with everything that a document tells of it."""

    row: Row
    depth: int
    parent: str
    """The id of the nearest task above it in the document; empty at depth 0."""
    assignee: str
    """The agent, or `team:…` or `specialty:…`, that it lies with; empty is anybody."""
    holder: str
    edges: list[Row]
    """task_id, depends_on_id, type; title and status of the other end."""
    criteria: list[Row]
    names: list[Row]
    """source and foreign_id."""


def sheets(db: Transaction, wanted: Wanted, told: Callable[[int], None] = lambda _: None) -> Iterator[Sheet]:
    """The sheets of everything that is wanted, in the order of the tree; `told` hears of each batch when it is done."""
    walk = forest.walk(db, root=wanted.task, since=wanted.since)
    while batch := list(islice(walk, BATCH)):
        ids = [each.row.id for each in batch]
        rows = tasks.task_rows(db, ids)
        edges, criteria = forest.edges_of(db, ids), forest.criteria_of(db, ids)
        names = forest.foreign_names_of(db, ids)
        people = agents.agent_names(db, (each for row in rows.values() for each in (row.assignee_id, row.holder_id)))
        pools = teams.team_names(db, (row.pool_team_id for row in rows.values()))
        for each in batch:
            task = each.row.id
            row = rows[task]
            yield Sheet(
                row, each.depth, each.parent, _lies_with(row, people, pools), people.get(row.holder_id, ""),
                edges.get(task, []), criteria.get(task, []), names.get(task, []),
            )  # fmt: skip
        told(len(batch))


def expected(db: Transaction, wanted: Wanted) -> int | None:
    """How many sheets there will be; None where nobody knows."""
    return None if wanted.task or wanted.since else sum(tasks.tallies(db).values())


def left_out(db: Transaction, wanted: Wanted) -> str:
    """The sentence about archived tasks, which no document has; empty for a part of a board, or without any."""
    count = 0 if wanted.task or wanted.since else sum(tasks.tallies(db, archived=True).values())
    archived = f"{count:,} archived {'task is' if count == 1 else 'tasks are'}"
    return f" {archived} left out." if count else ""


def _lies_with(row: Row, people: dict[str | None, str], pools: dict[str | None, str]) -> str:
    if row.assignee_id:
        return people.get(row.assignee_id, "")
    if row.pool_team_id:
        return f"team:{pools.get(row.pool_team_id, '')}"
    return f"specialty:{row.pool_specialty}" if row.pool_specialty else ""
