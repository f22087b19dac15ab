"""The entrance: who is let in, and how those are told who are not."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from swarm_mcp.model.bearer import BEARER, Bearer, TokenScope
from swarm_mcp.model.errors import Refusal
from swarm_mcp.operations import tokens
from swarm_mcp.web.answers import answer, refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.web.oauth import Issuer

    Run = Callable[[Callable[[], Any]], Awaitable[Any]]

_log = logging.getLogger(__name__)

DEMANDED = "swarm.demanded"
"""Where a request's scope says whether a token has to be shown."""
WRONG = "swarm.wrong"
"""Where it says that what was shown opens nothing."""
METADATA = "/.well-known/oauth-protected-resource"
ASKED_AGAIN_SECONDS = 1.0
"""So soon after the first token was made it is demanded."""


class Entrance:
    """Finds out who calls. Whether that is enough, the doors decide."""

    def __init__(
        self, app: ASGIApp, swarm: Swarm, run: Run, *, always: bool, issuer: Issuer | None, clock: Any = time.monotonic
    ) -> None:
        self._app = app
        self._swarm = swarm
        self._run = run
        self._always = always
        self._issuer = issuer
        self._clock = clock
        self._asked = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, with what is known of its caller in its scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Several lines are one with commas in it, which no token has: none is picked that somebody else overlooked.
        kind, _, text = ", ".join(Headers(scope=scope).getlist("authorization")).partition(" ")
        shown = text.strip() if kind.lower() == "bearer" else ""
        try:
            bearer = await self._bearer(shown) if shown else None
            scope[DEMANDED] = await self._is_demanded()
        except Refusal as refusal:  # the board cannot be read: its health can still be asked for
            _log.warning("%s", refusal)
            scope[DEMANDED], bearer = refusal, None
        scope[WRONG] = bool(kind) and bearer is None
        if bearer is not None:
            scope[BEARER] = bearer
        await self._app(scope, receive, send)

    async def _bearer(self, shown: str) -> Bearer | None:
        if self._issuer is not None and shown.count(".") == 2:  # noqa: PLR2004 - the parts of a JWT
            return await self._run(partial(self._issuer.bearer, shown))
        bearer, is_to_note = await self._run(partial(self._swarm.read, partial(tokens.bearer_of, text=shown)))
        if bearer is not None and is_to_note:
            await self._note(bearer)
        return bearer

    async def _note(self, bearer: Bearer) -> None:
        """Write down that a token is in use; once a minute at most, and never a reason to refuse."""
        try:
            note = partial(self._swarm.write, partial(tokens.note_use, token_id=bearer.id), patience=0)
            await self._run(note)
        except Refusal as refusal:
            _log.debug("the use of a token was not noted: %s", refusal)

    async def _is_demanded(self) -> bool:
        """Whether a token has to be shown; once there was one, for ever."""
        if not self._always and self._clock() - self._asked >= ASKED_AGAIN_SECONDS:
            self._always = await self._run(partial(self._swarm.read, tokens.are_demanded))
            self._asked = self._clock()
        return self._always


class Door:
    """Lets those in who may use what is behind it."""

    def __init__(
        self, app: ASGIApp, needed: frozenset[TokenScope], label: str, *, metadata: Callable[[Scope], str]
    ) -> None:
        self._app = app
        self._needed = needed
        self.label = label
        """The address as metrics call it."""
        self._metadata = metadata

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or refuse: 401 for nobody, 403 for whoever may do other things only."""
        scope["swarm.label"] = self.label
        bearer: Bearer | None = scope.get(BEARER)
        demanded = scope.get(DEMANDED)
        if isinstance(demanded, Refusal):
            await refused(demanded)(scope, receive, send)
        elif bearer is None and (demanded or scope.get(WRONG)):
            await self._unknown(scope)(scope, receive, send)
        elif bearer is not None and not bearer.may(self._needed):
            await self._not_enough(scope)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _unknown(self, scope: Scope) -> Response:
        """The same for every token that opens nothing, whatever the reason."""
        error = ', error="invalid_token", error_description="This token opens nothing here."' if scope[WRONG] else ""
        where = self._metadata(scope)
        challenge = f'Bearer realm="swarm-mcp"{error}' + (f', resource_metadata="{where}"' if where else "")
        facts = {
            "code": "not_allowed",
            "message": "This server wants a valid token: Authorization: Bearer …",
            "retryable": False,
        }
        return answer(facts, 401, {"WWW-Authenticate": challenge})

    def _not_enough(self, scope: Scope) -> Response:
        least = min(self._needed, key=list(TokenScope).index)
        where = self._metadata(scope)
        challenge = f'Bearer realm="swarm-mcp", error="insufficient_scope", scope="{least}"'
        challenge += f', resource_metadata="{where}"' if where else ""
        facts = {
            "code": "not_allowed",
            "message": f"This address wants the scope {least}; a worker's tools are at /mcp/worker and /sse/worker.",
            "retryable": False,
        }
        return answer(facts, 403, {"WWW-Authenticate": challenge})
