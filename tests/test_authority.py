"""Authority: who may edit, reassign, hold, recall, cancel, review and waive, and what the others may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from swarm_mcp import operations
from swarm_mcp.model.errors import Conflict, Invalid, LimitReached, NotAllowed
from swarm_mcp.operations.authority import has_authority
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from board import Board


def may(board: Board, agent: str, task: str) -> bool:
    """Whether an agent has authority over a task."""

    def ask(db: object) -> bool:
        return has_authority(db, tasks.task_row(db, task))  # type: ignore[arg-type]

    return board.swarm.read(ask, agent=agent)


def having(board: Board, task: str) -> str:
    """Everybody in the house that has authority over a task."""
    return " ".join(agent for agent in ("lead", "kim", "sue", "ada", "tom", "bob") if may(board, agent, task))


# --- relations --------------------------------------------------------------------------------------------------------


def test_the_creator_and_those_above_it_have_authority(house: Board) -> None:
    assert having(house, house.create(by="sue")) == "lead kim sue"


def test_the_delegator_and_those_above_it_have_authority(house: Board) -> None:
    task = house.create(by="", assignee="sue")
    house.delegate("sue", task, "ada")
    assert having(house, task) == "lead kim sue"


def test_those_above_an_assignee_to_whom_it_was_delegated_have_authority_and_the_assignee_has_not(house: Board) -> None:
    assert having(house, house.create(assignee="ada")) == "lead kim sue"
    assert having(house, house.create(by="", assignee="ada")) == "lead kim sue"


def test_whoever_created_an_ancestor_has_authority(house: Board) -> None:
    top = house.create(by="tom")
    assert having(house, house.create(parent=house.create(parent=top))) == "lead tom"


def test_whoever_delegated_an_ancestor_has_authority(house: Board) -> None:
    top = house.create(by="", assignee="sue")
    house.delegate("sue", top, "ada")
    assert "sue" in having(house, house.create(by="", parent=top))


def test_assignee_and_holder_of_an_ancestor_have_authority(house: Board) -> None:
    assigned, claimed = house.create(assignee="ada"), house.create()
    house.claim("bob", claimed)
    assert "ada" in having(house, house.create(parent=assigned))
    assert "bob" in having(house, house.create(parent=claimed))


def test_those_above_one_who_merely_claimed_have_none_but_may_end_the_claim(house: Board) -> None:
    task = house.create()
    house.claim("ada", task)
    assert having(house, task) == "lead"
    with pytest.raises(NotAllowed):
        house.update("sue", task, action="cancel")
    house.update("sue", task, action="recall")
    assert house.status(task) == "pending"


def test_a_claim_ended_by_those_above_goes_back_as_by_a_release(house: Board) -> None:
    house.team("backend", "ada")
    claimed, split = house.create(assignee="backend"), house.create(assignee="backend")
    house.claim("ada", claimed)
    house.claim("ada", split)
    house.finish("ada", house.create(by="ada", parent=split))
    house.claim("ada", split)
    for task in (claimed, split):
        house.update("sue", task, action="recall")
        assert (house.line(task).assignee, house.delegations(task)) == ("team:backend", ["offered"])


def test_those_above_one_who_keeps_what_it_split_have_none_though_it_was_once_delegated_to_it(house: Board) -> None:
    task = house.create(assignee="ada")
    house.update("lead", task, action="recall")
    house.claim("ada", task)
    house.create(by="ada", parent=task)
    assert (house.assignee(task), having(house, task)) == ("ada", "lead")


def test_the_supervisor_of_its_team_and_those_above_have_authority_and_the_members_have_not(house: Board) -> None:
    house.team("backend", "bob", supervisor="sue")
    assert having(house, house.create(assignee="backend")) == "lead kim sue"


def test_root_directors_and_the_operator_have_authority_over_everything(house: Board) -> None:
    task = house.create(by="tom")
    assert may(house, "lead", task)
    assert may(house, "", task)


def test_handing_on_what_one_merely_claimed_makes_nobody_a_delegator(house: Board) -> None:
    for creator in ("lead", ""):
        task = house.create(by=creator)
        house.claim("sue", task)
        house.delegate("sue", task, "ada")
        assert having(house, task) == "lead"


def test_handing_on_what_one_had_split_makes_nobody_a_delegator(house: Board) -> None:
    task = house.create()
    house.claim("sue", task)
    house.create(by="sue", parent=task)
    house.delegate("sue", task, "ada")
    assert having(house, task) == "lead"


def test_an_agent_that_nobody_knows_has_none(house: Board) -> None:
    assert not may(house, "stranger", house.create())


# --- deeds ------------------------------------------------------------------------------------------------------------

DEEDS: dict[str, Callable[[Board, str, str], object]] = {
    "edit": lambda board, agent, task: board.update(agent, task, title="Other words"),
    "reassign": lambda board, agent, task: board.update(agent, task, clear=["assignee"]),
    "hold": lambda board, agent, task: board.update(agent, task, action="hold", reason="later"),
    "recall": lambda board, agent, task: board.update(agent, task, action="recall"),
    "cancel": lambda board, agent, task: board.update(agent, task, action="cancel"),
    "review": lambda board, agent, task: board.review(agent, task, quality=5),
    "waive": lambda board, agent, task: board.review(agent, task, "waive", notes="not needed"),
    "delegate": lambda board, agent, task: board.delegate(agent, task, agent),
    "depend": lambda board, agent, task: board.update(agent, task, add_depends_on=[board.create()]),
    "add criteria": lambda board, agent, task: board.update(agent, task, add_criteria=["More."]),
    "create under": lambda board, agent, task: board.create(by=agent, parent=task),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_authority_may_and_without_it_it_is_refused_with_whom_to_ask(
    house: Board, deed: Callable[[Board, str, str], object]
) -> None:
    def create() -> str:
        return house.create(by="sue", assignee="ada", criteria=["It works."])

    deed(house, "kim", create())
    task = create()
    seen = house.row(task)
    with pytest.raises(NotAllowed):
        deed(house, "tom", task)
    assert house.row(task) == seen


def test_a_refusal_names_the_nearest_who_has_authority(house: Board) -> None:
    with pytest.raises(NotAllowed, match=r'ask sue, for instance with send_message\(to="sue"') as refusal:
        house.update("tom", house.create(by="sue"), action="cancel")
    assert refusal.value.facts["ask"] == "sue"


def test_an_assignee_may_report_share_split_release_complete_and_delegate_further_down(house: Board) -> None:
    task = house.create(assignee="sue")
    house.claim("sue", task)
    house.report("sue", task)
    house.call("sue", operations.share_context, task=task, key="a", value=1)
    house.report("sue", task, "not now", status="released")
    task = house.create(assignee="sue")
    house.claim("sue", task)
    part = house.create(by="sue", parent=task)
    house.delegate("sue", part, "ada")
    house.finish("ada", part)
    house.finish("sue", task, attempt=2)
    assert house.status(task) == "completed"


def test_an_assignee_may_neither_edit_nor_cancel_nor_review_its_task(house: Board) -> None:
    task = house.create(assignee="sue", criteria=["It works."])
    for deed in ("edit", "cancel", "review", "waive", "add criteria"):
        with pytest.raises(NotAllowed):
            DEEDS[deed](house, "sue", task)


def test_creating_under_a_task_is_for_its_assignee_and_holder_too(house: Board) -> None:
    assigned, claimed = house.create(assignee="sue"), house.create()
    house.claim("tom", claimed)
    assert house.row(house.create(by="sue", parent=assigned)).parent_id == assigned
    assert house.row(house.create(by="tom", parent=claimed)).parent_id == claimed


def test_everybody_may_read_the_project(house: Board) -> None:
    task = house.create(by="sue", assignee="ada", description="Plain to see.")
    for agent in ("bob", "stranger"):
        assert house.brief(agent, task).description == "Plain to see."


# --- the version ------------------------------------------------------------------------------------------------------


def test_a_stale_version_is_refused_with_what_changed(house: Board) -> None:
    task = house.create()
    seen = house.row(task).version
    house.update("lead", task, title="Other words", priority="high")
    with pytest.raises(Conflict, match="edited") as refusal:
        house.update("lead", task, title="Third words", version=seen)
    assert refusal.value.facts["changed"] == ["priority", "title"]
    house.update("lead", task, title="Third words", version=seen + 1)


# --- workers ----------------------------------------------------------------------------------------------------------


def test_a_worker_creates_only_under_a_task_that_it_holds_or_is_assigned(house: Board) -> None:
    task = house.create(assignee="ada")
    assert house.row(house.create(by="ada", parent=task)).parent_id == task


def test_a_worker_may_create_deeper_under_its_own_task(house: Board) -> None:
    task = house.create(assignee="ada")
    part = house.create(by="ada", parent=task)
    assert house.row(house.create(by="ada", parent=part)).parent_id == part


@pytest.mark.parametrize("where", ["nowhere", "elsewhere"])
def test_what_else_a_worker_discovers_goes_beside_its_own_task_unassigned_with_a_warning(
    house: Board, where: str
) -> None:
    top = house.create()
    house.claim("ada", house.create(parent=top))
    parent = house.create() if where == "elsewhere" else ""
    said = house.call("ada", operations.create_task, title="Found it", parent=parent, assignee="ada")
    row = house.row(said.task.id)
    assert (row.parent_id, row.assignee_id) == (top, None)
    assert "You are a worker" in said.warnings[0]


def test_a_worker_without_work_creates_nothing(house: Board) -> None:
    with pytest.raises(NotAllowed, match="claim_task"):
        house.create(by="ada")


def test_a_supervisor_creates_anywhere_at_the_top(house: Board) -> None:
    assert house.row(house.create(by="sue")).parent_id is None


# --- who is who -------------------------------------------------------------------------------------------------------


def test_an_unknown_name_that_writes_is_registered_below_the_oldest_active_root_director(board: Board) -> None:
    board.inbox("newcomer")
    agent = board.agent("newcomer")
    assert (agent.role, board.name_of(agent.superior_id), agent.level) == ("worker", "lead", 1)


def test_an_unknown_name_that_reads_is_not_registered(board: Board) -> None:
    board.swarm.read(operations.list_tasks, agent="stranger")
    with pytest.raises(AssertionError):
        board.agent("stranger")


def test_without_a_root_director_the_first_writer_on_the_director_profile_becomes_it_recorded_and_told(
    board: Board,
) -> None:
    board.enlist("lead", lifecycle="terminated")
    board.inbox("newcomer")
    assert not board.agent("newcomer").superior_id
    with board.swarm.writing(agent="chief") as db:
        operations.create_task(db, title="A task")
    chief = board.agent("chief")
    assert (chief.role, chief.superior_id) == ("director", None)
    assert board.name_of(board.agent("newcomer").superior_id) == "chief"
    assert any("chief is now the root director" in item.text for item in board.inbox(""))


def test_callers_on_other_profiles_never_become_root_director(board: Board) -> None:
    board.enlist("lead", lifecycle="terminated")
    board.inbox("newcomer")
    assert board.agent("newcomer").role == "worker"


@pytest.mark.parametrize(("hours", "role"), [(23, "worker"), (24, "director")])
def test_a_root_director_unseen_for_a_day_counts_as_absent(board: Board, hours: int, role: str) -> None:
    board.clock.advance(hours=hours)
    with board.swarm.writing(agent="chief") as db:
        operations.check_inbox(db)
    assert board.agent("chief").role == role


def test_newcomers_go_below_a_root_director_that_is_there_rather_than_an_absent_older_one(board: Board) -> None:
    board.clock.advance(days=1)
    with board.swarm.writing(agent="chief") as db:
        operations.check_inbox(db)
    board.inbox("newcomer")
    assert board.name_of(board.agent("newcomer").superior_id) == "chief"


def test_last_seen_is_written_at_most_once_a_minute(board: Board) -> None:
    first = board.agent("ada").last_seen_at
    board.clock.advance(seconds=60)
    board.inbox("ada")
    assert board.agent("ada").last_seen_at == first
    board.clock.advance(seconds=1)
    board.inbox("ada")
    assert board.agent("ada").last_seen_at == board.clock.now


def test_a_paused_agent_reads_notes_and_answers_and_does_nothing_else(board: Board) -> None:
    task = board.task_in("in_progress")
    question = board.ask("ada", task, ask="bob")
    board.enlist("bob", lifecycle="paused")
    board.inbox("bob")
    board.brief("bob", task)
    board.call("bob", operations.add_note, task=task, text="Mine.")
    board.send("bob", "The left one.", reply_to=question)
    for deed in (lambda: board.claim("bob"), lambda: board.create(by="bob"), lambda: board.report("bob", task)):
        with pytest.raises(NotAllowed, match="paused"):
            deed()
    assert board.status(task) == "in_progress"


@pytest.mark.parametrize("lifecycle", ["failed", "terminated"])
def test_an_ended_agent_writes_nothing(board: Board, lifecycle: str) -> None:
    board.enlist("bob", lifecycle=lifecycle)
    with pytest.raises(NotAllowed, match="has ended"):
        board.claim("bob")
    assert board.swarm.read(operations.list_tasks, agent="bob").total == 0


def test_the_hierarchy_has_at_most_eight_levels(board: Board) -> None:
    above = "lead"
    for n in range(1, 8):
        above = board.enlist(f"level-{n}", below=above, role="supervisor")
    with pytest.raises(LimitReached, match="8 levels"):
        board.create(by=above, assignee="one-too-many")


@pytest.mark.parametrize("name", ["operator", "Superior", "all", "a b!", "x" * 64])
def test_reserved_words_and_what_is_no_name_cannot_act(board: Board, name: str) -> None:
    with pytest.raises(Invalid):
        board.inbox(name)
