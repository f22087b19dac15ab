"""Answers never grow with the store: every tool and every resource stays below 8,000 tokens, in both of its forms.

In the store are 20,000 tasks, 500 agents and 5,000 messages. A tool or a template that is new has to be entered here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from serving import Answer, Desk, serving
from sqlalchemy import insert, update
from tokenizer import count

from swarm_mcp import operations
from swarm_mcp.interchange import text
from swarm_mcp.model import ids
from swarm_mcp.model.record import spoken
from swarm_mcp.model.task import TaskLine
from swarm_mcp.model.tokens import clipped, fitting, tokens
from swarm_mcp.operations import browsing
from swarm_mcp.operations.swarm import Swarm, open_swarm
from swarm_mcp.repository import tables, tasks, work
from swarm_mcp.repository.indexing import index_everything

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swarm_mcp.repository.database import Transaction

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

PLANNED, TASKS, AGENTS, MESSAGES = 5000, 20_000, 500, 5000
CEILING = 8000
ROW_OF_TEXT = 40
ROW_OF_JSON = 50
CHINESE = "构建认证服务的接口并编写测试用例,确保所有边界条件都被覆盖"
LONG = "x9_-" * 13
PROSE = "Look at every request that comes in, decide who may see what, and write it down where others find it. "
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A large board: chains, parts, long texts, holds, questions, a hierarchy; `host` is its root director."""
    board = tmp_path_factory.mktemp("board") / "swarm.db"
    swarm = open_swarm(board)
    fill(swarm)
    swarm.close()
    with serving(board) as desk:
        yield desk


def fill(swarm: Swarm) -> None:
    for start in range(0, PLANNED, 1000):
        swarm.write(lambda db, start=start: operations.create_plan(db, tasks=plan(start)), agent="host")
    with swarm.writing(agent="host") as db:
        agents = add_agents(db)
        add_tasks(db, agents)
        hub = operations.list_tasks(db, priority="critical", limit=1).tasks[0].id
        add_messages(db, hub, agents)
        add_history(db, hub, agents)
        index_everything(db)
        for n in range(150):
            operations.send_message(db, text=f"{n}: {PROSE * 20}{CHINESE * 20}", to="backend_dev")
            operations.share_context(db, key=f"Key {n} {CHINESE}", value=PROSE * 5)
        for row in operations.list_tasks(db, limit=100, assignee="backend_dev", sort="created").tasks[1:]:
            operations.update_task(db, task=row.id, action="hold", reason=PROSE * 3)


def add_agents(db: Transaction) -> list[str]:
    """Ten supervisors below `host` and five hundred below the first of them, the longest names, forty teams."""
    rows: list[dict[str, Any]] = []
    for n in range(AGENTS):
        above = db.actor.id if n < 10 else rows[0]["id"]
        rows.append({
            "id": ids.new_uuid(), "project": "default", "name": f"agent_{n:03}_{LONG}", "title": CHINESE * 3,
            "description": PROSE * 20, "role": "supervisor" if n < 10 else "worker", "specialty": f"craft-{n % 50}",
            "superior_id": above, "level": 1 if n < 10 else 2,
            "capabilities": [f"skill {m} {CHINESE}" for m in range(9)], "created_at": db.now,
            "updated_at": db.now, "last_seen_at": db.now,
        })  # fmt: skip
    db.execute(insert(tables.agent), rows)
    for n in range(40):
        team = {"id": ids.new_uuid(), "project": "default", "created_at": db.now, "updated_at": db.now}
        said = {"name": f"team_{n}_{LONG}", "supervisor_id": rows[n % 10]["id"], "objective": PROSE * 5}
        db.execute(insert(tables.team), {**team, **said})
        members = rows[:400] if n == 0 else rows[n * 10 : n * 10 + 10]
        stays = [{"id": ids.new_uuid(), "team_id": team["id"], "agent_id": each["id"]} for each in members]
        db.execute(insert(tables.team_member), [{**each, "joined_at": db.now} for each in stays])
    return [row["id"] for row in rows]


def add_tasks(db: Transaction, agents: list[str]) -> None:
    """Fifteen thousand more, in bulk: every fourth is Chinese, every third has an assignee."""
    rows = [
        {
            "id": ids.new_task_id(), "project": "default",
            "title": (f"{CHINESE} {n}" * 15)[:500] if n % 4 else f"Part {n}", "description": PROSE * (n % 5),
            "assignee_id": agents[n % 13 * (n % 7)] if n % 3 == 0 else None,
            "status": "pending", "version": 1, "created_at": db.now, "updated_at": db.now, "due": END_OF_TIME,
            "rank": n << 22, "end_rank": (n << 22) + (1 << 21), "tags": [f"tag {n % 99} {CHINESE}"],
            "area": f"{CHINESE} {n}",
        }
        for n in range(TASKS - PLANNED)
    ]  # fmt: skip
    db.execute(insert(tables.task), rows)
    tasks.count_status(db, "pending", len(rows))
    made = {"project": "default", "at": db.now, "kind": "created", "version": 1, "data": {}}
    db.execute(insert(tables.event), [{**made, "task_id": row["id"]} for row in rows])


def add_messages(db: Transaction, hub: str, agents: list[str]) -> None:
    """Five thousand about one task, half of them to `host` and half among others, every fifth a public answer."""
    said = {"project": "default", "task_id": hub, "at": db.now}
    thread = {"id": ids.new_uuid(), "project": "default", "task_id": hub, "title": "The hub", "created_at": db.now}
    db.execute(insert(tables.conversation), thread)
    rows = [
        {
            **said, "id": 1000 + n, "sender_id": agents[n % AGENTS], "type": "answer" if n % 5 == 0 else "message",
            "conversation_id": thread["id"],
            "text": f"{n}: {PROSE * (n % 9)}{CHINESE * (n % 7)}",
        }
        for n in range(MESSAGES)
    ]  # fmt: skip
    db.execute(insert(tables.message), rows)
    copies = [
        {**said, "message_id": row["id"], "state": "new", "agent_id": db.actor.id if n % 2 else agents[n * 7 % AGENTS]}
        for n, row in enumerate(rows)
    ]
    db.execute(insert(tables.inbox), copies)


def add_history(db: Transaction, hub: str, agents: list[str]) -> None:
    """A thousand reports, notes, events, attempts and delegations of one task."""
    of_hub = {"task_id": hub, "at": db.now}
    progress = [{**of_hub, "agent_id": agents[n % 9], "percent": n % 100, "message": PROSE * 3} for n in range(1000)]
    db.execute(insert(tables.progress), progress)
    db.execute(insert(tables.note), [{**of_hub, "agent_id": db.actor.id, "text": PROSE * 5} for _ in range(1000)])
    changed = {"project": "default", "kind": "changed", "data": {"title": [CHINESE * 9, CHINESE * 9]}}
    db.execute(insert(tables.event), [{**of_hub, **changed} for _ in range(1000)])
    for n in range(1000):
        work.insert_delegation(
            db,
            {
                "task_id": hub, "from_id": db.actor.id, "to_agent_id": agents[n % AGENTS], "to_team_id": None,
                "to_specialty": None, "state": "declined", "before": {}, "reasoning": PROSE * 9,
            },
        )  # fmt: skip
    ended = {"status": "released", "started_at": db.now, "ended_at": db.now, "error": PROSE * 9}
    made = [{"id": ids.new_uuid(), "task_id": hub, "attempt": n, "agent_id": agents[n % 9]} for n in range(1, 1001)]
    db.execute(insert(tables.execution), [{**ended, **each} for each in made])
    db.execute(update(tables.task).where(tables.task.c.id == hub).values(attempt=1000))


def plan(start: int) -> Any:
    """A thousand tasks: a parent with 400 parts, a hub for which 200 wait, a chain; every fifth title is Chinese."""
    items: list[dict[str, Any]] = []
    for n in range(1000):
        title = f"{CHINESE} {start + n}" * 3 if n % 5 == 0 else f"Build and check part {start + n} of the service"
        item = {
            "ref": f"part-{n}",
            "title": title,
            "description": PROSE * (n % 7),
            "area": f"area {start + n} {CHINESE}",
        }
        if 0 < n <= 400:
            item |= {"parent": "part-0", "assignee": "backend_dev" if n % 2 else ""}
        elif 400 < n <= 600:
            item["depends_on"] = ["part-700"]
        elif n > 900:
            item["depends_on"] = [f"part-{n - 1}", "part-700"]
        items.append(item)
    items[0] |= {"description": PROSE * 2000, "criteria": [f"Criterion {n}: {PROSE}" for n in range(200)]}
    items[700] |= {
        "deadline": "2020-01-01",
        "priority": "critical",
        "checks": [f"measure_{n} < {n}" for n in range(200)],
    }
    return items


@pytest.fixture(scope="module")
def parent(desk: Desk) -> str:
    """A task with 400 parts, 200 criteria and a description of 200,000 characters."""
    return desk.call("list_tasks", sort="created", limit=1)["tasks"][0]["id"]


@pytest.fixture(scope="module")
def hub(desk: Desk) -> str:
    """A task for which 300 wait, with 200 checks."""
    return desk.call("list_tasks", priority="critical", limit=1)["tasks"][0]["id"]


def within(answer: Answer) -> tuple[int, int]:
    """What both forms of an answer cost, which must stay below the ceiling."""
    costs = count(answer.text), count(json.dumps(answer.facts, ensure_ascii=False, separators=(",", ":")))
    assert max(costs) < CEILING
    return costs


HUNDRED_LINES = [f"{n}: {PROSE}{CHINESE}" for n in range(100)]
CALLS: dict[str, list[dict[str, Any]]] = {
    "claim_task": [{"agent": "frontend_dev"}, {"agent": "backend_dev"}, {"agent": "frontend_dev", "task": "$new"}],
    "get_task": [{"agent": "backend_dev"}, {"task": "$parent"}, {"task": "$hub", "include": "$sections"}],
    "report_progress": [
        {"task": "$held", "message": PROSE * 100, "percent": 50},
        {"task": "$held", "message": PROSE * 100, "status": "blocked", "depends_on": "$many"},
        {"task": "$held", "message": PROSE * 100, "status": "requires_assistance"},
        {"task": "$held", "message": PROSE * 100, "status": "released"},
    ],
    "complete_task": [
        {"task": "$held", "summary": PROSE * 100, "outputs": {line: line for line in HUNDRED_LINES}},
        {"task": "$held", "summary": PROSE * 100, "outcome": "failed", "issues": HUNDRED_LINES[:20]},
    ],
    "share_context": [{"key": CHINESE, "value": HUNDRED_LINES, "task": "$hub", "rationale": PROSE * 100}],
    "add_note": [{"task": "$hub", "text": PROSE * 1000}],
    "send_message": [{"to": "all", "text": PROSE * 100}, {"to": f"team_0_{LONG}", "text": PROSE, "task": "$hub"}],
    "check_inbox": [{"agent": "backend_dev"}, {"agent": "backend_dev", "limit": 50}, {"limit": 50}],
    "create_plan": [{"tasks": [{"title": (CHINESE * 20)[:500], "criteria": HUNDRED_LINES[:5]}] * 50}],
    "create_task": [
        {"title": (CHINESE * 20)[:500], "description": PROSE * 1000, "criteria": HUNDRED_LINES, "depends_on": "$many"},
        {"title": "New", "assignee": "agent_00"},
        {"title": "New", "parent": "$parent", "assignee": f"agent_007_{LONG}"},
    ],
    "update_task": [
        {"task": "$new", "title": (CHINESE * 20)[:500], "add_depends_on": "$many", "add_criteria": HUNDRED_LINES},
        {"task": "$new", "action": "cancel", "reason": PROSE * 100},
        {"task": "$new", "parent": "$parent", "tags": HUNDRED_LINES[:20]},
    ],
    "list_tasks": [
        {"limit": 200},
        {"limit": 100_000},
        {"limit": 200, "sort": "created", "text": "构建"},
        {"limit": 200, "text": "构建 认证"},
        {"limit": 200, "text": "part service"},
        {"limit": 200, "status": ["blocked"]},
        {"limit": 200, "status": ["pending", "blocked"], "sort": "deadline"},
        {"limit": 200, "assignee": f"agent_012_{LONG}"},
        {"limit": 200, "under": "$parent"},
        {"limit": 200, "ready": True, "tag": f"tag 1 {CHINESE}"},
    ],
    "delegate": [
        {
            "task": "$new", "to": f"agent_007_{LONG}", "reasoning": PROSE * 100,
            "success_criteria": HUNDRED_LINES[:10], "risk_factors": HUNDRED_LINES[:10], "depends_on": "$fifty",
        },
        {"task": "$new", "to": f"team_0_{LONG}"},
    ],
    "review_task": [{"task": "$new", "quality": 5, "timeliness": 1, "notes": PROSE * 100}],
    "get_overview": [
        {},
        {"limit": 200},
        {"view": "tree", "limit": 200},
        {"view": "tree", "limit": 200, "under": "$parent"},
        {"view": "stuck", "limit": 200},
        {"view": "workload", "limit": 200},
        {"view": "critical_path", "limit": 200},
        {"view": "timeline", "limit": 200},
        {"view": "timeline", "limit": 200, "since": "2026-01-01"},
        {"since": "2000-01-01"},
    ],
    "register_agent": [
        {"name": f"agent_007_{LONG}", "capabilities": [line[:100] for line in HUNDRED_LINES[:50]]},
        {"name": "a_new_one", "description": PROSE * 1000, "title": PROSE * 10, "team": f"team_0_{LONG}"},
    ],
    "list_agents": [{"limit": 200}, {"limit": 100_000}, {"limit": 200, "team": f"team_0_{LONG}"}],
    "join_task": [{"task": "$hub", "role": "onlooker"}],
}  # fmt: skip
"""Every tool, with what could make its answer long. `$…` stands for tasks of the board."""


def test_every_tool_has_its_calls_here(desk: Desk) -> None:
    assert {tool.name for tool in desk.run("list_tools").tools} == CALLS.keys()


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [(tool, each) for tool, calls in CALLS.items() for each in calls],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:60],
)
def test_no_answer_grows_with_the_store(
    request: pytest.FixtureRequest, desk: Desk, tool: str, arguments: dict[str, Any]
) -> None:
    (schema,) = (each.input_schema for each in desk.run("list_tools").tools if each.name == tool)
    who = {"agent": "host"} if "agent" in schema["properties"] else {}
    within(desk.call(tool, **who | {name: stand_in(request, desk, value) for name, value in arguments.items()}))


def stand_in(request: pytest.FixtureRequest, desk: Desk, value: Any) -> Any:
    """What an argument stands for."""
    match value:
        case "$parent" | "$hub":
            return request.getfixturevalue(value[1:])
        case "$new":
            return desk.call("create_task", title=CHINESE * 10, description=PROSE * 100, agent="host").task
        case "$held":
            task = stand_in(request, desk, "$new")
            desk.call("claim_task", task=task, agent="host")
            return task
        case "$many" | "$fifty":
            rows = desk.call("list_tasks", text="part", status=["pending"], limit=200 if value == "$many" else 50)
            return [row["id"] for row in rows["tasks"]]
        case "$sections":
            return SECTIONS
    return value


SECTIONS = ["context", "notes", "messages", "progress", "history", "executions", "delegations", "tree"]


@pytest.mark.parametrize("which", ["parent", "hub"])
@pytest.mark.parametrize("limit", [200, 1500, 8000])
def test_a_brief_stays_within_its_tokens(request: pytest.FixtureRequest, desk: Desk, which: str, limit: int) -> None:
    brief = desk.call("get_task", task=request.getfixturevalue(which), include=SECTIONS, max_tokens=limit)
    words, facts = within(brief)
    if limit == 1500:
        assert words < 1.4 * limit
        assert facts < 1.6 * limit
    assert brief["left_out"]


DOCUMENTS: dict[str, list[str]] = {
    "swarm://tasks{?status,assignee,ready,limit,cursor}": [
        "swarm://tasks",
        "swarm://tasks?limit=200",
        "swarm://tasks?limit=200&status=blocked",
        f"swarm://tasks?limit=200&assignee=agent_012_{LONG}",
    ],
    **{
        f"swarm://tasks/{{task_id}}{path}": [f"swarm://tasks/{x}{path.partition('{')[0]}" for x in ("$parent", "$hub")]
        for path in ("", "/tree", "/graph", "/context", "/progress{?cursor}", "/notes{?cursor}", "/history{?cursor}")
    },
    "swarm://agents{?cursor}": ["swarm://agents"],
    "swarm://agents/{name}": ["swarm://agents/backend_dev", f"swarm://agents/agent_007_{LONG}"],
    "swarm://agents/{name}/inbox": ["swarm://agents/host/inbox"],
    "swarm://conversations/{id}{?cursor}": ["swarm://conversations/$hub"],
    "swarm://events{?after,limit}": ["swarm://events", "swarm://events?limit=200"],
}  # fmt: skip
"""Every template of a resource, with the longest there are under it."""
FIXED = ["swarm://overview", "swarm://agents", "swarm://agents/host/inbox"]


def test_every_template_has_its_documents_here(desk: Desk) -> None:
    assert {each.uri_template for each in desk.run("list_resource_templates").resource_templates} == DOCUMENTS.keys()


@pytest.mark.parametrize("uri", [*FIXED, *(uri for uris in DOCUMENTS.values() for uri in uris)])
def test_no_document_grows_with_the_store(request: pytest.FixtureRequest, desk: Desk, uri: str) -> None:
    for name in ("parent", "hub"):
        if f"${name}" in uri:
            uri = uri.replace(f"${name}", request.getfixturevalue(name))
    assert count(desk.read(uri)) < CEILING


def test_a_page_of_resources_is_short_and_names_those_that_are_always_there(desk: Desk) -> None:
    page = desk.run("list_resources")
    listed = [str(each.uri) for each in page.resources]
    assert [uri for uri in listed if not uri.startswith("swarm://tasks/")] == FIXED
    assert count(page.model_dump_json(exclude_none=True)) < CEILING


def test_a_page_that_was_cut_goes_on_where_it_ended(desk: Desk) -> None:
    seen: list[str] = []
    page = desk.call("list_tasks", limit=200, sort="created")
    assert len(page["tasks"]) < 200
    for _ in range(5):
        seen += [row["id"] for row in page["tasks"]]
        page = desk.call("list_tasks", limit=200, sort="created", cursor=page["next_cursor"])
    assert len(seen) == len(set(seen)) > 300


def test_an_inbox_shows_everything_in_the_end(desk: Desk) -> None:
    desk.call("share_context", key="k", value="v", agent="reader")
    for n in range(30):
        desk.call("send_message", to="reader", text=f"{n} {PROSE * 30}", agent="host")
    numbers: list[int] = []
    while (batch := desk.call("check_inbox", limit=50, agent="reader"))["items"]:
        within(batch)
        numbers += [int(item["text"].split()[0]) for item in batch["items"]]
        if "more" not in batch.facts:
            break
        assert batch["more"] == 30 - len(numbers)
    assert numbers == list(range(30))


def test_what_a_plan_answers_is_within_bounds_at_a_thousand_tasks(desk: Desk) -> None:
    items = [
        {"ref": f"{n} {'x' * 70}", "title": f"Part {n}", "assignee": f"worker{n:03}x{n}" if n < 30 else ""}
        for n in range(1000)
    ]
    plan = desk.call("create_plan", tasks=items, agent="host")
    within(plan)
    assert plan["message"].startswith("Created 1000 tasks: ")
    assert plan["more"] == 'list_tasks(sort="created") shows all of them.'


def test_refusals_are_short_however_much_is_wrong(desk: Desk) -> None:
    items = [
        {"title": f"Part {n}", "depends_on": [f"nothing {n} {CHINESE * 5}"], "ref": f"{n} {CHINESE}"}
        for n in range(1000)
    ]
    within(desk.refusal("create_plan", tasks=items, agent="host"))
    desk.call("create_plan", tasks=[{"title": f"Part {n}"} for n in range(1000)], key="big", agent="host")
    within(desk.refusal("create_plan", tasks=[{"title": "Another"}], key="big", agent="host"))
    checks = [f"measure_{n} < {n}" for n in range(200)]
    task = desk.call("create_task", title="Measure it", checks=checks, assignee="busy", agent="host").task
    desk.call("claim_task", task=task, agent="busy")
    measured = {f"measure_{n}": 1000 for n in range(200)}
    refusal = desk.refusal("complete_task", task=task, summary="Done.", measurements=measured, agent="busy")
    assert refusal["code"] == "criteria_unmet"
    assert max(within(refusal)) < 1000


def test_completing_repeats_little_of_what_was_said(desk: Desk) -> None:
    criteria = [f"Criterion {n}: {PROSE * 3}" for n in range(200)]
    task = desk.call("create_task", title="Show it", criteria=criteria, agent="host").task
    desk.call("claim_task", task=task, agent="host")
    evidence = {str(n): PROSE * 20 for n in range(1, 201)}
    within(desk.call("complete_task", task=task, summary=PROSE * 100, evidence=evidence, agent="host"))


def test_a_typical_row_costs_little(desk: Desk) -> None:
    titles = ["Build auth API", "Write the migration guide", "Check every link in the docs", "Fix flaky upload test"]
    first = desk.call("create_task", title="Plan the release", agent="host").task
    for title in titles:
        desk.call("create_task", title=title, priority="high", assignee="docs_dev", depends_on=first, agent="host")
    rows = desk.call("list_tasks", assignee="docs_dev")
    assert max(count(line) for line in rows.text.splitlines()[1:]) <= ROW_OF_TEXT
    assert max(count(json.dumps(row, separators=(",", ":"))) for row in rows["tasks"]) <= ROW_OF_JSON


# The estimate behind it


@pytest.mark.parametrize(
    "words",
    [
        PROSE * 20,
        CHINESE * 50,
        json.dumps([{"id": "k3x9m2qa", "status": "pending"}] * 50),
        "2026-11-21T23:28:41+00:00 " * 50,
    ],
)
def test_the_estimate_is_near_what_is_counted(words: str) -> None:
    assert 0.7 * count(words) < tokens(words) < 1.6 * count(words)


def test_what_is_clipped_fits_and_says_so() -> None:
    assert clipped("short", 100) == "short"
    for words in (PROSE * 100, CHINESE * 100):
        kept = clipped(words, 100)
        assert kept.endswith("…")
        assert words.startswith(kept[:-1])
        assert 30 < tokens(kept) <= 102


def test_the_rows_that_are_not_weighed_fit_at_their_longest() -> None:
    name = "x9_-" * 15 + "abc"
    row = TaskLine(
        id="k3x9m2qa", title="qX7" * 26, status="requires_assistance", priority="critical", assignee=name, holder=name,
        progress=100, depends_on=["k3x9m2qa"] * 3, depends_on_more=100, deadline="2099-12-31T15:59:00+00:00",
        lapsed=True, hold="qX7" * 26,
    )  # fmt: skip
    assert browsing.ALWAYS_FIT * max(count(text.row(row)), count(spoken(row))) < CEILING


def test_at_least_one_entry_is_shown_however_long_it_is() -> None:
    assert fitting([PROSE * 9999, "b"], str) == [PROSE * 9999]
    assert fitting([], str) == []
