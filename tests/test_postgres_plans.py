"""The same calls as in `test_query_plans.py`, on PostgreSQL: which indexes serve what they execute.

On the board are 10,000 tasks of the benchmarks' generator, analysed as autovacuum would do it. The driver prepares a
statement that it has met a few times, and the server may then plan it for any values: both plans are looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import postgres
import pytest
from benchmarks.explaining import Explained, explain, flaws, recording
from benchmarks.fleet import WORDS, seed_fleet
from hot_calls import CALLS, call, ready

from swarm_mcp import open_swarm, operations
from swarm_mcp.repository import queue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swarm_mcp import Swarm
    from swarm_mcp.repository.database import Transaction

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

TASKS = 10_000
HOT = CALLS | {
    "claim what somebody else is taking": (
        "ada", lambda db, tasks: queue.lock_in_lane(db, "", besides=tasks[:2])
    ),
}  # fmt: skip
OF_MANY = {"read the roster", "list the agents", "hand down to whoever fits", "read a conversation"} | {
    name for name in CALLS if name.startswith("search")
}
"""Calls about hundreds of agents, the few hundred messages, or whatever has some words: on a board of this size they
may well be quicker without an index, but there has to be one."""


@pytest.fixture(scope="module")
def swarm() -> Iterator[Swarm]:
    """A large board in the middle of its work."""
    with postgres.new_database() as address:
        seed_fleet(address, TASKS)
        with postgres.looking_at_server(address) as own:
            own.execute(f"UPDATE agent SET capabilities = '{str(list(WORDS)).replace(chr(39), chr(34))}'")
            own.execute("VACUUM (ANALYZE)")
        swarm = open_swarm(address)
        call(swarm, HOT["claim the next"][0], operations.claim_task)  # who has nothing in hand is not asked of it
        yield swarm
        swarm.close()


def plans(swarm: Swarm, name: str) -> list[Explained]:
    """How PostgreSQL goes about everything that a call executes."""
    agent, change = HOT[name]
    tasks = ready(swarm)

    def explained(db: Transaction) -> list[Explained]:
        with recording(db) as executed:
            change(db, tasks)
        if name in OF_MANY:
            db.driver.execute("SET LOCAL enable_seqscan = off")
        once = {each.sql: each for each in executed}
        return [found for each in once.values() if (found := explain(db, each))]

    return call(swarm, agent, explained)


@pytest.mark.parametrize("name", HOT)
def test_no_statement_reads_or_sorts_a_whole_table_or_project(swarm: Swarm, name: str) -> None:
    found = plans(swarm, name)
    assert found
    for each in found:
        assert not flaws(each), f"{each.sql}\n{each.steps}\n{each.generic}"


SERVED: list[tuple[str, str, str, str]] = [
    ("claim the next", "task.lane = .*ORDER BY", "task ix_task_ready .*project.*lane", ""),
    ("claim the next", "lease_until < ", "task ix_task_expired .*project.*lease_until", ""),
    ("claim the next", "^UPDATE task", "task pk_task .*id", ""),
    ("claim the next", "task.holder_id = .*ORDER BY", "task ix_task_held .*holder_id", "its own few claims"),
    ("claim what somebody else is taking", "SKIP LOCKED", "task ix_task_ready .*project.*lane", ""),
    ("claim one by name", "AND task.id = ", "task pk_task .*id", ""),
    ("complete", "count.*task.lane = ", "task ix_task_ready .*project.*lane", ""),
    ("complete", "count.*inbox", "inbox ix_inbox_unread .*project.*agent_id", ""),
    ("complete", "SET waits", "ix_dependency_depends_on_id .*depends_on_id.*type", ""),
    ("complete", "UPDATE execution", "execution pk_execution .*task_id.*attempt", ""),
    ("complete", "UPDATE task_words", "task_words task_words_pkey .*task_id", ""),
    ("read the inbox", "UPDATE inbox .*'shown'", "(inbox )?ix_inbox_unread .*project.*agent_id", ""),
    ("list", "ORDER BY task.finished", "task ix_task_urgency .*project", ""),
    ("list two pages", r"\) > \(.*ORDER BY task.finished", "task ix_task_urgency .*project.*ROW", ""),
    ("list what is pending", "ORDER BY task.urgency", "task ix_task_list .*project.*status", ""),
    ("list what is ready", "count", "task ix_task_ready .*project", ""),
    ("list what somebody has", "task.assignee_id = .*LIMIT", "ix_task_assignee_id .*assignee_id", "what one agent has"),
    ("search", "@@", "ix_task_words_words .*words @@", "the few that were found"),
    ("look whether there is something to sweep", "lease_until < ", "task ix_task_expired .*project.*lease_until", ""),
    ("look whether there is something to sweep", "reserved_from IS NOT NULL", "task ix_task_reserved .*project", ""),
    ("look whether there is something to sweep", "asked_at < ", "message ix_message_open_questions .*project", ""),
]
"""Calls, a piece of a statement, the step that has to serve it, and why it may sort afterwards nevertheless."""


@pytest.mark.parametrize(("name", "piece", "step", "sorts"), SERVED)
def test_a_hot_statement_is_served_by_the_index_that_was_made_for_it(
    swarm: Swarm, name: str, piece: str, step: str, sorts: str
) -> None:
    found = [each for each in plans(swarm, name) if re.search(piece, each.sql, re.DOTALL)]
    found = [each for each in found if not re.search(r"FROM (context|message)_words", each.sql)]
    assert found, f"no statement like {piece}"
    for each in found:
        for steps in (each.steps, each.generic):
            assert any(re.search(rf"Scan {step}", one) for one in steps), steps
            assert sorts or not [one for one in steps if "Sort" in one], steps
