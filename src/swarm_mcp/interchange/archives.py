"""Finished tasks as files: `task_{id}_{time}.tar.gz`, with our lines of a task and everything below it.

An archive from elsewhere is read as a stream: nothing is unpacked, and the one member that counts is read like any
other file of lines. Everything that an archive could do beyond that is refused.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from swarm_mcp.interchange import swarm_source
from swarm_mcp.interchange.writing import swarm as lines
from swarm_mcp.model.errors import Invalid, NotFound, Unavailable
from swarm_mcp.model.record import Answer
from swarm_mcp.operations.archiving import archive_finished
from swarm_mcp.repository import tasks
from swarm_mcp.repository.disk import sync
from swarm_mcp.repository.whole import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import timedelta
    from typing import BinaryIO

    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction

MEMBER = "swarm.jsonl"
BLOCK = 512
MEMBERS = 16
"""More than this no archive of ours has by far."""
SIZE_LIMIT = 1 << 30
"""Bytes, unpacked."""


class Archived(Answer):
    """What was put away."""

    tasks: int = 0
    topmost: list[str] = []
    """The tasks under which all of them are."""
    files: list[str] = []
    """The base names of the archives, one for each of these."""


def archive(
    swarm: Swarm,
    *,
    older_than: timedelta,
    folder: Path | None = None,
    told: Callable[[int], None] = lambda _: None,
    via: str = "script",
) -> Archived:
    """Archive what was finished so long ago, and write it out if there is a folder for it.

    The files are whole and on disk before the board says that the tasks are archived. The folder is made if the one
    around it is there.

    Raises:
        NotFound: there is no such place.
        Unavailable: a file cannot be written; nothing was archived.

    """
    if folder is not None and not folder.absolute().parent.is_dir():
        raise NotFound(f"There is no folder in which `{folder.name or folder}` could be, for the archives.")
    written: list[Path] = []

    def change(db: Transaction) -> Archived:
        _forget(written)
        before = _archived(db)
        topmost = archive_finished(db, older_than=older_than)
        count = _archived(db) - before
        if folder is not None and topmost:
            try:
                _write_all(db, folder, topmost, written, told)
            except OSError as error:
                why = error.strerror or "the system refused"
                raise Unavailable(f"Nothing was archived: its file cannot be written ({why}).") from error
        files = [path.name for path in written]
        what = f"{count:,} {'task' if count == 1 else 'tasks'}"
        where = f" and wrote {len(files):,} {'file' if len(files) == 1 else 'files'}" if files else ""
        return Archived(message=f"Archived {what}{where}.", tasks=count, topmost=topmost, files=files)

    try:
        return swarm.write(change, via=via)
    except BaseException:
        _forget(written)
        raise


def _archived(db: Transaction) -> int:
    return sum(tasks.tallies(db, archived=True).values())


def _forget(written: list[Path]) -> None:
    for path in written:
        path.unlink(missing_ok=True)
    written.clear()


def _write_all(
    db: Transaction, folder: Path, topmost: list[str], written: list[Path], told: Callable[[int], None]
) -> None:
    everybody = lines.everybody(db)
    folder.mkdir(exist_ok=True)
    for task in topmost:
        path = folder / f"task_{task}_{db.now:%Y%m%dT%H%M%SZ}.tar.gz"
        with open(path, "xb", opener=lines.private) as target:
            written.append(path)
            _write(db, target, task, everybody)
        sync(path)
        told(1)
    sync(folder)


def _write(db: Transaction, target: BinaryIO, task: str, everybody: lines.Everybody) -> None:
    with TemporaryFile() as plain:
        text = io.TextIOWrapper(plain, encoding="utf-8", newline="\n")
        lines.write_lines(db, text, Scope(task), lambda _: None, everybody)
        text.detach()
        about = tarfile.TarInfo(MEMBER)
        about.size = plain.seek(0, io.SEEK_END)
        about.mtime = int(db.now.timestamp())
        about.mode = 0o600
        plain.seek(0)
        with (
            gzip.GzipFile(filename="", fileobj=target, mode="wb", mtime=about.mtime) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.USTAR_FORMAT) as archive,
        ):
            archive.addfile(about, plain)


@contextmanager
def opened(path: Path) -> Generator[BinaryIO]:
    """The lines in an archive.

    Raises:
        NotFound: there is no such file.
        Invalid: it is no archive of ours, damaged, or tries something.

    """
    name = path.name
    with swarm_source.opened(path) as source, gzip.GzipFile(fileobj=source, mode="rb") as unpacked:
        archive = _Archive(unpacked, name)
        if not archive.find():
            raise Invalid(f"`{name}` is no archive of ours: there is no `{MEMBER}` in it.")
        yield io.BufferedReader(archive, 1 << 20)  # type: ignore[misc]
        while archive.find():
            raise Invalid(f"`{name}` has `{MEMBER}` twice.")


class _Archive(io.RawIOBase):
    """The member of an archive that counts, as a file. The others are passed over, and may be folders alone."""

    def __init__(self, source: gzip.GzipFile, name: str) -> None:
        self._source = source
        self._name = name
        self._left = self._padding = 0
        self._read_so_far = 0
        self._members = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read on in the member; what is damaged is a sentence."""
        data = self._take(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def find(self) -> bool:
        """Go to the next member of that name; whether there is one."""
        while True:
            self._skip(self._left + self._padding)
            block = self._take(BLOCK)
            if not block.strip(b"\0"):  # the end, or what tar fills its last record with
                self._skip_rest()
                return False
            if self._open(block):
                return True

    def _open(self, block: bytes) -> bool:
        try:
            about = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.HeaderError, ValueError):
            raise self._damaged() from None
        self._members += 1
        if self._members > MEMBERS:
            raise Invalid(f"`{self._name}` holds more than {MEMBERS} files, and an archive of ours one.")
        parts = about.name.split("/")
        if about.name.startswith("/") or ".." in parts or "\\" in about.name or not (about.isreg() or about.isdir()):
            raise Invalid(f"`{self._name}` holds something else than plain files of its own; nothing was imported.")
        size = 0 if about.isdir() else about.size
        if not 0 <= size <= SIZE_LIMIT:
            raise self._too_much()
        self._left, self._padding = size, -size % BLOCK
        return about.isreg() and parts[-1] == MEMBER

    def _take(self, size: int) -> bytes:
        try:
            data = self._source.read(size) if size else b""
        except (OSError, EOFError, zlib.error):
            raise self._damaged() from None
        if size and not data and self._left:
            raise self._damaged()
        self._read_so_far += len(data)
        if self._read_so_far > SIZE_LIMIT:
            raise self._too_much()
        return data

    def _skip(self, size: int) -> None:
        while size:
            data = self._take(min(size, 1 << 16))
            if not data:
                raise self._damaged()
            size -= len(data)
        self._left = self._padding = 0

    def _skip_rest(self) -> None:
        """Read what is left, at the end of which the sum of everything is."""
        while data := self._take(1 << 16):
            if data.strip(b"\0"):
                raise self._damaged()

    def _damaged(self) -> Invalid:
        return Invalid(f"`{self._name}` is damaged, or no tar.gz at all; nothing was imported.")

    def _too_much(self) -> Invalid:
        return Invalid(f"`{self._name}` unpacks to more than {SIZE_LIMIT >> 30} GiB; nothing was imported.")
