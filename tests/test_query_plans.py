"""The statements behind the calls that every agent makes all day are served by indexes, also on a large board.

The plans are those of the very statements that an operation executes, values and all: SQLite tells what it executes,
and is then asked how it goes about it (sqlite.org/eqp.html). On the board are 2,000 tasks, and the most urgent of them
are blocked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hot_calls import CALLS, call, ready

from swarm_mcp import open_swarm, operations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swarm_mcp import Swarm
    from swarm_mcp.repository.database import Transaction

Plans = list[tuple[str, list[str]]]
"""Statements, and the steps that SQLite takes for each."""
TABLES = (
    "task|dependency|event|message|inbox|execution|delegation|criterion|progress|context|note|participant|conversation"
)
WHOLE_TABLE = re.compile(rf"SCAN ({TABLES})\b")
WHOLE_PROJECT = re.compile(r"(?!.*(ix_agent_directors|ix_task_reserved)).*\(project=\?\)$")
"""These two indexes have but the few rows for which they were made."""


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    """A large board in the middle of its work."""
    swarm = open_swarm(tmp_path_factory.mktemp("large") / "swarm.db")
    for _ in range(2):
        items = [item(n) for n in range(1000)]
        swarm.write(lambda db: operations.create_plan(db, tasks=items), agent="lead")  # noqa: B023 - run at once
    for n in range(40):
        task = call(swarm, f"worker_{n % 8}", operations.claim_task).task.id
        if n % 2:
            call(swarm, f"worker_{n % 8}", lambda db: operations.complete_task(db, task=task, summary="Done."))  # noqa: B023
    call(swarm, "ada", operations.claim_task)  # whoever has nothing in hand is not asked what of it overlaps
    swarm.write(lambda db: db.driver.execute("UPDATE agent SET capabilities = '[\"task\"]'"))
    yield swarm
    swarm.close()


def item(n: int) -> dict[str, Any]:
    """Some are parts of others and some wait for others; those that wait are the more urgent."""
    return {
        "ref": f"t{n}", "title": f"Task {n}", "priority": ("low", "critical", "high", "medium")[n % 4],
        "depends_on": [f"t{n - 1}"] if n % 4 in {1, 2} else [], "parent": f"t{n - 3}" if n % 10 in {5, 8} else "",
        "assignee": "specialty:coding" if n % 50 == 0 else "",
    }  # fmt: skip


def plans(swarm: Swarm, name: str) -> Plans:
    """How SQLite goes about everything that a call executes."""
    agent, change = CALLS[name]
    tasks = ready(swarm)

    def explained(db: Transaction) -> Plans:
        executed: list[str] = []
        db.driver.set_trace_callback(executed.append)
        change(db, tasks)
        db.driver.set_trace_callback(None)
        asked = [sql for sql in executed if re.match(r"(?!.*_config')(SELECT|UPDATE|DELETE|WITH)", sql)]
        return [(sql, [step[3] for step in db.driver.execute(f"EXPLAIN QUERY PLAN {sql}")]) for sql in asked]

    return call(swarm, agent, explained)


@pytest.mark.parametrize("name", CALLS)
def test_no_statement_reads_or_sorts_a_whole_table_or_project(swarm: Swarm, name: str) -> None:
    for sql, steps in plans(swarm, name):
        whole = [step for step in steps if WHOLE_TABLE.match(step)]
        sorts = [step for step in steps if "TEMP B-TREE" in step]
        all_of_it = [step for step in steps if WHOLE_PROJECT.match(step)]
        assert not whole, f"{sql}\n{steps}"
        assert not (sorts and all_of_it), f"{sql}\n{steps}"


SERVED: list[tuple[str, str, str, str]] = [
    ("claim the next", "lane = ''", "ix_task_ready (project=? AND lane=?)", ""),
    ("claim the next", "lease_until <", "ix_task_expired (project=? AND lease_until", ""),
    ("claim the next", "task.holder_id = .* ORDER BY", "ix_task_held (holder_id=?)", "its own few claims"),
    ("claim one by name", "AND task.id = ", "sqlite_autoindex_task_1 (id=?)", ""),
    ("complete", "count.*lane = ''", "ix_task_ready (project=? AND lane=?)", ""),
    ("complete", "count.*inbox", "ix_inbox_unread (project=? AND agent_id=?)", ""),
    ("read the inbox", "UPDATE inbox SET state=.read", "ix_inbox_unread (project=? AND agent_id=?)", ""),
    ("list", "FROM task.*ORDER BY task.finished", "ix_task_urgency (project=?)", ""),
    ("list two pages", "FROM task.*> \\(.*ORDER BY task.finished", "ix_task_urgency (project=? AND ", ""),
    ("list what is pending", "FROM task.*status.*ORDER BY", "ix_task_list (project=? AND status=?)", ""),
    ("search", "task_words MATCH", "SCAN task_words VIRTUAL TABLE INDEX", ""),
    ("search", "FROM task_words JOIN wording", "SEARCH wording USING INTEGER PRIMARY KEY", ""),
    ("search", "message_words MATCH", "ix_inbox_message_id (message_id=? AND agent_id=?)", ""),
    ("search", "FROM task, json_each", "sqlite_autoindex_task_1 (id=?)", "the few that were found"),
    ("search for what is common", "MATCH.*task.status", "SEARCH task USING INDEX sqlite_autoindex_task_1 (id=?)", ""),
    ("search in a narrow list", "^SELECT task.id\\s+FROM task", "ix_task_assignee_id (assignee_id=?)", ""),
    ("list what somebody has", "FROM task.*LIMIT", "ix_task_assignee_id (assignee_id=?)", "what one agent has"),
    ("look whether there is something to sweep", "lease_until <", "ix_task_expired (project=? AND lease_until", ""),
    ("look whether there is something to sweep", "reserved_from IS NOT NULL", "ix_task_reserved (project=?)", ""),
]
"""Calls, a piece of a statement, the index that has to serve it, and why it may sort afterwards nevertheless."""


@pytest.mark.parametrize(("name", "piece", "index", "sorts"), SERVED)
def test_a_hot_statement_is_served_by_the_index_that_was_made_for_it(
    swarm: Swarm, name: str, piece: str, index: str, sorts: str
) -> None:
    found = [steps for sql, steps in plans(swarm, name) if re.search(piece, sql, re.DOTALL | re.IGNORECASE)]
    assert found, f"no statement like {piece}"
    for steps in found:
        assert any(index in step for step in steps), steps
        assert sorts or not [step for step in steps if "TEMP B-TREE" in step]


def test_ancestors_are_climbed_one_key_at_a_time(swarm: Swarm) -> None:
    climbed = [steps for sql, steps in plans(swarm, "read a brief of a part") if "RECURSIVE above" in sql]
    assert climbed
    steps = [step for steps in climbed for step in steps]
    assert "SEARCH task USING INDEX sqlite_autoindex_task_1 (id=?)" in steps
    assert not [step for step in steps if step.startswith("SCAN") and step != "SCAN above"], steps
    # A task is looked for by its id, except for the subtasks that a line's progress follows from.
    others = {step for step in steps if re.match(r"SEARCH (task|blocker)\b", step) and "(id=?)" not in step}
    assert not others
