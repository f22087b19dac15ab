"""Refusals on the wire: what is true, what to call next, and the facts for programs; never how it looks inside."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar

import mcp_types as types
from mcp.shared.exceptions import MCPError

from swarm_mcp.model.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_log = logging.getLogger(__name__)

BROKEN = (
    "Something is wrong inside the board and nothing was written. The server's log says what; calling again may help."
)
OF_THE_REQUEST = frozenset({"not_found", "ambiguous", "invalid", "not_allowed"})
"""Codes that say that the request was wrong, not the server."""


def refused(refusal: Refusal) -> dict[str, Any]:
    """A refusal as a tool's result."""
    facts = {"code": refusal.code, "retryable": refusal.retryable, "message": refusal.message, **refusal.facts}
    return {"content": [{"type": "text", "text": refusal.message}], "structuredContent": facts, "isError": True}


def broken() -> dict[str, Any]:
    """What a caller of a tool hears of a mistake of ours."""
    facts = {"code": "unavailable", "retryable": False, "message": BROKEN}
    return {"content": [{"type": "text", "text": BROKEN}], "structuredContent": facts, "isError": True}


def error_of(refusal: Refusal) -> MCPError:
    """A refusal as an error of the protocol."""
    code = types.INVALID_PARAMS if refusal.code in OF_THE_REQUEST else types.INTERNAL_ERROR
    return MCPError(code=code, message=refusal.message, data=refusal.facts or None)


def guarded(function: Callable[..., T], *arguments: object) -> T:
    """The result of a function of ours, where no tool was called.

    Raises:
        MCPError: it refused, or is broken.

    """
    try:
        return function(*arguments)
    except Refusal as refusal:
        raise error_of(refusal) from None
    except Exception:
        _log.exception("%s failed", function.__qualname__)
        raise MCPError(code=types.INTERNAL_ERROR, message=BROKEN) from None
