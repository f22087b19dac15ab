"""What plain HTTP answers: JSON, and of a mistake nothing but that there was one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swarm_mcp.model.errors import Refusal

STATUSES = {
    "not_found": 404, "ambiguous": 409, "invalid": 400, "not_allowed": 403, "busy": 503, "unavailable": 503,
}  # fmt: skip
"""HTTP's word for a refusal; whatever the board's state forbids is a conflict with it."""
CONFLICT = 409
BROKEN = "Something is wrong inside the board. The server's log says what, under this request's id."
NOWHERE = "There is nothing at this address. /api/status names the ones that there are."
WORDS = {
    400: "The request cannot be understood.",
    404: NOWHERE,
    405: "This address does not take that method.",
    408: "The request took too long to arrive.",
    413: "The request is larger than this server takes.",
    421: "This server is not known by that name. SWARM_ALLOWED_HOSTS names those that it answers to.",
    500: BROKEN,
}
CODES = {400: "invalid", 404: "not_found", 405: "invalid", 408: "invalid", 413: "limit", 421: "not_allowed"}


def answer(facts: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Facts as JSON."""
    body = json.dumps(facts, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(body, status, headers=dict(headers or {}), media_type="application/json")


def mistake(status: int, message: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """What is answered where no operation could be asked."""
    facts = {"code": CODES.get(status, "unavailable"), "message": message or WORDS[status], "retryable": False}
    return answer(facts, status, headers)


def refused(refusal: Refusal) -> Response:
    """A refusal of the board's, with the facts that a tool's caller gets."""
    status = STATUSES.get(refusal.code, CONFLICT)
    facts = {"code": refusal.code, "message": refusal.message, "retryable": refusal.retryable, **refusal.facts}
    return answer(facts, status, {"Retry-After": "1"} if refusal.retryable else None)
