"""The handle of `check_inbox(wait_seconds=…)`: the id of a wait, and whose it is."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.arguments import read_arguments
from swarm_mcp.interchange.calling import model_of
from swarm_mcp.model import ids
from swarm_mcp.model.errors import Refusal
from swarm_mcp.operations import awaiting, upkeep
from swarm_mcp.operations.following import UUID
from swarm_mcp.server.calls import answered
from swarm_mcp.server.refusals import broken, refused
from swarm_mcp.server.tasks_extension.handle import Handle, HandleStatus
from swarm_mcp.server.waiting import TOOL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import mcp_types as types

    from swarm_mcp.model.following import Awaited
    from swarm_mcp.server.tasks_extension.visit import Visit

_log = logging.getLogger(__name__)

POLL_SECONDS = 1
"""It is over after 45 at most."""


class Inboxes:
    """Waits for news; see `operations.awaiting`."""

    def knows(self, handle: str) -> bool:
        """A UUID and a name."""
        wait, _, agent = handle.partition(":")
        return UUID.fullmatch(wait) is not None and ids.NAME.fullmatch(agent) is not None

    def wants(self, params: types.CallToolRequestParams) -> bool:
        """Where it is to wait."""
        return bool((params.arguments or {}).get("wait_seconds"))

    def call(self, params: types.CallToolRequestParams, visit: Visit) -> dict[str, Any]:
        """What is in the inbox; a handle where nothing is."""
        begun = visit.waiting.begin(dict(params.arguments or {}), visit.caller, visit.client)
        if not begun.seconds:
            return begun.answer
        limit = read_arguments(model_of(TOOL), begun.given)["limit"]
        try:
            wait = visit.write(partial(awaiting.await_news, seconds=begun.seconds, limit=limit), begun.agent)
            stands = self.get(f"{wait}:{begun.agent}", visit)
        except Refusal as refusal:
            return refused(refusal)
        except Exception:
            _log.exception("a wait was not begun")
            return broken()
        return stands.created() if stands.result is None else stands.result  # a task may be ready already

    def find(self, handle: str, visit: Visit) -> tuple[Awaited, bool]:
        """How it stands, and whether it is worth an answer."""
        wait, _, agent = handle.partition(":")
        return visit.read(partial(awaiting.follow_wait, wait=wait), agent)

    def get(self, handle: str, visit: Visit) -> Handle:
        """Whether there is something to tell; what was told once is told again, and nothing else."""
        wait, _, agent = handle.partition(":")
        awaited, is_worth_it = self.find(handle, visit)
        if is_worth_it:
            try:
                awaited = visit.write(partial(awaiting.settle_wait, wait=wait), agent)
            except Refusal as refusal:
                if not refusal.retryable:  # what the call itself would have answered
                    return _handle(handle, awaited, refused(refusal))
        return _handle(handle, awaited)

    def update(self, handle: str, visit: Visit, responses: Mapping[str, Any]) -> None:
        """Nothing: it asks for nothing."""

    def cancel(self, handle: str, visit: Visit) -> None:
        """Wait no more; nothing is marked."""
        wait, _, agent = handle.partition(":")
        visit.write(partial(awaiting.give_up_wait, wait=wait), agent)


def _handle(handle: str, awaited: Awaited, result: dict[str, Any] | None = None) -> Handle:
    status, message = HandleStatus.WORKING, f"Waiting for news, {awaited.seconds} seconds at most."
    if awaited.inbox is not None:
        message, result = awaited.inbox.message, answered(awaited.inbox)
    if result is not None:
        status, result = HandleStatus.COMPLETED, {"resultType": "complete", **result}
    elif awaited.is_given_up:
        status, message = HandleStatus.CANCELLED, "Given up."
    return Handle(
        handle, status, awaited.began, awaited.changed, POLL_SECONDS, kept=upkeep.KEYS_KEPT, message=message,
        result=result,
    )  # fmt: skip
