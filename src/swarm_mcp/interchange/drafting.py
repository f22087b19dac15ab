"""An item of a foreign plan as a checked proposal, before it is known where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.criteria import check_expression
from swarm_mcp.model.draft import TaskDraft, read_hours, read_instant
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.lifecycle import FINISHED, TaskStatus
from swarm_mcp.operations import placing
from swarm_mcp.operations.stating import Stated

if TYPE_CHECKING:
    from swarm_mcp.interchange.foreign.document import PlanCriterion, PlanItem
    from swarm_mcp.interchange.import_report import ImportReport

TIMES = ("created_at", "updated_at", "started_at", "completed_at")


class Drafting:
    """Checks items by the rules for tasks that are created here, and reports what they made of them."""

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        self._checks: dict[str, str] = {}
        """Of every check, why it is none; empty if it is one."""

    def stated(self, item: PlanItem, source: str) -> Stated:
        """An item with the columns and criteria that it gets; who and what it refers to comes later.

        Raises:
            Invalid: everything that is wrong with it, a sentence each.

        """
        new = placing.check_draft(
            TaskDraft(
                title=item.title, description=item.description, priority=item.priority, complexity=item.complexity,
                tags=list(item.tags), source=source, task_type=item.task_type, area=item.area, phase=item.phase,
            )
        )  # fmt: skip
        new.columns["estimated_hours"] = read_hours(item.estimated_hours or 0, "estimated_hours")
        new.columns["deadline"] = read_instant(item.deadline or "", "deadline")
        new.criteria = [self._criterion(item, each) for each in dict.fromkeys(item.criteria)]
        columns = {name: read_instant(said, name) for name in TIMES if (said := getattr(item, name)) is not None}
        status = TaskStatus(item.status)
        if status not in FINISHED and columns.pop("completed_at", None) is not None:
            self.report.skipped.append(f"{item.ref}: it is {status} and was completed once; the time was left out.")
        if item.archived and status not in FINISHED:
            self.report.skipped.append(f"{item.ref}: it was put away there, but is not finished; here it stays.")
        columns |= {
            "completion_summary": item.summary,
            "actual_hours": read_hours(item.actual_hours or 0, "actual_hours"),
        }
        return Stated(
            new=new, status=status, word=item.source_status, hold=item.hold, archived=item.archived, columns=columns
        )

    def _criterion(self, item: PlanItem, said: PlanCriterion) -> tuple[str, str]:
        """A criterion as (text, CEL expression); a check that is none becomes part of the words."""
        text, check = said.text.strip(), said.measurable.strip()
        if not check:
            return text, ""
        if check not in self._checks:
            try:
                check_expression(check)
                self._checks[check] = ""
            except Invalid as refusal:
                self._checks[check] = refusal.message
        why = self._checks[check]
        if not why:
            return text, check
        self.report.guessed.append(f"{item.ref}: `{check[:80]}` is no check and was taken as words. {why}")
        return f"{text}: {check}" if text else check, ""
