"""Answers never grow with the store: with 5,000 tasks every tool and resource stays below 8,000 tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from serving import Answer, Desk, serving
from tokenizer import count

from swarm_mcp import operations
from swarm_mcp.interchange import text
from swarm_mcp.model.record import spoken
from swarm_mcp.model.task import TaskLine
from swarm_mcp.model.tokens import clipped, fitting, tokens
from swarm_mcp.operations import browsing
from swarm_mcp.operations.swarm import Swarm, open_swarm

if TYPE_CHECKING:
    from collections.abc import Iterator

TASKS = 5000
CEILING = 8000
ROW_OF_TEXT = 40
ROW_OF_JSON = 50
CHINESE = "构建认证服务的接口并编写测试用例,确保所有边界条件都被覆盖"
PROSE = "Look at every request that comes in, decide who may see what, and write it down where others find it. "


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A board with 5,000 tasks: chains, parts, long texts, holds and questions; `host` is its root director."""
    board = tmp_path_factory.mktemp("board") / "swarm.db"
    swarm = open_swarm(board)
    fill(swarm)
    swarm.close()
    with serving(board) as desk:
        yield desk


def fill(swarm: Swarm) -> None:
    for start in range(0, TASKS, 1000):
        swarm.write(lambda db, start=start: operations.create_plan(db, tasks=plan(start)), agent="host")
    with swarm.writing(agent="host") as db:
        for n in range(150):
            operations.send_message(db, text=f"{n}: {PROSE * 20}{CHINESE * 20}", to="backend_dev")
            operations.share_context(db, key=f"Key {n} {CHINESE}", value=PROSE * 5)
        for row in operations.list_tasks(db, limit=100, assignee="backend_dev", sort="created").tasks[1:]:
            operations.update_task(db, task=row.id, action="hold", reason=PROSE * 3)


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


LISTS: list[tuple[str, dict[str, Any]]] = [
    ("list_tasks", {"limit": 200}),
    ("list_tasks", {"limit": 100_000}),
    ("list_tasks", {"limit": 200, "sort": "created", "text": "构建"}),
    ("list_tasks", {"limit": 200, "status": ["blocked"]}),
    ("list_tasks", {"limit": 200, "text": "part service"}),
    ("get_overview", {}),
    ("get_overview", {"limit": 200}),
    ("get_overview", {"view": "tree", "limit": 200}),
    ("get_overview", {"view": "stuck", "limit": 200}),
    ("get_overview", {"view": "workload", "limit": 200}),
    ("list_agents", {"limit": 200}),
    ("get_overview", {"view": "critical_path", "limit": 200}),
    ("get_overview", {"view": "timeline", "limit": 200}),
    ("get_overview", {"view": "timeline", "limit": 200, "since": "2026-01-01"}),
    ("check_inbox", {"agent": "backend_dev"}),
    ("check_inbox", {"agent": "backend_dev", "limit": 50}),
    ("claim_task", {"agent": "frontend_dev"}),
    ("claim_task", {"agent": "backend_dev"}),
    ("get_task", {"agent": "backend_dev"}),
]


@pytest.mark.parametrize(("tool", "arguments"), LISTS, ids=lambda value: json.dumps(value, ensure_ascii=False))
def test_no_answer_grows_with_the_store(desk: Desk, tool: str, arguments: dict[str, Any]) -> None:
    within(desk.call(tool, **arguments))


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


@pytest.mark.parametrize("which", ["parent", "hub"])
@pytest.mark.parametrize("document", ["", "/tree", "/graph", "/context", "/progress", "/notes", "/history"])
def test_no_document_grows_with_the_store(
    request: pytest.FixtureRequest, desk: Desk, which: str, document: str
) -> None:
    assert count(desk.read(f"swarm://tasks/{request.getfixturevalue(which)}{document}")) < CEILING


@pytest.mark.parametrize(
    "uri",
    [
        "swarm://overview", "swarm://tasks?limit=200", "swarm://tasks?limit=200&status=blocked", "swarm://agents",
        "swarm://agents/backend_dev", "swarm://agents/host", "swarm://agents/host/inbox", "swarm://events",
    ],
)  # fmt: skip
def test_no_list_of_resources_grows_either(desk: Desk, uri: str) -> None:
    assert count(desk.read(uri)) < CEILING


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
