"""PostgreSQL: what an agent may hold, and whether it may claim at all, follows from how it is at that moment."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import postgres
import pytest
from recount import problems

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.errors import Refusal
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction

    Change = Callable[[Transaction], Any]


@pytest.fixture
def swarm() -> Iterator[Swarm]:
    """A board with `lead` and, below it, `ada`, who takes two tasks at most."""
    with postgres.new_database() as address:
        with closing(open_swarm(address)) as swarm:
            swarm.write(operations.check_inbox, agent="lead")
            swarm.write(lambda db: operations.register_agent(db, name="ada", capacity=2), agent="lead")
            swarm.write(operations.check_inbox, agent="ada")
            yield swarm
        assert problems(address) == []


def create(swarm: Swarm) -> str:
    return swarm.write(lambda db: operations.create_task(db, title="A task"), agent="lead").task.id  # type: ignore[union-attr]


def claim(task: str = "") -> Change:
    return lambda db: operations.claim_task(db, task=task)


WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def while_open(swarm: Swarm, opener: str, first: Change, agent: str, change: Change) -> Any:
    """What came of a change that was made while another was not over, for which it has to wait."""
    came: list[Any] = []

    def run() -> None:
        try:
            came.append(swarm.write(change, agent=agent, connection="another"))
        except Refusal as refusal:
            came.append(refusal)

    thread = threading.Thread(target=run)
    with postgres.looking_at_server(str(postgres.place_of(swarm.database))) as own:
        with swarm.writing(agent=opener) as db:
            first(db)
            thread.start()
            while thread.is_alive() and not own.execute(WAITS).fetchone()[0]:
                time.sleep(0.001)
            assert came == [], "it did not wait"
        thread.join()
    return came[0]


def ending(lifecycle: str, name: str = "ada") -> Change:
    return lambda db: operations.register_agent(db, name=name, lifecycle=lifecycle)


@pytest.mark.parametrize("by_name", [False, True])
def test_of_two_claims_at_once_the_second_counts_the_first(swarm: Swarm, by_name: bool) -> None:
    held, first, second = create(swarm), create(swarm), create(swarm)
    swarm.write(claim(held), agent="ada")
    refused = while_open(swarm, "ada", claim(first), "ada", claim(second if by_name else ""))
    assert refused.code == "limit"
    assert swarm.read(lambda db: tasks.task_row(db, second).status) == "pending"


def test_whoever_is_ended_while_it_claims_keeps_nothing(swarm: Swarm) -> None:
    task = create(swarm)
    while_open(swarm, "ada", claim(task), "lead", ending("terminated"))
    row = swarm.read(lambda db: tasks.task_row(db, task))
    assert (row.status, row.holder_id) == ("pending", None)


@pytest.mark.parametrize("lifecycle", ["terminated", "paused"])
def test_whoever_is_being_ended_or_paused_claims_nothing(swarm: Swarm, lifecycle: str) -> None:
    create(swarm)
    assert while_open(swarm, "lead", ending(lifecycle), "ada", claim()).code == "not_allowed"


def test_work_is_not_handed_to_somebody_who_is_being_ended(swarm: Swarm) -> None:
    task = create(swarm)
    hand = lambda db: operations.delegate(db, task=task, to="ada")  # noqa: E731 - as the others
    assert while_open(swarm, "lead", ending("terminated"), "lead", hand).code == "not_allowed"
    assert swarm.read(lambda db: tasks.task_row(db, task).assignee_id) is None


def test_of_two_root_directors_that_end_at_once_one_stays(swarm: Swarm) -> None:
    swarm.write(lambda db: operations.register_agent(db, name="boss", role="director", superior="operator"))
    swarm.write(operations.check_inbox, agent="boss")
    refused = while_open(swarm, "lead", ending("terminated", "lead"), "boss", ending("terminated", "boss"))
    assert refused.code == "not_allowed"
