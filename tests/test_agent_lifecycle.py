"""The lifecycle of an agent: what becomes of its work, its people and its teams when it is paused, ends, comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from facts import unsaid
from serving import serving

from swarm_mcp import operations
from swarm_mcp.model.errors import ClaimLost, Invalid, NotAllowed
from swarm_mcp.repository import teams

if TYPE_CHECKING:
    from pathlib import Path

    from board import Board

ENDED = ["failed", "terminated"]


def become(board: Board, name: str, lifecycle: str, by: str = "lead") -> dict[str, int]:
    """Give an agent another lifecycle; what that has concerned."""
    said = board.register(by, name, lifecycle=lifecycle)
    assert all(f": {count}" in said.message for count in said.effects.values())
    return said.effects


def lies(board: Board, task: str) -> tuple[str, str, str]:
    """A task's status, its assignee and the team in whose pool it lies."""
    row = board.row(task)
    names = board.swarm.read(lambda db: teams.team_names(db, [row.pool_team_id]))
    return row.status, board.name_of(row.assignee_id), names.get(row.pool_team_id, "")


def place(board: Board, name: str) -> tuple[str, int]:
    row = board.agent(name)
    return board.name_of(row.superior_id), row.level


# --- paused -----------------------------------------------------------------------------------------------------------


def test_a_paused_agents_claims_go_back_without_a_lapse_and_its_assignments_stay(house: Board) -> None:
    claimed, assigned, waiting = house.create(), house.create(assignee="ada"), house.create(assignee="ada")
    house.claim("ada", claimed)
    house.claim("ada", assigned)
    assert become(house, "ada", "paused") == {"claims": 2}
    assert [lies(house, task) for task in (claimed, assigned, waiting)] == [
        ("pending", "", ""), ("pending", "ada", ""), ("pending", "ada", ""),
    ]  # fmt: skip
    for task in (claimed, assigned):
        assert (house.row(task).lapses, house.executions(task)) == (0, ["recalled"])
    assert house.delegations(assigned) == ["offered"]
    assert house.claimed("bob") == claimed


def test_the_late_report_of_a_paused_agent_is_refused_and_so_is_everything_but_rest(house: Board) -> None:
    task = house.create()
    house.claim("ada", task)
    become(house, "ada", "paused")
    for deed in (lambda: house.report("ada", task), lambda: house.claim("ada"),
                 lambda: house.register("ada", "ada", lifecycle="active"),
                 lambda: house.call("ada", operations.join_task, task=task)):  # fmt: skip
        with pytest.raises(NotAllowed, match="paused"):
            deed()
    assert {"claim_lost", "system"} <= house.news("ada")
    house.call("ada", operations.add_note, task=task, text="Half done.")


def test_a_paused_agent_answers_and_says_nothing_else(house: Board) -> None:
    task = house.create()
    house.claim("bob", task)
    question = house.ask("bob", task, "Which one?", ask="sue")
    letter = house.send("kim", "Are you there?", to="ada").id
    own = house.send("ada", "Yes.", to="kim").id
    for each in ("ada", "sue"):
        become(house, each, "paused")
    for said in ({"to": "all"}, {"to": "superior"}, {"to": "bob", "task": task}, {"reply_to": own}):
        with pytest.raises(NotAllowed, match="paused"):
            house.send("ada", "Hear me.", **said)
    assert house.send("ada", "Here.", reply_to=letter).to == ["kim"]
    house.send("ada", "Perhaps this one.", reply_to=question)
    assert house.status(task) == "requires_assistance", "it was never asked"


def test_resumed_it_goes_on_with_its_assignments_and_a_claim_of_the_past_stays_lost(house: Board) -> None:
    task = house.create(assignee="ada")
    house.claim("ada", task)
    become(house, "ada", "paused")
    assert become(house, "ada", "active") == {}
    with pytest.raises(ClaimLost):
        house.report("ada", task, attempt=1)
    assert house.claim("ada", task).attempt == 2
    house.complete("ada", task, attempt=2)


def test_a_pool_gets_the_task_of_its_paused_member_again(house: Board) -> None:
    house.register("lead", "ada", team="backend")
    house.register("lead", "bob", team="backend")
    task = house.create(assignee="backend")
    house.claim("ada", task)
    become(house, "ada", "paused")
    assert (lies(house, task), house.delegations(task)) == (("pending", "", "backend"), ["offered"])
    assert house.claimed("bob") == task


def test_what_a_paused_agent_had_split_stays_kept_for_it(house: Board) -> None:
    task = house.create()
    house.claim("ada", task)
    part = house.create(by="ada", parent=task)
    house.claim("ada", part)
    become(house, "ada", "paused")
    assert lies(house, task) == ("blocked", "ada", "")
    assert lies(house, part) == ("pending", "", "")


def test_a_question_of_a_paused_agent_is_withdrawn_and_one_to_it_goes_on(house: Board) -> None:
    own, others = house.create(), house.create()
    house.claim("ada", own)
    house.ask("ada", own)
    house.claim("bob", others)
    question = house.ask("bob", others, ask="ada")
    assert become(house, "ada", "paused") == {"claims": 1, "questions": 1}
    assert (house.status(own), house.asked(others)) == ("pending", "tom")
    assert house.send("ada", "The left one.", reply_to=question).resumed == others


def test_an_expired_claim_of_a_paused_agent_is_no_lapse_either(house: Board) -> None:
    task = house.create()
    house.claim("ada", task)
    house.clock.advance(hours=2)
    become(house, "ada", "paused")
    assert (house.sweep(), house.row(task).lapses, house.status(task)) == (0, 0, "pending")


def test_work_may_still_be_handed_to_a_paused_agent_with_a_warning(house: Board) -> None:
    become(house, "ada", "paused")
    said = house.delegate("lead", house.create(), "ada")
    assert "ada is paused" in said.warnings[0]


def test_pausing_twice_and_resuming_an_active_agent_change_nothing(house: Board) -> None:
    become(house, "ada", "paused")
    assert "nothing new" in house.register("lead", "ada", lifecycle="paused").message
    become(house, "ada", "active")
    assert "nothing new" in house.register("lead", "ada", lifecycle="active").message


# --- ended: work ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifecycle", ENDED)
def test_an_ended_agents_claims_and_assignments_go_back_to_where_they_were_before(house: Board, lifecycle: str) -> None:
    house.register("lead", "sue", team="backend", team_role="supervisor")
    claimed, assigned, pooled, handed = (
        house.create(), house.create(assignee="ada"), house.create(assignee="backend"), house.create(assignee="sue"),
    )  # fmt: skip
    house.delegate("sue", pooled, "ada")
    house.delegate("sue", handed, "ada")
    house.claim("ada", claimed)
    house.claim("ada", handed)
    assert become(house, "ada", lifecycle) == {"claims": 2, "assignments": 2}
    assert [lies(house, task) for task in (claimed, assigned, pooled, handed)] == [
        ("pending", "", ""), ("pending", "", ""), ("pending", "", "backend"), ("pending", "sue", ""),
    ]  # fmt: skip
    assert [house.delegations(task) for task in (assigned, pooled, handed)] == [
        ["recalled"], ["offered", "recalled"], ["accepted", "recalled"],
    ]  # fmt: skip
    assert [house.executions(task) for task in (claimed, handed)] == [["recalled"], ["recalled"]]


def test_the_delegators_are_told_that_their_delegate_has_ended(house: Board) -> None:
    held, waiting = house.create(by="tom", assignee="bob"), house.create(by="tom", assignee="bob")
    house.claim("bob", held)
    house.inbox("tom")
    become(house, "bob", "terminated")
    told = {item.task: item.text for item in house.inbox("tom") if item.task}
    assert told == {task: f"{task} A task is no longer with bob, which is terminated." for task in (held, waiting)}


@pytest.mark.parametrize("status", ["partial", "in_review"])
def test_work_that_waits_for_a_verdict_is_no_longer_its_either(house: Board, status: str) -> None:
    task = house.create(assignee="ada", needs_review=status == "in_review")
    house.claim("ada", task)
    house.complete("ada", task, outcome="completed" if status == "in_review" else "partial")
    become(house, "ada", "failed")
    assert lies(house, task) == (status, "", "")
    house.review("lead", task, "rework", notes="Once more.")
    assert house.claimed("bob") == task


def test_what_is_finished_stays_as_it_was(house: Board) -> None:
    task = house.create(assignee="ada")
    house.finish("ada", task)
    before = house.row(task)
    assert become(house, "ada", "terminated") == {}
    assert house.row(task) == before


def test_a_reservation_ends_and_the_task_goes_back_to_its_pool(house: Board) -> None:
    house.register("lead", "ada", team="backend")
    task = house.create(assignee="backend")
    house.claim("ada", task)
    part = house.create(by="ada", parent=task)
    become(house, "ada", "terminated")
    assert lies(house, task) == ("blocked", "", "backend")
    assert lies(house, part) == ("pending", "", "backend")
    house.register("lead", "bob", team="backend")
    house.finish("bob", part)
    assert house.claimed("bob") == task


def test_what_comes_back_later_passes_over_an_agent_in_between_that_has_ended(house: Board) -> None:
    task = house.create(assignee="kim")
    house.delegate("kim", task, "sue")
    house.delegate("sue", task, "ada")
    become(house, "sue", "terminated")
    assert lies(house, task) == ("pending", "ada", "")
    house.claim("ada", task)
    house.report("ada", task, "Not mine.", status="released")
    assert lies(house, task) == ("pending", "kim", "")
    assert house.delegations(task) == ["accepted", "recalled", "declined"]


def test_two_that_end_one_after_the_other_leave_nothing_with_either(house: Board) -> None:
    task = house.create(assignee="sue")
    house.delegate("sue", task, "ada")
    become(house, "sue", "failed")
    become(house, "ada", "failed")
    assert lies(house, task) == ("pending", "", "")


def test_an_expired_claim_of_an_ended_agent_is_taken_back_and_nobody_claims_in_its_name(house: Board) -> None:
    task = house.create(assignee="ada")
    house.claim("ada", task)
    house.clock.advance(hours=2)
    become(house, "ada", "terminated")
    assert house.sweep() == 0
    with pytest.raises(NotAllowed, match="has ended"):
        house.claim("ada", task)
    assert house.claimed("bob") == task


def test_an_ended_agent_is_given_nothing_any_more(house: Board) -> None:
    become(house, "ada", "terminated")
    task = house.create()
    for hand_over in (lambda: house.create(assignee="ada"), lambda: house.delegate("lead", task, "ada")):
        with pytest.raises(NotAllowed, match="has ended"):
            hand_over()
    with pytest.raises(NotAllowed, match="nobody is put below it"):
        house.register("lead", "bob", superior="ada")


def test_questions_to_an_ended_agent_go_on_and_end_with_the_operator(house: Board) -> None:
    task = house.create(by="")
    house.claim("ada", task)
    house.ask("ada", task)
    for name, next_one in (("sue", "kim"), ("kim", "lead")):
        become(house, name, "terminated")
        assert house.asked(task) in {next_one, "lead"}
    become(house, "lead", "terminated", by="")
    assert house.asked(task) == ""
    assert "question" in house.news("")
    assert house.sweep() == 0


def test_a_question_that_everybody_was_asked_comes_back_to_the_operator(house: Board) -> None:
    task = house.create(by="")
    house.claim("ada", task)
    house.ask("ada", task, ask="operator")
    for asked in ("sue", "lead"):
        house.clock.advance(hours=1, seconds=1)
        house.sweep()
        assert house.asked(task) == asked
    become(house, "lead", "terminated", by="")
    assert (house.asked(task), house.sweep()) == ("", 0)


@pytest.mark.parametrize(("outcome", "again"), [("completed", "reopen"), ("failed", "retry")])
def test_what_an_ended_agent_had_finished_is_done_again_by_whoever_had_it_before(
    house: Board, outcome: str, again: str
) -> None:
    house.register("lead", "bob", team="backend")
    plain, pooled = house.create(assignee="ada"), house.create(assignee="backend")
    house.delegate("lead", pooled, "kim")
    house.delegate("kim", pooled, "ada")
    for task in (plain, pooled):
        house.finish("ada", task, outcome=outcome)
    for agent in ("ada", "kim"):
        become(house, agent, "terminated")
    for task in (plain, pooled):
        house.update("lead", task, action=again)
    assert [lies(house, task) for task in (plain, pooled)] == [("pending", "", ""), ("pending", "", "backend")]
    assert (house.delegations(plain), house.delegations(pooled)) == (["done"], ["offered", "done", "done"])
    assert {house.claimed("bob"), house.claimed("bob")} == {plain, pooled}


def test_what_an_ended_agent_had_finished_is_not_given_back_to_it_by_an_undo(house: Board) -> None:
    task = house.create(assignee="ada")
    house.finish("ada", task)
    become(house, "ada", "terminated")
    seq = next(event.seq for event in house.events(task) if event.kind == "completed")
    with pytest.raises(NotAllowed, match="ada has ended"):
        house.call("lead", operations.undo, event=seq)


def test_the_hold_of_an_ended_agent_is_lifted_by_whoever_has_authority(house: Board) -> None:
    task = house.create(by="sue")
    house.update("sue", task, action="hold", reason="later")
    become(house, "sue", "terminated")
    house.update("kim", task, action="resume")
    assert house.status(task) == "pending"


# --- ended: people and teams ------------------------------------------------------------------------------------------


def test_those_below_an_ended_agent_move_below_its_superior_with_everybody_below_them(house: Board) -> None:
    assert become(house, "kim", "terminated") == {"agents": 1}
    assert [place(house, name) for name in ("sue", "ada")] == [("lead", 1), ("sue", 2)]
    assert house.ledger("agent_changed")[-1][1] == {"agent": "sue", "superior": ["kim", "lead"]}
    assert "kim is terminated; you stand below lead now." in [item.text for item in house.inbox("sue")]


def test_those_below_an_ended_root_director_move_below_the_oldest_active_one(house: Board) -> None:
    house.register("lead", "second", role="director", superior="operator")
    house.inbox("second")
    become(house, "lead", "terminated", by="second")
    assert [place(house, name) for name in ("kim", "tom", "ada")] == [("second", 1), ("second", 1), ("sue", 3)]


def test_below_the_last_root_director_its_oldest_director_takes_over(house: Board) -> None:
    house.register("lead", "zoe", role="director", lifecycle="active")
    become(house, "lead", "terminated", by="")
    assert [place(house, name) for name in ("zoe", "kim", "tom")] == [("", 0), ("zoe", 1), ("zoe", 1)]


def test_below_the_last_root_director_without_a_deputy_they_wait_for_the_next(house: Board) -> None:
    become(house, "lead", "terminated", by="")
    assert [place(house, name) for name in ("kim", "tom", "ada")] == [("", 0), ("", 0), ("sue", 2)]
    with house.swarm.writing(agent="chief") as db:
        operations.check_inbox(db)
    assert [place(house, name) for name in ("kim", "tom", "ada")] == [("chief", 1), ("chief", 1), ("sue", 3)]


def test_nobody_stands_below_an_ended_agent_not_even_an_ended_one(house: Board) -> None:
    become(house, "sue", "terminated")
    become(house, "kim", "failed")
    assert [place(house, name) for name in ("ada", "sue")] == [("lead", 1), ("lead", 1)]


def test_an_ended_agent_leaves_its_teams_and_those_that_it_supervised_go_to_its_superior(house: Board) -> None:
    house.register("lead", "sue", team="backend")
    house.register("lead", "sue", team="frontend", team_role="supervisor")
    assert become(house, "sue", "terminated") == {"agents": 1, "teams": 2}
    backend, frontend = (
        house.swarm.read(lambda db, n=name: teams.find_team(db, n)) for name in ("backend", "frontend")
    )
    assert house.swarm.read(lambda db: teams.members_of(db, backend.id)) == []
    assert house.name_of(frontend.supervisor_id) == "kim"
    assert [kind for kind, _ in house.ledger("team_left", "team_changed")][-2:] == ["team_left", "team_changed"]
    assert any("You supervise team:frontend now" in item.text for item in house.inbox("kim"))


# --- coming back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifecycle", ENDED)
def test_an_ended_agent_comes_back_by_authority_alone_and_with_nothing(house: Board, lifecycle: str) -> None:
    house.register("lead", "ada", team="backend")
    task = house.create(assignee="ada")
    become(house, "ada", lifecycle)
    for by in ("ada", "bob", "tom"):
        with pytest.raises(NotAllowed):
            become(house, "ada", "active", by=by)
    become(house, "ada", "active", by="sue")
    assert lies(house, task)[1] == ""
    assert house.claimed("ada") == task
    assert place(house, "ada") == ("sue", 3)


def test_one_that_comes_back_to_a_project_with_another_lead_stands_below_it(house: Board) -> None:
    become(house, "lead", "terminated", by="")
    become(house, "ada", "failed", by="sue")
    become(house, "sue", "failed", by="kim")
    become(house, "kim", "failed", by="")
    with house.swarm.writing(agent="chief") as db:
        operations.check_inbox(db)
    become(house, "kim", "active", by="chief")
    assert place(house, "kim") == ("chief", 1)


def test_one_that_is_started_anew_waits_for_its_first_call(house: Board) -> None:
    become(house, "ada", "terminated")
    become(house, "ada", "spawning")
    house.inbox("ada")
    assert house.agent("ada").lifecycle == "active"
    with pytest.raises(Invalid, match="has called already"):
        become(house, "ada", "spawning")


@pytest.mark.parametrize("lifecycle", ENDED)
def test_what_has_ended_is_not_paused_and_stays_ended(house: Board, lifecycle: str) -> None:
    become(house, "ada", lifecycle)
    sentence = rf'ada has ended \({lifecycle}\).*: register_agent\(name="ada", lifecycle="active"\) lets it return\.$'
    for by in ("lead", ""):
        with pytest.raises(Invalid, match=sentence):
            become(house, "ada", "paused", by)
    assert house.agent("ada").lifecycle == lifecycle


def test_only_its_own_first_call_makes_an_agent_active(house: Board) -> None:
    house.register("lead", "new_one")
    with pytest.raises(Invalid, match="new_one has not called yet; it becomes active by itself, with its first call"):
        become(house, "new_one", "active")
    for away in ("paused", *ENDED):
        become(house, "new_one", away)
        assert (
            "spawning; it becomes active with its first call" in house.register("", "new_one", lifecycle="idle").message
        )
        assert house.agent("new_one").lifecycle == "spawning"
    house.inbox("new_one")
    assert house.agent("new_one").lifecycle == "active"


def test_failed_and_terminated_follow_each_other_without_further_effect(house: Board) -> None:
    become(house, "kim", "failed")
    assert become(house, "kim", "terminated") == {}


def test_a_root_director_that_comes_back_is_one_again(house: Board) -> None:
    house.register("lead", "second", role="director", superior="operator")
    house.inbox("second")
    become(house, "second", "terminated")
    become(house, "second", "active")
    assert (house.agent("second").role, place(house, "second")) == ("director", ("", 0))


# --- over the wire ----------------------------------------------------------------------------------------------------


def test_a_terminated_worker_over_the_wire_is_refused_and_its_task_goes_to_another(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db") as desk:
        task = desk.call("create_task", title="Serve", assignee="dev", agent="lead").task
        desk.call("claim_task", agent="dev")
        ended = desk.call("register_agent", name="dev", lifecycle="terminated", agent="lead")
        assert (ended["effects"], unsaid(ended)) == ({"claims": 1}, [])
        late = desk.refusal("complete_task", task=task, summary="Done.", agent="dev")
        assert (late["code"], "has ended" in late.text) == ("not_allowed", True)
        assert desk.call("claim_task", agent="other")["task"]["id"] == task


def test_join_task_over_the_wire_says_in_its_text_what_its_facts_say(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db") as desk:
        task = desk.call("create_task", title="Serve", agent="lead").task
        answers = [
            desk.call("join_task", task=task, role="reviewer", agent="dev"),
            desk.call("join_task", task=task, leave=True, agent="dev"),
        ]
        assert [unsaid(answer) for answer in answers] == [[], []]
        assert answers[0].text.startswith(f"dev takes part in {task} as reviewer.")
