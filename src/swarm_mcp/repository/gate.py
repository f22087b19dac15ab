"""The fair gate in front of a database file: one writer at a time, first come, first served.

SQLite lets one writer in and makes the others poll, so that under load some wait for many seconds.
Here they queue. Threads of one process stand in a line; the process at the head of its line takes
an advisory lock (`flock`) on a file beside the database; processes queue for that in the kernel.

Two lock files make it fair. Whoever lets go of a lock and at once asks for it again is faster than
the sleeper whom the kernel is only just waking. So there is a doorstep: take `.gate.next`, wait on it
for `.gate`, and free the doorstep when inside. Whoever leaves finds the doorstep taken, and queues.

The gate gives order, not safety: SQLite's own lock decides who writes. So whatever happens to the
gate (no `flock` here, a lock file removed, a process suspended while it holds it) costs fairness only.
The kernel frees the locks of a process that dies. The lock files are never unlinked: a lock on an
unlinked file keeps nobody out.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import logging
import os
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from swarm_mcp.model.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Generator

# None on Windows: writers of several processes repeat BEGIN IMMEDIATE there instead (see sqlite_file.py).
fcntl: Any = None if sys.platform == "win32" else importlib.import_module("fcntl")

_log = logging.getLogger(__name__)

_IN_A_ROW: Final = 4
"""Writers of one process that may follow each other inside while other processes wait outside."""

_IDLE_SECONDS: Final = 1.0
"""How long the thread that waits for the lock lingers when nobody needs it."""

_READ_ONLY: Final = {errno.EACCES, errno.EPERM, errno.EROFS}


class _Turn:
    """One writer's place in the line of its process."""

    __slots__ = ("bell", "granted", "thread")

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self.granted = False
        self.bell = threading.Lock()
        self.bell.acquire()


class Gate:
    """The gate of one database file in this process. `Gate.of(path)` finds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inner = -1
        self._doorstep = -1
        self.forget()

    def forget(self) -> None:
        """Start anew, as a forked child has to: nobody inside, nobody waiting, no lock files open."""
        self._mutex = threading.Lock()
        self._wanted = threading.Semaphore(0)
        self._line: deque[_Turn] = deque()
        self._holder = 0
        self._streak = 0
        self._locked = False
        self._seeking = False
        self._seeker: threading.Thread | None = None
        self._open = fcntl is None
        """True while the gate keeps nobody out: no `flock` here, or its holder seems to be asleep."""
        self._close_files()

    @classmethod
    def of(cls, path: Path) -> Gate:
        """Find the one gate of a database file: every Database on that file in this process shares it."""
        name = os.path.realpath(path)
        with _registry_lock:
            gate = _gates.get(name)
            if gate is None:
                gate = _gates[name] = cls(Path(name))
            return gate

    @property
    def waiting(self) -> int:
        """How many threads of this process stand in line."""
        return len(self._line)

    @contextlib.contextmanager
    def turn(self, deadline: float) -> Generator[None]:
        """Be the writer for the length of the block. `deadline` is a `time.monotonic()` instant.

        Raises Busy when the turn does not come in time (where that has passed already, unless it can come at once), and
        RuntimeError in a thread that has it already.
        """
        self.acquire(deadline)
        try:
            yield
        finally:
            self.release()

    def acquire(self, deadline: float) -> None:
        """Wait for the turn; see `turn`."""
        me = threading.get_ident()
        with self._mutex:
            if self._holder == me:
                sentence = "This thread is already writing; use the transaction that is open."
                raise RuntimeError(sentence)
            if not self._holder and not self._line and self._enter():
                self._holder = me
                return
            if deadline <= time.monotonic():
                self._step_back()
                raise Busy
            turn = _Turn(me)
            self._line.append(turn)
            if not self._holder:
                self._seek()
        self._wait(turn, deadline)

    def release(self) -> None:
        """End the turn: pass it on in this process, or let other processes in first."""
        with self._mutex:
            if not self._holder:  # a forked child leaves the block of its parent
                return
            self._holder = 0
            if self._locked and not (self._line and self._streak < _IN_A_ROW):
                self._leave()
            if not self._line:
                return
            if self._locked or self._enter():
                self._streak += 1
                self._admit()
            else:
                self._seek()

    def _wait(self, turn: _Turn, deadline: float) -> None:
        # A third of the patience is for the queue; then whoever keeps the gate shut must be asleep
        # (a suspended process, say), and the rest is for SQLite's own lock.
        patience = max(0.0, deadline - time.monotonic())
        try:
            if turn.bell.acquire(timeout=patience / 3) or self._stop_queueing(turn):
                return
            turn.bell.acquire(timeout=max(0.0, deadline - time.monotonic()))
        except BaseException:
            if not self._give_up(turn):
                self.release()
            raise
        if self._give_up(turn):
            sentence = f"Other writers kept the board for {patience:.0f} seconds; nothing was written. Call again."
            raise Busy(sentence)

    def _stop_queueing(self, turn: _Turn) -> bool:
        """Open the gate when another process has kept it shut for too long; True if it is our turn then."""
        with self._mutex:
            if self._seeking and not self._holder:
                self._open = True
                self._admit()
            return turn.granted

    def _give_up(self, turn: _Turn) -> bool:
        """Step out of the line; False if the turn has come after all."""
        with self._mutex:
            if not turn.granted:
                self._line.remove(turn)
            return not turn.granted

    def _admit(self) -> None:
        turn = self._line.popleft()
        self._holder = turn.thread
        turn.granted = True
        turn.bell.release()

    def _enter(self) -> bool:
        """Take the lock if nobody has it and nobody waits for it. False: the seeker has to wait for it."""
        if self._open or self._seeking:
            return self._open
        try:
            self._open_files()
            if _try_lock(self._doorstep) and _try_lock(self._inner):
                self._locked = True
                _unlock(self._doorstep)
                return True
        except OSError as error:
            self._do_without(error)
            return True
        return False  # the doorstep, if we have it, stays ours for the seeker

    def _step_back(self) -> None:
        """Leave the doorstep to others, after an attempt that does not wait."""
        if not self._seeking and self._doorstep >= 0:
            with contextlib.suppress(OSError):
                _unlock(self._doorstep)

    def _leave(self) -> None:
        self._locked = False
        self._streak = 0
        with contextlib.suppress(OSError):
            _unlock(self._inner)

    def _do_without(self, error: OSError) -> None:
        # In a folder that is read-only nothing can be written anyway, and whoever tries is told so in a sentence.
        level = logging.DEBUG if error.errno in _READ_ONLY else logging.WARNING
        why = error.strerror or type(error).__name__
        _log.log(level, "File locks do not work beside the database (%s); writers may wait unevenly.", why)
        self._open = True
        self._close_files()

    def _open_files(self) -> None:
        if self._doorstep < 0:
            self._inner = _open_lock_file(f"{self._path}.gate")
            self._doorstep = _open_lock_file(f"{self._path}.gate.next")

    def _close_files(self) -> None:
        for name in ("_doorstep", "_inner"):
            if getattr(self, name) >= 0:
                os.close(getattr(self, name))
            setattr(self, name, -1)

    def __del__(self) -> None:
        """Close the lock files when the last Database on the file has gone."""
        self._close_files()

    def _seek(self) -> None:
        """Have the lock waited for. Only the seeker blocks in `flock`, so every caller keeps its deadline."""
        if self._seeking:
            return
        self._seeking = True
        self._wanted.release()
        if self._seeker is None:
            self._seeker = threading.Thread(target=self._keep_seeking, name="swarm-gate", daemon=True)
            try:
                self._seeker.start()
            except RuntimeError:  # no more threads, or the interpreter is ending
                self._seeker = None
                self._seeking, self._open = False, True
                self._admit()

    def _keep_seeking(self) -> None:
        while True:
            if not self._wanted.acquire(timeout=_IDLE_SECONDS):
                with self._mutex:
                    if not self._seeking:
                        self._seeker = None
                        return
                continue
            try:
                _lock(self._doorstep)
                _lock(self._inner)
                _unlock(self._doorstep)
            except OSError as error:
                with self._mutex:
                    self._do_without(error)
            self._found()

    def _found(self) -> None:
        """Let the head of the line in, now that the lock is ours, or give it back if everyone has gone."""
        with self._mutex:
            self._seeking = False
            if self._doorstep >= 0:
                self._open, self._locked = False, True
            if self._holder:
                return
            if self._line:
                self._admit()
            elif self._locked:
                self._leave()


def _open_lock_file(name: str) -> int:
    try:
        return os.open(name, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError as refused:  # another user's; flock asks for no right to write
        try:
            return os.open(name, os.O_RDONLY)
        except FileNotFoundError:  # nobody's: the folder is read-only
            raise refused from None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def _unlock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_UN)


_gates: WeakValueDictionary[str, Gate] = WeakValueDictionary()
_registry_lock = threading.Lock()


def _after_fork() -> None:
    """Let a forked child start outside: locks belong to open files, which it shares with its parent.

    Closing its copies leaves the parent's locks alone, and lets the kernel free them when the parent dies.
    """
    global _registry_lock  # noqa: PLW0603 - the parent's lock may have been copied while held
    _registry_lock = threading.Lock()
    for gate in list(_gates.values()):
        gate.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
