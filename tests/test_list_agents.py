"""The roster: the hierarchy with lifecycle, availability, load and record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from board import Board
from facts import unsaid
from serving import serving
from sqlalchemy import insert, update
from tokenizer import count

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.errors import Invalid, NotFound
from swarm_mcp.repository import figures, tables

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Clock

    from swarm_mcp.model.agent import AgentLine, AgentList
    from swarm_mcp.repository.database import Transaction

TOOL = "list_agents"


def listed(board: Board, **said: Any) -> AgentList:
    return board.swarm.read(lambda db: operations.list_agents(db, **said))


def names(board: Board, **said: Any) -> list[str]:
    return [line.name for line in listed(board, **said).agents]


def line(board: Board, name: str) -> AgentLine:
    return next(each for each in listed(board, limit=200).agents if each.name == name)


# --- who, and in which order ------------------------------------------------------------------------------------------


def test_superiors_come_before_those_below_them(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor")
    board.enlist("zoe", below="ada")
    board.enlist("bob", below="sue")
    board.enlist("loner", superior_id=None, level=0)
    assert names(board) == ["lead", "ada", "zoe", "sue", "bob", "loner"]
    assert [each.superior for each in listed(board).agents] == ["", "lead", "ada", "lead", "sue", ""]


def test_the_list_begins_with_a_count(board: Board) -> None:
    assert listed(board).message == "3 of 3 agents."
    assert listed(board, limit=1).message == "1 of 3 agents."
    assert listed(board, status="paused").message == "0 of 0 agents."


def test_a_row_leaves_out_what_is_as_usual(board: Board) -> None:
    board.enlist("lead", capacity=0)
    assert line(board, "ada").structured() == {
        "name": "ada", "role": "worker", "availability": "idle", "superior": "lead",
    }  # fmt: skip


def test_a_row_says_what_an_agent_is(board: Board) -> None:
    board.enlist("ada", specialty="testing", capabilities=[f"skill {n}" for n in range(9)], capacity=2)
    board.team("backend", "ada")
    row = line(board, "ada")
    assert (row.specialty, len(row.capabilities), row.capabilities_more) == ("testing", 6, 3)
    assert (row.capacity, row.teams) == (2, ["backend"])


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("", "ada bob cy lead"), ("active", "ada bob lead"), ("PAUSED", "cy"), ("failed", "dead"), ("error", "dead"),
        ("terminated", ""), ("busy", "ada"), ("idle", "bob cy lead"), ("offline", "dead"), ("spawning", ""),
    ],
)  # fmt: skip
def test_status_is_a_lifecycle_or_an_availability(board: Board, status: str, found: str) -> None:
    board.enlist("cy", below="lead", lifecycle="paused")
    board.enlist("dead", below="lead", lifecycle="failed")
    board.claim("ada", board.create())
    assert sorted(names(board, status=status)) == found.split()


def test_agents_that_have_ended_are_left_out_and_that_is_said(board: Board) -> None:
    board.enlist("dead", below="lead", lifecycle="terminated")
    said = listed(board).message
    assert said == '3 of 3 agents. 1 more has ended: status="failed" or "terminated" lists them.'


def test_role_narrows_the_list(board: Board) -> None:
    assert names(board, role="Director") == ["lead"]
    assert names(board, role="worker") == ["ada", "bob"]


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ({"status": "idel"}, Invalid, "Did you mean `idle`"),
        ({"role": "boss"}, Invalid, "no role"),
        ({"limit": 0}, Invalid, "limit is 1 to 200"),
        ({"cursor": "nobody"}, Invalid, "no cursor of this list"),
        ({"team": "backnd"}, NotFound, "Did you mean `backend`"),
        ({"team": "zzz"}, NotFound, "There are backend"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    board: Board, said: dict[str, Any], kind: type[Exception], words: str
) -> None:
    board.team("backend", "ada")
    with pytest.raises(kind, match=words):
        listed(board, **said)


@pytest.mark.parametrize("name", ["backend", "team:backend", " Backend "])
def test_the_members_of_a_team_come_with_their_roles_and_its_objective(board: Board, name: str) -> None:
    board.team("backend", "bob", "ada", supervisor="lead")
    board.team("frontend", "bob")

    def change(db: Transaction) -> None:
        db.execute(update(tables.team).where(tables.team.c.name == "backend").values(objective="A fast API"))
        bob = tables.team_member.c.agent_id == board.agent("bob").id
        db.execute(update(tables.team_member).where(bob).values(role="trainee"))

    board.swarm.write(change)
    said = listed(board, team=name)
    assert said.message == "2 of 2 agents in the team backend."
    assert [(each.name, each.team_role) for each in said.agents] == [("ada", "member"), ("bob", "trainee")]
    assert said.team is not None
    assert said.team.structured() == {"name": "backend", "supervisor": "lead", "objective": "A fast API"}


def test_one_who_has_left_a_team_is_no_member(board: Board) -> None:
    board.team("backend", "ada", "bob")
    ada = tables.team_member.c.agent_id == board.agent("ada").id
    board.swarm.write(lambda db: db.execute(update(tables.team_member).where(ada).values(left_at=db.now)))
    assert names(board, team="backend") == ["bob"]
    assert line(board, "ada").teams == []


def test_one_pages_through_all_agents(board: Board) -> None:
    for n in range(20):
        board.enlist(f"w{n}", below="ada" if n % 2 else "lead")
    seen: list[str] = []
    page = listed(board, limit=7)
    while page.next_cursor:
        seen += [each.name for each in page.agents]
        page = listed(board, limit=7, cursor=page.next_cursor)
    seen += [each.name for each in page.agents]
    assert seen == names(board, limit=200)
    assert (page.total, len(page.agents)) == (23, 2)


def test_a_page_goes_on_after_an_agent_that_is_no_longer_listed(board: Board) -> None:
    first = listed(board, limit=2)
    assert [each.name for each in first.agents] == ["lead", "ada"]
    board.enlist("ada", lifecycle="terminated")
    assert names(board, cursor=first.next_cursor) == ["bob"]


# --- availability and load --------------------------------------------------------------------------------------------


def test_whoever_holds_a_live_claim_is_busy(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    assert line(board, "ada").availability == "busy"
    board.ask("ada", task)
    assert line(board, "ada").availability == "busy"
    board.clock.advance(minutes=40)
    assert line(board, "ada").availability == "busy"  # it waits for an answer, and its claim does not run out


def test_whoever_is_unseen_for_longer_than_a_lease_or_was_never_seen_is_offline(board: Board) -> None:
    board.claim("bob", board.create())
    board.delegate("lead", board.create(), "newcomer")
    assert (line(board, "newcomer").availability, line(board, "newcomer").lifecycle) == ("offline", "spawning")
    board.clock.advance(minutes=30)
    assert line(board, "ada").availability == "idle"
    board.clock.advance(minutes=1)
    ada = line(board, "ada")
    assert (ada.availability, ada.last_seen) == ("offline", "2026-01-02T03:04:05+00:00")
    assert line(board, "bob").availability == "offline"  # its claim has run out


def test_load_is_what_an_agent_holds_and_what_is_assigned_to_it_besides(board: Board) -> None:
    for _ in range(3):
        board.create(assignee="ada")
    board.update("lead", board.create(assignee="ada"), action="hold", reason="later")
    board.finish("ada", board.create(assignee="ada"))
    board.claim("ada")
    assert (line(board, "ada").claims, line(board, "ada").assigned) == (1, 3)


# --- record -----------------------------------------------------------------------------------------------------------


def test_success_is_the_share_of_the_attempts_that_came_to_an_end_of_their_own(board: Board) -> None:
    for outcome in ("completed", "completed", "completed", "partial", "failed"):
        board.finish("ada", board.create(), outcome=outcome)
    board.claim("ada", board.create())
    board.clock.advance(minutes=31)
    board.sweep()
    for how in ("released", "blocked"):
        task = board.create()
        board.claim("ada", task)
        board.report("ada", task, "so it is", status=how)
    task = board.create()
    board.claim("ada", task)
    board.update("lead", task, action="cancel")
    board.claim("ada", board.create())
    ada = line(board, "ada")
    assert (ada.completed, ada.ended, ada.success_percentage) == (3, 6, 50)
    assert line(board, "bob").success_percentage is None


def test_work_in_review_counts_when_it_has_been_judged(board: Board) -> None:
    task = board.task_in("in_review")
    assert line(board, "ada").ended == 0
    board.review("lead", task, "accept")
    assert (line(board, "ada").completed, line(board, "ada").ended) == (1, 1)


def test_response_is_the_mean_time_from_an_offer_to_the_claim(board: Board) -> None:
    quick, slow, own = board.create(assignee="ada"), board.create(assignee="ada"), board.create()
    board.clock.advance(minutes=4)
    board.finish("ada", quick)
    board.clock.advance(minutes=8)
    board.claim("ada", slow)
    board.claim("ada", own)  # nobody had offered it
    assert line(board, "ada").response_minutes == 8.0


def test_a_task_that_was_not_ready_when_offered_is_awaited_from_when_it_was(board: Board) -> None:
    first = board.create()
    board.create("Second", assignee="ada", depends_on=[first])
    board.clock.advance(minutes=60)
    board.finish("bob", first)
    board.clock.advance(minutes=3)
    board.claim("ada")
    assert line(board, "ada").response_minutes == 3.0


def test_only_the_first_claim_after_an_offer_answers_it(board: Board) -> None:
    task = board.create(assignee="ada")
    board.clock.advance(minutes=2)
    board.claim("ada", task)
    board.clock.advance(minutes=31)
    board.sweep()
    board.claim("ada", task)
    assert line(board, "ada").response_minutes == 2.0
    board.report("ada", task, "no", status="released", attempt=2)
    board.clock.advance(minutes=1)
    board.delegate("lead", task, "ada")
    board.clock.advance(minutes=4)
    board.claim("ada", task)
    assert line(board, "ada").response_minutes == 3.0


def test_only_the_latest_answers_count(board: Board) -> None:
    board.policy(lease_minutes=1440)
    slow = board.create(assignee="ada")
    board.clock.advance(minutes=100)
    board.finish("ada", slow)
    for _ in range(figures.RECENT):
        board.clock.advance(minutes=1)
        board.finish("ada", board.create(assignee="ada"))
    assert line(board, "ada").response_minutes == 0.0


def test_feedback_is_averaged_and_nobodys_own_ratings_count(board: Board) -> None:
    for quality, timeliness in ((5, 4), (4, 0), (0, 1)):
        board.review("lead", board.task_in("completed"), quality=quality, timeliness=timeliness)
    board.review("lead", board.task_in("completed"), notes="No rating.")
    ada = line(board, "ada")
    assert (ada.quality, ada.timeliness, ada.ratings) == (4.5, 2.5, 3)
    task = board.create()
    board.finish("lead", task)
    board.review("lead", task, quality=5)
    assert line(board, "lead").ratings == 0
    board.review("", task, quality=2)
    assert (line(board, "lead").quality, line(board, "lead").ratings) == (2.0, 1)


# --- on the wire ------------------------------------------------------------------------------------------------------


def large_board(path: Path, clock: Clock) -> None:
    """Five hundred agents below a director, with long names and many capabilities, and something done by some."""
    swarm = open_swarm(path)
    board = Board(swarm, clock)
    for name in ("lead", "ada", "bob"):
        board.inbox(name)
    board.enlist("bob", below="ada", specialty="testing", capabilities=["pytest"], lifecycle="paused")
    board.team("backend", "ada", "bob", supervisor="lead")
    board.review("lead", board.task_in("completed"), quality=4, timeliness=5)
    board.create(assignee="ada")
    lead = board.agent("lead").id

    def fill(db: Transaction) -> None:
        for n in range(500):
            db.execute(
                insert(tables.agent),
                {
                    "id": f"agent-{n}", "project": "default", "name": f"worker_{n:03}_{'x' * 50}", "role": "worker",
                    "superior_id": lead, "level": 1, "lifecycle": "active", "created_at": db.now, "updated_at": db.now,
                    "capabilities": [f"能力 {n} {'长' * 30}"] * 12, "specialty": f"specialty-{n}",
                },
            )  # fmt: skip

    swarm.write(fill)
    swarm.close()


def test_text_and_facts_agree_and_no_page_grows_with_the_store(tmp_path: Path, clock: Clock) -> None:
    large_board(tmp_path / "swarm.db", clock)
    with serving(tmp_path / "swarm.db", name="lead") as desk:
        for said in ({"limit": 5}, {"team": "backend"}, {"status": "paused"}, {"role": "director"}, {"limit": 1000}):
            answer = desk.call(TOOL, **said)
            assert unsaid(answer) == []
            assert max(count(answer.text), count(str(answer.facts))) < 8000
        seen = [agent["name"] for agent in answer["agents"]]
        assert (answer["total"], len(seen) < 200) == (503, True)
        after = desk.call(TOOL, limit=200, cursor=answer["next_cursor"])
        assert unsaid(after) == []
        assert not {agent["name"] for agent in after["agents"]} & set(seen)
        assert desk.refusal(TOOL, status="asleep")["code"] == "invalid"


def test_those_below_are_indented_below_their_superior(tmp_path: Path, clock: Clock) -> None:
    large_board(tmp_path / "swarm.db", clock)
    with serving(tmp_path / "swarm.db", "--profile", "observer", name="watcher") as desk:
        lines = desk.call(TOOL, limit=3).text.splitlines()
        assert lines[1:4] == [
            "lead director idle",
            "  ada worker idle · in backend · 1 assigned · 1 of 1 done (100%) · quality 4, timeliness 5 (1 rating)",
            "    bob worker paused idle · specialty testing · can pytest · in backend",
        ]
        assert (
            desk.call(TOOL, limit=3, role="worker").text.splitlines()[1].startswith("ada worker idle · below lead · ")
        )
