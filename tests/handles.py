"""A client of the Tasks extension: the SDK's, which has none of its own, with what it takes to use the handles."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from mcp.client.extension import ClientExtension, ResultClaim
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolRequest, CallToolRequestParams, CallToolResult, ElicitResult, Request, Result
from pydantic import ConfigDict, TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp.client.extension import ClaimContext
    from mcp.client.session import ClientSession
    from serving import Desk

IDENTIFIER = "io.modelcontextprotocol/tasks"
UNKNOWN = -32602, "There is no such task handle here: it was never given out, is not yours, or is not kept any more."
"""What whoever may not know of a handle hears."""
POLL_SECONDS = 0.05
"""Sooner than it is told to, so that no test takes long."""
OVER = {"completed", "cancelled", "failed"}
ANYTHING = TypeAdapter(dict[str, Any])


class Created(Result):
    """What a call answers that makes a handle."""

    model_config = ConfigDict(extra="allow")

    result_type: Literal["task"]


class About(Request[dict[str, Any], str]):
    """A request with a handle; the header says which."""

    name_param = "taskId"


class Handles(ClientExtension):
    """Follows a handle to its end, and puts what is asked on the way to whoever sits there."""

    identifier = IDENTIFIER

    def __init__(self, answer: str = "") -> None:
        self.answer = answer

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Created, resolve=self.resolve)]

    async def resolve(self, created: Created, context: ClaimContext) -> CallToolResult:
        handle = (created.model_extra or {})["taskId"]
        while True:
            stands = await about(context.session, "tasks/get", handle)
            if stands["status"] in OVER:
                return CallToolResult.model_validate(stands["result"])
            if stands["status"] == "input_required":
                said = {key: accepted(self.answer) for key in stands["inputRequests"]}
                await about(context.session, "tasks/update", handle, inputResponses=said)
            await asyncio.sleep(POLL_SECONDS)


async def about(session: ClientSession, method: str, handle: str, **said: Any) -> dict[str, Any]:
    """One request with a handle, and its whole result."""
    return await session.send_request(About(method=method, params={"taskId": handle, **said}), ANYTHING)


async def asked(*_: Any) -> ElicitResult:
    """Only there so that the client says that it can be asked."""
    return ElicitResult(action="cancel")


def accepted(text: str) -> dict[str, Any]:
    return {"action": "accept", "content": {"answer": text}}


def able(answer: str = "", *, can_be_asked: bool = True) -> dict[str, Any]:
    """What a client can do that knows the extension."""
    return {"extensions": [Handles(answer)], **({"elicitation_callback": asked} if can_be_asked else {})}


class Holder:
    """Whoever holds handles, at a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def call(self, tool: str, **said: Any) -> dict[str, Any]:
        """Call a tool; the whole result, whatever its shape."""
        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=said))
        session = self.desk.client.session
        return self.desk.portal.call(session.send_request, request, ANYTHING)

    def begin(self, tool: str, **said: Any) -> str:
        """Call a tool that must answer with a handle; the handle."""
        created = self.call(tool, **said)
        assert created["resultType"] == "task", created
        assert created["status"] == "working"
        return created["taskId"]

    def ask(self, method: str, handle: str, **said: Any) -> dict[str, Any]:
        async def send() -> dict[str, Any]:
            return await about(self.desk.client.session, f"tasks/{method}", handle, **said)

        return self.desk.portal.call(send)

    def get(self, handle: str) -> dict[str, Any]:
        stands = self.ask("get", handle)
        assert stands["taskId"] == handle
        assert stands["resultType"] == "complete"
        return stands

    def answer(self, handle: str, **said: Any) -> None:
        acknowledged(self.ask("update", handle, inputResponses=said))

    def cancel(self, handle: str) -> None:
        acknowledged(self.ask("cancel", handle))

    def refusal(self, method: str, handle: str, **said: Any) -> tuple[int, str, Any]:
        """A request that must be refused; the code, the words and the facts."""
        try:
            result = self.ask(method, handle, **said)
        except MCPError as error:
            return error.code, error.message, error.data
        raise AssertionError(result)


def acknowledged(result: dict[str, Any]) -> None:
    """An acknowledgement says nothing about the handle."""
    assert result.pop("_meta")["io.modelcontextprotocol/serverInfo"]["name"] == "swarm-mcp"
    assert result == {"resultType": "complete"}


def calm(desk: Desk, agent: str = "lead") -> None:
    """Let an agent have read everything."""
    for _ in range(2):
        desk.call("check_inbox", agent=agent)
