"""A task as a document: Markdown, Mermaid, and the files that Task Orchestrator kept beside its database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.text import brief_head, brief_sections, brief_tail
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.model.memory import ContextKind
from swarm_mcp.model.tokens import clipped, fitting, tokens
from swarm_mcp.operations import details
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.briefing import brief_of
from swarm_mcp.repository import agents, events, graph, memory, tasks, tree, work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

PAGE = 200
NODES = 120
HARMLESS = str.maketrans({'"': "'", "`": "'", "<": "(", ">": ")", "#": None})
"""What would end a node's label, or be markup in it."""
WAITERS = 20
LONGEST = 4000
"""Tokens of one entry of a document; the rest of a longer one is left out."""
LISTED = {ContextKind.REQUIREMENT: "requirements", ContextKind.DECISION: "decisions", ContextKind.ARTIFACT: "artifacts"}
"""The kinds of context that Task Orchestrator kept in lists of their own; facts stand under their key."""


def brief(db: Transaction, row: Row) -> str:
    """The brief as Markdown."""
    found = brief_of(db, row, max_tokens=6000)
    head, *rest = brief_head(found)
    lines = [f"# {' '.join(row.title.split())}", "", f"`{head}`", *(["", *rest] if rest else [])]
    for title, section in brief_sections(found):
        lines += ["", f"## {title}", "", *section]
    tail = brief_tail(found)
    return "\n".join([*lines, *(["", *tail] if tail else [])]) + "\n"


def context_yaml(db: Transaction, row: Row) -> str:
    """Shared context in Task Orchestrator's shape: requirements, decisions, artifacts, and free keys."""
    import yaml  # noqa: PLC0415 - only this document needs it

    found = memory.context_of(db, [row.id], limit=PAGE)
    shown = sorted(fitting(found, lambda each: json.dumps([each.key, _clipped(each.value)])), key=lambda each: each.id)
    names = agents.agent_names(db, (each.by_id for each in shown))
    context: dict[str, Any] = {}
    for each in shown:
        by = names.get(each.by_id, "operator")
        if each.kind in LISTED:
            context.setdefault(LISTED[each.kind], []).append(_entry(each, by))
    for each in shown:
        if each.kind not in LISTED:
            taken = each.key in context and each.key in LISTED.values()
            context[f"{each.key} (fact)" if taken else each.key] = _clipped(each.value)
    document = {
        "task_id": row.id,
        "updated_at": shown[-1].at.isoformat(timespec="seconds") if shown else "",
        "updated_by": names.get(shown[-1].by_id, "operator") if shown else "",
        "context": context,
    }
    older = len(found) - len(shown)
    more = f"# {older} older keys: get_task(task={row.id}, max_tokens=8000)\n" if older else ""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120) + more


def _entry(each: Row, by: str) -> object:
    """One requirement, decision or artifact as Task Orchestrator wrote it."""
    value = _clipped(each.value)
    words = value if isinstance(value, str) else f"{each.key}: {json.dumps(value, ensure_ascii=False)}"
    match each.kind:
        case ContextKind.REQUIREMENT:
            return words
        case ContextKind.DECISION:
            date = each.at.isoformat(timespec="seconds")
            return {"decision": words, "rationale": clipped(each.rationale, LONGEST), "made_by": by, "date": date}
        case _:
            return {"type": each.key, "path": value, "created_by": by}


def _clipped(value: object) -> object:
    """A value as it is, or the beginning of one that no document can hold."""
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if tokens(words) <= LONGEST else clipped(words, LONGEST)


def progress_lines(db: Transaction, row: Row, after: int) -> str:
    """Progress as JSON lines, oldest first; a page ends with where the next one begins."""
    found = work.progress_of(db, row.id, after=after, limit=PAGE)
    names = agents.agent_names(db, (each.agent_id for each in found))
    lines = [
        json.dumps(
            {
                "timestamp": each.at.isoformat(timespec="seconds"), "agent": names.get(each.agent_id, "operator"),
                "progress": each.percent, "message": clipped(each.message, LONGEST),
            },
            ensure_ascii=False,
        )
        for each in found
    ]  # fmt: skip
    shown = fitting(lines, str)
    if len(shown) < len(found) or len(found) == PAGE:
        shown.append(json.dumps({"more": f"swarm://tasks/{row.id}/progress?cursor={found[len(shown) - 1].id}"}))
    return "".join(f"{line}\n" for line in shown)


def notes_markdown(db: Transaction, row: Row, after: int) -> str:
    """The reader's own notes, oldest first; nobody else's."""
    found = memory.notes_of(db, row.id, db.actor.id, after=after, limit=PAGE) if db.actor.id else []
    texts = [f"## {each.at.isoformat(timespec='seconds')}\n\n{clipped(each.text, LONGEST)}\n" for each in found]
    shown = fitting(texts, str)
    if len(shown) < len(found) or len(found) == PAGE:
        shown.append(f"more: swarm://tasks/{row.id}/notes?cursor={found[len(shown) - 1].id}\n")
    return "\n".join([f"# Notes of {db.actor.name} on {row.id}\n", *shown])


def history(db: Transaction, row: Row, after: int) -> str:
    """The task's events, oldest first."""
    found = events.task_events(db, row.id, after=after, limit=PAGE)
    shown = fitting(details.history_lines(db, found), str)
    if len(shown) < len(found) or len(found) == PAGE:
        shown.append(f"more: swarm://tasks/{row.id}/history?cursor={found[len(shown) - 1].seq}")
    return "".join(f"{line}\n" for line in shown)


def mermaid(db: Transaction, row: Row) -> str:
    """The graph around a task: what is below it, and what those wait for; some hundred nodes."""
    below = tree.descendants(db, row.id)
    rows = {each.id: each for each in [row, *below[: NODES - 1]]}
    edges = graph.blockers(db, rows)
    waiters = graph.waiters(db, row.id)
    beyond = [each.id for found in edges.values() for each in found if each.id not in rows]
    outside = tasks.task_rows(db, beyond[:NODES])
    shown = {**rows, **outside, **{each.id: each for each in waiters[:WAITERS]}}
    links = [f"  {each.parent_id} --- {each.id}" for each in rows.values() if each.parent_id in rows]
    links += [f"  {each.id} --> {waiter}" for waiter, found in edges.items() for each in found if each.id in shown]
    links += [f"  {row.id} --> {each.id}" for each in waiters[:WAITERS]]
    nodes = [f'  {each.id}["{each.id} {_label(each.title)}"]:::{each.status}' for each in shown.values()]
    lines = ["graph TD", *nodes, *dict.fromkeys(links)]
    kept = fitting([*lines, *_colours(shown.values())], str)
    whole = len(kept) >= len(lines) and len(below) < NODES and len(waiters) <= WAITERS
    return "\n".join([*kept, *([] if whole else ["  %% more than is shown"])]) + "\n"


def _colours(rows: Iterable[Row]) -> list[str]:
    """How the statuses that occur are drawn."""
    colours = {
        TaskStatus.COMPLETED: "#cfe8cf", TaskStatus.IN_PROGRESS: "#cfe0f5", TaskStatus.BLOCKED: "#eeeeee",
        TaskStatus.FAILED: "#f5cfcf", TaskStatus.REQUIRES_ASSISTANCE: "#f5e6c8",
    }  # fmt: skip
    found = {each.status for each in rows}
    return [f"  classDef {status} fill:{colour}" for status, colour in colours.items() if status in found]


def _label(title: str) -> str:
    """A title that cannot break out of its node."""
    return shorten(" ".join(title.split()), 50).translate(HARMLESS)
