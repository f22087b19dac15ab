"""What a model says in prose, done: a report completes its task, a delegation becomes a task that is handed down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model import arguments as arg
from swarm_mcp.model import ids
from swarm_mcp.model.errors import Invalid, NotAllowed, NotFound
from swarm_mcp.model.lifecycle import CLAIMED
from swarm_mcp.model.report import handover_in, report_in
from swarm_mcp.model.task import Completed, Written
from swarm_mcp.operations import completing, delegating, naming, planning
from swarm_mcp.operations.catalog import SCRIPTS, operation
from swarm_mcp.repository import tasks, work

if TYPE_CHECKING:
    from swarm_mcp.model.report import Report
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

KINDS_OF_AGENT = frozenset({"research", "coding", "testing", "documentation"})
"""What the blueprint's delegations name instead of an agent: specialties here."""


@operation(profiles=SCRIPTS, repeatable=True)
def complete_from_text(db: Transaction, *, task: str, text: arg.Text, attempt: arg.Attempt = 0) -> Completed:
    """Complete a task by the report in a model's prose: one JSON object, whatever stands around it.

    Its fields are those of `complete_task` or of the blueprint's AgentReport; `status` is the outcome.

    Raises:
        Invalid: the text holds no report, or one of another task or execution.
        Ambiguous: several objects may be meant, or the report contradicts itself.
        NotAllowed: it is another agent's.
        Refusal: as `complete_task`.

    """
    return complete_by_report(db, tasks.resolve_task(db, task), report_in(text), attempt)


def complete_by_report(db: Transaction, row: Row, report: Report, attempt: int) -> Completed:
    """Hand in a report on the one path, if it is this agent's and about this attempt at this task."""
    _check_same(db, row, report)
    if report.status not in completing.OUTCOMES:
        raise Invalid(
            f"The report says {report.status}, and a task ends completed, partial or failed. "
            f'report_progress(task="{row.id}", message=…, status="{report.status}") says how work stands.'
        )
    said = report.outputs.get("summary")
    done = completing.complete_task(
        db,
        task=row.id,
        summary=report.summary or report.error or (said if isinstance(said, str) else ""),
        outcome=report.status.value,
        measurements=report.measurements,
        evidence=report.evidence,
        outputs=report.outputs,
        artifacts=report.artifacts,
        issues=report.issues,
        next_actions=report.next_actions,
        confidence=report.confidence,
        actual_hours=report.actual_hours,
        attempt=_attempt(db, row, report, attempt),
    )
    if row.status in CLAIMED:  # else it was recorded before
        more = {"blocking_issues": report.blocking_issues, **({"error": report.error} if report.error else {})}
        work.report_execution(db, row.id, row.attempt, more)
    return done


def _check_same(db: Transaction, row: Row, report: Report) -> None:
    """Refuse a report of another task, and one that another agent has written."""
    if report.task:
        try:
            meant = tasks.resolve_task(db, report.task).id
        except NotFound:
            meant = ""
        if meant != row.id:
            raise Invalid(f"The report is about task `{report.task[:40]}`, not about {row.id}.", task=row.id)
    if report.agent and ids.fold_name(report.agent) != db.actor.name:
        raise NotAllowed(f"The report is {report.agent[:63]}'s, and {db.actor.name} hands it in.", task=row.id)


def _attempt(db: Transaction, row: Row, report: Report, attempt: int) -> int:
    """The attempt that a report is about; 0 if nothing says."""
    said = {attempt, report.attempt} - {0}
    if report.execution:
        known = {each.id: each.attempt for each in work.executions(db, row.id)}
        if report.execution not in known:
            raise Invalid(f"The report is about execution `{report.execution[:40]}`, which is none of {row.id}.")
        said.add(known[report.execution])
    if len(said) > 1:
        raise Invalid(f"The report is about attempt {' and '.join(map(str, sorted(said)))} at {row.id}; say one.")
    return said.pop() if said else 0


@operation(profiles=SCRIPTS)
def create_task_from_delegation(db: Transaction, *, title: arg.Text, text: arg.Text) -> Written:
    """Create a task and hand it down as the delegation in a model's prose says: one JSON object.

    Its fields are those of `delegate` or of the blueprint's TaskDelegation; a kind of agent that nobody is called is
    a specialty.

    Raises:
        Invalid: the text holds no delegation.
        Ambiguous: several objects may be meant.
        Refusal: as `create_task` and `delegate`.

    """
    said = handover_in(text)
    kind = said.to.lower()
    known = kind not in KINDS_OF_AGENT or naming.find_place(db, kind) is not None
    made = planning.create_task(db, title=title).task
    assert made is not None  # noqa: S101 - creating answers with its task
    handed = delegating.delegate(
        db,
        task=made.id,
        to=said.to if known else f"specialty:{kind}",
        reasoning=said.reasoning,
        expected_deliverables=said.expected_deliverables,
        required_resources=said.required_resources,
        success_criteria=said.success_criteria,
        risk_factors=said.risk_factors,
        context_requirements=said.context_requirements,
        depends_on=said.depends_on,
        priority=said.priority,
        estimated_minutes=said.estimated_minutes,
    )
    return handed.model_copy(update={"message": f"Created {made.id}. {handed.message}"})
