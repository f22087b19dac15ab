"""The longer sections of a brief, each only when asked for."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.task import ExecutionStatus
from swarm_mcp.operations import trees
from swarm_mcp.operations.answering import shorten
from swarm_mcp.repository import agents, delegations, events, memory, messages, work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

PAGE = 50
DELIVERABLES_SHOWN = 5
REPORT_SHOWN = 300
"""Characters of each part of an earlier report; of the last one everything is told."""


def sections(db: Transaction, row: Row, include: Sequence[str], cursor: str) -> dict[str, list[str]]:
    """The sections that were asked for, by the field of the brief that holds them.

    Args:
        db: the transaction.
        row: the task.
        include: the sections' names.
        cursor: where a page of notes, messages, progress or history begins: a number that an earlier answer gave.

    """
    after = read_cursor(cursor)
    return {field: SECTIONS[name](db, row, after) for name in include for field in fields([name])}


def fields(include: Sequence[str]) -> list[str]:
    """The fields of the brief that hold the sections which were asked for."""
    return [FIELDS.get(name, name) for name in include if SECTIONS[name] is not _nothing]


def read_cursor(cursor: str) -> int:
    """Where a page begins.

    Raises:
        Invalid: no answer gave this cursor.

    """
    if not cursor.strip():
        return 0
    if not cursor.strip().isascii() or not cursor.strip().isdigit() or len(cursor.strip()) > 18:  # noqa: PLR2004 - 64 bits
        raise Invalid(f"`{cursor[:40]}` is no cursor of this list; leave it empty to begin anew.")
    return int(cursor)


def _nothing(db: Transaction, row: Row, after: int) -> list[str]:
    """Context is in every brief."""
    _ = db, row, after
    return []


def _notes(db: Transaction, row: Row, after: int) -> list[str]:
    if db.actor.is_operator:
        found = memory.all_notes(db, row.id, after=after, limit=PAGE)
        names = agents.agent_names(db, (each.agent_id for each in found))
        return [f"{each.at:%Y-%m-%d %H:%MZ} {names.get(each.agent_id, 'operator')}: {each.text}" for each in found]
    if db.actor.id is None:
        return []
    found = memory.notes_of(db, row.id, db.actor.id, after=after, limit=PAGE)
    return [f"{each.at:%Y-%m-%d %H:%MZ} {each.text}" for each in found]


def _messages(db: Transaction, row: Row, after: int) -> list[str]:
    found = messages.about_task(db, row.id, db.actor.id, everything=db.actor.is_operator, limit=PAGE, after=after)
    names = agents.agent_names(db, (each.sender_id for each in found))
    return [
        f"m{each.id} {each.at:%Y-%m-%d %H:%MZ} {names.get(each.sender_id, 'operator')} ({each.type}): {each.text}"
        for each in sorted(found, key=lambda entry: entry.id)
    ]


def _progress(db: Transaction, row: Row, after: int) -> list[str]:
    found = (
        work.progress_of(db, row.id, after=after, limit=PAGE) if after else work.latest_progress(db, row.id, limit=PAGE)
    )
    names = agents.agent_names(db, (each.agent_id for each in found))
    return [
        f"{each.at:%Y-%m-%d %H:%MZ} {names.get(each.agent_id, 'operator')}"
        f"{'' if each.percent is None else f' {each.percent}%'}: {each.message}"
        for each in sorted(found, key=lambda entry: entry.id)
    ]


def _history(db: Transaction, row: Row, after: int) -> list[str]:
    found = (
        events.task_events(db, row.id, after=after, limit=PAGE)
        if after
        else events.latest_task_events(db, row.id, limit=PAGE)[::-1]
    )
    return history_lines(db, found)


def history_lines(db: Transaction, found: Sequence[Row], *, naming_tasks: bool = False) -> list[str]:
    """Events as lines: when, who, what (and, where not all are about one task, to which), and what it changed."""
    mentioned = {value for each in found for name in AGENTS & set(each.data) for value in each.data[name]}
    names = agents.agent_names(db, {each.agent_id for each in found} | mentioned)
    return [
        f"{each.seq} {each.at:%Y-%m-%d %H:%MZ} {names.get(each.agent_id, 'operator')} "
        f"{each.kind}{f' {each.task_id}' if naming_tasks and each.task_id else ''}{said(each.data, names)}"
        for each in found
    ]


AGENTS = frozenset({"assignee_id", "holder_id", "worker_id", "creator_id", "delegator_id", "hold_by_id"})


def said(data: dict[str, Any], names: dict[str | None, str]) -> str:
    """What an event says, in brackets: what it set, and what was there before."""
    parts = []
    for name, value in data.items():
        if isinstance(value, list) and len(value) == 2:  # noqa: PLR2004 - before and after
            before, after = (names.get(each, each) for each in value) if name in AGENTS else value
            changed = f"{name}: {shorten(_told(before), 40)} → {shorten(_told(after), 40)}"
            parts.append(f"{name}={shorten(_told(after), 60)}" if before in NOTHING else changed)
        elif value not in NOTHING:
            parts.append(f"{name}={shorten(_told(value), 60)}")
    return f" ({'; '.join(parts[:8])})" if parts else ""


NOTHING = (None, "", [], {})


def _told(value: object) -> str:
    """A value of an event in words."""
    if value in NOTHING:
        return "nothing"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(each)}" for name, each in value.items())
    return ", ".join(map(_told, value)) if isinstance(value, list) else str(value)


def _executions(db: Transaction, row: Row, after: int) -> list[str]:
    _ = after
    found = work.executions(db, row.id)[-PAGE:]
    names = agents.agent_names(db, (each.agent_id for each in found))
    last = max((each.attempt for each in found if each.summary), default=0)
    return [
        _execution(
            each, names.get(each.agent_id, "operator"), limit=sys.maxsize if each.attempt == last else REPORT_SHOWN
        )
        for each in found
    ]


def _execution(row: Row, agent: str, *, limit: int) -> str:
    """An attempt with the report that ended it, in one line, so many characters of each part that is not empty."""
    kind = f" ({row.specialty})" if row.specialty else ""
    ended = ""
    if row.ended_at is not None:
        seconds = (row.ended_at - row.started_at).total_seconds()
        ended = f" to {row.ended_at:%Y-%m-%d %H:%MZ} ({seconds:.0f} s)"
    successful = row.status == ExecutionStatus.COMPLETED and not row.blocking_issues
    said: dict[str, Any] = {
        "confidence": "" if row.confidence is None else f"{row.confidence:g}",
        "outputs": row.outputs, "artifacts": row.artifacts, "issues": row.issues_found,
        "blocking issues": row.blocking_issues, "next": row.next_actions, "measurements": row.measurements,
        "error": row.error if row.error != row.summary else "",
    }  # fmt: skip
    told = [f"{name}: {shorten(_as_words(value), limit)}" for name, value in said.items() if value]
    summary = f": {shorten(row.summary, limit)}" if row.summary else ""
    when = f"from {row.started_at:%Y-%m-%d %H:%MZ}{ended}{summary}"
    how = f"{row.status}{', successful,' if successful else ''}"
    return "; ".join([f"attempt {row.attempt} {agent}{kind} {how} {when}", *told, f"execution {row.id}"])


def _as_words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _delegations(db: Transaction, row: Row, after: int) -> list[str]:
    _ = after
    found = delegations.chain(db, row.id, limit=PAGE)
    earlier = found[0].links - len(found) if found else 0
    return [*([f"{earlier} earlier ones are left out"] if earlier else []), *map(_link, found)]


def _link(link: Row) -> str:
    """One handing down: when, by whom, to whom, what became of it and why, and what was to come of it."""
    to = link.taker or (f"team:{link.team}" if link.team else f"specialty:{link.to_specialty}")
    wanted = ", ".join(shorten(each, 60) for each in link.expected_deliverables[:DELIVERABLES_SHOWN])
    more = len(link.expected_deliverables) - DELIVERABLES_SHOWN
    return (
        f"{link.at:%Y-%m-%d %H:%MZ} {link.giver or 'operator'} to {to}: {link.state}"
        f"{f' ({shorten(link.reason, 300)})' if link.reason else ''}"
        f"{f', because {shorten(link.reasoning, 300)}' if link.reasoning else ''}"
        f"{f', to deliver {wanted}' if wanted else ''}{f' and {more} more' if more > 0 else ''}"
    )


def _tree(db: Transaction, row: Row, after: int) -> list[str]:
    _ = after
    return trees.lines(db, row, limit=PAGE)


SECTIONS: dict[str, Callable[[Transaction, Row, int], list[str]]] = {
    "context": _nothing,
    "notes": _notes,
    "messages": _messages,
    "progress": _progress,
    "history": _history,
    "executions": _executions,
    "delegations": _delegations,
    "tree": _tree,
}
FIELDS = {"progress": "progress_log"}
