"""Whether the board has changed, asked of PostgreSQL: what a server asks while somebody waits for news."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from swarm_mcp.repository.postgres import connect
from swarm_mcp.repository.postgres_hints import CHANNEL, Hints

if TYPE_CHECKING:
    import psycopg

QUESTION = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text, pg_snapshot_xmax(pg_current_snapshot())::text"
"""Which transactions have ended: every commit of a change moves one of them, sooner or later. No table is read."""


class PostgresChanges:
    """Notices every commit on the server, of this process and of others, without reading a table.

    Others' databases on the same server are noticed too: whoever waits then looks once in vain. The question takes a
    trip to the server, some 0.1 ms beside it, and waits for no lock, so the event loop may ask; to connect is left to a
    thread. Processes hint each other when it is worth asking (postgres_hints.py), so it is asked seldom without a hint.
    """

    seconds = 0.25
    """Between two questions, if there is no hint."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._hints = Hints(address)
        self.asked = 0
        """How often somebody has asked."""
        self._raw: psycopg.Connection[Any] | None = None
        self._seen: tuple[Any, ...] | None = None
        self._asking = threading.Lock()

    def open(self) -> None:
        """Connect if that has not been done; this may take a while, so do it on a worker thread."""
        with self._asking, contextlib.suppress(Exception):  # `happened` sees to it again
            if self._raw is None:
                self._raw, self._seen = self._connected(), None

    def happened(self) -> bool:
        """Whether anything was committed since the last time that somebody asked; in doubt, yes."""
        self.asked += 1
        if not self._asking.acquire(blocking=False):  # a thread is connecting
            return True
        try:
            if self._raw is None:
                threading.Thread(target=self.open, name="swarm-changes", daemon=True).start()
                return True
            found = self._raw.execute(QUESTION).fetchone()
        except Exception:  # whoever looks for itself is told what is wrong
            self._close()
            return True
        finally:
            self._asking.release()
        before, self._seen = self._seen, found
        return found != before

    def descriptor(self) -> int | None:
        """The descriptor on which a hint arrives, until somebody asks; None while there is none."""
        raw = self._raw
        return raw.fileno() if raw is not None and not raw.closed else None

    def committed(self) -> None:
        """Something was committed here: hint to the others that they had better ask."""
        self._hints.soon()

    def rest(self) -> None:
        """Nobody asks any more for now: listen no longer, since what nobody reads in the end holds up the server.

        Hints fill the connection's buffer; then PostgreSQL's process for it waits, and what waits for that process (to
        drop a database, to forget old hints) waits with it.
        """
        threading.Thread(target=self._let_go, name="swarm-changes", daemon=True).start()

    def _let_go(self) -> None:
        with self._asking:
            self._close()

    def close(self) -> None:
        """Let go of the server."""
        self._hints.close()
        self._let_go()

    def _connected(self) -> psycopg.Connection[Any]:
        """A connection to which hints come. What they say is nothing; that there is one is seen on the descriptor."""
        raw = connect(self._address, patience=2)
        try:
            raw.add_notify_handler(lambda _: None)
            raw.execute(f"LISTEN {CHANNEL}".encode())
        except BaseException:
            raw.close()
            raise
        return raw

    def _close(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            with contextlib.suppress(Exception):
                raw.close()
