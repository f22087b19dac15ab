"""Another program's SQLite file, read from a copy: it stays as it is, and nothing that it says is run.

The copy has the write-ahead log with it, so that what was committed last is there, and what SQLite makes beside an
open file is made beside the copy. Only plain columns of plain tables are read: views, virtual tables and computed
columns could make a small file an endless one.
"""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.foreign.source_file import moment_of, read_bytes
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.strict_json import storable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

HEADER = b"SQLite format 3\x00"
UNFINISHED = bytes.fromhex("d9d505f920a163d7")
"""The beginning of a rollback journal that is in force."""
STEP = 100_000
STEPS = 20_000
"""Two thousand million steps of SQLite's machine: a minute, and more than any real file needs."""
HARMLESS = ("NULL value in ", "NUMERIC value in ", "TEXT value in ")
"""What a check of the file minds about values, which are looked at one by one anyway."""
SCHEMA = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND substr(name, 1, 7) <> 'sqlite_'"


@dataclass(slots=True)
class Tables:
    """What an open copy holds."""

    name: str
    """The base name of the file."""
    columns: dict[str, list[str]]
    """The names of the columns by table, as they are spelt."""
    unclean: int = 0
    """How many texts held something that cannot be stored, which became U+FFFD."""
    _connection: Any = field(default=None, repr=False)

    def rows(self, table: str) -> Iterator[dict[str, object]]:
        """The rows of a table, or of one that is not there: JSON values by column, in the order of the file.

        Raises:
            Invalid: the file is damaged there.

        """
        if table not in self.columns:
            return
        columns = ", ".join(map(_quoted, self.columns[table]))
        with _translated(self.name):
            for row in self._connection.execute(f"SELECT {columns} FROM {_quoted(table)}"):  # noqa: S608 - names, quoted
                yield {name: self._plain(value) for name, value in zip(self.columns[table], row, strict=True)}

    def decode(self, data: bytes) -> str:
        """Text as SQLite keeps it, whatever it is."""
        try:
            return data.decode()
        except UnicodeDecodeError:
            self.unclean += 1
            return data.decode(errors="replace")

    def _plain(self, value: object) -> object:
        if isinstance(value, str):
            clean, changed = storable(value)
            self.unclean += changed
            return clean
        if isinstance(value, bytes):
            try:
                return self._plain(value.decode())
            except UnicodeDecodeError:
                return f"0x{value.hex()}"
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def opened(path: Path) -> Generator[Tables]:
    """A copy of a SQLite file, checked and open until the end of the block.

    Raises:
        NotFound: there is no such file.
        Invalid: it cannot be read, is no SQLite file, is damaged, or is being written to.

    """
    with TemporaryDirectory(prefix="swarm-import-") as folder:
        copy = Path(folder) / "copy.db"
        _copy(path, copy)
        with closing(_connect(copy, path.name)) as connection:
            tables = Tables(path.name, {}, _connection=connection)
            connection.text_factory = tables.decode
            with _translated(path.name):
                for name, sql in connection.execute(SCHEMA).fetchall():
                    if not str(sql).upper().startswith("CREATE VIRTUAL"):
                        tables.columns[name] = _columns(connection, name, path.name)
                _check(connection, path.name)
            yield tables


def _copy(path: Path, copy: Path) -> None:
    """A file with its log, both of one moment."""
    log, journal = (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-journal"))
    data = read_bytes(path)
    if not data.startswith(HEADER):
        raise Invalid(f"`{path.name}` is no SQLite file.")
    before = moment_of(path.stat())
    copy.write_bytes(data)
    if _has_content(log, path.name):
        copy.with_name(f"{copy.name}-wal").write_bytes(read_bytes(log))
    if _has_content(journal, path.name) and read_bytes(journal).startswith(UNFINISHED):
        # Not copied: SQLite, finishing it, would believe whatever file names a journal holds.
        raise Invalid(
            f"`{path.name}` has a change that was not finished. Let its own program open it once, then import again."
        )
    try:
        same = moment_of(path.stat()) == before
    except OSError:
        same = False
    if not same:
        raise Invalid(f"`{path.name}` changed while it was read; import it again when nothing writes to it.")


def _has_content(path: Path, name: str) -> bool:
    if path.is_symlink():
        raise Invalid(f"`{path.name}` beside `{name}` is a symbolic link, which SQLite never makes.")
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _connect(copy: Path, name: str) -> sqlite3.Connection:
    with _translated(name):
        connection = sqlite3.connect(f"{copy.as_uri()}?mode=rw", uri=True)
        turns = count()
        connection.set_progress_handler(lambda: next(turns) > STEPS, STEP)
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "ignore_check_constraints = ON"):
            connection.execute(f"PRAGMA {pragma}")
    return connection


def _check(connection: sqlite3.Connection, name: str) -> None:
    """Look at every page once, so that none is read twice and again without end."""
    connection.execute("PRAGMA query_only = ON")
    found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(10)")]
    if any(each != "ok" and not each.startswith(HARMLESS) for each in found):
        raise _damaged(name)


def _columns(connection: sqlite3.Connection, table: str, name: str) -> list[str]:
    found = connection.execute(f"PRAGMA table_xinfo({_quoted(table)})").fetchall()
    if any(hidden for *_, hidden in found):
        raise Invalid(f"`{name}` has computed columns in `{table[:40]}`; import a file with values.")
    return [str(column[1]) for column in found]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _translated(name: str) -> Generator[None]:
    """What the library minds, in a sentence."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            raise Invalid(f"`{name}` takes too long to read; it is no plan that people work by.") from None
        raise _damaged(name) from None
    except (sqlite3.Error, OverflowError, ValueError):  # its messages quote what may be no text
        raise _damaged(name) from None


def _damaged(name: str) -> Invalid:
    return Invalid(f"`{name}` is damaged or incomplete: SQLite cannot read all of it.")
