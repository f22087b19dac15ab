"""Our stdio transport carries every message whole, and nothing but messages."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Literal, TypeVar

import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCRequest, JSONRPCResponse
from stdio_host import ECHO_SERVER, GIVE_UP_SECONDS, hosting, request

from swarm_mcp.server.lines import LineReader, LineWriter
from swarm_mcp.server.streams import Incoming, Unanswered

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

T = TypeVar("T")
MEBIBYTE = 1024 * 1024
TRANSPORTS = pytest.mark.parametrize("transport", ["fast", "stock"])


@TRANSPORTS
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_sdks_client_is_served_in_both_eras(mode: Literal["auto", "legacy"], transport: str) -> None:
    command = StdioServerParameters(command=sys.executable, args=[str(ECHO_SERVER)], env={"SWARM_STDIO": transport})

    async def converse() -> list[object]:
        async with Client(command, mode=mode) as client:
            answers = await asyncio.gather(*(client.call_tool("echo", {"text": str(n)}) for n in range(20)))
            return [getattr(answer.content[0], "text", None) for answer in answers]

    assert finished(converse()) == [str(n) for n in range(20)]


@TRANSPORTS
def test_whatever_is_printed_goes_to_stderr_and_children_cannot_read_the_wire(transport: str) -> None:
    with hosting(SWARM_STDIO=transport) as host:
        assert host.call("chatter") == ""
        host.wire_in.close()
        assert host.wire_out.read() == b""
        _, _, errors = host.farewell()
    assert sorted(errors.split()) == ["child", "os.write", "print", "sys.__stdout__"]


def test_messages_of_many_mebibytes_pass_in_both_directions() -> None:
    text = "0123456789abcdef" * (MEBIBYTE // 2)
    with hosting() as host:
        assert host.call("echo", text=text) == text


def finished(work: Coroutine[object, object, T]) -> T:
    """Run this to its end, and not for ever if it is stuck."""
    return asyncio.run(asyncio.wait_for(work, GIVE_UP_SECONDS))


def received(sent: bytes) -> list[SessionMessage | Exception]:
    """Return what the server's side makes of these bytes."""

    async def read() -> list[SessionMessage | Exception]:
        there, here = os.pipe()
        os.write(here, sent)
        os.close(here)
        incoming = Incoming(LineReader(there), Unanswered(), on_end=lambda _reason: None)
        messages = [message async for message in incoming]
        os.close(there)
        return messages

    return finished(read())


PING = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'


def test_lines_that_are_no_messages_arrive_as_their_errors() -> None:
    *bad, good = received(b"{not json\n[]\n\xff\xfe\n" + PING + b"\n")
    assert [type(error).__name__ for error in bad] == ["ValidationError"] * 3
    assert isinstance(good, SessionMessage)


def test_empty_lines_and_a_byte_order_mark_are_ignored() -> None:
    (only,) = received(b"\xef\xbb\xbf" + PING + b"\r\n\n  \r\n")
    assert isinstance(only, SessionMessage)


def test_bytes_that_are_not_utf8_are_replaced_as_the_sdk_does() -> None:
    (only,) = received(PING.replace(b"ping", b"p\xe9ng"))
    assert isinstance(only, SessionMessage)
    assert isinstance(only.message, JSONRPCRequest)
    assert only.message.method == "p\ufffdng"


def test_a_last_line_without_its_newline_is_answered() -> None:
    with hosting() as host:
        host.send(request(1, "echo", text="last words"))
        host.wire_in.close()
        assert host.answer()["result"]["content"][0]["text"] == "last words"


def test_the_end_of_stdin_waits_for_the_answers_that_are_still_due() -> None:
    async def read() -> bool:
        there, here = os.pipe()
        os.write(here, PING)
        os.close(here)
        due = Unanswered()
        incoming = Incoming(LineReader(there), due, on_end=lambda _reason: None)
        await incoming.receive()
        end = asyncio.ensure_future(anext(incoming, None))
        await asyncio.sleep(0)
        waited = not end.done()
        due.answered(JSONRPCResponse(jsonrpc="2.0", id=1, result={}))
        assert await end is None
        os.close(there)
        return waited

    assert finished(read())


def test_an_answer_that_cannot_be_encoded_becomes_an_error() -> None:
    with hosting() as host:
        host.ask("surrogate")
        assert host.answer()["error"]["code"] == -32603
        assert host.call("echo", text="still here") == "still here"


def test_a_client_that_does_not_read_blocks_nobody_and_loses_nothing() -> None:
    with hosting() as host:
        asked = {host.ask("echo", text="x" * 1000, times=1000) for _ in range(20)}
        host.ask("tell", text="the loop is alive")
        assert host.hears() == "the loop is alive"
        answers = [host.answer() for _ in range(21)]
        assert {a["id"] for a in answers if len(a["result"]["content"][0]["text"]) == 1_000_000} == asked


def test_a_client_that_went_away_without_reading_ends_the_server_quietly() -> None:
    with hosting() as host:
        host.wire_out.close()
        host.ask("echo", text="nobody listens")
        assert host.farewell() == (0, ["stopped"], "")


def test_a_client_that_never_reads_its_answers_does_not_hold_up_the_end() -> None:
    with hosting() as host:
        host.ask("echo", text="x" * 1000, times=1000)
        host.ask("tell", text="answered")
        assert host.hears() == "answered"
        host.wire_in.close()
        assert host.farewell() == (0, ["stopped"], "")


def test_requests_may_come_from_a_file(tmp_path: Path) -> None:
    requests = tmp_path / "requests"
    requests.write_bytes(b"\n".join(request(n, "echo", text=str(n)) for n in range(1, 4)))
    with requests.open("rb") as stdin, hosting(stdin) as host:
        lines = host.wire_out.read().splitlines()
        assert host.farewell() == (0, ["stopped"], "")
    assert sorted(json.loads(line)["id"] for line in lines) == [1, 2, 3]


def test_an_empty_stdin_is_an_end() -> None:
    with hosting(subprocess.DEVNULL) as host:
        assert host.farewell() == (0, ["stopped"], "")


def test_lines_arrive_as_sent_however_they_are_cut() -> None:
    async def read() -> list[bytes | None]:
        there, here = os.pipe()
        lines = LineReader(there)
        for piece in (b"on", b"e\ntwo\n", b"\n", b"thr", b"ee", b"\nfour"):
            os.write(here, piece)
            await asyncio.sleep(0)
        os.close(here)
        read = [await lines.next() for _ in range(6)]
        os.close(there)
        return read

    assert finished(read()) == [b"one", b"two", b"", b"three", b"four", None]


def test_more_than_anyone_takes_is_left_in_the_pipe_and_read_later() -> None:
    async def read() -> list[bytes | None]:
        there, here = os.pipe()
        lines, writer = LineReader(there), LineWriter(here, on_broken=lambda: None)
        for number in range(100):
            writer.write(b"%d" % number * 50_000 + b"\n")
        for _ in range(1000):  # as many turns of the loop as would have carried everything over
            await asyncio.sleep(0)
        assert writer.congested
        taken = [await lines.next() for _ in range(100)]
        lines.stop()
        writer.close()
        os.close(here)
        os.close(there)
        return taken

    assert finished(read()) == [b"%d" % number * 50_000 for number in range(100)]


def test_a_cancelled_sender_leaves_no_half_line_behind() -> None:
    async def read() -> list[bytes | None]:
        there, here = os.pipe()
        writer = LineWriter(here, on_broken=lambda: None)

        async def send(line: bytes) -> None:
            writer.write(line)
            await writer.drain()

        sender = asyncio.create_task(send(b"x" * MEBIBYTE + b"\n"))
        await asyncio.sleep(0)
        sender.cancel()
        writer.write(b"next\n")
        lines = LineReader(there)
        read = [await lines.next(), await lines.next()]
        lines.stop()
        writer.close()
        os.close(here)
        os.close(there)
        return read

    assert finished(read()) == [b"x" * MEBIBYTE, b"next"]
