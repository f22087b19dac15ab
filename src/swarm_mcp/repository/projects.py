"""Queries about the projects of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

project = tables.project

SLUGS = Statement(select(project.c.slug).order_by(project.c.slug))


def slugs(db: Transaction) -> list[str]:
    """What the projects are called, in alphabetical order."""
    return SLUGS.scalars(db, {})
