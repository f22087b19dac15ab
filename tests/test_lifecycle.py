"""The lifecycle of a task: every move that there is, by the operation that makes it, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp.model.errors import Blocked, IllegalMove, Invalid
from swarm_mcp.model.lifecycle import FINISHED, MOVES, WAITING, Priority, TaskStatus, read_priority, read_status
from swarm_mcp.operations import moves
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from board import Board

AGREED = {
    "pending": "in_progress blocked cancelled",
    "blocked": "pending in_progress cancelled",
    "in_progress": "pending blocked requires_assistance in_review completed partial failed cancelled",
    "requires_assistance": "in_progress pending blocked in_review completed partial failed cancelled",
    "in_review": "completed pending blocked failed cancelled",
    "partial": "in_progress completed pending blocked failed cancelled",
    "failed": "pending blocked cancelled",
    "completed": "pending blocked",
    "cancelled": "pending blocked",
}


def act(action: str, **said: Any) -> Callable[[Board, str], object]:
    return lambda board, task: board.update("lead", task, action=action, reason="because", **said)


def report(status: str) -> Callable[[Board, str], object]:
    return lambda board, task: board.report("ada", task, "because", status=status)


def finish(outcome: str) -> Callable[[Board, str], object]:
    return lambda board, task: board.complete("ada", task, outcome=outcome)


def review(verdict: str) -> Callable[[Board, str], object]:
    return lambda board, task: board.review("lead", task, verdict, notes="because")


def claim(board: Board, task: str) -> None:
    board.claim("ada", task)


def wait(board: Board, task: str) -> None:
    """Let the task wait for another one."""
    board.update("lead", task, add_depends_on=[board.create("Before it")])


def wait_and(then: Callable[[Board, str], object]) -> Callable[[Board, str], None]:
    def both(board: Board, task: str) -> None:
        wait(board, task)
        then(board, task)

    return both


def wait_for_another(board: Board, task: str) -> None:
    board.report("ada", task, "first that", status="blocked", depends_on=[board.create("Before it")])


def ask_for_review(board: Board, task: str) -> None:
    board.policy(require_review=True)
    board.complete("ada", task)


def answer(board: Board, task: str) -> None:
    board.send("lead", "The left one.", reply_to=f"m{board.question(task).id}")


def let_lapse(board: Board, task: str) -> None:
    board.clock.advance(minutes=31)
    assert board.sweep() == 1
    assert board.kinds(task)[-1] == "lapsed"


WAYS: list[tuple[str, str, str, Callable[[Board, str], object]]] = [
    ("pending", "in_progress", "claimed", claim),
    ("pending", "blocked", "held", act("hold")),
    ("pending", "blocked", "waiting", wait),
    ("pending", "cancelled", "cancelled", act("cancel")),
    ("blocked", "pending", "hold lifted", act("resume")),
    ("blocked", "cancelled", "cancelled", act("cancel")),
    ("in_progress", "pending", "released", report("released")),
    ("in_progress", "pending", "lapsed", let_lapse),
    ("in_progress", "pending", "recalled", act("recall")),
    ("in_progress", "blocked", "held by its worker", report("blocked")),
    ("in_progress", "blocked", "held", act("hold")),
    ("in_progress", "blocked", "waiting", wait_for_another),
    ("in_progress", "blocked", "released while waiting", wait_and(report("released"))),
    ("in_progress", "requires_assistance", "asked", report("requires_assistance")),
    ("in_progress", "in_review", "done, to be reviewed", ask_for_review),
    ("in_progress", "completed", "completed", finish("completed")),
    ("in_progress", "partial", "partly done", finish("partial")),
    ("in_progress", "failed", "failed", finish("failed")),
    ("in_progress", "cancelled", "cancelled", act("cancel")),
    ("requires_assistance", "in_progress", "answered", answer),
    ("requires_assistance", "in_progress", "withdrawn", report("in_progress")),
    ("requires_assistance", "pending", "released", report("released")),
    ("requires_assistance", "pending", "recalled", act("recall")),
    ("requires_assistance", "blocked", "held", act("hold")),
    ("requires_assistance", "in_review", "done, to be reviewed", ask_for_review),
    ("requires_assistance", "completed", "completed", finish("completed")),
    ("requires_assistance", "partial", "partly done", finish("partial")),
    ("requires_assistance", "failed", "failed", finish("failed")),
    ("requires_assistance", "cancelled", "cancelled", act("cancel")),
    ("in_review", "completed", "accepted", review("accept")),
    ("in_review", "pending", "rework", review("rework")),
    ("in_review", "blocked", "rework while waiting", wait_and(review("rework"))),
    ("in_review", "failed", "failed", review("fail")),
    ("in_review", "cancelled", "cancelled", act("cancel")),
    ("partial", "in_progress", "claimed by name", claim),
    ("partial", "completed", "accepted", review("accept")),
    ("partial", "pending", "retried", act("retry")),
    ("partial", "blocked", "held", act("hold")),
    ("partial", "failed", "failed", review("fail")),
    ("partial", "cancelled", "cancelled", act("cancel")),
    ("failed", "pending", "retried", act("retry")),
    ("failed", "blocked", "retried while waiting", wait_and(act("retry"))),
    ("failed", "cancelled", "cancelled", act("cancel")),
    ("completed", "pending", "reopened", act("reopen")),
    ("completed", "blocked", "reopened while waiting", wait_and(act("reopen"))),
    ("cancelled", "pending", "reopened", act("reopen")),
    ("cancelled", "blocked", "reopened while waiting", wait_and(act("reopen"))),
]
OWN_HOLD = ("blocked", "in_progress")
"""Its own test is below: the hold must be the claimer's."""


@pytest.mark.parametrize(
    ("before", "after", "how"), [(a, b, how) for a, b, _, how in WAYS], ids=[" ".join(way[:3]) for way in WAYS]
)
def test_every_move_of_the_table_is_made_by_an_operation_and_recorded(
    board: Board, before: str, after: str, how: Callable[[Board, str], object]
) -> None:
    task = board.task_in(before)
    how(board, task)
    assert board.status(task) == after
    assert board.events(task)[-1].data["status"][1] == after


def test_a_worker_lifts_its_own_hold_by_claiming_the_task_by_name(board: Board) -> None:
    task = board.task_in("in_progress")
    board.report("ada", task, "no network", status="blocked")
    board.claim("ada", task)
    assert board.status(task) == "in_progress"
    assert board.row(task).hold_reason is None


def test_the_ways_above_are_all_that_the_table_allows() -> None:
    assert {(a, b) for a, b, *_ in WAYS} | {OWN_HOLD} == {(a, b) for a, bs in MOVES.items() for b in bs}


def test_the_table_is_the_one_that_was_agreed() -> None:
    assert {status.value: set(targets) for status, targets in MOVES.items()} == {
        status: set(targets.split()) for status, targets in AGREED.items()
    }


@pytest.mark.parametrize("before", TaskStatus)
def test_every_other_move_is_refused_and_the_allowed_ones_are_named(board: Board, before: TaskStatus) -> None:
    task = board.task_in(before)
    seen = board.row(task)
    for after in set(TaskStatus) - MOVES[before] - ({before} & WAITING):
        with pytest.raises(IllegalMove) as refusal:
            board.swarm.write(lambda db, after=after: moves.move(db, tasks.task_row(db, task), after, "tried"))
        assert refusal.value.facts["allowed"] == sorted(MOVES[before])
        assert all(allowed in refusal.value.message for allowed in MOVES[before])
    assert board.row(task) == seen


TRIES: list[tuple[str, Callable[[Board, str], object], str]] = [
    ("claim", claim, "in_review completed failed cancelled"),
    ("hold", act("hold"), "in_review completed failed cancelled"),
    ("resume", act("resume"), "pending in_progress partial completed"),
    ("recall", act("recall"), "pending in_review partial completed"),
    ("retry", act("retry"), "pending blocked in_progress in_review completed cancelled"),
    ("reopen", act("reopen"), "pending blocked in_progress in_review partial failed"),
    ("cancel", act("cancel"), "completed cancelled"),
    ("archive", act("archive"), "pending blocked in_progress requires_assistance in_review partial"),
    ("unarchive", act("unarchive"), "pending completed"),
    ("accept", review("accept"), "pending blocked in_progress requires_assistance completed failed cancelled"),
    ("rework", review("rework"), "pending blocked in_progress requires_assistance completed failed cancelled"),
    ("fail", review("fail"), "pending blocked in_progress requires_assistance completed failed cancelled"),
    ("waive", review("waive"), "completed failed cancelled"),
    ("delegate", lambda board, task: board.delegate("lead", task, "bob"), "in_review completed failed cancelled"),
]


@pytest.mark.parametrize(("how", "statuses"), [each[1:] for each in TRIES], ids=[each[0] for each in TRIES])
def test_an_operation_that_does_not_fit_the_status_is_refused_and_says_the_status(
    board: Board, how: Callable[[Board, str], object], statuses: str
) -> None:
    for status in statuses.split():
        task = board.task_in(status)
        seen = board.row(task)
        with pytest.raises(IllegalMove, match=status):
            how(board, task)
        assert board.row(task) == seen


@pytest.mark.parametrize("status", TaskStatus)
def test_completed_failed_and_cancelled_are_what_is_finished(board: Board, status: TaskStatus) -> None:
    row = board.row(board.task_in(status))
    assert (status in FINISHED) == (status in {"completed", "failed", "cancelled"})
    assert bool(row.finished) == (status in FINISHED)
    assert (row.completed_at is not None) == (status == "completed")


def test_a_report_cannot_complete_a_task_and_names_the_call_that_can(board: Board) -> None:
    task = board.task_in("in_progress")
    with pytest.raises(Invalid, match=rf'complete_task\(task="{task}"'):
        board.report("ada", task, status="completed")


# --- archiving --------------------------------------------------------------------------------------------------------


def test_archiving_is_a_date_and_no_status(board: Board) -> None:
    task = board.task_in("completed")
    board.update("lead", task, action="archive")
    assert board.row(task).archived_at == board.clock.now
    assert board.status(task) == "completed"


def test_an_archived_task_leaves_the_lists_and_comes_back_when_it_is_unarchived(board: Board) -> None:
    task = board.task_in("completed")
    board.update("lead", task, action="archive")
    with pytest.raises(StopIteration):
        board.line(task)
    board.update("lead", task, action="unarchive")
    assert board.line(task).status == "completed"


def test_reopening_unarchives(board: Board) -> None:
    task = board.task_in("completed")
    board.update("lead", task, action="archive")
    board.update("lead", task, action="reopen")
    assert board.row(task).archived_at is None


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_failed_or_cancelled_work_that_an_open_task_waits_for_is_not_archived(board: Board, status: str) -> None:
    task = board.task_in(status)
    waiter = board.create(depends_on=[task])
    with pytest.raises(Blocked, match=waiter):
        board.update("lead", task, action="archive")
    board.update("lead", waiter, action="cancel")
    board.update("lead", task, action="archive")
    assert board.row(task).archived_at is not None


# --- the ledger -------------------------------------------------------------------------------------------------------


def lead_a_full_life(board: Board) -> str:
    task = board.create(priority="high", deadline="2026-12-31", estimated_hours=1.5, tags=["a"], assignee="ada")
    board.claim("ada", task)
    board.report("ada", task, percent=30)
    board.report("ada", task, "no network", status="blocked")
    board.claim("ada", task)
    board.ask("ada", task, attempt=2)
    answer(board, task)
    board.complete("ada", task, outcome="partial", outputs={"n": 1}, artifacts=["x.py"], actual_hours=2.25, attempt=2)
    board.update(
        "lead", task, action="retry", title="Another title", clear=["deadline"], add_depends_on=[board.create()]
    )
    board.delegate("lead", task, "bob", priority="critical")
    board.update("lead", task, action="cancel")
    board.update("lead", task, action="reopen")
    return task


def test_the_version_counts_the_events_that_change_a_task(board: Board) -> None:
    task = lead_a_full_life(board)
    versions = [event.version for event in board.events(task) if event.version is not None]
    assert versions == list(range(1, board.row(task).version + 1))


def test_replaying_the_events_of_a_task_yields_its_row(board: Board) -> None:
    task = lead_a_full_life(board)
    fields: dict[str, object] = {}
    for event in board.events(task):
        for name in event.data.keys() & moves.VERSIONED:
            before, after = event.data[name]
            assert fields.get(name, before) == before
            fields[name] = after
    row = board.row(task)
    assert fields == {name: moves.plain(getattr(row, name)) for name in fields}
    absent = {name: getattr(row, name) for name in moves.VERSIONED - fields.keys()}
    assert not any(absent.values())


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("not_started", "pending"), ("todo", "pending"), ("open", "pending"), ("backlog", "pending"),
        ("queued", "pending"), ("assigned", "pending"), ("done", "completed"), ("closed", "completed"),
        ("in-progress", "in_progress"), ("doing", "in_progress"), ("hooked", "in_progress"),
        ("review", "in_review"), ("deferred", "blocked"), ("tombstone", "cancelled"),
    ],
)  # fmt: skip
def test_words_of_older_systems_are_understood_on_input(word: str, status: str) -> None:
    assert read_status(word) == read_status(word.upper()) == status


@pytest.mark.parametrize("status", TaskStatus)
def test_statuses_are_read_in_any_case(status: TaskStatus) -> None:
    assert read_status(f" {status.upper()} ") is status
    assert read_status(status.title().replace("_", "-")) is status


def test_an_unknown_status_is_refused_with_the_nearest_and_all() -> None:
    with pytest.raises(Invalid, match=r"Did you mean `completed`.*in_review"):
        read_status("complete")


def test_priorities_are_read_in_any_case_and_absent_is_medium() -> None:
    assert [read_priority(word) for word in ("CRITICAL", "High", "", " low ")] == [
        Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM, Priority.LOW,
    ]  # fmt: skip


def test_priorities_sort_critical_first_and_not_by_the_alphabet(board: Board) -> None:
    for priority in ("medium", "low", "critical", "high"):
        board.create(priority, priority=priority)
    claimed = [board.claimed("ada") for _ in range(4)]
    assert [board.row(task).title for task in claimed] == ["critical", "high", "medium", "low"]


# --- progress ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "percent"),
    [
        ("pending", 0), ("blocked", 0), ("requires_assistance", 25), ("in_progress", 50), ("partial", 75),
        ("in_review", 90), ("completed", 100), ("failed", 0), ("cancelled", 0),
    ],
)  # fmt: skip
def test_progress_that_nobody_reported_follows_the_status(board: Board, status: str, percent: int) -> None:
    assert board.line(board.task_in(status)).progress == percent


@pytest.mark.parametrize("how", [report("released"), report("blocked"), wait_for_another, let_lapse])
def test_blocked_or_waiting_after_a_start_is_25_percent(board: Board, how: Callable[[Board, str], object]) -> None:
    task = board.task_in("in_progress")
    how(board, task)
    assert board.line(task).progress == 25


def test_reported_progress_stays_while_the_task_waits(board: Board) -> None:
    task = board.task_in("in_progress")
    board.report("ada", task, percent=60)
    assert board.line(task).progress == 60
    board.report("ada", task, "no network", status="blocked")
    assert board.line(task).progress == 60


def test_work_that_waits_for_review_is_at_90_percent_whatever_was_reported_before(board: Board) -> None:
    task = board.create(needs_review=True)
    board.claim("ada", task)
    board.report("ada", task, percent=40)
    board.complete("ada", task)
    assert board.line(task).progress == 90


def test_a_parent_rolls_its_subtasks_up_by_estimate(board: Board) -> None:
    parent = board.create()
    board.finish("ada", board.create(parent=parent, estimated_hours=3))
    board.create(parent=parent, estimated_hours=1)
    assert board.line(parent).progress == 75


def test_a_percentage_that_was_reported_on_a_parent_counts_instead_of_its_subtasks(board: Board) -> None:
    parent = board.create()
    board.claim("ada", parent)
    board.report("ada", parent, percent=10)
    board.finish("ada", board.create(parent=parent))
    board.create(parent=parent)
    assert board.line(parent).progress == 10


def test_a_parent_rolls_up_what_is_below_its_subtasks_too(board: Board) -> None:
    top = board.create()
    middle = board.create(parent=top)
    board.finish("ada", board.create(parent=middle))
    board.create(parent=middle)
    assert board.line(top).progress == board.line(middle).progress == 50


def test_cancelled_subtasks_do_not_count_for_the_progress_of_their_parent(board: Board) -> None:
    parent = board.create()
    board.finish("ada", board.create(parent=parent))
    board.update("lead", board.create(parent=parent), action="cancel")
    assert board.line(parent).progress == 100
