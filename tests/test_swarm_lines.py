"""Our own form of a board: any board survives export, import and export unchanged, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import postgres
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from recount import problems
from test_state_machine import PLAY, BoardMachine

from swarm_mcp import operations
from swarm_mcp.interchange import swarm_schema
from swarm_mcp.interchange.exporting import Wanted, export
from swarm_mcp.interchange.swarm_import import import_board
from swarm_mcp.interchange.swarm_source import LINE_LIMIT
from swarm_mcp.model.errors import Conflict, Invalid, Refusal
from swarm_mcp.operations.projects import create_project
from swarm_mcp.operations.swarm import Swarm, open_swarm
from swarm_mcp.repository import migrate, references, tables
from swarm_mcp.repository.database import Database
from swarm_mcp.repository.kinds import KINDS, LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from board import Board
    from conftest import Clock

ODD: dict[str, Any] = {
    "z": 1e22, "a": [-0.0, 1e-7, 1.0, 10**30, 1e16, 0.1], "é": {"ß": None, "Z": True, "": "\u2028 \U0001f41d"},
    "deep": [[[[{"b": [], "a": {}}]]]], "text": 'a "quote", a \\ and a\ttab', "number": -9007199254740993,
}  # fmt: skip
"""What databases keep differently: the order of keys, exponents, signs of nothing."""


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def written(swarm: Swarm, path: Path, **wanted: Any) -> bytes:
    """An export without its header."""
    export(swarm, "swarm", path, Wanted(**wanted), forced=True)
    return path.read_bytes().partition(b"\n")[2]


def written_to(swarm: Swarm, path: Path) -> Path:
    written(swarm, path)
    return path


def tasks_of(path: Path) -> list[dict[str, Any]]:
    return [row for row in lines(path) if row["row"] == "task"]


def rewritten(path: Path, change: Callable[[list[dict[str, Any]]], object]) -> Path:
    """The same file with some of its lines changed, and its counts as they are then."""
    rows = lines(path)
    change(rows)
    if rows[0].get("counts") is not None:
        rows[0]["counts"] = {kind: sum(row["row"] == kind for row in rows) for kind in rows[0]["counts"]}
        if rows[-1].get("row") == "end":
            rows[-1]["rows"] = sum(rows[0]["counts"].values())
    other = path.with_name("changed.jsonl")
    other.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return other


class Elsewhere:
    """A database of each kind, with a project for each board that arrives."""

    def __init__(self, places: dict[str, Path | str], clock: Clock) -> None:
        self.databases = {name: Database(place, clock=clock) for name, place in places.items()}
        self.places = places
        for database in self.databases.values():
            migrate.upgrade(database)

    def project(self, name: str, slug: str) -> Swarm:
        database = self.databases[name]
        Swarm(database).write(lambda db: create_project(db, slug))
        return Swarm(database, slug)

    def arrive(self, name: str, slug: str, path: Path) -> Swarm:
        swarm = self.project(name, slug)
        import_board(swarm, path)
        return swarm

    def close(self) -> None:
        for database in self.databases.values():
            database.close()


@pytest.fixture
def elsewhere(tmp_path: Path, clock: Clock) -> Iterator[Elsewhere]:
    with postgres.new_database() as address:
        found = Elsewhere({"file": tmp_path / "elsewhere.db", "server": address}, clock)
        yield found
        found.close()


@pytest.fixture
def rich(house: Board) -> Board:
    """A board on which a little of everything has happened."""
    board = house
    board.team("blue", "ada", "bob", supervisor="kim")
    plan = board.create("A plan", description="Über alles: 日本 and naïve", tags=["x", "y"], estimated_hours="1.25")
    first = board.create("First", parent=plan, criteria=["It works"], checks=["failed == 0"], deadline="2026-03-01")
    second = board.create("Second", parent=plan, depends_on=[first], priority="high")
    loose = board.create("Loose", depends_on=[f"related:{first}"])
    board.call(
        "lead", operations.share_context, task=plan, key="k", value=[1, {"b": 2, "a": "words"}], rationale="Because"
    )
    board.call("lead", operations.share_context, task=plan, key="k", value="other words", rationale="Better")
    board.call("lead", operations.share_context, key="everywhere", value=1.5)
    board.delegate("lead", second, "team:blue", reasoning="They can", estimated_minutes=30)
    board.claim("ada", first)
    board.report("ada", first, "Half way", percent=50)
    board.ask("ada", first)
    board.call("ada", operations.add_note, task=first, text="Private")
    board.finish("bob", loose, outputs=ODD)
    board.update("lead", second, title="Second, mended")
    board.call("lead", operations.undo, event=board.events(second)[-1].seq)
    board.review("lead", loose, quality=4, notes="Well done")
    board.swarm.write(lambda db: references.insert_references(db, "taskmaster", [(loose, "7.1", ODD)]))
    board.send("lead", "Hello, all.", to="all")
    board.send("ada", "Just us.", to="bob")
    board.inbox("bob")
    return board


@pytest.mark.no_cover
def test_any_board_survives_export_import_and_export_on_both_databases(
    tmp_path: Path, clock: Clock, elsewhere: Elsewhere
) -> None:
    first, second, third = (tmp_path / f"{n}.jsonl" for n in range(3))

    class Travelling(BoardMachine):
        def teardown(self) -> None:
            swarm = self.twin.swarm
            body = written(swarm, first)
            there = elsewhere.arrive("server", swarm.project, first)
            assert written(there, second) == body
            back = elsewhere.arrive("file", swarm.project, second)
            assert written(back, third) == body
            assert problems(elsewhere.places["server"], swarm.project) == []
            assert problems(elsewhere.places["file"], swarm.project) == []
            super().teardown()

    database = Database(tmp_path / "swarm.db", clock=clock)
    migrate.upgrade(database)
    few = settings(PLAY, max_examples=16, stateful_step_count=30)
    run_state_machine_as_test(lambda: Travelling(database, clock), settings=few)
    database.close()


def test_a_board_with_everything_on_it_comes_as_it_was_behind_what_is_there(
    rich: Board, tmp_path: Path, elsewhere: Elsewhere
) -> None:
    """Into another project of another database, whose messages and events have taken the same numbers."""
    first, again = tmp_path / "first.jsonl", tmp_path / "again.jsonl"
    body = written(rich.swarm, first)
    kinds = {row["row"] for row in lines(first)}
    assert kinds - {"board", "end"} == KINDS.keys()
    valid = jsonschema.Draft202012Validator(json.loads(swarm_schema.FILE.read_text(encoding="utf-8")))
    assert [error.message for row in lines(first) for error in valid.iter_errors(row)] == []
    for name, place in elsewhere.places.items():
        other = elsewhere.project(name, "before")
        with other.writing(agent="zed") as db:
            operations.create_task(db, title="Another")
            operations.send_message(db, to="operator", text="Hello.")
        swarm = elsewhere.project(name, "after")
        report = import_board(swarm, first)
        assert (report.created, report.already) == (4, 0)
        assert written(swarm, again) == body
        assert problems(place) == []
        taken = "are other tasks of this database already \\(of the project after\\)"
        with pytest.raises(Conflict, match=taken):
            import_board(other, first)
        twice = import_board(swarm, first)
        assert (twice.created, twice.already) == (0, 4)
        assert written(swarm, again) == body, "what is here is left as it is"
        undone = next(row for row in lines(again) if row["row"] == "event" and row["kind"] == "undone")
        assert 0 < undone["data"]["undoes"] < undone["seq"]
        with swarm.writing(agent="ada") as db:
            operations.create_task(db, title="Goes on")
            operations.send_message(db, to="bob", text="Still here.")
            assert [each.title for each in operations.list_tasks(db, text="naïve 日本").tasks] == ["A plan"]
        assert problems(place) == []


def test_every_table_travels_or_is_this_databases_alone_or_derived() -> None:
    alone = {"project", "connection", "token", "idempotency", "tally", "wording", "unindexed"}
    assert tables.metadata.tables.keys() - KINDS.keys() == alone, "let it travel, or say here that it does not"
    for name, kind in KINDS.items():
        told = {field.name for field in kind.fields} | LEFT_OUT.get(name, set()) | {"project"}
        assert {column.name for column in tables.metadata.tables[name].c} <= told, name


def test_the_published_schema_is_that_of_the_tables() -> None:
    assert swarm_schema.FILE.read_text(encoding="utf-8") == swarm_schema.written(), (
        "python -m swarm_mcp.interchange.swarm_schema writes it anew"
    )


# --- onto a board that has things of its own -----------------------------------------------------------------------


def test_a_part_of_a_board_comes_under_a_task_of_another_and_people_are_known_by_their_names(
    rich: Board, tmp_path: Path, elsewhere: Elsewhere
) -> None:
    board, path = rich, tmp_path / "part.jsonl"
    second = next(row["id"] for row in tasks_of(written_to(board.swarm, path)) if row["title"] == "Second")
    loose = next(row["id"] for row in tasks_of(path) if row["title"] == "Loose")
    written(board.swarm, path, task=second)
    written(board.swarm, other := tmp_path / "other.jsonl", task=loose)
    assert {row["name"] for row in lines(path) if row["row"] == "agent"} >= {"lead", "kim"}
    for name, place in elsewhere.places.items():
        swarm = elsewhere.project(name, "another")
        with swarm.writing(agent="lead") as db:
            home = operations.create_task(db, title="Home").task
        assert home is not None
        report = import_board(swarm, path, parent=home.id, namespace="old")
        assert (report.created, report.already) == (1, 0)
        assert any("which is not there; it stands by itself" in each for each in report.dangling)
        assert any(each.startswith("lead: that is the agent") for each in report.renamed)
        assert problems(place) == []
        with swarm.reading() as db:
            (line,) = operations.list_tasks(db, under=home.id).tasks
            assert (line.id, line.status) == (second, "pending"), "what it waited for stayed where it was"
        assert import_board(swarm, path).already == 1
        with swarm.writing() as db:
            references.insert_references(db, "taskmaster", [(home.id, "7.1", {})])
        with pytest.raises(Conflict, match=rf"7\.1 \(taskmaster\) is the name of {home.id} here and of {loose}"):
            import_board(swarm, other)
        assert import_board(swarm, other, namespace="old").created == 1
        with swarm.reading() as db:
            assert operations.get_task(db, task="old/7.1").task.id == loose


def test_only_what_has_changed_since_is_a_part_too(rich: Board, tmp_path: Path) -> None:
    path = tmp_path / "board.jsonl"
    rich.clock.advance(hours=2)
    moment = rich.clock.now
    changed = rich.create("Later")
    rich.send("bob", "Later too.", to="ada")
    written(rich.swarm, path, since=moment)
    rows = lines(path)
    assert [row["id"] for row in rows if row["row"] == "task"] == [changed]
    assert [row["text"] for row in rows if row["row"] == "message"] == ["Later too."]
    assert path.stat().st_mode & 0o77 == 0, "notes and messages are in it"
    assert rows[0]["part"] == {"since": moment.isoformat()}


# --- files that cannot be ----------------------------------------------------------------------------------------


def rows_of(kind: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["row"] == kind]


def circle(rows: list[dict[str, Any]]) -> None:
    edge = next(row for row in rows if row.get("type") == "blocks")
    back = {**edge, "task_id": edge["depends_on_id"], "depends_on_id": edge["task_id"]}
    rows.insert(rows.index(edge) + 1, back)


WRONG: dict[str, Callable[[list[dict[str, Any]]], object]] = {
    r"line 1: the header says no version": lambda rows: rows[0].update(version="one"),
    r"version 2 of the format, and this program knows 1\. Upgrade": lambda rows: rows[0].update(version=2),
    r"first line is not the header": lambda rows: rows[0].update(format="beads"),
    r"lease_minutes has to be 1 to 1440": lambda rows: rows[0]["project"].update(lease_minutes=0),
    r"an? task has no `colour`": lambda rows: rows_of("task", rows)[0].update(colour="red"),
    r"a task needs its `title`": lambda rows: rows_of("task", rows)[0].pop("title"),
    r"`status` has to be one of pending, ": lambda rows: rows_of("task", rows)[0].update(status="lost"),
    r"`tags` has to be a list": lambda rows: rows_of("task", rows)[0].update(tags="x"),
    r"`attempt` has to be a whole number": lambda rows: rows_of("task", rows)[0].update(attempt=2**40),
    r"`created_at` has to be a time with its offset": lambda rows: rows[-2].update(at="2026-01-02") or rows_of(
        "task", rows)[0].update(created_at="2026-01-02T03:04:05"),
    r"this task contradicts itself": lambda rows: rows_of("task", rows)[0].update(title=""),
    r"is there twice": lambda rows: rows.insert(rows.index(each := rows_of("task", rows)[0]) + 1, each),
    r"there is no task nothing2 above it": lambda rows: rows_of("task", rows)[-1].update(parent_id="nothing2"),
    r"there is no task nothing2 to depend on": lambda rows: rows_of("dependency", rows)[0].update(
        depends_on_id="nothing2"),
    r"`assignee_id` names nobody, of which there is no line": lambda rows: rows_of("task", rows)[0].update(
        assignee_id="nobody"),
    r"`message_id` names what no line before has told": lambda rows: next(
        row for row in rows_of("inbox", rows) if "message_id" in row).update(message_id=10**6),
    r"`seq` has to be 1 to": lambda rows: rows[-2].update(seq=2**60),
    r"`id` has to be 1 to": lambda rows: rows_of("message", rows)[0].update(id=-3),
    r"`rank` and `end_rank` are at most": lambda rows: rows_of("task", rows)[-1].update(end_rank=2**63 - 1),
    r"they wait for each other in a circle": circle,
    r"is said to be pending or blocked": lambda rows: next(
        row for row in rows_of("task", rows) if row["status"] == "blocked").update(status="pending"),
    r"there is no kind of row called `spell`": lambda rows: rows.insert(5, {"row": "spell"}),
    r"`criterion` comes before `event`": lambda rows: rows.insert(-1, rows_of("criterion", rows)[0]),
    r"has a NUL character": lambda rows: rows_of("task", rows)[0].update(description="a\x00b"),
    r"its `position`|contradicts itself": lambda rows: rows_of("criterion", rows)[0].update(position=0),
}  # fmt: skip
BYTES: dict[str, Callable[[bytes], bytes]] = {
    "is empty": lambda _: b"",
    "line 1: it is not text in UTF-8": lambda _: b"\xff\xfe\x00",
    "line 1: it is not JSON": lambda _: b"SQLite format 3\x00",
    "is not whole": lambda whole: whole[: len(whole) // 2],
    "rows, and [0-9]+ are there": lambda whole: whole[: whole.rstrip().rindex(b"\n") + 1],
    "line 2: lists are nested too deeply": lambda whole: whole.partition(b"\n")[0] + b"\n" + b"[" * 10**6,
    "line 2: it is not JSON": lambda whole: whole.partition(b"\n")[0] + b'\n{"row": NaN}\n',
    "line 2: it is longer than": lambda whole: whole.partition(b"\n")[0] + b"\n" + b" " * (LINE_LIMIT + 2),
    "the end does not agree": lambda whole: whole + b"{}\n",
}


@pytest.mark.sqlite
def test_a_file_that_cannot_be_is_one_sentence_and_leaves_nothing(rich: Board, tmp_path: Path, clock: Clock) -> None:
    path, changed = tmp_path / "board.jsonl", tmp_path / "changed.jsonl"
    written(rich.swarm, path)
    swarm = open_swarm(tmp_path / "target.db", clock=clock)
    for sentence, change in WRONG.items():
        with pytest.raises(Refusal, match=sentence) as refused:
            import_board(swarm, rewritten(path, change))
        assert "\n" not in refused.value.message
    for sentence, cut in BYTES.items():
        changed.write_bytes(cut(path.read_bytes()))
        with pytest.raises(Invalid, match=sentence):
            import_board(swarm, changed)
    for place in (tmp_path, tmp_path / "nowhere", Path("/dev/null")):
        with pytest.raises(Refusal):
            import_board(swarm, place)
    assert written(swarm, changed) == b'{"row":"end","rows":0}\n'
    assert problems(tmp_path / "target.db") == []
    import_board(swarm, path, dry_run=True)
    assert written(swarm, changed) == b'{"row":"end","rows":0}\n'
    import_board(swarm, path)
    assert problems(tmp_path / "target.db") == []
    swarm.close()
