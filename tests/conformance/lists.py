"""Lists of tools and prompts that change, as ours never do: the suite changes them and wants to be told."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from content import Tool, said, text
from mcp.shared.subscriptions import PromptsListChanged, ToolsListChanged
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from swarm_mcp.server import listening
from swarm_mcp.server.capabilities import BoardServer

if TYPE_CHECKING:
    from mcp.shared.subscriptions import ServerEvent
    from mcp_types import ServerCapabilities

STREAMS: weakref.WeakSet[listening.Stream] = weakref.WeakSet()


def telling(event: ServerEvent) -> Tool:
    """A tool that tells every stream of an event; who hears of it, the streams decide."""

    async def answer(ctx: Any, call: Any) -> dict[str, Any]:
        for stream in list(STREAMS):
            stream.tell(event)
        return said(text("Changed."))

    return Tool(answer)


TOOLS = {
    "test_trigger_tool_change": telling(ToolsListChanged()),
    "test_trigger_prompt_change": telling(PromptsListChanged()),
}


class Stream(listening.Stream):
    """One of our streams, which the suite's tools find."""

    def __init__(self) -> None:
        super().__init__()
        STREAMS.add(self)


def capabilities(self: BoardServer, *said: Any, **more: Any) -> ServerCapabilities:
    """What our server says that it can do, and that these lists change."""
    found = ours(self, *said, **more)
    if more.get("protocol_version") in MODERN_PROTOCOL_VERSIONS and found.tools and found.prompts:
        found.tools.list_changed = found.prompts.list_changed = True
    return found


ours = BoardServer.get_capabilities


def furnish() -> None:
    """Let our servers have such lists."""
    BoardServer.get_capabilities = capabilities
    listening.Stream = Stream
    listening.honoured = lambda wanted: wanted
