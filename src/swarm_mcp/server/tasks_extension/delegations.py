"""The handle of `delegate`: the delegation's id. It is over when the work has come back, or was taken back."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import Invalid, NotFound, Refusal
from swarm_mcp.model.task import Delegated
from swarm_mcp.operations import following
from swarm_mcp.server.calls import answered
from swarm_mcp.server.tasks_extension.handle import Handle, HandleStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    import mcp_types as types

    from swarm_mcp.model.following import Asked, Followed
    from swarm_mcp.model.record import Answer
    from swarm_mcp.server.tasks_extension.visit import Visit

_log = logging.getLogger(__name__)

POLL_SECONDS = 5
"""Work takes minutes."""
FIELD = "answer"
ANSWER = {"type": "object", "properties": {FIELD: {"type": "string", "title": "Answer"}}, "required": [FIELD]}


class Delegations:
    """Follows what was handed down; see `operations.following`, which says who may."""

    def knows(self, handle: str) -> bool:
        """A UUID."""
        return following.UUID.fullmatch(handle) is not None

    def wants(self, params: types.CallToolRequestParams) -> bool:
        """Always."""
        _ = params
        return True

    def call(self, params: types.CallToolRequestParams, visit: Visit) -> dict[str, Any]:
        """Hand the task down."""
        show = partial(self._begun, visit)
        return visit.calls.call("delegate", params.arguments, visit.caller, visit.client, show=show)

    def _begun(self, visit: Visit, answer: Answer) -> dict[str, Any]:
        """The handle, with what the tool says in words; the tool's own answer if there can be no handle."""
        if not isinstance(answer, Delegated) or not answer.delegation:
            return answered(answer)
        try:
            handle = self.get(answer.delegation, visit)
        except Exception:  # it is handed down all the same
            _log.exception("a delegation cannot be followed")
            return answered(answer)
        said = " ".join([answer.message, *answer.warnings])
        return {**handle.created(), "statusMessage": said}

    def find(self, handle: str, visit: Visit) -> tuple[Followed, str]:
        """How the task stands, and who handed it down."""
        agent = visit.calls.swarm.read(lambda db: following.giver_of(db, handle))
        if not agent:
            raise NotFound("Nobody has handed anything down under this id.")
        return visit.read(partial(following.follow_delegation, delegation=handle), agent), agent

    def get(self, handle: str, visit: Visit) -> Handle:
        """How the task stands. That it is over is kept, as far as the board can be written."""
        followed, agent = self.find(handle, visit)
        if followed.is_over and not followed.is_kept:
            try:
                settle = partial(following.settle_delegation, delegation=handle)
                followed = visit.write(settle, agent, profile=Profile.WORKER)
            except Refusal as refusal:
                _log.debug("an outcome was not kept: %s", refusal)
        return _handle(handle, followed, visit)

    def update(self, handle: str, visit: Visit, responses: Mapping[str, Any]) -> None:
        """Give the worker the answers.

        Raises:
            Invalid: an answer has no words.

        """
        followed, agent = self.find(handle, visit)
        asked = followed.question
        response = responses.get(asked.id) if asked is not None else None
        if asked is None or response is None:
            return
        action = response.get("action") if isinstance(response, dict) else None
        if action in {"decline", "cancel"}:
            aside = partial(following.put_question_aside, delegation=handle, question=asked.id)
            visit.write(partial(aside, pass_on=action == "decline"), agent)
            return
        text = _words(response) if action == "accept" else ""
        if not text:
            raise Invalid(f'The response to {asked.id} is {{"action": "accept", "content": {{"{FIELD}": words}}}}.')
        visit.write(partial(following.answer_question, delegation=handle, question=asked.id, text=text), agent)

    def cancel(self, handle: str, visit: Visit) -> None:
        """Take the task back; it stays on the board."""
        _, agent = self.find(handle, visit)
        visit.write(partial(following.recall_delegation, delegation=handle), agent)


def _handle(handle: str, followed: Followed, visit: Visit) -> Handle:
    asked = followed.question
    status, message = HandleStatus.WORKING, followed.message
    requests: dict[str, Any] = {}
    result = None
    if followed.outcome is not None:
        status = HandleStatus.COMPLETED
        result = {"resultType": "complete", **answered(followed.outcome), "isError": followed.outcome.is_failure}
    elif followed.is_recalled:
        status = HandleStatus.CANCELLED
    elif asked is not None and visit.can_be_asked:
        status, requests = HandleStatus.INPUT_REQUIRED, {asked.id: _form(asked)}
    elif asked is not None:
        message = f'{message} send_message(reply_to="{asked.id}", text=…) answers.'
    return Handle(
        handle, status, followed.began, followed.changed, POLL_SECONDS, message=message, requests=requests,
        result=result,
    )  # fmt: skip


def _form(asked: Asked) -> dict[str, Any]:
    """A question as the client puts it to somebody."""
    message = f"{asked.sender} asks: {asked.text}"
    return {"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": ANSWER}}


def _words(response: dict[str, Any]) -> str:
    content = response.get("content")
    text = content.get(FIELD) if isinstance(content, dict) else None
    return text.strip() if isinstance(text, str) else ""
