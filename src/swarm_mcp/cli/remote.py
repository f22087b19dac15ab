"""Serving a board over HTTP: where it listens, who is let in, and how it ends."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from sse_starlette.sse import AppStatus

from swarm_mcp.cli.logs import set_up_logs
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.bearer import NEEDED
from swarm_mcp.model.errors import NotAllowed, Unavailable
from swarm_mcp.operations import tokens
from swarm_mcp.server.board import Board
from swarm_mcp.server.remote import Remote
from swarm_mcp.web.oauth import Issuer, Trust, checked
from swarm_mcp.web.site import Address, Admission, Site
from swarm_mcp.web.walls import LIMIT, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import FrameType

    from swarm_mcp.config import Settings
    from swarm_mcp.operations.swarm import Swarm

_log = logging.getLogger(__name__)

GRACE_SECONDS = 5
"""How long calls in flight may go on after the server was asked to stop."""
FORCE_SECONDS = 9.0
"""When a server that does not end by itself is ended all the same."""
KEEP_ALIVE_SECONDS = 75
"""A proxy keeps its connections for a minute; whoever closes first must not be us."""
BACKLOG = 512
NEAR = frozenset({"127.0.0.1", "localhost", "::1"})
ANYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - what it is compared with
MCP = {
    "/mcp": Profile.DIRECTOR, "/mcp/director": Profile.DIRECTOR, "/mcp/worker": Profile.WORKER,
    "/mcp/observer": Profile.OBSERVER,
}  # fmt: skip
SSE = {"/sse": Profile.DIRECTOR, "/sse/worker": Profile.WORKER, "/sse/observer": Profile.OBSERVER}


def serve_board_over_http(settings: Settings) -> None:
    """Serve until a signal asks for the end.

    Raises:
        Refusal: the address is taken, nobody could come in, or the board cannot be opened.

    """
    set_up_logs(settings)
    if settings.log_level == "info":
        logging.getLogger("mcp").setLevel(logging.WARNING)  # it writes down the ids of sessions
    issuer = issuer_of(settings)
    board = Board(settings.database, settings.project)
    swarm = board.open()
    swarm.read(lambda db: db.project)  # that there is this project
    is_near = is_loopback(settings.host)
    if not is_near and issuer is None and not swarm.read(tokens.is_anybody_let_in):
        raise NotAllowed(
            f"{settings.host} can be reached by others, and nobody could be let in. Make a token first "
            "(swarm-mcp token create AGENT), or set SWARM_OAUTH_ISSUER and SWARM_OAUTH_AUDIENCE."
        )
    with listening(settings.host, settings.port) as listener:
        say_where(settings, listener, swarm, demanded=not is_near or issuer is not None)
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(serve(settings, board, swarm, listener, issuer))
        finally:
            board.close()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop: the quicker one, where there is one for the platform."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    return uvloop.new_event_loop


async def serve(settings: Settings, board: Board, swarm: Swarm, listener: socket.socket, issuer: Issuer | None) -> None:
    """Serve on a socket that listens already."""
    names = names_of(settings, issuer)
    origins = [each.strip() for each in settings.allowed_origins.split(",") if each.strip()]
    remote = Remote(board, security=security(names, origins), limit=LIMIT, agent=settings.agent)
    always = issuer is not None or not is_loopback(settings.host)
    admission = Admission(names, origins, always, issuer)
    listeners = remote.subscriptions(swarm).__len__
    opened = list(addresses(remote, settings.transport))
    site = Site(swarm, remote.threads.run, admission, opened, listeners=listeners)
    # Our own end of streams comes after the calls in flight; this library's would come before them.
    AppStatus.disable_automatic_graceful_drain()
    config = uvicorn.Config(
        site.app(remote.running),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        forwarded_allow_ips="",
        proxy_headers=False,
    )
    await Listening(config, remote).serve(sockets=[listener])


class Listening(uvicorn.Server):
    """The HTTP server, which ends in order and with exit code 0 when a signal asks for it."""

    def __init__(self, config: uvicorn.Config, remote: Remote) -> None:
        super().__init__(config)
        self._remote = remote

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more, let what is in flight finish, end what would stay open; and see that the end comes."""
        guard = threading.Timer(FORCE_SECONDS, os._exit, (1,))
        guard.daemon = True
        guard.start()
        ending = asyncio.create_task(self._remote.end())
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """The signals that ask for the end; the second of a kind is obeyed at once."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; the second time, end."""
        _ = frame
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True


def issuer_of(settings: Settings) -> Issuer | None:
    """Whose tokens are taken besides our own; None if nobody's."""
    if not settings.oauth_issuer and not settings.oauth_audience:
        return None
    jwks = settings.oauth_jwks or f"{settings.oauth_issuer.rstrip('/')}/.well-known/jwks.json"
    trust = Trust(settings.oauth_issuer, settings.oauth_audience, jwks, settings.oauth_claim)
    return Issuer(checked(trust))


def addresses(remote: Remote, transport: str) -> Iterator[Address]:
    """What speaks the protocol, and which tokens open it."""
    if transport in {"http", "all"}:
        for path, profile in MCP.items():
            words = f"MCP (Streamable HTTP), the {profile}'s tools"
            yield Address(path, remote.streamable(profile), NEEDED[profile], words)
    if transport in {"sse", "all"}:
        posts: set[Profile] = set()
        for path, profile in SSE.items():
            stream, post = remote.events(profile)
            yield Address(path, stream, NEEDED[profile], f"MCP (HTTP+SSE, deprecated), the {profile}'s tools")
            if profile not in posts:
                posts.add(profile)
                yield Address(f"/messages/{profile}", post, NEEDED[profile], f"messages for the streams of a {profile}")


def names_of(settings: Settings, issuer: Issuer | None) -> set[str]:
    """The names by which the server may be called."""
    named = {name_of(each.strip()) for each in settings.allowed_hosts.split(",") if each.strip()}
    if settings.host not in ANYWHERE:
        named.add(settings.host.lower())
    if is_loopback(settings.host) or settings.host in ANYWHERE:
        named |= NEAR
    if settings.host in ANYWHERE:
        named.add(socket.gethostname().lower())
    if issuer is not None and "://" in issuer.trust.audience:
        named.add(name_of(issuer.trust.audience.split("://", 1)[1].split("/", 1)[0]))
    return named - {""}


def security(names: set[str], origins: list[str]) -> TransportSecuritySettings:
    """The same for the SDK, which looks once more."""
    hosts = [f"[{name}]" if ":" in name else name for name in sorted(names)]
    pages = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[*hosts, *(f"{host}:*" for host in hosts)],
        allowed_origins=[*origins, *pages, *(f"{page}:*" for page in pages)],
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def listening(host: str, port: int) -> Generator[socket.socket]:
    """Take an address.

    Raises:
        Unavailable: it is taken already, or not ours.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: the event loop lets only such sockets send at once, and 40 ms are lost otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            raise Unavailable(
                f"Nothing can listen on {host} port {port}: {(error.strerror or 'it is not to be had').lower()}. "
                "Choose another with --port, or 0 for any that is free."
            ) from None
        yield listener
    finally:
        listener.close()


def say_where(settings: Settings, listener: socket.socket, swarm: Swarm, *, demanded: bool) -> None:
    """Tell whoever started it where it is, and who is let in."""
    host, port = listener.getsockname()[:2]
    where = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    paths = {"http": "/mcp", "sse": "/sse", "all": "/mcp and /sse"}[settings.transport]
    if demanded or swarm.read(tokens.are_demanded):
        words = "Callers have to show a token."
    else:
        words = (
            "Without a token: whoever is on this machine is let in and taken at its word, until the first "
            "`swarm-mcp token create`."
        )
    sys.stderr.write(f"swarm-mcp serves {swarm.project} on {where}{paths}. {words}\n")
    sys.stderr.flush()
