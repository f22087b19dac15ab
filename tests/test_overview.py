"""The overview: counts and hours, the longest chain that remains, and what happened when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from facts import unsaid
from serving import serving

from swarm_mcp import operations
from swarm_mcp.model.errors import Invalid
from swarm_mcp.operations.swarm import open_swarm

if TYPE_CHECKING:
    from pathlib import Path

    from board import Board

    from swarm_mcp.model.task import Overview

STATISTICS = {
    "total_tasks", "status_breakdown", "completion_percentage", "phase_breakdown", "component_breakdown",
    "total_estimated_hours", "completed_hours", "progress_percentage",
}  # fmt: skip


def overview(board: Board, view: str, **said: Any) -> Overview:
    return board.swarm.read(lambda db: operations.get_overview(db, view=view, **said), agent="lead")


def facts(board: Board, view: str, **said: Any) -> dict[str, Any]:
    return overview(board, view, **said).model_extra or {}


def chain(board: Board, **said: Any) -> tuple[list[str], float]:
    """The tasks of the critical path, and its hours."""
    found = facts(board, "critical_path", **said)
    return [each["task"] for each in found["items"]], found["total_hours"]


# The summary


def test_the_summary_of_an_empty_board_has_every_statistic_of_the_older_system(board: Board) -> None:
    found = facts(board, "summary")
    assert found.keys() >= {*STATISTICS, "overdue"}
    assert (found["total_tasks"], found["completion_percentage"], found["progress_percentage"]) == (0, 0.0, 0.0)


def test_the_summary_counts_tasks_and_hours(board: Board) -> None:
    done = board.create(estimated_hours=3, phase=1, area="database")
    board.create(estimated_hours=1.5, phase=1, area="ui", deadline="2025-12-31")
    gone = board.create(estimated_hours=100)
    board.finish("ada", done)
    board.update("lead", gone, action="cancel")
    found = facts(board, "summary")
    assert (found["total_tasks"], found["open_tasks"], found["overdue"]) == (3, 1, 1)
    assert found["status_breakdown"] == {"completed": 1, "pending": 1, "cancelled": 1}
    assert found["phase_breakdown"] == {"1": 2}
    assert found["component_breakdown"] == {"database": 1, "ui": 1}
    assert (found["total_estimated_hours"], found["completed_hours"]) == (4.5, 3.0)
    assert (found["completion_percentage"], found["progress_percentage"]) == (50.0, 66.7)


def test_the_summary_tells_what_changed_since_a_moment(board: Board) -> None:
    old = board.create()
    board.clock.advance(hours=1)
    since = board.clock.now.isoformat()
    new, failing = board.create(), board.create(needs_review=True)
    board.finish("ada", old)
    board.finish("bob", failing, outcome="failed")
    board.update("lead", new, action="cancel")
    assert facts(board, "summary", since=since)["changes"] == {
        "created": 2, "claimed": 2, "completed": 1, "failed": 1, "cancelled": 1,
    }  # fmt: skip
    assert facts(board, "summary", since="2026-01-02")["changes"]["created"] == 3
    board.clock.advance(hours=1)
    assert facts(board, "summary", since=board.clock.now.isoformat())["changes"] == {}


def test_what_changed_since_can_be_asked_of_a_subtree(board: Board) -> None:
    parent = board.create()
    part = board.create(parent=parent)
    board.create()
    board.finish("ada", part)
    assert facts(board, "summary", since="2026-01-01", under=parent)["changes"] == {
        "created": 1, "claimed": 1, "completed": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("since", "words"), [("2026-02-01", "future"), ("2026-01-01T03:00", "offset"), ("lately", "since")]
)
def test_since_is_a_moment_that_has_been(board: Board, since: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        overview(board, "summary", since=since)


def test_the_empty_view_is_the_summary_and_capitals_do_not_matter(board: Board) -> None:
    for view in ("", " ", "Summary"):
        assert overview(board, view).view == "summary"


def test_views_of_the_present_refuse_since(board: Board) -> None:
    with pytest.raises(Invalid, match="since goes with summary and timeline"):
        overview(board, "stuck", since="2026-01-01")
    with pytest.raises(Invalid, match="Did you mean `critical_path`"):
        overview(board, "critical-path")


# The critical path


def test_the_longer_side_of_a_diamond_is_critical(board: Board) -> None:
    first = board.create(estimated_hours=1)
    short, long = (board.create(estimated_hours=hours, depends_on=[first]) for hours in (2, 5))
    last = board.create(estimated_hours=0.5, depends_on=[short, long])
    board.create(estimated_hours=6)
    assert chain(board) == ([first, long, last], 6.5)
    steps = facts(board, "critical_path")["items"]
    assert [(each["hours"], each["done_after"]) for each in steps] == [(1, 1), (5, 6), (0.5, 6.5)]


def test_hours_count_and_not_the_number_of_tasks(board: Board) -> None:
    small = board.create(estimated_hours=0.25)
    for _ in range(5):
        small = board.create(estimated_hours=0.25, depends_on=[small])
    large = board.create(estimated_hours=8)
    assert chain(board) == ([large], 8.0)


def test_what_nobody_has_estimated_counts_one_hour_and_is_told(board: Board) -> None:
    first = board.create()
    second = board.create(depends_on=[first], estimated_hours=2)
    found = overview(board, "critical_path")
    assert chain(board) == ([first, second], 3.0)
    assert (found.model_extra or {})["assumed"] == 1
    assert (
        found.message == "The longest chain of work that remains is 2 tasks and 3 h (1 without an estimate counts 1 h)."
    )
    assert "estimate" not in (found.model_extra or {})["items"][1]


def test_completed_work_takes_no_time_any_more(board: Board) -> None:
    first = board.create(estimated_hours=10)
    second = board.create(depends_on=[first], estimated_hours=2)
    board.finish("ada", first)
    assert chain(board) == ([second], 2.0)
    board.finish("ada", second)
    found = overview(board, "critical_path")
    assert (found.message, found.model_extra) == ("Nothing is open, so no work remains.", {"total_hours": 0.0})


def test_what_waits_for_a_parent_waits_for_its_longest_part_and_its_wrap_up(board: Board) -> None:
    parent = board.create(estimated_hours=1)
    part, longer = (board.create(parent=parent, estimated_hours=hours) for hours in (2, 4))
    after = board.create(depends_on=[parent], estimated_hours=1)
    assert chain(board) == ([longer, parent, after], 6.0)
    assert chain(board, under=part) == ([part], 2.0)


def test_a_part_starts_after_what_its_ancestors_wait_for(board: Board) -> None:
    gate = board.create(estimated_hours=3)
    above = board.create(depends_on=[gate])
    parent = board.create(parent=above, estimated_hours=1)
    part = board.create(parent=parent, estimated_hours=2)
    assert chain(board, under=part) == ([gate, part], 5.0)
    assert chain(board) == ([gate, part, parent, above], 7.0)


def test_a_finished_parents_gate_still_counts_for_its_open_parts(board: Board) -> None:
    parent = board.create()
    board.claim("ada", parent)
    part = board.create(parent=parent, estimated_hours=1)
    gate = board.create(estimated_hours=5)
    board.update("lead", parent, add_depends_on=[gate])
    board.complete("ada", parent, outcome="failed")
    assert chain(board) == ([gate, part], 6.0)


def test_dead_ends_take_no_time_and_are_told(board: Board) -> None:
    failed, cancelled = board.create(estimated_hours=50), board.create(estimated_hours=50)
    waiting = board.create(depends_on=[failed, cancelled], estimated_hours=2)
    elsewhere = board.create()
    board.finish("ada", failed, outcome="failed")
    board.update("lead", cancelled, action="cancel")
    found = facts(board, "critical_path")
    assert chain(board) == ([waiting], 2.0)
    assert {(each["task"], each["status"], each["waiter"]) for each in found["dead_ends"]} == {
        (failed, "failed", waiting), (cancelled, "cancelled", waiting),
    }  # fmt: skip
    assert "dead_ends" not in facts(board, "critical_path", under=elsewhere)


def test_a_long_chain_is_cut_at_its_end_and_says_so(board: Board) -> None:
    items = [{"ref": f"t{n}", "title": f"Step {n}", "depends_on": [f"t{n - 1}"] * (n > 0)} for n in range(300)]
    ids = list(board.plan(*items).ids.values())
    found = overview(board, "critical_path", limit=3)
    assert [each["task"] for each in (found.model_extra or {})["items"]] == ids[:3]
    assert "300 tasks and 300 h" in found.message
    assert "the first 3 are shown, limit=200 shows more" in found.message


# The timeline


def test_days_in_which_something_happened_are_told_the_newest_first(board: Board) -> None:
    done, left = board.create("Sow"), board.create("Reap")
    board.clock.advance(days=2)
    board.finish("ada", done)
    board.clock.advance(days=1)
    board.claim("bob", left)
    newest, middle, oldest = facts(board, "timeline")["items"]
    assert (newest["at"], newest["counts"]) == ("2026-01-05", {"claimed": 1})
    assert (middle["at"], middle["counts"]) == ("2026-01-04", {"claimed": 1, "completed": 1})
    assert middle["ended"] == [f"{done} Sow completed by ada"]
    assert (oldest["at"], oldest["counts"]) == ("2026-01-02", {"created": 2})


def test_a_short_time_is_told_by_the_hour(board: Board) -> None:
    since = board.clock.now.isoformat()
    task = board.create()
    board.clock.advance(hours=2)
    board.claim("ada", task)
    spans = facts(board, "timeline", since=since)["items"]
    assert [each["at"] for each in spans] == ["2026-01-02 05:00Z", "2026-01-02 03:00Z"]


def test_what_is_older_than_a_week_is_told_when_it_is_asked_for(board: Board) -> None:
    board.create()
    board.clock.advance(days=8)
    assert overview(board, "timeline").message.startswith("Nothing happened since 2026-01-03T03:04")
    assert [each["at"] for each in facts(board, "timeline", since="2026-01-01")["items"]] == ["2026-01-02"]


def test_the_timeline_of_a_subtree_tells_of_nothing_else(board: Board) -> None:
    parent = board.create()
    board.create(parent=parent, deadline="2026-02-01")
    board.create(deadline="2026-01-10")
    found = facts(board, "timeline", under=parent)
    assert [each["counts"] for each in found["items"]] == [{"created": 1}]
    assert [each["deadline"][:10] for each in found["deadlines"]] == ["2026-02-01"]


def test_the_next_deadlines_come_with_the_timeline_and_those_that_have_passed_do_not(board: Board) -> None:
    later, soon = board.create(deadline="2026-03-01"), board.create(deadline="2026-02-01", assignee="ada")
    board.create(deadline="2025-12-31")
    board.finish("ada", board.create(deadline="2026-01-31"))
    first, second = facts(board, "timeline")["deadlines"]
    assert (first["task"], first["assignee"], second["task"]) == (soon, "ada", later)


def test_a_cut_timeline_says_so(board: Board) -> None:
    for _ in range(4):
        board.create()
        board.clock.advance(days=1)
    found = overview(board, "timeline", limit=2)
    assert len((found.model_extra or {})["items"]) == 2
    assert "earlier days are left out" in found.message


# Over the wire


def test_every_view_says_in_words_what_it_says_in_facts(tmp_path: Path) -> None:
    path = tmp_path / "swarm.db"
    with open_swarm(path).writing(agent="host") as db:
        for title in ("Sow", "Reap"):
            task = operations.create_task(db, title=title, estimated_hours=1.5, deadline="2099-01-01", phase=2).task
            assert task is not None
            operations.create_task(db, title="Sell it", depends_on=[task.id], assignee="ada")
            operations.claim_task(db, task=task.id)
            operations.complete_task(db, task=task.id, summary="No.", outcome="failed" if title == "Sow" else "partial")
    with serving(path, "--profile", "director") as desk:
        for view in ("summary", "stuck", "tree", "critical_path", "timeline"):
            answer = desk.call("get_overview", view=view)
            assert unsaid(answer) == []
            assert answer.facts["message"] == answer.text.splitlines()[0]
        assert unsaid(desk.call("get_overview", since="2026-01-01")) == []
        assert len(desk.call("get_overview", view="stuck")["items"]) == 2
