"""Running: a Python function does a task, in an agent's name."""

from __future__ import annotations

from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING

from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import Invalid, Refusal
from swarm_mcp.model.report import report_of
from swarm_mcp.operations import claiming, completing, dictating, reporting
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from swarm_mcp.model.task import Brief, Completed
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction


def run_task(
    swarm: Swarm,
    *,
    task: str,
    agent: str,
    function: Callable[[Brief], str | Mapping[str, object]],
    lease_minutes: int = 0,
) -> Completed:
    """Claim a task, let a function do it, and complete it with what that returns; a failure is recorded and raised.

    It takes the board and not a transaction, because nobody else could write while one is open: there is a short one
    before the function runs and a short one after it. The claim does not renew itself meanwhile, so give a long run
    its time; what comes after the claim was lost is refused, and recorded nowhere.

    Args:
        swarm: the open board.
        task: the task.
        agent: who does it.
        function: is called with the brief; returns the summary, or a report as a map of `complete_task`'s arguments
            (with `status` for the outcome) or of the blueprint's AgentReport.
        lease_minutes: how long the claim lasts; 0 is the project's policy.

    Raises:
        Exception: whatever the function raised; the task has failed with it. Whoever interrupts it (Ctrl-C, an exit)
            has released the task.
        Refusal: the claim, or the completion; the claim is kept then, so that what is missing can be mended.

    """
    if not agent.strip():
        raise Invalid("A task is done by an agent: say which in `agent`.")
    if not task.strip():
        raise Invalid("Say in `task` which task it is; list_tasks(ready=True) shows what is ready.")
    if iscoroutinefunction(function):
        raise Invalid(f"{_name(function)} is asynchronous; run_task calls plain functions.")
    write = partial(swarm.write, agent=agent, profile=Profile.WORKER)
    claimed = write(lambda db: claiming.claim_task(db, task=task, lease_minutes=lease_minutes))
    assert claimed.task is not None  # noqa: S101 - a task that is claimed by name is there
    assert claimed.brief is not None  # noqa: S101
    row_id, attempt = claimed.task.id, claimed.attempt

    def failed(db: Transaction, words: str) -> None:
        completing.complete_task(db, task=row_id, summary=words, outcome="failed", attempt=attempt)

    def released(db: Transaction, words: str) -> None:
        reporting.report_progress(db, task=row_id, message=words, status="released", attempt=attempt)

    try:
        result = function(claimed.brief)
    except BaseException as error:
        record = partial(failed if isinstance(error, Exception) else released, words=_words(error))
        try:
            write(record)
        except Refusal as refusal:  # the claim was lost, say: what went wrong is what matters
            error.add_note(refusal.message)
        raise
    return write(lambda db: _complete(db, row_id, attempt, result, _name(function)))


def _complete(db: Transaction, task: str, attempt: int, result: object, name: str) -> Completed:
    if isinstance(result, str):
        return completing.complete_task(db, task=task, summary=result, attempt=attempt)
    if isinstance(result, dict):
        said = {"success": True, **result} if not {"status", "outcome", "success"} & result.keys() else result
        return dictating.complete_by_report(db, tasks.task_row(db, task), report_of(said), attempt)
    raise Invalid(f"{name} returned {type(result).__name__}; return the summary as text, or a report as a map.")


def _name(function: Callable[..., object]) -> str:
    return str(getattr(function, "__name__", "the function"))


def _words(error: BaseException) -> str:
    """An exception as it is recorded: its type, and its message without what no database keeps."""
    name = type(error).__name__
    try:
        said = f"{name}: {error}" if str(error) else name
    except Exception:  # that it has no words must not hide what it is, nor keep the claim
        said = name
    return said.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
