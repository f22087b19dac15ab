"""The MCP server: which requests it answers, and with what."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from swarm_mcp import __version__
from swarm_mcp.model.errors import Refusal
from swarm_mcp.model.ids import fold_name
from swarm_mcp.repository import tracing
from swarm_mcp.server.capabilities import BoardServer
from swarm_mcp.server.exchange import client_name, complete
from swarm_mcp.server.instructions import INSTRUCTIONS
from swarm_mcp.server.listening import WARM_UP_SECONDS, Listening
from swarm_mcp.server.refusals import broken, guarded, refused
from swarm_mcp.server.short_way import take_short_way
from swarm_mcp.server.tasks_extension import plug_tasks
from swarm_mcp.server.threads import Threads
from swarm_mcp.server.toolbox import listed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel import Server

    from swarm_mcp.model.agent import Profile
    from swarm_mcp.server.board import Board
    from swarm_mcp.server.calls import Calls
    from swarm_mcp.server.identity import Caller
    from swarm_mcp.server.resources import Resources
    from swarm_mcp.server.subscriptions import Subscriptions
    from swarm_mcp.server.waiting import Waiting

_log = logging.getLogger(__name__)

SWEEP_SECONDS = 30
TOOLS_KEPT_SECONDS = 3600
CYCLES_LOOKED_FOR = 10_000
"""New objects after which Python looks for garbage in cycles; by itself after 700, once in every call."""


class App:
    """One profile of one board, served to one connection; remote.py serves it to many.

    Short calls run on the event loop itself: whoever is alone on a connection waits for its answer anyway, and a hop to
    a worker thread and back costs as much as half a call.
    """

    runs_short_calls_at_once = True

    def __init__(self, board: Board, profile: Profile, *, agent: str = "") -> None:
        self.board = board
        self.profile = profile
        if agent.strip():
            fold_name(agent)  # a name that nobody may have is refused before anything is served
        self._agent = agent
        self._tools = listed(profile)
        self._names = {tool["name"] for tool in self._tools}
        self._calls: Calls | None = None
        self._waiting: Waiting | None = None
        self._resources: Resources | None = None
        self._subscriptions: Subscriptions | None = None
        self.listening = self._make_listening()
        self._caller: Caller | None = None
        self._wanted = asyncio.Event()
        self._threads = Threads()
        self._background: set[asyncio.Task[None]] = set()

    def _make_listening(self) -> Listening:
        return Listening(self.reach)

    def server(self) -> BoardServer:
        """The protocol's side of it."""
        server = BoardServer(
            "swarm-mcp",
            version=__version__,
            title="swarm-mcp",
            description="One durable board for a swarm of agents.",
            instructions=INSTRUCTIONS,
            lifespan=self._lifespan,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
            on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
            on_completion=self._complete,
        )
        self.listening.plug(server)
        if not tracing.begin():
            # The SDK's tracing costs a twentieth of a call and more, even where nobody has configured an exporter.
            server.middleware.clear()
        plug_tasks(server, self._names, self._readable, lambda: self._waiting, self._threads, self._note_readers)
        take_short_way(server)
        return server

    def stop(self) -> None:
        """The connection has ended: take it off the board and let go of the database."""
        if self._calls is not None and self._caller is not None:
            self._calls.forget(self._caller)
        self.board.close()

    @asynccontextmanager
    async def _lifespan(self, _: Server[Any]) -> AsyncGenerator[dict[str, Any]]:
        upkeep = asyncio.create_task(self._keep_up())
        try:
            yield {}
        finally:
            upkeep.cancel()
            if self._subscriptions is not None:
                self._subscriptions.close()

    def _connections(self) -> list[Caller]:
        """The connections that live."""
        return [self._caller] if self._caller is not None else []

    async def _keep_up(self) -> None:
        """Open the board soon after the first request, then sweep it for as long as the connection lives."""
        await self._wanted.wait()
        await asyncio.sleep(WARM_UP_SECONDS)
        while True:
            try:
                calls = await self._opened()
                await self._threads.run(partial(calls.sweep, self._connections()))
            except Refusal as refusal:
                _log.warning("%s", refusal)
            except Exception:
                _log.exception("the board could not be opened")
            await asyncio.sleep(SWEEP_SECONDS)

    async def _opened(self) -> Calls:
        if self._calls is None:
            await self._threads.run(self._open)
        assert self._calls is not None  # noqa: S101 - _open sets it or raises
        return self._calls

    async def _readable(self, ctx: ServerRequestContext[Any]) -> tuple[Calls, Caller, Resources]:
        """The same for requests that call no tool, where a refusal is an error of the protocol."""
        self._wanted.set()
        if self._resources is None:
            await self._threads.run(partial(guarded, self._open))
        calls = await self._opened()
        assert self._resources is not None  # noqa: S101
        return calls, guarded(self._caller_of, ctx), self._resources

    def _caller_of(self, ctx: ServerRequestContext[Any]) -> Caller:
        """Whose request it is: on a pipe always the same one's. Asked once the board is open."""
        _ = ctx
        assert self._caller is not None  # noqa: S101 - _open has set it
        return self._caller

    async def _known(self, calls: Calls, caller: Caller, ctx: ServerRequestContext[Any]) -> None:
        """See that the connection has a name, without which nobody would be reading."""
        if not caller.is_known:
            await self._threads.run(partial(guarded, calls.make_known, caller, client_name(ctx)))

    def _open(self) -> None:
        """Import what takes long and open the board; on a worker thread."""
        swarm = self.board.open()
        from swarm_mcp.server.calls import Calls  # noqa: PLC0415 - the first answer must not wait for these
        from swarm_mcp.server.identity import Caller  # noqa: PLC0415
        from swarm_mcp.server.notices import Notices  # noqa: PLC0415
        from swarm_mcp.server.resources import Resources  # noqa: PLC0415
        from swarm_mcp.server.subscriptions import Subscriptions  # noqa: PLC0415
        from swarm_mcp.server.waiting import Waiting  # noqa: PLC0415

        with self.board.opening:
            if self._calls is None:
                self._caller = Caller(self._agent)
                self._resources = Resources(swarm)
                calls = Calls(swarm, self.profile)
                notices = Notices(swarm.database.changes)
                self._waiting = Waiting(calls, self._threads, notices)
                self._subscriptions = Subscriptions(swarm, notices, self._threads)
                self._calls = calls
        settle()

    async def _list_tools(self, ctx: ServerRequestContext[Any], params: object) -> Any:
        _ = ctx, params
        self._wanted.set()
        return complete({"tools": self._tools}, kept_seconds=TOOLS_KEPT_SECONDS)

    async def _call_tool(self, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams) -> Any:
        self._wanted.set()
        if params.name not in self._names:
            raise MCPError(
                code=types.INVALID_PARAMS,
                message=f"Unknown tool `{params.name[:64]}`; this profile has {', '.join(sorted(self._names))}.",
            )
        try:
            calls = await self._opened()
            caller = self._caller_of(ctx)
        except Refusal as refusal:
            return complete(refused(refusal))
        except Exception:
            _log.exception("the board could not be opened")
            return complete(broken())
        if self._waiting is not None and self._waiting.is_wanted(params.name, params.arguments):
            wait = self._waiting.call(
                params.arguments, caller, client_name(ctx), ctx.session.report_progress, partial(self._is_heard, ctx)
            )
            result = await wait
        else:
            call = (params.name, params.arguments, caller, client_name(ctx))
            result = calls.call_at_once(*call) if self.runs_short_calls_at_once else None
            if result is None:
                result = await self._threads.run(partial(calls.call, *call))
        if caller.has_silent_readers:
            self._note_readers(calls, caller)
        return complete(result)

    async def _is_heard(self, ctx: ServerRequestContext[Any]) -> bool:
        """Whether somebody still waits for the answer; a pipe that has ended takes its calls with it."""
        _ = ctx
        return True

    def _note_readers(self, calls: Calls, caller: Caller) -> None:
        """A reader's heartbeat, off the reading path."""
        task = asyncio.ensure_future(self._threads.run(partial(calls.note_readers, caller)))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _list_resources(self, ctx: ServerRequestContext[Any], params: types.PaginatedRequestParams | None) -> Any:
        calls, caller, resources = await self._readable(ctx)
        await self._known(calls, caller, ctx)
        cursor = (params.cursor if params is not None else None) or ""
        return complete(await self._threads.run(partial(guarded, resources.page, cursor, caller)), kept_seconds=0)

    async def _list_templates(self, ctx: ServerRequestContext[Any], params: object) -> Any:
        _ = params
        _, _, resources = await self._readable(ctx)
        return complete({"resourceTemplates": resources.templates()}, kept_seconds=TOOLS_KEPT_SECONDS)

    async def _read_resource(self, ctx: ServerRequestContext[Any], params: types.ReadResourceRequestParams) -> Any:
        calls, caller, resources = await self._readable(ctx)
        await self._known(calls, caller, ctx)
        found = await self._threads.run(partial(guarded, resources.read, str(params.uri), caller))
        caller.has_read(caller.name)
        if caller.has_silent_readers:
            self._note_readers(calls, caller)
        return complete(found, kept_seconds=0)

    async def reach(self, ctx: ServerRequestContext[Any], *, named: bool = True) -> tuple[Caller, Subscriptions]:
        """Who asks, and who listens here; `named`: whether it matters in whose name it is read."""
        calls, caller, _ = await self._readable(ctx)
        if named:
            await self._known(calls, caller, ctx)
        return caller, self._subscriptions  # type: ignore[return-value] - _open has set it

    async def _list_prompts(self, ctx: ServerRequestContext[Any], params: object) -> Any:
        _ = ctx, params
        from swarm_mcp.server import prompts  # noqa: PLC0415 - the list of tools does not wait for them

        listed = [each.listed() for each in prompts.offered(self.profile)]
        return complete({"prompts": listed}, kept_seconds=TOOLS_KEPT_SECONDS)

    async def _get_prompt(self, ctx: ServerRequestContext[Any], params: types.GetPromptRequestParams) -> Any:
        _ = ctx
        from swarm_mcp.server import prompts  # noqa: PLC0415

        prompt = guarded(prompts.find_prompt, params.name, self.profile)
        return complete(guarded(prompts.rendered, prompt, params.arguments))

    async def _complete(self, ctx: ServerRequestContext[Any], params: types.CompleteRequestParams) -> Any:
        calls, caller, resources = await self._readable(ctx)
        await self._known(calls, caller, ctx)
        from swarm_mcp.server import completions  # noqa: PLC0415

        wanted = partial(completions.complete, params=params, profile=self.profile)
        found = await self._threads.run(partial(guarded, resources.ask, wanted, caller))
        return complete({"completion": found})


def settle() -> None:
    """Tell Python that what is imported stays, and to look for cycles less often: a call makes thousands of objects."""
    gc.freeze()
    gc.set_threshold(CYCLES_LOOKED_FOR)
