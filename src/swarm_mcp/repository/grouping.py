"""Rows put together by what they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.repository.statement import Row


def by_task(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by their `task_id`, those of each task in the order in which they came."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.task_id, []).append(row)
    return found
