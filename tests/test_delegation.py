"""Delegations: who may hand what to whom, what is written down, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from facts import unsaid
from serving import serving

from swarm_mcp.model.errors import (
    Ambiguous,
    ClaimLost,
    Conflict,
    CycleRefused,
    IllegalMove,
    Invalid,
    NotAllowed,
    NotFound,
)
from swarm_mcp.operations import details
from swarm_mcp.repository import tasks, work

if TYPE_CHECKING:
    from pathlib import Path

    from board import Board

    from swarm_mcp.repository.database import Transaction


def delegation(board: Board, task: str) -> Any:
    """The latest delegation of a task."""
    return board.swarm.read(lambda db: work.delegations(db, task))[-1]


def hierarchy(board: Board) -> None:
    """Above ada stands sue, above sue stands lead; bob stands beside."""
    board.enlist("sue", below="lead", role="supervisor")
    board.enlist("ada", below="sue")


def test_a_delegation_keeps_what_was_said_with_it(board: Board) -> None:
    task, other = board.create(criteria=["It works."]), board.create()
    board.delegate(
        "lead", task, "ada", reasoning="best at it", priority="high", estimated_minutes=90, required_resources=["gpu"],
        success_criteria=["It is fast."], risk_factors=["new"], depends_on=[other], context_requirements=["the plan"],
        expected_deliverables=["a report"],
    )  # fmt: skip
    said = delegation(board, task)
    assert (said.reasoning, said.priority, said.estimated_minutes) == ("best at it", "high", 90)
    assert (said.required_resources, said.risk_factors, said.context_requirements) == (["gpu"], ["new"], ["the plan"])
    assert (said.expected_deliverables, said.depends_on, said.at) == (["a report"], [other], board.clock.now)
    brief = board.brief("ada", task)
    assert [each.text for each in brief.criteria] == ["It works.", "It is fast."]
    assert brief.delegation["from"] == "lead"
    assert (board.row(task).priority, board.row(task).waits) == ("high", 1)


@pytest.mark.parametrize(
    "said",
    [
        {"estimated_minutes": 481}, {"estimated_minutes": -1}, {"required_resources": [str(n) for n in range(21)]},
        {"success_criteria": [str(n) for n in range(11)]}, {"risk_factors": [str(n) for n in range(11)]},
        {"depends_on": [str(n) for n in range(51)]}, {"context_requirements": [str(n) for n in range(21)]},
        {"expected_deliverables": [str(n) for n in range(16)]}, {"priority": "soon"}, {"to": ""}, {"to": "anyone"},
    ],
)  # fmt: skip
def test_the_parts_of_a_delegation_have_limits(board: Board, said: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        board.delegate("lead", board.create(), **{"to": "ada", **said})


def test_a_delegation_is_offered_then_accepted_by_the_claim_and_done_when_completed(board: Board) -> None:
    task = board.create()
    board.delegate("lead", task, "ada")
    states = [board.delegations(task)]
    board.claim("ada", task)
    states.append(board.delegations(task))
    board.complete("ada", task)
    assert [*states, board.delegations(task)] == [["offered"], ["accepted"], ["done"]]


def test_failed_work_ends_its_delegation_as_done(board: Board) -> None:
    task = board.create(assignee="ada")
    board.finish("ada", task, outcome="failed")
    assert board.delegations(task) == ["done"]


def test_cancelling_recalls_the_delegation(board: Board) -> None:
    task = board.create(assignee="ada")
    board.update("lead", task, action="cancel")
    assert board.delegations(task) == ["recalled"]


def test_naming_an_assignee_when_creating_is_a_delegation_too(board: Board) -> None:
    task = board.create(assignee="ada")
    assert board.delegations(task) == ["offered"]
    assert board.name_of(board.row(task).delegator_id) == "lead"
    assert "delegated" in board.news("ada")


def test_the_delegate_is_told_and_so_is_the_pool(board: Board) -> None:
    board.team("backend", "ada")
    board.enlist("bob", specialty="testing")
    board.delegate("lead", board.create(), "backend")
    board.delegate("lead", board.create(), "testing")
    assert "delegated" in board.news("ada") & board.news("bob")


# --- to whom ----------------------------------------------------------------------------------------------------------


def test_work_may_be_handed_to_oneself_an_agent_below_a_team_or_a_specialty(board: Board) -> None:
    hierarchy(board)
    board.team("backend", "bob")
    for to in ("sue", "ada", "team:backend", "specialty:testing"):
        task = board.create(by="sue")
        assert board.delegate("sue", task, to).task.assignee == to


def test_work_may_not_be_handed_up_or_sideways(board: Board) -> None:
    hierarchy(board)
    for to in ("lead", "bob"):
        with pytest.raises(NotAllowed, match=f"does not stand above {to}"):
            board.delegate("sue", board.create(by="sue"), to)


def test_root_directors_and_the_operator_may_hand_work_to_anyone(board: Board) -> None:
    board.enlist("loner", superior_id=None, level=0)
    for agent in ("lead", ""):
        task = board.create(by=agent)
        board.delegate(agent, task, "loner")
        assert board.assignee(task) == "loner"


@pytest.mark.parametrize("lifecycle", ["failed", "terminated"])
def test_ended_agents_are_refused(board: Board, lifecycle: str) -> None:
    board.enlist("ada", lifecycle=lifecycle)
    with pytest.raises(NotAllowed, match=f"ended \\({lifecycle}\\)"):
        board.delegate("lead", board.create(), "ada")


def test_paused_agents_are_warned_of(board: Board) -> None:
    board.enlist("ada", lifecycle="paused")
    assert "ada is paused" in board.delegate("lead", board.create(), "ada").warnings[0]


def test_an_unknown_name_becomes_an_agent_below_the_caller_and_the_answer_says_so(board: Board) -> None:
    said = board.delegate("lead", board.create(), "Frontend Dev")
    newcomer = board.agent("frontend_dev")
    assert (newcomer.lifecycle, board.name_of(newcomer.superior_id), newcomer.title) == (
        "spawning",
        "lead",
        "Frontend Dev",
    )
    assert "frontend_dev is new" in said.warnings[0]
    board.inbox("frontend_dev")
    assert board.agent("frontend_dev").lifecycle == "active"


def test_a_misspelt_name_is_refused_with_the_known_one(board: Board) -> None:
    board.enlist("backend_dev", below="lead")
    with pytest.raises(Ambiguous, match="Did you mean `backend_dev`") as refusal:
        board.delegate("lead", board.create(), "backnd_dev")
    assert refusal.value.facts["candidates"] == ["backend_dev"]


@pytest.mark.parametrize(
    ("known", "new"), [("worker-1", "worker-2"), ("dev_a", "dev_b"), ("backend_dev", "frontend_dev"), ("ada9", "ada")]
)
def test_names_that_differ_by_a_number_a_letter_or_a_word_are_no_misspellings(
    board: Board, known: str, new: str
) -> None:
    board.enlist(known, below="lead")
    board.delegate("lead", board.create(), new)
    assert board.agent(new)


def test_a_team_that_there_is_not_is_not_found(board: Board) -> None:
    with pytest.raises(NotFound, match="No team"):
        board.delegate("lead", board.create(), "team:backend")


@pytest.mark.parametrize("name", ["operator", "system", "all", "superior"])
def test_reserved_words_are_no_delegates(board: Board, name: str) -> None:
    with pytest.raises(Invalid, match="reserved"):
        board.delegate("lead", board.create(), name)


def test_a_name_means_an_agent_before_a_team_and_a_team_before_a_specialty(board: Board) -> None:
    board.team("ada", "bob")
    board.team("testing", "bob")
    board.enlist("bob", specialty="testing")
    assert board.delegate("lead", board.create(), "ada").task.assignee == "ada"
    assert board.delegate("lead", board.create(), "team:ada").task.assignee == "team:ada"
    assert board.delegate("lead", board.create(), "testing").task.assignee == "team:testing"
    assert board.delegate("lead", board.create(), "specialty:testing").task.assignee == "specialty:testing"


def test_names_are_folded_to_lower_case(board: Board) -> None:
    assert board.delegate("lead", board.create(), " ADA ").task.assignee == "ada"


# --- what -------------------------------------------------------------------------------------------------------------


def test_what_another_holds_must_be_recalled_first(board: Board) -> None:
    task = board.task_in("in_progress")
    with pytest.raises(Conflict, match='action="recall"'):
        board.delegate("lead", task, "bob")


def test_delegating_partial_work_requeues_it(board: Board) -> None:
    task = board.task_in("partial")
    board.delegate("lead", task, "bob")
    assert (board.status(task), board.assignee(task)) == ("pending", "bob")


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "in_review"])
def test_finished_work_and_work_in_review_cannot_be_delegated(board: Board, status: str) -> None:
    with pytest.raises(IllegalMove, match=status):
        board.delegate("lead", board.task_in(status), "bob")


def test_somebody_elses_work_is_not_delegated_without_authority(board: Board) -> None:
    hierarchy(board)
    with pytest.raises(NotAllowed, match="ask lead"):
        board.delegate("sue", board.create(), "ada")


def test_a_dependency_that_closes_a_cycle_refuses_the_delegation(board: Board) -> None:
    task = board.create()
    with pytest.raises(CycleRefused):
        board.delegate("lead", task, "ada", depends_on=[board.create(depends_on=[task])])
    assert board.delegations(task) == []


# --- handing on, releasing, recalling ---------------------------------------------------------------------------------


def test_the_chain_of_a_task_is_all_its_delegations(board: Board) -> None:
    hierarchy(board)
    task = board.create(assignee="sue")
    board.clock.advance(minutes=1)
    board.delegate("sue", task, "ada", reasoning="closer to it")
    lines = board.brief("lead", task, include=["delegations"]).delegations
    assert [line.split("Z ", 1)[1] for line in lines] == [
        "lead to sue: accepted",
        "sue to ada: offered, because closer to it",
    ]


def test_an_assignee_hands_its_work_further_down_and_becomes_its_delegator(board: Board) -> None:
    hierarchy(board)
    task = board.create(assignee="sue")
    board.claim("sue", task)
    board.delegate("sue", task, "ada")
    assert (board.assignee(task), board.holder(task), board.executions(task)) == ("ada", "", ["released"])
    assert board.name_of(board.row(task).delegator_id) == "sue"
    assert board.delegations(task) == ["accepted", "offered"]


def test_released_work_goes_back_to_the_agent_that_handed_it_on(board: Board) -> None:
    hierarchy(board)
    task = board.create(assignee="sue")
    board.delegate("sue", task, "ada")
    board.claim("ada", task)
    board.report("ada", task, "too much for me", status="released")
    assert (board.assignee(task), board.status(task)) == ("sue", "pending")
    assert delegation(board, task).reason == "too much for me"
    assert board.delegations(task) == ["accepted", "declined"]
    assert "released" in board.news("sue")


def test_released_work_goes_back_to_its_pool_else_to_nobody(board: Board) -> None:
    board.team("backend", "ada")
    pooled, free = board.create(assignee="backend"), board.create()
    for task, place in ((pooled, "team:backend"), (free, "")):
        board.delegate("lead", task, "ada")
        board.claim("ada", task)
        board.report("ada", task, "no", status="released")
        assert board.line(task).assignee == place


def test_a_pools_member_that_releases_returns_the_delegation_to_offered(board: Board) -> None:
    board.team("backend", "ada")
    task = board.create(assignee="backend")
    board.claim("ada", task)
    assert board.delegations(task) == ["accepted"]
    board.report("ada", task, "no", status="released")
    assert (board.delegations(task), board.line(task).assignee) == (["offered"], "team:backend")


def test_giving_back_needs_a_reason(board: Board) -> None:
    with pytest.raises(Invalid, match="why"):
        board.report("ada", board.task_in("in_progress"), "", status="released")


def test_what_was_merely_claimed_and_handed_on_goes_back_to_its_pool(board: Board) -> None:
    hierarchy(board)
    board.team("backend", "sue")
    task = board.create(assignee="backend")
    board.claim("sue", task)
    board.delegate("sue", task, "ada")
    assert board.name_of(board.row(task).delegator_id) == "lead"
    board.claim("ada", task)
    board.report("ada", task, "no", status="released", attempt=2)
    assert (board.line(task).assignee, board.delegations(task)) == ("team:backend", ["offered", "declined"])


def test_recalling_a_delegation_takes_the_task_back_and_tells_the_delegate(board: Board) -> None:
    task = board.create(assignee="ada")
    board.inbox("ada")
    board.update("lead", task, action="recall", reason="we need you elsewhere")
    assert (board.assignee(task), board.delegations(task)) == ("", ["recalled"])
    assert "recalled" in board.news("ada")


def test_recalling_claimed_work_ends_the_claim_and_tells_its_holder(board: Board) -> None:
    task = board.create(assignee="ada")
    board.claim("ada", task)
    board.update("lead", task, action="recall")
    assert (board.holder(task), board.assignee(task), board.executions(task)) == ("", "", ["recalled"])
    assert board.delegations(task) == ["recalled"]
    assert "claim_lost" in board.news("ada")


def test_a_split_task_that_is_recalled_is_kept_for_its_worker_no_longer(board: Board) -> None:
    task = board.task_in("in_progress")
    board.create(by="ada", parent=task)
    board.update("lead", task, action="recall")
    assert board.assignee(task) == ""


def test_handing_it_to_another_ends_what_the_first_had_handed_on(board: Board) -> None:
    hierarchy(board)
    task = board.create(assignee="sue")
    board.delegate("sue", task, "ada")
    board.inbox("ada")
    board.delegate("lead", task, "bob")
    assert board.delegations(task) == ["recalled", "recalled", "offered"]
    assert "delegated" in board.news("ada")
    board.claim("bob", task)
    board.report("bob", task, "no", status="released")
    assert board.assignee(task) == ""


def test_assigning_to_nobody_recalls_the_delegation(board: Board) -> None:
    task = board.create(assignee="ada")
    board.update("lead", task, clear=["assignee"])
    assert (board.assignee(task), board.delegations(task)) == ("", ["recalled"])


@pytest.mark.parametrize("how", ["completed", "cancelled"])
def test_reopened_work_is_offered_again_to_those_who_had_it(board: Board, how: str) -> None:
    hierarchy(board)
    task = board.create(assignee="sue")
    board.delegate("sue", task, "ada")
    if how == "completed":
        board.finish("ada", task)
    else:
        board.update("lead", task, action="cancel")
    board.update("lead", task, action="reopen")
    assert (board.assignee(task), board.delegations(task)) == ("ada", ["accepted", "offered"])
    board.update("lead", task, action="recall")
    assert board.assignee(task) == "sue"


def test_a_finished_task_that_was_split_lies_again_where_it_lay_before(board: Board) -> None:
    board.team("backend", "ada", "bob")
    task = board.create(assignee="backend")
    board.claim("ada", task)
    board.finish("bob", board.create(by="ada", parent=task))
    board.claim("ada", task)
    board.complete("ada", task, attempt=2)
    assert (board.line(task).assignee, board.name_of(board.row(task).worker_id)) == ("team:backend", "ada")
    board.update("lead", task, action="reopen")
    assert board.delegations(task) == ["offered"]


# --- declining what was offered ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["pending", "blocked"])
def test_an_offer_is_declined_without_being_claimed(board: Board, status: str) -> None:
    hierarchy(board)
    task = board.create(assignee="sue", depends_on=[board.create()] if status == "blocked" else [])
    board.delegate("sue", task, "ada")
    board.inbox("sue")
    said = board.report("ada", task, "not my field", status="released")
    assert said.message.startswith(f"{task} is declined and {status}.")
    assert (board.assignee(task), board.status(task)) == ("sue", status)
    assert (board.delegations(task), delegation(board, task).reason) == (["accepted", "declined"], "not my field")
    assert "released" in board.news("sue")
    assert (board.executions(task), board.kinds(task)[-1]) == ([], "released")


def test_declining_needs_a_reason_and_is_for_the_one_who_was_asked(board: Board) -> None:
    task = board.create(assignee="ada")
    with pytest.raises(Invalid, match="why"):
        board.report("ada", task, " ", status="released")
    for other in ("bob", "lead"):
        with pytest.raises(NotAllowed, match="does not hold"):
            board.report(other, task, "not for ada", status="released")
    assert board.delegations(task) == ["offered"]


def test_what_one_declined_is_passed_over_when_claiming_the_next(board: Board) -> None:
    task = board.create(assignee="ada")
    board.report("ada", task, "no", status="released")
    assert board.claimed("ada") == ""
    assert board.claimed("bob") == task


def test_a_late_worker_declines_nothing(board: Board) -> None:
    task = board.create(assignee="ada")
    board.claim("ada", task)
    board.clock.advance(minutes=31)
    board.sweep()
    with pytest.raises(ClaimLost):
        board.report("ada", task, "too late", status="released", attempt=1)
    assert (board.assignee(task), board.delegations(task)) == ("ada", ["offered"])


def test_whoever_split_a_task_gives_back_what_is_kept_for_it(board: Board) -> None:
    board.team("backend", "ada", "bob")
    task = board.create(assignee="backend")
    board.claim("ada", task)
    board.create(by="ada", parent=task)
    board.report("ada", task, "I am leaving", status="released")
    assert (board.line(task).assignee, board.delegations(task)) == ("team:backend", ["offered"])


# --- the chain --------------------------------------------------------------------------------------------------------


@pytest.mark.sqlite
def test_the_chain_is_one_statement_and_says_what_became_of_each_link(board: Board) -> None:
    hierarchy(board)
    board.team("backend", "sue")
    task = board.create()
    board.delegate("", task, "backend", expected_deliverables=["a schema", "a migration"])
    for by, to in (("sue", "ada"), ("sue", "ada")):
        board.clock.advance(minutes=1)
        board.claim(by, task)
        board.delegate(by, task, to, reasoning="closer to it")
        board.report(to, task, "no time", status="released")

    def asked(db: Transaction) -> tuple[list[str], list[str]]:
        row, executed = tasks.task_row(db, task), []
        db.driver.set_trace_callback(executed.append)
        found = details.sections(db, row, ["delegations"], "")["delegations"]
        db.driver.set_trace_callback(None)
        return found, executed

    lines, executed = board.swarm.read(asked)
    assert len(executed) == 1
    assert [line.split("Z ", 1)[1] for line in lines] == [
        "operator to team:backend: offered, to deliver a schema, a migration",
        "sue to ada: declined (no time), because closer to it",
        "sue to ada: declined (no time), because closer to it",
    ]


def test_a_long_chain_shows_its_end_and_says_so(board: Board) -> None:
    task = board.create()
    for n in range(55):
        board.clock.advance(minutes=1)
        board.delegate("lead", task, ("ada", "bob")[n % 2], expected_deliverables=[f"part {n}" for n in range(7)])
    lines = board.brief("lead", task, include=["delegations"], max_tokens=8000).delegations
    assert (lines[0], len(lines)) == ("5 earlier ones are left out", 51)
    assert lines[-1].endswith("lead to ada: offered, to deliver part 0, part 1, part 2, part 3, part 4 and 2 more")


def test_through_a_server_an_offer_is_read_and_declined_and_the_chain_tells_it(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db", name="lead") as desk:
        task = desk.call("create_task", title="Draw a map", agent="lead").task
        desk.call("delegate", task=task, to="ada", expected_deliverables=["a map"], agent="lead")
        desk.call("get_task", task=task, agent="ada")
        said = desk.call("report_progress", task=task, status="released", message="I cannot draw", agent="ada")
        assert (said["task"]["status"], unsaid(said)) == ("pending", [])
        chain = desk.call("get_task", task=task, include=["delegations"], agent="lead")
        assert chain["delegations"][0].endswith("lead to ada: declined (I cannot draw), to deliver a map")
        assert unsaid(chain) == []
