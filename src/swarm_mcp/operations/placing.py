"""Where tasks stand: new ones, their parents, and what they wait for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from swarm_mcp.model import criteria as expressions
from swarm_mcp.model import ids
from swarm_mcp.model.draft import PlanItem, TaskDraft, check_texts, draft_columns, read_edge
from swarm_mcp.model.errors import CycleRefused, IllegalMove, Refusal, gathered, noting
from swarm_mcp.model.lifecycle import FINISHED, TaskStatus
from swarm_mcp.model.task import EdgeType, ExecutionStatus
from swarm_mcp.operations import claims, moves, telling
from swarm_mcp.operations.naming import NOWHERE, Place, place_of
from swarm_mcp.repository import graph, tasks, tree, work
from swarm_mcp.repository.graph import Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

NEW: dict[str, Any] = {
    "status": "pending", "attempt": 0, "version": 1, "completion_summary": "", "outputs": {}, "artifacts": [],
    "error": "", "lapses": 0, "lease_minutes": 0, "connection_id": "", "subtasks": 0, "open_subtasks": 0,
    "source_status": "", "assignee_id": None, "pool_team_id": None, "pool_specialty": None, "reserved_from": None,
    "actual_hours": None, "started_at": None, "completed_at": None, "hold_reason": None, "hold_by_id": None,
    "holder_id": None, "delegator_id": None, "worker_id": None, "archived_at": None, "lease_until": None,
    "progress": None,
}  # fmt: skip
"""Every column of a new task that its draft does not say, so that storing one is always the same statement."""


@dataclass(slots=True)
class Placement:
    """A checked proposal, with its references resolved to ids."""

    draft: PlanItem | TaskDraft
    id: str = field(default_factory=lambda: ids.new_task_id())  # noqa: PLW0108 - so that a test can choose ids
    columns: dict[str, Any] = field(default_factory=dict)
    criteria: list[tuple[str, str]] = field(default_factory=list)
    parent: str = ""
    blockers: list[tuple[str, EdgeType]] = field(default_factory=list)
    place: Place = field(default_factory=Place)
    relations: list[tuple[str, EdgeType]] = field(default_factory=list)
    """Edges that do not gate and lead to what is not there yet: recorded with the task, stored by whoever stores it."""
    stated: dict[str, Any] = field(default_factory=dict)
    """Columns that a document states (see operations.stating); empty for a task that is created here."""
    brought: dict[str, int] = field(default_factory=dict)
    """How much else a document says about it, by kind."""


def check_draft(draft: PlanItem | TaskDraft) -> Placement:
    """Check everything about a draft that needs no board.

    Raises:
        Invalid: everything that is wrong, a sentence each.

    """
    new = Placement(draft)
    found: list[Refusal] = []
    with noting(found):
        new.columns = draft_columns(draft)
    with noting(found):
        new.criteria = checked_criteria(draft.criteria, draft.checks)
    for edge in draft.depends_on:
        with noting(found):
            read_edge(edge)
    if found:
        raise gathered(found)
    return new


def checked_criteria(texts: Sequence[str], checks: Sequence[str]) -> list[tuple[str, str]]:
    """Criteria as (text, CEL expression) in their order: texts, then checks, each of which must parse."""
    wanted = [(words, "") for words in check_texts(list(texts), "criteria")]
    for check in check_texts(list(checks), "checks"):
        expressions.check_expression(check)
        wanted.append(("", check))
    return wanted


def insert_new(db: Transaction, new: Placement) -> Row:
    """Store a new task where it belongs, with its edges and criteria, and record it.

    Raises:
        CycleRefused: it cannot stand there.

    """
    graph.lock_graph(db)  # lest the order is mended around a place that is just being taken
    around = tasks.locked_rows(db, [*filter(None, [new.parent]), *(each for each, _ in new.blockers)])
    parent = around[new.parent] if new.parent else None
    blocking = [around[each] for each, kind in new.blockers if kind is EdgeType.BLOCKS]
    after = [row.end_rank for row in blocking] + ([parent.rank] if parent is not None else [])
    ranks = graph.place(db.now, after=after, below=parent.end_rank if parent is not None else None)
    placed = ranks or graph.place(db.now, after=after, below=None) or (0, 1)
    row = tasks.insert_task(db, columns_of_new(db, new, parent, blocking, placed))
    moves.record(db, "imported" if new.stated else "created", row, creation(row._asdict(), new), version=row.version)
    if ranks is None and parent is not None:
        _make_room(db, row, parent)
    for other, kind in new.blockers:
        if ranks is None and kind is EdgeType.BLOCKS:
            graph.connect(db, Node(other, finish=True), Node(row.id, finish=False))
        graph.insert_edge(db, row.id, other, kind, by=db.actor.id)
    work.insert_criteria(db, row.id, new.criteria)
    moves.count_new(db, row)
    hand_over_new(db, row, new.place)
    return row


def columns_of_new(
    db: Transaction, new: Placement, parent: Row | None, blocking: Sequence[Row], ranks: tuple[int, int]
) -> dict[str, Any]:
    """Every column of a new task that has no parts yet, as it follows from its parent and from what it waits for."""
    gates = parent.gates + int(moves.gating(parent)) if parent is not None else 0
    waits = gates + sum(row.status != TaskStatus.COMPLETED for row in blocking)
    rank, end_rank = ranks
    values = {
        **NEW, "created_at": db.now, **new.columns, **_pool_of(parent), **_assignment(db, new.place), "id": new.id,
        "project": db.project.slug, "parent_id": new.parent or None, "creator_id": db.actor.id,
        "updated_at": db.now, "due": new.columns["deadline"] or moves.END_OF_TIME, "rank": rank,
        "end_rank": end_rank, "waits": waits, "gates": gates,
    }  # fmt: skip
    values["status"] = TaskStatus.BLOCKED.value if waits else TaskStatus.PENDING.value
    return values | new.stated


def _pool_of(parent: Row | None) -> dict[str, str | None]:
    """Parts that are given to nobody lie in the pool in which their parent lies, or lay before it was split."""
    if parent is None:
        return {}
    lay = parent.reserved_from or parent._asdict()
    return {"pool_team_id": lay.get("pool_team_id"), "pool_specialty": lay.get("pool_specialty")}


def _assignment(db: Transaction, place: Place) -> dict[str, str | None]:
    return {**place.columns(), "delegator_id": db.actor.id} if place.label else {}


def creation(values: Mapping[str, Any], new: Placement) -> dict[str, Any]:
    """What the first event of a task says, from which its columns can be rebuilt."""
    data: dict[str, Any] = {
        name: [None, moves.plain(value)]
        for name, value in values.items()
        if name in moves.VERSIONED and value not in (None, "", [], {}, 0)
    }
    if new.blockers or new.relations:
        data["edges"] = {"added": [f"{kind}:{other}" for other, kind in (*new.blockers, *new.relations)]}
    return {**data, "brought": new.brought} if new.brought else data


def _make_room(db: Transaction, row: Row, parent: Row) -> None:
    """Mend the order around a subtask for which there was no room."""
    graph.connect(db, Node(parent.id, finish=False), Node(row.id, finish=False))
    graph.connect(db, Node(row.id, finish=True), Node(parent.id, finish=True))


def hand_over_new(db: Transaction, row: Row, place: Place) -> None:
    """Naming an assignee when creating is a delegation too."""
    if not place.label or row.status in FINISHED:  # a document may say who has finished it
        return
    offer(db, row, place, {}, before={})
    if place.agent is not None:
        words = f"{db.actor.name} gave you {row.id} {row.title[:80]}."
        telling.tell_only(db, row, "delegated", words, [place.agent.id])


def offer(db: Transaction, row: Row, place: Place, said: dict[str, Any], *, before: dict[str, str]) -> str:
    """Record that a task is handed to somebody, and with what words; the delegation's id."""
    return work.insert_delegation(
        db,
        {
            "task_id": row.id,
            "from_id": db.actor.id,
            "to_agent_id": place.agent.id if place.agent is not None else None,
            "to_team_id": place.team.id if place.team is not None else None,
            "to_specialty": place.specialty or None,
            "state": "offered",
            "before": before,
            **said,
        },
    )


def check_open_parent(parent: Row) -> None:
    """Refuse open work under a parent that is finished or in review."""
    if parent.status in FINISHED or parent.status == TaskStatus.IN_REVIEW:
        verb = "retry" if parent.status == TaskStatus.FAILED else "reopen"
        call = (
            f'review_task(task="{parent.id}", verdict="rework", notes=…)'
            if parent.status == TaskStatus.IN_REVIEW
            else f'update_task(task="{parent.id}", action="{verb}")'
        )
        raise IllegalMove(
            f"{parent.id} is {parent.status}: nothing open can be put under it. {call} first.",
            task=parent.id,
            status=parent.status,
        )


def split(db: Transaction, parent: Row) -> Row:
    """The worker has split the task that it holds: the claim ends, and the task stays reserved for it."""
    values: dict[str, Any] = {}
    if parent.assignee_id != db.actor.id and parent.reserved_from is None:
        values = {**NOWHERE, "assignee_id": db.actor.id, "reserved_from": place_of(parent)}
    fresh = tasks.task_row(db, parent.id)
    return claims.end_claim(db, fresh, ExecutionStatus.WAITING, "split", values).row


def add_edges(
    db: Transaction,
    row: Row,
    wanted: Iterable[tuple[Row, EdgeType]],
    event: str = "linked",
    data: dict[str, Any] | None = None,
) -> tuple[Row, list[str]]:
    """Let a task wait for (or be related to) others.

    Args:
        db: the transaction.
        row: the task.
        wanted: the others, and how it depends on them.
        event: what the ledger calls it.
        data: more for the event.

    Returns:
        The task as it is now, and each new edge as a sentence.

    Raises:
        CycleRefused: an edge would close a cycle.

    """
    graph.lock_graph(db)
    here = {(each.depends_on_id, each.type) for each in graph.edges_of(db, row.id)}
    sentences: list[str] = []
    added: list[str] = []
    waits = 0
    for other, kind in wanted:
        if other.id == row.id:
            raise CycleRefused(f"{row.id} cannot wait for itself.", task=row.id)
        if (other.id, kind.value) in here:
            continue
        here.add((other.id, kind.value))
        if kind is EdgeType.BLOCKS:
            check_not_related(db, row, other)
            graph.connect(db, Node(other.id, finish=True), Node(row.id, finish=False))
            waits += other.status != TaskStatus.COMPLETED
        graph.insert_edge(db, row.id, other.id, kind, by=db.actor.id)
        added.append(f"{kind}:{other.id}")
        sentences.append(say_edge(row.id, other.id, kind))
    if not added:
        return row, sentences
    fresh = tasks.task_row(db, row.id)
    said = {"edges": {"added": added}, **(data or {})}
    moved = moves.change(db, fresh, event, {"waits": fresh.waits + waits}, said)
    return tasks.task_row(db, moved.row.id), sentences


def check_not_related(db: Transaction, row: Row, other: Row) -> None:
    """Refuse a gate between ancestor and descendant: neither could ever finish."""
    for lower, upper in ((row, other), (other, row)):
        if lower.parent_id and any(each.id == upper.id for each in tree.ancestors(db, lower.id)):
            raise CycleRefused(
                f"{lower.id} is below {upper.id}, so neither can wait for the other: a parent finishes after its "
                "subtasks by itself. Drop this edge.",
                task=row.id,
            )


def say_edge(task_id: str, other: str, kind: str) -> str:
    """An edge as a sentence."""
    verbs = {
        "blocks": f"{task_id} waits for {other}",
        "enables": f"{other} enables {task_id}",
        "enhances": f"{other} enhances {task_id}",
        "related": f"{task_id} is related to {other}",
        "discovered_from": f"{task_id} was discovered from {other}",
        "duplicates": f"{task_id} duplicates {other}",
        "supersedes": f"{task_id} supersedes {other}",
    }
    return verbs[kind]
