"""What was acknowledged is there: after SIGKILL, after a power cut, and when the disk takes no more.

The writers are processes of their own (`processes/scribe.py`) that acknowledge a write only after its commit.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import recount

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.errors import Refusal, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

PROGRAMS = Path(__file__).parent / "processes"
FRAME_HEADER = 24
WAL_HEADER = 32


@pytest.fixture
def chance() -> random.Random:
    """Chance that can be repeated: the seed stands in the report of a failure."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    return random.Random(seed)


class Scribe:
    """A process that writes without end."""

    def __init__(self, path: Path, name: str) -> None:
        words = [sys.executable, PROGRAMS / "scribe.py", path, name]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.pipe = self.process.stdout
        self.acknowledged: list[tuple[int, str, list[str]]] = []

    def hear(self, count: int) -> None:
        """Wait for so many more acknowledgements."""
        for _ in range(count):
            self.acknowledged.append(tuple(json.loads(self.pipe.readline())))

    def hear_the_rest(self) -> None:
        """Everything that it said before it was killed."""
        self.acknowledged += [tuple(json.loads(line)) for line in self.pipe]

    def freeze(self) -> None:
        """Stop it where it is, and hear everything that it has acknowledged until then."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)
        os.set_blocking(self.pipe.fileno(), False)
        while line := self.pipe.readline():
            self.acknowledged.append(tuple(json.loads(line)))
        os.set_blocking(self.pipe.fileno(), True)

    def go_on(self) -> None:
        """Let it write again."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a chance to clean up."""
        self.process.kill()


@contextmanager
def scribes(path: Path, count: int) -> Iterator[list[Scribe]]:
    """So many writers at a new board; they are gone at the end."""
    open_swarm(path).close()
    with ExitStack() as stack:
        crew = [Scribe(path, f"scribe{number}") for number in range(count)]
        for each in crew:
            stack.enter_context(each.process)
            stack.callback(each.kill)
        yield crew


def rows(path: Path, statement: str) -> list[Any]:
    """Rows of a board."""
    with recount.looking(path) as connection:
        return connection.execute(statement).fetchall()


def check_kept(path: Path, acknowledged: list[tuple[int, str, list[str]]]) -> None:
    """Everything that was acknowledged is there, and nothing is half done."""
    planned = {task for _, what, tasks in acknowledged if what == "planned" for task in tasks}
    states = dict(rows(path, "SELECT id, status FROM task"))
    assert planned <= states.keys()
    for _, what, (task, *_) in acknowledged:
        assert what != "completed" or states[task] == "completed"
        assert what != "claimed" or states[task] in {"in_progress", "completed"}
    kinds = rows(path, "SELECT title, count(*) FROM task GROUP BY title")
    assert len(kinds) == 3
    assert len({count for _, count in kinds}) == 1, "half a plan"
    assert recount.problems(path) == []


def test_what_a_killed_writer_has_acknowledged_is_there(database_path: Path, chance: random.Random) -> None:
    with scribes(database_path, 4) as crew:
        for scribe in crew:
            scribe.hear(20)
        for scribe in crew:
            scribe.hear(chance.randrange(1, 40))
            for _ in range(chance.randrange(50_000)):  # not always just after an acknowledgement
                pass
            scribe.kill()
            scribe.hear_the_rest()
        acknowledged = [each for scribe in crew for each in scribe.acknowledged]
    assert len(acknowledged) > 84
    check_kept(database_path, acknowledged)
    swarm = open_swarm(database_path)
    swarm.write(lambda db: operations.create_plan(db, tasks=[{"title": title} for title in "ABC"]))
    swarm.close()
    check_kept(database_path, acknowledged)


class Frozen(NamedTuple):
    """A board's files at one moment, and what had been acknowledged by then."""

    database: bytes
    log: bytes
    acknowledged: list[int]
    folded: bool
    """Whether the log has been folded into the database since the writer began."""


def commits(log: bytes) -> list[int]:
    """Where in a write-ahead log each commit ends (sqlite.org/fileformat2.html#the_write_ahead_log).

    Frames left over from before the log was begun anew have another salt, and do not count.
    """
    if len(log) < WAL_HEADER:
        return []
    page_size, salt = struct.unpack_from(">8xI4x8s", log)
    found = []
    for start in range(WAL_HEADER, len(log) - FRAME_HEADER - page_size + 1, FRAME_HEADER + page_size):
        _, size_after, its_salt = struct.unpack_from(">II8s", log, start)
        if its_salt != salt:
            break
        if size_after:
            found.append(start + FRAME_HEADER + page_size)
    return found


def damages(log: bytes, cut: int, chance: random.Random) -> Iterator[bytes]:
    """What a power cut may make of what was not on disk yet: gone, zeros, rubbish, or a sector that was not written."""
    rest = len(log) - cut
    yield log[:cut]
    yield log[:cut] + bytes(rest)
    yield log[:cut] + chance.randbytes(rest)
    yield log[:cut] + bytes(each ^ 0xFF for each in log[cut : cut + 512]) + log[cut + 512 :]


def freeze(scribe: Scribe, path: Path, at_first: bytes) -> Frozen:
    """Copy the files of a board while its writer stands still in the middle of whatever it was doing."""
    scribe.freeze()
    log = path.with_name(f"{path.name}-wal").read_bytes()
    database = path.read_bytes()
    frozen = Frozen(database, log, [latest for latest, _, _ in scribe.acknowledged], folded=database != at_first)
    scribe.go_on()
    return frozen


def revived(folder: Path, database: bytes, log: bytes) -> int:
    """Start again on these files: the number of the latest event. The board has to be sound."""
    path = folder / "swarm.db"
    path.write_bytes(database)
    path.with_name("swarm.db-wal").write_bytes(log)
    path.with_name("swarm.db-shm").unlink(missing_ok=True)
    swarm = open_swarm(path)
    listed = swarm.read(lambda db: operations.list_tasks(db, limit=1)).total
    swarm.close()
    assert recount.problems(path) == []
    ((latest, count),) = rows(path, "SELECT max(seq), count(*) FROM event")
    assert latest == count, "the ledger has a hole"
    assert listed == rows(path, "SELECT count(*) FROM task")[0][0]
    return latest


def test_after_a_power_cut_the_board_is_as_it_was_after_one_of_its_writes(
    database_path: Path, tmp_path: Path, chance: random.Random
) -> None:
    """Asserted, for a log that is torn at any place, in four ways:

    - the board is sound, and exactly as it was after the last write that lies whole before the tear;
    - so what was acknowledged before the power cut is there, since every commit was synced before it was acknowledged:
      only what lies behind the last acknowledged commit can be torn by a real power cut;
    - tears further to the front stand for a disk that lied about syncing. They are tried only as long as the log has
      not been folded into the database, because from then on the database relies on it (and on the disk).
    """
    (folder := tmp_path / "revived").mkdir()
    open_swarm(database_path).close()
    at_first = database_path.read_bytes()
    with scribes(database_path, 1) as (scribe,):
        scribe.hear(1)
        moments = []
        for more in (4, 10, 16, 60, 90):
            scribe.hear(chance.randrange(1, more))
            moments.append(freeze(scribe, database_path, at_first))
    assert len(moments[-1].acknowledged) > 5
    for moment in moments:
        check_tears(folder, moment, chance)


def check_tears(folder: Path, moment: Frozen, chance: random.Random) -> None:
    ends = commits(moment.log)
    whole = revived(folder, moment.database, moment.log)
    history = [*moment.acknowledged, *([whole] if whole > moment.acknowledged[-1] else [])]
    assert history[-1] == whole, "something that was acknowledged is missing"
    unsynced = ends[-1] if len(history) == len(moment.acknowledged) or len(ends) < 2 else ends[-2]
    first = unsynced if moment.folded else max(WAL_HEADER, ends[max(0, len(ends) - len(history))])
    for cut, tries in ((unsynced, 4), *((chance.randrange(first, len(moment.log) + 1), 1) for _ in range(3))):
        survived = sum(end <= cut for end in ends)
        expected = history[survived - len(ends) - 1]
        assert cut < unsynced or expected >= moment.acknowledged[-1]
        for log in chance.sample(list(damages(moment.log, cut, chance)), tries):
            assert revived(folder, moment.database, log) == expected


def run(program: str, path: Path) -> list[list[str]]:
    """What a program says, in words."""
    words = [sys.executable, PROGRAMS / program, path]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [line.split(" ", 2) for line in done.stdout.splitlines()]


def test_a_full_disk_is_a_refusal_and_loses_nothing(database_path: Path) -> None:
    said = run("full_disk.py", database_path)
    created = [line[1] for line in said if line[0] == "created"]
    first, second = (line for line in said if line[0] == "refused")
    assert first == second
    assert first[1] == "unavailable"
    assert "full" in first[2]
    assert "nothing was written" in first[2]
    assert ["readable", str(len(created) - 1)] in said
    assert {task for (task,) in rows(database_path, "SELECT id FROM task")} == set(created)
    assert recount.problems(database_path) == []


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that somebody with fewer rights can reach: pytest's own are private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def board_with_a_task(path: Path) -> None:
    swarm = open_swarm(path)
    swarm.write(lambda db: operations.create_task(db, title="A task"), agent="ada")
    swarm.close()


def test_a_read_only_board_can_be_read_and_refuses_to_be_written(public_folder: Path) -> None:
    board_with_a_task(public_folder / "swarm.db")
    before = (public_folder / "swarm.db").read_bytes()
    for file in public_folder.iterdir():
        file.chmod(0o444)
    refused, readable = run("unprivileged.py", public_folder / "swarm.db")
    assert refused[:2] == ["refused", "unavailable"]
    assert readable == ["readable", "1"]
    assert (public_folder / "swarm.db").read_bytes() == before


def damaged(path: Path) -> None:
    board_with_a_task(path)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\x5a" * (len(content) - 4096))


def foreign(path: Path) -> None:
    path.write_text("Groceries: apples, bread.\n" * 500)


def newer(path: Path) -> None:
    board_with_a_task(path)
    with recount.looking(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("make", "says"), [(damaged, "damaged"), (foreign, "not a board of swarm-mcp"), (newer, "newer swarm-mcp")]
)
def test_a_file_that_is_no_good_board_is_refused_and_left_as_it_is(
    database_path: Path, make: Callable[[Path], None], says: str
) -> None:
    make(database_path)
    before = database_path.read_bytes()
    with pytest.raises(Refusal, match=says) as caught:
        board_with_a_task(database_path)
    assert isinstance(caught.value, Unavailable)
    assert database_path.read_bytes() == before
