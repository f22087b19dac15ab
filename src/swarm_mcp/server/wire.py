"""The wire: the descriptors that carry the protocol, taken out of everybody else's reach.

Whatever prints, whatever a library writes to descriptor 1 and whatever a child process echoes goes
to stderr instead, and a child that reads its stdin finds it empty. Nothing but the standard library
is imported here, so that the command line can divert before it imports anything heavy.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TextIO

STDIN, STDOUT, STDERR = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Wire:
    """Private duplicates of the descriptors that the host reads from and writes to."""

    incoming: int
    outgoing: int
    _stdout: TextIO | None

    def restore(self) -> None:
        """Put both back on 0 and 1, for a transport that guards them itself."""
        global _wire  # noqa: PLW0603 - a process has one descriptor 1, hence one wire
        os.dup2(self.incoming, STDIN)
        os.dup2(self.outgoing, STDOUT)
        os.close(self.incoming)
        os.close(self.outgoing)
        if self._stdout is not None:
            sys.stdout = self._stdout
        _wire = None


_wire: Wire | None = None


def divert_stdout() -> Wire:
    """Move the wire to private descriptors; afterwards 1 is stderr and 0 is the null device.

    Call it as early as possible; calling it again gives the same wire. Descriptors that the host
    closed are taken for the null device: an empty stdin, and a stdout that nobody reads.
    """
    global _wire  # noqa: PLW0603 - a process has one descriptor 1, hence one wire
    if _wire is None:
        incoming = _private(STDIN, os.O_RDONLY)
        outgoing = _private(STDOUT, os.O_WRONLY)
        stdout: TextIO | None = sys.stdout  # None where the host closed it
        _replace(STDIN, os.open(os.devnull, os.O_RDONLY))
        _replace(STDOUT, _private(STDERR, os.O_WRONLY))
        sys.stdout = sys.stderr
        _wire = Wire(incoming, outgoing, stdout)
    return _wire


def _private(fd: int, mode: int) -> int:
    """Duplicate onto a descriptor above the standard three, closed in children."""
    try:
        return _above_standard(fd)
    except OSError:
        null = os.open(os.devnull, mode)
        try:
            return _above_standard(null)
        finally:
            os.close(null)


def _above_standard(fd: int) -> int:
    if sys.platform == "win32":
        return os.dup(fd)
    import fcntl  # noqa: PLC0415 - not there on Windows

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, STDERR + 1)


def _replace(fd: int, by: int) -> None:
    """Make `fd` what `by` is, inherited by children, and let go of `by`."""
    if by == fd:  # the host had closed it, so that open() gave out its number
        os.set_inheritable(fd, True)
        return
    os.dup2(by, fd)
    os.close(by)
