"""Tools of the conformance suite whose calls become tasks of the Tasks extension.

The extension is ours: what it advertises, whom it refuses, how it answers. Only the jobs behind the handles are the
suite's, and last no longer than this process.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from content import Tool, said, text
from mcp_types import INTERNAL_ERROR
from rounds import CONFIRM, NAME, answers, filled, form, needed

from swarm_mcp.server.tasks_extension.extension import declares, require_declared
from swarm_mcp.server.tasks_extension.handle import Handle, HandleStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp_types import CallToolRequestParams

    from swarm_mcp.server.tasks_extension.visit import Visit

KEPT = timedelta(minutes=10)


@dataclass
class Job:
    """Something that takes a while, or waits for answers."""

    seconds: float = 0
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    asks: dict[str, Any] = field(default_factory=dict)
    is_cancelled: bool = False
    id: str = field(default_factory=lambda: f"job-{uuid.uuid4()}")
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def status(self) -> HandleStatus:
        if self.is_cancelled:
            return HandleStatus.CANCELLED
        if self.asks:
            return HandleStatus.INPUT_REQUIRED
        if datetime.now(UTC) - self.began < timedelta(seconds=self.seconds):
            return HandleStatus.WORKING
        return HandleStatus.COMPLETED if self.error is None else HandleStatus.FAILED


class Jobs:
    """All of them."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def knows(self, handle: str) -> bool:
        return handle in self._jobs

    def wants(self, _params: CallToolRequestParams) -> bool:
        return True

    def call(self, params: CallToolRequestParams, visit: Visit) -> dict[str, Any]:
        job = job_of(params)
        self._jobs[job.id] = job
        return self.get(job.id, visit).created()

    def find(self, handle: str, _visit: Visit) -> object:
        return self._jobs[handle]

    def get(self, handle: str, _visit: Visit) -> Handle:
        job = self._jobs[handle]
        return Handle(
            job.id, job.status(), job.began, job.began, 1, kept=KEPT, requests=job.asks, result=job.result,
            error=job.error,
        )  # fmt: skip

    def update(self, handle: str, _visit: Visit, responses: Mapping[str, Any]) -> None:
        asks = self._jobs[handle].asks
        for key in asks.keys() & responses.keys():
            del asks[key]

    def cancel(self, handle: str, _visit: Visit) -> None:
        job = self._jobs[handle]
        job.is_cancelled |= job.status() in {HandleStatus.WORKING, HandleStatus.INPUT_REQUIRED}


def job_of(params: CallToolRequestParams) -> Job:
    given = params.arguments or {}
    done = said(text("Done."))
    match params.name:
        case "slow_compute":
            return Job(seconds=given.get("seconds", 0), result=done)
        case "failing_job":
            return Job(result=said(text("This job always fails."), failed=True))
        case "protocol_error_job":
            return Job(error={"code": INTERNAL_ERROR, "message": "This job breaks."})
        case "confirm_delete":
            return Job(asks=dict(CONFIRM), result=done)
        case "multi_input":
            return Job(asks={"name": NAME, **CONFIRM}, result=done)
        case _:
            return Job(result=said(text(f"Hello, {filled(answers(params)['user_name'], 'name')}!")))


async def greet(ctx: Any, call: Any) -> dict[str, Any]:
    """What is answered at once, whatever the client declares."""
    return said(text(f"Hello, {call.arguments['name']}!"))


async def either(ctx: Any, call: Any) -> dict[str, Any] | None:
    """A task for those who know what that is, else the result at once."""
    return None if declares(ctx) else said(text("Done."))


async def only_as_task(ctx: Any, call: Any) -> None:
    """A task, or nothing."""
    require_declared(ctx)


async def first_a_name(ctx: Any, call: Any) -> dict[str, Any] | None:
    """A task, when the name is there that it needs."""
    if not filled(answers(call).get("user_name"), "name"):
        return needed({"user_name": form("What is your name?", "name")})
    require_declared(ctx)
    return None


TASKS = {
    "slow_compute": Tool(either),
    "confirm_delete": Tool(only_as_task),
    "multi_input": Tool(only_as_task),
    "failing_job": Tool(only_as_task),
    "protocol_error_job": Tool(only_as_task),
    "test_tool_with_task": Tool(first_a_name),
}
TOOLS = {"greet": Tool(greet), **TASKS}
JOBS = Jobs()
