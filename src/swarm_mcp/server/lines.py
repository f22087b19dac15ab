"""Lines of bytes over a pipe: no threads, no limit to a line, and a loop that never blocks."""

from __future__ import annotations

import asyncio
import os
import stat
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

READ_BYTES = 256 * 1024
# Above this much unread (in whole lines) the pipe is left alone until somebody has taken some,
# and above this much unsent a sender waits until the other side has read.
HIGH_WATER_BYTES = 1024 * 1024


class LineReader:
    """What arrives on a descriptor, line by line, without the newlines.

    Raises:
        OSError, NotImplementedError: this event loop cannot watch that descriptor.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._lines: deque[bytes] = deque()
        self._bytes_waiting = 0
        self._unfinished: list[bytes] = []
        self._ended = False
        self._arrival: asyncio.Future[None] | None = None
        # Files and the null device never block, and event loops refuse to watch them.
        self._watched = not _never_blocks(fd)
        self._watching = False
        self._watch()

    async def next(self) -> bytes | None:
        """Return the next line, or None once everything has been read."""
        while not self._lines:
            if self._ended:
                return None
            if not self._watched:
                self._read()
                continue
            self._arrival = self._loop.create_future()
            try:
                await self._arrival
            finally:
                self._arrival = None
        line = self._lines.popleft()
        self._bytes_waiting -= len(line)
        if not self._watching and not self._ended and self._bytes_waiting < HIGH_WATER_BYTES:
            self._watch()
        return line

    def stop(self) -> None:
        """Read no more, and forget what nobody has taken."""
        self._lines.clear()
        self._unfinished.clear()
        self._end()

    def _watch(self) -> None:
        if self._watched:
            self._loop.add_reader(self._fd, self._read)
            self._watching = True

    def _unwatch(self) -> None:
        if self._watching:
            self._loop.remove_reader(self._fd)
            self._watching = False

    def _read(self) -> None:
        try:
            chunk = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # a socket whose other end was reset: the same as its end
            chunk = b""
        if not chunk:
            self._end()
            return
        head, *others = chunk.split(b"\n")
        self._unfinished.append(head)
        if not others:
            return
        *whole, rest = [b"".join(self._unfinished), *others]
        self._unfinished = [rest] if rest else []
        self._lines.extend(whole)
        self._bytes_waiting += sum(map(len, whole))
        if self._bytes_waiting >= HIGH_WATER_BYTES:
            self._unwatch()
        self._wake()

    def _end(self) -> None:
        self._unwatch()
        if any(self._unfinished):  # a last line without its newline still counts
            self._lines.append(b"".join(self._unfinished))
            self._unfinished.clear()
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


class LineWriter:
    """Whole lines to a descriptor: at once where the pipe has room, else as the other side reads.

    Lines leave in the order of the calls, and a line once accepted is sent whole, even if the
    task that sent it was cancelled.
    """

    def __init__(self, fd: int, *, on_broken: Callable[[], None]) -> None:
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._on_broken = on_broken
        self._unsent = bytearray()
        self._drained = asyncio.Event()
        self._drained.set()
        self.broken = False
        """The other side has gone away; nothing can be written any more."""
        # A terminal shares its flags with the shell, and a file never blocks: both stay as they are.
        kind = os.fstat(fd).st_mode
        self._was_blocking = os.get_blocking(fd)
        self._patient = stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)
        if self._patient:
            os.set_blocking(fd, False)

    def write(self, line: bytes) -> None:
        """Send a line that ends in its newline, or keep what the pipe has no room for."""
        if self._unsent:
            self._unsent += line
            return
        sent = self._send(line)
        if sent < len(line) and not self.broken:
            self._unsent += memoryview(line)[sent:]
            self._drained.clear()
            self._loop.add_writer(self._fd, self._send_more)

    @property
    def congested(self) -> bool:
        """So much is unsent that a sender should wait for `drain()`."""
        return len(self._unsent) > HIGH_WATER_BYTES

    async def drain(self) -> None:
        """Wait until everything has been sent, or the other side has gone."""
        await self._drained.wait()

    def close(self) -> None:
        """Stop, with whatever is still unsent, and leave the descriptor as it was found."""
        if self._unsent:
            self._give_up()
        if self._patient:
            os.set_blocking(self._fd, self._was_blocking)

    def _send(self, data: bytes | bytearray) -> int:
        """Return how many bytes went out; none where the pipe is full or the other side has gone."""
        sent = 0
        try:
            sent = os.write(self._fd, data)
            while not self._patient and sent < len(data):
                sent += os.write(self._fd, memoryview(data)[sent:])
        except BlockingIOError:
            pass
        except OSError:  # EPIPE and its kin, and a full disk where stdout is a file
            self.broken = True
            self._on_broken()
        return sent

    def _send_more(self) -> None:
        sent = self._send(self._unsent)
        if self.broken:
            self._give_up()
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._fd)
            self._drained.set()

    def _give_up(self) -> None:
        self._loop.remove_writer(self._fd)
        self._unsent.clear()
        self._drained.set()


def _never_blocks(fd: int) -> bool:
    mode = os.fstat(fd).st_mode
    return stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and os.path.samestat(os.fstat(fd), Path(os.devnull).stat()))
