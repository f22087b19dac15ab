"""Transactions: what is committed stays, what fails leaves nothing, and a failure is one readable sentence."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Integer, String, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from swarm_mcp.model.errors import Busy, Conflict, Unavailable
from swarm_mcp.repository.database import Database, Transaction
from swarm_mcp.repository.sqlite import APPLICATION_ID, driver

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from conftest import Clock


class Base(DeclarativeBase):
    """The schema of these tests."""


class CounterRow(Base):
    """Something to write."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String, primary_key=True)
    count: Mapped[int] = mapped_column(Integer, default=0)


COUNT_UP = update(CounterRow).values(count=CounterRow.count + 1)
COUNT = select(CounterRow.count)


@pytest.fixture
def board(database_path: Path, clock: Clock) -> Iterator[Database]:
    """A board with a counter that stands at 0."""
    board = Database(database_path, clock=clock, patience=5)
    with board.writing() as db:
        Base.metadata.create_all(db.connection)
        db.execute(insert(CounterRow), {"name": "a", "count": 0})
    yield board
    board.close()


def count_up(db: Transaction) -> None:
    """Add one."""
    db.execute(COUNT_UP)


def count(board: Database) -> int:
    """Read the counter."""
    return board.read(lambda db: db.execute(COUNT).scalar_one())


@contextlib.contextmanager
def raw(path: Path) -> Generator[Any]:
    """Somebody who does not come through our gate, say the sqlite3 shell."""
    with contextlib.closing(driver().connect(path, isolation_level=None, timeout=0)) as connection:
        yield connection


def python(script: str, *arguments: object) -> str:
    """What a fresh interpreter prints."""
    words = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


# Transactions


def test_no_file_is_touched_before_the_first_transaction(database_path: Path) -> None:
    board = Database(database_path)
    board.close()
    assert not list(database_path.parent.iterdir())


def test_what_is_committed_can_be_read_by_another_connection(board: Database, database_path: Path) -> None:
    board.write(count_up)
    with raw(database_path) as other:
        assert other.execute("SELECT count FROM counter").fetchone() == (1,)


def test_an_exception_undoes_everything_and_comes_through_unchanged(board: Database) -> None:
    class MistakeError(Exception):
        pass

    with pytest.raises(MistakeError), board.writing() as db:
        count_up(db)
        raise MistakeError
    assert count(board) == 0
    board.write(count_up)
    assert count(board) == 1


def test_a_violated_constraint_is_a_bug_and_not_hidden_but_undone(board: Database) -> None:
    with pytest.raises(IntegrityError), board.writing() as db:
        count_up(db)
        db.execute(insert(CounterRow), {"name": "a"})
    assert count(board) == 0


def test_all_of_a_transaction_happens_at_one_instant(board: Database, clock: Clock) -> None:
    opened = clock.now
    with board.writing() as db:
        clock.advance(minutes=1)
        assert db.now == opened
    with board.reading() as db:
        assert db.now == clock.now


def test_without_a_clock_it_is_now_in_utc(database_path: Path) -> None:
    with contextlib.closing(Database(database_path)) as board, board.writing() as db:
        assert db.now.tzname() == "UTC"
        assert db.writable


def test_a_reading_sees_one_moment(board: Database) -> None:
    with board.reading() as db:
        board.write(count_up)
        assert db.execute(COUNT).scalar() == 0
        assert not db.writable
    assert count(board) == 1


def test_a_change_inside_a_reading_is_refused_rather_than_lost(board: Database) -> None:
    with pytest.raises((OperationalError, RuntimeError)), board.reading() as db:
        count_up(db)
    # And while the connection that writes is in use.
    with board.writing(), pytest.raises(OperationalError), board.reading() as db:
        count_up(db)
    assert count(board) == 0


def test_a_transaction_cannot_be_used_when_it_is_over(board: Database) -> None:
    with board.writing() as db:
        pass
    with pytest.raises(AttributeError):
        count_up(db)


def test_a_writing_inside_a_writing_is_refused_rather_than_left_waiting(board: Database) -> None:
    with board.writing() as db:
        count_up(db)
        with pytest.raises(RuntimeError, match="already writing"), board.writing():
            pass
        assert count(board) == 0, "a reading inside sees the board as it was"
    assert count(board) == 1


def test_a_transaction_that_something_else_has_ended_is_not_taken_for_committed(board: Database) -> None:
    with pytest.raises(RuntimeError, match="ended"), board.writing() as db:
        count_up(db)
        db.connection.rollback()
    assert count(board) == 0


def test_threads_and_databases_of_one_process_share_the_gate(board: Database, database_path: Path) -> None:
    second = Database(database_path)

    def writer(target: Database) -> None:
        for _ in range(20):
            target.write(count_up)

    threads = [threading.Thread(target=writer, args=(target,)) for target in (board, second) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert count(board) == 120


# The session


def test_the_session_shares_the_transaction_and_is_written_out_before_the_commit(board: Database) -> None:
    with board.writing() as db:
        count_up(db)
        row = db.session.get_one(CounterRow, "a")
        assert row.count == 1
        row.count = 5
        db.session.add(CounterRow(name="b", count=1))
    with board.reading() as db:
        assert db.execute(COUNT.order_by(CounterRow.name)).scalars().all() == [5, 1]
        assert db.session.get_one(CounterRow, "b").count == 1


def test_the_session_is_undone_with_the_transaction(board: Database) -> None:
    with pytest.raises(ZeroDivisionError), board.writing() as db:
        db.session.add(CounterRow(name="b"))
        db.session.commit()
        raise ZeroDivisionError
    with board.reading() as db:
        assert db.execute(select(CounterRow.name)).scalars().all() == ["a"]


def test_a_failed_flush_leaves_the_rest_of_the_transaction_alone(board: Database) -> None:
    with board.writing() as db:
        count_up(db)
        db.session.add(CounterRow(name="a"))
        with pytest.raises(IntegrityError):
            db.session.flush()
        db.session.rollback()
        count_up(db)
    assert count(board) == 2


def test_a_flush_that_fails_at_the_end_undoes_everything(board: Database) -> None:
    with pytest.raises(IntegrityError), board.writing() as db:
        count_up(db)
        db.session.add(CounterRow(name="a"))
    assert count(board) == 0


# After the commit


def test_callbacks_run_after_the_commit_and_outside_the_transaction(board: Database) -> None:
    seen = list[int]()
    with board.writing() as db:
        count_up(db)
        db.after_commit.append(lambda: seen.append(count(board)))
        db.after_commit.append(lambda: board.write(count_up))
        assert not seen
    assert seen == [1]
    assert count(board) == 2


def test_callbacks_do_not_run_after_a_rollback(board: Database) -> None:
    seen = list[str]()
    with pytest.raises(ZeroDivisionError), board.writing() as db:
        db.after_commit.append(lambda: seen.append("ran"))
        raise ZeroDivisionError
    assert not seen


def test_a_callback_that_fails_does_not_make_the_change_look_undone(
    board: Database, caplog: pytest.LogCaptureFixture
) -> None:
    seen = list[str]()
    with board.writing() as db:
        db.after_commit.append(lambda: seen[0])  # pyright: ignore[reportArgumentType] - raises IndexError
        db.after_commit.append(lambda: seen.append("ran"))
    assert seen == ["ran"]
    assert "callback" in caplog.text


# Contention


def test_a_change_that_met_a_lock_is_run_again_from_the_start_and_takes_effect_once(
    board: Database, database_path: Path
) -> None:
    tries, after = list[int](), list[int]()

    def change(db: Transaction) -> str:
        count_up(db)
        tries.append(db.execute(COUNT).scalar_one())
        db.after_commit.append(lambda: after.append(len(tries)))
        if len(tries) < 3:
            with raw(database_path) as other:
                other.execute("UPDATE counter SET count = 100")  # raises SQLITE_BUSY: the lock is ours
        return "done"

    assert board.write(change) == "done"
    assert tries == [1, 1, 1]
    assert after == [3]
    assert count(board) == 1


def test_a_writer_from_outside_is_waited_for(board: Database, database_path: Path) -> None:
    with raw(database_path) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE counter SET count = 10")
        thread = threading.Thread(target=board.write, args=(count_up,))
        thread.start()
        other.execute("COMMIT")
        thread.join()
    assert count(board) == 11


def test_a_lock_that_outlasts_the_patience_is_busy_and_nothing_is_written(board: Database, database_path: Path) -> None:
    impatient = Database(database_path, patience=0.05)
    with raw(database_path) as other:
        other.execute("BEGIN IMMEDIATE")
        for attempt in (lambda: impatient.write(count_up), impatient.writing().__enter__):
            with pytest.raises(Busy) as caught:
                attempt()
            assert "nothing was written" in caught.value.message
        assert count(impatient) == 0, "reading goes on"
    impatient.write(count_up)
    impatient.close()
    assert count(board) == 1


# The connection


def test_a_connection_is_set_up_before_its_first_use(board: Database) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "journal_size_limit": 64 * 1024 * 1024,
        "mmap_size": 0,
        "fullfsync": 1,
        "application_id": APPLICATION_ID,
    }
    for transaction in (board.writing, board.reading):
        with transaction() as db:
            assert {name: db.execute(text(f"PRAGMA {name}")).scalar() for name in expected} == expected
    with board.writing(), board.reading() as db:
        assert db.execute(text("PRAGMA busy_timeout")).scalar() == 5000


def test_connections_are_kept_but_not_many_of_them(board: Database, database_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(12):
            stack.enter_context(board.reading())
    descriptors = [os.path.realpath(name) for name in Path("/proc/self/fd").iterdir()]
    # SQLite itself keeps the descriptors of the database file until its last lock goes; so count the log's.
    assert 1 <= descriptors.count(f"{database_path.resolve()}-wal") <= 5


def test_a_closed_database_lets_go_of_the_file_and_can_be_used_again(board: Database, database_path: Path) -> None:
    count(board)
    board.close()
    assert not database_path.with_name("swarm.db-wal").exists(), "the last connection folds the log in"
    assert count(board) == 0


def test_a_forgotten_database_goes_quietly(database_path: Path) -> None:
    board = Database(database_path)
    with board.writing() as db:
        Base.metadata.create_all(db.connection)
    del board, db
    gc.collect()
    database_path.unlink()


def test_an_address_is_as_good_as_a_path(database_path: Path) -> None:
    board = Database(f"sqlite:///{database_path}")
    assert board.path == database_path
    with board.writing():
        pass
    board.close()
    assert database_path.exists()


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/x", "nonsense://"])
def test_an_address_without_a_file_is_refused(address: str) -> None:
    with pytest.raises(Unavailable, match="SWARM_DATABASE"):
        Database(address)


def test_the_version_of_sqlite_is_the_one_in_use(board: Database) -> None:
    with board.reading() as db:
        assert db.execute(text("SELECT sqlite_version()")).scalar() == board.sqlite_version


def test_without_the_wheel_the_standard_library_does_with_one_warning(database_path: Path) -> None:
    script = """
import logging, sqlite3, sys
sys.modules["pysqlite3"] = None
logging.basicConfig(format="%(levelname)s", stream=sys.stdout)
from sqlalchemy import text
from swarm_mcp.repository.database import Database
for _ in range(2):
    board = Database(sys.argv[1])
    with board.writing() as db:
        db.execute(text("CREATE TABLE IF NOT EXISTS t (a)"))
        db.execute(text("INSERT INTO t VALUES (1)"))
    board.close()
print(board.sqlite_version == sqlite3.sqlite_version)
"""
    old = sqlite3.sqlite_version_info < (3, 51, 3)
    assert python(script, database_path).split() == ["WARNING"] * old + ["True"]


# Failures


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    board = Database(tmp_path / "a" / "b" / "swarm.db")
    with board.writing():
        pass
    board.close()
    assert (tmp_path / "a" / "b" / "swarm.db").exists()


@pytest.mark.parametrize("name", ["file/swarm.db", "folder"])
def test_a_path_that_cannot_be_a_file_is_explained(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for attempt in (Database(tmp_path / name).reading, Database(tmp_path / name).writing):
        with pytest.raises(Unavailable, match="cannot be opened"), attempt():
            pass


def test_a_full_disk_fails_the_commit_and_nothing_is_written(database_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from sqlalchemy import text
from swarm_mcp.model.errors import Unavailable
from swarm_mcp.repository.database import Database

path = Path(sys.argv[1])
board = Database(path)
with board.writing() as db:
    db.execute(text("CREATE TABLE t (a)"))
full = path.with_name(path.name + "-wal").stat().st_size + 10_000
resource.setrlimit(resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
ran = []
def change(db):
    db.execute(text("INSERT INTO t VALUES (zeroblob(100000))"))
    db.after_commit.append(lambda: ran.append(1))
for attempt in range(2):
    try:
        board.write(change)
    except Unavailable as error:
        print(error.message)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(ran, board.read(lambda db: db.execute(text("SELECT count(*) FROM t")).scalar()))
board.write(change)
print(ran, board.read(lambda db: db.execute(text("SELECT count(*) FROM t")).scalar()))
"""
    first, second, while_full, with_room = python(script, database_path).splitlines()
    assert "is full" in first
    assert "nothing was written" in first
    assert second == first
    assert (while_full, with_room) == ("[] 0", "[1] 1")


READ = """
import os, sys
from pathlib import Path
from sqlalchemy import text
from swarm_mcp.model.errors import Unavailable
from swarm_mcp.repository.database import Database

board = Database(sys.argv[1])  # imports what only root may be able to
if os.getuid() == 0:
    os.setuid(65534)
for _ in range(2):
    print(board.read(lambda db: db.execute(text("SELECT count FROM counter")).scalar()))
try:
    board.write(lambda db: db.execute(text("UPDATE counter SET count = 2")))
except Unavailable as error:
    print(error.message)
"""


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that somebody with fewer rights can reach: pytest's own are private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def counting(path: Path) -> Database:
    """A board with a counter at 1."""
    board = Database(path)
    with board.writing() as db:
        Base.metadata.create_all(db.connection)
        db.execute(insert(CounterRow), {"name": "a", "count": 1})
    return board


@pytest.mark.parametrize("in_use", [True, False])
@pytest.mark.parametrize("folder_mode", [0o777, 0o555])
def test_a_read_only_file_can_be_read_and_says_why_not_written(
    public_folder: Path, folder_mode: int, in_use: bool
) -> None:
    board = counting(public_folder / "swarm.db")
    if not in_use:
        board.close()
    for file in public_folder.iterdir():
        file.chmod(0o444)
    public_folder.chmod(folder_mode)
    *counts, refusal = python(READ, board.path).splitlines()
    board.close()
    assert counts == ["1", "1"]
    assert "nothing was written" in refusal or "cannot be opened" in refusal
    assert "Whoever runs swarm-mcp" in refusal


def test_a_file_that_may_not_be_read_is_explained(public_folder: Path) -> None:
    counting(public_folder / "swarm.db").close()
    (public_folder / "swarm.db").chmod(0)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        python(READ, public_folder / "swarm.db")
    assert "Unavailable: The board's file cannot be opened." in caught.value.stderr


def test_a_damaged_file_is_called_damaged(database_path: Path) -> None:
    counting(database_path).close()
    with database_path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(database_path.stat().st_size - 4096))
    board = Database(database_path)
    with pytest.raises(Unavailable, match="damaged"):
        count(board)
    with pytest.raises(Unavailable, match="damaged"):
        board.write(count_up)
    board.close()


def foreign_text(path: Path) -> None:
    path.write_text("This is no database, and it is not for us to say what it is instead.\n" * 100)


def foreign_database(path: Path) -> None:
    with raw(path) as connection:
        connection.executescript("CREATE TABLE project (id); CREATE TABLE invoices (id);")


def foreign_alembic_database(path: Path) -> None:
    with raw(path) as connection:
        connection.executescript("CREATE TABLE alembic_version (version_num); CREATE TABLE users (id);")


def foreign_marked_database(path: Path) -> None:
    with raw(path) as connection:
        connection.executescript("PRAGMA application_id = 0x46504B47")  # a GeoPackage


@pytest.mark.parametrize("make", [foreign_text, foreign_database, foreign_alembic_database, foreign_marked_database])
def test_the_file_of_another_program_is_refused_and_left_alone(
    database_path: Path, make: Callable[[Path], None]
) -> None:
    make(database_path)
    content = database_path.read_bytes()
    board = Database(database_path)
    for attempt in (board.reading, board.writing):
        with pytest.raises(Unavailable, match="not a board of swarm-mcp"), attempt():
            pass
    assert database_path.read_bytes() == content
    assert [file.name for file in database_path.parent.iterdir()] == [database_path.name]


def test_an_empty_file_becomes_a_board(database_path: Path) -> None:
    database_path.touch()
    counting(database_path).close()


def test_a_board_that_was_dumped_and_read_back_is_ours_again(board: Database, database_path: Path) -> None:
    with raw(database_path) as other:
        other.executescript("CREATE TABLE project (slug); CREATE TABLE alembic_version (version_num)")
        other.execute("PRAGMA application_id = 0")
    board.close()
    assert count(board) == 0
    board.write(count_up)
    with board.reading() as db:
        assert db.execute(text("PRAGMA application_id")).scalar() == APPLICATION_ID


def test_a_board_of_a_newer_program_is_refused_even_by_those_who_have_it_open(
    board: Database, database_path: Path
) -> None:
    board.write(count_up)
    with raw(database_path) as newer:
        newer.executescript("CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('9999')")
        for attempt in (
            lambda: count(board),
            lambda: board.write(count_up),
            lambda: count(Database(database_path)),
        ):
            with pytest.raises(Unavailable, match="Upgrade swarm-mcp"):
                attempt()
        assert newer.execute("SELECT count FROM counter").fetchone() == (1,)


def test_a_file_that_has_been_moved_away_is_missed_and_its_replacement_found(
    board: Database, database_path: Path, tmp_path: Path
) -> None:
    board.write(count_up)
    count(board)
    board.backup(tmp_path / "copy.db")
    board.write(count_up)
    for name in ("swarm.db", "swarm.db-wal", "swarm.db-shm"):
        database_path.with_name(name).rename(tmp_path / f"aside-{name}")
    for attempt in (lambda: count(board), lambda: board.write(count_up)):
        with pytest.raises(Unavailable, match="moved away"):
            attempt()
    assert not database_path.exists()
    (tmp_path / "copy.db").rename(database_path)
    assert count(board) == 1
    board.write(count_up)
    assert count(board) == 2


def test_a_forked_child_opens_connections_of_its_own(board: Database) -> None:
    script = """
import os, sys
from sqlalchemy import text
from swarm_mcp.repository.database import Database

board = Database(sys.argv[1])
def count_up(db):
    return db.execute(text("UPDATE counter SET count = count + 1 RETURNING count")).scalar()
with board.reading(), board.writing() as db:
    count_up(db)
child = os.fork()
if not child:
    os._exit(board.write(count_up))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), board.write(count_up))
"""
    assert python(script, board.path) == "2 3"


def test_a_transaction_that_a_forked_child_inherits_is_not_the_childs_to_end(board: Database) -> None:
    script = """
import os, sys
from sqlalchemy import text
from swarm_mcp.repository.database import Database

board = Database(sys.argv[1])
parent = os.getpid()
try:
    with board.writing() as db:
        db.execute(text("UPDATE counter SET count = 1"))
        if child := os.fork():
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
except RuntimeError as error:
    os._exit(7 if "forked" in str(error) else 8)
finally:
    if os.getpid() != parent:
        os._exit(9)
"""
    assert python(script, board.path) == "7"
    assert count(board) == 1


def test_without_file_locks_many_processes_still_lose_nothing(board: Database, database_path: Path) -> None:
    script = """
import sys, threading
from sqlalchemy import text
from swarm_mcp.repository import gate
from swarm_mcp.repository.database import Database
gate.fcntl = None
board = Database(sys.argv[1])
def writer():
    for _ in range(10):
        board.write(lambda db: db.execute(text("UPDATE counter SET count = count + 1")))
threads = [threading.Thread(target=writer) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    words = [sys.executable, "-c", script, str(database_path)]
    children = [subprocess.Popen(words) for _ in range(3)]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0]
    assert count(board) == 60


# Backup


def test_a_backup_is_one_complete_file_of_one_moment(board: Database, tmp_path: Path) -> None:
    board.write(count_up)
    with board.writing() as db:
        count_up(db)
        board.backup(tmp_path / "copy.db")
    assert {file.name for file in tmp_path.glob("copy*")} == {"copy.db"}
    copy = Database(tmp_path / "copy.db")
    assert count(copy) == 1
    copy.close()


def test_a_backup_never_replaces_a_file(board: Database, database_path: Path) -> None:
    with pytest.raises(Conflict, match="another name"):
        board.backup(database_path)
    with pytest.raises(Unavailable, match="backup"):
        board.backup(database_path.with_name("missing") / "copy.db")
    assert count(board) == 0
