"""The site: every address of the server, with who may use it, behind its walls."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Route, request_response

from swarm_mcp import __version__
from swarm_mcp.model.bearer import ABOVE_WORKER, EVERY_SCOPE
from swarm_mcp.web.answers import answer, mistake
from swarm_mcp.web.entrance import METADATA, Door, Entrance
from swarm_mcp.web.health import Health
from swarm_mcp.web.metrics import Traffic
from swarm_mcp.web.requests import Requests
from swarm_mcp.web.tasks import Tasks
from swarm_mcp.web.walls import Walls

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Sequence
    from contextlib import AbstractAsyncContextManager

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from swarm_mcp.model.bearer import TokenScope
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.web.entrance import Run
    from swarm_mcp.web.oauth import Issuer

API_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Address:
    """An address that speaks something else than this package."""

    path: str
    serve: ASGIApp
    needed: frozenset[TokenScope]
    words: str


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is let in."""

    names: Collection[str]
    """What the server is called in `Host` headers, without ports."""
    origins: Collection[str]
    """Whose pages may call it besides its own."""
    always: bool
    """Whether a token is demanded even while there is none."""
    issuer: Issuer | None = None


class Site:
    """The addresses of one server."""

    def __init__(
        self,
        swarm: Swarm,
        run: Run,
        admission: Admission,
        addresses: Sequence[Address],
        *,
        listeners: Callable[[], int] = int,
    ) -> None:
        self._admission = admission
        self._traffic = Traffic(listeners)
        self._listed: dict[str, str] = {}
        health, tasks = Health(swarm, run, self._traffic), Tasks(swarm, run)
        self._routes = [
            self._open("/", self._status, "this list"),
            self._open("/api/status", self._status, "this list"),
            self._open("/health", health.health, "whether calls can be served: 200 or 503"),
            self._closed("/health/detailed", health.detailed, "GET", EVERY_SCOPE, "health, with what it depends on"),
            self._closed("/metrics", health.metrics, "GET", EVERY_SCOPE, "figures for Prometheus"),
            self._closed("/api/tasks", tasks.create, "POST", ABOVE_WORKER, "create a task"),
            self._closed("/api/tasks/{task_id}", tasks.show, "GET", EVERY_SCOPE, "a task's brief"),
        ]
        if admission.issuer is not None:
            where = METADATA + urlsplit(admission.issuer.trust.audience).path.rstrip("/")
            for path in dict.fromkeys((METADATA, where)):
                self._routes.append(self._open(path, self._describe, "whose tokens are taken"))
        for each in addresses:
            self._listed[each.path] = each.words
            self._routes.append(Route(each.path, self._door(each.serve, each.needed, each.path)))
        self._swarm, self._run = swarm, run

    def app(self, running: Callable[[], AbstractAsyncContextManager[None]]) -> ASGIApp:
        """The whole, as a server of ASGI takes it; `running` spans its life."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncGenerator[None]:
            async with running():
                yield

        inner = Starlette(routes=self._routes, lifespan=lifespan, exception_handlers={HTTPException: _http_mistake})
        inner.router.redirect_slashes = False
        admission = self._admission
        entrance = Entrance(inner, self._swarm, self._run, always=admission.always, issuer=admission.issuer)
        return Requests(Walls(entrance, admission.names, admission.origins), self._traffic)

    def _open(self, path: str, ask: Any, words: str) -> Route:
        """An address for everybody."""
        self._listed[path] = words
        return Route(path, _Labelled(request_response(ask), path), methods=["GET", "HEAD"])

    def _closed(self, path: str, ask: Any, method: str, needed: frozenset[TokenScope], words: str) -> Route:
        """An address behind a door."""
        self._listed[f"{method} {path}"] = words
        return Route(path, self._door(request_response(ask), needed, path), methods=[method])

    def _door(self, app: ASGIApp, needed: frozenset[TokenScope], path: str) -> Door:
        return Door(app, needed, path, metadata=self._metadata)

    def _metadata(self, scope: Scope) -> str:
        """Where an OAuth client reads whom to ask for a token; empty if nobody can be asked."""
        if self._admission.issuer is None:
            return ""
        told = urlsplit(self._admission.issuer.trust.audience)
        if told.scheme in {"http", "https"}:
            return f"{told.scheme}://{told.netloc}{METADATA}{told.path.rstrip('/')}"
        return f"{scope.get('scheme', 'http')}://{Headers(scope=scope).get('host', '')}{METADATA}"

    async def _status(self, request: Request) -> Response:
        _ = request
        facts = {"api_version": API_VERSION, "name": "swarm-mcp", "version": __version__, "status": "running"}
        return answer({**facts, "endpoints": self._listed})

    async def _describe(self, request: Request) -> Response:
        """Metadata of a protected resource (RFC 9728)."""
        _ = request
        assert self._admission.issuer is not None  # noqa: S101 - there is no such address otherwise
        trust = self._admission.issuer.trust
        return answer(
            {
                "resource": trust.audience,
                "authorization_servers": [trust.issuer],
                "scopes_supported": [each.value for each in sorted(EVERY_SCOPE)],
                "bearer_methods_supported": ["header"],
            }
        )


class _Labelled:
    """An endpoint that metrics know by its address."""

    def __init__(self, app: ASGIApp, label: str) -> None:
        self._app = app
        self._label = label

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["swarm.label"] = self._label
        await self._app(scope, receive, send)


async def _http_mistake(request: Request, error: Exception) -> Response:
    _ = request
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these
    status = error.status_code if error.status_code in {404, 405} else 400
    return mistake(status, headers=error.headers)
