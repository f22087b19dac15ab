"""What Task Orchestrator keeps in files beside its database: which of them are read, and whose they are."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from swarm_mcp.interchange.foreign.source_file import SIZE_LIMIT, read_bytes
from swarm_mcp.model.errors import Invalid, NotFound
from swarm_mcp.model.strict_json import storable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATABASE = "tasks.db"
HOME = ".task-orchestrator"
ENTRIES_LIMIT = 1_000_000
OTHERS_SHOWN = 10
READ = frozenset({DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "contexts", "notes", "archives", "templates"})
SEPARATOR = re.compile(r"(?:\A|\n\n)---\n(\d{4}-\d{2}-\d{2}T[0-9:.]+(?:[+-][0-9:]+|Z)?)\n")
"""What stands between one note and the next, with the time of that."""
HEAD = re.compile(r"\A# Task Notes: [^\n]*\n## Agent: [^\n]*\n## Updated: ([^\n]*)\n\n?")
"""What notes begin with in the documented layout of 2.3."""


@dataclass(slots=True)
class Folder:
    """A store's folder. Links in it are not followed, whoever made them."""

    root: Path
    skipped: list[str] = field(default_factory=list[str])
    left: int = SIZE_LIMIT
    """How many bytes may still be read."""

    def names(self, folder: str) -> list[str]:
        """The names of the plain files in one of its folders, sorted; none if it has no such folder."""
        path = self.root / folder
        if path.is_symlink():
            self.skipped.append(f"`{folder}` is a symbolic link and was not followed.")
            return []
        try:
            with os.scandir(path) as found:
                return sorted(self._plain(folder, found))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError:
            raise Invalid(f"`{folder}` cannot be read: the system refused.") from None

    def _plain(self, folder: str, found: Iterator[os.DirEntry[str]]) -> Iterator[str]:
        for n, each in enumerate(found):
            if n > ENTRIES_LIMIT:
                raise Invalid(f"`{folder}` holds more than {ENTRIES_LIMIT:,} files, which is too much for a plan.")
            if each.is_symlink():
                self.skipped.append(f"`{folder}/{_shown(each.name)}` is a symbolic link and was not followed.")
            elif not each.name.isprintable():
                self.skipped.append(f"`{folder}/{_shown(each.name)}` has no readable name and was left out.")
            elif each.is_file(follow_symlinks=False):
                yield each.name
            else:
                self.skipped.append(f"`{folder}/{_shown(each.name)}` is no file and was left out.")

    def content(self, folder: str, name: str) -> bytes:
        """The bytes of a file, which may be none.

        Raises:
            Invalid: it cannot be read, or all of them together are too large.

        """
        path = self.root / folder / name
        if path.is_symlink():  # it was none a moment ago
            raise Invalid(f"`{folder}/{_shown(name)}` became a symbolic link while it was read.")
        try:
            size = path.stat().st_size
            data = read_bytes(path) if size else b""
        except (OSError, NotFound):
            raise Invalid(f"`{folder}/{_shown(name)}` cannot be read: it went away or the system refused.") from None
        self.left -= size
        if self.left < 0:
            raise Invalid(f"The files in `{self.root.name}` have more than {SIZE_LIMIT // 2**20} MiB together.")
        return data

    def text(self, folder: str, name: str) -> str:
        """The text of a file.

        Raises:
            Invalid: as `content`, or it is not UTF-8.

        """
        return as_text(self.content(folder, name), f"{folder}/{_shown(name)}")

    def others(self) -> None:
        """Report what else lies there."""
        try:
            found = sorted(_shown(each.name) for each in self.root.iterdir() if each.name not in READ)
        except OSError:
            return
        if found:
            more = f" and {len(found) - OTHERS_SHOWN} more" if len(found) > OTHERS_SHOWN else ""
            names = ", ".join(f"`{each}`" for each in found[:OTHERS_SHOWN])
            self.skipped.append(f"What else lies in the folder holds no tasks and was left out: {names}{more}.")


def located(path: Path) -> tuple[Folder, Path]:
    """The folder of a store, and its database.

    Raises:
        NotFound: there is none in the folder.
        Invalid: it is a link.

    """
    if not path.is_dir():
        return Folder(path.parent), path
    root = path / HOME if not (path / DATABASE).exists() and (path / HOME).is_dir() else path
    file = root / DATABASE
    if file.is_symlink():
        raise Invalid(f"`{DATABASE}` is a symbolic link; name the file that it leads to, or copy it into its place.")
    if not file.exists():
        raise NotFound(f"There is no file `{DATABASE}` in `{path.name or path.resolve().name}`.")
    return Folder(root), file


def as_text(data: bytes, name: str) -> str:
    """Bytes as text without a byte order mark, lines ended as on Unix, and everything storable.

    Raises:
        Invalid: they are not UTF-8.

    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"`{name}` is not text in UTF-8: byte {error.start + 1:,} belongs to no character.") from None
    clean, _ = storable(text.replace("\r\n", "\n"))
    return str(clean)


def owner(stem: str, ids: dict[str, str]) -> tuple[str, str] | None:
    """The ref and the agent that a name such as `9fe14424_backend_dev` stands for; None where no task is called so."""
    parts = stem.split("_")
    for n in range(len(parts) - 1, 0, -1):
        name = "_".join(parts[:n])
        if name in ids:
            return ids[name], "_".join(parts[n:])
    return None


def split_notes(text: str) -> Iterator[tuple[str, str]]:
    """The notes of one file, each with its time as it stands there; empty is unknown."""
    head = HEAD.match(text)
    at = head[1] if head is not None else ""
    first, *rest = SEPARATOR.split(text[head.end() if head is not None else 0 :])
    for when, words in ((at, first), *zip(rest[::2], rest[1::2], strict=True)):
        if words.strip():
            yield when, words


def _shown(name: str) -> str:
    """A file's name as it may stand in a sentence."""
    shown = os.fsencode(name).decode(errors="replace").replace("`", "'")[:100]
    return "".join(each if each.isprintable() else "\ufffd" for each in shown)
