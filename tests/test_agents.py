"""Agents: how they are registered, where they stand, and who may change what of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from facts import unsaid
from serving import serving

from swarm_mcp import operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import (
    Ambiguous,
    Conflict,
    CycleRefused,
    Invalid,
    LimitReached,
    NotAllowed,
    NotFound,
    Refusal,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from board import Board

ROOT = Path(__file__).resolve().parents[1]


def place(board: Board, name: str) -> tuple[str, int]:
    """The superior and the level of an agent."""
    row = board.agent(name)
    return board.name_of(row.superior_id), row.level


# --- new agents -------------------------------------------------------------------------------------------------------


def test_a_new_agent_stands_below_its_registrar_and_waits_for_its_first_call(board: Board) -> None:
    said = board.register("lead", "New One", specialty="Coding", capabilities=["python", "sql"], capacity=2)
    row = board.agent("new_one")
    assert (row.role, row.lifecycle, row.title, row.specialty) == ("worker", "spawning", "New One", "coding")
    assert (row.capabilities, row.capacity, row.last_seen_at) == (["python", "sql"], 2, None)
    assert place(board, "new_one") == ("lead", 1)
    assert said.message == "new_one: new, a worker below lead; it becomes active with its first call."
    board.inbox("new_one")
    assert board.agent("new_one").lifecycle == "active"


def test_a_new_agent_stands_below_an_agent_below_its_registrar(house: Board) -> None:
    house.register("kim", "new", superior="ada")
    assert place(house, "new") == ("ada", 4)


@pytest.mark.parametrize("above", ["tom", "bob", "lead"])
def test_nobody_but_a_root_director_puts_an_agent_elsewhere(house: Board, above: str) -> None:
    with pytest.raises(NotAllowed, match=f"kim does not stand above {above}"):
        house.register("kim", "new", superior=above)
    house.register("lead", "new", superior=above)
    assert place(house, "new")[0] == above


def test_the_operators_agents_stand_where_newcomers_do(board: Board) -> None:
    board.register("", "new")
    assert place(board, "new") == ("lead", 1)


def test_workers_register_workers_only(house: Board) -> None:
    house.register("ada", "helper")
    assert place(house, "helper") == ("ada", 4)
    for role in ("supervisor", "director", "specialist"):
        with pytest.raises(NotAllowed, match="workers only"):
            house.register("ada", "another", role=role)
        with pytest.raises(NotAllowed, match="workers only"):
            house.register("ada", "helper", role=role)


@pytest.mark.parametrize("by", ["lead", ""])
def test_a_root_director_and_the_operator_make_root_directors(house: Board, by: str) -> None:
    house.register(by, "second", role="director", superior="operator")
    assert place(house, "second") == ("", 0)
    house.register(by, "kim", role="director", superior="operator")
    assert (place(house, "kim"), place(house, "ada")) == (("", 0), ("sue", 2))


def test_a_director_whom_a_root_director_registers_without_a_place_stands_below_it(board: Board) -> None:
    board.register("lead", "second", role="director")
    assert place(board, "second") == ("lead", 1)


def test_the_operators_director_is_a_root_director(board: Board) -> None:
    board.register("", "second", role="director")
    assert place(board, "second") == ("", 0)


@pytest.mark.parametrize("said", [{"role": "director"}, {}])
def test_nobody_else_makes_a_root_director(house: Board, said: dict[str, str]) -> None:
    for name in ("new", "sue"):
        with pytest.raises((NotAllowed, Invalid), match=r"[Rr]oot directors"):
            house.register("kim", name, superior="operator", **said)
    with pytest.raises(Invalid, match="root directors alone"):
        house.register("lead", "new", superior="operator")


def test_what_one_agent_cannot_be_is_refused_for_an_unknown_name(house: Board) -> None:
    for said in ({"lifecycle": "paused"}, {"lifecycle": "terminated"}, {"leave_team": "backend"}):
        with pytest.raises(NotFound, match="Did you mean `sue`"):
            house.register("lead", "sue_", **said)


def test_a_name_that_is_nearly_another_is_registered_with_a_warning(board: Board) -> None:
    board.register("lead", "backend_dev")
    said = board.register("lead", "backend_dve")
    assert said.warnings == ["backend_dve is new; there is also backend_dev."]


def test_registering_again_changes_nothing_and_says_so(board: Board) -> None:
    first = {"role": "specialist", "specialty": "coding", "capacity": 3, "description": "Writes."}
    board.register("lead", "new", **first)
    before, events = board.agent("new"), len(board.ledger())
    said = board.register("lead", "New", **first)
    assert said.message == "new is all that already; nothing new."
    assert (board.agent("new"), len(board.ledger())) == (before, events)


# --- names ------------------------------------------------------------------------------------------------------------


def arrive(board: Board, name: str) -> None:
    board.inbox(name)


TAKING: dict[str, tuple[Callable[[Board, str], object], str]] = {
    "an agent by a call": (arrive, "agent"),
    "an agent by registering": (lambda board, name: board.register("lead", name), "agent"),
    "a specialty": (lambda board, name: board.register("lead", "cy", specialty=name), "specialty"),
    "a team": (lambda board, name: board.register("lead", "ada", team=name), "team"),
    "a team by a script": (lambda board, name: board.call("lead", operations.register_team, name=name), "team"),
}


@pytest.mark.parametrize("second", TAKING)
@pytest.mark.parametrize("first", TAKING)
def test_agents_teams_and_specialties_share_one_namespace(board: Board, first: str, second: str) -> None:
    (take, kind), (take_again, other) = TAKING[first], TAKING[second]
    take(board, "coding")
    if kind == other:
        take_again(board, "Coding")
    else:
        with pytest.raises(Conflict, match=f"`coding` is an? {kind} here already"):
            take_again(board, "Coding")


def test_an_agent_is_not_called_like_its_own_specialty(board: Board) -> None:
    for name in ("tester", "ada"):
        with pytest.raises(Invalid, match="one namespace"):
            board.register("lead", name, specialty=name)


@pytest.mark.parametrize("word", ["operator", "system", "all", "superior", "anyone", "auto", "a b!", "", "x" * 64])
def test_reserved_words_and_what_is_no_name_name_nobody(board: Board, word: str) -> None:
    with pytest.raises(Invalid):
        board.register("lead", word)
    if word:
        for said in ({"specialty": word}, {"team": word}):
            with pytest.raises(Invalid):
                board.register("lead", "new", **said)


def test_a_given_title_takes_the_place_of_the_original_name(board: Board) -> None:
    board.register("lead", "New One", title="The newest")
    assert board.agent("new_one").title == "The newest"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"role": "manager"}, "is no role"),
        ({"lifecycle": "gone"}, "is no lifecycle"),
        ({"capacity": -2}, "capacity is 1 to"),
        ({"capacity": 10_001}, "capacity is 1 to"),
        ({"capabilities": [str(n) for n in range(51)]}, "at most 50"),
        ({"capabilities": ["x" * 101]}, "at most 100 characters"),
        ({"team_role": "lead"}, "goes with team"),
        ({"superior": "nobody"}, "No agent `nobody`"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(board: Board, said: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        board.register("lead", "new", **said)
    with pytest.raises(AssertionError):
        board.agent("new")


@pytest.mark.parametrize(
    ("word", "lifecycle"), [("idle", "active"), ("Busy", "active"), ("offline", "active"), ("ERROR", "failed")]
)
def test_the_words_of_older_systems_mean_ours(house: Board, word: str, lifecycle: str) -> None:
    house.register("lead", "ada", lifecycle="paused")
    house.register("lead", "ada", lifecycle=word)
    assert house.agent("ada").lifecycle == lifecycle


# --- who may change what ----------------------------------------------------------------------------------------------

WORDS: dict[str, Any] = {
    "title": "Ada L.", "description": "Reads code.", "specialty": "coding", "capabilities": ["ada"], "capacity": 3,
}  # fmt: skip
PLACES = {"role": "specialist", "superior": "kim", "lifecycle": "paused"}


@pytest.mark.parametrize("field", [*WORDS, *PLACES])
@pytest.mark.parametrize("by", ["ada", "sue", "kim", "tom", "bob", "lead", ""])
def test_an_agent_changes_its_own_words_and_those_above_it_everything(house: Board, by: str, field: str) -> None:
    said = {field: (WORDS | PLACES)[field]}
    before = house.agent("ada")
    allowed = by in {"sue", "kim", "lead", ""} or (by == "ada" and field in WORDS)
    if by == "sue" and field == "superior":
        allowed = False  # kim is nobody below sue
    if allowed:
        house.register(by, "ada", **said)
        assert house.agent("ada") != before
    else:
        with pytest.raises(NotAllowed, match=r"may not change|does not stand above"):
            house.register(by, "ada", **said)
        assert house.agent("ada") == before


def test_an_agent_may_say_of_itself_what_is_so_already(house: Board) -> None:
    said = house.register("ada", "ada", role="worker", superior="sue", lifecycle="active", capacity=2)
    assert said.message == "ada: capacity changed."


def test_a_refusal_names_whom_to_ask(house: Board) -> None:
    with pytest.raises(
        NotAllowed, match=r'ada may not change its own role: ask sue.*send_message\(to="sue"'
    ) as refusal:
        house.register("ada", "ada", role="director")
    assert refusal.value.facts["ask"] == "sue"


def test_a_change_is_recorded_before_and_after_and_told_to_those_concerned(house: Board) -> None:
    house.register("lead", "ada", role="specialist", superior="tom", capacity=2)
    [(_, data)] = house.ledger("agent_changed")[-1:]
    assert data == {"agent": "ada", "role": ["worker", "specialist"], "superior": ["sue", "tom"], "capacity": [0, 2]}
    words = "lead changed ada: below tom now, with everybody below it; role worker → specialist; capacity changed."
    for agent in ("ada", "sue", "tom"):
        assert [item.text for item in house.inbox(agent) if item.type == "system"] == [words]
    assert house.inbox("bob") == []


def test_a_registration_is_recorded_and_told_to_the_agent_and_its_superior(house: Board) -> None:
    house.register("lead", "new", superior="sue", specialty="testing")
    [(_, data)] = house.ledger("agent_registered")[-1:]
    assert data == {"agent": "new", "role": "worker", "superior": "sue", "specialty": "testing"}
    for agent in ("new", "sue"):
        assert [item.text[:32] for item in house.inbox(agent)] == ["lead registered new: new, a work"]


# --- the tree ---------------------------------------------------------------------------------------------------------


def test_whoever_is_moved_takes_everybody_below_it_along(house: Board) -> None:
    house.register("lead", "kim", superior="bob")
    assert [place(house, name) for name in ("kim", "sue", "ada")] == [("bob", 3), ("kim", 4), ("sue", 5)]
    house.register("", "kim", superior="lead")
    assert [place(house, name)[1] for name in ("kim", "sue", "ada")] == [1, 2, 3]


@pytest.mark.parametrize(("agent", "above"), [("kim", "kim"), ("kim", "sue"), ("kim", "ada"), ("lead", "ada")])
def test_nobody_stands_below_itself(house: Board, agent: str, above: str) -> None:
    house.register("", "second", role="director")
    house.inbox("second")
    with pytest.raises(CycleRefused, match=f"{above} cannot stand above {agent}"):
        house.register("lead", agent, superior=above)


def test_the_refusal_of_a_cycle_shows_its_path(house: Board) -> None:
    with pytest.raises(CycleRefused, match="ada below sue below kim"):
        house.register("lead", "kim", superior="ada")


def depth(board: Board, levels: int) -> None:
    """Allow the hierarchy so many levels."""
    board.call("", operations.set_policy, max_depth=levels)


def test_a_moved_subtree_counts_as_a_whole_against_the_depth(house: Board) -> None:
    depth(house, 5)
    with pytest.raises(LimitReached, match="at most 5 levels; kim with the 2 below it would be one more"):
        house.register("lead", "kim", superior="bob")
    house.register("lead", "sue", superior="bob")
    assert place(house, "ada") == ("sue", 4)


def test_a_new_agent_is_refused_below_the_lowest_level(house: Board) -> None:
    depth(house, 4)
    for register in (
        lambda: house.register("ada", "new"),
        lambda: (
            house.create(by="", assignee="ada")
            and house.plan({"title": "Part", "assignee": "new"}, parent=house.create(assignee="ada"), by="ada")
        ),
    ):
        with pytest.raises(Refusal, match="at most 4 levels; new would be one more"):
            register()


def test_who_stands_too_low_already_may_still_move_up(house: Board) -> None:
    depth(house, 2)
    house.register("lead", "sue", superior="lead")
    assert place(house, "ada") == ("sue", 2)


# --- the last root director -------------------------------------------------------------------------------------------

STEPPING_DOWN: list[dict[str, str]] = [
    {"lifecycle": "paused"}, {"lifecycle": "failed"}, {"lifecycle": "terminated"}, {"role": "supervisor"},
    {"superior": "other"},
]  # fmt: skip


@pytest.mark.parametrize("said", STEPPING_DOWN)
def test_the_last_active_root_director_cannot_step_down(house: Board, said: dict[str, str]) -> None:
    house.register("lead", "other", role="director", lifecycle="active")
    with pytest.raises(NotAllowed, match="last active root director"):
        house.register("lead", "lead", **said)


@pytest.mark.parametrize("said", STEPPING_DOWN)
def test_a_root_director_may_step_down_while_there_is_another(house: Board, said: dict[str, str]) -> None:
    house.register("lead", "other", role="director", superior="operator")
    house.call("other", operations.check_inbox)
    house.register("lead", "lead", **said)
    lead = house.agent("lead")
    assert (lead.lifecycle != "active") or place(house, "lead") == ("other", 1)
    assert house.register("other", "kim", capacity=1).agent.superior in {"lead", "other"}


@pytest.mark.parametrize("by", ["lead", ""])
def test_a_root_director_that_becomes_something_else_does_not_stay_at_the_top(house: Board, by: str) -> None:
    house.register("lead", "other", role="director", superior="operator")
    house.call("other", operations.check_inbox)
    with pytest.raises(Invalid, match="root directors alone"):
        house.register(by, "lead", role="specialist", superior="operator")
    assert (house.agent("lead").role, place(house, "lead")) == ("director", ("", 0))


@pytest.mark.parametrize("lifecycle", ["spawning", "paused", "terminated"])
def test_a_root_director_that_is_not_active_or_absent_counts_for_nothing(house: Board, lifecycle: str) -> None:
    house.register("lead", "other", role="director", superior="operator")
    house.enlist("other", lifecycle=lifecycle)
    with pytest.raises(NotAllowed, match="last active"):
        house.register("lead", "lead", lifecycle="paused")


def test_one_unseen_for_a_day_counts_for_nothing_either(house: Board) -> None:
    house.register("lead", "other", role="director", superior="operator")
    house.inbox("other")
    house.clock.advance(days=1)
    with pytest.raises(NotAllowed, match="last active"):
        house.register("lead", "lead", lifecycle="paused")


@pytest.mark.parametrize("said", [{"lifecycle": "terminated"}, {"role": "worker"}, {"lifecycle": "paused"}])
def test_the_operator_may_depose_even_the_last(house: Board, said: dict[str, str]) -> None:
    house.register("", "lead", **said)
    house.swarm.write(operations.check_inbox, agent="kim", profile=Profile.DIRECTOR)
    assert house.agent("kim").role == "director"
    assert place(house, "kim") == ("", 0)


# --- who is who -------------------------------------------------------------------------------------------------------


def test_whoever_has_too_many_levels_below_it_to_be_adopted_stays_at_the_top(board: Board) -> None:
    board.register("", "lead", lifecycle="terminated")
    depth(board, 3)
    for below, name in (("", "deep"), ("deep", "deeper"), ("deeper", "deepest")):
        board.register("", name, superior=below or "")
    board.register("", "shallow")
    for agent in ("deep", "shallow", "ada"):
        assert place(board, agent) == ("", 0)
    board.swarm.write(operations.check_inbox, agent="chief", profile=Profile.DIRECTOR)
    assert [place(board, name) for name in ("shallow", "ada", "deep")] == [("chief", 1), ("chief", 1), ("", 0)]


def test_the_bootstrap_and_each_adoption_are_recorded(board: Board) -> None:
    board.register("", "lead", lifecycle="terminated")
    board.swarm.write(operations.check_inbox, agent="ada", profile=Profile.DIRECTOR)
    assert board.ledger("director_appointed")[-1][1] == {"agent": "ada", "role": ["worker", "director"]}
    assert board.ledger("agent_changed")[-1][1] == {"agent": "bob", "superior": ["", "ada"]}


def test_an_assignee_that_is_announced_is_recorded_like_any_other(board: Board) -> None:
    board.create(assignee="New One")
    assert board.ledger("agent_registered")[-1][1] == {"agent": "new_one", "role": "worker", "superior": "lead"}
    assert (board.agent("new_one").lifecycle, board.agent("new_one").title) == ("spawning", "New One")


def test_an_assignee_close_to_a_known_name_is_refused_and_nobody_is_registered(board: Board) -> None:
    board.register("lead", "backend_dev")
    with pytest.raises(Ambiguous, match="backend_dev"):
        board.create(assignee="backend_dve")
    with pytest.raises(AssertionError):
        board.agent("backend_dve")


# --- what programs keep -----------------------------------------------------------------------------------------------


def test_configuration_health_and_the_version_of_the_policy_are_kept_and_recorded(house: Board) -> None:
    said = {"config": {"model": "large"}, "health": {"load": 0.5}, "policy_version": "p7"}
    house.call("", operations.configure_agent, name="ada", **said)
    row = house.agent("ada")
    assert (row.config, row.health, row.policy_version) == tuple(said.values())
    assert house.ledger("agent_changed")[-1][1]["config"] == [{}, {"model": "large"}]


def test_an_agent_says_how_it_is_and_those_above_it_configure_it(house: Board) -> None:
    house.call("ada", operations.configure_agent, name="ada", health={"ok": True})
    house.call("kim", operations.configure_agent, name="ada", config={"a": 1})
    refused: list[tuple[str, Any]] = [
        ("ada", {"config": {}}),
        ("ada", {"policy_version": "p"}),
        ("bob", {"health": {}}),
    ]
    for by, said in refused:
        with pytest.raises(NotAllowed):
            house.call(by, operations.configure_agent, name="ada", **said)


def test_what_is_no_json_is_refused(board: Board) -> None:
    with pytest.raises(Invalid, match="no JSON"):
        board.call("", operations.configure_agent, name="ada", config={"when": board.clock})


# --- policies ---------------------------------------------------------------------------------------------------------

POLICIES: dict[str, Any] = {
    "completion_checks": "warn", "lease_minutes": 5, "max_lapses": 2, "max_depth": 3, "require_review": True,
}  # fmt: skip


@pytest.mark.parametrize("name", POLICIES)
def test_the_operator_changes_a_policy_which_holds_at_once_and_is_recorded(board: Board, name: str) -> None:
    with board.swarm.writing() as db:
        before = getattr(db.project, name)
        operations.set_policy(db, **{name: POLICIES[name]})
        assert getattr(db.project, name) == POLICIES[name]
    assert board.ledger("policy_changed") == [("policy_changed", {name: [before, POLICIES[name]]})]


def test_a_policy_that_is_so_already_is_not_recorded(board: Board) -> None:
    assert "already" in board.call("", operations.set_policy, lease_minutes=30).message
    assert board.ledger("policy_changed") == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "Name a policy"),
        ({"lease_minutes": 1441}, "lease_minutes is 1 to 1440; got 1441"),
        ({"lease_minutes": -1}, "lease_minutes is 1 to 1440; got -1"),
        ({"max_lapses": 1001}, "max_lapses is 1 to 1000"),
        ({"max_depth": 1}, "max_depth is 2 to 32"),
        ({"completion_checks": "never"}, "enforce, warn, off"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(board: Board, said: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        board.call("", operations.set_policy, **said)


def test_policies_are_the_operators(board: Board) -> None:
    with pytest.raises(NotAllowed, match="operator"):
        board.call("lead", operations.set_policy, max_depth=4)


# --- over the wire ----------------------------------------------------------------------------------------------------


def test_a_host_registers_agents_and_its_text_says_what_its_facts_say(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db") as desk:
        answers = [
            desk.call("register_agent", name="Kim", role="supervisor", title="Kim K.", agent="lead"),
            desk.call("register_agent", name="dev_1", superior="kim", specialty="coding", capacity=2,
                      capabilities=["python"], team="backend", team_role="lead", agent="lead"),
            desk.call("register_agent", name="dev-2", superior="kim", team="backend", agent="lead"),
            desk.call("register_agent", name="dev_1", lifecycle="terminated", agent="lead"),
            desk.call("register_agent", name="kim", agent="lead"),
        ]  # fmt: skip
        refusal = desk.refusal("register_agent", name="dev_9", lifecycle="paused", agent="lead")
        news = desk.call("check_inbox", agent="kim")
    assert [unsaid(answer) for answer in answers] == [[]] * 5
    assert answers[1].text == (
        "dev_1: new, a worker below kim; it becomes active with its first call; team:backend is new; "
        "in team:backend as lead.\nworker · spawning · level 2 · below kim · specialty coding · capabilities python · "
        "capacity 2 · team backend\n1 unread"
    )
    assert answers[3]["effects"] == {"teams": 1}
    assert refusal["code"] == "not_found"
    assert len(news["items"]) == 4


def test_a_worker_over_the_wire_neither_promotes_nor_moves_itself(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db") as desk:
        desk.call("share_context", key="a", value=1, agent="lead")
        desk.call("check_inbox", agent="ada")
        for said in ({"role": "director"}, {"superior": "operator"}, {"lifecycle": "terminated"}):
            assert desk.refusal("register_agent", name="ada", agent="ada", **said)["code"] == "not_allowed"
        assert (
            desk.call("register_agent", name="ada", agent="ada", specialty="coding")["agent"]["specialty"] == "coding"
        )


# --- taking part ------------------------------------------------------------------------------------------------------


def test_a_participant_hears_of_a_tasks_completion(board: Board) -> None:
    task = board.create()
    board.call("bob", operations.join_task, task=task)
    board.finish("ada", task)
    assert "completed" in board.news("bob")


def test_whoever_has_left_hears_no_more_and_may_come_back(board: Board) -> None:
    task = board.create()
    board.call("bob", operations.join_task, task=task, role="reader")
    said = board.call("bob", operations.join_task, task=task, leave=True)
    assert said.message == f"bob takes no part in {task}."
    board.claim("ada", task)
    assert board.news("bob") == set()
    board.call("bob", operations.join_task, task=task)
    board.complete("ada", task)
    assert "completed" in board.news("bob")
    assert board.kinds(task).count("joined") == 2
    assert board.kinds(task).count("left") == 1


def test_joining_and_leaving_again_change_nothing(board: Board) -> None:
    task = board.create()
    for leave in (True, False, False, True, True):
        board.call("bob", operations.join_task, task=task, leave=leave)
    assert board.kinds(task) == ["created", "joined", "left"]


def test_a_role_once_said_stays_when_the_participant_writes_about_the_task(board: Board) -> None:
    task = board.create()
    board.call("bob", operations.join_task, task=task, role="reviewer")
    board.call("bob", operations.add_note, task=task, text="Mine.")
    assert "already" in board.call("bob", operations.join_task, task=task, role="reviewer").message
    assert board.call("bob", operations.join_task, task=task, role="tester").message.endswith("as tester.")


def test_an_assignee_that_leaves_is_told_that_it_hears_all_the_same(board: Board) -> None:
    task = board.create(assignee="bob")
    said = board.call("bob", operations.join_task, task=task, leave=True)
    assert said.message == f"bob takes no part in {task}, but hears of it as its assignee."


def test_the_operator_takes_no_part(board: Board) -> None:
    with pytest.raises(NotAllowed, match="as an agent"):
        board.call("", operations.join_task, task=board.create())


def test_the_example_for_newcomers_is_the_tools_own_source() -> None:
    example = re.search(r"```py\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    source = (ROOT / "src/swarm_mcp/operations/participating.py").read_text(encoding="utf-8")
    lines = {line.strip() for line in source.splitlines()}
    assert [line for line in example[1].splitlines() if line.strip() not in lines] == []


def test_what_is_for_scripts_alone_is_no_tool() -> None:
    from swarm_mcp.operations.catalog import CATALOG
    from swarm_mcp.server.schemas import ORDER

    assert {name for name, each in CATALOG.items() if each.profiles} == set(ORDER)
