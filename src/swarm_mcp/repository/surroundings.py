"""What there is about a task besides its row, in one look: mostly little, and only that needs to be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, exists, or_, select, text

from swarm_mcp.repository import tables, tree
from swarm_mcp.repository.messages import HOW_MANY_UNREAD
from swarm_mcp.repository.statement import ListStatement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, FromClause, Label, TextClause
    from sqlalchemy.sql.elements import BindParameter

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

context = tables.context


def _about(name: str, table: FromClause, *conditions: ColumnElement[bool] | TextClause) -> Label[bool]:
    return exists().select_from(table).where(table.c.task_id == bindparam("task"), *conditions).label(name)


def _shared(wanted: Sequence[BindParameter[str]]) -> Label[bool]:
    here = context.c.project == bindparam("in_project")
    of_these = exists().select_from(context).where(here, context.c.task_id.in_(wanted))
    of_project = exists().select_from(context).where(here, context.c.task_id.is_(None))
    return or_(of_these, of_project).label("context")


SURROUNDINGS = ListStatement(
    lambda wanted: select(
        HOW_MANY_UNREAD.scalar_subquery().label("unread"),
        _shared(wanted),
        _about("notes", tables.note, tables.note.c.agent_id == bindparam("reader")),
        _about("feedback", tables.feedback),
        _about("blockers", tables.dependency, text("dependency.type = 'blocks'")),
        _about("criteria", tables.criterion),
        _about(
            "others",
            tables.participant,
            text("participant.left_at IS NULL"),
            tables.participant.c.agent_id != bindparam("reader"),
        ),
    )
)


def surroundings(db: Transaction, task_id: str, above: Sequence[str]) -> Row:
    """What there is about a task.

    Returns:
        Whether there is shared `context` (its own, of the tasks `above` it, or of the project), and whether there are
        `notes` of whoever acts, `feedback`, `blockers`, `criteria` and `others` who take part in it; and how much is
        `unread` by whoever acts.

    """
    bound = {"in_project": db.project.slug, "task": task_id, "reader": db.actor.id or ""}
    return SURROUNDINGS.all(db, [task_id, *above], bound)[0]


class Around(NamedTuple):
    """What is around a task, before anything of it is asked for."""

    lines: Sequence[Row]
    """Its own line, and those of what it is a part of, the nearest first."""
    there: Row
    """See `surroundings`."""


def look_around(db: Transaction, row: Row) -> Around:
    """See what is around a task."""
    itself, *above = tree.upward(db, row)
    return Around([itself, *above], surroundings(db, row.id, [each.id for each in above]))
