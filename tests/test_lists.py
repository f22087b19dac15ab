"""Lists: what a row says, which rows there are, and how one pages through all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import operations
from swarm_mcp.model.errors import Invalid

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.model.task import TaskList


def listed(board: Board, **said: Any) -> TaskList:
    return board.swarm.read(lambda db: operations.list_tasks(db, **said))


def titles(board: Board, **said: Any) -> list[str]:
    return [line.title for line in listed(board, **said).tasks]


def test_a_list_begins_with_a_count(board: Board) -> None:
    for _ in range(3):
        board.create()
    assert listed(board, limit=2).message == "2 of 3 tasks."
    assert listed(board, status=["completed"]).message == "0 of 0 tasks."


def test_a_row_always_has_its_status_and_leaves_out_what_is_as_usual(board: Board) -> None:
    task = board.create("Build")
    assert board.line(task).structured() == {"id": task, "title": "Build", "status": "pending"}


def test_a_row_says_what_is_unusual(board: Board) -> None:
    others = [board.create() for _ in range(5)]
    task = board.create("x" * 100, priority="high", assignee="ada", deadline="2026-12-31", depends_on=others)
    line = board.line(task)
    assert (len(line.title), line.priority, line.assignee, line.holder) == (80, "high", "ada", "")
    assert (len(line.depends_on), line.depends_on_more, line.deadline[:10]) == (3, 2, "2026-12-31")
    board.claim("bob", others[0])
    assert board.line(others[0]).holder == "bob"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"status": ["todo"]}, "ready mine tagged"),
        ({"status": ["BLOCKED", "done"]}, "done waiting"),
        ({"ready": True}, "ready mine tagged"),
        ({"assignee": "ada"}, "mine"),
        ({"assignee": "anyone"}, "done ready tagged waiting"),
        ({"overdue": True}, "mine"),
        ({"priority": "High"}, "ready"),
        ({"tag": "ui"}, "tagged"),
        ({"area": "docs"}, "tagged"),
        ({"text": "TAG"}, "tagged"),
    ],
)
def test_every_filter_narrows_the_list(board: Board, said: dict[str, Any], found: str) -> None:
    board.create("ready", priority="high")
    board.create("mine", assignee="ada", deadline="2026-01-01")
    tagged = board.create("tagged", tags=["ui"], area="docs")
    board.create("waiting", depends_on=[tagged])
    board.finish("bob", board.create("done"))
    assert sorted(titles(board, **said)) == sorted(found.split())


def test_under_lists_everything_below_a_task_and_not_the_task_itself(board: Board) -> None:
    top = board.create("top")
    board.create("inner", parent=board.create("middle", parent=top))
    board.create("elsewhere")
    assert sorted(titles(board, under=top)) == ["inner", "middle"]


@pytest.mark.parametrize("sort", ["urgency", "created", "updated", "deadline"])
def test_a_cursor_leads_through_all_of_it_once(board: Board, sort: str) -> None:
    made = []
    for n in range(7):
        made.append(board.create(priority=["low", "high"][n % 2], deadline=f"2026-0{1 + n % 3}-01"))
        board.clock.advance(seconds=1)
    found: list[str] = []
    cursor = ""
    while len(found) < 7:
        page = listed(board, sort=sort, limit=3, cursor=cursor)
        found += [line.id for line in page.tasks]
        cursor = page.next_cursor
    assert sorted(found) == sorted(made)
    assert cursor == ""


@pytest.mark.parametrize("cursor", ["nonsense", "WyJjcmVhdGVkIl0", "💥"])
def test_a_bad_cursor_is_invalid(board: Board, cursor: str) -> None:
    task = board.create()
    with pytest.raises(Invalid, match="no cursor"):
        listed(board, cursor=cursor)
    with pytest.raises(Invalid, match="no cursor"):
        board.brief("ada", task, include=["progress"], cursor=cursor)


def test_a_cursor_of_another_order_is_invalid(board: Board) -> None:
    for _ in range(2):
        board.create()
    cursor = listed(board, limit=1, sort="created").next_cursor
    with pytest.raises(Invalid, match="no cursor"):
        listed(board, limit=1, cursor=cursor)


def test_the_empty_order_is_the_usual_one_and_capitals_do_not_matter(board: Board) -> None:
    low, high = board.create(priority="low"), board.create(priority="high")
    for sort in ("", " ", "URGENCY"):
        assert [line.id for line in listed(board, sort=sort).tasks] == [high, low]


def test_a_limit_above_two_hundred_is_taken_as_two_hundred_and_said(board: Board) -> None:
    board.create()
    assert "at most 200" in listed(board, limit=201).message
    overview = board.swarm.read(lambda db: operations.get_overview(db, view="tree", limit=5000))
    assert "at most 200" in overview.message


@pytest.mark.parametrize(
    "said",
    [{"limit": 0}, {"sort": "urgencies"}, {"status": ["nowhere"]}, {"assignee": "nobody_here"}, {"tag": "x" * 60_000}],
)
def test_what_a_list_does_not_understand_is_refused(board: Board, said: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        listed(board, **said)
