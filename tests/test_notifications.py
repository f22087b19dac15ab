"""Messages, the inbox, and who hears of what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from swarm_mcp import operations
from swarm_mcp.cli.demo.superior import read_call
from swarm_mcp.model.errors import Invalid, NotFound
from swarm_mcp.repository import participants, tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from board import Board


def texts(board: Board, agent: str) -> list[str]:
    """The messages, not the notifications, that are new to an agent."""
    return [item.text for item in board.inbox(agent) if item.id.startswith("m")]


# --- messages ---------------------------------------------------------------------------------------------------------


def test_a_message_goes_to_an_agent_a_team_a_specialty_the_superior_or_all_and_never_to_its_sender(
    board: Board,
) -> None:
    board.team("backend", "ada", "bob")
    board.enlist("cy", specialty="testing")
    reached = {
        to: board.send("ada", to=to).to for to in ("bob", "backend", "specialty:testing", "superior", "all", "operator")
    }
    assert reached == {
        "bob": ["bob"], "backend": ["bob"], "specialty:testing": ["cy"], "superior": ["lead"],
        "all": ["bob", "cy", "lead"], "operator": ["operator"],
    }  # fmt: skip


def test_a_root_directors_superior_is_the_operator(board: Board) -> None:
    assert board.send("lead", to="superior").to == ["operator"]


def test_a_message_needs_words_and_somebody_who_gets_it(board: Board) -> None:
    with pytest.raises(Invalid, match="empty"):
        board.send("ada", " ", to="bob")
    with pytest.raises(Invalid, match="`to`"):
        board.send("ada")
    for sender, to in (("ada", "ada"), ("", "operator"), ("", "superior")):
        with pytest.raises(NotFound, match="Nobody would get"):
            board.send(sender, to=to)
    with pytest.raises(NotFound, match="Did you mean `bob`"):
        board.send("ada", to="bobb")


def test_a_message_that_no_answer_could_hold_is_refused_rather_than_cut(board: Board) -> None:
    task, text = board.create(), "Listen. " * 5000
    with pytest.raises(Invalid, match="nobody could read more than the first"):
        board.send("ada", text, to="bob")
    board.send("ada", text[:8000], to="bob")
    board.send("ada", text, to="bob", task=task)
    assert text[:8000] in [item.text for item in board.inbox("bob")]


def test_an_ended_agent_gets_no_messages(board: Board) -> None:
    board.enlist("bob", lifecycle="terminated")
    with pytest.raises(NotFound, match="ended"):
        board.send("ada", to="bob")
    assert board.send("ada", to="all").to == ["lead"]


def test_a_reply_goes_to_whoever_wrote_and_a_second_word_to_whoever_was_written_to(board: Board) -> None:
    first = board.send("ada", "Hello.", to="bob")
    assert board.send("bob", "Hello yourself.", reply_to=first.id).to == ["ada"]
    assert board.send("ada", "One more thing.", reply_to=first.id).to == ["bob"]


def test_what_one_neither_sent_nor_got_cannot_be_answered(board: Board) -> None:
    first = board.send("ada", to="bob")
    for name in (first.id, "m999", "nonsense"):
        with pytest.raises(NotFound, match="No message"):
            board.send("lead", reply_to=name)


def test_the_conversation_about_a_task_is_completed_with_it_and_goes_on_when_it_is_reopened(board: Board) -> None:
    task = board.task_in("in_progress")
    board.send("ada", to="lead", task=task)

    def status() -> str:
        of_task = select(tables.conversation.c.status).where(tables.conversation.c.task_id == task)
        return board.swarm.read(lambda db: db.execute(of_task).scalar_one())

    assert status() == "active"
    board.complete("ada", task)
    assert status() == "completed"
    board.update("lead", task, action="reopen")
    assert status() == "active"


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_batch_counts_as_read_when_its_reader_asks_the_next_time(board: Board) -> None:
    board.send("ada", "One.", to="bob")
    assert texts(board, "bob") == ["One."]
    assert board.report("bob", board.claimed("bob", task=board.create())).unread >= 1
    assert texts(board, "bob") == []


def test_a_lost_answer_loses_nothing(board: Board) -> None:
    board.send("ada", "One.", to="bob")
    board.inbox("bob")
    board.send("ada", "Two.", to="bob")
    assert [item.text for item in board.inbox("bob", reread=True)] == ["One.", "Two."]


def test_every_recipient_has_its_own_read_mark(board: Board) -> None:
    board.send("lead", "Hear!", to="all")
    assert texts(board, "ada") == ["Hear!"]
    assert texts(board, "ada") == []
    assert texts(board, "bob") == ["Hear!"]


def test_questions_come_first_then_answers_then_messages_then_notifications(board: Board) -> None:
    asking, other = board.task_in("in_progress"), board.task_in("in_progress")
    question = board.ask("ada", asking)
    board.clock.advance(minutes=1)
    board.send("bob", "Hello.", to="lead")
    board.send("lead", "What exactly?", to="ada", reply_to=question)
    board.complete("ada", other)
    question = board.ask("ada", asking, "This one?", attempt=1)
    board.send("lead", "Yes.", reply_to=question)
    kinds = [item.type for item in board.inbox("lead") if item.type in {"question", "message", "completed"}]
    assert kinds == sorted(kinds, key=["question", "message", "completed"].index)
    assert kinds


def test_the_inbox_says_how_much_more_there_is(board: Board) -> None:
    board.inbox("")
    for n in range(25):
        board.send("ada", str(n), to="bob")
        board.send("ada", str(n), to="operator")
    for agent in ("bob", ""):
        shown = board.call(agent, operations.check_inbox, limit=20)
        assert (len(shown.items), shown.more) == (20, 5)
        assert [item.text for item in board.inbox(agent)] == ["20", "21", "22", "23", "24"]


def test_too_large_a_limit_is_cut_and_said(board: Board) -> None:
    assert "at most 50" in board.call("bob", operations.check_inbox, limit=500).message


# --- notifications ----------------------------------------------------------------------------------------------------

HAPPENINGS: dict[str, Callable[[Board, str], object]] = {
    "started": lambda board, task: board.claim("ada", task),
    "completed": lambda board, task: board.finish("ada", task),
    "failed": lambda board, task: board.finish("ada", task, outcome="failed"),
    "partial": lambda board, task: board.finish("ada", task, outcome="partial"),
    "cancelled": lambda board, task: board.update("lead", task, action="cancel"),
    "blocked": lambda board, task: board.update("lead", task, action="hold", reason="later"),
    "unblocked": lambda board, task: [
        board.update("lead", task, action="hold", reason="later"), board.update("lead", task, action="resume"),
    ],
    "delegated": lambda board, task: board.delegate("lead", task, "ada"),
    "claim_lost": lambda board, task: [board.claim("ada", task), board.clock.advance(hours=1), board.sweep()],
    "assistance_wanted": lambda board, task: [board.claim("ada", task), board.ask("ada", task, ask="operator")],
    "reviewed": lambda board, task: board.review("lead", task, quality=5),
    "released": lambda board, task: [board.claim("ada", task), board.report("ada", task, "no", status="released")],
    "retried": lambda board, task: [
        board.finish("ada", task, outcome="failed"), board.update("lead", task, action="retry"),
    ],
    "reopened": lambda board, task: [board.finish("ada", task), board.update("lead", task, action="reopen")],
}  # fmt: skip


@pytest.mark.parametrize("kind", HAPPENINGS)
def test_creator_and_participants_hear_what_happens_to_a_task(board: Board, kind: str) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    task = board.create(by="sue")
    board.call("bob", operations.share_context, task=task, key="a", value=1)
    HAPPENINGS[kind](board, task)
    assert kind in board.news("sue") & board.news("bob")


def test_whoever_acts_does_not_hear_of_it(board: Board) -> None:
    task = board.create()
    board.inbox("lead")
    board.update("lead", task, action="hold", reason="later")
    assert board.news("lead") == set()


def test_the_assignee_hears_when_its_task_is_unblocked_and_when_it_is_blocked_again(board: Board) -> None:
    other = board.create()
    task = board.create(depends_on=[other], assignee="ada")
    board.clock.advance(minutes=1)
    board.finish("bob", other)
    assert "unblocked" in board.news("ada")
    board.update("lead", other, action="reopen")
    assert (board.status(task), "blocked" in board.news("ada")) == ("blocked", True)


def test_a_new_task_tells_its_assignee_once(board: Board) -> None:
    board.plan({"ref": "a", "title": "A", "assignee": "ada"}, {"title": "B", "parent": "a"})
    assert [item.type for item in board.inbox("ada")] == ["delegated"]


def test_there_is_one_unread_notification_per_task_and_kind(board: Board) -> None:
    task = board.create(assignee="ada")
    for n in range(3):
        board.update("lead", task, action="hold", reason=f"reason {n}")
        board.update("lead", task, action="resume")
    (notice,) = [item for item in board.inbox("ada") if item.type == "blocked"]
    assert "reason 2" in notice.text


def test_what_happens_again_after_it_was_read_is_told_again(board: Board) -> None:
    task = board.create(assignee="ada")
    for _ in range(2):
        board.update("lead", task, action="hold", reason="later")
        assert "blocked" in board.news("ada")
        board.update("lead", task, action="resume")
        board.inbox("ada")


@pytest.mark.parametrize("how", ["claim", "share", "note", "message", "edit"])
def test_claiming_sharing_and_writing_about_a_task_join_by_themselves_and_once(board: Board, how: str) -> None:
    task = board.create()
    for _ in range(2):
        {
            "claim": lambda: board.claim("bob", task),
            "share": lambda: board.call("bob", operations.share_context, task=task, key="a", value=1),
            "note": lambda: board.call("bob", operations.add_note, task=task, text="Mine."),
            "message": lambda: board.send("bob", to="lead", task=task),
            "edit": lambda: board.update("lead", task, title="Other words"),
        }[how]()
    joined = board.swarm.read(lambda db: participants.participants(db, task))
    assert [board.name_of(each.agent_id) for each in joined] == ["lead" if how == "edit" else "bob"]


# --- who hears what, and how often ------------------------------------------------------------------------------------


def notices(board: Board, agent: str, task: str) -> list[str]:
    """What is new to an agent about a task, beside messages."""
    return [item.type for item in board.inbox(agent) if item.task == task and item.id.startswith("n")]


def test_assignee_delegator_creator_and_participants_all_hear_and_nobody_else(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    board.enlist("cy")
    task = board.create(by="sue")
    board.delegate("lead", task, "ada")
    board.call("bob", operations.share_context, task=task, key="a", value=1)
    everybody = ("sue", "lead", "ada", "bob", "cy")
    for agent in everybody:
        board.inbox(agent)
    board.update("", task, action="hold", reason="later")
    assert [notices(board, agent, task) for agent in everybody] == [["blocked"]] * 4 + [[]]


def test_whoever_has_to_do_with_a_task_in_several_ways_hears_once(board: Board) -> None:
    task = board.create(assignee="lead")
    board.call("lead", operations.share_context, task=task, key="a", value=1)
    board.claim("lead", task)
    board.update("", task, action="hold", reason="later")
    assert notices(board, "lead", task).count("blocked") == 1


def test_different_tasks_and_different_kinds_are_told_apart(board: Board) -> None:
    first, second = board.create(assignee="ada"), board.create(assignee="ada")
    for task in (first, second):
        board.update("lead", task, action="hold", reason="later")
        board.update("lead", task, action="resume")
    found = {(item.task, item.type) for item in board.inbox("ada")}
    assert found == {(task, kind) for task in (first, second) for kind in ("delegated", "blocked", "unblocked")}


def test_what_happens_again_before_it_was_read_is_shown_anew(board: Board) -> None:
    task = board.create(assignee="ada")
    board.update("lead", task, action="hold", reason="one thing")
    assert "blocked" in notices(board, "ada", task)
    board.update("lead", task, action="resume")
    board.update("lead", task, action="hold", reason="another thing")
    (notice,) = [item for item in board.inbox("ada") if item.type == "blocked"]
    assert "another thing" in notice.text


def test_a_notification_names_its_task_and_who_did_what(board: Board) -> None:
    task = board.create("Build the API", assignee="ada")
    board.clock.advance(minutes=3)
    board.update("lead", task, action="cancel", reason="not wanted")
    notice = next(item for item in board.inbox("ada") if item.type == "cancelled")
    assert (notice.task, notice.at) == (task, board.clock.now.isoformat(timespec="seconds"))
    assert f"{task} Build the API is cancelled" in notice.text


def test_every_write_answers_how_much_is_unread(board: Board) -> None:
    task = board.task_in("in_progress")
    board.inbox("ada")
    board.inbox("ada")
    for n in range(3):
        board.send("lead", f"Message {n}", to="ada")
        assert board.report("ada", task).unread == n + 1
    assert len(board.inbox("ada")) == 3
    assert board.report("ada", task).unread == 3
    board.inbox("ada")
    assert board.report("ada", task).unread == 0


def test_a_long_text_about_a_task_is_cut_and_names_the_call_that_has_all_of_it(board: Board) -> None:
    task, words = board.create(description="At length. " * 5000), f"{'Listen. ' * 200}That is all."
    for text in ("Before. " * 300, words, "After. " * 300):
        board.send("lead", text, to="ada", task=task)
    call = re.search(r"get_task\(.*\)(?= has all of it)", board.inbox("ada")[1].text)
    assert call is not None
    _, said = read_call(call[0])
    assert board.brief("ada", **said).messages[0].endswith("That is all.")


def test_whoever_is_asked_about_a_task_hears_of_it_from_then_on(board: Board) -> None:
    task = board.task_in("in_progress")
    board.ask("ada", task, ask="bob")
    board.send("bob", "Yes.", reply_to=f"m{board.question(task).id}")
    board.complete("ada", task)
    assert "completed" in board.news("bob")


def test_reading_ones_own_inbox_leaves_the_notifications_of_the_others(board: Board) -> None:
    task = board.create(assignee="ada")
    board.call("bob", operations.share_context, task=task, key="a", value=1)
    board.update("lead", task, action="hold", reason="later")
    board.inbox("ada")
    board.inbox("ada")
    assert "blocked" in board.news("bob")
