"""Arriving: who becomes whom without authentication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from board import Board

from swarm_mcp import operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import agents

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Clock

    from swarm_mcp.operations.swarm import Swarm


@pytest.fixture
def swarm(tmp_path: Path, clock: Clock) -> Swarm:
    return open_swarm(tmp_path / "empty.db", clock=clock)


def write(swarm: Swarm, agent: str, profile: Profile) -> None:
    swarm.write(lambda db: operations.share_context(db, key="here", value=agent), agent=agent, profile=profile)


def row(swarm: Swarm, name: str) -> Any:
    return swarm.read(lambda db: agents.find_agent(db, name))


def test_who_writes_on_the_workers_profile_stands_below_nobody_while_nobody_leads(swarm: Swarm) -> None:
    write(swarm, "ada", Profile.WORKER)
    assert (row(swarm, "ada").role, row(swarm, "ada").superior_id) == ("worker", None)


def test_the_first_that_writes_on_the_directors_profile_leads_and_adopts_the_orphans(swarm: Swarm) -> None:
    write(swarm, "ada", Profile.WORKER)
    write(swarm, "lead", Profile.DIRECTOR)
    lead, ada = row(swarm, "lead"), row(swarm, "ada")
    assert (lead.role, lead.superior_id, lead.level) == ("director", None, 0)
    assert (ada.superior_id, ada.level) == (lead.id, 1)


def test_a_reader_on_the_directors_profile_is_not_even_registered(swarm: Swarm) -> None:
    swarm.read(operations.get_overview, agent="lead")
    assert row(swarm, "lead") is None


def test_a_second_director_joins_below_the_first(swarm: Swarm) -> None:
    write(swarm, "lead", Profile.DIRECTOR)
    write(swarm, "other", Profile.DIRECTOR)
    assert (row(swarm, "other").role, row(swarm, "other").superior_id) == ("worker", row(swarm, "lead").id)


def test_levels_follow_when_somebody_in_the_middle_takes_over_the_lead(swarm: Swarm, clock: Clock) -> None:
    write(swarm, "lead", Profile.DIRECTOR)
    write(swarm, "middle", Profile.WORKER)
    swarm.write(lambda db: operations.create_task(db, title="Below", assignee="middle"), agent="lead")
    with swarm.writing(agent="middle", profile=Profile.WORKER) as db:
        task = operations.claim_task(db).task
        assert task is not None
        operations.create_plan(db, tasks=[{"title": "Part", "assignee": "lowest"}], parent=task.id)
    assert row(swarm, "lowest").level == 2
    clock.advance(days=2)
    write(swarm, "middle", Profile.DIRECTOR)
    assert [row(swarm, name).level for name in ("middle", "lowest")] == [0, 1]


def test_a_lead_that_was_seen_today_stays_the_lead(board: Board) -> None:
    board.clock.advance(hours=23)
    board.swarm.write(lambda db: operations.create_plan(db, tasks=[{"title": "x"}]), agent="", profile=Profile.DIRECTOR)
    with pytest.raises(Exception, match="worker"):
        board.swarm.write(lambda db: operations.create_task(db, title="x"), agent="new", profile=Profile.DIRECTOR)
