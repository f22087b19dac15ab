"""A task as a document: Markdown, Mermaid, and the files that Task Orchestrator kept beside its database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.text import brief_head, brief_sections, brief_tail
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.model.memory import ContextKind
from swarm_mcp.operations import details
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.briefing import brief_of
from swarm_mcp.repository import agents, events, graph, memory, tasks, work

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

PAGE = 200
NODES = 200
CEILING = 30_000
"""Characters of a document: below 8,000 tokens for any text."""


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

    found = sorted(memory.context_of(db, [row.id], limit=PAGE), key=lambda each: each.id)
    names = agents.agent_names(db, (each.by_id for each in found))
    context: dict[str, Any] = {}
    for each in found:
        by, date = names.get(each.by_id, "operator"), each.at.isoformat(timespec="seconds")
        match each.kind:
            case ContextKind.REQUIREMENT:
                context.setdefault("requirements", []).append(_words(each))
            case ContextKind.DECISION:
                decision = {"decision": _words(each), "rationale": each.rationale, "made_by": by, "date": date}
                context.setdefault("decisions", []).append(decision)
            case ContextKind.ARTIFACT:
                context.setdefault("artifacts", []).append({"type": each.key, "path": each.value, "created_by": by})
            case _:
                context[each.key] = each.value
    last = found[-1] if found else None
    document = {
        "task_id": row.id,
        "updated_at": last.at.isoformat(timespec="seconds") if last is not None else "",
        "updated_by": names.get(last.by_id, "operator") if last is not None else "",
        "context": context,
    }
    return _capped(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120))


def _words(row: Row) -> str:
    """A requirement or a decision as its text; the key where the value says nothing more."""
    return row.value if isinstance(row.value, str) else f"{row.key}: {json.dumps(row.value, ensure_ascii=False)}"


def progress_lines(db: Transaction, row: Row, after: int) -> str:
    """Progress as JSON lines, oldest first; a page ends with where the next one begins."""
    found = work.progress_of(db, row.id, after=after, limit=PAGE)
    names = agents.agent_names(db, (each.agent_id for each in found))
    lines: list[str] = []
    used = previous = 0
    for each in found:
        line = json.dumps(
            {
                "timestamp": each.at.isoformat(timespec="seconds"), "agent": names.get(each.agent_id, "operator"),
                "progress": each.percent, "message": each.message,
            },
            ensure_ascii=False,
        )  # fmt: skip
        used += len(line)
        if used > CEILING and lines:
            return _more(lines, f"swarm://tasks/{row.id}/progress", previous)
        lines.append(line)
        previous = each.id
    return _more(lines, f"swarm://tasks/{row.id}/progress", found[-1].id if len(found) == PAGE else 0)


def _more(lines: list[str], uri: str, cursor: int) -> str:
    if cursor:
        lines.append(json.dumps({"more": f"{uri}?cursor={cursor}"}))
    return "".join(f"{line}\n" for line in lines)


def notes_markdown(db: Transaction, row: Row, after: int) -> str:
    """The reader's own notes; nobody else's."""
    found = memory.notes_of(db, row.id, db.actor.id or "", after=after, limit=PAGE) if db.actor.id else []
    lines = [f"# Notes of {db.actor.name} on {row.id}", ""]
    used = 0
    for each in found:
        used += len(each.text)
        if used > CEILING and len(lines) > 2:  # noqa: PLR2004 - the heading and one note
            lines.append(f"more: swarm://tasks/{row.id}/notes?cursor={each.id - 1}")
            break
        lines += [f"## {each.at.isoformat(timespec='seconds')}", "", each.text, ""]
    return "\n".join(lines)


def history(db: Transaction, row: Row, after: int) -> str:
    """The task's events, oldest first."""
    found = events.task_events(db, row.id, after=after, limit=PAGE)
    lines = details.history_lines(db, found)
    if len(found) == PAGE:
        lines.append(f"more: swarm://tasks/{row.id}/history?cursor={found[-1].seq}")
    return _capped("\n".join(lines) + "\n")


def mermaid(db: Transaction, row: Row) -> str:
    """The graph around a task: what is below it, and what those wait for; at most two hundred nodes."""
    rows = {each.id: each for each in [row, *tasks.descendants(db, row.id)[: NODES - 1]]}
    edges = graph.blockers(db, rows)
    outside = [each.id for found in edges.values() for each in found if each.id not in rows]
    shown = {**rows, **tasks.task_rows(db, outside[: NODES // 2])}
    shown.update({each.id: each for each in graph.waiters(db, row.id)[:20]})
    lines = ["graph TD"]
    for each in shown.values():
        lines.append(f'  {each.id}["{each.id} {_label(each.title)}"]:::{each.status}')
    for each in rows.values():
        if each.parent_id in rows:
            lines.append(f"  {each.parent_id} --- {each.id}")
    for waiter, found in edges.items():
        lines += [f"  {each.id} --> {waiter}" for each in found if each.id in shown]
    lines += [f"  {row.id} --> {each.id}" for each in graph.waiters(db, row.id)[:20]]
    colours = {
        TaskStatus.COMPLETED: "#cfe8cf", TaskStatus.IN_PROGRESS: "#cfe0f5", TaskStatus.BLOCKED: "#eeeeee",
        TaskStatus.FAILED: "#f5cfcf", TaskStatus.REQUIRES_ASSISTANCE: "#f5e6c8",
    }  # fmt: skip
    lines += [f"  classDef {status} fill:{colour}" for status, colour in colours.items()]
    if len(shown) >= NODES:
        lines.append("  %% more tasks than are shown")
    return _capped("\n".join(lines) + "\n")


def _label(title: str) -> str:
    """A title that cannot break out of its node."""
    return shorten(title, 50).replace('"', "'").replace("#", "").replace("\n", " ").replace("<", "‹").replace(">", "›")


def _capped(document: str) -> str:
    """A document within its ceiling, and honest about it."""
    if len(document) <= CEILING:
        return document
    return document[: document.rindex("\n", 0, CEILING) + 1] + "# … cut here\n"
