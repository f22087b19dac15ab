"""Teams: who makes them, who supervises them, who is in them, and what that is good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from serving import serving
from sqlalchemy import select

from swarm_mcp import operations
from swarm_mcp.model.errors import Ambiguous, Invalid, NotAllowed, NotFound
from swarm_mcp.repository import tables, teams

if TYPE_CHECKING:
    from pathlib import Path

    from board import Board


def members(board: Board, name: str) -> dict[str, str]:
    """The current members of a team and what each is in it."""

    def ask(db: Any) -> dict[str, str]:
        group = teams.find_team(db, name)
        return {row.name: teams.membership(db, group.id, row.id).role for row in teams.members_of(db, group.id)}

    return board.swarm.read(ask)


def team(board: Board, name: str) -> Any:
    return board.swarm.read(lambda db: teams.find_team(db, name))


def supervisor(board: Board, name: str) -> str:
    return board.name_of(team(board, name).supervisor_id)


def stays(board: Board, agent: str) -> list[tuple[str, bool]]:
    """The stays of an agent in teams, the first first: its role, and whether it has left."""
    member = tables.team_member
    rows = board.swarm.read(
        lambda db: db.execute(
            select(member.c.role, member.c.left_at)
            .join(tables.agent, tables.agent.c.id == member.c.agent_id)
            .where(tables.agent.c.name == agent)
            .order_by(member.c.joined_at)
        ).all()
    )
    return [(role, left is not None) for role, left in rows]


# --- joining ----------------------------------------------------------------------------------------------------------


def test_a_team_that_there_is_not_is_made_and_supervised_by_whoever_makes_it(house: Board) -> None:
    said = house.register("sue", "ada", team="Backend")
    assert said.message == "ada: team:backend is new; in team:backend as member."
    assert (supervisor(house, "backend"), members(house, "backend")) == ("sue", {"ada": "member"})
    assert house.ledger("team_created")[-1][1] == {"team": "backend", "supervisor": "sue", "title": "Backend"}
    assert house.ledger("team_joined")[-1][1] == {"team": "backend", "agent": "ada", "role": "member"}


def test_a_member_may_claim_from_the_teams_pool_until_it_leaves(house: Board) -> None:
    house.register("lead", "ada", team="backend")
    tasks = {house.create(assignee="backend") for _ in range(2)}
    tasks.remove(house.claimed("ada"))
    house.register("lead", "ada", leave_team="backend")
    assert house.claimed("ada") == ""
    with pytest.raises(NotAllowed, match="in the pool team:backend"):
        house.claim("ada", *tasks)


def test_leaving_and_rejoining_are_two_stays_of_which_one_is_current(house: Board) -> None:
    house.register("lead", "ada", team="backend", team_role="trainee")
    house.clock.advance(minutes=1)
    house.register("lead", "ada", leave_team="team:backend")
    house.clock.advance(minutes=1)
    house.register("lead", "ada", team="backend", team_role="LEAD")
    assert stays(house, "ada") == [("trainee", True), ("lead", False)]
    assert house.ledger("team_left")[-1][1] == {"team": "backend", "agent": "ada", "role": "trainee"}


def test_joining_again_changes_nothing_but_the_role(house: Board) -> None:
    house.register("lead", "ada", team="backend")
    assert "nothing new" in house.register("lead", "ada", team="backend").message
    assert house.register("lead", "ada", team="backend", team_role="lead").message == "ada: lead of team:backend."
    assert stays(house, "ada") == [("lead", False)]
    assert house.ledger("team_role_changed")[-1][1]["role"] == ["member", "lead"]


def test_an_agent_may_be_in_several_teams_and_change_from_one_to_another_in_one_call(house: Board) -> None:
    house.register("lead", "ada", team="one")
    house.register("lead", "ada", team="two")
    said = house.register("lead", "ada", leave_team="one", team="three")
    assert "no longer in team:one; team:three is new; in team:three as member" in said.message
    assert [members(house, name) for name in ("one", "two", "three")] == [{}, {"ada": "member"}, {"ada": "member"}]


def test_leaving_a_team_that_one_is_not_in_changes_nothing(house: Board) -> None:
    house.register("lead", "ada", team="backend")
    assert "nothing new" in house.register("lead", "bob", leave_team="backend").message
    with pytest.raises(NotFound, match="Did you mean `backend`"):
        house.register("lead", "bob", leave_team="backen")


def test_a_misspelt_team_is_refused_rather_than_made(house: Board) -> None:
    house.register("lead", "ada", team="backend")
    with pytest.raises(Ambiguous, match="`backend`"):
        house.register("lead", "bob", team="backned")


def test_a_refused_team_leaves_nothing_of_the_call(house: Board) -> None:
    house.register("lead", "ada", team="backend")
    with pytest.raises(NotAllowed):
        house.register("tom", "new", team="backend")
    with pytest.raises(AssertionError):
        house.agent("new")


def test_joining_and_leaving_are_told_to_the_member_and_the_supervisor(house: Board) -> None:
    house.register("sue", "ada", team="backend")
    house.inbox("ada")
    house.register("lead", "bob", team="backend", team_role="lead")
    assert [item.text for item in house.inbox("sue")] == ["bob has joined team:backend as lead."]
    assert [item.text for item in house.inbox("bob")] == ["lead changed bob: in team:backend as lead."]
    house.register("bob", "bob", leave_team="backend")
    assert [item.text for item in house.inbox("sue")] == ["bob has left team:backend."]


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "agent", "allowed"),
    [
        ("sue", "ada", True), ("sue", "sue", True), ("kim", "ada", True), ("kim", "kim", True), ("lead", "bob", True),
        ("", "bob", True), ("sue", "bob", False), ("kim", "bob", False), ("tom", "bob", False), ("tom", "tom", True),
        ("bob", "bob", False), ("ada", "ada", False),
    ],
)  # fmt: skip
def test_who_supervises_a_team_takes_into_it_whoever_stands_below_it(
    house: Board, by: str, agent: str, allowed: bool
) -> None:
    house.call("sue", operations.register_team, name="backend")
    if allowed:
        house.register(by, agent, team="backend")
        assert agent in members(house, "backend")
    else:
        with pytest.raises(NotAllowed, match=r"may decide that|does not stand above"):
            house.register(by, agent, team="backend")
        assert members(house, "backend") == {}


def test_whoever_joins_by_itself_is_a_plain_member(house: Board) -> None:
    house.call("sue", operations.register_team, name="backend")
    with pytest.raises(NotAllowed):
        house.register("tom", "tom", team="backend", team_role="lead")
    house.register("tom", "tom", team="backend")
    with pytest.raises(NotAllowed):
        house.register("tom", "tom", team="backend", team_role="lead")


@pytest.mark.parametrize(
    ("by", "allowed"), [("ada", True), ("sue", True), ("kim", True), ("lead", True), ("", True), ("tom", True),
                        ("bob", False)]
)  # fmt: skip
def test_a_member_its_superiors_and_the_teams_supervisor_end_a_stay(house: Board, by: str, allowed: bool) -> None:
    house.call("tom", operations.register_team, name="backend")
    house.register("lead", "ada", team="backend")
    if allowed:
        house.register(by, "ada", leave_team="backend")
    else:
        with pytest.raises(NotAllowed):
            house.register(by, "ada", leave_team="backend")
    assert bool(members(house, "backend")) is not allowed


def test_workers_make_no_teams_and_join_none_by_themselves(house: Board) -> None:
    house.register("ada", "helper")
    for agent in ("ada", "helper"):
        with pytest.raises(NotAllowed, match="ada is a worker, which makes none"):
            house.register("ada", agent, team="backend")
    house.call("lead", operations.register_team, name="backend")
    with pytest.raises(NotAllowed):
        house.register("ada", "ada", team="backend")


def test_an_agent_becomes_the_supervisor_of_a_team_and_no_member_of_it(house: Board) -> None:
    house.register("lead", "sue", team="backend", team_role="supervisor")
    assert (supervisor(house, "backend"), members(house, "backend")) == ("sue", {})
    assert house.ledger("team_changed")[-1][1] == {"team": "backend", "supervisor": ["lead", "sue"]}
    with pytest.raises(NotAllowed):
        house.register("sue", "tom", team="backend", team_role="supervisor")
    with pytest.raises(NotAllowed):
        house.register("tom", "tom", team="backend", team_role="supervisor")


def test_the_teams_supervisor_has_authority_over_its_tasks_and_its_members_have_not(house: Board) -> None:
    house.register("lead", "sue", team="backend", team_role="supervisor")
    house.register("lead", "ada", team="backend", team_role="lead")
    task = house.create(assignee="backend")
    with pytest.raises(NotAllowed):
        house.update("ada", task, priority="high")
    house.update("sue", task, priority="high")
    house.update("kim", task, priority="low")


@pytest.mark.parametrize("lifecycle", ["failed", "terminated"])
def test_ended_agents_join_no_team(house: Board, lifecycle: str) -> None:
    house.register("lead", "ada", lifecycle=lifecycle)
    with pytest.raises(NotAllowed, match="joins no team"):
        house.register("lead", "ada", team="backend")


# --- scripts ----------------------------------------------------------------------------------------------------------


def test_a_script_makes_a_team_with_everything_that_can_be_said_of_it(house: Board) -> None:
    said: dict[str, Any] = {"description": "Servers.", "objective": "Fast answers.", "config": {"channel": 7}}
    told = house.call("", operations.register_team, name="Backend", supervisor="sue", **said)
    assert told.message == "team:backend is made, supervised by sue."
    row = team(house, "backend")
    assert (row.description, row.objective, row.config) == tuple(said.values())
    assert supervisor(house, "backend") == "sue"


def test_the_operators_team_is_supervised_by_nobody(house: Board) -> None:
    assert house.call("", operations.register_team, name="backend").message.endswith("supervised by nobody.")
    with pytest.raises(NotAllowed, match='to="operator"'):
        house.register("sue", "ada", team="backend")
    house.register("lead", "ada", team="backend")


def test_a_team_changes_in_what_is_given_and_its_changes_are_recorded(house: Board) -> None:
    house.call("sue", operations.register_team, name="backend", objective="Fast answers.")
    said = house.call("kim", operations.register_team, name="backend", objective="Right answers.", supervisor="kim")
    assert said.message == "team:backend has another objective, supervisor, supervised by kim."
    assert house.ledger("team_changed")[-1][1] == {
        "team": "backend", "objective": ["Fast answers.", "Right answers."], "supervisor": ["sue", "kim"],
    }  # fmt: skip
    assert "already" in house.call("kim", operations.register_team, name="backend", supervisor="kim").message


def test_a_team_is_changed_by_its_supervisor_and_given_to_agents_below_alone(house: Board) -> None:
    house.call("sue", operations.register_team, name="backend")
    for by, said in (("tom", {"objective": "Mine."}), ("ada", {}), ("sue", {"supervisor": "tom"})):
        with pytest.raises(NotAllowed):
            house.call(by, operations.register_team, name="backend", **said)
    with pytest.raises(NotAllowed, match="worker"):
        house.call("ada", operations.register_team, name="frontend")
    with pytest.raises(NotFound, match="nobody_here"):
        house.call("", operations.register_team, name="backend", supervisor="nobody_here")
    with pytest.raises(Invalid, match="no JSON"):
        house.call("", operations.register_team, name="backend", config={"a": object()})


# --- over the wire ----------------------------------------------------------------------------------------------------


def test_a_supervisor_over_the_wire_builds_a_team_that_claims_from_its_pool(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db") as desk:
        desk.call("register_agent", name="sue", role="supervisor", agent="lead")
        desk.call("register_agent", name="dev", team="backend", agent="sue")
        task = desk.call("create_task", title="Serve", assignee="backend", agent="lead").task
        assert desk.refusal("claim_task", task=task, agent="stranger")["code"] == "not_allowed"
        assert desk.call("claim_task", agent="dev")["task"]["id"] == task
        assert desk.refusal("register_agent", name="stranger", team="backend", agent="stranger")["ask"] == "sue"
