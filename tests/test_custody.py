"""Whole boards: copied under load, brought back or refused, moved between revisions, emptied, filled, told as SQL."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import postgres
import pytest
import recount
from test_concurrency import CROWD

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.errors import Conflict, NotFound, Refusal, Unavailable
from swarm_mcp.operations import custody
from swarm_mcp.operations.checking import check
from swarm_mcp.repository import ddl, migrate
from swarm_mcp.repository.database import Database
from swarm_mcp.repository.restoration import verify
from swarm_mcp.repository.sqlite import driver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Said = tuple[int, str, str]
    Program = Callable[..., Said]


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies of boards on a server go."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "swarm-mcp"


@pytest.fixture
def program(program: Program, place: Path | str, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Run the program in this process on the board."""
    monkeypatch.setenv("SWARM_DATABASE", str(place))
    return program


@pytest.fixture
def stored(place: Path | str) -> Iterator[Database]:
    """The board's database, with a task on it."""
    fill(place, "The first")
    with contextlib.closing(Database(place)) as database:
        yield database


def fill(place: Path | str, *titles: str) -> None:
    """Put tasks on a board, each waiting for the one before it, with words in every index."""
    swarm = open_swarm(place)
    before: list[str] = []
    for agent in ("ada", "bob"):
        swarm.write(operations.check_inbox, agent=agent)
    with swarm.writing() as db:
        for title in titles:
            made = operations.create_task(db, title=title, description="Schön ist's: 東京.", depends_on=before)
            operations.share_context(db, task=made.task.id, key="where", value={"hours": 1.5, "at": None})
            before = [made.task.id]
    swarm.write(lambda db: operations.send_message(db, to="ada", task=before[0], text="Hello."), agent="bob")
    swarm.close()


def titles(place: Path | str) -> list[str]:
    """The titles of the tasks on a board."""
    with recount.looking(place) as own:
        return sorted(title for (title,) in own.execute("SELECT title FROM task"))


def rows(place: Path | str) -> dict[str, list[str]]:
    """Everything on a board, in words that do not depend on where it is."""
    with contextlib.closing(Database(place)) as database, database.reading() as db:
        return {
            table.name: sorted(
                json.dumps({each: row[each] for each in row if each != "xact"}, sort_keys=True, default=str)
                for row in db.execute(table.select()).mappings()
            )
            for table in postgres.tables.metadata.sorted_tables
            if table.name not in {"wording", "unindexed"}
        }


# --- copies under load ------------------------------------------------------------------------------------------------


def test_a_backup_under_load_has_everything_that_was_acknowledged_before_it(place: Path | str, tmp_path: Path) -> None:
    open_swarm(place).close()
    words = [sys.executable, CROWD, "create", str(place), "8", json.dumps({"count": 25})]
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as crowd,
        contextlib.closing(Database(place)) as database,
    ):
        assert crowd.stdout
        before = {json.loads(crowd.stdout.readline())[1] for _ in range(40)}
        custody.back_up(database, tmp_path / "copy.db", force=False)
        after = {json.loads(line)[1] for line in crowd.stdout}
    assert crowd.returncode == 0
    elsewhere = tmp_path / "elsewhere" / "board.db"
    with contextlib.closing(Database(elsewhere)) as restored:
        custody.restore(restored, tmp_path / "copy.db")
        assert check(restored).sound
    assert recount.problems(elsewhere) == []
    with recount.looking(elsewhere) as own:
        kept = {task for (task,) in own.execute("SELECT id FROM task")}
    assert before <= kept < before | after, "the load went on after the copy"
    assert len(before | after) == 200


def test_a_copy_is_the_same_on_either_kind_of_database(stored: Database, place: Path | str, tmp_path: Path) -> None:
    fill(place, "The second", "The third")
    custody.back_up(stored, tmp_path / "copy.db", force=False)
    assert rows(tmp_path / "copy.db") == rows(place)
    assert sorted(each.name for each in tmp_path.iterdir() if "copy" in each.name) == ["copy.db"]
    with postgres.new_database() as other, contextlib.closing(Database(other)) as database:
        assert custody.restore(database, tmp_path / "copy.db").copy_at == ""
        found = rows(other)
        assert {name for name, kept in rows(place).items() if found[name] != kept} == {"event"}, "it says restored"
        assert recount.problems(other) == []
        fill(other, "The fourth")  # numbers go on where they were
        assert recount.problems(other) == []


# --- bringing back ----------------------------------------------------------------------------------------------------


def test_what_is_replaced_is_kept_and_can_be_brought_back_too(
    stored: Database, place: Path | str, tmp_path: Path, data_folder: Path
) -> None:
    custody.back_up(stored, tmp_path / "old.db", force=False)
    fill(place, "Later")
    later = rows(place)
    done = custody.restore(stored, tmp_path / "old.db")
    assert titles(place) == ["The first"]
    assert recount.problems(place) == []
    kept = Path(done.copy_at)
    assert kept.parent == (place.parent if isinstance(place, Path) else data_folder)
    assert f"What was there before is in {kept}." in done.message
    assert rows(kept) == later
    custody.restore(stored, kept)
    assert titles(place) == ["Later", "The first"]
    kinds = [json.loads(line)["kind"] for line in rows(place)["event"]]
    assert kinds.count("restored") == 1


def test_nothing_is_brought_back_under_the_feet_of_others(stored: Database, place: Path | str, tmp_path: Path) -> None:
    custody.back_up(stored, tmp_path / "copy.db", force=False)
    other = open_swarm(place)
    assert other.read(operations.list_tasks).total == 1
    with pytest.raises(Conflict, match="Other programs have the board open"):
        custody.restore(stored, tmp_path / "copy.db")
    other.write(lambda db: operations.create_task(db, title="Still at work"))
    other.close()
    custody.restore(stored, tmp_path / "copy.db")
    assert titles(place) == ["The first"]


def spoilt(folder: Path, how: str) -> Path:
    """A file that is no backup, in one of many ways."""
    file = folder / f"{how}.db"
    if how == "missing":
        return file
    if how in {"text", "empty"}:
        file.write_text("Dear reader, " * 500 if how == "text" else "")
        return file
    if how == "foreign":
        with contextlib.closing(driver().connect(file)) as other:
            other.execute("CREATE TABLE other (x)")
        return file
    fill(folder / "good.db", *(f"Task {n}" for n in range(30)))
    with contextlib.closing(Database(folder / "good.db")) as good:
        good.backup(file)
    if how in {"torn", "flipped", "headless"}:
        content = bytearray(file.read_bytes())
        places = range(100) if how == "headless" else range(len(content) // 2, len(content), 4096)
        for place in places:
            content[place : place + 16] = bytes(16 * [0xA5])
        file.write_bytes(content[: len(content) // 2] if how == "torn" else content)
        return file
    damage = {
        "newer": "UPDATE alembic_version SET version_num = '9999'",
        "orphaned": "UPDATE task SET project = 'nowhere'",
        "without a board": "DELETE FROM alembic_version",
    }
    with contextlib.closing(driver().connect(file, isolation_level=None)) as own:
        own.execute(damage[how])
    return file


WHY = {
    "missing": "There is no file `missing.db`",
    "text": "is not a board of swarm-mcp",
    "empty": "has no board in it",
    "foreign": "is not a board of swarm-mcp",
    "torn": "is damaged or incomplete",
    "flipped": "is damaged or incomplete",
    "headless": "is not a board of swarm-mcp",
    "newer": "was written by a newer swarm-mcp",
    "orphaned": "is damaged or incomplete",
    "without a board": "has no board in it",
}


def test_what_cannot_be_trusted_is_refused_and_nothing_is_changed(
    stored: Database, place: Path | str, program: Program, tmp_path: Path
) -> None:
    before = rows(place)
    there = set(tmp_path.iterdir())
    (folder := tmp_path / "spoilt").mkdir()
    for how, why in WHY.items():
        file = spoilt(folder, how)
        with pytest.raises(Refusal, match=why) as refused:
            custody.restore(stored, file)
        assert isinstance(refused.value, NotFound if how == "missing" else Unavailable)
        assert "nothing was changed" in refused.value.message or how == "missing"
    code, out, err = program("db", "restore", folder / "torn.db", "--yes")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert rows(place) == before
    assert {each for each in tmp_path.iterdir() if "wal" not in each.name and "shm" not in each.name} - there == {
        folder
    }
    with pytest.raises(Unavailable, match="damaged"):
        verify(folder / "flipped.db")


@pytest.mark.sqlite
def test_a_damaged_board_is_moved_aside_with_its_log(stored: Database, place: Path, tmp_path: Path) -> None:
    custody.back_up(stored, tmp_path / "copy.db", force=False)
    fill(place, *(f"Task {n}" for n in range(30)))
    stored.close()
    content = bytearray(place.read_bytes())
    content[100:] = bytes(len(content) - 100)
    place.write_bytes(content)
    place.with_name("swarm.db-wal").write_bytes(b"a log")
    with pytest.raises(Unavailable, match="damaged"):
        stored.revision()
    kept = Path(custody.restore(stored, tmp_path / "copy.db").copy_at)
    assert kept.read_bytes() == content
    assert titles(place) == ["The first"]


@pytest.mark.no_cover  # measuring has no room either, and complains
@pytest.mark.sqlite
def test_a_copy_for_which_there_is_no_room_is_refused_in_a_sentence(stored: Database, tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from swarm_mcp.cli.app import app, run
from swarm_mcp.repository.database import Database
Database(sys.argv[1]).revision()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
sys.argv = ["swarm-mcp", "db", "backup", sys.argv[2], "--database", sys.argv[1]]
run()
"""
    words = [sys.executable, "-c", script, str(stored.path), str(tmp_path / "copy.db")]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == "The backup could not be written there; the board is as it was. Choose another place for it.\n"
    )
    assert [each.name for each in tmp_path.iterdir() if "copy" in each.name] == []
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for target, kind in (
        (tmp_path / "file" / "copy.db", Unavailable),
        (tmp_path, Conflict),
        (tmp_path / "pipe", Conflict),
        (tmp_path / "link", Conflict),
    ):
        with pytest.raises(kind):
            custody.back_up(stored, target, force=True)


# --- the commands -----------------------------------------------------------------------------------------------------


def test_a_board_is_made_looked_at_moved_between_revisions_and_tidied(
    program: Program, place: Path | str, data_folder: Path
) -> None:
    for command in ("status", "current", "check", "vacuum", "upgrade"):
        code, out, err = program("db", command)
        assert (code, out, err) == (1, "", "There is no board there yet. `swarm-mcp db init` makes one.\n")
    assert not isinstance(place, Path) or not place.exists()
    assert program("db", "init")[:2] == (0, f"Made a board at revision {migrate.HEAD}: {postgres_free(place)}\n")
    assert program("db", "init")[1] == f"There is a board already, at revision {migrate.HEAD}; it was left as it is.\n"
    fill(place, "One", "Two")
    before = rows(place)
    assert program("db", "current") == (0, f"{migrate.HEAD}\n", "")
    assert program("db", "upgrade")[1].endswith("already; nothing was done.\n")
    assert program("db", "history")[1].splitlines()[0].split("\t")[:2] == [migrate.HEAD, "current"]
    code, out, err = program("db", "downgrade", "0003")
    assert (code, err) == (0, "")
    assert out.startswith(f"The board went from revision {migrate.HEAD} to 0003. As it was before it is in ")
    folder = place.parent if isinstance(place, Path) else data_folder
    assert len(list(folder.glob(f"*before-{migrate.HEAD}-to-0003-*"))) == 1
    assert program("db", "check")[0] == 1
    kept = sorted(folder.glob("*.before-*"))
    assert program("db", "downgrade", "0004")[0] == 1
    unknown = (1, "", "There is no revision `0815`. swarm-mcp db history lists them.\n")
    assert program("db", "upgrade", "0815") == program("db", "downgrade", "0815") == unknown
    assert sorted(folder.glob("*.before-*")) == kept, "a snapshot for nothing"
    found = json.loads(program("db", "status", "--json")[1])
    assert (found["revision"], found["rows"]["task"], found["newest"]) == ("0003", 2, migrate.HEAD)
    assert program("db", "upgrade", "--json")[0] == 0
    assert len(list(folder.glob(f"*before-0003-to-{migrate.HEAD}-*"))) == 1
    assert rows(place) == before
    code, out, _ = program("db", "check")
    assert (code, out.splitlines()[-1]) == (0, "The board is sound.")
    tidied = json.loads(program("db", "vacuum", "--json")[1])
    assert tidied["bytes_before"].keys() == tidied["bytes_after"].keys()
    assert rows(place) == before
    status = dict(line.split("\t") for line in program("db", "status")[1].splitlines())
    assert status["engine"] == ("sqlite" if isinstance(place, Path) else "postgresql")
    assert (status["rows.task"], status["place"]) == ("2", postgres_free(place))
    assert status.get("setting.journal_mode", status.get("setting.fsync")) in {"wal", "on"}


def postgres_free(place: Path | str) -> str:
    """A place as it is shown."""
    with contextlib.closing(Database(place)) as database:
        return database.shown


def test_a_board_is_backed_up_emptied_filled_and_brought_back(
    program: Program, place: Path | str, tmp_path: Path
) -> None:
    fill(place, "One", "Two")
    program("project", "create", "garden")
    program("token", "create", "ada", "--scope", "worker")
    assert program("db", "backup", tmp_path / "copy.db") == (
        0, f"Backed up to {tmp_path / 'copy.db'} (revision {migrate.HEAD}).\n", "",
    )  # fmt: skip
    code, _, err = program("db", "backup", tmp_path / "copy.db")
    assert (code, err.startswith("There is a file `copy.db` already.")) == (1, True)
    assert program("db", "backup", tmp_path / "copy.db", "--force")[0] == 0
    assert program("db", "backup", "-")[0] == 2
    before = rows(place)
    for words in (("reset",), ("restore", tmp_path / "copy.db")):
        code, out, err = program("db", *words)
        assert (code, out) == (2, "")
        assert "say --yes" in err
    assert program("db", "seed")[2].startswith("The project default is not empty.")
    assert rows(place) == before
    code, out, _ = program("db", "reset", "--yes", "--json")
    emptied = json.loads(out)
    assert rows(Path(emptied["copy_at"])) == before
    left = {name: len(kept) for name, kept in rows(place).items() if kept}
    assert left == {"project": 1, "event": 1, "token": 1}, "a door that was locked stays so"
    code, out, err = program("db", "seed")
    assert (code, out, err) == (0, "default has 7 agents in 2 teams and 35 tasks now.\n", "")
    assert recount.problems(place) == []
    assert program("db", "check")[0] == 0
    assert program("db", "restore", tmp_path / "copy.db", "--yes")[0] == 0
    assert titles(place) == ["One", "Two"]


def test_findings_are_lines_that_begin_with_their_kind(program: Program, place: Path | str) -> None:
    fill(place, "One")
    with recount.looking(place) as own:
        own.execute("UPDATE task SET waits = 3")
    code, out, err = program("db", "validate")
    lines = out.splitlines()
    assert (code, err) == (1, "")
    assert [line.partition(":")[0] for line in lines if not line.startswith("not checked")] == ["counter", "1 finding"]
    assert json.loads(program("db", "check", "--json")[1])["counts"] == {"counter": 1}
    code, out, _ = program("db", "check", "--repair")
    assert code == 0
    assert out.splitlines()[-1].startswith("Mended: 1 counter. The board is sound. The board as it was before is in ")
    assert program("db", "check")[0] == 0


def test_the_schema_as_sql_makes_a_board(place: Path | str, program: Program, tmp_path: Path) -> None:
    from test_house import structure

    dialect = "sqlite" if isinstance(place, Path) else "postgresql"
    assert program("db", "schema", "--dialect", dialect, "--to", tmp_path / "schema.sql") == (0, "", "")
    assert program("db", "schema", "--dialect", dialect, "--to", tmp_path / "schema.sql")[0] == 1
    assert program("db", "schema", "--dialect", "oracle")[0] == 2
    script = (tmp_path / "schema.sql").read_text(encoding="utf-8")
    assert program("db", "schema", "--dialect", dialect)[1] == script == ddl.schema(dialect)
    assert "-- The ledger: what changed, before and after" in script
    assert "\t-- The fencing token: grows with every claim.\n\tattempt INTEGER" in script
    if isinstance(place, Path):
        with contextlib.closing(driver().connect(place)) as own:
            own.executescript(re.sub(r"--.*", "", script))  # which SQLite would keep with the statements
    else:
        with postgres.looking_at_server(place) as own:
            own.execute(script)
    with contextlib.closing(Database(place)) as made, made.reading() as db:
        assert migrate.pending(made) is None
        made_of = structure(db.connection)
    with (
        (
            postgres.new_database() if dialect == "postgresql" else contextlib.nullcontext(tmp_path / "migrated.db")
        ) as other,
        contextlib.closing(Database(other)) as migrated,
    ):
        migrate.upgrade(migrated)
        with migrated.reading() as db:
            assert made_of == structure(db.connection)
    fill(place, "One")
    assert program("db", "check")[1].splitlines()[-1] == "The board is sound."


@pytest.mark.sqlite
def test_a_terminal_gets_tables_and_is_asked(
    program: Program, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(place, "One")
    with recount.looking(place) as own:
        own.execute("UPDATE task SET waits = 3, gates = 1")
    copy = tmp_path / "copy.db"
    program("db", "backup", copy)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    status = plain(program("db", "status")[1])
    assert re.search(r"^revision +\d{4} *$", status, re.MULTILINE)
    assert re.search(r"^ *task +1 ", status, re.MULTILINE)
    assert re.search(rf"^ *{migrate.HEAD} +← the board ", plain(program("db", "history")[1]), re.MULTILINE)
    shown = plain(program("db", "check")[1])
    assert re.search(r"^counter +\w{8} +waits is 3, and should be 0 *$", shown, re.MULTILINE)
    assert shown.splitlines()[-1] == "2 findings: 2 counter."
    fill(place, "Another")
    for said, ended, left in (("n\n", 1, ["Another", "One"]), ("y\n", 0, ["One"])):
        monkeypatch.setattr(sys, "stdin", Terminal(said))
        code, _, err = program("db", "restore", copy)
        assert (code, titles(place)) == (ended, left)
        assert "Replace the board by copy.db? It is kept beside. [y/N]:" in err


def plain(shown: str) -> str:
    """What a terminal shows, without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)


class Terminal(io.StringIO):
    """Somebody who has typed these words."""

    def isatty(self) -> bool:
        return True
