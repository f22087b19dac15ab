"""A file that another program wrote: read whole, or refused in a sentence."""

from __future__ import annotations

import codecs
import errno
import os
import stat
from json import detect_encoding
from typing import TYPE_CHECKING

from swarm_mcp.model.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE_LIMIT = 256 * 1024 * 1024
"""Bytes. A quarter of a gigabyte of tasks is a mistake, and would take several times that in memory."""
LINE_LIMIT = 16 * 1024 * 1024
"""Bytes of one record where every line is one."""


def read_source(path: Path) -> str:
    """The text of a file: UTF-8, or UTF-16 and UTF-32 as JSON allows them, without a byte order mark.

    Symbolic links are followed. The sentences name the file by its base name alone.

    Raises:
        NotFound: there is no such file.
        Invalid: no regular file, not readable, empty, too large, not text, or changed while it was read.

    """
    data = read_bytes(path)
    try:
        return data.decode(detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        name = path.name or str(path)
        raise Invalid(f"`{name}` is not text in UTF-8: byte {error.start + 1:,} belongs to no character.") from None


def read_bytes(path: Path) -> bytes:
    """The bytes of a file; otherwise as `read_source`.

    Raises:
        NotFound: there is no such file.
        Invalid: no regular file, not readable, empty, too large, or changed while it was read.

    """
    name = path.name or str(path)
    try:
        return _read(path, name)
    except FileNotFoundError:
        raise NotFound(f"There is no file `{name}` in that place.") from None
    except OSError as error:
        raise Invalid(f"`{name}` cannot be read: {_why(error)}.") from None
    except ValueError:  # a NUL character in the path
        raise Invalid("That is no path of a file.") from None


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a file in UTF-8, one after the other, without their ends.

    Raises:
        NotFound: there is no such file.
        Invalid: as for `read_source`, in the middle too; or a line is longer than `LINE_LIMIT`.

    """
    name = path.name or str(path)
    try:
        yield from _lines(path, name)
    except FileNotFoundError:
        raise NotFound(f"There is no file `{name}` in that place.") from None
    except OSError as error:
        raise Invalid(f"`{name}` cannot be read: {_why(error)}.") from None
    except ValueError:  # a NUL character in the path
        raise Invalid("That is no path of a file.") from None


def _lines(path: Path, name: str) -> Iterator[str]:
    before = path.stat()
    _check_kind(before, name)
    if not before.st_size:
        raise Invalid(f"`{name}` is empty.")
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    left = before.st_size
    with os.fdopen(os.open(path, flags), "rb") as source:
        _check_kind(os.fstat(source.fileno()), name)
        n = 0
        while left > 0 and (data := source.readline(LINE_LIMIT + 1)):
            n, left = n + 1, left - len(data)
            if len(data) > LINE_LIMIT:
                raise Invalid(f"`{name}`, line {n} has more than {LINE_LIMIT // 2**20} MiB. Split it.")
            try:
                yield data.removeprefix(codecs.BOM_UTF8).decode().rstrip("\r\n")
            except UnicodeDecodeError as error:
                where = f"byte {error.start + 1:,} of line {n} belongs to no character"
                raise Invalid(f"`{name}` is not text in UTF-8: {where}.") from None
    if left or moment_of(path.stat()) != moment_of(before):
        raise Invalid(f"`{name}` changed while it was read; import it again when nothing writes to it.")


def _read(path: Path, name: str) -> bytes:
    """All bytes, and the assurance that they are those of one moment."""
    before = path.stat()
    _check_kind(before, name)
    # Should a pipe have taken the file's place, opening must not wait for its other end.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as source:
        _check_kind(os.fstat(source.fileno()), name)
        data = source.read(before.st_size + 1)
    if len(data) != before.st_size or moment_of(path.stat()) != moment_of(before):
        raise Invalid(f"`{name}` changed while it was read; import it again when nothing writes to it.")
    if not data:
        raise Invalid(f"`{name}` is empty.")
    return data


def _check_kind(found: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise Invalid(f"`{name}` is a folder; name a file in it.")
    if not stat.S_ISREG(found.st_mode):
        raise Invalid(f"`{name}` is a device, a pipe or a socket, not a file.")
    if found.st_size > SIZE_LIMIT:
        raise Invalid(f"`{name}` has more than {SIZE_LIMIT // 2**20} MiB, which is too much for a plan. Split it.")


def moment_of(found: os.stat_result) -> tuple[int, int, int, int]:
    """What differs when a file was written to or another took its place."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _why(error: OSError) -> str:
    reasons = {
        errno.EACCES: "you may not read it",
        errno.EPERM: "you may not read it",
        errno.ELOOP: "its symbolic links lead in a circle",
        errno.ENOTDIR: "part of its path is not a folder",
        errno.ENAMETOOLONG: "its path is too long",
    }
    return reasons.get(error.errno or 0, "the system refused")
