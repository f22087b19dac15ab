"""Planning: one task, or a whole graph at once."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.draft import PlanItem, TaskDraft, read_draft
from swarm_mcp.model.errors import CycleRefused, Invalid, Refusal, gathered, kind_of, noting
from swarm_mcp.model.task import EdgeType, Planned, Written
from swarm_mcp.model.tokens import fitting
from swarm_mcp.operations import placing
from swarm_mcp.operations.answering import first_result, keep_result, task_change, unread
from swarm_mcp.operations.catalog import DIRECTING, operation
from swarm_mcp.operations.ordering import in_waves, plan_order
from swarm_mcp.operations.placing import Placement
from swarm_mcp.operations.proposing import checked, find_parent, unassign_discoveries
from swarm_mcp.repository import graph, tasks

if TYPE_CHECKING:
    from collections.abc import Generator

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

PlanItems = Annotated[list[PlanItem], BeforeValidator(arg.as_list)]
PLAN_LIMIT = 1000
REF_LIMIT = 80
SHOWN = 100
WAVES_SHOWN = 20
WAVE_SHOWN = 8
WARNINGS_SHOWN = 20
IDS_BUDGET = 3000
"""Tokens; the rest of the answer repeats many of the ids."""


@operation(profiles=DIRECTING, repeatable=True)
def create_task(
    db: Transaction,
    *,
    title: arg.Text,
    description: arg.Text = "",
    parent: arg.Text = "",
    depends_on: arg.DependsOn = [],
    priority: arg.Priority = "medium",
    assignee: arg.Assignee = "",
    criteria: arg.Criteria = [],
    checks: arg.Checks = [],
    deadline: arg.Deadline = "",
    estimated_hours: arg.Hours = 0,
    tags: arg.Texts = [],
    area: arg.Text = "",
    touches: arg.Touches = [],
    needs_review: bool = False,
    complexity: arg.Complexity = "",
    phase: arg.Phase = 0,
    task_type: arg.Text = "",
    source: arg.Text = "",
    key: arg.Key = "",
) -> Written:
    """Create one task. `assignee`: agent, team or specialty; `checks` are CEL over measurements; the same `key` never
    creates twice.
    """
    said: dict[str, Any] = {
        "title": title, "description": description, "parent": parent, "depends_on": depends_on,
        "priority": priority, "assignee": assignee, "criteria": criteria, "checks": checks, "deadline": deadline,
        "estimated_hours": estimated_hours, "tags": tags, "area": area, "touches": touches,
        "needs_review": needs_review, "complexity": complexity, "phase": phase, "task_type": task_type,
        "source": source,
    }  # fmt: skip
    again = first_result(db, "create_task", key, said)
    if again is not None:
        row = tasks.task_row(db, again["ids"]["task"])
        return Written(
            task=task_change(row),
            message=f"{row.id} was created under this key before; nothing new.",
            unread=unread(db),
        )
    graph.lock_graph(db)
    warnings: list[str] = []
    mistakes: list[Refusal] = []
    above: Row | None = None
    with noting(mistakes):
        above = find_parent(db, parent, warnings)
    new = checked(db, read_draft(TaskDraft, {**said, "parent": ""}), above, set(), warnings, mistakes)
    if mistakes:
        raise gathered(mistakes)
    with _naming({"this task": new}):
        row = placing.insert_new(db, new)
    if above is not None and above.holder_id is not None and above.holder_id == db.actor.id:
        placing.split(db, above)
        row = tasks.task_row(db, row.id)
    keep_result(db, "create_task", key, said, {"ids": {"task": row.id}})
    return _created(db, row, new, warnings)


def _created(db: Transaction, row: Row, new: Placement, warnings: list[str]) -> Written:
    edges = [placing.say_edge(row.id, other, kind) for other, kind in new.blockers]
    whose = f" for {new.place.label}" if new.place.label else ""
    under = f" under {row.parent_id}" if row.parent_id else ""
    how = f"; {'; '.join(edges[:5])}" if edges else ""
    return Written(
        task=task_change(row, assignee=new.place.label, parent=row.parent_id),
        message=f"Created {row.id}{under}{whose}, {row.status}{how}.",
        unread=unread(db),
        warnings=warnings,
    )


@operation(repeatable=True, long=True)
def create_plan(db: Transaction, *, tasks: PlanItems, parent: arg.Text = "", key: arg.Key = "") -> Planned:
    """Create one task or a whole graph, all or nothing. `parent` and `depends_on` name refs of this plan or ids; under
    a task you hold, this splits it.
    """
    items = _read_items(tasks)
    graph.lock_graph(db)
    said: dict[str, object] = {"tasks": [item.model_dump() for item in items], "parent": parent}
    again = first_result(db, "create_plan", key, said)
    if again is not None:
        return Planned(
            ids=shown_ids(again["ids"]),
            message=f"These {len(again['ids'])} tasks were created under this key before; nothing new.",
            unread=unread(db),
        )
    if not items:
        raise Invalid('The plan is empty. Give tasks=[{"title": …}, …].')
    if len(items) > PLAN_LIMIT:
        raise Invalid(f"A plan takes at most {PLAN_LIMIT} tasks at once; this one has {len(items)}. Send it in parts.")
    warnings: list[str] = []
    above = find_parent(db, parent, warnings)
    made = store_plan(db, items, above, warnings)
    answer = _planned(db, made, warnings)
    keep_result(db, "create_plan", key, said, {"ids": {ref: row.id for ref, row in made.items()}})
    return answer


def _read_items(tasks: object) -> list[PlanItem]:
    """The items of a plan; over the wire they come read already, a script may give maps."""
    given = arg.as_list(tasks)
    items: list[PlanItem] = []
    mistakes: list[Refusal] = []
    for n, said in enumerate(given if isinstance(given, list | tuple) else [given], start=1):
        try:
            items.append(read_draft(PlanItem, said))
        except Invalid as refusal:
            mistakes.append(Invalid(f"item {n}: {refusal.message}"))
    if mistakes:
        raise _mistaken(mistakes)
    return items


def store_plan(db: Transaction, items: list[PlanItem], above: Row | None, warnings: list[str]) -> dict[str, Row]:
    """Store a checked graph; the new tasks by ref, in the plan's order.

    Raises:
        Refusal: every mistake is named at once, and nothing was written.

    """
    refs = refs_of(items)
    mistakes: list[Refusal] = []
    news: dict[str, Placement] = {}
    for n, (ref, item) in enumerate(zip(refs, items, strict=True), start=1):
        found: list[Refusal] = []
        if len(ref) > REF_LIMIT:
            found.append(Invalid(f"a ref has at most {REF_LIMIT} characters; got {len(ref)}."))
        news[ref] = checked(db, item, above, set(refs), warnings, found)
        # Among equals the queue and the tree keep the plan's order.
        news[ref].columns["created_at"] = db.now - timedelta(microseconds=len(items) - n)
        if found:
            what = gathered(found)
            mistakes.append(type(what)(f"item {n} (`{ref[:40]}`): {what.message}"))
    order = plan_order(refs, items, mistakes)
    if mistakes:
        raise _mistaken(mistakes)
    above_all = {new.parent for new in news.values()} - {"", *refs}
    unassign_discoveries(db, news)
    with _naming(news):
        made = _store(db, order, news)
    for row in tasks.task_rows(db, sorted(above_all)).values():
        if row.holder_id is not None and row.holder_id == db.actor.id:
            placing.split(db, row)
    return {ref: made[ref] for ref in refs}


def _store(db: Transaction, order: list[str], news: dict[str, Placement]) -> dict[str, Row]:
    """Store the tasks of a plan in an order in which whatever gates them is there; softer relations may look ahead."""
    made: dict[str, Row] = {}
    ahead: list[tuple[str, str, EdgeType]] = []
    for ref in order:
        new = news[ref]
        new.parent = made[new.parent].id if new.parent in made else new.parent
        ahead += [(ref, other, kind) for other, kind in new.blockers if other in news and other not in made]
        new.blockers = [
            (made[other].id if other in made else other, kind)
            for other, kind in new.blockers
            if other in made or other not in news
        ]
        made[ref] = placing.insert_new(db, new)
    for ref, other, kind in ahead:
        made[ref], _ = placing.add_edges(db, made[ref], [(made[other], kind)])
    return made


@contextmanager
def _naming(news: dict[str, Placement]) -> Generator[None]:
    """A cycle is shown in words that the caller knows: it never saw the ids of tasks that were not created."""
    try:
        yield
    except CycleRefused as refusal:
        words = refusal.message
        for ref, new in news.items():
            words = words.replace(new.id, ref)
        raise CycleRefused(f"Nothing was created: {words[:1].lower()}{words[1:]}") from None


def refs_of(items: list[PlanItem]) -> list[str]:
    """What the items are called in their plan: their ref, else their number."""
    return [item.ref.strip() or f"#{n}" for n, item in enumerate(items, start=1)]


def _mistaken(mistakes: list[Refusal]) -> Refusal:
    """One refusal of all mistakes, of their kind if they are all of one."""
    shown = [each.message for each in mistakes[:20]]
    more = f" … and {len(mistakes) - len(shown)} more." if len(mistakes) > len(shown) else ""
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return kind_of(mistakes)(f"Nothing was created; {count}: {' '.join(shown)}{more}", mistakes=shown)


def _planned(db: Transaction, made: dict[str, Row], warnings: list[str]) -> Planned:
    found = tasks.task_rows(db, [row.id for row in made.values()])
    rows = [found[row.id] for row in made.values()]
    ready = [row.id for row in rows if row.status == "pending"]
    edges = {each: [other.id for other in others] for each, others in graph.blockers(db, list(found)).items()}
    waves = in_waves(rows, edges)
    numbered = shown_ids({ref: row.id for ref, row in made.items()})
    shown = [wave[:WAVE_SHOWN] for wave in waves[:WAVES_SHOWN]]
    cut = shown != waves or len(ready) > SHOWN or len(numbered) < len(made)
    count = "1 task" if len(made) == 1 else f"{len(made)} tasks"
    return Planned(
        ids=numbered,
        ready=ready[:SHOWN],
        order=shown,
        warnings=warnings[:WARNINGS_SHOWN],
        message=f"Created {count}: {len(ready)} ready now, {len(waves)} {'wave' if len(waves) == 1 else 'waves'}.",
        more='list_tasks(sort="created") shows all of them.' if cut else "",
        unread=unread(db),
    )


def shown_ids(ids: dict[str, str]) -> dict[str, str]:
    """As many of a plan's ids as one answer has room for."""
    return dict(fitting(ids.items(), str, budget=IDS_BUDGET))
