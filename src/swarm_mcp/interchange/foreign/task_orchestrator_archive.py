"""Task Orchestrator's archives: the shared context and the notes of a completed task, read without unpacking them.

`archives/task_{id}_{time}.tar.gz` holds `task_{id}_{time}/context.json` (`context.yaml` in older versions) and
`task_{id}_{time}/notes/{id}_{agent}.md`. The task itself usually stays in the database.
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, cast

from swarm_mcp.interchange.foreign.task_orchestrator_folder import as_text
from swarm_mcp.interchange.foreign.yaml_text import parse_yaml
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.strict_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = re.compile(r"task_(?P<id>.+)_(?P<time>\d{8}_\d{6})\.tar\.gz")
UNPACKED_LIMIT = 32 * 1024 * 1024
"""Bytes of one archive, unpacked; it holds a few notes."""
MEMBERS_LIMIT = 1000


@dataclass(slots=True)
class Archive:
    """What an archive holds."""

    name: str
    task: str
    """The id of the task that it is about."""
    at: datetime | None
    """When it was made, as its name says: without a zone."""
    context: dict[str, object] = field(default_factory=dict[str, object])
    notes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The names of the files without their ending, and their texts."""
    others: list[str] = field(default_factory=list[str])
    """What else is in it."""


def read_archive(name: str, data: bytes) -> Archive | None:
    """An archive's content; None if its name is none of an archive.

    Raises:
        Invalid: it is damaged, holds too much, or holds what leads out of it.

    """
    named = NAME.fullmatch(name)
    if named is None:
        return None
    archive = Archive(name, named["id"], _time(named["time"]))
    for path, content in _members(name, data):
        folder, _, last = path.rpartition("/")
        where = f"archives/{name}: {last}"
        if last in {"context.json", "context.yaml"}:
            text = as_text(content, where)
            value = parse_json(text, where)[0] if last.endswith(".json") else parse_yaml(text, where)
            if not isinstance(value, dict):
                raise Invalid(f"`{where}` is no object.")
            archive.context.update(cast("dict[str, object]", value))
        elif last.endswith(".md") and folder.endswith("/notes"):
            archive.notes.append((last.removesuffix(".md"), as_text(content, where)))
        else:
            archive.others.append(path)
    return archive


def _time(words: str) -> datetime | None:
    try:
        return datetime.strptime(words, "%Y%m%d_%H%M%S")  # noqa: DTZ007 - whoever asks knows the zone
    except ValueError:
        return None


def _members(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The files in it by their paths."""
    try:
        with tarfile.open(fileobj=BytesIO(_unpacked(name, data)), mode="r:") as tar:
            for n in range(MEMBERS_LIMIT + 1):
                member = tar.next()
                if member is None:
                    return
                if n == MEMBERS_LIMIT:
                    break
                _check(name, member)
                if member.isreg():
                    file = tar.extractfile(member)
                    yield member.name, file.read() if file is not None else b""
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, RecursionError, IndexError):
        raise Invalid(f"`archives/{name}` is damaged or no archive.") from None
    raise Invalid(f"`archives/{name}` holds more than {MEMBERS_LIMIT:,} files, which no archive of a task does.")


def _unpacked(name: str, data: bytes) -> bytes:
    """All of it, unless it is a bomb."""
    try:
        with gzip.open(BytesIO(data)) as packed:
            found = packed.read(UNPACKED_LIMIT + 1)
    except (OSError, EOFError, zlib.error, ValueError):
        raise Invalid(f"`archives/{name}` is damaged or no archive.") from None
    if len(found) > UNPACKED_LIMIT:
        raise Invalid(
            f"`archives/{name}` has more than {UNPACKED_LIMIT // 2**20} MiB when unpacked; that is no archive."
        )
    return found


def _check(name: str, member: tarfile.TarInfo) -> None:
    """Refuse what could lead elsewhere, or grow."""
    parts = member.name.replace("\\", "/").split("/")
    if member.name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise Invalid(f"`archives/{name}` holds a name that leads out of it; nothing of it was read.")
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise Invalid(f"`archives/{name}` holds a link or a device; nothing of it was read.")
    if not 0 <= member.size <= UNPACKED_LIMIT:
        raise Invalid(f"`archives/{name}` is damaged or no archive.")
