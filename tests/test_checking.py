"""Checking and mending: every kind of damage is planted with plain SQL, found, and mended or left alone."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from board import Board
from postgres import looking_at_server
from recount import problems

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.errors import Unavailable
from swarm_mcp.operations.checking import LISTED, check
from swarm_mcp.operations.mending import repair
from swarm_mcp.repository import events
from swarm_mcp.repository.database import Database
from swarm_mcp.repository.sqlite import driver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Clock

    from swarm_mcp.model.soundness import Checked


@pytest.fixture
def spoilt(place: Path | str, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    """A board with something of everything on it, which a test may damage."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    board = Board(open_swarm(place, clock=clock), clock)
    board.inbox("lead")
    board.inbox("ada")
    yield board
    board.swarm.close()


def damage(board: Board, *statements: str) -> None:
    """Change the tables past everything that looks after them."""
    if isinstance(board.place, Path):
        with contextlib.closing(driver().connect(board.place, isolation_level=None)) as own:
            for each in statements:
                own.execute(each)
        return
    with looking_at_server(board.place) as own:
        own.execute("SET session_replication_role = replica")
        for each in statements:
            own.execute(each)


def found(checked: Checked) -> set[tuple[str, str]]:
    """The kinds of the findings, and what each is about."""
    return {(each.kind.value, each.subject) for each in checked.findings}


def family(board: Board) -> dict[str, str]:
    """Tasks by what becomes of them."""
    top = board.create("Top", deadline="2026-03-01")
    first = board.create("First part", parent=top)
    named = {"top": top, "first": first, "second": board.create("Second", parent=top, depends_on=[first])}
    named["held"] = board.create("Held")
    board.claim("ada", named["held"])
    named["done"] = board.create("Done", criteria=["It works"])
    board.claim("ada", named["done"])
    board.call("ada", operations.share_context, task=named["done"], key="where", value="Sankt Pölten, 東京")
    board.complete("ada", named["done"], evidence={"1": "Seen."})
    named["asking"] = board.create("Asking")
    board.claim("ada", named["asking"])
    board.ask("ada", named["asking"], "Which way?")
    named["held up"] = board.create("Held up")
    board.update("lead", named["held up"], action="hold", reason="not now")
    return named


def test_a_board_that_nobody_has_damaged_is_sound_whatever_has_happened_on_it(board: Board) -> None:
    family(board)
    for n in range(70):  # more than are written into the index together
        board.create(f"Task {n} of the Straße", description="Crème brûlée")
    told: list[str] = []
    checked = check(board.swarm.database, told.append)
    assert (checked.findings, checked.message, checked.sound) == ([], "The board is sound.", True)
    assert told == [
        "file", "schema", "reference", "order", "counter", "status", "tally", "claim", "version", "ledger", "words",
    ]  # fmt: skip
    assert bool(checked.not_checked) == isinstance(board.place, str), "amcheck is nowhere installed by itself"
    assert repair(board.swarm.database).snapshot == "", "there was nothing to mend, and so nothing to copy"


def test_what_is_derived_is_found_and_mended_after_a_copy(spoilt: Board) -> None:
    tasks = family(spoilt)
    words = (
        "UPDATE task_words SET words = ''::tsvector"
        if isinstance(spoilt.place, str)
        else "INSERT INTO message_words (rowid, text) VALUES (999, 'ghost')"
    )
    damage(
        spoilt,
        f"UPDATE task SET waits = 7 WHERE id = '{tasks['second']}'",
        f"UPDATE task SET subtasks = 0, open_subtasks = 0 WHERE id = '{tasks['top']}'",
        f"UPDATE task SET due = created_at WHERE id = '{tasks['first']}'",
        "UPDATE tally SET tasks = tasks + 3 WHERE status = 'completed'",
        f"UPDATE task SET rank = 1, end_rank = 2 WHERE id = '{tasks['second']}'",
        f"UPDATE task SET status = 'pending' WHERE id = '{tasks['top']}'",
        words,
    )
    before = check(spoilt.swarm.database)
    assert found(before) >= {
        ("counter", tasks["second"]), ("counter", tasks["top"]), ("counter", tasks["first"]), ("tally", "default"),
        ("order", tasks["second"]), ("status", tasks["top"]),
        ("words", "task_words" if isinstance(spoilt.place, str) else "message_words"), ("ledger", tasks["top"]),
    }  # fmt: skip
    assert before.counts.keys() == {"counter", "tally", "order", "status", "words", "ledger"}
    assert f"counter: {tasks['second']}: waits is 7, and should be 1" in [each.line for each in before.findings]
    mended = repair(spoilt.swarm.database)
    assert (mended.sound, mended.left) == (True, [])
    assert mended.mended == before.counts
    assert [each for each in problems(spoilt.place) if "the events before it" not in each] == []
    assert spoilt.status(tasks["top"]) == "blocked"
    event = spoilt.swarm.read(lambda db: events.project_events(db, after=0, limit=1000))[-1]
    assert (event.kind, event.data["mended"]["counter"]) == ("repaired", before.counts["counter"])
    assert event.data["snapshot"] == Path(mended.snapshot).name
    with contextlib.closing(Database(mended.snapshot)) as kept:
        counts = check(kept).counts
        assert {name: counts[name] for name in ("counter", "order", "status")} == {
            name: before.counts[name] for name in ("counter", "order", "status")
        }


def test_what_nothing_else_says_is_found_and_left_alone(spoilt: Board) -> None:
    tasks = family(spoilt)
    damage(
        spoilt,
        f"DELETE FROM execution WHERE task_id = '{tasks['held']}'",
        f"UPDATE execution SET status = 'running' WHERE task_id = '{tasks['done']}'",
        f"UPDATE message SET asked_at = NULL WHERE task_id = '{tasks['asking']}'",
        f"UPDATE task SET version = version + 1 WHERE id = '{tasks['first']}'",
        f"UPDATE task SET area = 'elsewhere' WHERE id = '{tasks['second']}'",
        f"UPDATE task SET hold_reason = 'why not' WHERE id = '{tasks['held']}'",
        f"UPDATE task SET gates = 3, waits = 3 WHERE id = '{tasks['done']}'",
    )
    before = check(spoilt.swarm.database)
    assert found(before) == {
        ("claim", tasks["held"]), ("claim", tasks["done"]), ("claim", tasks["asking"]), ("version", tasks["first"]),
        ("ledger", tasks["second"]), ("ledger", tasks["held"]), ("status", tasks["held"]), ("counter", tasks["done"]),
    }  # fmt: skip
    after = repair(spoilt.swarm.database)
    assert found(after) == found(before) - {("counter", tasks["done"])}
    assert (after.mended, set(after.left)) == ({"counter": 2}, {"claim", "version", "ledger", "status"})
    assert "Left alone, because nothing else says what is right:" in after.message


def test_a_circle_is_shown_and_nothing_is_ranked_then(spoilt: Board) -> None:
    tasks = family(spoilt)
    row = f"'{tasks['first']}', '{tasks['second']}', 'blocks', (SELECT created_at FROM task WHERE title = 'Top')"
    damage(spoilt, f"INSERT INTO dependency (task_id, depends_on_id, type, created_at) VALUES ({row})")
    checked = check(spoilt.swarm.database)
    (circle,) = [each for each in checked.findings if each.kind == "cycle"]
    assert {tasks["first"], tasks["second"]} == set(circle.words.partition(":")[0].split(" → "))
    assert repair(spoilt.swarm.database).counts.keys() >= {"cycle", "order"}


def test_missing_rows_and_a_schema_that_differs_are_told_and_nothing_that_relies_on_them(spoilt: Board) -> None:
    tasks = family(spoilt)
    damage(
        spoilt,
        f"UPDATE task SET creator_id = 'nobody' WHERE id = '{tasks['first']}'",
        "DROP INDEX ix_task_due",
        "ALTER TABLE note ADD COLUMN colour text",
        f"UPDATE task SET waits = 7 WHERE id = '{tasks['second']}'",
    )
    checked = check(spoilt.swarm.database)
    assert {each.line for each in checked.findings} == {
        f"reference: task: row {tasks['first']} has creator_id nobody, which is nowhere",
        "schema: task: the index ix_task_due is missing",
        "schema: note: the column colour should not be there",
    }
    assert checked.not_checked[0] == (
        "order, counter, status, tally, claim, version, ledger, words: they rely on the schema and the references."
    )
    assert set(repair(spoilt.swarm.database).left) == {"reference", "schema"}


def test_of_very_much_damage_the_first_of_each_kind_are_listed_and_all_are_counted(spoilt: Board) -> None:
    for n in range(LISTED + 20):
        spoilt.create(f"Task {n}")
    damage(spoilt, "UPDATE task SET waits = 1")
    checked = check(spoilt.swarm.database)
    assert (checked.counts, len(checked.findings)) == ({"counter": LISTED + 20}, LISTED)


# --- files ------------------------------------------------------------------------------------------------------------


def file_of(board: Board) -> Path:
    """The board's file with everything in it, and nobody at it."""
    assert isinstance(board.place, Path)
    board.swarm.close()
    return board.place


def torn(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flipped(path: Path) -> None:
    """Some bytes in the middle of most pages are others."""
    content = bytearray(path.read_bytes())
    for page in range(8, len(content) // 4096):
        content[page * 4096 + 8 : page * 4096 + 40] = bytes(32 * [0xA5])
    path.write_bytes(content)


@pytest.mark.sqlite
@pytest.mark.parametrize("spoil", [torn, flipped])
def test_a_torn_or_changed_file_is_recognised(spoilt: Board, spoil: Any) -> None:
    for n in range(30):
        spoilt.create(f"Task {n}", description="words " * 200)
    spoil(file_of(spoilt))
    with contextlib.closing(Database(spoilt.place)) as database:
        checked = check(database)
    assert not checked.sound
    assert {each.kind.value for each in checked.findings} == {"file"}


@pytest.mark.sqlite
def test_what_is_no_board_is_not_checked(tmp_path: Path) -> None:
    with contextlib.closing(driver().connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE other (x)")
    (tmp_path / "text.db").write_text("Dear reader, " * 400)
    (tmp_path / "empty.db").write_text("")
    for name, why in {
        "other.db": "not a board", "text.db": "not a board", "empty.db": "no board there yet",
        "missing.db": "no board there yet",
    }.items():  # fmt: skip
        with contextlib.closing(Database(tmp_path / name)) as database, pytest.raises(Unavailable, match=why):
            check(database)
    assert not (tmp_path / "missing.db").exists()
