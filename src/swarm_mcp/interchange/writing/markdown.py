"""A board to be read: the tree of its tasks with a box for each, and below it what there is to say about them.

Titles and names are other people's words: whatever Markdown would take for markup in them is escaped. Descriptions are
Markdown themselves and stand in quotations, where nothing that they leave open reaches what follows.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, TextIO

from swarm_mcp.interchange.exporting import Exported
from swarm_mcp.interchange.sheets import Sheet, expected, left_out, sheets
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.repository import forest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from swarm_mcp.interchange.exporting import Wanted
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

__all__ = ["escaped", "expected", "write"]

MARKUP = re.compile(r"([\\`*_\[\]<>&~|$#!])")
"""What means something in the middle of a line."""
LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
EDGES = {
    "blocks": "waits for", "enables": "is enabled by", "enhances": "is enhanced by", "related": "is related to",
    "discovered_from": "was discovered from", "duplicates": "duplicates", "supersedes": "supersedes",
}  # fmt: skip


def write(db: Transaction, path: Path, wanted: Wanted, told: Callable[[int], None]) -> Exported:
    """Write the tree, then a section for each task that has more to say."""
    counts = Counter(each.row.status for each in forest.walk(db, root=wanted.task, since=wanted.since))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        _head(db, file, counts)
        for sheet in sheets(db, wanted):
            file.write(f"{'  ' * sheet.depth}{_line(sheet)}\n")
        file.write("\n## Details\n")
        for sheet in sheets(db, wanted, told):
            file.writelines(f"{line}\n" for line in _section(sheet))
    tasks = counts.total()
    count = f"{tasks:,} {'task' if tasks == 1 else 'tasks'}"
    return Exported(message=f"Wrote a document of {count}.{left_out(db, wanted)}", format="markdown", tasks=tasks)


def _head(db: Transaction, file: TextIO, counts: Counter[str]) -> None:
    statuses = ", ".join(f"{counts[each]:,} {_words(each)}" for each in TaskStatus if counts[each])
    file.write(f"# {escaped(db.project.slug)}\n\n")
    file.write(
        f"{counts.total():,} tasks as of {_minute(db.now)}{f': {statuses}' if statuses else ''}.\n\n## Tasks\n\n"
    )


def escaped(text: str) -> str:
    """Somebody's words in one line, of which nothing is markup."""
    return MARKUP.sub(r"\\\1", " ".join(text.split()))


def _line(sheet: Sheet) -> str:
    """A task in the tree: `- [ ] **Build auth API** k3x9m2qa · in progress · high · → ada · waits for m2qa7c4d`."""
    row = sheet.row
    box = "x" if row.status in {TaskStatus.COMPLETED, TaskStatus.CANCELLED} else " "
    title = escaped(row.title)
    title = f"~~{title}~~" if row.status == TaskStatus.CANCELLED else f"**{title}**"
    whom = [each for each in dict.fromkeys((sheet.assignee, sheet.holder)) if each]
    waits = [each.depends_on_id for each in sheet.edges if each.type == "blocks" and each.status != "completed"]
    facts = [
        _words(row.status),
        row.priority if row.priority != "medium" else "",
        f"→ {escaped(' / '.join(whom))}" if whom else "",
        f"waits for {', '.join(waits)}" if waits else "",
        f"held: {escaped(row.hold_reason)}" if row.hold_reason else "",
        f"due {_minute(row.deadline)}" if row.deadline else "",
    ]
    return f"- [{box}] {title} {row.id} · {' · '.join(each for each in facts if each)}"


def _section(sheet: Sheet) -> Iterator[str]:
    """What there is to say about a task beyond its line, if anything."""
    row = sheet.row
    facts = list(_facts(sheet))
    if not (facts or sheet.criteria or row.description.strip() or row.completion_summary.strip()):
        return
    yield f"\n### {row.id} {escaped(row.title)}\n"
    yield from (f"- {fact}" for fact in facts)
    if row.description.strip():
        yield from ("", *_quoted(row.description))
    if sheet.criteria:
        yield "\nDone when:\n"
        yield from map(_criterion, sheet.criteria)
    if row.completion_summary.strip():
        yield from ("\nWhat was done:\n", *_quoted(row.completion_summary))


def _facts(sheet: Sheet) -> Iterator[str]:
    row = sheet.row
    for each in sheet.edges:
        yield f"{EDGES[each.type]} {each.depends_on_id} {escaped(each.title)} ({_words(each.status)})"
    known = {
        "type": row.task_type, "area": row.area, "phase": row.phase, "complexity": _words(row.complexity),
        "tags": ", ".join(row.tags), "estimated hours": row.estimated_hours, "actual hours": row.actual_hours,
        "started": _minute(row.started_at), "completed": _minute(row.completed_at),
        "elsewhere": ", ".join(f"{each.foreign_id} ({each.source})" for each in sheet.names), "error": row.error,
    }  # fmt: skip
    yield from (f"{name}: {escaped(str(value))}" for name, value in known.items() if value not in (None, ""))


def _criterion(row: Row) -> str:
    met = row.outcome in {"met", "passed", "waived"}
    checked = f"check {escaped(row.measurable)}" if row.measurable else ""
    words = " · ".join(each for each in (escaped(row.text), checked) if each)
    outcome = "" if row.outcome == "open" else f" · {row.outcome}"
    why = row.reason or row.evidence
    return f"- [{'x' if met else ' '}] {words}{outcome}{f' ({escaped(why)})' if why else ''}"


def _quoted(text: str) -> list[str]:
    """A Markdown text as a quotation: a fence or a comment that it leaves open ends with it."""
    return [f"> {line}".rstrip() for line in LINE_ENDS.split(text.strip("\r\n"))]


def _words(word: str) -> str:
    return word.replace("_", " ")


def _minute(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""
