"""Whether the board has changed, whoever changed it: what a server asks while somebody waits for news."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

from swarm_mcp.repository.sqlite import connect_to_read, driver, place_of

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from swarm_mcp.repository.sqlite import Place


class Changes:
    """Notices every commit to a database file, of this process and of others, without reading a table.

    It has a connection of its own, because a connection does not notice what it commits itself
    (sqlite.org/pragma.html#pragma_data_version). To ask takes some 10 µs and never waits for a lock, so the event
    loop may do it.
    """

    seconds = 0.1
    """Between two questions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked = 0
        """How often somebody has asked."""
        self._raw: sqlite3.Connection | None = None
        self._place: Place | None = None
        self._pid = 0
        self._version = -1
        self._opening = threading.Lock()

    def open(self) -> None:
        """Connect if that has not been done; this may take a millisecond, so do it on a worker thread."""
        with self._opening, contextlib.suppress(Exception):  # `happened` tries again
            if self._raw is None or self._pid != os.getpid():
                self._connect()

    def happened(self) -> bool:
        """Whether anything was committed since the last time that somebody asked.

        In doubt (nobody has asked before, the file is another one, it cannot be read now) it says yes: then whoever
        waits looks for itself.
        """
        self.asked += 1
        try:
            if self._raw is None or self._pid != os.getpid() or place_of(self.path) != self._place:
                self._connect()
                return True
            ((version,),) = self._raw.execute("PRAGMA data_version").fetchall()
        except Exception:  # whoever looks for itself is told what is wrong
            return True
        before, self._version = self._version, version
        return version != before

    def descriptor(self) -> int | None:
        """None: nobody hints that it is worth asking, since to ask is as cheap."""
        return None

    def committed(self) -> None:
        """Something was committed here: whoever asks will see it."""

    def rest(self) -> None:
        """Nobody asks any more for now. Nothing comes that somebody would have to read."""

    def close(self) -> None:
        """Let go of the file."""
        raw, self._raw = self._raw, None
        if raw is None:
            return
        if self._pid != os.getpid():
            _of_parents.append(raw)
            return
        with contextlib.suppress(driver().Error):
            raw.close()

    def _connect(self) -> None:
        self.close()
        self._raw, self._place = connect_to_read(self.path, patience=0)
        self._pid, self._version = os.getpid(), -1


_of_parents: list[sqlite3.Connection] = []
"""Connections that a forked child has inherited. Even to close them would be wrong."""
