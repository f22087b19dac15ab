"""What goes over the wire for the Tasks extension, and that nothing else does for those who do not know it."""

from __future__ import annotations

import ast
import asyncio
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from handles import ANYTHING, IDENTIFIER, UNKNOWN, Holder, able, calm
from listening import Listener, listening, modern, of_session, visiting
from mcp import Client
from mcp.client.extension import advertise
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import Request
from serving import LEGACY

import swarm_mcp
from swarm_mcp.server.tasks_extension import plug_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator


SOURCE = Path(swarm_mcp.__file__).parent
NEEDED = {"requiredCapabilities": {"extensions": {IDENTIFIER: {}}}}
DECLARED = {"io.modelcontextprotocol/clientCapabilities": {"extensions": {IDENTIFIER: {}}}}


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


@pytest.mark.no_cover  # the copy of the program would count as a program that hardly anything covers
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
