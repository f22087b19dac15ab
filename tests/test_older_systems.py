"""What broke the four systems that came before, replayed: each test is named for a failure that happened there.

`docs/lineage.md` says where each of their entities, fields and rules lives here.
"""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from mcp.shared.exceptions import MCPError
from serving import serving, wired

from swarm_mcp import operations
from swarm_mcp.model.draft import TaskDraft
from swarm_mcp.model.errors import Conflict, CriteriaUnmet, Invalid, NotAllowed, NotFound, Refusal, TaskNotFound
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.model.task import ExecutionStatus
from swarm_mcp.operations import placing
from swarm_mcp.operations.acting import ACTIONS
from swarm_mcp.repository import participants, references, work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from board import Board

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

OUTCOMES = {TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.PARTIAL}


# --- completing behind the back of the one path ---------------------------------------------------------------------


def test_the_edit_tool_takes_no_status() -> None:
    assert "status" not in inspect.signature(operations.update_task).parameters


@pytest.mark.parametrize("word", ["complete", "completed", "done", "close", "finish", "fail", "accept"])
def test_the_edit_tool_cannot_complete_by_an_action(board: Board, word: str) -> None:
    task = board.task_in("in_progress")
    with pytest.raises(Invalid, match="is no action"):
        board.update("lead", task, action=word)
    assert (board.status(task), board.executions(task)) == ("in_progress", ["running"])


@pytest.mark.parametrize("action", [*ACTIONS, "cancel"])
def test_no_action_of_the_edit_tool_ends_in_an_outcome(board: Board, action: str) -> None:
    for status in TaskStatus:
        task = board.task_in(status)
        with suppress(Refusal):
            board.update("lead", task, action=action, reason="because", subtree=True)
        assert board.status(task) == status or board.status(task) not in OUTCOMES


def test_a_report_cannot_complete(board: Board) -> None:
    task = board.task_in("in_progress")
    for word in ("completed", "done", "closed", "partial", "failed", "in_review"):
        with pytest.raises(Invalid, match=r"complete_task\("):
            board.report("ada", task, status=word)
    assert board.status(task) == "in_progress"


def test_what_was_only_created_is_not_completed_by_anyone(board: Board) -> None:
    task = board.create(assignee="ada")
    for agent in ("ada", "bob", "lead", ""):
        with pytest.raises(NotAllowed):
            board.complete(agent, task)
    assert (board.status(task), board.executions(task)) == ("pending", [])


# --- work that does not exist, or is not done -----------------------------------------------------------------------


def test_a_task_that_does_not_exist_is_never_completed_nor_anything_else(board: Board) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: board.complete("ada", "zzzzzzzz"),
        lambda: board.claim("ada", "zzzzzzzz"),
        lambda: board.report("ada", "zzzzzzzz"),
        lambda: board.review("lead", "zzzzzzzz", "accept"),
        lambda: board.update("lead", "zzzzzzzz", title="Something"),
        lambda: board.delegate("lead", "zzzzzzzz", "ada"),
        lambda: board.create(depends_on=["zzzzzzzz"]),
        lambda: board.call("ada", operations.share_context, task="zzzzzzzz", key="k", value="v"),
    ]
    for call in calls:
        with pytest.raises(TaskNotFound):
            call()


def test_a_failing_criterion_never_passes(board: Board) -> None:
    task = board.create(checks=["p95_ms < 200"], criteria=["The report was read"])
    board.claim("ada", task)
    for measured in (240, 200, "100", None, True, [100]):
        with pytest.raises((CriteriaUnmet, Invalid)):
            board.complete("ada", task, measurements={"p95_ms": measured}, evidence={"1": "mail of the 3rd"})
    with pytest.raises(CriteriaUnmet):
        board.complete("ada", task, measurements={"p95_ms": 120})
    assert board.status(task) == "in_progress"
    assert board.complete("ada", task, measurements={"p95_ms": 120}, evidence={"1": "read"}).criteria


def test_a_criterion_that_is_always_true_proves_nothing(board: Board) -> None:
    task = board.create(checks=["true"])
    board.claim("ada", task)
    with pytest.raises(CriteriaUnmet):
        board.complete("ada", task)


def test_work_that_failed_is_recorded_as_failed_and_not_as_three_quarters_done(board: Board) -> None:
    task = board.task_in("in_progress")
    board.complete("ada", task, "The service answers nothing.", outcome="failed")
    assert (board.row(task).error, board.line(task).progress) == ("The service answers nothing.", 0)
    assert board.executions(task) == [ExecutionStatus.FAILED]


def test_an_execution_that_succeeded_with_a_task_that_did_not_is_not_a_success(board: Board) -> None:
    task = board.task_in("partial")
    (execution,) = board.swarm.read(lambda db: work.executions(db, task))
    assert (execution.status, execution.success) == ("partial", False)


def test_the_critical_path_is_not_empty_while_anything_is_open(board: Board) -> None:
    first = board.create("Sow", estimated_hours=2)
    last = board.create("Reap", depends_on=[first])
    found = board.swarm.read(lambda db: operations.get_overview(db, view="critical_path")).model_extra
    assert found is not None
    assert [each["task"] for each in found["items"]] == [first, last]
    board.finish("ada", first)
    left = board.swarm.read(lambda db: operations.get_overview(db, view="critical_path")).model_extra
    assert left is not None
    assert [each["task"] for each in left["items"]] == [last]


# --- order and waiting ----------------------------------------------------------------------------------------------


def test_priorities_order_by_urgency_and_not_by_the_alphabet(board: Board) -> None:
    made = {priority: board.create(priority=priority) for priority in ("low", "medium", "critical", "high")}
    listed = board.swarm.read(operations.list_tasks).tasks
    assert [line.id for line in listed] == [made[each] for each in ("critical", "high", "medium", "low")]
    assert [board.claimed("ada") for _ in made] == [line.id for line in listed]


def completed(board: Board, task: str) -> None:
    board.finish("ada", task)


def accepted_after_review(board: Board, task: str) -> None:
    board.finish("ada", task)
    assert board.status(task) == "in_review"
    board.review("lead", task, "accept")


def accepted_although_partial(board: Board, task: str) -> None:
    board.finish("ada", task, outcome="partial")
    board.review("lead", task, "accept")


def completed_by_a_script(board: Board, task: str) -> None:
    board.claim("ada", task)
    with board.swarm.writing(agent="ada") as db:
        operations.complete_task(db, task=task, summary="It is done.")


def completed_by_the_command_line(board: Board, task: str) -> None:
    command = [
        "tasks",
        "done",
        task,
        "--agent",
        "ada",
        "--summary",
        "It is done.",
        "--database",
        str(board.place),
    ]
    done = subprocess.run([sys.executable, "-m", "swarm_mcp", *command], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def completed_by_a_report_in_prose(board: Board, task: str) -> None:
    board.claim("ada", task)
    with board.swarm.writing(agent="ada") as db:
        operations.complete_from_text(db, task=task, text='Here you are: {"status": "completed", "summary": "Done."}')


WAYS = [
    completed, accepted_after_review, accepted_although_partial, completed_by_a_script, completed_by_the_command_line,
    completed_by_a_report_in_prose,
]  # fmt: skip


@pytest.mark.parametrize("finish", WAYS)
def test_whoever_waits_is_unblocked_on_every_path_that_completes(
    board: Board, finish: Callable[[Board, str], None]
) -> None:
    task = board.create(needs_review=finish is accepted_after_review)
    waiter, below = board.create(depends_on=[task], assignee="bob"), board.create()
    board.update("lead", below, parent=waiter)
    board.inbox("bob")
    finish(board, task)
    assert board.status(task) == "completed"
    assert [board.status(each) for each in (waiter, below)] == ["blocked", "pending"], "its subtask comes first"
    board.finish("ada", below)
    assert board.status(waiter) == "pending"
    assert "unblocked" in board.kinds(waiter)


def test_a_task_with_two_dependencies_is_not_unblocked_by_the_first(board: Board) -> None:
    first, second = board.create(), board.create()
    waiter = board.create(depends_on=[first, second])
    board.finish("ada", first)
    assert board.status(waiter) == "blocked"
    board.finish("ada", second)
    assert board.status(waiter) == "pending"


def test_a_task_is_not_ready_merely_because_its_status_is_the_first_one(board: Board) -> None:
    blocker = board.create(priority="low")
    board.create(depends_on=[blocker], priority="critical")
    listed = board.swarm.read(lambda db: operations.list_tasks(db, ready=True)).tasks
    assert [line.id for line in listed] == [blocker]


# --- messages and notifications -------------------------------------------------------------------------------------


def test_a_broadcast_is_not_consumed_by_its_first_reader(board: Board) -> None:
    board.enlist("cy")
    sent = board.send("lead", "The interface is frozen.", to="all")
    assert sent.to == ["ada", "bob", "cy"]
    for reader in ("ada", "bob", "cy"):
        assert [item.text for item in board.inbox(reader) if item.id == sent.id] == ["The interface is frozen."]
        board.inbox(reader)  # counts as read, for this one


def test_a_notification_that_one_agent_has_read_is_unread_for_the_others(board: Board) -> None:
    task = board.create(by="lead", assignee="ada")
    board.call("bob", operations.share_context, task=task, key="k", value="v")
    board.inbox("lead")
    board.finish("ada", task)
    assert "completed" in board.news("bob")
    board.inbox("bob")
    assert "completed" in board.news("lead")


def test_a_lost_answer_of_the_inbox_loses_no_message(board: Board) -> None:
    sent = board.send("lead", "Stop.", to="ada")
    lost = board.inbox("ada")
    assert [item.id for item in board.inbox("ada", reread=True)] == [item.id for item in lost] == [sent.id]


def test_a_server_that_was_killed_with_the_answer_on_its_lips_loses_no_message(tmp_path: Path) -> None:
    with wired(tmp_path / "swarm.db", "--agent", "ada") as wire:
        wire.call("share_context", {"key": "k", "value": "v"})
        wire.call("send_message", {"to": "ada", "text": "Stop.", "agent": "lead"})
        wire.send("tools/call", {"name": "check_inbox", "arguments": {"agent": "ada"}})
        wire.process.kill()
    with serving(tmp_path / "swarm.db", "--agent", "ada") as desk:
        texts = [item["text"] for item in desk.call("check_inbox", reread=True, agent="ada")["items"]]
    assert "Stop." in texts


def test_a_participant_joins_once(board: Board) -> None:
    task = board.create()
    for n in range(3):
        board.call("bob", operations.share_context, task=task, key=f"k{n}", value="v")
        board.call("bob", operations.add_note, task=task, text="Again.")
    names = [board.name_of(each.agent_id) for each in board.swarm.read(lambda db: participants.participants(db, task))]
    assert names.count("bob") == 1


# --- words as they were said ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["fix the SQLite WAL on macOS", "ALTER TABLE für iOS", "don't TitleCase me"])
def test_a_title_is_not_cased_anew(board: Board, title: str) -> None:
    assert board.row(board.create(f"  {title} ")).title == title


def test_a_text_beyond_two_hundred_or_two_thousand_characters_is_kept_whole(board: Board) -> None:
    title, words = "t" * 500, "word " * 20_000
    row = board.row(board.create(title, description=words))
    assert (row.title, row.description) == (title, words)


@pytest.mark.parametrize("when", ["2099-01-02T03:04:05", "2099-01-02 03:04", datetime(2099, 1, 2, 3, 4).isoformat()])  # noqa: DTZ001
def test_a_time_that_does_not_say_where_is_refused(board: Board, when: str) -> None:
    with pytest.raises(Invalid, match="offset"):
        board.create(deadline=when)


def test_criteria_stay_a_list_and_are_not_glued_into_one_text(board: Board) -> None:
    task = board.create()
    board.delegate("lead", task, "ada", success_criteria=["Drawn; and coloured", "Written"])
    assert [each.text for each in board.brief("ada", task).criteria] == ["Drawn; and coloured", "Written"]


def test_a_number_of_minutes_is_not_kept_as_a_rounded_fraction(board: Board) -> None:
    task = board.create(estimated_hours=0.1)
    board.delegate("lead", task, "ada", estimated_minutes=7)
    assert str(board.row(task).estimated_hours.normalize()) == "0.1"


# --- names and files ------------------------------------------------------------------------------------------------

CLIMBING = ["../../etc/passwd", "..", "a/b", "a\\b", "/tmp/x", "%2e%2e%2fx", "a\x00b"]


@pytest.mark.parametrize("name", CLIMBING)
def test_no_name_of_an_agent_or_a_task_leads_out_of_the_folder(board: Board, name: str) -> None:
    with pytest.raises(Refusal):
        board.call(name, operations.add_note, task=board.create(), text="Here.")
    with pytest.raises((NotFound, Invalid)):
        board.call("ada", operations.add_note, task=name, text="Here.")


def test_no_file_is_ever_named_after_a_task_or_an_agent(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db", name="ada") as desk:
        task = desk.call("create_task", title="A task", agent="ada").task
        desk.call("add_note", task=task, text="Mine.", agent="ada")
        desk.call("share_context", task=task, key="../../k", value="v", agent="ada")
        desk.call("claim_task", task=task, agent="ada")
        desk.call("report_progress", task=task, message="Half.", percent=50, agent="ada")
        for uri in (f"swarm://tasks/{task}/../../x", "swarm://tasks/../x/notes", f"swarm://tasks/{task}/notes/../../x"):
            with pytest.raises(MCPError):
                desk.read(uri)
        assert "Mine." in desk.read(f"swarm://tasks/{task}/notes")
        names = {path.name for path in tmp_path.iterdir()}
    assert {name for name in names if not name.startswith("swarm.db")} == set()


def test_a_task_that_has_neither_context_nor_notes_nor_progress_has_empty_documents(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db", name="ada") as desk:
        task = desk.call("create_task", title="A task", agent="ada").task
        assert "context: {}" in desk.read(f"swarm://tasks/{task}/context")
        assert desk.read(f"swarm://tasks/{task}/progress") == ""
        assert desk.read(f"swarm://tasks/{task}/notes").strip() == f"# Notes of ada on {task}"


def test_an_id_with_look_alikes_that_came_from_elsewhere_is_kept(board: Board) -> None:
    def store(db: Any) -> str:
        new = placing.check_draft(TaskDraft(title="From elsewhere"))
        new.id = "l0o1il01"
        return placing.insert_new(db, new).id

    task = board.swarm.write(store)
    board.claim("ada", "L0O1")
    assert board.complete("ada", task).task.id == "l0o1il01"


def test_an_id_of_another_shape_that_came_from_elsewhere_is_a_reference(board: Board) -> None:
    task = board.create()
    board.swarm.write(lambda db: references.insert_references(db, "tickets", [(task, "task_001/subtask_003", {})]))
    assert board.brief("ada", "task_001/subtask_003").task.id == task


# --- one truth ------------------------------------------------------------------------------------------------------


def test_a_change_that_was_refused_has_not_been_committed_first(board: Board) -> None:
    task, other = board.create("Before"), board.create()
    with pytest.raises(Refusal):
        board.update("lead", task, title="After", add_depends_on=[other, "zzzzzzzz"])
    with pytest.raises(Refusal):
        board.plan({"title": "New"}, {"title": "Broken", "depends_on": ["zzzzzzzz"]})
    assert (board.row(task).title, board.kinds(task)) == ("Before", ["created"])
    assert board.swarm.read(operations.list_tasks).total == 2


def test_two_that_edit_what_they_have_read_do_not_overwrite_each_other(board: Board) -> None:
    task = board.create("Before")
    version = board.row(task).version
    board.update("lead", task, title="Mine", version=version)
    with pytest.raises(Conflict):
        board.update("", task, title="Theirs", version=version)
    assert board.row(task).title == "Mine"


def test_documents_that_are_stored_come_back_as_they_were_and_not_as_text(board: Board) -> None:
    task = board.task_in("in_progress")
    outputs = {"endpoints": ["/a", "/b"], "ports": {"http": 8080}, "ok": True, "none": None}
    board.complete("ada", task, outputs=outputs, artifacts=["docs/api.md"])
    waiter = board.create(depends_on=[task])
    (result,) = board.brief("bob", waiter).results
    assert json.loads(json.dumps(result.outputs)) == outputs
    assert result.artifacts == ["docs/api.md"]
