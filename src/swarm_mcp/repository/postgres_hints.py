"""Hints between processes on one PostgreSQL that something was committed, so that nobody has to ask often.

A hint says that, not what; one that is lost is made up for by whoever asks all the same. It is sent after the commit,
by a thread of its own and on a connection of its own: NOTIFY within a transaction makes commits wait for each other.
However much is written, one process sends no more than `A_SECOND`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from typing import TYPE_CHECKING, Any, Final

from swarm_mcp.repository.postgres import connect

if TYPE_CHECKING:
    import psycopg

CHANNEL: Final = "swarm_mcp"
A_SECOND: Final = 40
IDLE_SECONDS: Final = 60
"""After so long without a commit the connection is closed."""
AGAIN_SECONDS: Final = 1.0
"""After a hint that could not be sent."""
LAST_SECONDS: Final = 2.0
"""For the last hint of a process to leave."""

_log = logging.getLogger(__name__)


class Hints:
    """Sends hints for one board."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._start(os.getpid())

    def _start(self, pid: int) -> None:
        self._pid = pid
        self._wanted = threading.Event()
        self._ending = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def soon(self) -> None:
        """Tell the others, in a moment."""
        if self._pid != os.getpid():  # a forked child has no thread
            self._start(os.getpid())
        self._wanted.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._ending.clear()
                    self._thread = threading.Thread(target=self._run, name="swarm-hints", daemon=True)
                    self._thread.start()

    def close(self) -> None:
        """Send what is still to be sent, and let go of the server. A later hint begins anew."""
        thread = self._thread if self._pid == os.getpid() else None
        if thread is not None:
            self._ending.set()
            self._wanted.set()
            thread.join(LAST_SECONDS)

    def _run(self) -> None:
        raw: psycopg.Connection[Any] | None = None
        try:
            while self._wanted.wait(IDLE_SECONDS):
                self._wanted.clear()
                pause = 1 / A_SECOND
                try:
                    raw = raw if raw is not None else connect(self._address, patience=LAST_SECONDS)
                    raw.execute(f"NOTIFY {CHANNEL}".encode())
                except Exception as error:  # nobody depends on it
                    _log.debug("a hint was not sent: %s", error)
                    raw, pause = _closed(raw), AGAIN_SECONDS
                if self._ending.wait(pause):
                    return
        finally:
            _closed(raw)
            self._thread = None
            if self._wanted.is_set() and not self._ending.is_set():  # just when it went to sleep
                self.soon()


def _closed(raw: psycopg.Connection[Any] | None) -> None:
    if raw is not None:
        with contextlib.suppress(Exception):
            raw.close()
