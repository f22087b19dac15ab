"""What every exchange with a client needs: who it is, and what goes around a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext


def complete(result: dict[str, Any], *, kept_seconds: int | None = None) -> dict[str, Any]:
    """A result with what the newer protocol wants around it; the older one is given none of it.

    Args:
        result: the result itself.
        kept_seconds: for how long a client may keep it, of results that can be kept at all.

    """
    cached = {} if kept_seconds is None else {"ttlMs": kept_seconds * 1000, "cacheScope": "private"}
    return {"resultType": "complete", **cached, **result}


def client_name(ctx: ServerRequestContext[Any]) -> str:
    """What the client calls itself."""
    params = ctx.session.client_params
    info = params.client_info if params is not None else None
    return info.name if info is not None else ""
