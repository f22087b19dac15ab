"""The order inside a plan: which task must be stored before which, and in what waves they can be worked on."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from swarm_mcp.model.draft import PlanItem, read_edge
from swarm_mcp.model.errors import CycleRefused, Invalid, Refusal
from swarm_mcp.model.task import EdgeType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from swarm_mcp.repository.statement import Row

START, FINISH = "start", "finish"


def plan_order(refs: list[str], items: list[PlanItem], mistakes: list[Refusal]) -> list[str]:
    """The refs of a plan, parents and blockers first; what is wrong with its graph is added to the mistakes.

    Every item is a start and a finish, as in `repository.graph`, so that waiting for one's own parent is a cycle too.
    """
    if len(set(refs)) < len(refs):
        twice = sorted({ref for ref in refs if refs.count(ref) > 1})
        mistakes.append(Invalid(f"The ref `{twice[0][:40]}` is used twice."))
        return []
    try:
        order = starts_and_finishes(
            {ref: (item.parent.strip(), _blockers(item)) for ref, item in zip(refs, items, strict=True)}
        )
    except CycleRefused as refusal:
        mistakes.append(refusal)
        return []
    return [ref for ref, end in order if end == START]


def starts_and_finishes(plan: Mapping[str, tuple[str, Sequence[str]]]) -> list[tuple[str, str]]:
    """The starts and finishes of a plan's tasks in an order that fits it, and is the plan's own where that is free.

    Args:
        plan: of every task its parent and its blockers; those that are not in the plan do not matter.

    Raises:
        CycleRefused: there is none; the sentence shows the path.

    """
    sorter: TopologicalSorter[tuple[str, str]] = TopologicalSorter()
    for ref, (parent, blockers) in plan.items():
        start = (ref, START)
        sorter.add((ref, FINISH), start)
        sorter.add(start, *((each, FINISH) for each in blockers if each in plan))
        if parent in plan:
            sorter.add(start, (parent, START))
            sorter.add((parent, FINISH), (ref, FINISH))
    try:
        return list(sorter.static_order())
    except CycleError as cycle:
        path = list(dict.fromkeys(ref for ref, _ in cycle.args[1]))
        raise CycleRefused(f"The plan waits for itself: {' → '.join([*path[:12], path[0]])}.") from None


def _blockers(item: PlanItem) -> list[str]:
    found: list[str] = []
    for edge in item.depends_on:
        try:
            other, kind = read_edge(edge)
        except Refusal:  # reported with the item itself
            continue
        if kind is EdgeType.BLOCKS:
            found.append(other)
    return found


def in_waves(rows: list[Row], edges: dict[str, list[str]]) -> list[list[str]]:
    """Tasks by when their work can begin: a wave waits for the ones before it. Parents come after their subtasks."""
    inside = {row.id for row in rows}
    waits: dict[str, set[str]] = {row.id: {each for each in edges.get(row.id, ()) if each in inside} for row in rows}
    above = {row.id: row.parent_id for row in rows if row.parent_id in inside}
    for child, parent in above.items():
        waits[parent].add(child)
    for row in rows:
        parent = above.get(row.id)
        while parent is not None:
            waits[row.id] |= {each for each in edges.get(parent, ()) if each in inside}
            parent = above.get(parent)
    sorter = TopologicalSorter(waits)
    sorter.prepare()
    place = {row.id: n for n, row in enumerate(rows)}
    waves: list[list[str]] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place.__getitem__)
        waves.append(ready)
        sorter.done(*ready)
    return waves
