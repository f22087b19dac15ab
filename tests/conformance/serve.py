"""Our own server, started by our own command line, with what the conformance suite asks for beside our tools.

Run like `swarm-mcp`. Whatever is not one of the suite's names is answered by us; hosts, origins, sessions and streams
are ours throughout.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import content
import jobs
import lists
import rounds
import talk
from mcp_types import (
    CallToolRequestParams,
    CompleteRequestParams,
    GetPromptRequestParams,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    SetLevelRequestParams,
    SubscribeRequestParams,
    UnsubscribeRequestParams,
)

from swarm_mcp.__main__ import main
from swarm_mcp.server import app
from swarm_mcp.server.remote import RemoteApp
from swarm_mcp.server.tasks_extension.extension import KINDS, plug_tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.lowlevel import Server

TOOLS = {**content.TOOLS, **talk.TOOLS, **rounds.TOOLS, **jobs.TOOLS, **lists.TOOLS}
PROMPTS = {**content.PROMPTS, **rounds.PROMPTS}
LISTS = {
    "tools/list": ("tools", [tool.listed(name) for name, tool in TOOLS.items()]),
    "prompts/list": ("prompts", [prompt.listed(name) for name, prompt in PROMPTS.items()]),
    "resources/list": ("resources", content.RESOURCES),
    "resources/templates/list": ("resourceTemplates", content.TEMPLATES),
}
SCHEMAS = {name: tool.schema for name, tool in TOOLS.items()}


def furnished(make: Callable[[RemoteApp], Server[Any]]) -> Callable[[RemoteApp], Server[Any]]:
    """What makes our servers, made to register the suite's fixtures too."""

    def server(app: RemoteApp) -> Server[Any]:
        made = make(app)
        for method, (kind, more) in LISTS.items():
            replace(made, method, PaginatedRequestParams, lengthened(kind, more))
        replace(made, "tools/call", CallToolRequestParams, call_tool)
        replace(made, "prompts/get", GetPromptRequestParams, get_prompt)
        replace(made, "resources/read", ReadResourceRequestParams, read_resource)
        replace(made, "completion/complete", CompleteRequestParams, complete_argument)
        replace(made, "resources/subscribe", SubscribeRequestParams, take_note)
        replace(made, "resources/unsubscribe", UnsubscribeRequestParams, take_note)
        made.add_request_handler("logging/setLevel", SetLevelRequestParams, set_level)
        ours = made.get_tool_input_schema
        made.get_tool_input_schema = lambda name: SCHEMAS.get(name) or (ours(name) if ours else None)
        return made

    return server


def replace(server: Server[Any], method: str, params: type[Any], answer: Callable[..., Any]) -> None:
    """Let `answer` have the first word on a method; None from it leaves the request to us."""
    ours = server.get_request_handler(method)

    async def handle(ctx: Any, said: Any) -> Any:
        result = await answer(ctx, said)
        if result is None and ours is not None:
            result = await ours.handler(ctx, said)
        return {} if result is None else result

    async def extend(ctx: Any, said: Any) -> Any:
        assert ours is not None
        return await answer(ctx, said, await ours.handler(ctx, said))

    server.add_request_handler(method, params, extend if method in LISTS else handle)


def lengthened(kind: str, more: list[dict[str, Any]]) -> Callable[..., Any]:
    """The suite's entries after ours, on the first page."""

    async def extend(ctx: Any, said: Any, result: dict[str, Any]) -> dict[str, Any]:
        first = said is None or not said.cursor
        return {**result, kind: [*result[kind], *more]} if first else result

    return extend


async def call_tool(ctx: Any, said: CallToolRequestParams) -> Any:
    """One of the suite's tools, or nothing."""
    tool = TOOLS.get(said.name)
    return None if tool is None else await tool.answer(ctx, said)


async def get_prompt(ctx: Any, said: GetPromptRequestParams) -> Any:
    """One of the suite's prompts, or nothing."""
    prompt = PROMPTS.get(said.name)
    return None if prompt is None else prompt.answer(said)


async def read_resource(ctx: Any, said: ReadResourceRequestParams) -> Any:
    """One of the suite's resources, or nothing."""
    found = content.contents(str(said.uri))
    if found is None:
        return None
    return {"resultType": "complete", "ttlMs": 0, "cacheScope": "private", "contents": [found]}


async def complete_argument(ctx: Any, said: CompleteRequestParams) -> Any:
    """What an argument of one of the suite's prompts may be, or nothing."""
    if getattr(said.ref, "name", "") not in PROMPTS:
        return None
    values = [city for city in ("paris", "park", "party") if city.startswith(said.argument.value)]
    return {"resultType": "complete", "completion": {"values": values, "total": len(values), "hasMore": False}}


async def take_note(ctx: Any, said: SubscribeRequestParams | UnsubscribeRequestParams) -> Any:
    """What the suite watches never changes."""
    return {} if str(said.uri).startswith("test://") else None


async def set_level(ctx: Any, said: SetLevelRequestParams) -> Any:
    """Everything is told whatever the level."""
    return {}


def plug_more(server: Server[Any], tools: set[str], *door: Any) -> None:
    """Our Tasks extension, with the suite's tools among those that make tasks."""
    plug_tasks(server, {*tools, *jobs.TASKS}, *door)


if __name__ == "__main__":
    KINDS.update({name: lambda: jobs.JOBS for name in jobs.TASKS})
    app.plug_tasks = plug_more
    RemoteApp.server = furnished(RemoteApp.server)
    lists.furnish()
    sys.exit(main())
