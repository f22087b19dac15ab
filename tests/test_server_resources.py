"""Resources: the board as documents, for hosts that let people mention them and for whoever had the older files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from mcp.shared.exceptions import MCPError
from serving import LEGACY, MODERN, Desk, serving

from swarm_mcp import operations
from swarm_mcp.operations.swarm import open_swarm

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

OPEN = 120


@pytest.fixture(scope="module", params=[MODERN, LEGACY])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A connection called `host`; on its board are 120 open tasks and one that is completed."""
    board = tmp_path_factory.mktemp("board") / "swarm.db"
    swarm = open_swarm(board)
    with swarm.writing() as db:
        operations.create_plan(db, tasks=[{"title": f"Task {n}"} for n in range(OPEN - 2)])  # type: ignore[list-item]
    swarm.close()
    with serving(board, mode=request.param) as desk:
        yield desk


@pytest.fixture(scope="module")
def task(desk: Desk) -> str:
    """A task with a part, a waiter, shared context, notes of two, progress and a finished blocker."""
    plan = [
        {"ref": "first", "title": "Choose a database"},
        {"ref": "api", "title": 'Build the "API" #1', "description": "With care:\nalways.", "depends_on": "first",
         "criteria": ["Reviewed"], "checks": ["p95_ms < 200"]},
        {"ref": "part", "title": "Draw it", "parent": "api"},
        {"ref": "ui", "title": "Build the UI", "depends_on": "api"},
    ]  # fmt: skip
    ids = desk.call("create_plan", tasks=plan)["ids"]
    desk.call("claim_task", task=ids["first"], agent="ada")
    desk.call("complete_task", task=ids["first"], summary="SQLite.", outputs={"engine": "sqlite"}, agent="ada")
    desk.call("claim_task", task=ids["part"], agent="ada")
    desk.call("complete_task", task=ids["part"], summary="Drawn.", agent="ada")
    desk.call("claim_task", task=ids["api"], agent="host")
    for key, value, kind in [
        ("auth", "OAuth only", "requirement"), ("format", "JSON", "decision"), ("design", "docs/api.md", "artifact"),
        ("ports", {"http": 80}, "fact"), ("requirements", "see above", "fact"),
    ]:  # fmt: skip
        desk.call("share_context", task=ids["api"], key=key, value=value, kind=kind, rationale="agreed", agent="host")
    desk.call("add_note", task=ids["api"], text="Mine: mind the cache.", agent="host")
    desk.call("add_note", task=ids["api"], text="Hers: secret plan.", agent="ada")
    desk.call("report_progress", task=ids["api"], message="Half.", percent=50, agent="host")
    return ids["api"]


def refused(desk: Desk, uri: str) -> Any:
    with pytest.raises(MCPError) as caught:
        desk.read(uri)
    return caught.value.error


# Lists


def test_the_list_pages_through_the_open_tasks(desk: Desk, task: str) -> None:
    pages = [desk.run("list_resources")]
    while pages[-1].next_cursor:
        pages.append(desk.run("list_resources", cursor=pages[-1].next_cursor))
    uris = [resource.uri for page in pages for resource in page.resources]
    assert uris[:3] == ["swarm://overview", "swarm://agents", "swarm://agents/host/inbox"]
    assert [len(page.resources) for page in pages] == [53, 50, 20]
    assert len(set(uris)) == OPEN + 3
    assert f"swarm://tasks/{task}" in uris
    assert {resource.mime_type for page in pages for resource in page.resources[3:]} == {"text/markdown"}
    assert all(desk.read(uri) for uri in uris[:5])


def test_a_bad_cursor_of_the_list_is_an_error_of_the_request(desk: Desk) -> None:
    with pytest.raises(MCPError, match="`nonsense` is no cursor of this list") as caught:
        desk.run("list_resources", cursor="nonsense")
    assert caught.value.error.code == -32602


def test_there_is_a_template_for_each_document(desk: Desk) -> None:
    templates = {each.uri_template: each.mime_type for each in desk.run("list_resource_templates").resource_templates}
    assert templates == {
        "swarm://tasks{?status,assignee,ready,limit,cursor}": "text/plain",
        "swarm://tasks/{task_id}": "text/markdown",
        "swarm://tasks/{task_id}/tree": "text/plain",
        "swarm://tasks/{task_id}/graph": "text/vnd.mermaid",
        "swarm://tasks/{task_id}/context": "application/yaml",
        "swarm://tasks/{task_id}/progress{?cursor}": "application/jsonl",
        "swarm://tasks/{task_id}/notes{?cursor}": "text/markdown",
        "swarm://tasks/{task_id}/history{?cursor}": "text/plain",
        "swarm://agents{?cursor}": "text/plain",
        "swarm://agents/{name}": "text/markdown",
        "swarm://agents/{name}/inbox": "text/plain",
        "swarm://conversations/{id}{?cursor}": "text/plain",
        "swarm://events{?after,limit}": "text/plain",
    }


def test_tasks_are_listed_as_rows_by_status_assignee_and_readiness(desk: Desk, task: str) -> None:
    completed = desk.read("swarm://tasks?status=completed").splitlines()[1:]
    assert any(row.endswith("Choose a database") for row in completed)
    assert all(" completed " in row for row in completed)
    assert desk.read("swarm://tasks?status=in_progress,completed&limit=1").startswith("1 of ")
    assert f"{task} in_progress" in desk.read("swarm://tasks?status=in_progress")
    assert desk.read("swarm://tasks?assignee=anyone&ready=true&limit=200").startswith(
        f"{OPEN - 2} of {OPEN - 2} tasks.\n"
    )
    first = desk.read("swarm://tasks?limit=2")
    cursor = re.search(r'cursor="(.+)"', first)
    assert cursor is not None
    second = desk.read(f"swarm://tasks?limit=2&cursor={cursor[1]}")
    assert not set(first.splitlines()[1:3]) & set(second.splitlines()[1:3])


def test_the_overview_is_that_of_the_tool(desk: Desk, task: str) -> None:
    assert desk.read("swarm://overview").startswith(desk.call("get_overview").text.splitlines()[0])


# Documents of a task


def test_the_brief_is_markdown_with_a_heading_for_each_section(desk: Desk, task: str) -> None:
    text = desk.read(f"swarm://tasks/{task}")
    assert text.startswith(f'# Build the "API" #1\n\n`{task} in_progress ')
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == [
        "To do",
        "Done when",
        "Subtasks",
        "Results of what it waited for",
        "Shared context",
        "Your notes",
    ]
    assert "\nWith care:\nalways.\n" in text
    assert "1. Reviewed\n2. check: p95_ms < 200\n" in text
    assert text.endswith(f'complete_task(task="{task}", summary=…)\n')


def test_the_tree_shows_the_parts_and_what_each_waits_for(desk: Desk, task: str) -> None:
    assert re.fullmatch(
        rf'▶ {task} Build the "API" #1 \[in_progress.*\] → host\n  ● \w{{8}} Draw it \[completed\]\n',
        desk.read(f"swarm://tasks/{task}/tree"),
    )


def test_the_graph_is_mermaid_that_no_title_can_break(desk: Desk, task: str) -> None:
    lines = desk.read(f"swarm://tasks/{task}/graph").splitlines()
    assert lines[0] == "graph TD"
    assert f"  {task}[\"{task} Build the 'API' 1\"]:::in_progress" in lines
    nodes = {line.split("[")[0].strip() for line in lines if "[" in line}
    edges = [re.split(r" (?:-->|---) ", line.strip()) for line in lines if "--" in line]
    assert len(nodes) == 4
    assert len(edges) == 3
    assert {end for edge in edges for end in edge} == nodes


def test_the_context_is_yaml_in_the_shape_of_task_orchestrator(desk: Desk, task: str) -> None:
    document = yaml.safe_load(desk.read(f"swarm://tasks/{task}/context"))
    assert (document["task_id"], document["updated_by"]) == (task, "host")
    decision = document["context"]["decisions"][0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", decision.pop("date"))
    assert document["context"] == {
        "requirements": ["OAuth only"],
        "decisions": [{"decision": "JSON", "rationale": "agreed", "made_by": "host"}],
        "artifacts": [{"type": "design", "path": "docs/api.md", "created_by": "host"}],
        "ports": {"http": 80},
        "requirements (fact)": "see above",
    }


def test_the_context_of_a_task_without_any_is_empty(desk: Desk) -> None:
    task = desk.call("list_tasks", text="Task 7", limit=1)["tasks"][0]["id"]
    assert yaml.safe_load(desk.read(f"swarm://tasks/{task}/context"))["context"] == {}


def test_progress_is_json_lines(desk: Desk, task: str) -> None:
    (line,) = desk.read(f"swarm://tasks/{task}/progress").splitlines()
    entry = json.loads(line)
    assert re.fullmatch(r"[\d:T+-]+", entry.pop("timestamp"))
    assert entry == {"agent": "host", "progress": 50, "message": "Half."}


def test_notes_are_the_readers_own_and_never_anothers(desk: Desk, task: str) -> None:
    notes = desk.read(f"swarm://tasks/{task}/notes")
    assert notes.startswith(f"# Notes of host on {task}\n")
    assert "Mine: mind the cache." in notes
    documents = ["", "/tree", "/graph", "/context", "/progress", "/notes", "/history"]
    everything = [desk.read(f"swarm://tasks/{task}{each}") for each in documents]
    everything += [desk.read("swarm://overview"), desk.read("swarm://tasks?limit=200")]
    everything += [desk.call("get_task", task=task, include=["notes", "history", "messages"]).text]
    assert not [text for text in everything if "secret plan" in text]


def test_the_history_says_what_happened_in_order(desk: Desk, task: str) -> None:
    kinds = re.findall(r"^\d+ [\d-]+ [\d:]+Z \w+ (\w+)", desk.read(f"swarm://tasks/{task}/history"), re.MULTILINE)
    assert kinds[0] == "created"
    assert kinds[-1] == "progressed"
    assert kinds.count("context_shared") == 5
    assert "claimed" in kinds


@pytest.mark.parametrize("document", ["progress", "notes", "history"])
def test_long_documents_come_in_pages(desk: Desk, document: str) -> None:
    task = desk.call("create_task", title="Go on", agent="host").task
    desk.call("claim_task", task=task, agent="host")
    for n in range(12):
        words = f"Entry {n}. " + "All work and no play. " * 300
        desk.call("report_progress", task=task, message=words, agent="host")
        desk.call("add_note", task=task, text=words, agent="host")
    text = desk.read(f"swarm://tasks/{task}/{document}")
    pages = [text]
    while found := re.search(r"swarm://tasks/\w+/\w+\?cursor=\d+", text):
        text = desk.read(found[0])
        pages.append(text)
    if document != "history":
        assert len(pages) > 1
        assert [int(n) for page in pages for n in re.findall(r"Entry (\d+)\.", page)] == list(range(12))
    desk.call("complete_task", task=task, summary="Done.", agent="host")


# What there is not


@pytest.mark.parametrize(
    "uri",
    [
        "swarm://tasks/zzzzzzzz", "swarm://tasks/zzzzzzzz/notes", "swarm://nothing", "swarm://", "swarm://tasks/a/b/c",
        "swarm://overview/more", "https://example.org/tasks", "swarm://[::1", "swarm://tasks/%00", "swarm://tasks/%ff%fe",
        "swarm://tasks/..%2f..%2fetc%2fpasswd", "nonsense", "swarm://agents/nobody", "swarm://agents/no%20body/inbox",
        "swarm://agents/operator/inbox", "swarm://agents/ada/outbox", "swarm://conversations/none",
    ],
)  # fmt: skip
def test_what_is_missing_is_an_error_of_the_request_with_its_address(desk: Desk, uri: str) -> None:
    error = refused(desk, uri)
    assert (error.code, error.data["uri"]) == (-32602, uri)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("tasks?limit=many", "limit must be a whole number, not `many`."),
        ("tasks?limit=0", "limit is 1 to 200; got 0."),
        ("tasks?limit=-1", "limit must be a whole number, not `-1`."),
        ("tasks?ready=perhaps", "ready is true or false, not `perhaps`."),
        ("tasks?status=finished", "`finished` is no status."),
        ("tasks?assignee=nobody", "Nobody is called `nobody`."),
        ("tasks?cursor=x", "`x` is no cursor of this list; leave it empty to begin anew."),
        ("tasks?owner=me", "swarm://tasks takes status, assignee, ready, limit, cursor, not `owner`."),
        ("tasks/{task}/notes?cursor=x", "`x` is no cursor of this list; leave it empty to begin anew."),
        ("tasks/{task}/tree?cursor=1", "swarm://tasks/…/tree takes no `cursor`."),
        ("overview?view=tree", "swarm://overview takes no `view`."),
        ("agents?role=worker", "swarm://agents takes cursor, not `role`."),
        ("agents/host?cursor=1", "swarm://agents/… takes no `cursor`."),
        ("agents/host/inbox?limit=1", "swarm://agents/…/inbox takes no `limit`."),
        ("events?limit=0", "limit is 1 to 200; got 0."),
        ("events?after=x", "after must be a whole number, not `x`."),
        ("events?since=x", "swarm://events takes after, limit, not `since`."),
    ],
)
def test_a_bad_query_is_an_error_of_the_request(desk: Desk, task: str, query: str, words: str) -> None:
    uri = f"swarm://{query.format(task=task)}"
    error = refused(desk, uri)
    assert (error.code, error.data["uri"]) == (-32602, uri)
    assert error.message.startswith(words)
