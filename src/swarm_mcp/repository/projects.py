"""Queries about the projects of a database, and their policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select

from swarm_mcp.model.agent import Project
from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement, set_columns

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

project = tables.project

SLUGS = Statement(select(project.c.slug).order_by(project.c.slug))
BY_SLUG = Statement(select(project).where(project.c.slug == bindparam("slug")))
INSERT = Statement(insert(project))


def slugs(db: Transaction) -> list[str]:
    """What the projects are called, in alphabetical order."""
    return SLUGS.scalars(db, {})


def find_project(db: Transaction, slug: str) -> Project | None:
    """A project's policies, or None."""
    row = BY_SLUG.first(db, {"slug": slug})
    if row is None:
        return None
    return Project(
        slug=row.slug,
        completion_checks=row.completion_checks,
        lease_minutes=row.lease_minutes,
        max_lapses=row.max_lapses,
        max_depth=row.max_depth,
        require_review=row.require_review,
        title=row.title,
    )


def insert_project(db: Transaction, slug: str) -> None:
    """Store a new project with the default policies."""
    INSERT.run(db, {"slug": slug, "created_at": db.now})


def update_project(db: Transaction, values: dict[str, Any]) -> None:
    """Set policies of the project that is open."""
    set_columns(db, project, {"slug": db.project.slug}, values)
