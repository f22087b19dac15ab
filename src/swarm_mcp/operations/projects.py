"""Projects: walls between boards on one database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.agent import THE_OPERATOR
from swarm_mcp.model.draft import check_title
from swarm_mcp.model.errors import Invalid, NotAllowed
from swarm_mcp.model.ids import unknown_word
from swarm_mcp.model.lifecycle import choose
from swarm_mcp.model.record import Record
from swarm_mcp.model.registration import PolicyChange
from swarm_mcp.model.task import CompletionChecks
from swarm_mcp.operations.catalog import SCRIPTS, operation
from swarm_mcp.operations.moves import record
from swarm_mcp.repository import projects, tasks

if TYPE_CHECKING:
    from swarm_mcp.model.agent import Project
    from swarm_mcp.repository.database import Transaction

LIMITS = {"lease_minutes": (1, 24 * 60), "max_lapses": (1, 1000), "max_depth": (2, 32)}
"""The numbers among the policies, and what they may be."""
POLICIES = ("title", "completion_checks", *LIMITS, "require_review")
"""What `set_policy` sets."""
YES_OR_NO = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}
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
    check_slug(slug)
    if projects.find_project(db, slug) is not None:
        return False
    projects.insert_project(db, slug)
    db.project, db.actor = projects.find_project(db, slug), THE_OPERATOR
    record(db, "project_created", None, {"project": slug})
    return True


def check_slug(slug: str) -> None:
    """Refuse what no project can be called.

    Raises:
        Invalid: says what it may consist of.

    """
    if not SLUG.fullmatch(slug):
        raise Invalid(
            f"`{slug[:64]}` is no name for a project: use up to 64 lower-case letters, digits, `_`, `.` or `-`, "
            "beginning with a letter or digit."
        )


def list_projects(db: Transaction) -> list[ProjectLine]:
    """Every project of the database, by name."""
    found: list[ProjectLine] = []
    for slug in projects.slugs(db):
        db.project = projects.find_project(db, slug)
        found.append(ProjectLine(slug=slug, tasks=tasks.tallies(db)))
    return found


def project_facts(db: Transaction) -> dict[str, Any]:
    """The project that is open: its name, title and policies, and how many of its tasks have each status."""
    project = _stored(db)
    return {"project": project.slug, **{name: getattr(project, name) for name in POLICIES}, "tasks": tasks.tallies(db)}


def _stored(db: Transaction) -> Project:
    """The project that is open, with its title, which no call needs otherwise."""
    return projects.find_project(db, db.project.slug) or db.project


def read_policy(name: str, words: str) -> Any:
    """A policy as somebody writes it, as `set_policy` takes it.

    Raises:
        Invalid: there is no such policy, or it cannot be that.

    """
    if name not in POLICIES:
        raise unknown_word(name, "policy", POLICIES)
    if name in LIMITS:
        least, most = LIMITS[name]
        if len(words) > len(str(most)) or not words.strip().isdecimal() or not int(words):
            raise Invalid(f"{name} is {least} to {most}; got {words[:40]}.")
        return int(words)
    if name == "require_review":
        if (said := YES_OR_NO.get(words.strip().lower())) is None:
            raise Invalid(f"{name} is yes or no; got {words[:40]}.")
        return said
    if not words.strip():
        raise Invalid(f"{name} cannot be empty.")
    return words


@operation(profiles=SCRIPTS, repeatable=True)
def set_policy(
    db: Transaction,
    *,
    completion_checks: str = "",
    lease_minutes: int = 0,
    max_lapses: int = 0,
    max_depth: int = 0,
    require_review: bool | None = None,
    title: str = "",
) -> PolicyChange:
    """Change the project's policies, those that are given, or its title.

    Args:
        db: the transaction.
        completion_checks: what is done about unmet criteria: enforce, warn or off.
        lease_minutes: how long a claim lasts without a sign of life.
        max_lapses: after so many a task fails.
        max_depth: how many levels the hierarchy may have; what is deeper already stays.
        require_review: whether all completed work is reviewed.
        title: what people call the project.

    Raises:
        NotAllowed: the caller is not the operator.
        Invalid: a value that a policy cannot have, or none at all.

    """
    if not db.actor.is_operator:
        raise NotAllowed(f'Policies are the operator\'s; {db.actor.name} may ask with send_message(to="operator", …).')
    given: dict[str, Any] = {"lease_minutes": lease_minutes, "max_lapses": max_lapses, "max_depth": max_depth}
    values = {name: value for name, value in given.items() if value != 0}
    for name, value in values.items():
        least, most = LIMITS[name]
        if isinstance(value, bool) or not least <= value <= most:
            raise Invalid(f"{name} is {least} to {most}; got {value}.")
    if completion_checks.strip():
        values["completion_checks"] = choose(completion_checks, CompletionChecks, "way of checking").value
    if require_review is not None:
        values["require_review"] = require_review
    if title.strip():
        values["title"] = check_title(title)
    if not values:
        raise Invalid(
            "Name a policy: completion_checks, lease_minutes, max_lapses, max_depth, require_review, or the title."
        )
    before = _stored(db)
    changed = {name: [getattr(before, name), value] for name, value in values.items() if getattr(before, name) != value}
    if changed:
        projects.update_project(db, {name: after for name, (_, after) in changed.items()})
        db.project = projects.find_project(db, before.slug)
        record(db, "policy_changed", None, changed)
    said = ", ".join(f"{name} {_said(was)} → {_said(now)}" for name, (was, now) in changed.items())
    return PolicyChange(message=f"{said}." if said else "The policies are so already; nothing new.", policies=values)


def _said(value: object) -> str:
    """A policy as it is set."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value != "" else "nothing"
