"""A file of our lines, read one by one: a header, rows in their order, and the end, or a sentence about the line."""

from __future__ import annotations

import json
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from swarm_mcp.interchange.swarm_lines import END, FORMAT, HEADER, VERSION, LineReader, storable
from swarm_mcp.model.errors import CycleRefused, Invalid, NotFound, Refusal
from swarm_mcp.repository.kinds import KINDS, PROJECT

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from typing import BinaryIO

LINE_LIMIT = 64 * 1024 * 1024
"""Bytes. Nobody's task is as long, and a line has to fit into memory several times."""


class Line(dict[str, Any]):
    """A row by its columns, which knows where it was said."""

    __slots__ = ("number",)

    def __init__(self, number: int, row: dict[str, Any]) -> None:
        super().__init__(row)
        self.number = number


@contextmanager
def opened(path: Path) -> Generator[BinaryIO]:
    """A file of lines, however long it is.

    Raises:
        NotFound: there is no such file.
        Invalid: it is no file, or may not be read.

    """
    name = path.name or str(path)
    try:  # should it be a pipe, opening must not wait for its other end
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise NotFound(f"There is no file `{name}` in that place.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "that is no path of a file"
        raise Invalid(f"`{name}` cannot be read: {why}.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Invalid(f"`{name}` is a folder, a device or a pipe, not a file.")
    with os.fdopen(descriptor, "rb", buffering=1 << 20) as source:
        yield source


class Source:
    """What a stream of bytes says, from its header on."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self._number = 0
        self._counts = dict.fromkeys(KINDS, 0)
        header = self._read()
        if header is None:
            raise Invalid(f"`{name}` is empty.")
        if header.get("row") != HEADER or header.get("format") != FORMAT:
            raise Invalid(f"`{name}` is no board: its first line is not the header of {FORMAT}.")
        self._check(header)
        self.project: dict[str, Any] = self._row(LineReader(PROJECT), header["project"])
        self.is_part = "part" in header
        """Whether it is a part of a board, so that it may name what is not in it."""
        self.expected: dict[str, int] = header["counts"]
        self.rows = sum(self.expected.values())

    def _check(self, header: dict[str, Any]) -> None:
        version = header.get("version")
        if type(version) is not int or version < 1:
            self.refuse("the header says no version.")
        if version > VERSION:
            self.refuse(
                f"it is of version {version} of the format, and this program knows {VERSION}. Upgrade swarm-mcp."
            )
        counts = header.get("counts")
        if not isinstance(counts, dict) or not all(type(each) is int and each >= 0 for each in counts.values()):
            self.refuse("the header does not count what follows.")
        strange = next((name for name in counts if name not in self._counts), None)
        if strange is not None:
            self.refuse(f"the header counts `{strange[:40]}`, of which this program knows nothing.")
        if not isinstance(header.get("project"), dict):
            self.refuse("the header does not tell the project.")

    def batches(self, size: int) -> Iterator[tuple[str, list[Line]]]:
        """The rows, so many of one kind at a time.

        Raises:
            Invalid: something that is no row, kinds out of their order, or no end.

        """
        readers = {name: LineReader(kind) for name, kind in KINDS.items()}
        name, batch = next(iter(readers)), list[Line]()
        while True:
            said = self._read()
            if said is None:
                self._refuse_end()
            kind = str(said.get("row"))
            if kind == END:
                break
            if kind != name:
                self._check_order(kind, name)
            if batch and (kind != name or len(batch) >= size):
                yield name, batch
                batch = []
            name = kind
            batch.append(Line(self._number, self._row(readers[kind], said)))
            self._counts[kind] += 1
        if batch:
            yield name, batch
        self._check_end(said)

    def _check_order(self, kind: str, last: str) -> None:
        """Refuse what is no kind of row, or does not come after the last one."""
        order = list(KINDS)
        if kind not in order:
            self.refuse(f"there is no kind of row called `{kind[:40]}`.")
        if order.index(kind) < order.index(last):
            self.refuse(f"`{kind}` comes before `{last}`.")

    def _check_end(self, said: dict[str, Any]) -> None:
        """Refuse a file that has other rows than its header tells."""
        if any(self.expected.get(each, 0) != count for each, count in self._counts.items()):
            self._refuse_end()
        if said.get("rows") != self.rows or self._stream.read(1):
            self.refuse("the end does not agree with the header.")

    def refuse(self, words: str, number: int = 0) -> NoReturn:
        """Refuse the file for what a line says."""
        raise Invalid(f"Nothing was imported from `{self._name}`, line {number or self._number:,}: {words}")

    def refuse_all(self, words: str) -> NoReturn:
        """Refuse the file for what several lines say together."""
        raise CycleRefused(f"Nothing was imported from `{self._name}`: {words}")

    def _refuse_end(self) -> NoReturn:
        there = sum(self._counts.values())
        raise Invalid(
            f"Nothing was imported: `{self._name}` is not whole. Its header tells of {self.rows:,} rows, "
            f"and {there:,} are there. Export the board again."
        )

    def _row(self, reader: LineReader, said: dict[str, Any]) -> dict[str, Any]:
        try:
            return reader.row(said)
        except Refusal as refusal:
            self.refuse(refusal.message)

    def _read(self) -> dict[str, Any] | None:
        """The object of the next line; None at the end of the file."""
        data = self._stream.readline(LINE_LIMIT + 1)
        if not data:
            return None
        self._number += 1
        if len(data) > LINE_LIMIT:
            self.refuse(f"it is longer than {LINE_LIMIT // 2**20} MiB.")
        try:
            said = _decode(data.decode())
        except UnicodeDecodeError:
            self.refuse("it is not text in UTF-8.")
        except RecursionError:
            self.refuse("lists are nested too deeply in it.")
        except ValueError:
            if self._number > 1 and not data.endswith(b"\n"):  # cut off in the middle
                self._refuse_end()
            self.refuse("it is not JSON.")
        if not isinstance(said, dict):
            self.refuse("it is no JSON object.")
        if b"\\u" in data and not storable(said):  # as itself, JSON allows neither
            self.refuse("it has a NUL character or half a surrogate pair, which no database keeps.")
        return said


def _no_number(words: str) -> NoReturn:
    raise ValueError(words)


def _finite(words: str) -> float:
    number = float(words)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(words)
    return number


_decode = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite).decode
