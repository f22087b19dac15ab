"""Deleting for good: nothing of the task is left but the event, nothing else is touched, and the copy has all of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import recount

from swarm_mcp import operations
from swarm_mcp.interchange.addresses import changes_list, of_event
from swarm_mcp.model.errors import Blocked, TaskNotFound, Unavailable
from swarm_mcp.operations.deleting import Deleted, delete_task
from swarm_mcp.repository import events, tables

if TYPE_CHECKING:
    from board import Board


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies of boards on a server go."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def delete(board: Board, task: str, *, subtree: bool = False) -> Deleted:
    return delete_task(board.swarm, task=task, subtree=subtree)


def mentions(place: Path | str, task: str) -> dict[str, int]:
    """The tables in which a task is named in a column of its own, and how often."""
    found = {}
    with recount.looking(place) as own:
        for table in tables.metadata.sorted_tables:
            names = [each.name for each in table.c if each.name in {"task_id", "depends_on_id", "parent_id"}]
            names += ["id"] * (table.name == "task")
            for name in names:
                (count,) = own.execute(f"SELECT count(*) FROM {table.name} WHERE {name} = ?", (task,)).fetchone()
                found[f"{table.name}.{name}"] = count
    return {name: count for name, count in found.items() if count}


def busy_task(board: Board, **said: object) -> str:
    """A completed task with something in every table, which a question was answered about."""
    task = board.create("The old parser", description="It parses.", criteria=["It parses"], assignee="ada", **said)
    board.claim("ada", task)
    board.call("ada", operations.share_context, task=task, key="grammar", value={"rules": 3})
    board.call("ada", operations.share_context, task=task, key="grammar", value={"rules": 4})
    board.call("ada", operations.add_note, task=task, text="My own.")
    board.call("bob", operations.join_task, task=task)
    board.ask("ada", task, "Which dialect?")
    board.send("lead", "The newer one.", reply_to=f"m{board.question(task).id}")
    board.update("lead", task, title="The older parser")
    board.complete("ada", task, evidence={"1": "It did."})
    return task


def test_a_task_goes_with_everything_that_is_its_own_and_is_whole_in_the_copy(board: Board) -> None:
    parent = board.create("Parsing")
    part, other = busy_task(board, parent=parent), board.create("Another part", parent=parent)
    waiter = board.create("Uses it", depends_on=[part])
    done = board.create("Used it", depends_on=[f"enables:{part}"])
    board.finish("bob", waiter)
    board.finish("bob", other)
    before = mentions(board.place, part)
    assert {name.partition(".")[0] for name in before} >= {
        "task", "event", "context", "note", "participant", "execution", "delegation", "criterion", "dependency",
        "message", "inbox",
    }  # fmt: skip
    gone = delete(board, part[:6])
    assert gone.deleted == [part]
    assert gone.message.startswith(f"Deleted {part} The older parser. The board as it was before is in {gone.snapshot}")
    assert mentions(board.place, part) == {}
    assert recount.problems(board.place) == []
    event = board.swarm.read(lambda db: events.project_events(db, after=0, limit=10_000))[-1]
    assert (event.kind, event.data["tasks"]) == ("deleted", [part])
    assert event.data == {"tasks": [part], "parent": parent, "snapshot": Path(gone.snapshot).name}
    assert {f"swarm://tasks/{part}", f"swarm://tasks/{parent}/tree", "swarm://tasks"} <= of_event(event)
    assert changes_list(event)
    assert board.kinds(done)[-1] == board.kinds(waiter)[-1] == "unlinked"
    assert (board.row(parent).subtasks, board.status(parent)) == (1, "pending")
    with pytest.raises(TaskNotFound):
        board.brief("ada", part)
    in_the_copy = mentions(Path(gone.snapshot), part)
    own = {"wording.task_id", "unindexed.task_id"}  # of the index of words of a file
    assert {name: count for name, count in in_the_copy.items() if name not in own} == {
        name: count for name, count in before.items() if name not in own
    }
    assert recount.problems(Path(gone.snapshot)) == []


def test_a_subtree_goes_as_a_whole_if_that_is_said(board: Board) -> None:
    top = board.create("Top", parent=board.create("Above"))
    below = board.create("Below", parent=top)
    deepest = board.create("Deepest", parent=below, depends_on=[board.create("Blocker")])
    with pytest.raises(Blocked, match=f"{top} has 2 tasks below it"):
        delete(board, top)
    assert sorted(delete(board, top, subtree=True).deleted) == sorted([top, below, deepest])
    assert board.swarm.read(operations.list_tasks).total == 2
    assert board.kinds(board.swarm.read(operations.list_tasks).tasks[0].id)[-1] in {"unblocked", "created"}


def test_what_is_wanted_or_worked_on_stays_and_nothing_is_copied_then(board: Board, tmp_path: Path) -> None:
    folder = board.place.parent if isinstance(board.place, Path) else tmp_path / "data"
    there = set(folder.rglob("*before-deleting*"))
    wanted = board.create("Wanted")
    waiter = board.create("Waits", depends_on=[wanted])
    held = board.create("Held")
    board.claim("ada", held)
    with pytest.raises(Blocked, match=f"{waiter} still waits for {wanted}"):
        delete(board, wanted)
    with pytest.raises(Blocked, match=f"ada works on {held}"):
        delete(board, held)
    with pytest.raises(TaskNotFound):
        delete(board, "zzzz")
    assert set(folder.rglob("*before-deleting*")) == there


def test_without_a_copy_nothing_is_deleted(board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = board.create()
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("swarm_mcp.repository.snapshots.beside", lambda *_: tmp_path / "file" / "copy")
    with pytest.raises(Unavailable, match="nothing was done"):
        delete(board, task)
    assert board.status(task) == "pending"
