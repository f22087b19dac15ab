"""The Tasks extension over real pipes and sockets: with it, without it, and after a restart."""

from __future__ import annotations

import ast
import asyncio
import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from handles import ANYTHING, IDENTIFIER, Holder, able, accepted
from listening import Listener, listening, modern, of_session, visiting
from mcp import Client
from mcp.client.extension import advertise
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import Request
from serving import LEGACY, serving

import swarm_mcp
from swarm_mcp.operations import tokens
from swarm_mcp.operations.projects import create_project
from swarm_mcp.operations.swarm import Swarm, open_swarm
from swarm_mcp.server.tasks_extension import plug_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from serving import Desk

SOURCE = Path(swarm_mcp.__file__).parent
UNKNOWN = -32602, "There is no such task handle here: it was never given out, is not yours, or is not kept any more."
NEEDED = {"requiredCapabilities": {"extensions": {IDENTIFIER: {}}}}
DECLARED = {"io.modelcontextprotocol/clientCapabilities": {"extensions": {IDENTIFIER: {}}}}


@pytest.fixture
def visit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Holder]]:
    """Come to one board with a client that knows the extension, at a server of its own each time."""
    board = tmp_path / "swarm.db"
    with ExitStack() as stack:

        def come(**said: Any) -> Holder:
            if getattr(request, "param", "stdio") == "stdio":
                return Holder(stack.enter_context(serving(board, able=able(**said))))
            return Holder(stack.enter_context(visiting(stack.enter_context(listening(board)), able=able(**said))))

        yield come


over_both = pytest.mark.parametrize("visit", ["stdio", "http"], indirect=True)


def handed(holder: Holder, title: str = "Build it", to: str = "ada") -> tuple[str, str]:
    """Hand a new task down; the task, and the handle."""
    task = holder.desk.call("create_task", title=title, agent="lead").task
    return task, holder.begin("delegate", task=task, to=to, agent="lead")


def ask(desk: Desk, task: str, question: str = "Which port?") -> None:
    desk.call("claim_task", task=task, agent="ada")
    desk.call("report_progress", task=task, message=question, status="requires_assistance", agent="ada")


def calm(desk: Desk, agent: str = "lead") -> None:
    """Let an agent have read everything."""
    for _ in range(2):
        desk.call("check_inbox", agent=agent)


def texts(stands: dict[str, Any]) -> list[str]:
    return [item["text"] for item in stands["result"]["structuredContent"]["items"]]


# What a client has that declares it


@over_both
def test_a_handle_leads_from_delegate_to_what_came_of_it(visit: Callable[..., Holder]) -> None:
    lead = visit()
    task, handle = handed(lead)
    ask(lead.desk, task)
    stands = lead.get(handle)
    assert stands["status"] == "input_required"
    ((key, request),) = stands["inputRequests"].items()
    assert request == {
        "method": "elicitation/create",
        "params": {
            "mode": "form",
            "message": "ada asks: Which port?",
            "requestedSchema": {
                "type": "object",
                "properties": {"answer": {"type": "string", "title": "Answer"}},
                "required": ["answer"],
            },
        },
    }
    code, message, _ = lead.refusal("update", handle, inputResponses={key: {"action": "accept", "content": {}}})
    assert (code, key in message) == (-32602, True)
    lead.answer(handle, unknown={"ignored": True}, **{key: accepted("8080")})
    assert lead.get(handle)["status"] == "working"
    news = lead.desk.call("check_inbox", agent="ada")["items"]
    assert [item["text"] for item in news if item["type"] == "answer"] == ["8080"]
    held = lead.desk.call("get_task", task=task, agent="ada")
    assert (held["task"]["status"], held["attempt"]) == ("in_progress", 1)
    lead.desk.call("complete_task", task=task, summary="On 8080.", outputs={"port": 8080}, agent="ada")
    stands = lead.get(handle)
    assert (stands["status"], stands["result"]["isError"]) == ("completed", False)
    facts = stands["result"]["structuredContent"]
    assert (facts["outcome"], facts["by"], facts["summary"], facts["outputs"]) == (
        "completed", "ada", "On 8080.", {"port": 8080},
    )  # fmt: skip
    lead.cancel(handle)
    assert lead.get(handle) == stands


def test_work_that_fails_is_a_completed_handle_with_an_error(visit: Callable[..., Holder]) -> None:
    lead = visit()
    task, handle = handed(lead)
    lead.desk.call("claim_task", task=task, agent="ada")
    lead.desk.call("complete_task", task=task, summary="No way.", outcome="failed", agent="ada")
    stands = lead.get(handle)
    assert (stands["status"], stands["result"]["isError"]) == ("completed", True)
    assert "error" not in stands


def test_the_handle_says_what_delegate_would_have_said(visit: Callable[..., Holder]) -> None:
    lead = visit()
    task = lead.desk.call("create_task", title="Build it", agent="lead").task
    created = lead.call("delegate", task=task, to="ada", agent="lead")
    assert created["statusMessage"].startswith(f"{task} is handed to ada, pending. ada is new")
    assert created["ttlMs"] is None
    assert "result" not in created


def test_a_refusal_is_no_handle(visit: Callable[..., Holder]) -> None:
    lead = visit()
    refused = lead.call("delegate", task="zzzzzzzz", to="ada", agent="lead")
    assert (refused["resultType"], refused["isError"]) == ("complete", True)
    refused = lead.call("check_inbox", wait_seconds=46, agent="lead")
    assert (refused["resultType"], refused["isError"]) == ("complete", True)


@over_both
def test_a_handle_outlives_its_server_and_serves_on_another(visit: Callable[..., Holder]) -> None:
    first = visit()
    task, handle = handed(first)
    calm(first.desk)
    wait = first.begin("check_inbox", wait_seconds=45, agent="lead")
    second = visit()
    ask(second.desk, task)
    (key,) = second.get(handle)["inputRequests"]
    second.answer(handle, **{key: accepted("8080")})
    assert first.get(handle)["status"] == "working"
    assert first.get(handle) == second.get(handle)
    stands = first.get(wait)
    assert stands["status"] == "completed"
    assert second.get(wait) == stands
    second.cancel(handle)
    assert first.get(handle)["status"] == "cancelled"


def test_a_restart_in_between_changes_nothing(tmp_path: Path) -> None:
    board = tmp_path / "swarm.db"
    with serving(board, able=able()) as desk:
        task, handle = handed(Holder(desk))
        ask(desk, task)
        calm(desk)
        wait = Holder(desk).begin("check_inbox", wait_seconds=45, agent="lead")
        before = Holder(desk).get(handle)
        desk.call("send_message", text="Well?", to="lead", agent="ada")
    with listening(board) as server, visiting(server, able=able()) as desk:
        lead = Holder(desk)
        assert lead.get(handle) == before
        lead.answer(handle, **{key: accepted("8080") for key in before["inputRequests"]})
        assert lead.get(handle)["status"] == "working"
        assert texts(lead.get(wait)) == ["Well?"]


@over_both
def test_cancelling_recalls_the_delegation_and_leaves_the_task(visit: Callable[..., Holder]) -> None:
    lead = visit()
    task, handle = handed(lead)
    lead.desk.call("claim_task", task=task, agent="ada")
    lead.cancel(handle)
    stands = lead.get(handle)
    assert stands["status"] == "cancelled"
    assert "result" not in stands
    assert lead.desk.refusal("complete_task", task=task, summary="Done.", agent="ada")["code"] == "claim_lost"
    assert lead.desk.call("get_task", task=task, agent="lead")["task"]["status"] == "pending"
    lead.cancel(handle)
    again = lead.begin("delegate", task=task, to="ada", agent="lead")
    assert again != handle
    assert lead.get(handle) == stands


@over_both
def test_news_come_by_the_handle_of_a_wait_and_count_as_read_only_then(visit: Callable[..., Holder]) -> None:
    lead = visit()
    lead.desk.call("create_task", title="Build it", agent="lead")
    calm(lead.desk)
    wait, given_up = (lead.begin("check_inbox", wait_seconds=45, agent="lead") for _ in range(2))
    assert lead.get(wait)["status"] == "working"
    lead.desk.call("send_message", text="Well?", to="lead", agent="ada")
    lead.cancel(given_up)
    assert lead.get(given_up)["status"] == "cancelled"
    assert not lead.get(given_up).get("result")
    stands = lead.get(wait)
    assert texts(stands) == ["Well?"]
    assert lead.get(wait) == stands, "an answer that is lost can be had again"
    assert [item["text"] for item in lead.desk.call("check_inbox", reread=True, agent="lead")["items"]] == ["Well?"]
    assert "items" not in lead.desk.call("check_inbox", agent="lead").facts


def test_an_inbox_with_something_in_it_is_answered_at_once(visit: Callable[..., Holder]) -> None:
    lead = visit()
    calm(lead.desk)
    lead.desk.call("send_message", text="Well?", to="lead", agent="ada")
    answer = lead.call("check_inbox", wait_seconds=45, agent="lead")
    assert answer["resultType"] == "complete"
    assert "Well?" in answer["content"][0]["text"]
    assert lead.call("check_inbox", agent="lead")["resultType"] == "complete"


def test_a_client_that_asks_nobody_is_told_how_to_answer(visit: Callable[..., Holder]) -> None:
    lead = visit(can_be_asked=False)
    task, handle = handed(lead)
    ask(lead.desk, task)
    stands = lead.get(handle)
    assert stands["status"] == "working"
    assert re.search(r'Which port\? send_message\(reply_to="m\d+", text=…\) answers\.$', stands["statusMessage"])


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_whoever_does_not_want_to_answer_is_not_asked_again(visit: Callable[..., Holder], action: str) -> None:
    lead = visit()
    task, handle = handed(lead)
    ask(lead.desk, task)
    (key,) = lead.get(handle)["inputRequests"]
    lead.answer(handle, **{key: {"action": action}})
    whom = "operator" if action == "decline" else "lead"
    stands = lead.get(handle)
    assert (stands["status"], stands["statusMessage"]) == (
        "working",
        f"{task} Build it waits for an answer of {whom} to {key}.",
    )


@over_both
def test_the_sdks_client_follows_a_delegation_to_its_end(visit: Callable[..., Holder]) -> None:
    lead, worker = visit(answer="8080"), visit()
    task = lead.desk.call("create_task", title="Build it", agent="lead").task
    result = lead.desk.begin("delegate", task=task, to="ada", agent="lead")
    while worker.desk.call("get_task", task=task)["task"].get("assignee") != "ada":
        pass
    ask(worker.desk, task)
    told: list[str] = []
    while not told:
        items = worker.desk.call("check_inbox", agent="ada").facts.get("items", ())
        told = [item["text"] for item in items if item["type"] == "answer"]
    worker.desk.call("complete_task", task=task, summary=f"On {told[0]}.", agent="ada")
    answer = result.result()
    assert (answer.refused, answer["summary"]) == (False, "On 8080.")


# Who may


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Listener, Listener, dict[str, str]]]:
    """Two servers for two projects of one board, and tokens: below lead are kim and bob, below kim is ada."""
    board = tmp_path_factory.mktemp("guarded") / "swarm.db"
    swarm = open_swarm(board)
    swarm.write(lambda db: create_project(db, "other"))
    secrets = {}
    for project, agent in [*(("default", name) for name in ("lead", "kim", "bob", "ada")), ("other", "outsider")]:
        there = Swarm(swarm.database, project)
        made = there.write(lambda db, agent=agent: tokens.create_token(db, agent, scope="director"))
        secrets[agent] = made.secret
    swarm.close()
    with listening(board) as here, listening(board, "--project", "other", name="other") as there:
        with visiting(here, token=secrets["lead"]) as desk:
            for name, superior in (("kim", "lead"), ("bob", "lead"), ("ada", "kim")):
                desk.call("register_agent", name=name, superior=superior, role="supervisor")
        yield here, there, secrets


def tries(holder: Holder, handle: str) -> list[tuple[int, str]]:
    """What whoever may not know of a handle hears."""
    found = [holder.refusal("get", handle), holder.refusal("cancel", handle)]
    found += [holder.refusal("update", handle, inputResponses={"m1": accepted("Yes.")})]
    assert [data for _, _, data in found] == [None] * 3
    return [(code, message) for code, message, _ in found]


def test_wrong_callers_learn_and_change_nothing(guarded: tuple[Listener, Listener, dict[str, str]]) -> None:
    here, there, secrets = guarded
    with ExitStack() as stack:

        def come(name: str, server: Listener = here, path: str = "/mcp") -> Holder:
            return Holder(stack.enter_context(visiting(server, path, token=secrets[name], able=able())))

        kim = come("kim")
        task = kim.desk.call("create_task", title="Build it").task
        handle = kim.begin("delegate", task=task, to="ada")
        calm(kim.desk, "kim")
        wait = kim.begin("check_inbox", wait_seconds=45)
        unknown = "00000000-0000-4000-8000-000000000000"
        wrong = [come("ada"), come("bob"), come("outsider", there)]
        for each in wrong:
            for name in (handle, wait, unknown, f"{unknown}:kim", wait.replace(":kim", ":bob"), f"{handle}:kim"):
                assert tries(each, name) == [UNKNOWN] * 3
        assert tries(come("kim", path="/mcp/worker"), handle) == [UNKNOWN] * 3, "that address has no delegate"
        assert come("kim", path="/mcp/worker").get(wait)["status"] == "working"
        assert [kim.get(name)["status"] for name in (handle, wait)] == ["working"] * 2
        lead = come("lead")
        assert lead.get(handle) == kim.get(handle), "who may act as kim may have what is kim's"
        lead.cancel(handle)
        assert kim.get(handle)["status"] == "cancelled"
        assert kim.desk.call("get_task", task=task)["task"]["status"] == "pending"


def test_an_agent_that_has_ended_is_told_so(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db", able=able()) as desk:
        lead = Holder(desk)
        task, handle = handed(lead, to="kim")
        calm(desk, "kim")
        at_once = lead.call("check_inbox", wait_seconds=45, agent="kim")
        assert at_once["structuredContent"]["ready"] == 1, "whoever came for work does not wait while there is some"
        desk.call("claim_task", task=task, agent="kim")
        wait = lead.begin("check_inbox", wait_seconds=45, agent="kim")
        desk.call("register_agent", name="kim", lifecycle="terminated", agent="lead")
        stands = lead.get(wait)
        assert (stands["status"], stands["result"]["isError"]) == ("completed", True)
        assert "has ended" in stands["result"]["content"][0]["text"]
        assert lead.get(handle)["status"] == "cancelled"


# On the wire


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    with listening(tmp_path_factory.mktemp("wire") / "swarm.db") as listener:
        yield listener


def send(
    server: Listener, method: str, path: str = "/mcp", *, meta: dict[str, Any] | None = None, **params: Any
) -> Any:
    """One request of the newer generation; the status and the body."""
    body, headers = modern(method, params, **(DECLARED if meta is None else meta))
    if "taskId" in params:
        headers["Mcp_Name"] = str(params["taskId"])
    heard = server.ask("POST", path, body, **headers)
    return heard.status, heard.facts.get("result") or heard.facts["error"]


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_the_methods_are_only_for_clients_that_declare_the_extension(server: Listener, method: str) -> None:
    for params in ({}, {"taskId": "x"}, {"taskId": "x", "inputResponses": {}}):
        status, error = send(server, method, meta={}, **params)
        assert (status, error["code"], error["data"]) == (400, -32021, NEEDED)
    old = server.ask("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}, **of_session())
    assert old.facts["error"]["code"] != -32021
    with visiting(server, mode=LEGACY, able=able()) as desk:
        assert Holder(desk).refusal(method.removeprefix("tasks/"), "x", inputResponses={}) == (
            -32601, "Method not found", method,
        )  # fmt: skip


def test_the_older_generation_cannot_have_handles(server: Listener) -> None:
    with visiting(server, mode=LEGACY, able=able()) as desk:
        task = desk.call("create_task", title="Build it", agent="lead").task
        delegated = Holder(desk).call("delegate", task=task, to="ada", agent="lead")
        assert (delegated["isError"], "taskId" in delegated) == (False, False)
        assert "taskId" not in Holder(desk).call("check_inbox", wait_seconds=1, agent="lead")


@pytest.mark.parametrize("params", [{}, {"taskId": 1}, {"taskId": None}, {"taskId": ["x"]}, {"taskId": {"x": 1}}])
def test_a_request_that_says_no_handle_is_told_what_it_takes(server: Listener, params: dict[str, Any]) -> None:
    status, error = send(server, "tasks/get", **params)
    assert (status, error["code"]) == (400, -32602)
    assert error["message"].endswith("wrong or missing: taskId.")
    for responses in (None, [], "x", 1):
        status, error = send(server, "tasks/update", taskId="x", inputResponses=responses)
        assert error["message"].endswith("wrong or missing: inputResponses.")


def test_no_handle_is_no_handle_however_it_is_spelt(server: Listener) -> None:
    for name in ("", "x", "ü", "\x00", "x" * 9_000, "'; DROP TABLE task", "../../etc", ":", f"{'0' * 36}:lead"):
        body, headers = modern("tasks/get", {"taskId": name}, **DECLARED)
        heard = server.ask("POST", "/mcp", body, **headers, Mcp_Name="elsewhere")
        assert heard.facts["error"]["code"] == -32020
    with visiting(server, able=able()) as desk:
        for name in ("", "x", "ü", "x" * 900, "'; DROP TABLE task", "../../etc", ":", f"{'0' * 36}:lead", "\x00"):
            assert Holder(desk).refusal("get", name)[:2] == UNKNOWN


def test_an_address_without_the_tools_has_no_extension(server: Listener) -> None:
    offered = {path: send(server, "server/discover", path)[1]["capabilities"].get("extensions", {}) for path in
               ("/mcp", "/mcp/worker", "/mcp/observer")}  # fmt: skip
    assert offered == {"/mcp": {IDENTIFIER: {}}, "/mcp/worker": {IDENTIFIER: {}}, "/mcp/observer": {}}
    assert send(server, "tasks/get", "/mcp/observer", taskId="x")[1]["code"] == -32601


def test_nobody_is_told_of_handles_who_does_not_know_what_they_are() -> None:
    async def nothing(ctx: Any, params: object) -> dict[str, Any]:
        return {"resultType": "complete", "tools": [], "ttlMs": 0, "cacheScope": "private"}

    async def listen(ctx: Any, params: object) -> dict[str, Any]:
        raise MCPError(code=1, message="It is heard.")

    async def hears(extensions: list[Any], **wanted: Any) -> int:
        server: Server[Any] = Server("x", on_list_tools=nothing, on_call_tool=nothing, on_subscriptions_listen=listen)
        plug_tasks(server, {"delegate"}, *[None] * 4)  # pyright: ignore[reportArgumentType] - nobody gets that far
        async with Client(server, extensions=extensions) as client:
            request = Request[dict[str, Any], str](method="subscriptions/listen", params={"notifications": wanted})
            with pytest.raises(MCPError) as met:
                await client.session.send_request(request, ANYTHING)
            return met.value.code

    async def all_of_it() -> list[int]:
        knowing = [advertise(IDENTIFIER)]
        return [await hears([], taskIds=["x"]), await hears([]), await hears(knowing, taskIds=["x"])]

    assert asyncio.run(all_of_it()) == [-32021, 1, 1]


# Without it


@pytest.fixture(scope="module")
def stripped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program without the extension: the package deleted, and the two lines that plug it in."""
    place = tmp_path_factory.mktemp("stripped")
    package = place / "swarm_mcp"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__", "tasks_extension"))
    if not (package / "migrations").exists():
        shutil.copytree(SOURCE.parents[1] / "migrations", package / "migrations")
    app = package / "server" / "app.py"
    lines = app.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if "plug_tasks" not in line]
    assert len(lines) - len(kept) == 2
    app.write_text("".join(kept), encoding="utf-8")
    return place


def test_nothing_else_knows_the_extension() -> None:
    found: list[str] = []
    for path in SOURCE.rglob("*.py"):
        if path.parent.name == "tasks_extension":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            found += [path.name for name in names if "tasks_extension" in name]
    assert found == ["app.py"]


CHANGING = re.compile(r'"at":"[^"]*"|"lease_until":"[^"]*"|\d{4}-\d\d-\d\dT[\d:.+]+|[\d-]* ?\d\d:\d\dZ?')


def a_day(server: Listener) -> list[tuple[str, int, str]]:
    """What a client hears that does not declare the extension: every byte but the task's id, and the times."""
    heard: list[tuple[str, int, str]] = []
    made = send(server, "tools/call", meta={}, name="create_task", arguments={"title": "Build it", "agent": "lead"})
    task = made[1]["structuredContent"]["task"]["id"]

    def say(method: str, **params: Any) -> None:
        body, headers = modern(method, params)
        if "uri" in params:
            headers["Mcp_Name"] = params["uri"]
        answer = server.ask("POST", "/mcp", body, **headers)
        heard.append((method, answer.status, CHANGING.sub("THEN", answer.body.decode().replace(task, "TASK"))))

    def use(tool: str, **said: Any) -> None:
        say("tools/call", name=tool, arguments=said)

    for method in ("tools/list", "prompts/list", "resources/templates/list", "resources/list", "nonsense"):
        say(method)
    for said in ({"to": "ada"}, {"to": "nobody here"}, {"to": "ada", "nonsense": 1}, {"to": "ada"}):
        use("delegate", task=task, agent="lead", **said)
    for seconds in (45, 1, 0, 46):
        use("check_inbox", wait_seconds=seconds, agent="ada")
    use("claim_task", task=task, agent="ada")
    use("report_progress", task=task, message="Which?", status="requires_assistance", agent="ada")
    use("send_message", text="This.", task=task, agent="lead")
    use("complete_task", task=task, summary="Done.", agent="ada")
    use("get_overview", agent="lead")
    say("resources/read", uri=f"swarm://tasks/{task}")
    begin = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "host", "version": "1"}}
    body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": begin}
    answer = server.ask("POST", "/mcp", body, **of_session())
    heard.append(("initialize", answer.status, answer.body.decode()))
    return heard


def test_without_its_package_the_server_is_what_it_is_to_clients_that_do_not_know_it(
    stripped: Path, tmp_path: Path
) -> None:
    with listening(tmp_path / "with.db") as server:
        day = a_day(server)
    with listening(tmp_path / "without.db", name="without", PYTHONPATH=str(stripped)) as server:
        assert a_day(server) == day
        status, error = send(server, "tasks/get", taskId="x")
        assert (status, error["code"]) == (404, -32601)
        assert send(server, "server/discover")[1]["capabilities"].get("extensions") is None
        with visiting(server, able=able()) as desk:
            lead = Holder(desk)
            task = desk.call("create_task", title="Build it", agent="lead").task
            assert lead.call("delegate", task=task, to="ada", agent="lead")["resultType"] == "complete"
            calm(desk)
            assert lead.call("check_inbox", wait_seconds=1, agent="lead")["resultType"] == "complete"
    statuses = {method: status for method, status, _ in day}
    assert statuses == {**dict.fromkeys(statuses, 200), "nonsense": 404}
    assert 'resultType":"task' not in str(day)
