"""Trees as text: subtasks, and under each what it waits for. Capped by the number of nodes, and honest about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.tokens import fitting
from swarm_mcp.operations.answering import progress_of, shorten
from swarm_mcp.repository import agents, tree
from swarm_mcp.repository.lines import line_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

MARKS = {
    "pending": "○", "blocked": "◌", "in_progress": "▶", "requires_assistance": "?", "in_review": "◐",
    "partial": "◑", "completed": "●", "failed": "✗", "cancelled": "\N{EN DASH}",
}  # fmt: skip


def lines(db: Transaction, root: Row | None, *, limit: int) -> list[str]:
    """The tree below a task (or of the whole project), depth first; at most `limit` nodes."""
    shown: list[tuple[int, Row]] = []
    total = _walk(db, root, limit, shown)
    rows = {row.id: row for row in line_rows(db, [row.id for _, row in shown])}
    names = agents.agent_names(db, (each for row in rows.values() for each in (row.holder_id, row.assignee_id)))
    done = progress_of(db, list(rows.values()))
    text = fitting((_line(depth, rows[row.id], names, done[row.id]) for depth, row in shown), str)
    if total > len(text):
        where = f', under="{root.id}"' if root is not None else ""
        text.append(f"… and more: list_tasks(limit=200{where}) pages through all of it.")
    return text


def _walk(db: Transaction, root: Row | None, limit: int, shown: list[tuple[int, Row]]) -> int:
    """Collect up to `limit` rows depth first; the number returned is larger if there are more."""
    tops: Sequence[Row] = [root] if root is not None else tree.top_tasks(db, limit=limit + 1)
    stack = [(0, row) for row in reversed(tops)]
    while stack:
        if len(shown) == limit:
            return limit + 1
        depth, row = stack.pop()
        shown.append((depth, row))
        below = tree.children(db, row.id, limit=limit - len(shown) + 1)
        stack += [(depth + 1, each) for each in reversed(below)]
    return len(shown)


def _line(depth: int, row: Row, names: dict[str | None, str], done: int) -> str:
    whose = names.get(row.holder_id or row.assignee_id, "")
    waits = row.open_edges.split(",") if row.open_edges else []
    parts = [
        f"{'  ' * depth}{MARKS[row.status]} {row.id} {shorten(row.title, 60)}",
        f"[{row.status}{f' {done}%' if 0 < done < 100 else ''}]",  # noqa: PLR2004
        f"→ {whose}" if whose else "",
        f"· waits for {', '.join(waits[:3])}{f' +{len(waits) - 3}' if len(waits) > 3 else ''}" if waits else "",  # noqa: PLR2004
        f"· held: {shorten(row.hold_reason, 40)}" if row.hold_reason else "",
    ]
    return " ".join(part for part in parts if part)
