"""What is done to every request: an id, a line in the log, the headers that keep browsers careful, and its count."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from swarm_mcp.model.bearer import BEARER
from swarm_mcp.model.errors import Refusal
from swarm_mcp.model.request import REQUEST_ID
from swarm_mcp.repository import tracing
from swarm_mcp.web.answers import mistake, refused
from swarm_mcp.web.metrics import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from swarm_mcp.web.metrics import Traffic

_log = logging.getLogger("swarm_mcp.requests")

ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
CAREFUL = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Set where an answer says nothing of its own about it. Encryption, and the header that insists on it, are the
proxy's."""


class Requests:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and see to it that it is answered, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        with tracing.request(method, Headers(scope=scope)) as tell:
            await self._serve(scope, receive, send, tell)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, tell: Callable[[str, int], None]) -> None:
        # The blanks around a value are not part of it (RFC 9110, 5.5); httptools leaves those that follow.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if ID.fullmatch(given) else uuid.uuid4().hex
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in CAREFUL.items():
                    headers.setdefault(name, value)
            await send(message)

        token, began = REQUEST_ID.set(request_id), time.perf_counter()
        self._traffic.open += 1
        try:
            await self._app(scope, receive, noted)
        except Refusal as refusal:
            if not status:
                await refused(refusal)(scope, receive, noted)
        except Exception:
            _log.exception("%s %s failed", scope["method"], _path(scope))
            if not status:
                await mistake(500)(scope, receive, noted)
        finally:
            self._traffic.open -= 1
            seconds = time.perf_counter() - began
            label = scope.get("swarm.label", "other")
            tell(label, status)
            self._traffic.count(scope["method"], label, status, seconds)
            self._say(scope, status, seconds)
            REQUEST_ID.reset(token)

    def _say(self, scope: Scope, status: int, seconds: float) -> None:
        bearer = scope.get(BEARER)
        _log.info(
            "%s %s %s in %.1f ms%s",
            scope["method"],
            _path(scope),
            status or "unanswered",
            seconds * 1000,
            f" for {bearer.agent}" if bearer is not None else "",
        )


def _path(scope: Scope) -> str:
    """The path as it was written: decoded, it could have lines of its own, and a query may hold what is nobody's."""
    return scope.get("raw_path", b"").decode("ascii", "replace")[:200] or "/"
