"""Projects: walls between boards on one database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from swarm_mcp.model.agent import THE_OPERATOR
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.record import Record
from swarm_mcp.operations.moves import record
from swarm_mcp.repository import projects, tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

SLUG = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class ProjectLine(Record):
    """A project as one row of a list."""

    slug: str
    tasks: dict[str, int] = {}
    """How many of its tasks have each status; archived ones do not count."""


def create_project(db: Transaction, slug: str) -> bool:
    """Create a project with the default policies, as the operator.

    Returns:
        Whether it is new.

    Raises:
        Invalid: it cannot be called so.

    """
    if not SLUG.fullmatch(slug):
        raise Invalid(
            f"`{slug[:64]}` is no name for a project: use up to 64 lower-case letters, digits, `_`, `.` or `-`, "
            "beginning with a letter or digit."
        )
    if projects.find_project(db, slug) is not None:
        return False
    projects.insert_project(db, slug)
    db.project, db.actor = projects.find_project(db, slug), THE_OPERATOR
    record(db, "project_created", None, {"project": slug})
    return True


def list_projects(db: Transaction) -> list[ProjectLine]:
    """Every project of the database, by name."""
    found: list[ProjectLine] = []
    for slug in projects.slugs(db):
        db.project = projects.find_project(db, slug)
        found.append(ProjectLine(slug=slug, tasks=tasks.tallies(db)))
    return found
