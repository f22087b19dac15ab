"""Whatever a client says first over a pipe, it is answered as by the library's own loop."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from mcp.server.lowlevel import Server
from mcp_types import PROTOCOL_VERSION_META_KEY, ListToolsResult, PaginatedRequestParams, Tool
from stdio_host import ENVELOPE, GIVE_UP_SECONDS

from swarm_mcp.server import eras
from swarm_mcp.server.lines import LineReader, LineWriter
from swarm_mcp.server.streams import Incoming, Outgoing, Unanswered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import ServerRequestContext

    Serve = Callable[[Server[Any], Incoming, Outgoing], Awaitable[None]]


def asked(method: str, *, enveloped: bool, **params: object) -> bytes:
    said = {**params, **({"_meta": ENVELOPE} if enveloped else {})}
    return json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": said}).encode()


SAID_FIRST = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "host", "version": "1"}}
HANDSHAKE = asked("initialize", enveloped=False, **SAID_FIRST)
LIST, BARE_LIST = (asked("tools/list", enveloped=enveloped) for enveloped in (True, False))
OPENINGS = {
    "newer, then a handshake": [LIST, HANDSHAKE, LIST, BARE_LIST, asked("no/such", enveloped=True)],
    "handshake, then the newer": [HANDSHAKE, BARE_LIST, LIST, asked("no/such", enveloped=False)],
    "a handshake in the newer's envelope": [asked("initialize", enveloped=True, **SAID_FIRST), BARE_LIST],
    "neither": [BARE_LIST, HANDSHAKE, BARE_LIST],
    "half an envelope": [asked("tools/list", enveloped=False, _meta={PROTOCOL_VERSION_META_KEY: "2026-07-28"}), LIST],
    "a notification first": [b'{"jsonrpc": "2.0", "method": "notifications/initialized"}', LIST, HANDSHAKE],
    "no message first": [b"{not json", HANDSHAKE, BARE_LIST],
    "nothing": [],
}


async def list_tools(
    _ctx: ServerRequestContext[dict[str, object]], _params: PaginatedRequestParams | None
) -> ListToolsResult:
    return ListToolsResult(tools=[Tool(name="echo", input_schema={"type": "object"})])


async def by_the_library(server: Server[Any], incoming: Incoming, outgoing: Outgoing) -> None:
    await server.run(incoming, outgoing, server.create_initialization_options())


async def answers(serve: Serve, lines: list[bytes]) -> list[object]:
    """What a server answers to each of these requests, on a connection that ends after them."""
    (incoming, asking), (answering, outgoing) = os.pipe(), os.pipe()
    due, reader = Unanswered(), LineReader(incoming)
    said = Outgoing(LineWriter(outgoing, on_broken=reader.stop), due)
    server = Server("echo", version="1", on_list_tools=list_tools)
    serving = asyncio.ensure_future(serve(server, Incoming(reader, due, on_end=lambda _: None), said))
    heard = LineReader(answering)
    found: list[object] = []
    for line in lines:
        os.write(asking, line + b"\n")
        if b'"id"' in line:
            found.append(json.loads(await heard.next() or b"null"))
    os.close(asking)
    await serving
    for end in (reader, heard):
        end.stop()
    for descriptor in (incoming, answering, outgoing):
        os.close(descriptor)
    return found


@pytest.mark.parametrize("opening", OPENINGS)
def test_whatever_comes_first_is_answered_as_by_the_library(opening: str) -> None:
    async def both() -> None:
        ours = await answers(eras.serve_streams, OPENINGS[opening])
        assert ours == await answers(by_the_library, OPENINGS[opening])
        assert len(ours) == sum(b'"id"' in line for line in OPENINGS[opening])

    asyncio.run(asyncio.wait_for(both(), GIVE_UP_SECONDS))


def test_a_library_without_these_loops_serves_as_it_always_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eras, "newer", None)
    test_whatever_comes_first_is_answered_as_by_the_library("newer, then a handshake")


def test_the_librarys_loops_are_where_they_were() -> None:
    """If not, every call over a pipe takes a twentieth longer, and `server/eras.py` is to be looked at again."""
    assert eras.newer is not None
    assert eras.older is not None
