"""A board over HTTP: both generations, HTTP+SSE, several processes on one file, and how it ends."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest
from listening import (
    Listener,
    begin,
    call,
    handshake,
    listening,
    modern,
    of_session,
    old_call,
    visiting,
)
from serving import GIVE_UP_SECONDS, LEGACY, MODERN

from swarm_mcp.model.agent import Profile
from swarm_mcp.server import toolbox
from swarm_mcp.server.schemas import ORDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from http.client import HTTPConnection, HTTPResponse
    from pathlib import Path

    from serving import Answer, Desk

WAYS = [("/mcp", MODERN), ("/mcp", LEGACY), ("/sse", LEGACY)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """One server for all tests that do not end it; `lead` directs its project."""
    with listening(tmp_path_factory.mktemp("http") / "swarm.db") as listener:
        body, headers = call("share_context", key="begun", value="yes", agent="lead")
        assert not listener.ask("POST", "/mcp", body, **headers).facts["result"]["isError"]
        yield listener


# Clients of both generations


def use_every_tool(desk: Desk, lead: str, worker: str) -> set[str]:
    """A day's work, with each tool once at least."""
    used: set[str] = set()

    def use(tool: str, **said: Any) -> Any:
        used.add(tool)
        return desk.call(tool, **said)

    use("register_agent", name=worker, superior=lead, agent=lead)
    task = use("create_task", title="Build", criteria=["It runs"], agent=lead).task
    use("delegate", task=task, to=worker, agent=lead)
    use("claim_task", task=task, agent=worker)
    use("get_task", task=task, agent=worker)
    use("report_progress", task=task, message="Half", percent=50, agent=worker)
    use("add_note", task=task, text="Mine.", agent=worker)
    use("share_context", key="k", value="v", task=task, agent=worker)
    use("send_message", text="Well?", to=lead, agent=worker)
    use("check_inbox", agent=lead)
    use("join_task", task=task, agent=lead)
    use("update_task", task=task, priority="high", agent=lead)
    use("complete_task", task=task, summary="Built.", evidence={"1": "It ran."}, agent=worker)
    use("review_task", task=task, quality=5, agent=lead)
    use("create_plan", tasks=[{"title": "One"}, {"title": "Two"}], agent=lead)
    use("list_tasks", limit=5)
    use("list_agents")
    use("get_overview")
    return used


@pytest.mark.parametrize(("path", "mode"), WAYS)
def test_every_tool_answers_over_every_transport(server: Listener, path: str, mode: str) -> None:
    with visiting(server, path, mode=mode) as desk:
        used = use_every_tool(desk, "lead", f"ada{path.replace('/', '-')}-{mode}")
        assert used == set(ORDER)
        assert "Build" in desk.read("swarm://tasks?status=completed")
        assert desk.run("list_prompts").prompts
        assert desk.run("list_resources").resources
        refused = desk.refusal("get_task", task="zzzzzzzz")
        assert refused["code"] == "not_found"


@pytest.mark.parametrize(
    ("path", "profile"),
    [
        ("/mcp", "director"), ("/mcp/director", "director"), ("/mcp/worker", "worker"), ("/mcp/observer", "observer"),
        ("/sse", "director"), ("/sse/worker", "worker"), ("/sse/observer", "observer"),
    ],
)  # fmt: skip
def test_an_address_offers_the_tools_of_its_profile(server: Listener, path: str, profile: str) -> None:
    with visiting(server, path, mode=LEGACY) as desk:
        offered = [tool.name for tool in desk.run("list_tools").tools]
    assert offered == [tool["name"] for tool in toolbox.listed(Profile(profile))]


def keep_busy(desk: Desk, agent: str) -> None:
    """Give an agent work and nothing to read, so that it waits whatever else there is to do."""
    desk.call("register_agent", name=agent, superior="lead", agent="lead")
    task = desk.call("create_task", title="Keep busy", assignee=agent, agent="lead").task
    desk.call("claim_task", task=task, agent=agent)
    for _ in range(2):
        desk.call("check_inbox", agent=agent)


def begin_to_wait(desk: Desk) -> Future[Answer]:
    """Ask for news, and go on when the server has said that there are none yet."""
    told = threading.Event()

    async def note(*said: Any) -> None:
        told.set()

    answer = desk.begin("check_inbox", wait_seconds=45, progress=note)
    assert told.wait(GIVE_UP_SECONDS)
    return answer


@pytest.mark.parametrize(("path", "mode"), WAYS)
def test_whoever_waits_is_woken_by_another_caller(server: Listener, path: str, mode: str) -> None:
    me = f"eva-{mode}{path.replace('/', '-')}"
    with visiting(server, path, mode=mode, name=me) as waiting, visiting(server) as other:
        keep_busy(other, me)
        answer = begin_to_wait(waiting)
        other.call("send_message", text="Wake up!", to=me, agent="lead")
        assert [item["text"] for item in answer.result()["items"]] == ["Wake up!"]


# Sessions of the older generation


def test_sessions_of_one_client_are_told_apart_and_free_their_names(server: Listener) -> None:
    with visiting(server, mode=LEGACY, name="ide") as one, visiting(server, "/sse", mode=LEGACY, name="ide") as two:
        assert (one.call("get_task")["agent"], two.call("get_task")["agent"]) == ("ide", "ide-2")
    with visiting(server, mode=LEGACY, name="ide") as three:
        assert three.call("get_task")["agent"] == "ide"


def test_a_session_through_which_several_acted_wants_to_know_which_one(server: Listener) -> None:
    with visiting(server, mode=LEGACY, name="many") as desk:
        desk.call("share_context", key="a", value="1", agent="many-a")
        desk.call("share_context", key="a", value="2", agent="many-b")
        refused = desk.refusal("share_context", key="a", value="3")
    assert (refused["code"], refused["candidates"]) == ("ambiguous", ["many-a", "many-b"])


def test_a_session_goes_on_at_another_server_under_its_name(server: Listener) -> None:
    session = handshake(server, name="roamer")
    handshake(server, name="roamer")
    with listening(server.board, name="other") as other:
        assert old_call(other, session, "get_task")["structuredContent"]["agent"] == "roamer"
        task = old_call(other, session, "create_task", title="From there", agent="lead")["structuredContent"]["task"]
        found = old_call(server, session, "get_task", task=task["id"])
        assert "From there" in found["content"][0]["text"]
        assert other.ask("GET", "/mcp", **of_session("0" * 32)).status == 404
        assert other.ask("DELETE", "/mcp", **of_session(session)).status == 200
    with listening(server.board, name="third") as third:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        assert third.ask("POST", "/mcp", body, **of_session(session)).status == 404


def test_a_session_that_was_ended_is_over_when_its_client_hears_so(server: Listener) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for _ in range(20):  # as fast as one can, since something may still be under way
        headers = of_session(handshake(server))
        assert server.ask("DELETE", "/mcp", **headers).status == 200
        assert server.ask("POST", "/mcp", body, **headers).status == 404


def test_a_session_outlives_its_server(tmp_path: Path) -> None:
    board = tmp_path / "swarm.db"
    with listening(board) as first:
        session = handshake(first, name="stayer")
        assert first.stop() == 0
    with listening(board, name="second") as second:
        assert old_call(second, session, "get_task")["structuredContent"]["agent"] == "stayer"


# Requests without a session


def test_without_a_session_a_caller_is_its_client_however_many_act(server: Listener) -> None:
    for agent in ("solo-a", "solo-b", ""):
        body, headers = call("share_context", key="a", value="1", **({"agent": agent} if agent else {}))
        assert not server.ask("POST", "/mcp", body, **headers).facts["result"]["isError"]
    body, headers = call("get_task")
    assert server.ask("POST", "/mcp", body, **headers).facts["result"]["structuredContent"]["agent"] == "wire"


def test_without_a_session_a_second_claim_has_to_be_named(server: Listener) -> None:
    def ask(tool: str, **said: Any) -> dict[str, Any]:
        body, headers = call(tool, agent="lead", **said)
        return server.ask("POST", "/mcp", body, **headers).facts["result"]["structuredContent"]

    task = ask("create_task", title="Twice")["task"]["id"]
    ask("claim_task", task=task)
    assert "code" not in ask("report_progress", task=task, message="First", status="released")
    assert ask("claim_task", task=task)["attempt"] == 2
    assert ask("report_progress", task=task, message="Which?")["code"] == "claim_lost"
    assert "code" not in ask("report_progress", task=task, message="This.", attempt=2)


# Whoever goes away


def hear_that_it_waits(answer: HTTPResponse) -> None:
    """Read an answer that is still being given, until it says that there is nothing to say yet."""
    for line in answer:
        if b"Waiting for news" in line:
            return
    pytest.fail("It did not wait.")


@pytest.mark.parametrize("generation", [MODERN, LEGACY])
def test_news_for_a_caller_that_has_gone_stay_unread(server: Listener, generation: str) -> None:
    me, other = f"gone-{generation}", f"witness-{generation}"
    with visiting(server) as desk:
        keep_busy(desk, me)
        keep_busy(desk, other)
    body, headers = modern(
        "tools/call", {"name": "check_inbox", "arguments": {"wait_seconds": 45, "agent": me}}, progressToken="p"
    )
    if generation == LEGACY:
        headers = of_session(handshake(server, name=me))
        body["params"].pop("_meta")
        body["params"]["_meta"] = {"progressToken": "p"}
    with closing(server.connect()) as connection:
        begin(connection, "POST", "/mcp", body, **headers)
        with closing(connection.getresponse()) as answer:
            hear_that_it_waits(answer)
    with visiting(server, name=other) as witness:
        answer = begin_to_wait(witness)
        witness.call("send_message", text="Are you there?", to="all", agent="lead")
        assert answer.result()["items"]  # so that everybody who waits has been woken
        news = [witness.call("check_inbox", agent=me).facts.get("items", []) for _ in range(2)]
    # Had it been shown to nobody, it would count as read when its reader asks.
    assert [[item["text"] for item in items] for items in news] == [["Are you there?"], []]


# Several processes


def test_two_processes_on_one_file_see_each_other(server: Listener) -> None:
    with listening(server.board, "--transport", "http", name="beside") as beside:
        with visiting(server, name="left") as left, visiting(beside, name="right") as right:
            task = left.call("create_task", title="Seen from both", agent="lead").task
            assert right.call("get_task", task=task)["task"]["title"] == "Seen from both"
            right.call("claim_task", task=task)
            assert left.refusal("claim_task", task=task)["code"] == "conflict"
        assert beside.ask("GET", "/sse").status == 404


def test_sse_alone_is_served_alone(tmp_path: Path) -> None:
    with listening(tmp_path / "swarm.db", "--transport", "sse") as listener:
        with visiting(listener, "/sse", mode=LEGACY) as desk:
            assert desk.call("get_overview")["total_tasks"] == 0
        body, headers = call("get_overview")
        assert listener.ask("POST", "/mcp", body, **headers).status == 404


# Walls


@pytest.mark.parametrize("path", ["/mcp", "/mcp/worker", "/sse", "/messages/director", "/api/tasks", "/metrics"])
def test_another_name_and_a_strange_page_are_refused(server: Listener, path: str) -> None:
    method = "POST" if path in {"/mcp", "/mcp/worker", "/api/tasks", "/messages/director"} else "GET"
    body, headers = call("get_overview")
    assert server.ask(method, path, body, **headers, Host="evil.example").status == 421
    for origin in ("http://evil.example", "null", "http://localhost.evil.example"):
        assert server.ask(method, path, body, **headers, Origin=origin).status == 403


def test_our_own_names_and_pages_are_let_in(server: Listener) -> None:
    body, headers = call("get_overview")
    for host in (f"localhost:{server.port}", "127.0.0.1", "[::1]:80"):
        assert server.ask("POST", "/mcp", body, **headers, Host=host).status == 200
    assert server.ask("POST", "/mcp", body, **headers, Origin="http://localhost:3000").status == 200
    assert server.ask("GET", "/health", Host="10.1.2.3").status == 200


@pytest.mark.parametrize("path", ["/mcp", "/messages/director", "/api/tasks"])
def test_a_body_that_is_too_large_is_refused(server: Listener, path: str) -> None:
    body, headers = call("get_overview", text="x" * (4 * 1024 * 1024))
    assert server.ask("POST", path, body, **headers).status == 413
    with closing(server.connect()) as connection:  # the same without saying how much comes
        pieces = (b"x" * 65536 for _ in range(70))
        connection.request("POST", path, pieces, {"Content-Type": "application/json"}, encode_chunked=True)
        assert connection.getresponse().status == 413


# Ends and beginnings


def test_a_server_that_is_asked_to_stop_answers_what_is_in_flight_and_ends_its_streams(tmp_path: Path) -> None:
    with ExitStack() as ends, listening(tmp_path / "swarm.db", "--log-level", "info") as listener:

        def connect() -> HTTPConnection:
            return ends.enter_context(closing(listener.connect()))

        session = handshake(listener, name="open")
        stream = connect()
        begin(stream, "GET", "/mcp", **{**of_session(session), "Accept": "text/event-stream"})
        opened = stream.getresponse()
        waits = []
        for _ in range(2):  # whoever leads hears of it, and is not to be woken by that
            old_call(listener, session, "check_inbox")
            body, headers = call("check_inbox")
            listener.ask("POST", "/mcp", body, **headers)
        for headers in (of_session(session), modern("tools/call", {"name": "check_inbox"})[1]):
            body, _ = modern(
                "tools/call", {"name": "check_inbox", "arguments": {"wait_seconds": 45}}, progressToken="p"
            )
            if "Mcp_Session_Id" in headers:
                body["params"]["_meta"] = {"progressToken": "p"}
            waits.append(connect())
            begin(waits[-1], "POST", "/mcp", body, **headers)
        with visiting(listener, "/sse", mode=LEGACY, name="old") as desk:
            for _ in range(2):
                desk.call("check_inbox")
            waiting = begin_to_wait(desk)
            answers = [each.getresponse() for each in waits]
            for each in answers:
                hear_that_it_waits(each)
            began = time.monotonic()
            assert listener.stop() == 0
            assert not waiting.result().refused
        assert time.monotonic() - began < 5
        for each in answers:
            assert b'"isError":false' in each.read()
        opened.read()  # it ends as a stream should, not in the middle
        assert "Traceback" not in listener.log.read_text()


def test_an_address_that_is_taken_is_one_sentence(server: Listener, tmp_path: Path) -> None:
    command = ["serve", "--transport", "http", "--database", str(tmp_path / "b.db"), "--port", str(server.port)]
    done = subprocess.run(
        [sys.executable, "-m", "swarm_mcp", *command], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"Nothing can listen on 127.0.0.1 port {server.port}: address already in use. "
        "Choose another with --port, or 0 for any that is free.\n"
    )


def test_a_client_that_sends_nothing_hinders_nobody(server: Listener) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as silent:
        silent.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
        assert server.ask("GET", "/health").status == 200
