"""The ledger: what it says, what it never says, and that whoever reads along misses nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import recount

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.errors import NotAllowed, TaskNotFound
from swarm_mcp.repository import events

if TYPE_CHECKING:
    from board import Board

CROWD = Path(__file__).parent / "processes" / "crowd.py"
RARE = "xylophone"


def ledger(board: Board) -> list[Any]:
    """Everything that happened on a board."""
    return list(board.swarm.read(lambda db: events.project_events(db, after=0, limit=10_000)))


def test_an_event_tells_what_was_and_what_is(board: Board) -> None:
    task = board.create("Buid it", priority="low")
    board.update("lead", task, title="Build it", priority="high")
    assert board.events(task)[-1].data == {"title": ["Buid it", "Build it"], "priority": ["low", "high"]}
    assert board.name_of(board.events(task)[-1].agent_id) == "lead"


def test_a_life_is_told_in_order_and_each_change_is_a_version(board: Board) -> None:
    task = board.create(needs_review=True)
    board.claim("ada", task)
    board.report("ada", task, percent=30)
    question = board.ask("ada", task)
    board.send("lead", reply_to=question)
    board.clock.advance(minutes=31)
    board.sweep()
    board.finish("bob", task)
    board.review("lead", task, "accept")
    board.update("lead", task, action="reopen")
    told = [(event.kind, event.version) for event in board.events(task)]
    assert told == [
        ("created", 1), ("claimed", 2), ("progressed", None), ("asked", 3), ("resumed", 4), ("lapsed", 5),
        ("claimed", 6), ("in_review", 7), ("accepted", 8), ("reopened", 9),
    ]  # fmt: skip
    assert board.row(task).version == 9


def test_what_the_board_does_by_itself_is_told_without_an_agent(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    board.clock.advance(minutes=31)
    board.sweep()
    lapsed = board.events(task)[-1]
    assert (lapsed.kind, lapsed.agent_id, lapsed.via) == ("lapsed", None, "sweep")


def test_what_was_refused_is_not_told(board: Board) -> None:
    task = board.create()
    before = len(ledger(board))
    with pytest.raises(NotAllowed):
        board.update("bob", task, title="Mine now")
    assert len(ledger(board)) == before


def test_of_several_operations_in_one_transaction_all_are_told_or_none(board: Board) -> None:
    before = len(ledger(board))
    with pytest.raises(TaskNotFound), board.swarm.writing(agent="lead") as db:
        made = operations.create_task(db, title="A task")
        operations.create_task(db, title="Another", depends_on=["nothing2"])
    assert len(ledger(board)) == before
    with board.swarm.writing(agent="lead") as db:
        made = operations.create_task(db, title="A task")
        assert made.task is not None
        operations.create_task(db, title="Another", depends_on=[made.task.id])
    assert [event.kind for event in ledger(board)[before:]] == ["created", "created"]


def test_words_that_are_private_or_said_to_somebody_are_never_told(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    board.call("ada", operations.add_note, task=task, text=f"My {RARE} is out of tune.")
    board.send("ada", f"Your {RARE}?", to="bob", task=task)
    question = board.ask("ada", task, f"Which {RARE}?")
    board.send("lead", f"The red {RARE}.", reply_to=question)
    assert RARE not in json.dumps([event.data for event in ledger(board)])


def test_what_is_derived_or_the_claims_clock_makes_no_version(board: Board) -> None:
    first, parent = board.create(), board.create()
    part = board.create(parent=parent)
    board.update("lead", parent, add_depends_on=[first])
    versions = {task: board.row(task).version for task in (first, parent, part)}
    board.claim("ada", first)
    board.clock.advance(minutes=10)
    board.report("ada", first, percent=40)
    assert board.row(first).version == versions[first] + 1, "only the claim counts"
    board.complete("ada", first)
    assert board.row(part).version == versions[part] + 1, "it became ready, and that is a change of its status"
    assert board.row(parent).version == versions[parent], "it waits for one thing less, and that is not told"


def test_a_claim_made_by_the_guarded_statement_is_told_like_every_change(board: Board) -> None:
    task = board.create()
    board.update("lead", task, add_criteria=["It works."])
    board.claim("ada", task)
    told = board.events(task)[-1].data
    ada = board.agent("ada").id
    assert told.pop("started_at")[0] is None
    assert told == {
        "status": ["pending", "in_progress"], "holder_id": [None, ada], "worker_id": [None, ada], "attempt": [0, 1],
    }  # fmt: skip


def test_whoever_reads_along_while_many_write_misses_nothing_and_sees_each_task_in_order(database_path: Path) -> None:
    swarm = open_swarm(database_path)
    words = [sys.executable, CROWD, "load", database_path, "3", json.dumps({"seconds": 0.7, "threads": 2})]
    seen: list[Any] = []

    def read_on() -> int:
        after = seen[-1].seq if seen else 0
        found = swarm.read(lambda db: events.project_events(db, after=after, limit=50))
        seen.extend(found)
        return len(found)

    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as writers:
        while writers.poll() is None:
            read_on()
    while read_on():
        pass
    swarm.close()
    assert writers.returncode == 0
    with recount.looking(database_path) as connection:
        stored = [seq for (seq,) in connection.execute("SELECT seq FROM event ORDER BY seq")]
    assert [event.seq for event in seen] == stored == list(range(1, len(stored) + 1))
    kinds: dict[str, list[str]] = defaultdict(list)
    for event in seen:
        if event.task_id is not None:
            kinds[event.task_id].append(event.kind)
    assert set(map(tuple, kinds.values())) == {("created", "claimed", "progressed", "completed")}
