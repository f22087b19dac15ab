"""Which of the two protocol generations a client over stdin speaks, and the library's loop for it.

The library's `Server.run` reads the first request to learn that, and then passes every later message on through one
more task and one more stream: 5 % of a whole call. Our stream can be looked into instead, so that the library's loop
for that generation reads from it directly. Its two loops are not public: where they are missing, and where something
other than a request comes first, `Server.run` serves as it always does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from mcp.server import runner
from mcp.shared.message import SessionMessage
from mcp_types import PROTOCOL_VERSION_META_KEY, JSONRPCRequest

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from swarm_mcp.server.streams import Incoming, Outgoing

newer: Any = getattr(runner, "_serve_modern_stream", None)
older: Any = getattr(runner, "_serve_legacy_stream", None)


async def serve_streams(server: Server[Any], incoming: Incoming, outgoing: Outgoing) -> None:
    """Serve one connection until its end, in the generation that its first request belongs to."""
    first = await incoming.peek()
    options = server.create_initialization_options()
    if newer is None or older is None or not _is_request(first):
        await server.run(incoming, outgoing, options)
        return
    async with server.lifespan(server) as state:
        try:
            if _is_of_the_newer(first.message):
                await newer(server, incoming, outgoing, lifespan_state=state, raise_exceptions=False)
            else:
                said = {"session_id": None, "init_options": options, "raise_exceptions": False}
                await older(server, incoming, outgoing, lifespan_state=state, **said)
        finally:
            await outgoing.aclose()


def _is_request(first: object) -> TypeGuard[SessionMessage]:
    return isinstance(first, SessionMessage) and isinstance(first.message, JSONRPCRequest)


def _is_of_the_newer(request: Any) -> bool:
    """Whether a request comes in the envelope that only the newer generation has; `initialize` never does."""
    meta = (request.params or {}).get("_meta")
    return request.method != "initialize" and isinstance(meta, dict) and PROTOCOL_VERSION_META_KEY in meta
