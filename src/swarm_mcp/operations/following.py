"""Following a task that was handed down, by the delegation's id: how it stands, and what came of it.

Only whoever handed it down may, so also whoever may act in that agent's name. To everybody else, and in every other
project, there is no such delegation. What came of it is said once and for all: it is kept when it is told, so that a
task that is reopened later does not take it back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import IllegalMove, NotFound
from swarm_mcp.model.following import DECLINED, Asked, Followed, Outcome
from swarm_mcp.model.lifecycle import FINISHED, TaskStatus
from swarm_mcp.model.record import spoken
from swarm_mcp.model.task import DelegationState
from swarm_mcp.model.tokens import CEILING, clipped, tokens
from swarm_mcp.operations import asking, changing, conversing
from swarm_mcp.operations.answering import shorten, task_change, task_lines
from swarm_mcp.operations.authority import has_authority
from swarm_mcp.repository import agents, delegations, lines, messages, tasks, work

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KEPT = "follow_delegation"
PUT_ASIDE = "put_question_aside"
LIVE = frozenset({DelegationState.OFFERED, DelegationState.ACCEPTED})
HANDED_IN = frozenset({TaskStatus.PARTIAL, TaskStatus.IN_REVIEW})
"""The work has come back, and what becomes of it is decided by others than the one who did it."""
REPORTED = frozenset({*HANDED_IN, TaskStatus.COMPLETED, TaskStatus.FAILED})
QUESTION_SHOWN = 4000
SUMMARY_SHOWN = 2000
"""Tokens."""


def giver_of(db: Transaction, delegation: str) -> str:
    """The name of the agent that handed the task down; empty if there is no such delegation, or the operator did."""
    given = delegations.find_delegation(db, delegation) if UUID.fullmatch(delegation) else None
    return agents.agent_names(db, [given.from_id]).get(given.from_id, "") if given is not None else ""


def follow_delegation(db: Transaction, *, delegation: str) -> Followed:
    """How the task stands. It only reads.

    Raises:
        NotFound: whoever acts has handed nothing down under this id.

    """
    given = _given(db, delegation)
    kept = work.remembered(db, KEPT, delegation)
    if kept is not None:
        return Followed.model_validate({**kept.result, "is_kept": True})
    return _look(db, given)


def settle_delegation(db: Transaction, *, delegation: str) -> Followed:
    """The same, and where it is over, that is kept."""
    followed = follow_delegation(db, delegation=delegation)
    if followed.is_over and work.remembered(db, KEPT, delegation) is None:
        work.remember(db, KEPT, delegation, "", followed.model_dump(mode="json"))
    return followed


def recall_delegation(db: Transaction, *, delegation: str, reason: str = "recalled") -> None:
    """Take the task back from everybody whom it has come to by this delegation; the task itself stays.

    Does nothing where nothing can be recalled any more.

    Raises:
        NotAllowed: whoever acts has no authority over the task, because it merely had claimed what it handed on.

    """
    given = _given(db, delegation)
    while given.state in LIVE:
        try:
            changing.update_task(db, task=given.task_id, action="recall", reason=reason)
        except IllegalMove:  # finished, in review, or partly done: it has come back already
            return
        given = _given(db, delegation)


def answer_question(db: Transaction, *, delegation: str, question: str, text: str) -> None:
    """Answer what the worker asks; the attempt that asked goes on. Does nothing if that is no open question here."""
    if _open_question(db, _given(db, delegation), question) is not None:
        conversing.send_message(db, text=text, reply_to=question)


def put_question_aside(db: Transaction, *, delegation: str, question: str, pass_on: bool) -> None:
    """Ask whoever follows the task no more; the question stays open.

    Args:
        db: the transaction.
        delegation: its id.
        question: the message's id.
        pass_on: let it go on to the next who may answer, if it was for whoever acts.

    """
    asked = _open_question(db, _given(db, delegation), question)
    if asked is None:
        return
    work.remember(db, PUT_ASIDE, f"{delegation}/{asked.id}", "", {})
    if pass_on and asked.asked_id == db.actor.id:
        asking.pass_on(db, asked)


def _given(db: Transaction, delegation: str) -> Row:
    given = delegations.find_delegation(db, delegation) if UUID.fullmatch(delegation) else None
    if given is None or given.from_id is None or given.from_id != db.actor.id:
        raise NotFound(f"{db.actor.name} has handed nothing down under this id.")
    return given


def _look(db: Transaction, given: Row) -> Followed:
    row = tasks.task_row(db, given.task_id)
    times: dict[str, Any] = {"began": given.at, "changed": max(given.at, row.updated_at)}
    if given.state == DelegationState.RECALLED:
        why = f": {given.reason}" if given.reason else ""
        return Followed(**times, message=f"{_named(row)} was taken back{why}.", is_recalled=True)
    if given.state not in LIVE or row.status in HANDED_IN:
        outcome = _outcome(db, given, row)
        return Followed(**times, message=outcome.message, outcome=outcome)
    if row.status != TaskStatus.REQUIRES_ASSISTANCE:
        return Followed(**times, message=_standing(db, row))
    asked = messages.open_question(db, row.id)
    if asked is None:
        return Followed(**times, message=_standing(db, row))
    times["changed"] = max(times["changed"], asked.at)
    sender = agents.agent_names(db, [asked.sender_id]).get(asked.sender_id, "operator")
    question = Asked(id=f"m{asked.id}", sender=sender, text=clipped(asked.text, QUESTION_SHOWN))
    if _is_for(db, given, row, asked):
        words = f"{sender} asks about {_named(row)} (m{asked.id}): {shorten(asked.text, 200)}"
        return Followed(**times, message=words, question=question)
    whom = agents.agent_names(db, [asked.asked_id]).get(asked.asked_id, "operator")
    return Followed(**times, message=f"{_named(row)} waits for an answer of {whom} to m{asked.id}.")


def _open_question(db: Transaction, given: Row, question: str) -> Row | None:
    """The question that whoever follows the task is asked, if it has this id."""
    row = tasks.task_row(db, given.task_id)
    if given.state not in LIVE or row.status != TaskStatus.REQUIRES_ASSISTANCE:
        return None
    asked = messages.open_question(db, row.id)
    return asked if asked is not None and f"m{asked.id}" == question and _is_for(db, given, row, asked) else None


def _is_for(db: Transaction, given: Row, row: Row, asked: Row) -> bool:
    """Whether whoever handed the task down is to answer.

    It is if it was asked, or if the person in charge was, who sits at its side; and if the worker has the task
    directly from it, whoever else was asked first.
    """
    live = work.live_delegation(db, row.id)
    is_near = live is not None and live.id == given.id
    if asked.sender_id == db.actor.id or not (is_near or asked.asked_id in {None, db.actor.id}):
        return False
    if not asking.was_asked(db, asked) and not has_authority(db, row):
        return False
    return work.remembered(db, PUT_ASIDE, f"{given.id}/{asked.id}") is None


def _standing(db: Transaction, row: Row) -> str:
    """How a task stands that is not over: with whom, how far, and what was reported last."""
    line = task_lines(db, lines.line_rows(db, [row.id]))[0]
    who = line.holder or line.assignee
    parts = [
        f"{_named(row)} is {row.status}",
        f"with {who}" if who else "",
        f"{line.progress} %" if line.progress else "",
    ]
    latest = work.latest_progress(db, row.id, limit=1)
    said = f": {shorten(latest[0].message, 200)}" if latest and latest[0].message else "."
    return ", ".join(part for part in parts if part) + said + (f" It is held: {line.hold}." if line.hold else "")


def _named(row: Row) -> str:
    return f"{row.id} {shorten(row.title)}"


def _outcome(db: Transaction, given: Row, row: Row) -> Outcome:
    """What came of it, within what an answer may cost."""
    if given.state == DelegationState.DECLINED:
        words = (
            f'{_named(row)} was given back: {shorten(given.reason, 400)}. delegate(task="{row.id}", to=…) hands it on.'
        )
        return Outcome(message=words, outcome=DECLINED, task=task_change(row), title=row.title)
    report = _report(db, row)
    is_back = row.status in FINISHED | HANDED_IN  # else it is being done again, by others
    status = row.status if is_back or report is None else report.status
    worker_id = report.agent_id if report is not None else row.worker_id
    worker = agents.agent_names(db, [worker_id]).get(worker_id, "")
    summary = (row.completion_summary or row.error) if is_back or report is None else report.summary
    outcome = Outcome(
        message=_ended(row, status, worker), outcome=status, task=task_change(row), title=row.title, by=worker,
        summary=summary,
        outputs=report.outputs if report is not None else row.outputs,
        artifacts=report.artifacts if report is not None else row.artifacts,
        issues=report.issues_found if report is not None else [],
        next_actions=report.next_actions if report is not None else [],
    )  # fmt: skip
    if tokens(spoken(outcome)) <= CEILING:
        return outcome
    call = f'get_task(task="{row.id}", include=["executions"], max_tokens=8000)'
    nothing: dict[str, Any] = {"outputs": {}, "artifacts": [], "issues": [], "next_actions": []}
    return outcome.model_copy(update={"summary": clipped(summary, SUMMARY_SHOWN), **nothing, "left_out": call})


def _report(db: Transaction, row: Row) -> Row | None:
    """The last report that brought work back; None where nobody has reported, as of work done elsewhere."""
    reports = [each for each in work.executions(db, row.id) if each.status in REPORTED]
    return reports[-1] if reports else None


def _ended(row: Row, status: str, worker: str) -> str:
    by = f" by {worker}" if worker else ""
    review = f'review_task(task="{row.id}", verdict=…)'
    return {
        TaskStatus.COMPLETED: f"{_named(row)} is completed{by}.",
        TaskStatus.IN_REVIEW: f"{_named(row)} is done{by} and waits for {review}.",
        TaskStatus.PARTIAL: f"{_named(row)} is partly done{by}; {review} accepts it or sends it back.",
        TaskStatus.FAILED: f'{_named(row)} has failed{by}; update_task(task="{row.id}", action="retry") tries again.',
    }.get(TaskStatus(status), f"{_named(row)} is {status}.")
