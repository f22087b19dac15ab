"""Whether a folder is a store that we wrote: what else it holds is somebody's, and must not be replaced."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from swarm_mcp.interchange.writing.task_orchestrator import schema
from swarm_mcp.model.ids import NAME, TASK_ID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATABASE = "tasks.db"
FILES = frozenset({DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"})
"""The database, with what that program leaves beside it."""
FOLDERS = {
    "contexts": re.compile(rf"{TASK_ID.pattern}(?:\.yaml|_progress\.jsonl)"),
    "notes": re.compile(rf"{TASK_ID.pattern}_{NAME.pattern}\.md"),
    "archives": re.compile(rf"task_{TASK_ID.pattern}_\d{{8}}_\d{{6}}\.tar\.gz"),
}
"""How the files in each folder are called."""
TABLES = frozenset(re.findall(r"CREATE TABLE (\w+)", schema.TABLES))


def strangers(folder: Path) -> list[str]:
    """What in a folder is none of a store that we wrote, by name; its database too, if it is another one."""
    return sorted(_strangers(folder))


def _strangers(folder: Path) -> Iterator[str]:
    found = {each.name: each for each in folder.iterdir()}
    database = found.get(DATABASE)
    if database is None or database.is_symlink() or TABLES - _tables(database):
        yield from found
        return
    for name, each in found.items():
        inside = FOLDERS.get(name)
        if inside is not None and each.is_dir() and not each.is_symlink():
            yield from (f"{name}/{file.name}" for file in each.iterdir() if not _is_called(file, inside))
        elif name not in FILES or not each.is_file() or each.is_symlink():
            yield name


def _is_called(file: Path, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(file.name) is not None and file.is_file() and not file.is_symlink()


def _tables(database: Path) -> set[str]:
    """The tables of a database; none if it is no such file. Nothing is made beside it."""
    address = f"{database.absolute().as_uri()}?mode=ro&immutable=1"
    if not database.is_file():
        return set()
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:
        return set()
