"""Waiting a moment, unless something comes before: a key, a hint of the database, or the end of whoever reads us."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

HINTED_SECONDS = 0.02
"""After a hint, in which others may come: they are answered together."""
ENDING = frozenset({b"q", b"Q", b"\x1b", b"\x03", b"\x04"})
"""Keys that end what is watched: q, Escape, and what Ctrl-C and Ctrl-D send."""


class Pause:
    """Pauses between two looks at the board.

    With `keys`, the terminal gives each key at once while this is open, without showing it. Where the system has no
    such terminals, Ctrl-C is the only key.
    """

    def __init__(self, *, keys: bool) -> None:
        self._keys = keys and os.name == "posix" and sys.stdin.isatty()
        self._before: Any = None

    def __enter__(self) -> Self:
        """Take the terminal's keys."""
        if self._keys:
            import termios  # noqa: PLC0415 - not on every system
            import tty  # noqa: PLC0415

            self._before = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back as it was."""
        if self._before is not None:
            import termios  # noqa: PLC0415

            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def ends(self, seconds: float, descriptor: int | None) -> bool:
        """Wait so long, or until this descriptor is readable; whether that was the end.

        It is if a key that ends was pressed, or nobody reads our output any more.
        """
        import select  # noqa: PLC0415

        if not hasattr(select, "poll"):  # Windows, which waits for sockets alone
            time.sleep(seconds)
            return False
        poll = select.poll()
        with contextlib.suppress(OSError, ValueError):
            poll.register(sys.stdout.fileno(), 0)
        if self._keys:
            poll.register(sys.stdin.fileno(), select.POLLIN)
        if descriptor is not None:
            poll.register(descriptor, select.POLLIN)
        found = dict(poll.poll(seconds * 1000))
        if descriptor in found:
            time.sleep(HINTED_SECONDS)
        return self._is_over(found, select.POLLERR | select.POLLHUP)

    def _is_over(self, found: dict[int, int], gone: int) -> bool:
        with contextlib.suppress(OSError, ValueError):
            if found.get(sys.stdout.fileno(), 0) & gone:
                return True
        if not self._keys or sys.stdin.fileno() not in found:
            return False
        key = os.read(sys.stdin.fileno(), 64)
        return not key or key in ENDING
