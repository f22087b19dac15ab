"""Tool calls by a shorter way than the library's, where both would come to the same.

For every call the library checks the request against the protocol's schema twice and the answer once, and copies the
answer while it does so: for a list of twenty tasks as much work as the list itself. Our answers always have one
shape, made in one place, and requests of the plainest shape need one check. So these go straight to the handler; a
middleware that answers by itself "owns its result, envelope included", says the library, and this is that envelope.
Whatever is out of the ordinary goes the library's way. `tests/test_short_way.py` compares the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp_types import SERVER_INFO_META_KEY
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel import Server

    CallNext = Callable[[ServerRequestContext[Any]], Awaitable[Any]]

METHOD = "tools/call"
PLAIN = frozenset({"name", "arguments", "_meta"})
STRUCTURED = frozenset({"2025-06-18", "2025-11-25"})
"""The versions with a handshake whose answers have a structure; older ones are for the library to cut."""
OF_THE_NEWER = ("resultType", "ttlMs", "cacheScope")


def take_short_way(server: Server[Any]) -> None:
    """Let plain tool calls go straight to the handler that is registered when they come."""
    stamps: dict[str, Any] = {}

    async def straight(ctx: ServerRequestContext[Any], call_next: CallNext) -> Any:
        if not _is_plain(ctx):
            return await call_next(ctx)
        entry = server.get_request_handler(METHOD)
        assert entry is not None  # noqa: S101 - every server of ours has tools
        params = types.CallToolRequestParams.model_validate(ctx.params, by_name=False)
        result: Any = await entry.handler(ctx, params)
        if not stamps:  # the library copies it for everybody who might change it; here nobody does
            stamps[SERVER_INFO_META_KEY] = server.server_info_stamp
        return _enveloped(ctx.protocol_version, result, stamps)

    server.middleware.append(straight)


def _is_plain(ctx: ServerRequestContext[Any]) -> bool:
    """Whether a request is a tool call in which nothing could be wrong but its arguments, on a connection in use."""
    if ctx.method != METHOD or not isinstance(ctx.params, dict) or not PLAIN.issuperset(ctx.params):
        return False
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS and (
        ctx.protocol_version not in STRUCTURED or ctx.session.client_params is None
    ):
        return False
    return isinstance(ctx.params.get("name"), str) and isinstance(ctx.params.get("arguments", {}), dict)


def _enveloped(version: str, result: dict[str, Any], stamps: dict[str, Any]) -> dict[str, Any]:
    """An answer as the library sends it: who answers, for the newer protocol; nothing of that for the older one."""
    if version in MODERN_PROTOCOL_VERSIONS:
        return {**result, "_meta": dict(stamps)}
    return {name: value for name, value in result.items() if name not in OF_THE_NEWER}
