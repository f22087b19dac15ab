"""A server on a pipe ends when its host is done with it: in order, quietly, and in time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from stdio_host import ECHO_SERVER, GIVE_UP_SECONDS, hosting, request

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
IN_ORDER = (0, ["stopped"], "")
FORCED = 1


def test_a_closed_stdin_ends_the_server() -> None:
    with hosting() as host:
        assert host.call("echo", text="here") == "here"
        host.wire_in.close()
        assert host.farewell() == IN_ORDER


def test_a_server_that_was_never_spoken_to_ends_as_well() -> None:
    with hosting() as host:
        host.wire_in.close()
        assert host.farewell() == IN_ORDER


def test_an_end_cancels_what_waits_and_lets_a_running_write_finish(tmp_path: Path) -> None:
    with hosting() as host:
        host.ask("write_slowly", path=str(tmp_path / "written"))
        assert host.hears() == "half written"
        host.ask("wait_for_ever")
        assert host.hears() == "waiting"
        host.wire_in.close()
        assert host.hears() == "cancelled"
        os.write(host.gate, b"!")
        assert host.farewell() == IN_ORDER
    assert (tmp_path / "written").read_text() == "first half, second half"


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_a_server_whose_stdin_stays_open(number: signal.Signals) -> None:
    with hosting() as host:
        host.ask("wait_for_ever")
        assert host.hears() == "waiting"
        host.process.send_signal(number)
        assert host.farewell() == (0, ["cancelled", "stopped"], "")


def test_a_signal_ends_the_stock_transport_too() -> None:
    with hosting(SWARM_STDIO="stock") as host:
        assert host.call("echo", text="here") == "here"
        host.process.send_signal(signal.SIGINT)
        assert host.farewell() == IN_ORDER


def test_a_second_signal_does_not_wait() -> None:
    with hosting() as host:
        host.ask("write_slowly", path=os.devnull)
        assert host.hears() == "half written"
        host.ask("wait_for_ever")
        assert host.hears() == "waiting"
        host.process.send_signal(signal.SIGTERM)
        assert host.hears() == "cancelled"
        host.process.send_signal(signal.SIGTERM)
        assert host.farewell() == (128 + signal.SIGTERM, [], "")


def test_a_server_that_is_stuck_is_ended_by_force() -> None:
    with hosting() as host:
        host.ask("hang")
        assert host.hears() == "hanging"
        host.process.send_signal(signal.SIGTERM)
        assert host.farewell() == (FORCED, [], "")


def test_a_server_whose_host_was_killed_notices_although_its_stdin_stays_open() -> None:
    server_in, to_server = os.pipe()
    from_server, server_out = os.pipe()
    reports, server_report = os.pipe()
    command = [sys.executable, str(ECHO_SERVER), f"--report={server_report}"]
    host = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys; subprocess.run(sys.argv[1:], close_fds=False)",
            *command,
        ],
        stdin=server_in,
        stdout=server_out,
        pass_fds=(server_report,),
    )
    for fd in (server_in, server_out, server_report):
        os.close(fd)
    with os.fdopen(from_server) as answers, os.fdopen(reports) as said, os.fdopen(to_server, "wb", 0) as wire:
        wire.write(request(1, "pid") + b"\n")
        pid = int(json.loads(answers.readline())["result"]["content"][0]["text"])
        rescue = threading.Timer(GIVE_UP_SECONDS, os.kill, (pid, signal.SIGKILL))
        rescue.start()
        host.kill()
        host.wait()
        # The end of its reports is the end of the server: nobody else holds that pipe.
        assert said.read() == "stopped\n"
        rescue.cancel()
