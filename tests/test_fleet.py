"""The generator of large boards: what it makes is a sound board, and the same one each time."""

from __future__ import annotations

import random
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import postgres
import pytest
from benchmarks.crew import recruit
from benchmarks.fleet import Fleet, batches, seed_fleet
from recount import looking, problems

from swarm_mcp import open_swarm, operations
from swarm_mcp.repository import tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.bulk import Rows

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

TASKS = 3000
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A small one that is only looked at, on each of the databases."""
    on_server = request.param == "postgres"
    with postgres.new_database() if on_server else nullcontext(tmp_path_factory.mktemp("fleet") / "swarm.db") as place:
        yield seed_fleet(place, TASKS)


def count(fleet: Fleet, what: str) -> int:
    with looking(fleet.target) as connection:
        return connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0]


def test_everything_derived_is_what_a_recount_finds(fleet: Fleet) -> None:
    assert problems(fleet.target) == []


def test_there_are_half_as_many_dependencies_again_as_tasks(fleet: Fleet) -> None:
    assert count(fleet, "task") == fleet.tasks == TASKS
    assert count(fleet, "dependency") == fleet.dependencies == TASKS * 3 // 2


def test_blocked_tasks_of_the_highest_priority_are_in_front_of_the_ready_ones(fleet: Fleet) -> None:
    assert count(fleet, "task WHERE status = 'pending' AND priority = 'critical'") == 0
    assert count(fleet, "task WHERE status = 'blocked' AND priority <> 'critical'") == 0
    assert count(fleet, "task WHERE status = 'blocked'") > count(fleet, "task WHERE status = 'pending'") > TASKS / 20


def test_every_kind_of_lane_has_ready_tasks_and_every_status_some(fleet: Fleet) -> None:
    for lane in fleet.fullest_lanes().values():
        assert count(fleet, f"task WHERE status = 'pending' AND lane = '{lane}'") > 0
    assert set(fleet.fullest_lanes()) == {"anyone", "an agent", "a team", "a specialty"}
    statuses = {"completed", "blocked", "pending", "in_progress", "cancelled", "failed"}
    assert set(fleet.by_status()) == statuses
    for which in ("gates > 0", "hold_reason IS NOT NULL", "archived_at IS NOT NULL", "waits > gates", "subtasks > 4"):
        assert count(fleet, f"task WHERE {which}") > 0, which


def test_agents_work_on_it_as_on_any_other_board(place: Path | str) -> None:
    fleet = seed_fleet(place, TASKS)
    work(fleet)
    assert problems(fleet.target) == []


def work(fleet: Fleet) -> None:
    """Claim, complete, plan and talk."""
    swarm = open_swarm(fleet.target)
    claim = swarm.write(operations.claim_task, agent="worker_3")
    assert claim.task is not None
    assert claim.brief is not None
    evidence = {str(number): "Seen." for number, _ in enumerate(claim.brief.criteria, start=1)}
    swarm.write(
        lambda db: operations.complete_task(db, task=claim.task.id, summary="Done.", evidence=evidence),  # type: ignore[union-attr]
        agent="worker_3",
    )
    swarm.write(lambda db: operations.create_task(db, title="One more", depends_on=fleet.sample[:3]), agent="lead")
    swarm.write(lambda db: operations.send_message(db, text="Well done.", to="worker_3"), agent="lead")
    swarm.close()


def drawn(seed: int) -> list[Rows]:
    lots = random.Random(seed)
    crew, people = recruit(TASKS, NOON, lots)
    return [people, *batches(TASKS // 20, crew, NOON, lots)]


def test_the_same_seed_draws_the_same_board_and_another_one_another() -> None:
    assert drawn(1) == drawn(1)
    ones, others = ({row["id"] for rows in drawn(seed)[1:] for row in rows[tables.task]} for seed in (1, 2))
    assert not ones & others
