"""A terminal of a given width, in the place of this process's own input and output while a command runs in it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
OVERRULING = ("COLUMNS", "LINES")
"""What in the environment would say something else than the terminal does; somebody else's test may have left it."""
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal would obey."""


class Screen:
    """What was shown on a terminal."""

    def __init__(self) -> None:
        self.raw = ""

    @property
    def text(self) -> str:
        """The lines without their colours, and without the blanks at their ends."""
        return "\n".join(line.rstrip() for line in COLOUR.sub("", self.raw).split("\n"))

    @property
    def obeyed(self) -> list[str]:
        """Characters besides our colours that would do something to a terminal."""
        return OBEYED.findall(COLOUR.sub("", self.raw))


@contextmanager
def terminal(columns: int, typed: str = "") -> Iterator[Screen]:
    """Let input and output be a terminal of so many columns, at which somebody types these words."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    settings = termios.tcgetattr(slave)
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, settings)
    os.write(master, typed.encode())
    screen, heard = Screen(), bytearray()

    def listen() -> None:
        while True:
            try:
                some = os.read(master, 65536)
            except OSError:  # nobody has the other end any more
                return
            if not some:
                return
            heard.extend(some)

    listener = threading.Thread(target=listen)
    listener.start()
    overruling = {name: os.environ.pop(name) for name in OVERRULING if name in os.environ}
    kept, streams = (os.dup(0), os.dup(1)), (sys.stdin, sys.stdout)
    sys.stdout.flush()
    os.dup2(slave, 0)
    os.dup2(slave, 1)
    try:
        with (
            open(slave, encoding="utf-8", closefd=False) as sys.stdin,
            open(slave, "w", encoding="utf-8", closefd=False) as sys.stdout,
        ):
            yield screen
    finally:
        sys.stdin, sys.stdout = streams
        for n, descriptor in enumerate(kept):
            os.dup2(descriptor, n)
            os.close(descriptor)
        os.close(slave)
        os.environ.update(overruling)
        listener.join()
        os.close(master)
        screen.raw = heard.decode().replace("\r\n", "\n")
