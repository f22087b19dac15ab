"""What agents have in hand and what they have done: figures derived from tasks, attempts and feedback.

For many agents at once, each figure in one statement for all of them. Nothing here is stored.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Float, bindparam, case, func, literal, literal_column, or_, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import ListStatement, Statement, among

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task = tables.task
agent = tables.agent
execution = tables.execution
delegation = tables.delegation
event = tables.event
feedback = tables.feedback

RECENT = 50
"""The latest attempts of an agent whose response counts, so that a long history costs no more than a short one."""


@dataclass(slots=True)
class Figures:
    """Of one agent."""

    claims: int = 0
    """Tasks that it holds."""
    live: int = 0
    """… whose claim has not run out."""
    working: int = 0
    """… that count against its capacity: in progress, with nothing in their way."""
    assigned: int = 0
    """Unfinished tasks that are assigned to it and that nobody holds."""
    completed: int = 0
    ended: int = 0
    """Attempts that came to an end of their own: completed, partial, failed, or lapsed. What was given back, recalled,
    cancelled, set aside for something in its way, or not judged yet, says nothing about success."""
    response_seconds: float | None = None
    """Mean time of the latest acceptances: from when a task was offered to it, or became ready if that was later, to
    its claim."""
    quality: float | None = None
    timeliness: float | None = None
    ratings: int = 0
    """Ratings by others; nobody's own count."""

    @property
    def load(self) -> int:
        """How many tasks lie with it."""
        return self.claims + self.assigned

    @property
    def success(self) -> float | None:
        """The share of the attempts that count which were completed."""
        return self.completed / self.ended if self.ended else None


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


_unhindered = literal_column(tables.UNHINDERED, Boolean)
_live = or_(task.c.lease_until.is_(None), task.c.lease_until >= bindparam("now"))
HELD = ListStatement(
    lambda wanted: (
        select(
            task.c.holder_id,
            func.count().label("claims"),
            _count(_live).label("live"),
            _count(_unhindered).label("working"),
        )
        .where(task.c.holder_id.in_(wanted))
        .group_by(task.c.holder_id)
    )
)
LIVE_CLAIMS = Statement(
    select(task.c.holder_id, func.count())
    .where(task.c.project == bindparam("project"), text("task.holder_id IS NOT NULL"), _live)
    .group_by(task.c.holder_id)
)
ASSIGNED = ListStatement(
    lambda wanted: (
        select(task.c.assignee_id, func.count().label("assigned"))
        .where(task.c.assignee_id.in_(wanted), among(task.c.status, "pending", "blocked", "partial"))
        .group_by(task.c.assignee_id)
    )
)
ENDED = ListStatement(
    lambda wanted: (
        select(
            execution.c.agent_id,
            _count(execution.c.status == "completed").label("completed"),
            func.count().label("ended"),
        )
        .where(execution.c.agent_id.in_(wanted), among(execution.c.status, "completed", "partial", "failed", "lapsed"))
        .group_by(execution.c.agent_id)
    )
)
_attempt = execution.alias("latest")
_begun_recently = func.coalesce(
    select(_attempt.c.started_at)
    .where(_attempt.c.agent_id == agent.c.id)
    .order_by(_attempt.c.started_at.desc())
    .offset(RECENT - 1)
    .limit(1)
    .correlate(agent)
    .scalar_subquery(),
    literal(datetime(1, 1, 1, tzinfo=UTC), execution.c.started_at.type),
)
_freed = (
    select(func.max(event.c.at))
    .where(
        event.c.task_id == execution.c.task_id, text("event.kind = 'unblocked'"), event.c.at <= execution.c.started_at
    )
    .correlate(execution)
    .scalar_subquery()
)
ACCEPTED = ListStatement(
    lambda wanted: (
        select(
            execution.c.agent_id,
            execution.c.task_id,
            execution.c.started_at,
            delegation.c.id.label("offer"),
            delegation.c.at.label("offered_at"),
            _freed.label("freed_at"),
        )
        .select_from(agent)
        .join(execution, (execution.c.agent_id == agent.c.id) & (execution.c.started_at >= _begun_recently))
        .join(
            delegation,
            (delegation.c.task_id == execution.c.task_id)
            & (delegation.c.to_agent_id == execution.c.agent_id)
            & (delegation.c.at <= execution.c.started_at),
        )
        .where(agent.c.id.in_(wanted))
        .order_by(execution.c.started_at, delegation.c.at)
    )
)
RATED = ListStatement(
    lambda wanted: (
        select(
            feedback.c.worker_id,
            func.avg(feedback.c.quality, type_=Float).label("quality"),
            func.avg(feedback.c.timeliness, type_=Float).label("timeliness"),
            func.count().label("ratings"),
        )
        .where(
            feedback.c.worker_id.in_(wanted),
            or_(feedback.c.quality.is_not(None), feedback.c.timeliness.is_not(None)),
            or_(feedback.c.by_id.is_(None), feedback.c.by_id != feedback.c.worker_id),
        )
        .group_by(feedback.c.worker_id)
    )
)


def live_claims(db: Transaction) -> dict[str, int]:
    """How many claims that have not run out each agent of the project holds; agents without any are left out."""
    return dict(LIVE_CLAIMS.all(db, {"project": db.project.slug, "now": db.now}))


def in_hand(db: Transaction, agent_ids: Iterable[str]) -> dict[str, Figures]:
    """What each of these agents holds; the other figures are at nought."""
    wanted = list(dict.fromkeys(agent_ids))
    found = {each: Figures() for each in wanted}
    for holder, claims, live, working in HELD.all(db, wanted, {"now": db.now}):
        found[holder].claims, found[holder].live, found[holder].working = claims, live, working
    return found


def figures(db: Transaction, agent_ids: Iterable[str]) -> dict[str, Figures]:
    """Load and record of each of these agents, in five statements however many they are."""
    found = in_hand(db, agent_ids)
    wanted = list(found)
    for assignee, assigned in ASSIGNED.all(db, wanted):
        found[assignee].assigned = assigned
    for agent_id, completed, ended in ENDED.all(db, wanted):
        found[agent_id].completed, found[agent_id].ended = completed, ended
    for agent_id, seconds in _responses(db, wanted).items():
        found[agent_id].response_seconds = sum(seconds) / len(seconds)
    for worker, quality, timeliness, ratings in RATED.all(db, wanted):
        found[worker].quality, found[worker].timeliness, found[worker].ratings = quality, timeliness, ratings
    return found


def _responses(db: Transaction, agent_ids: list[str]) -> dict[str, list[float]]:
    """How many seconds each agent took to accept what it was offered: from an offer to the first claim after it."""
    answers: dict[tuple[str, str, datetime], Row] = {}
    for row in ACCEPTED.all(db, agent_ids):
        answers[row.agent_id, row.task_id, row.started_at] = row  # of several offers before a claim, the last
    found: dict[str, list[float]] = defaultdict(list)
    accepted: set[str] = set()
    for row in answers.values():
        if row.offer not in accepted:
            accepted.add(row.offer)
            since = max(row.offered_at, row.freed_at or row.offered_at)
            found[row.agent_id].append((row.started_at - since).total_seconds())
    return found
