"""The workload: what lies with whom, what waits in the pools, who has nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from board import Board
from facts import unsaid
from serving import serving
from sqlalchemy import insert
from tokenizer import count

from swarm_mcp import open_swarm, operations
from swarm_mcp.repository import tables

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Clock

    from swarm_mcp.model.task import Overview
    from swarm_mcp.repository.database import Transaction


def seen(board: Board, **said: Any) -> Overview:
    return board.swarm.read(lambda db: operations.get_overview(db, view="workload", **said))


def agents(board: Board, **said: Any) -> dict[str, dict[str, Any]]:
    found = seen(board, **said).model_extra
    assert found is not None
    return {each["name"]: each for each in found["agents"]}


def pools(board: Board, **said: Any) -> dict[str, dict[str, Any]]:
    found = seen(board, **said).model_extra
    assert found is not None
    return {each["name"]: each for each in found["pools"]}


def test_each_agent_has_what_it_holds_and_what_is_assigned_to_it(board: Board) -> None:
    board.enlist("ada", capacity=2)
    other = board.create("Elsewhere", assignee="bob")
    for hours in (1.5, 2):
        board.create(assignee="ada", estimated_hours=hours, deadline="2025-01-01")
    board.create(assignee="ada", depends_on=[other], estimated_hours=8)
    board.finish("ada", board.create(assignee="ada"), outcome="partial")
    board.claim("ada", board.create(estimated_hours=0.5))
    board.ask("ada", board.claimed("ada", pool="anyone") or board.claimed("ada"))
    assert agents(board)["ada"] == {
        "name": "ada", "availability": "busy", "holds": 2, "capacity": 2, "ready": 1, "blocked": 1, "partial": 1,
        "hours": 12.0, "overdue": 2,
    }  # fmt: skip


def test_what_was_completed_within_a_week_is_counted(board: Board) -> None:
    board.finish("ada", board.create())
    board.clock.advance(days=8)
    for _ in range(2):
        board.finish("ada", board.create())
    board.finish("ada", board.create(), outcome="failed")
    assert agents(board)["ada"]["completed"] == 2
    assert agents(board)["bob"] == {"name": "bob", "availability": "offline"}


def test_pools_have_what_anybody_in_them_may_claim(board: Board) -> None:
    board.team("backend", "ada")
    board.create(assignee="backend", estimated_hours=3, deadline="2025-01-01")
    board.create(assignee="backend", depends_on=[board.create()])
    board.create(assignee="specialty:testing")
    board.claim("ada", board.create(assignee="backend"))
    assert pools(board) == {
        "team:backend": {"name": "team:backend", "ready": 1, "blocked": 1, "hours": 3.0, "overdue": 1},
        "specialty:testing": {"name": "specialty:testing", "ready": 1},
        "anyone": {"name": "anyone", "ready": 1},
    }
    assert agents(board)["ada"]["holds"] == 1


def test_the_most_loaded_come_first_and_those_without_anything_last(board: Board) -> None:
    board.create(assignee="bob", estimated_hours=1)
    for _ in range(2):
        board.create(assignee="ada")
    board.enlist("cy", below="lead", lifecycle="paused")
    board.create(assignee="cy", estimated_hours=2)
    assert list(agents(board)) == ["ada", "cy", "bob", "lead"]
    assert agents(board)["cy"]["availability"] == "paused idle"
    assert seen(board).message == "3 agents have open tasks, 1 has none."


def test_agents_that_have_ended_are_left_out_unless_something_still_lies_with_them(board: Board) -> None:
    board.create(assignee="ada")
    for name in ("ada", "bob"):
        board.enlist(name, lifecycle="terminated")
    assert set(agents(board)) == {"lead", "ada"}


def test_finished_and_archived_work_and_work_in_review_is_nobodys_load(board: Board) -> None:
    board.task_in("in_review", assignee="ada")
    done = board.task_in("completed", assignee="ada")
    board.task_in("failed", assignee="ada")
    board.update("lead", done, action="archive")
    assert agents(board)["ada"] == {"name": "ada", "availability": "idle", "completed": 1}
    assert (
        seen(board).message == "0 agents have open tasks, 3 have none. 1 in review counts for nobody but its reviewer."
    )


def test_under_a_task_only_what_is_below_it_counts(board: Board) -> None:
    parent = board.create()
    board.create(assignee="ada", parent=parent)
    board.finish("bob", board.create(parent=board.create(parent=parent)))
    board.finish("bob", board.create())
    board.create(assignee="ada")
    assert agents(board, under=parent)["ada"]["ready"] == 1
    assert agents(board, under=parent)["bob"]["completed"] == 1
    assert pools(board, under=parent)["anyone"] == {"name": "anyone", "ready": 1}


def test_what_is_left_out_is_said_with_the_call_that_shows_it(board: Board) -> None:
    board.create(assignee="specialty:a")
    board.create(assignee="specialty:b")
    said = seen(board, limit=1)
    assert said.message == (
        "0 agents have open tasks, 3 have none. 2 more agents: limit=3 shows them. 1 more pool, with less in it."
    )
    assert len(agents(board, limit=1)) == len(pools(board, limit=1)) == 1


def large_board(path: Path, clock: Clock) -> None:
    """Five hundred agents, each with a task, and a hundred pools."""
    swarm = open_swarm(path)
    board = Board(swarm, clock)
    for name in ("lead", "ada"):
        board.inbox(name)
    board.create(assignee="ada", estimated_hours=1234.5, deadline="2025-01-01")
    board.create(assignee="ada", deadline="2025-01-01")
    board.claim("ada")

    def fill(db: Transaction) -> None:
        for n in range(500):
            name = f"worker_{n:03}_{'x' * 50}"
            row = {"id": f"agent-{n}", "project": "default", "name": name, "role": "worker", "lifecycle": "active"}
            db.execute(insert(tables.agent), {**row, "created_at": db.now, "updated_at": db.now})
        items = [{"title": "Part", "assignee": f"worker_{n:03}_{'x' * 50}", "estimated_hours": 1} for n in range(500)]
        operations.create_plan(db, tasks=items)  # type: ignore[arg-type]
        pools = [{"title": "Part", "assignee": f"specialty:{'y' * 50}{n}"} for n in range(100)]
        operations.create_plan(db, tasks=pools)  # type: ignore[arg-type]

    swarm.write(fill)
    swarm.close()


def test_text_and_facts_agree_and_neither_grows_with_the_store(tmp_path: Path, clock: Clock) -> None:
    large_board(tmp_path / "swarm.db", clock)
    with serving(tmp_path / "swarm.db", name="lead") as desk:
        for limit in (3, 40, 200):
            answer = desk.call("get_overview", view="workload", limit=limit)
            assert unsaid(answer) == []
            assert max(count(answer.text), count(str(answer.facts))) < 8000
        assert "list_agents() pages through all" in answer["message"]
        first = desk.call("get_overview", view="workload", limit=1).text.splitlines()
        assert first[1] == "ada busy · holds 1 · 1 ready · 1234.5 h · 2 overdue"
