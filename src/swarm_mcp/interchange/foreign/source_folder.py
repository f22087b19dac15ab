"""A folder that another program wrote: which files of it are read, in what order, and what is left out."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from swarm_mcp.interchange.foreign.source_file import SIZE_LIMIT
from swarm_mcp.model.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ENTRIES_LIMIT = 200_000
"""Files and folders that are looked at. More is somebody's home, not a plan."""
FILES_LIMIT = 20_000
"""Files that are read."""
NUMBERS = re.compile(r"(\d+)")


class FolderFile(NamedTuple):
    """A file of a folder."""

    path: Path
    """Where it is read."""
    name: str
    """What sentences call it: its path below the folder, with slashes."""


def folder_files(folder: Path, endings: Collection[str], skipped: list[str]) -> list[FolderFile]:
    """The files with these endings in a folder and in those below it, in the order in which people count.

    Links to files are followed if they stay inside; links to folders never, so that nothing leads in a circle. A file
    with several names is read once. Folders whose names begin with a dot, or that may not be read, are left out.

    Args:
        folder: the folder, or a link to it.
        endings: `.md` and the like, in lower case.
        skipped: gets a sentence for whatever might have been meant and is left out.

    Raises:
        NotFound: there is no such folder.
        Invalid: it cannot be read, or holds too much.

    """
    name = folder.name or str(folder)
    try:
        root = Path(os.path.realpath(folder, strict=True))
        found = sorted(_files(root, endings, skipped, name), key=lambda each: _place(each.name))
    except FileNotFoundError:
        raise NotFound(f"There is no folder `{name}` in that place.") from None
    except OSError:
        raise Invalid(f"`{name}` cannot be read: the system refused.") from None
    except ValueError:  # a NUL character in the path
        raise Invalid("That is no path of a folder.") from None
    return list(_once(found, name, skipped))


def _files(root: Path, endings: Collection[str], skipped: list[str], name: str) -> Iterator[FolderFile]:
    seen = files = 0

    def unreadable(error: OSError) -> None:
        inside = os.path.relpath(error.filename or root, root)
        if inside == ".":
            raise error
        skipped.append(f"`{inside}` may not be read and was left out.")

    for place, folders, names in os.walk(root, onerror=unreadable):
        here = Path(place)
        seen += len(folders) + len(names)
        if seen > ENTRIES_LIMIT:
            raise Invalid(f"`{name}` holds more than {ENTRIES_LIMIT:,} files and folders; name one of its folders.")
        _tell_of_folders(root, here, folders, skipped)
        folders[:] = [each for each in folders if not each.startswith(".")]
        fitting = [here / each for each in names if Path(each).suffix.lower() in endings]
        files += len(fitting)
        if files > FILES_LIMIT:
            raise Invalid(f"`{name}` holds more than {FILES_LIMIT:,} such files; import its folders one by one.")
        for each in fitting:
            path, inside = _inside(root, each), each.relative_to(root).as_posix()
            if path is None:
                skipped.append(f"`{inside}` is a link that leads out of the folder or nowhere, and was not followed.")
            else:
                yield FolderFile(path, inside)


def _tell_of_folders(root: Path, here: Path, folders: list[str], skipped: list[str]) -> None:
    """Report those that are not gone into."""
    for each in sorted(folders):
        inside = (here / each).relative_to(root).as_posix()
        if each.startswith("."):
            skipped.append(f"`{inside}` is a hidden folder and was left out.")
        elif (here / each).is_symlink():
            skipped.append(f"`{inside}` is a link to a folder and was not followed.")


def _inside(root: Path, path: Path) -> Path | None:
    """The file itself, without links; None if it is not below the folder."""
    if not path.is_symlink():
        return path
    try:
        real = Path(os.path.realpath(path, strict=True))
    except OSError:  # nothing is there, or links lead in a circle
        return None
    return real if real.is_relative_to(root) else None


def _once(found: list[FolderFile], name: str, skipped: list[str]) -> Iterator[FolderFile]:
    """Each file once, however many names it has; the sizes of all are checked before one is read."""
    names: dict[tuple[int, int], str] = {}
    size = 0
    # A file goes by its own name rather than by that of a link to it.
    for each in sorted(found, key=lambda file: file.path.as_posix().endswith(file.name), reverse=True):
        about = each.path.stat()
        first = names.setdefault((about.st_dev, about.st_ino), each.name)
        if first != each.name:
            skipped.append(f"`{each.name}` is another name of `{first}` and was left out.")
        size += about.st_size if stat.S_ISREG(about.st_mode) else 0
    if size > SIZE_LIMIT:
        raise Invalid(f"The files in `{name}` have more than {SIZE_LIMIT // 2**20} MiB together. Import its folders.")
    kept = set(names.values())
    return (each for each in found if each.name in kept)


def _place(name: str) -> tuple[list[tuple[bool, int, str]], ...]:
    """Where a name sorts: number 2 before number 10, the files of a folder before its folders' files."""
    *folders, last = PurePosixPath(name).parts
    return (*map(_counted, folders), _counted(last))


def _counted(part: str) -> list[tuple[bool, int, str]]:
    words = NUMBERS.split(part.casefold())
    return [(each.isascii() and each.isdigit(), int(each) if _is_number(each) else 0, each) for each in words if each]


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 100  # noqa: PLR2004 - Python reads no endless numbers
