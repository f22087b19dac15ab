"""What else a task is: the fields that no tool changes, because few boards need them often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.draft import TaskDraft, check_texts, draft_columns
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.ids import unknown_word
from swarm_mcp.model.task import Written
from swarm_mcp.operations import claims, moves
from swarm_mcp.operations.answering import task_change, unread
from swarm_mcp.operations.authority import require_authority
from swarm_mcp.operations.catalog import SCRIPTS, operation
from swarm_mcp.operations.changing import check_version, check_waiver
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

EMPTY: dict[str, Any] = {"area": "", "phase": None, "complexity": "", "task_type": "", "source": "", "touches": []}
"""What can be emptied, and what it is then."""


@operation(profiles=SCRIPTS, repeatable=True)
def describe_task(
    db: Transaction,
    *,
    task: str,
    area: str = "",
    phase: int = 0,
    complexity: str = "",
    task_type: str = "",
    source: str = "",
    touches: arg.Texts = [],
    needs_review: bool | None = None,
    clear: arg.Texts = [],
    version: int = 0,
) -> Written:
    """Change what a task is besides what `update_task` changes.

    Args:
        db: the transaction.
        task: its id, a foreign reference, or the beginning of the id.
        area: the component that it belongs to.
        phase: 1 to 10.
        complexity: low, medium, high or very_high.
        task_type: a word.
        source: the document that it comes from.
        touches: paths or resources that the work will change; they take the place of the former ones.
        needs_review: whether it goes to review when it is completed.
        clear: which of area, phase, complexity, task_type, source and touches to empty.
        version: refused if the task has changed since.

    Raises:
        NotAllowed: the caller has no authority over it, or would waive the review of its own work.
        Invalid: a value that cannot be, or nothing to change.

    """
    unknown = next((each for each in clear if each not in EMPTY), None)
    if unknown is not None:
        raise unknown_word(unknown, "field that could be cleared", EMPTY)
    said = TaskDraft(
        title="-", area=area, phase=phase, complexity=complexity, task_type=task_type, source=source, touches=touches
    )
    given = {
        name: value for name, value in draft_columns(said).items() if name in EMPTY and value not in (None, "", [])
    }
    both = next((each for each in clear if each in given), "")
    if both:
        raise Invalid(f"`{both}` is both set and cleared; say one of them.")
    values = given | {name: EMPTY[name] for name in check_texts(clear, "clear")}
    if needs_review is not None:
        values["needs_review"] = needs_review
    if not values:
        raise Invalid(f"Nothing to change: name {', '.join(EMPTY)} or needs_review.")
    row = tasks.resolve_task(db, task)
    check_version(db, row, version)
    require_authority(db, row, "edit")
    waived = check_waiver(db, row, "waive its review") if row.needs_review and needs_review is False else {}
    row = claims.touched(db, moves.change(db, row, "edited", values, waived or None).row)
    return Written(
        task=task_change(row), message=f"{row.id} changed {', '.join(sorted(values))}; it is {row.status}.",
        unread=unread(db),
    )  # fmt: skip
