"""Criteria: what has to be true before a task is done, and whether it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from swarm_mcp.model import criteria as expressions
from swarm_mcp.model.errors import CriteriaUnmet, Invalid
from swarm_mcp.model.lifecycle import Priority
from swarm_mcp.model.record import spoken
from swarm_mcp.model.task import Complexity, CriterionOutcome, CriterionView
from swarm_mcp.model.tokens import fitting
from swarm_mcp.operations.answering import shorten
from swarm_mcp.repository import work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

SATISFIED = frozenset({CriterionOutcome.PASSED, CriterionOutcome.MET, CriterionOutcome.WAIVED})
MISSING_SHOWN = 8


@dataclass(slots=True)
class Judgement:
    """What became of a task's criteria, and what is still missing, a phrase each."""

    views: list[CriterionView] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def views_of(db: Transaction, task_id: str) -> list[CriterionView]:
    """A task's criteria as agents read them."""
    return [
        CriterionView(
            n=row.position, text=row.text, check=row.measurable, outcome=row.outcome, evidence=row.evidence,
            reason=row.reason,
        )
        for row in work.criteria(db, task_id)
    ]  # fmt: skip


def told(views: list[CriterionView]) -> list[CriterionView]:
    """Criteria as an answer repeats them to whoever has just written about them: shortened, as many as it can hold."""
    short = (
        view.model_copy(update={name: shorten(getattr(view, name)) for name in ("text", "check", "evidence", "reason")})
        for view in views
    )
    return fitting(short, spoken)


def judge(db: Transaction, row: Row, measurements: Mapping[str, object], evidence: Mapping[str, str]) -> Judgement:
    """Judge every criterion by what was measured and shown; nothing is written yet.

    Raises:
        Invalid: measurements that clash, or evidence for a criterion that there is not.

    """
    measured = expressions.expand(measurements)
    criteria = work.criteria(db, row.id)
    given = _evidence_by_position(row, criteria, evidence)
    result = Judgement()
    for each in criteria:
        outcome, shown, reason = _judged(each, measured, given.get(each.position, ""))
        result.views.append(
            CriterionView(
                n=each.position, text=each.text, check=each.measurable, outcome=outcome, evidence=shown, reason=reason
            )
        )
        if outcome not in SATISFIED:
            result.missing.append(_missing(each, reason))
    return result


def recorded(db: Transaction, row: Row) -> Judgement:
    """The criteria as they were judged when the work was handed in."""
    unmet = [each for each in work.criteria(db, row.id) if each.outcome not in SATISFIED]
    return Judgement(views_of(db, row.id), [_missing(each, each.reason) for each in unmet])


def _judged(row: Row, measured: Mapping[str, object], shown: str) -> tuple[str, str, str]:
    """Outcome, evidence and reason of one criterion."""
    if row.outcome == CriterionOutcome.WAIVED:
        return CriterionOutcome.WAIVED.value, row.evidence, row.reason
    if row.measurable and expressions.names_of(row.measurable):
        verdict = expressions.evaluate(row.measurable, measured)
        if verdict.outcome == "unresolved":
            return CriterionOutcome.OPEN.value, shown or row.evidence, verdict.reason
        return verdict.outcome, shown or row.evidence, verdict.reason
    if shown.strip():
        return CriterionOutcome.MET.value, shown, ""
    return row.outcome, row.evidence, row.reason


def _missing(row: Row, reason: str) -> str:
    if row.measurable and expressions.names_of(row.measurable):
        return f"check {row.position} ({reason or row.measurable})"
    words = shorten(row.text or row.measurable)
    return f'criterion {row.position} has no evidence ("{words}"; evidence={{"{row.position}": …}})'


def _evidence_by_position(row: Row, criteria: Sequence[Row], evidence: Mapping[str, str]) -> dict[int, str]:
    """Evidence is given by position ("3") or by the criterion's text."""
    by_text = {each.text.strip().casefold(): each.position for each in criteria if each.text}
    by_text |= {each.measurable.strip().casefold(): each.position for each in criteria if each.measurable}
    positions = {each.position for each in criteria}
    given: dict[int, str] = {}
    for name, words in evidence.items():
        word = name.strip().lstrip("#")
        position = int(word) if word.isascii() and word.isdigit() and len(word) < 6 else by_text.get(word.casefold())  # noqa: PLR2004
        if position is None or position not in positions:
            known = ", ".join(str(each) for each in sorted(positions)) or "none"
            raise Invalid(f"`{name[:60]}` is no criterion of {row.id}; give its number ({known}) or its text.")
        given[position] = words
    return given


def keep(db: Transaction, row: Row, judgement: Judgement) -> None:
    """Write down what became of the criteria."""
    for view in judgement.views:
        work.set_criterion(db, row.id, view.n, outcome=view.outcome, evidence=view.evidence, reason=view.reason)


def _lacking(row: Row, judgement: Judgement) -> list[str]:
    """What keeps a task from being called done, a phrase each."""
    if not judgement.views and row.priority == Priority.CRITICAL and row.complexity == Complexity.VERY_HIGH:
        return ["it is critical and very hard and has no criteria (add_criteria, add_checks)"]
    return judgement.missing


def is_missing(db: Transaction, row: Row, judgement: Judgement) -> bool:
    """Whether the project's policy would refuse to call a task done that was judged like this."""
    return bool(_lacking(row, judgement)) and db.project.completion_checks == "enforce"


def require_met(db: Transaction, row: Row, judgement: Judgement, *, worker: bool) -> list[str]:
    """Refuse to call a task done whose criteria are not met; what a milder policy says instead.

    Raises:
        CriteriaUnmet: says exactly what is missing.

    """
    missing = _lacking(row, judgement)
    if not missing or db.project.completion_checks == "off":
        return []
    more = f" and {len(missing) - MISSING_SHOWN} more" if len(missing) > MISSING_SHOWN else ""
    sentence = f"{'; '.join(missing[:MISSING_SHOWN])}{more}"
    if db.project.completion_checks == "warn":
        return [f"Unmet, but this project only warns: {sentence}."]
    way_out = (
        'Mend them, or outcome="partial", or ask.'
        if worker
        else f'review_task(task="{row.id}", verdict="waive", notes=…) or "rework" first.'
    )
    raise CriteriaUnmet(f"Not completed: {sentence}. {way_out}", task=row.id, missing=missing[:MISSING_SHOWN])
