"""Comma-separated values as RFC 4180 has them: one row for each task, for spreadsheets and scripts.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and runs it. So every text that begins
so, or with an apostrophe, gets one in front, which is how spreadsheets write text; whoever reads the file takes one
leading apostrophe away. Figures and times never need it.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from swarm_mcp.interchange.exporting import Exported
from swarm_mcp.interchange.sheets import expected, left_out, sheets

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from decimal import Decimal
    from pathlib import Path

    from swarm_mcp.interchange.exporting import Wanted
    from swarm_mcp.interchange.sheets import Sheet
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

__all__ = ["COLUMNS", "expected", "plain", "write"]

COLUMNS = (
    "id", "parent", "depth", "title", "status", "hold", "priority", "complexity", "type", "area", "phase", "tags",
    "assignee", "holder", "waits_for", "related_to", "criteria", "progress", "estimated_hours", "actual_hours",
    "deadline", "created_at", "updated_at", "started_at", "completed_at", "description", "summary", "foreign_names",
)  # fmt: skip
"""The first line of the file. Lists have a line for each entry."""
RISKY = tuple("=+-@\t\r\n'＝＋－＠")  # noqa: RUF001 - the wide ones are formulas to some spreadsheets as well


def write(db: Transaction, path: Path, wanted: Wanted, told: Callable[[int], None]) -> Exported:
    """Write the rows in the order of the tree."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)  # its defaults are the standard's
        rows.writerow(COLUMNS)
        for sheet in sheets(db, wanted, told):
            rows.writerow(_cells(sheet))
            count += 1
    message = f"Wrote {count:,} {'row' if count == 1 else 'rows'}.{left_out(db, wanted)}"
    return Exported(message=message, format="csv", tasks=count)


def _cells(sheet: Sheet) -> tuple[str, ...]:
    row = sheet.row
    waits = [each.depends_on_id for each in sheet.edges if each.type == "blocks"]
    soft = [f"{each.type}:{each.depends_on_id}" for each in sheet.edges if each.type != "blocks"]
    criteria = [f"{each.text or each.measurable} [{each.outcome}]" for each in sheet.criteria]
    names = [f"{each.source}:{each.foreign_id}" for each in sheet.names]
    return (
        row.id, sheet.parent, str(sheet.depth), plain(row.title), row.status, plain(row.hold_reason or ""),
        row.priority, row.complexity, plain(row.task_type), plain(row.area), _figure(row.phase), _list(row.tags),
        plain(sheet.assignee), plain(sheet.holder), _list(waits), _list(soft), _list(criteria), _figure(row.progress),
        _figure(row.estimated_hours), _figure(row.actual_hours), _instant(row, "deadline"), _instant(row, "created_at"),
        _instant(row, "updated_at"), _instant(row, "started_at"), _instant(row, "completed_at"),
        plain(row.description), plain(row.completion_summary), _list(names),
    )  # fmt: skip


def plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(RISKY) else text


def _list(entries: list[str]) -> str:
    return plain("\n".join(" ".join(each.split()) for each in entries))


def _figure(number: Decimal | int | None) -> str:
    return "" if number is None else f"{number:f}" if not isinstance(number, int) else str(number)


def _instant(row: Row, name: str) -> str:
    moment: datetime | None = getattr(row, name)
    return "" if moment is None else moment.isoformat()
