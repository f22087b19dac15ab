"""Taskmaster's `tasks.json`: tasks with one level of subtasks, under the tag `master`.

Taskmaster numbers its tasks (see `numbers`) and knows one level of subtasks. What stands deeper becomes a
subtask of the same task: behind its parent in the list, waiting for what its parent waits for, and its parent waits for
it. What Taskmaster has no field for is under `metadata.swarm`, which it keeps.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.exporting import Exported
from swarm_mcp.interchange.sheets import left_out, sheets
from swarm_mcp.interchange.writing.taskmaster.numbers import Number, numbers
from swarm_mcp.interchange.writing.taskmaster.words import COMPLEXITIES, HELD, PRIORITIES, STATUSES
from swarm_mcp.model.lifecycle import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from swarm_mcp.interchange.exporting import Wanted
    from swarm_mcp.interchange.sheets import Sheet
    from swarm_mcp.interchange.writing.taskmaster.numbers import Numbers
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

SIBLING_LIMIT = 100
"""Below it, Taskmaster takes a number in a subtask for a sibling; siblings from there on are named in full."""
FENCE = "```"


def write(db: Transaction, path: Path, wanted: Wanted, told: Callable[[int], None]) -> Exported:
    """Write one tag with a line for each task and subtask."""
    with numbers(db, wanted) as known, path.open("w", encoding="utf-8", newline="\n") as file:
        writing = _Writing(known)
        file.write('{"master": {"tasks": [')
        before = ""
        for sheet in sheets(db, wanted, told):
            words = json.dumps(writing.record(sheet), ensure_ascii=False)
            if sheet.depth:
                file.write(f"{before}\n    {words}")
                before = ","
            else:
                file.write(f'{writing.end}\n  {words[:-1]}, "subtasks": [')
                writing.end, before = "]},", ""
        moment = db.now.isoformat()
        about = {"created": moment, "updated": moment, "description": db.project.slug}
        ending = writing.end.removesuffix(",")
        file.write(f'{ending}\n], "metadata": {json.dumps(about, ensure_ascii=False)}}}}}\n')
    counts = {name: number for name, number in writing.counts.items() if number}
    tasks, parts = counts.get("tasks", 0), counts.get("subtasks", 0)
    return Exported(
        message=f"Wrote {_counted(tasks, 'task')} with {_counted(parts, 'subtask')}.{left_out(db, wanted)}",
        format="taskmaster",
        tasks=tasks + parts,
        counts=counts,
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what if number == 1 else f'{what}s'}"


class _Writing:
    """Our tasks as Taskmaster's, one after the other."""

    def __init__(self, known: Numbers) -> None:
        self.known = known
        self.end = ""
        """What ends the task that was begun."""
        self.counts = dict.fromkeys(
            ["tasks", "subtasks", "deeper subtasks", "dependencies", "dependencies left out", "relations left out"], 0
        )
        self.gates: list[list[Row]] = []
        """What each of those above waits for, from the subtask on."""

    def record(self, sheet: Sheet) -> dict[str, Any]:
        """A task, without its subtasks."""
        row = sheet.row
        number = self.known[row.id]
        description, details = _texts(row.description)
        criteria = [_criterion(each) for each in sheet.criteria]
        held = row.status == TaskStatus.BLOCKED and row.hold_reason
        told: dict[str, Any] = {
            "id": number.task if number.part is None else number.part,
            "title": row.title,
            "description": description,
            "details": details,
            "testStrategy": criteria[0] if criteria else "",
            "acceptanceCriteria": criteria[1:],
            "status": HELD if held else STATUSES[TaskStatus(row.status)],
            "priority": PRIORITIES[row.priority],
            "dependencies": self._dependencies(sheet, number),
            "complexity": COMPLEXITIES[row.complexity] if row.complexity else "",
            "assignee": sheet.assignee,
            "tags": row.tags,
            "effort": _hours(row.estimated_hours),
            "actualEffort": _hours(row.actual_hours),
            "createdAt": row.created_at.isoformat(),
            "updatedAt": row.updated_at.isoformat(),
            "completedAt": row.completed_at.isoformat() if row.completed_at is not None else None,
            "metadata": {"swarm": self._beside(sheet)},
        }
        always = {"id", "title", "description", "details", "testStrategy", "status", "priority", "dependencies"}
        self.counts["subtasks" if sheet.depth else "tasks"] += 1
        self.counts["deeper subtasks"] += sheet.depth > 1
        return {key: value for key, value in told.items() if key in always or value not in ("", [], None)}

    def _dependencies(self, sheet: Sheet, own: Number) -> list[int | str]:
        """What a task waits for: its own dependencies, those of the subtasks above it, and the parts of a subtask."""
        waits = [each for each in sheet.edges if each.type == "blocks"]
        del self.gates[max(sheet.depth - 1, 0) :]
        above = [each for gates in self.gates for each in gates]
        if sheet.depth:
            self.gates.append(waits)
        found = [self.known.of(each.depends_on_id) for each in [*waits, *above]]
        parts = self.known.parts_of(sheet.row.id) if sheet.depth and sheet.row.subtasks else []
        self.counts["dependencies left out"] += len(self._unnamed(sheet))
        names = dict.fromkeys(_name(each, own) for each in [*found, *parts] if each is not None)
        self.counts["dependencies"] += len(names)
        return list(names)

    def _unnamed(self, sheet: Sheet) -> list[str]:
        """What it waits for that is not in the file."""
        return [
            each.depends_on_id
            for each in sheet.edges
            if each.type == "blocks"
            and self.known.of(each.depends_on_id) is None
            and each.status != TaskStatus.COMPLETED
        ]

    def _beside(self, sheet: Sheet) -> dict[str, Any]:
        """What Taskmaster has no field for."""
        soft = [f"{each.type}:{each.depends_on_id}" for each in sheet.edges if each.type != "blocks"]
        self.counts["relations left out"] += len(soft)
        said = {
            "id": sheet.row.id,
            "status": sheet.row.status,
            "hold": sheet.row.hold_reason or "",
            "parent": sheet.parent if sheet.depth > 1 else "",
            "relations": soft,
            "waits_for": self._unnamed(sheet),
            "summary": sheet.row.completion_summary,
        }
        return {key: value for key, value in said.items() if value}


def _name(other: Number, own: Number) -> int | str:
    """A task as another one names it. In a subtask, a bare number is a sibling, and a text the name in full."""
    if own.part is None:
        return other.task if other.part is None else str(other)
    if other.part is not None and other.task == own.task and other.part < SIBLING_LIMIT:
        return other.part
    return str(other)


def _texts(text: str) -> tuple[str, str]:
    """A text as a short description and the details, so that reading them joins it again: at its first empty line."""
    head, _, tail = text.partition("\n\n")
    is_clean = head.strip() and tail.strip() and not tail.startswith(("\n", "\r")) and head != tail
    return (head, tail) if is_clean and FENCE not in head and not head.lstrip().startswith("#") else (text, "")


def _criterion(row: Row) -> str:
    """A criterion in words: Taskmaster checks nothing by itself."""
    if row.text and row.measurable:
        return f"{row.text} (check: {row.measurable})"
    return row.text or row.measurable


def _hours(hours: Any) -> float | None:
    return None if hours is None else float(hours)
