"""Putting finished work away: rows and edges stay, the lists do without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.errors import NotAllowed
from swarm_mcp.operations import moves
from swarm_mcp.repository import finished, tasks

if TYPE_CHECKING:
    from datetime import timedelta

    from swarm_mcp.repository.database import Transaction


def archive_finished(db: Transaction, *, older_than: timedelta) -> list[str]:
    """Archive what was finished so long ago with everything below it, as the operator.

    Failed and cancelled tasks for which something open waits stay.

    Returns:
        The ids of the topmost tasks of what was archived: everything below them is archived too.

    Raises:
        NotAllowed: the caller is not the operator.

    """
    if not db.actor.is_operator:
        raise NotAllowed(
            'The operator puts work away by its age; update_task(task=…, action="archive") archives one task.'
        )
    before = db.now - older_than
    found: dict[str, str | None] = {}
    while rows := finished.over(db, before, after=next(reversed(found), "")):
        found.update({row.id: row.parent_id for row in rows})
    for start in range(0, len(found), 500):
        for row in tasks.task_rows(db, list(found)[start : start + 500]).values():
            moves.change(db, row, "archived", {"archived_at": db.now})
    return [task for task, parent in found.items() if parent not in found]
