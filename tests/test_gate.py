"""The write gate: one at a time, in order, whatever happens to those inside and in front of it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from swarm_mcp.model.errors import Busy
from swarm_mcp.repository.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Generator

HOLD = """
import sys, time
from pathlib import Path
from swarm_mcp.repository.gate import Gate

with Gate.of(Path(sys.argv[1])).turn(time.monotonic() + 30):
    print("inside", flush=True)
    sys.stdin.readline()
"""

QUEUE = """
import os, sys, threading, time
from pathlib import Path
from swarm_mcp.repository.gate import Gate

path, rounds = Path(sys.argv[1]), int(sys.argv[2])
gate = Gate.of(path)
log = os.open(path.with_name("log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
print("ready", flush=True)
sys.stdin.readline()

def writer(number):
    name = f"{os.getpid()}.{number}"
    for _ in range(rounds):
        os.write(log, f"{name} asks\\n".encode())
        with gate.turn(time.monotonic() + 30):
            os.write(log, f"{name} in\\n".encode())
            os.fsync(log)
            time.sleep(0.0005)
            os.write(log, f"{name} out\\n".encode())

threads = [threading.Thread(target=writer, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def soon(seconds: float = 30.0) -> float:
    """A deadline."""
    return time.monotonic() + seconds


@contextlib.contextmanager
def process(script: str, *arguments: object, say: str) -> Generator[subprocess.Popen[str]]:
    """A Python process that has said a word, and is gone at the end."""
    words = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout
            assert child.stdout.readline().strip() == say
            yield child
        finally:
            child.kill()


def let_go(child: subprocess.Popen[str]) -> None:
    """Let a process read the line that it is waiting for, and end."""
    child.communicate("\n", timeout=30)


def wait_for_the_lock(path: Path) -> None:
    """Return when no process has the gate."""
    deadline = soon()
    while locked(path):
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_threads_of_a_process_enter_in_the_order_they_came(database_path: Path) -> None:
    gate, entered = Gate.of(database_path), list[int]()

    def writer(number: int) -> None:
        with gate.turn(soon()):
            entered.append(number)

    threads = [threading.Thread(target=writer, args=(number,)) for number in range(5)]
    with gate.turn(soon()):
        for number, thread in enumerate(threads, 1):
            thread.start()
            while gate.waiting < number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert entered == [0, 1, 2, 3, 4]


def test_of_many_processes_one_is_inside_and_nobody_is_overtaken_for_long(database_path: Path) -> None:
    rounds, writers = 25, 16
    with contextlib.ExitStack() as stack:
        children = [
            stack.enter_context(process(QUEUE, database_path, rounds, say="ready")) for _ in range(writers // 4)
        ]
        for child in children:
            assert child.stdin
            child.stdin.write("\n")
            child.stdin.flush()
        assert [child.wait(timeout=60) for child in children] == [0] * len(children)

    entries = [line.split() for line in (database_path.with_name("log")).read_text().splitlines()]
    turns = [entry for entry in entries if entry[1] != "asks"]
    assert len(turns) == 2 * rounds * writers
    assert all(turns[n][0] == turns[n + 1][0] and turns[n + 1][1] == "out" for n in range(0, len(turns), 2))
    # A fair queue shows 23 to 43 here, one without the doorstep a hundred and more of the 375 possible.
    assert max(overtakings(entries)) < 5 * writers


def overtakings(entries: list[list[str]]) -> Generator[int]:
    """For each turn, how many others had theirs while it was waited for."""
    asked = dict[str, int]()
    turns = 0
    for name, what in entries:
        if what == "asks":
            asked[name] = turns
        elif what == "in":
            yield turns - asked[name]
            turns += 1


def test_a_thread_that_is_inside_is_told_so_rather_than_left_waiting(database_path: Path) -> None:
    gate = Gate.of(database_path)
    with gate.turn(soon()):
        with pytest.raises(RuntimeError, match="already writing"), gate.turn(soon()):
            pass
        with pytest.raises(RuntimeError, match="already writing"):
            Gate.of(database_path).acquire(soon())
    with gate.turn(soon()):
        pass


def test_a_deadline_that_passes_behind_a_thread_of_this_process_is_busy(database_path: Path) -> None:
    gate, refusals = Gate.of(database_path), list[Busy]()

    def writer() -> None:
        with pytest.raises(Busy) as caught, gate.turn(soon(0.05)):
            pass
        refusals.append(caught.value)

    thread = threading.Thread(target=writer)
    with gate.turn(soon()):
        thread.start()
        thread.join()
    assert "nothing was written" in refusals[0].message
    assert refusals[0].retryable
    assert gate.waiting == 0


def test_whoever_has_no_time_to_wait_enters_a_free_gate_and_is_busy_at_a_shut_one(database_path: Path) -> None:
    gate, passed = Gate.of(database_path), time.monotonic()
    with gate.turn(passed):
        pass
    with process(HOLD, database_path, say="inside"):
        with pytest.raises(Busy), gate.turn(passed):
            pass
        assert not locked(database_path, "gate.next")  # others may queue
    wait_for_the_lock(database_path)
    with gate.turn(passed):
        pass


def test_a_killed_process_leaves_the_gate_open(database_path: Path) -> None:
    with process(HOLD, database_path, say="inside") as child:
        child.send_signal(signal.SIGKILL)
        child.wait()
        with Gate.of(database_path).turn(soon()):
            assert locked(database_path)


def test_a_process_killed_in_the_queue_does_not_hold_up_those_behind_it(database_path: Path) -> None:
    with process(HOLD, database_path, say="inside") as inside:
        queueing = [sys.executable, "-c", HOLD, str(database_path)]
        with subprocess.Popen(queueing, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as second:
            while not locked(database_path, "gate.next"):
                time.sleep(0.001)
            second.kill()
        let_go(inside)
    with Gate.of(database_path).turn(soon()):
        assert locked(database_path)


def test_whoever_waits_gets_in_when_another_process_leaves(database_path: Path) -> None:
    gate = Gate.of(database_path)
    with process(HOLD, database_path, say="inside") as child:
        entered = threading.Event()

        def writer() -> None:
            with gate.turn(soon()):
                entered.set()

        thread = threading.Thread(target=writer)
        thread.start()
        while not gate.waiting:
            time.sleep(0.001)
        assert not entered.is_set()
        let_go(child)
        thread.join()
    assert entered.is_set()


def test_a_suspended_process_costs_the_queue_its_order_and_nothing_else(database_path: Path) -> None:
    gate = Gate.of(database_path)
    with process(HOLD, database_path, say="inside") as child:
        child.send_signal(signal.SIGSTOP)
        with gate.turn(soon(0.3)):  # a third of the patience later
            pass
        with gate.turn(soon()):  # and now at once
            pass
        child.send_signal(signal.SIGCONT)
        let_go(child)
    # The lock that was waited for in vain has been given back, or it could not be taken here.
    wait_for_the_lock(database_path)
    with gate.turn(soon()):
        assert locked(database_path)


def test_a_forked_child_does_not_keep_the_gate_of_its_dead_parent_shut(database_path: Path) -> None:
    script = """
import os, sys, time
from pathlib import Path
from swarm_mcp.repository.gate import Gate

with Gate.of(Path(sys.argv[1])).turn(time.monotonic() + 30):
    if os.fork():
        os.kill(os.getpid(), 9)
    print("forked", flush=True)
    sys.stdin.readline()
"""
    with process(script, database_path, say="forked"):
        wait_for_the_lock(database_path)


def test_a_forked_child_cannot_let_others_past_its_parent(database_path: Path) -> None:
    script = """
import os, sys, time
from pathlib import Path
from swarm_mcp.repository.gate import Gate

with Gate.of(Path(sys.argv[1])).turn(time.monotonic() + 30):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        print("inside", flush=True)
        sys.stdin.readline()
if not child:
    os._exit(0)
"""
    with process(script, database_path, say="inside") as parent:
        assert locked(database_path)
        let_go(parent)
    assert not locked(database_path)


def test_without_file_locks_writers_are_let_in_all_the_same(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")  # as an NFS mount does without its lock daemon

    monkeypatch.setattr(fcntl, "flock", refuse)
    gate = Gate.of(database_path)
    for _ in range(2):
        with gate.turn(soon()):
            pass


def locked(path: Path, lock: str = "gate") -> bool:
    """Whether some process has the lock file locked."""
    descriptor = os.open(f"{path}.{lock}", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no folder here that is read-only for everybody")
def test_without_file_locks_one_line_says_so_and_in_a_read_only_folder_the_write_itself(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for place, lines in ((Path("/sys/kernel/board.db"), []), (tmp_path / "gone" / "board.db", ["No such file"])):
        caplog.clear()
        with Gate.of(place).turn(soon()):
            assert len(caplog.records) == len(lines)
            assert all(words in caplog.text for words in lines)
        assert "Traceback" not in caplog.text
