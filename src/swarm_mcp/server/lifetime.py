"""When a server on a pipe ends, and that it then ends in order and in time.

It ends when the host closes stdin, asks by a signal, or dies. A server that outlives its host
would hold locks that nobody can free, and one that is slow to go is killed by its host in the
middle of a write: so an end that has begun is over within `PATIENCE_SECONDS`, by force if it must.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

# Hosts close stdin, wait two seconds, send SIGTERM, wait two more and kill (the SDK's client does).
PATIENCE_SECONDS = 3.0
PARENT_CHECK_SECONDS = 1.0
FORCED_EXIT_CODE = 1

_log = logging.getLogger(__name__)


class Lifetime:
    """The life of one process that does nothing but serve.

    `ask` asks the server to end; it is called at most once, from any thread. `on_stop` runs once,
    after the server has ended in order. The process is expected to exit after that: the guard that
    ends it by force stays armed.
    """

    def __init__(self, ask: Callable[[], None], *, on_stop: Callable[[], None] | None = None) -> None:
        self._ask = ask
        self._on_stop = on_stop
        self._signals = 0
        self._parent = os.getppid()
        # Its put() may interrupt itself, so that a signal can arrive in the middle of one: an
        # event or a new thread, started from a signal's handler, can deadlock.
        self._endings: queue.SimpleQueue[str] = queue.SimpleQueue()

    def begin(self) -> None:
        """Listen for signals (on the main thread) and watch the parent."""
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGTERM", "SIGINT", "SIGHUP"):
                number = getattr(signal, name, None)
                # Who ignored a signal for us (nohup, a shell's background job) meant it.
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, self._signalled)
        threading.Thread(target=self._guard, name="lifetime", daemon=True).start()

    def end(self, reason: str) -> None:
        """Begin to end; more than once does no harm. Safe from any thread and any signal."""
        self._endings.put(reason)

    def finish(self) -> None:
        """Run `on_stop`: everything has ended in order."""
        if self._on_stop is None:
            return
        try:
            self._on_stop()
        except Exception:  # there is nobody left to raise it to
            _log.exception("closing down failed")

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 1:
            os._exit(128 + number)
        self.end(signal.Signals(number).name)

    def _guard(self) -> None:
        """Wait for a reason to end; pass it on; and see that the process is gone in time."""
        reason = ""
        while not reason:
            try:
                reason = self._endings.get(timeout=PARENT_CHECK_SECONDS)
            except queue.Empty:
                reason = "" if self._has_parent() else "the host has died"
        _log.debug("ending: %s", reason)
        self._ask()
        threading.Event().wait(PATIENCE_SECONDS)
        os._exit(FORCED_EXIT_CODE)

    def _has_parent(self) -> bool:
        # An orphan is given another parent. (Windows keeps naming the dead one; there the end of
        # stdin is the only sign. PR_SET_PDEATHSIG would fire when the *thread* that spawned us
        # ends, which in many hosts is long before the host does.)
        return sys.platform == "win32" or os.getppid() == self._parent
