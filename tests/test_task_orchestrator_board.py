"""Task Orchestrator's plans on the board, and the board as one of its stores: what the format can say comes back."""

from __future__ import annotations

import re
import sqlite3
import tarfile
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from orchestrator_stores import sample

from swarm_mcp import operations
from swarm_mcp.interchange.exporting import Wanted, export
from swarm_mcp.interchange.foreign.task_orchestrator import read
from swarm_mcp.interchange.importing import import_document
from swarm_mcp.interchange.writing.task_orchestrator.words import PRIORITIES, STATUSES
from swarm_mcp.model.errors import Conflict
from swarm_mcp.model.lifecycle import Priority, TaskStatus
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import graph, memory

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.interchange.foreign.document import PlanDocument, PlanItem

HAS_ITS_OWN = ("delegated", "created", "assigned")
"""Notifications that this board adds when work is handed to somebody."""


def said(document: PlanDocument) -> dict[str, PlanItem]:
    """The items without what no second store repeats: records, and notifications of this board."""
    return {
        item.ref: replace(
            item, raw={}, notices=tuple(each for each in item.notices if each.kind not in HAS_ITS_OWN),
            tags=tuple(sorted(item.tags)), participants=tuple(sorted(item.participants, key=lambda each: each.agent)),
        )
        for item in document.items
    }  # fmt: skip


def untimed(items: dict[str, PlanItem]) -> dict[str, PlanItem]:
    """The items without the times of notes, which a store may not have and the board always has."""
    return {
        ref: replace(item, notes=tuple(replace(each, at=None) for each in item.notes)) for ref, item in items.items()
    }


def test_a_real_store_comes_with_everything_and_goes_out_again_as_it_came(board: Board, tmp_path: Path) -> None:
    folder = sample(tmp_path / "theirs")
    document = read(folder, UTC)
    with closing(sqlite3.connect(folder / "tasks.db")) as connection:
        statuses = Counter(status for (status,) in connection.execute("SELECT status FROM tasks"))
        edges = set(connection.execute("SELECT task_id, depends_on FROM dependencies"))
        people = {
            name
            for column, table in (("assignee", "tasks"), ("created_by", "tasks"), ("agent_id", "participants"))
            for (name,) in connection.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
        }
    report = import_document(board.swarm, document)
    assert (report.created, report.statuses, report.edges["blocks"]) == (4, dict(statuses), len(edges))
    assert set(report.people) == people
    assert set(report.ids) == set(report.ids.values()) == {item.ref for item in document.items}
    assert report.brought == {
        "criteria": 2, "notes": 1, "progress": 1, "context": 2, "participants": 2, "notices": 1, "feedback": 1,
    }  # fmt: skip
    found = board.swarm.read(lambda db: graph.blockers(db, list(report.ids)))
    assert {(task, each.id) for task, waits in found.items() for each in waits} == edges
    assert board.status("05957b63") == board.status("4beb3d8c") == "blocked"
    assert board.row("9fe14424").progress == 50
    keys = board.swarm.read(lambda db: {each.key for each in memory.context_of(db, ["9fe14424"], limit=9)})
    assert keys == {"update 1", "discovery 1"}
    again = import_document(board.swarm, document)
    assert (again.created, again.already) == (0, 4)
    written = export(board.swarm, "task-orchestrator", tmp_path / ".task-orchestrator", Wanted())
    assert (written.tasks, written.counts["dependencies"], written.counts["notes"]) == (4, 2, 1)
    assert untimed(said(read(tmp_path, UTC))) == untimed(said(document))


def test_only_a_store_that_an_export_wrote_is_replaced(board: Board, tmp_path: Path) -> None:
    fill(board)
    store = tmp_path / "store"

    def write() -> None:
        export(board.swarm, "task-orchestrator", store, Wanted(), forced=True)

    def refused(told: str) -> None:
        before = sorted(store.rglob("*"))
        with pytest.raises(Conflict, match=re.escape(f"`store` has other things in it ({told}), and is not replaced")):
            write()
        assert sorted(store.rglob("*")) == before

    store.mkdir()
    write()  # where an empty folder was
    assert any((store / "notes").iterdir())
    assert any((store / "archives").iterdir())
    write()
    for name in ("notes/diary.txt", "contexts/index.yaml", "archives/photos.tar.gz", "notes/deep", "letters", "a.db"):
        (store / name).write_text("x")
        refused(f"`{name}`")
        (store / name).unlink()
    (store / "tasks.db").rename(tmp_path / "tasks.db")
    refused("`archives` and 2 more")  # however its files are called
    (store / "tasks.db").write_text("x")
    refused("`archives` and 3 more")
    (store / "tasks.db").unlink()
    with closing(sqlite3.connect(store / "tasks.db")) as other:
        other.execute("CREATE TABLE tasks (id)")
    refused("`archives` and 3 more")
    (store / "tasks.db").unlink()
    (store / "tasks.db").symlink_to(tmp_path / "tasks.db")
    refused("`archives` and 3 more")


def fill(board: Board) -> dict[str, str]:
    """A board with everything that a store can and cannot say; the ids by what they are called here."""
    create, call = board.create, board.call
    board.team("backend", "ada")
    tags = ["phase:Design", "ui"]
    ids = {"design": create("Design", priority="critical", tags=tags, phase=2, criteria=["It is drawn.", "a < 2 ⇒ b"])}
    ids["build"] = create("Build", depends_on=[ids["design"]], complexity="high", area="db", deadline="2026-12-31")
    ids["cellar"] = create("Cellar", parent=ids["build"], estimated_hours=1.5, description="Lines\nand “quotes”")
    ids["roof"] = create("Roof", parent=ids["build"], depends_on=[ids["cellar"], f"related:{ids['design']}"], phase=3)
    ids["done"] = create("Done")
    ids["failed"] = create("Failed", assignee="bob")
    ids["cancelled"] = create("Cancelled")
    ids["held"] = create("Held")
    ids["asked"] = create("Asked", assignee="team:backend")
    for n, (key, kind, value) in enumerate(
        [
            ("intent", "requirement", "WHY: a WHAT: b DONE: c"), ("requirement 1", "requirement", "Fast"),
            ("small", "requirement", {"bytes": 1}), ("decision 1", "decision", "SQLite"), ("db", "decision", ["x", 1]),
            ("schema", "artifact", "db.sql"), ("ports", "fact", {"web": 80, "on": True}), ("update 1", "fact", "Hi"),
            ("update 7", "fact", "Gap"), ("requirements", "fact", ["free"]), ("no", "fact", "2026-01-01"),
        ]
    ):  # fmt: skip
        board.clock.advance(minutes=1)
        who = ("ada", "bob")[n % 2]
        call(
            who, operations.share_context, task=ids["design"], key=key, kind=kind, value=value, rationale="r" * (n % 7)
        )
    call("ada", operations.add_note, task=ids["design"], text="Mind\n\nthe gap")
    board.clock.advance(minutes=1)
    call("ada", operations.add_note, task=ids["design"], text="And the cat")
    call("bob", operations.join_task, task=ids["design"], role="reviewer")
    for agent, name in (("ada", "done"), ("bob", "failed"), ("ada", "asked")):
        board.claim(agent, ids[name])
    board.report("ada", ids["done"], "50% - half", percent=50)
    board.report("ada", ids["done"], "10% faster")
    call("ada", operations.add_note, task=ids["done"], text="It was hard")
    board.complete("ada", ids["done"], summary="All of it", actual_hours=2)
    board.review("lead", ids["done"], quality=4, timeliness=5, notes="Good")
    board.complete("bob", ids["failed"], summary="It broke", outcome="failed")
    board.ask("ada", ids["asked"], "Which way?")
    board.update("lead", ids["cancelled"], action="cancel", reason="Not needed")
    board.update("lead", ids["held"], action="hold", reason="Wait for spring")
    board.update("lead", ids["done"], action="archive")
    return ids


def test_what_the_format_cannot_say_is_in_a_table_beside_it_and_comes_back(board: Board, tmp_path: Path) -> None:
    ids = fill(board)
    export(board.swarm, "task-orchestrator", tmp_path / "one", Wanted())
    first = read(tmp_path / "one", UTC)
    items = {name: said(first)[ref] for name, ref in ids.items()}
    assert {name: (item.status, item.archived) for name, item in items.items()} == {
        "design": ("pending", False), "build": ("blocked", False), "cellar": ("blocked", False),
        "roof": ("blocked", False), "done": ("completed", True), "failed": ("failed", False),
        "cancelled": ("cancelled", False), "held": ("blocked", False), "asked": ("requires_assistance", False),
    }  # fmt: skip
    assert items["held"].hold == "Wait for spring"
    assert [item.depends_on for item in items.values() if item.depends_on] == [(ids["design"],), (ids["cellar"],)]
    assert (items["roof"].parent, items["roof"].phase, items["roof"].relations) == (
        ids["build"], 3, (("related", ids["design"]),),
    )  # fmt: skip
    assert (items["design"].tags, items["design"].phase) == (("phase:Design", "ui"), 2)
    assert [each.key for each in items["design"].context if each.kind == "fact"] == [
        "ports", "update 7", "requirements", "no", "update 1",
    ]  # fmt: skip
    assert [(each.text, each.by) for each in items["design"].notes] == [
        ("Mind\n\nthe gap", "ada"),
        ("And the cat", "ada"),
    ]
    assert ("bob", "reviewer") in {(each.agent, each.role) for each in items["design"].participants}
    assert [(each.percent, each.text) for each in items["done"].progress][:2] == [
        (50, "50% - half"),
        (None, "10% faster"),
    ]
    assert [each.text for each in items["asked"].comments] == ["Which way?"]
    assert (first.guessed, first.skipped, first.dangling) == ((), (), ())
    with closing(open_swarm(tmp_path / "second.db")) as other:
        import_document(other, first)
        export(other, "task-orchestrator", tmp_path / "two", Wanted())
    second = said(read(tmp_path / "two", UTC))
    for name, item in items.items():
        claimed = {"status": "", "source_status": ""} if item.status == "requires_assistance" else {}
        assert plain(second[item.ref], **claimed) == plain(item, **claimed), name


def plain(item: PlanItem, **said: Any) -> PlanItem:
    """An item without what an import settles anew: when it was changed, and who holds it."""
    return replace(item, updated_at=None, **said)


def test_that_program_finds_in_an_exported_store_what_it_asks_for(board: Board, tmp_path: Path) -> None:
    ids = fill(board)
    export(board.swarm, "task-orchestrator", tmp_path / "store", Wanted())
    with closing(sqlite3.connect(tmp_path / "store" / "tasks.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        words = dict(connection.execute("SELECT id, status FROM tasks"))
        assert set(words.values()) == {"pending", "completed", "blocked"}
        assert [words[ids[each]] for each in ("failed", "cancelled", "asked")] == ["blocked"] * 3
        # What its `complete` lets begin: what waits for the design, its parts among them, and nothing that has failed.
        freed = """
            SELECT task_id FROM dependencies d JOIN tasks t ON t.id = d.task_id WHERE t.status = 'blocked'
            AND d.depends_on = ? AND NOT EXISTS (
                SELECT 1 FROM dependencies d2 JOIN tasks t2 ON d2.depends_on = t2.id
                WHERE d2.task_id = d.task_id AND d2.depends_on != ? AND t2.status != 'completed')
        """
        assert connection.execute(freed, (ids["design"],) * 2).fetchall() == [(ids["cellar"],)]
        waits = set(connection.execute("SELECT depends_on FROM dependencies WHERE task_id = ?", (ids["build"],)))
        assert waits == {(ids["design"],), (ids["cellar"],), (ids["roof"],)}
        told = connection.execute(
            "SELECT event_type, content FROM collaboration_events WHERE task_id = ? ORDER BY seq", (ids["done"],)
        ).fetchall()
        assert told[0] == ("progress", "50% - 50% - half")
        row = connection.execute("SELECT context, phase_id FROM tasks WHERE id = ?", (ids["design"],)).fetchone()
        assert row == ("WHY: a WHAT: b DONE: c", "Design")
    stem = f"task_{ids['done']}_{board.clock.now:%Y%m%d_%H%M%S}"
    with tarfile.open(tmp_path / "store" / "archives" / f"{stem}.tar.gz") as tar:
        assert sorted(tar.getnames()) == [f"{stem}/context.json", f"{stem}/notes/{ids['done']}_ada.md"]
    assert not list((tmp_path / "store" / "notes").glob(f"{ids['done']}_*"))


def test_a_part_of_the_board_is_a_store_of_its_own(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    top = board.create("Top")
    part = board.create("Part", parent=top)
    board.create("Leaf", parent=part)
    other = board.create("Other")
    board.clock.advance(hours=1)
    board.update("lead", other, description="Changed")
    written = export(board.swarm, "task-orchestrator", Path("below"), Wanted(task=part))
    assert written.tasks == 2
    assert [(item.title, item.parent) for item in read(tmp_path / "below", UTC).items if not item.parent] == [
        ("Part", "")
    ]
    export(board.swarm, "task-orchestrator", tmp_path / "late", Wanted(since=board.clock.now - timedelta(minutes=1)))
    assert [item.title for item in read(tmp_path / "late", UTC).items] == ["Other"]


@pytest.mark.sqlite
def test_every_word_has_one_there(board: Board) -> None:
    assert STATUSES.keys() == set(TaskStatus)
    assert set(STATUSES.values()) == {"pending", "in_progress", "completed", "blocked"}
    assert {each: each.value for each in Priority} == PRIORITIES
    assert [each for each in TaskStatus if STATUSES[each] == "completed"] == [TaskStatus.COMPLETED]
