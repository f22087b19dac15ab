"""What the extension adds to a server: three methods, and another answer to some calls."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from swarm_mcp.model.errors import NotAllowed, NotFound
from swarm_mcp.server.exchange import client_name
from swarm_mcp.server.refusals import guarded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel import Server

    from swarm_mcp.server.calls import Calls
    from swarm_mcp.server.identity import Caller
    from swarm_mcp.server.resources import Resources
    from swarm_mcp.server.tasks_extension.visit import Kind, Visit
    from swarm_mcp.server.threads import Threads
    from swarm_mcp.server.waiting import Waiting

    Handler = Callable[[ServerRequestContext[Any], Any], Awaitable[Any]]

IDENTIFIER = "io.modelcontextprotocol/tasks"
NEEDED = {"requiredCapabilities": {"extensions": {IDENTIFIER: {}}}}
UNKNOWN = "There is no such task handle here: it was never given out, is not yours, or is not kept any more."
"""The same whatever the reason."""


class Door(NamedTuple):
    """How the extension gets at the board."""

    tools: Collection[str]
    """The tools that the address has; it serves their handles alone."""
    readable: Callable[[ServerRequestContext[Any]], Awaitable[tuple[Calls, Caller, Resources]]]
    waiting: Callable[[], Waiting | None]
    threads: Threads
    note_readers: Callable[[Calls, Caller], None]


class HandleParams(types.RequestParams):
    """Which handle a request is about."""

    task_id: str


class UpdateParams(HandleParams):
    """The same, with what the client was asked for."""

    input_responses: dict[str, Any]


def _delegations() -> Kind:
    from swarm_mcp.server.tasks_extension.delegations import Delegations  # noqa: PLC0415 - as the board, on first use

    return Delegations()


def _inboxes() -> Kind:
    from swarm_mcp.server.tasks_extension.inboxes import Inboxes  # noqa: PLC0415

    return Inboxes()


KINDS: dict[str, Callable[[], Kind]] = {"delegate": _delegations, "check_inbox": _inboxes}
"""What makes handles, by the tool."""


def plug_tasks(
    server: Server[Any],
    tools: Collection[str],
    readable: Callable[[ServerRequestContext[Any]], Awaitable[tuple[Calls, Caller, Resources]]],
    waiting: Callable[[], Waiting | None],
    threads: Threads,
    note_readers: Callable[[Calls, Caller], None],
) -> None:
    """Add the extension to a server, if it has tools that make handles.

    Args:
        server: the server, with its tools.
        tools: their names; the handles of others are not served.
        readable: opens the board, and says who calls.
        waiting: the calls that wait, once the board is open.
        threads: for whatever blocks.
        note_readers: tells the board who has read.

    """
    if KINDS.keys() & tools:
        extension = Extension(Door(tools, readable, waiting, threads, note_readers))
        server.extensions[IDENTIFIER] = {}
        for method, handle in extension.methods().items():
            server.add_request_handler(method, types.RequestParams, handle)
        for method, handle in extension.around().items():
            if (ours := server.get_request_handler(method)) is not None:
                server.add_request_handler(method, ours.params_type, partial(handle, ours.handler))


def declares(ctx: ServerRequestContext[Any]) -> bool:
    """Whether this request says that its client knows the extension; what it said before counts for nothing."""
    able = ctx.session.client_capabilities
    is_modern = ctx.protocol_version in MODERN_PROTOCOL_VERSIONS
    return is_modern and able is not None and IDENTIFIER in (able.extensions or {})


def require_declared(ctx: ServerRequestContext[Any]) -> None:
    """Refuse whoever has not declared the extension.

    Raises:
        MCPError: it has not; with a session of the older generation, which cannot, there is no such method.

    """
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        raise MCPError(code=types.METHOD_NOT_FOUND, message="Method not found", data=ctx.method)
    if not declares(ctx):
        raise MCPError(
            code=types.MISSING_REQUIRED_CLIENT_CAPABILITY,
            message=f"This needs a client that declares {IDENTIFIER} with the request.",
            data=NEEDED,
        )


class Extension:
    """The extension on one server."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._kinds: dict[str, Kind] = {}

    def methods(self) -> dict[str, Handler]:
        """What it serves itself."""
        return {"tasks/get": self.get, "tasks/update": self.update, "tasks/cancel": self.cancel}

    def around(self) -> dict[str, Callable[..., Awaitable[Any]]]:
        """What it has the first word on; the server's own handler comes first among the arguments."""
        return {"tools/call": self.call_tool, "subscriptions/listen": self.listen}

    async def call_tool(
        self, ours: Handler, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> Any:
        """Answer a call with a handle where that is wanted; else as if there were no extension."""
        kind = self._kind(params.name) if declares(ctx) else None
        if kind is None or not kind.wants(params):
            return await ours(ctx, params)
        try:
            visit = await self._visit(ctx)
        except MCPError:  # a tool says itself that the board cannot be opened
            return await ours(ctx, params)
        answer = await self._door.threads.run(partial(kind.call, params, visit))
        self._note(visit)
        return {"resultType": "complete", **answer}

    async def listen(self, ours: Handler, ctx: ServerRequestContext[Any], params: object) -> Any:
        """Refuse to tell a client of handles that does not know what they are."""
        wanted = (ctx.params or {}).get("notifications")
        if isinstance(wanted, dict) and wanted.get("taskIds"):
            require_declared(ctx)
        return await ours(ctx, params)

    async def get(self, ctx: ServerRequestContext[Any], params: object) -> Any:
        """How it stands."""
        _ = params
        kind, visit, handle = await self._found(ctx, HandleParams)
        stands = await self._door.threads.run(partial(guarded, kind.get, handle, visit))
        return stands.detailed()

    async def update(self, ctx: ServerRequestContext[Any], params: object) -> Any:
        """Take what the client was asked for."""
        _ = params
        kind, visit, handle = await self._found(ctx, UpdateParams)
        responses = dict((ctx.params or {})["inputResponses"])
        await self._door.threads.run(partial(guarded, kind.update, handle, visit, responses))
        return {"resultType": "complete"}

    async def cancel(self, ctx: ServerRequestContext[Any], params: object) -> Any:
        """See that it ends."""
        _ = params
        kind, visit, handle = await self._found(ctx, HandleParams)
        await self._door.threads.run(partial(guarded, kind.cancel, handle, visit))
        return {"resultType": "complete"}

    def _kind(self, tool: str) -> Kind | None:
        """What makes the handles of a tool, if the address has it."""
        if tool in KINDS and tool in self._door.tools and tool not in self._kinds:
            self._kinds[tool] = KINDS[tool]()
        return self._kinds.get(tool)

    async def _visit(self, ctx: ServerRequestContext[Any]) -> Visit:
        from swarm_mcp.server.tasks_extension.visit import Visit  # noqa: PLC0415

        calls, caller, _ = await self._door.readable(ctx)
        waiting = self._door.waiting()
        assert waiting is not None  # noqa: S101 - it is there once the board is open
        able = ctx.session.client_capabilities
        asks = able.elicitation if able is not None else None
        # Without a word about its kinds, a client means forms.
        can_be_asked = asks is not None and (asks.form is not None or asks.url is None)
        return Visit(calls, waiting, caller, client_name(ctx), can_be_asked)

    async def _found(self, ctx: ServerRequestContext[Any], shape: type[HandleParams]) -> tuple[Kind, Visit, str]:
        """The handle that a request is about, which whoever sends it may know of.

        Raises:
            MCPError: it may not, or there is none: nobody can tell which. Or the request is wrong.

        """
        require_declared(ctx)
        handle = _read(ctx, shape)
        _check_routed(ctx, handle)
        visit = await self._visit(ctx)
        for kind in filter(None, map(self._kind, KINDS)):
            if kind.knows(handle):
                await self._door.threads.run(partial(guarded, _find, kind, handle, visit))
                self._note(visit)
                return kind, visit, handle
        raise MCPError(code=types.INVALID_PARAMS, message=UNKNOWN)

    def _note(self, visit: Visit) -> None:
        if visit.caller.has_silent_readers:
            self._door.note_readers(visit.calls, visit.caller)


def _read(ctx: ServerRequestContext[Any], shape: type[HandleParams]) -> str:
    """The id of the handle that a request is about; read only of those who have declared the extension."""
    try:
        return shape.model_validate(dict(ctx.params or {}), by_name=False).task_id
    except ValidationError as error:
        wrong = sorted({str(each["loc"][0]) for each in error.errors() if each["loc"]})
        words = f"{ctx.method} takes `taskId`, a text, and tasks/update also `inputResponses`, an object"
        raise MCPError(code=types.INVALID_PARAMS, message=f"{words}; wrong or missing: {', '.join(wrong)}.") from None


def _find(kind: Kind, handle: str, visit: Visit) -> None:
    try:
        kind.find(handle, visit)
    except (NotFound, NotAllowed):
        raise NotFound(UNKNOWN) from None


def _check_routed(ctx: ServerRequestContext[Any], handle: str) -> None:
    """Refuse a request over HTTP whose header sends it elsewhere than its body."""
    if ctx.request is not None and decode_header_value(ctx.request.headers.get(MCP_NAME_HEADER)) != handle:
        raise MCPError(
            code=types.HEADER_MISMATCH,
            message=f"The header {MCP_NAME_HEADER} does not say what `taskId` in the body says.",
        )
