"""The overview: how the whole stands, what does not move, what comes last, what happened, and the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.ids import unknown_word
from swarm_mcp.model.lifecycle import SETTLED, TaskStatus
from swarm_mcp.model.task import Overview
from swarm_mcp.model.tokens import fitting
from swarm_mcp.operations import critical_path, stuck, timeline, trees
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.catalog import EVERY, operation
from swarm_mcp.operations.limits import at_most, read_limit
from swarm_mcp.operations.workload import workload
from swarm_mcp.repository import sums, tasks, tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


@operation(profiles=EVERY - {"worker"}, writes=False, takes_agent=False, long=True)
def get_overview(
    db: Transaction, *, view: arg.Text = "summary", under: arg.Under = "", since: arg.Since = "", limit: int = 40
) -> Overview:
    """How the whole stands. `view`: summary, stuck (what does not move, with the call that frees each), tree,
    critical_path, workload, timeline.
    """
    view = view.strip().lower() or "summary"
    if view not in VIEWS and view not in SINCE:
        raise unknown_word(view, "view", [*VIEWS, *SINCE])
    most = read_limit(limit)
    root = tasks.resolve_task(db, under) if under.strip() else None
    begin = timeline.read_since(since, db.now)
    if view in SINCE:
        seen = SINCE[view](db, root, most, begin)
    elif begin is not None:
        raise Invalid(f"since goes with {' and '.join(SINCE)}; the view {view} shows the present.")
    else:
        seen = VIEWS[view](db, root, most)
    return seen if limit == most else seen.model_copy(update={"message": f"{seen.message}{at_most(limit)}"})


def _summary(db: Transaction, root: Row | None, limit: int, since: datetime | None) -> Overview:
    """Counts and hours, with every key that the older systems' statistics had; and what changed since a moment."""
    found = sums.summary(db, tree.subtree_ids(db, root.id)[1:] if root is not None else None, limit=limit)
    counts = found.statuses
    total = sum(counts.values())
    counted = total - counts.get(TaskStatus.CANCELLED, 0)
    done = counts.get(TaskStatus.COMPLETED, 0)
    percent = round(100 * done / counted, 1) if counted else 0.0
    by_hours = round(100 * float(found.completed_hours / found.hours), 1) if found.hours else 0.0
    open_ones = sum(count for status, count in counts.items() if status not in SETTLED | {TaskStatus.FAILED})
    words = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    lately = (
        {"since": since.isoformat(timespec="seconds"), "changes": timeline.changes(db, root, since)}
        if since is not None
        else {}
    )
    return Overview(
        view="summary",
        message=f"{done:,} of {counted:,} tasks completed ({percent:g}%)" + (f": {words}." if words else "."),
        total_tasks=total,
        open_tasks=open_ones,
        status_breakdown=counts,
        completion_percentage=percent,
        phase_breakdown=found.phases,
        component_breakdown=dict(fitting(((shorten(name), count) for name, count in found.areas.items()), str)),
        total_estimated_hours=float(found.hours),
        completed_hours=float(found.completed_hours),
        progress_percentage=by_hours,
        overdue=found.overdue,
        **lately,
    )


def _tree(db: Transaction, root: Row | None, limit: int) -> Overview:
    text = trees.lines(db, root, limit=limit)
    what = f"below {root.id}" if root is not None else "of the project"
    return Overview(view="tree", message=f"The tree {what}, {len(text)} lines.", lines=text)


VIEWS: dict[str, Callable[[Transaction, Row | None, int], Overview]] = {
    "stuck": stuck.view,
    "tree": _tree,
    "critical_path": critical_path.view,
    "workload": workload,
}
SINCE: dict[str, Callable[[Transaction, Row | None, int, datetime | None], Overview]] = {
    "summary": _summary,
    "timeline": timeline.view,
}
"""Views that can be asked for a time."""
