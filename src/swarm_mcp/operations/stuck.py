"""What does not move, traced to its roots, each with the call that frees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.agent import ENDED, Lifecycle
from swarm_mcp.model.lifecycle import FINISHED, TaskStatus
from swarm_mcp.model.record import Record
from swarm_mcp.operations import claims
from swarm_mcp.operations.answering import shorten
from swarm_mcp.repository import agents, graph, messages, standstill, teams

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row


class Root(Record):
    """One thing that keeps work from moving."""

    task: str
    title: str
    why: str
    call: str
    blocks: int = 0
    """How many unfinished tasks wait for it, directly or not, as far as they were counted."""


def roots(db: Transaction, inside: set[str] | None) -> list[Root]:
    """Everything that stands still by itself, what blocks most first."""
    found: list[Root] = []
    for row in standstill.suspects(db, now=db.now, seen_since=db.now - 4 * (claims.lease(db) - db.now)):
        if inside is not None and row.id not in inside:
            continue
        why, call = _reason(db, row)
        if why:
            found.append(
                Root(
                    task=row.id,
                    title=shorten(row.title),
                    why=why,
                    call=call,
                    blocks=standstill.count_behind(db, row.id),
                )
            )
    return sorted(found, key=lambda each: -each.blocks)


def _reason(db: Transaction, row: Row) -> tuple[str, str]:
    """Why a task stands still and which call frees it; ("", "") if it moves after all."""
    if row.hold_reason is not None:
        who = agents.agent_names(db, [row.hold_by_id]).get(row.hold_by_id, "operator")
        return f"held by {who}: {shorten(row.hold_reason)}", f'update_task(task="{row.id}", action="resume")'
    if row.status == TaskStatus.REQUIRES_ASSISTANCE:
        return _question(db, row)
    if row.status == TaskStatus.IN_REVIEW:
        return "waits for review", f'review_task(task="{row.id}", verdict="accept")'
    if row.status == TaskStatus.PARTIAL:
        return "partly done, and nobody goes on", f'update_task(task="{row.id}", action="retry")'
    if row.status == TaskStatus.FAILED:
        why = shorten(row.error or row.completion_summary)
        return f"failed: {why}", f'update_task(task="{row.id}", action="retry")'
    if row.status == TaskStatus.CANCELLED:
        waiter = next(each for each in graph.waiters(db, row.id) if each.status not in FINISHED)
        return (
            f"cancelled, but {waiter.id} waits for it",
            f'update_task(task="{waiter.id}", drop_depends_on=["{row.id}"])',
        )
    if claims.lapsed(db, row):
        holder = agents.agent_names(db, [row.holder_id]).get(row.holder_id, "")
        return f"the claim of {holder} has lapsed", f'update_task(task="{row.id}", action="recall")'
    return _unclaimed(db, row)


def _question(db: Transaction, row: Row) -> tuple[str, str]:
    question = messages.open_question(db, row.id)
    if question is None:
        return "waits for an answer that nobody owes", f'update_task(task="{row.id}", action="recall")'
    asked = agents.agent_names(db, [question.asked_id]).get(question.asked_id, "operator")
    return (
        f"{asked} has not answered: {shorten(question.text, 120)}",
        f'send_message(reply_to="m{question.id}", text=…)',
    )


def _unclaimed(db: Transaction, row: Row) -> tuple[str, str]:
    """Ready, but whoever should claim it does not."""
    call = f'delegate(task="{row.id}", to=…)'
    if row.assignee_id:
        assignee = agents.agent_row(db, row.assignee_id)
        if assignee.lifecycle in ENDED or assignee.lifecycle == Lifecycle.PAUSED:
            return f"ready, but its assignee {assignee.name} is {assignee.lifecycle}", call
        return f"ready, but its assignee {assignee.name} is offline", call
    if row.pool_team_id and not teams.members_of(db, row.pool_team_id):
        return "ready, but its team has no members", call
    if row.pool_specialty and not agents.with_specialty(db, row.pool_specialty):
        return f"ready, but nobody has the specialty {row.pool_specialty}", call
    return "", ""
