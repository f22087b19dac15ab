"""The brief: what an agent needs to work on a task, most important first, within a budget of tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.lifecycle import CLAIMED, TaskStatus
from swarm_mcp.model.record import Record, spoken
from swarm_mcp.model.task import Brief, BriefTask, ContextView, Holding, ResultView
from swarm_mcp.model.tokens import CEILING, at_most, clipped, tokens
from swarm_mcp.operations import claims, details, judging, standing
from swarm_mcp.operations.answering import shorten, task_lines, unread
from swarm_mcp.operations.catalog import EVERY, operation
from swarm_mcp.repository import agents, graph, lines, memory, queue, tasks, tree, work
from swarm_mcp.repository.surroundings import Around, look_around

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

FRAME = 150
"""Tokens of the task's own row and of the calls at the end."""
LARGEST = 8000
SMALLEST = 200
SHOWN = 10
ABOVE = 5
HELD_SHOWN = 50
RESULTS_SHOWN = 20
SUMMARY_SHOWN = 400
LEAST = 30
"""Tokens of a section of which less says nothing."""


@operation(profiles=EVERY, writes=False, long_with=["include"])
def get_task(
    db: Transaction,
    *,
    task: arg.Text = "",
    include: arg.Texts = [],
    max_tokens: int = 1500,
    cursor: arg.Text = "",
) -> Brief | Holding:
    """The brief of a task; without `task`: what you hold. `include`: context, notes, messages, progress, history,
    executions, delegations, tree.
    """
    unknown = [each for each in include if each not in details.SECTIONS]
    if unknown:
        raise Invalid(f"`{unknown[0][:40]}` is no section; include takes {', '.join(details.SECTIONS)}.")
    if not SMALLEST <= max_tokens <= LARGEST:
        raise Invalid(f"max_tokens is {SMALLEST} to {LARGEST}; got {max_tokens}.")
    if task.strip():
        return brief_of(db, tasks.resolve_task(db, task), include=include, max_tokens=max_tokens, cursor=cursor)
    held = tasks.held_by(db, db.actor.id, limit=HELD_SHOWN + 1) if db.actor.id else []
    if len(held) == 1:
        return brief_of(db, tasks.task_row(db, held[0].id), include=include, max_tokens=max_tokens, cursor=cursor)
    return _holding(db, held)


def _holding(db: Transaction, held: Sequence[Row]) -> Holding:
    if not held:
        return Holding(
            message=f"{db.actor.name} holds nothing.", agent=db.actor.name, unread=unread(db), next=["claim_task()"]
        )
    count = f"{HELD_SHOWN} and more" if len(held) > HELD_SHOWN else str(len(held))
    return Holding(
        message=f"{db.actor.name} holds {count} tasks.", agent=db.actor.name,
        held=task_lines(db, held[:HELD_SHOWN]), unread=unread(db), next=[f'get_task(task="{held[0].id}")'],
    )  # fmt: skip


def brief_of(
    db: Transaction,
    row: Row,
    *,
    around: Around | None = None,
    include: Sequence[str] = (),
    max_tokens: int = 1500,
    cursor: str = "",
) -> Brief:
    """Gather a task's brief and cut it to its budget; `around` if somebody has looked already."""
    (itself, *above), there = around or look_around(db, row)
    subtasks = tree.children(db, row.id, limit=RESULTS_SHOWN) if row.subtasks else []
    below = lines.line_rows(db, [each.id for each in subtasks[:SHOWN]]) if subtasks else []
    near = task_lines(db, [itself, *above[:ABOVE], *below])
    parents = min(ABOVE, len(above))
    task = BriefTask(**vars(near[0]) | {"title": row.title, "version": row.version})
    mine = row.holder_id is not None and row.holder_id == db.actor.id
    blockers = graph.blockers(db, [row.id]).get(row.id, ()) if there.blockers else ()
    waited_for = [each.id for each in (*blockers, *subtasks) if each.status == TaskStatus.COMPLETED]
    brief = Brief(
        message=f"{row.id} {row.status}: {shorten(row.title)}",
        task=task,
        agent=db.actor.name,
        attempt=row.attempt if mine else 0,
        lease_until=row.lease_until.isoformat(timespec="seconds") if mine and row.lease_until else "",
        description=row.description,
        in_the_way=standing.in_the_way(db, row)
        if row.waits or row.open_subtasks or row.hold_reason is not None
        else [],
        criteria=judging.views_of(db, row.id) if there.criteria else [],
        parents=near[1 : 1 + parents],
        subtasks=near[1 + parents :],
        delegation=_delegation(db, row),
        results=_results(db, waited_for[:RESULTS_SHOWN]) if waited_for else [],
        context=_context(db, row, above) if there.context else [],
        also_changing=_also_changing(db, row),
        review=_review(db, row) if there.feedback else [],
        unread=there.unread,
        next=next_calls(db, row),
        **{"notes": _own_notes(db, row) if there.notes else [], **details.sections(db, row, include, cursor)},
    )
    return cut(brief, max_tokens, details.fields(include))


def _own_notes(db: Transaction, row: Row) -> list[str]:
    """The newest private notes of whoever reads."""
    return [shorten(each.text, 400) for each in memory.latest_notes(db, row.id, db.actor.id or "", limit=5)]


def _delegation(db: Transaction, row: Row) -> dict[str, Any]:
    live = work.live_delegation(db, row.id) if row.delegator_id or row.assignee_id else None
    if live is None:
        return {}
    said = {
        name: getattr(live, name)
        for name in (
            "reasoning", "expected_deliverables", "required_resources", "risk_factors", "context_requirements",
            "estimated_minutes",
        )
    }  # fmt: skip
    names = agents.agent_names(db, [live.from_id])
    return {"from": names.get(live.from_id, "operator"), **{name: value for name, value in said.items() if value}}


def _results(db: Transaction, finished: Sequence[str]) -> list[ResultView]:
    """What the tasks that it waited for, and its subtasks, have brought."""
    rows = tasks.task_rows(db, finished)
    names = agents.agent_names(db, (each.worker_id for each in rows.values()))
    return [
        ResultView(
            id=each.id, title=shorten(each.title), by=names.get(each.worker_id, ""),
            summary=_summary(each), outputs=each.outputs, artifacts=each.artifacts,
        )
        for each in rows.values()
    ]  # fmt: skip


def _summary(row: Row) -> str:
    """What was done, for those who wait for it: long words by their beginning, with the call that has the rest."""
    if len(row.completion_summary) <= SUMMARY_SHOWN:
        return row.completion_summary
    call = f'get_task(task="{row.id}", include=["executions"])'
    return f"{shorten(row.completion_summary, SUMMARY_SHOWN)} ({call} has all of it)"


def _context(db: Transaction, row: Row, above: Sequence[Row]) -> list[ContextView]:
    """Shared context of the task, then of what it inherits from, then of the whole project; nearer keys win."""
    here: list[str] = [row.id, *(each.id for each in above)]
    order: dict[str | None, int] = {each: place for place, each in enumerate(here)}
    found = memory.context_around(db, here, limit=70)
    found.sort(key=lambda each: (order.get(each.task_id, len(order)), -each.id))
    names = agents.agent_names(db, (each.by_id for each in found))
    views: dict[str, ContextView] = {}
    for each in found:
        views.setdefault(
            each.key,
            ContextView(
                key=each.key, kind=each.kind, value=each.value, rationale=each.rationale,
                by=names.get(each.by_id, "operator"), task=each.task_id or "",
            ),
        )  # fmt: skip
    return list(views.values())


def _also_changing(db: Transaction, row: Row) -> list[str]:
    if not row.touches:
        return []
    live = [each for each in queue.live_touches(db) if each.id != row.id]
    names = agents.agent_names(db, (each.holder_id for each in live))
    return [
        f"{names.get(each.holder_id, '')} with {each.id} changes {', '.join(both[:5])}"
        for each in live
        if (both := standing.overlapping(row.touches, each.touches))
    ][:SHOWN]


def _review(db: Transaction, row: Row) -> list[str]:
    said = [each for each in work.feedback_of(db, row.id) if each.notes][-3:]
    names = agents.agent_names(db, (each.by_id for each in said))
    notes = [*(shorten(each.notes, 600) for each in said[:-1]), *(each.notes for each in said[-1:])]
    return [
        f"{names.get(each.by_id, 'operator')} ({each.verdict or 'rating'}): {words}"
        for each, words in zip(said, notes, strict=True)
    ]


def next_calls(db: Transaction, row: Row) -> list[str]:
    """What to call next, with the right attempt filled in."""
    me = db.actor.id
    if me is not None and row.holder_id == me and row.status in CLAIMED:
        attempt = f", attempt={row.attempt}" if row.attempt > 1 else ""
        return [
            f'report_progress(task="{row.id}", message=…, percent=…{attempt})',
            f'complete_task(task="{row.id}", summary=…{attempt})',
        ]
    if row.status == TaskStatus.PENDING and me is not None and claims.entitled(db, row):
        return [f'claim_task(task="{row.id}")']
    if row.status == TaskStatus.IN_REVIEW:
        return [f'review_task(task="{row.id}", verdict="accept")']
    return []


def cut(brief: Brief, max_tokens: int, asked: Sequence[str] = ()) -> Brief:
    """Leave out from the end until the brief fits; what was left out is named as the call that gets it.

    Up to half the room is kept for the sections that were asked for, however much comes before them.
    """
    room = min(max_tokens, CEILING) - FRAME
    words = spoken(brief)
    if at_most(words) <= room or tokens(words) <= room:  # as nearly always
        return brief
    task = brief.task.id if brief.task is not None else ""
    left: list[str] = []
    values: dict[str, Any] = {}
    kept = {name: _cost(getattr(brief, name)) for name in asked}
    for_asked = min(sum(kept.values()), room // 2)
    room -= for_asked
    kept_free = min(_cost(brief.in_the_way) + _cost(brief.criteria), room // 2)
    for name in ORDER:
        if name in kept:
            room, for_asked = room + for_asked, 0
        value = getattr(brief, name)
        if not value:
            continue
        size = _cost(value)
        # However long the description, whoever works by it must see when it is done.
        here = room - kept_free if name == "description" else room
        if size <= here:
            room -= size
            continue
        values[name] = _fit(value, here)
        room = max(room - _cost(values[name]), 0)
        call = f'get_task(task="{task}", max_tokens={LARGEST})'
        left.append(f"{name}: {call if max_tokens < LARGEST else 'too long'}")
    return brief.model_copy(update={**values, "left_out": left}) if left else brief


ORDER = (
    "description", "in_the_way", "criteria", "parents", "delegation", "subtasks", "results", "context",
    "also_changing", "review", "notes", "messages", "progress_log", "history", "executions", "delegations", "tree",
)  # fmt: skip


def _cost(value: object) -> int:
    """What a section costs, in tokens."""
    if isinstance(value, str):
        return tokens(value)
    if isinstance(value, list):
        return sum(_cost(each) for each in value)
    if isinstance(value, Record):
        return tokens(spoken(value))
    return tokens(json.dumps(value, ensure_ascii=False))


def _fit(value: Any, room: int) -> Any:
    """As much as there is room for of a section, or of one of its entries, too long to be shown whole."""
    if isinstance(value, str):
        return clipped(value, room)
    if isinstance(value, Record):
        return _shortened(value, room)
    kept: list[Any] = []
    for each in value.values() if isinstance(value, dict) else value:
        size = _cost(each)
        if size > room and (kept or room < LEAST) and isinstance(value, list):
            break
        kept.append(each if size <= room else _fit(each, room))
        room -= min(size, room)
    return dict(zip(value, kept, strict=True)) if isinstance(value, dict) else kept


def _shortened(record: Record, room: int) -> Record:
    """An entry that is longer than its section by its beginning: the longest of its words are cut."""
    if isinstance(record, ResultView):
        return record.model_copy(update={"outputs": {}, "artifacts": []})
    if isinstance(record, ContextView) and not isinstance(record.value, str):
        record = record.model_copy(update={"value": json.dumps(record.value, ensure_ascii=False)})
    name, words = max(((name, each) for name, each in record if isinstance(each, str)), key=lambda pair: len(pair[1]))
    return record.model_copy(update={name: clipped(words, room - (_cost(record) - tokens(words)))})
