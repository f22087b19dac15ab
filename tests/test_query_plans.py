"""The statements behind the calls that every agent makes all day are served by indexes, also on a large board.

The plans are those of the very statements that an operation executes, values and all: SQLite tells what it executes,
and is then asked how it goes about it (sqlite.org/eqp.html). On the board are 2,000 tasks, and the most urgent of them
are blocked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.operations import upkeep, waiting
from swarm_mcp.repository import suggestions
from swarm_mcp.server.resources import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from swarm_mcp import Swarm
    from swarm_mcp.repository.database import Transaction

T = TypeVar("T")
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
        task = call(swarm, f"worker{n % 8}", operations.claim_task).task.id
        if n % 2:
            call(swarm, f"worker{n % 8}", lambda db: operations.complete_task(db, task=task, summary="Done."))  # noqa: B023
    swarm.write(lambda db: db.driver.execute("UPDATE agent SET capabilities = '[\"task\"]'"))
    yield swarm
    swarm.close()


def item(n: int) -> dict[str, Any]:
    """Some are parts of others and some wait for others; those that wait are the more urgent."""
    return {
        "ref": f"t{n}", "title": f"Task {n}", "priority": ("low", "critical", "high", "medium")[n % 4],
        "depends_on": [f"t{n - 1}"] if n % 4 in {1, 2} else [], "parent": f"t{n - 5}" if n % 10 == 5 else "",
        "assignee": "specialty:coding" if n % 50 == 0 else "",
    }  # fmt: skip


def call(swarm: Swarm, agent: str, change: Callable[[Transaction], T]) -> T:
    return swarm.write(change, agent=agent, profile=Profile.DIRECTOR if agent == "lead" else Profile.WORKER)


def ready(swarm: Swarm) -> list[str]:
    """Tasks that anybody may claim, and at the end one that is a part of another."""
    found = swarm.read(lambda db: operations.list_tasks(db, ready=True, limit=100)).tasks
    part = "SELECT id FROM task WHERE parent_id IS NOT NULL LIMIT 1"
    [part_id] = swarm.read(lambda db: db.driver.execute(part).fetchone())
    return [*(each.id for each in found if not each.assignee), part_id]


def report(db: Transaction, task: str, **said: Any) -> None:
    """Claim a task, and report on it."""
    attempt = operations.claim_task(db, task=task).attempt  # perhaps not the first: other tests let go of tasks
    operations.report_progress(db, task=task, message="So it is.", attempt=attempt, **said)


def complete(db: Transaction, task: str) -> None:
    """Claim a task, and complete it."""
    attempt = operations.claim_task(db, task=task).attempt
    operations.complete_task(db, task=task, attempt=attempt, summary="Done.")


def discussed(db: Transaction, tasks: list[str]) -> str:
    """Claim a task, and ask a question about it."""
    report(db, tasks[29], status="requires_assistance")
    return tasks[29]


CALLS: dict[str, tuple[str, Callable[[Transaction, list[str]], Any]]] = {
    "claim the next": ("ada", lambda db, _: operations.claim_task(db)),
    "claim one by name": ("ada", lambda db, tasks: operations.claim_task(db, task=tasks[20])),
    "report": ("bob", lambda db, tasks: report(db, tasks[21], percent=50)),
    "release": ("bob", lambda db, tasks: report(db, tasks[22], status="released")),
    "ask": ("bob", lambda db, tasks: report(db, tasks[23], status="requires_assistance")),
    "wait for others": ("bob", lambda db, tasks: report(db, tasks[24], status="blocked", depends_on=tasks[40:42])),
    "complete": ("bob", lambda db, tasks: complete(db, tasks[25])),
    "create": ("lead", lambda db, tasks: operations.create_task(db, title="New", depends_on=[tasks[26]])),
    "hold": ("lead", lambda db, tasks: operations.update_task(db, task=tasks[27], action="hold", reason="So it is.")),
    "read the inbox": ("lead", lambda db, _: operations.check_inbox(db)),
    "look whether to wake a worker": ("ada", lambda db, _: waiting.look(db)),
    "look whether to wake one that let go of something": (
        "worker2", lambda db, tasks: [report(db, tasks[28], status="released"), waiting.look(db)]
    ),
    "wait in vain": ("lead", lambda db, _: [operations.check_inbox(db, wait_seconds=1) for _ in range(2)]),
    "read the roster": ("lead", lambda db, _: document(db, "swarm://agents")),
    "read about an agent": ("lead", lambda db, _: document(db, "swarm://agents/lead")),
    "read a conversation": ("bob", lambda db, tasks: document(db, f"swarm://conversations/{discussed(db, tasks)}")),
    "complete an id": ("lead", lambda db, tasks: suggestions.beginning(db, tasks[0][:2], limit=100)),
    "complete a title": ("lead", lambda db, _: suggestions.foremost(db, limit=100)),
    "read a brief": ("worker1", lambda db, _: operations.get_task(db)),
    "read a brief of a part": ("lead", lambda db, tasks: operations.get_task(db, task=tasks[-1])),
    "list": ("lead", lambda db, _: operations.list_tasks(db)),
    "list what is pending": ("lead", lambda db, _: operations.list_tasks(db, status=["pending"])),
    "list what is ready": ("lead", lambda db, _: operations.list_tasks(db, ready=True)),
    "list what is not finished": ("lead", lambda db, _: operations.list_tasks(db, status=["pending", "blocked"])),
    "list two pages": (
        "lead", lambda db, _: operations.list_tasks(db, cursor=operations.list_tasks(db).next_cursor)
    ),
    "list the agents": ("lead", lambda db, _: operations.list_agents(db)),
    "hand down to whoever fits": ("lead", lambda db, tasks: operations.delegate(db, task=tasks[28], to="auto")),
    "search": ("worker1", lambda db, _: operations.list_tasks(db, text="task 1999")),
    "search for what is common": ("worker1", lambda db, _: operations.list_tasks(db, text="task", status=["pending"])),
    "search in a narrow list": ("lead", lambda db, _: operations.list_tasks(db, text="task", assignee="worker1")),
    "list what somebody has": ("lead", lambda db, _: operations.list_tasks(db, assignee="worker1")),
    "look whether there is something to sweep": ("lead", lambda db, _: upkeep.due(db)),
    "sweep": ("lead", lambda db, _: upkeep.sweep(db)),
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
