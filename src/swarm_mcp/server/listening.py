"""Listening as the protocol has it: a stream that a client of the newer generation asks for, or a session's own."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcp.server.subscriptions import ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY, ResourceUpdated
from mcp_types import (
    NotificationParams,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from swarm_mcp.model.errors import Refusal
from swarm_mcp.server.refusals import error_of
from swarm_mcp.server.voices import Stream, Voice

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from contextlib import AbstractContextManager
    from typing import Protocol

    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel import Server
    from mcp_types import SubscriptionFilter

    from swarm_mcp.server.identity import Caller
    from swarm_mcp.server.listener import Watched
    from swarm_mcp.server.subscriptions import Subscriptions
    from swarm_mcp.server.voices import Say

    class Reach(Protocol):
        """Finds out who asks, and what it may listen to."""

        async def __call__(self, ctx: ServerRequestContext[Any], *, named: bool = True) -> tuple[Caller, Subscriptions]:
            """Find it out; `named`: whether it matters in whose name it is read."""
            ...


WARM_UP_SECONDS = 0.2
"""After the first list of tools the board is opened without being asked, so that the first call finds it open."""

_log = logging.getLogger(__name__)


class Connected:
    """A connection of the older generation that is told of changes for as long as it lives."""

    def __init__(
        self, caller: Caller, subscriptions: Subscriptions, say: Say, *, token: str | None = None, session: str = ""
    ) -> None:
        self._subscriptions = subscriptions
        self._voice = Voice(say)
        self._listener = subscriptions.listener(
            caller, self._voice.tell, end=self._voice.end, lists=True, token=token, session=session
        )
        self._beginning = asyncio.Lock()
        self._has_begun = False

    async def begin(self) -> None:
        """Tell it from now on.

        Raises:
            Refusal: too many listen already, or the board cannot be read.

        """
        async with self._beginning:
            if not self._has_begun:
                await self._subscriptions.begin(self._listener)
                self._has_begun = True

    def watch(self, wanted: Sequence[Watched]) -> None:
        """Tell it of these resources, too."""
        self._subscriptions.watch(self._listener, wanted)

    def leave(self, uri: str) -> None:
        """Tell it of this resource no longer."""
        self._listener.leave(uri)

    def changing(self) -> AbstractContextManager[None]:
        """Within the block what it listens to here and on the board may differ."""
        return self._listener.changing()

    def tell_of(self, uris: Collection[str]) -> None:
        """Tell it that these of its resources may have changed, since it could not be told before."""
        for uri in self._listener.uris & set(uris):
            self._voice.tell(ResourceUpdated(uri))

    def end(self) -> None:
        """Forget it."""
        self._voice.end()
        self._subscriptions.end(self._listener)


class Listening:
    """The requests by which clients listen, on the one connection of a pipe."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._streams: set[ListenHandler] = set()
        self._has_ended = False
        self._connected: dict[str, Connected] = {}
        self._soon: dict[str, asyncio.Task[None]] = {}
        """Connections that are about to be told of changes, by their ids."""

    def plug(self, server: Server[Any]) -> None:
        """Let a server answer these requests."""
        server.add_request_handler("resources/subscribe", SubscribeRequestParams, self.subscribe)
        server.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self.unsubscribe)
        server.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, self.listen)
        server.add_notification_handler("notifications/initialized", NotificationParams, self.initialized)

    def end(self) -> None:
        """End every stream in order, those that begin later too."""
        self._has_ended = True
        for handler in list(self._streams):
            handler.close()

    async def listen(
        self, ctx: ServerRequestContext[Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Serve one stream of the newer generation, until its client goes, its token expires, or all are ended.

        Raises:
            MCPError: some resource is not there or may not be read.

        """
        if self._has_ended:
            return SubscriptionsListenResult(_meta={SUBSCRIPTION_ID_META_KEY: ctx.request_id})
        caller, subscriptions = await self._reach(ctx)
        wanted, stream = honoured(params.notifications), Stream()
        uris, lists = dict.fromkeys(wanted.resource_subscriptions or ()), bool(wanted.resources_list_changed)
        handler = ListenHandler(stream)
        token, expires_at = self.credential(ctx)
        listener = subscriptions.listener(caller, stream.tell, end=handler.close, lists=lists, token=token)
        expiry = end_at(expires_at, handler)
        self._streams.add(handler)
        try:
            if uris:
                listener.watch(await subscriptions.admitted(caller, uris))
            if uris or lists:
                await subscriptions.begin(listener)
            return await handler(ctx, params.model_copy(update={"notifications": wanted}))
        except Refusal as refusal:
            raise error_of(refusal) from None
        finally:
            if expiry is not None:
                expiry.cancel()
            self._streams.discard(handler)
            subscriptions.end(listener)

    async def subscribe(self, ctx: ServerRequestContext[Any], params: SubscribeRequestParams) -> Any:
        """Tell a connection of the older generation of a resource, too.

        Raises:
            MCPError: it is not there or may not be read.

        """
        caller, subscriptions = await self._reach(ctx)
        try:
            await self.hear_of(ctx, str(params.uri), caller, subscriptions)
        except Refusal as refusal:
            raise error_of(refusal) from None
        return {}

    async def unsubscribe(self, ctx: ServerRequestContext[Any], params: UnsubscribeRequestParams) -> Any:
        """Tell it of a resource no longer."""
        caller, _ = await self._reach(ctx)
        await self.hear_no_more(ctx, str(params.uri), caller)
        return {}

    async def initialized(self, ctx: ServerRequestContext[Any], params: object) -> None:
        """Tell a connection that begins of the list of resources, soon: its first requests do not wait for that."""
        _ = params
        self._soon[self.connection_id(ctx)] = asyncio.create_task(self._connect_soon(ctx))

    def connection_id(self, ctx: ServerRequestContext[Any]) -> str:
        """The connection to which a request belongs, where there are several."""
        _ = ctx
        return ""

    def credential(self, ctx: ServerRequestContext[Any]) -> tuple[str | None, datetime | None]:
        """The token that let a client in (none, if it needs none), and when that expires."""
        _ = ctx
        return None, None

    async def hear_of(
        self, ctx: ServerRequestContext[Any], uri: str, caller: Caller, subscriptions: Subscriptions
    ) -> None:
        """Tell a connection of a resource.

        Raises:
            Refusal: the one that reading it would raise.

        """
        wanted = await subscriptions.admitted(caller, [uri])
        connected = self.connected(ctx, caller, subscriptions)
        await connected.begin()
        connected.watch(wanted)

    async def hear_no_more(self, ctx: ServerRequestContext[Any], uri: str, caller: Caller) -> None:
        """Tell a connection of a resource no longer."""
        _ = ctx
        if (connected := self._connected.get(caller.id)) is not None:
            connected.leave(uri)

    def connected(self, ctx: ServerRequestContext[Any], caller: Caller, subscriptions: Subscriptions) -> Connected:
        """The connection through which this came."""
        found = self._connected.get(caller.id)
        if found is None:
            token, _ = self.credential(ctx)
            say = ctx.session.send_notification
            found = self._connected[caller.id] = Connected(caller, subscriptions, say, token=token)
        return found

    def forget(self, connection_id: str) -> None:
        """A connection has ended, perhaps before it was told of anything: then it must not begin to listen now."""
        if (soon := self._soon.pop(connection_id, None)) is not None:
            soon.cancel()
        if (connected := self._connected.pop(connection_id, None)) is not None:
            connected.end()

    async def _connect_soon(self, ctx: ServerRequestContext[Any]) -> None:
        await asyncio.sleep(WARM_UP_SECONDS)
        try:
            caller, subscriptions = await self._reach(ctx, named=False)
            await self.connected(ctx, caller, subscriptions).begin()
        except (Refusal, MCPError) as error:
            _log.debug("a connection is not told of changes: %s", error)
        self._soon.pop(self.connection_id(ctx), None)


def honoured(wanted: SubscriptionFilter) -> SubscriptionFilter:
    """Of what a client would like to hear, what there is to be told: neither tools nor prompts ever change."""
    return wanted.model_copy(update={"tools_list_changed": None, "prompts_list_changed": None})


def end_at(instant: datetime | None, handler: ListenHandler) -> asyncio.TimerHandle | None:
    """End a stream at an instant, if there is one."""
    if instant is None:
        return None
    seconds = max(0.0, (instant - datetime.now(UTC)).total_seconds())
    return asyncio.get_running_loop().call_later(seconds, handler.close)
