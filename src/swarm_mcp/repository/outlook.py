"""What whoever claims has to look at first, in one look: mostly nothing, and only what there is has to be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, exists, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement

if TYPE_CHECKING:
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task, event, member = tables.task, tables.event, tables.team_member

ME = bindparam("agent")
OUTLOOK = Statement(
    select(
        exists().where(task.c.holder_id == ME).label("holds"),
        exists()
        .where(
            task.c.project == bindparam("project"),
            task.c.lease_until < bindparam("now"),
            text("task.lease_until IS NOT NULL"),
        )
        .label("expired"),
        exists().where(member.c.agent_id == ME, text("team_member.left_at IS NULL")).label("in_teams"),
        exists()
        .where(event.c.agent_id == ME, text("event.kind = 'released'"), event.c.at > bindparam("since"))
        .label("released"),
    )
)


def outlook(db: Transaction, *, since: datetime) -> Row:
    """What there is about whoever acts, and about the claims of all.

    Returns:
        Whether it `holds` anything, whether any claim in the project has `expired`, whether it is a member of teams
        (`in_teams`), and whether it has `released` anything since then.

    """
    return OUTLOOK.first(db, {"agent": db.actor.id, "project": db.project.slug, "now": db.now, "since": since})
