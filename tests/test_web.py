"""Plain HTTP: health, figures, tasks as JSON, and answers that give nothing away."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from listening import Heard, Listener, listening
from recount import looking
from serving import GIVE_UP_SECONDS
from starlette.testclient import TestClient

from swarm_mcp import __version__, operations
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import migrate
from swarm_mcp.web import walls
from swarm_mcp.web.metrics import Metric, Traffic, page
from swarm_mcp.web.requests import CAREFUL, Requests
from swarm_mcp.web.walls import Walls, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INSIDE = re.compile(r"sqlite|sqlalchemy|alembic|traceback|\.py\b|/tmp|errno|0x", re.IGNORECASE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """A server on a board with one task, directed by `lead`."""
    board = tmp_path_factory.mktemp("web") / "swarm.db"
    with open_swarm(board).writing(agent="lead") as db:
        operations.create_task(db, title="First", description="Only to be read by get_task.")
    with listening(board, "--log-level", "info", SWARM_LOG_FORMAT="json") as listener:
        yield listener


# Health


def test_a_healthy_server_says_so(server: Listener) -> None:
    heard = server.ask("GET", "/health")
    assert (heard.status, heard.facts["status"], heard.facts["database"]) == (200, "healthy", "ok")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", heard.facts["timestamp"])


def test_health_in_detail_names_what_it_depends_on(server: Listener) -> None:
    facts = server.ask("GET", "/health/detailed").facts
    assert (facts["status"], facts["version"]) == ("healthy", __version__)
    checks = facts["checks"]
    assert set(checks) == {"database", "disk_space", "memory", "events"}
    assert checks["database"]["revision"] == checks["database"]["schema"] == migrate.HEAD
    assert checks["database"]["latency_ms"] > 0
    assert checks["memory"]["resident_bytes"] > 10_000_000
    assert checks["events"]["latest"] >= 1


def test_a_server_that_cannot_read_its_board_is_unhealthy_and_tells_no_more(tmp_path: Path) -> None:
    with listening(tmp_path / "swarm.db") as listener:
        with looking(listener.board) as raw:
            raw.execute("UPDATE alembic_version SET version_num = '9999'")
            raw.execute("CREATE TABLE of_a_newer_version (id)")
        heard = listener.ask("GET", "/health")
        assert (heard.status, heard.facts["status"], heard.facts["database"]) == (503, "unhealthy", "unavailable")
        assert listener.ask("GET", "/health/detailed").status == 503
        assert listener.ask("POST", "/api/tasks", {"title": "T"}).status == 503
        for path in ("/health", "/health/detailed", "/metrics"):
            assert not INSIDE.search(listener.ask("GET", path).body.decode())


def test_the_status_names_every_address(server: Listener) -> None:
    facts = server.ask("GET", "/api/status").facts
    assert (facts["api_version"], facts["status"]) == ("1", "running")
    assert {"/health", "GET /health/detailed", "POST /api/tasks", "/mcp", "/sse", "GET /metrics"} <= set(
        facts["endpoints"]
    )
    assert server.ask("GET", "/").facts == facts


# Tasks


def test_a_task_is_created_and_read_as_plain_json(server: Listener) -> None:
    said = {"title": "Over HTTP", "priority": "high", "criteria": "It runs", "agent": "lead"}
    made = server.ask("POST", "/api/tasks", said)
    assert made.status == 201
    task = made.facts["task"]["id"]
    found = server.ask("GET", f"/api/tasks/{task}?agent=lead")
    assert found.status == 200
    assert (found.facts["task"]["title"], found.facts["agent"]) == ("Over HTTP", "lead")
    assert found.facts["criteria"][0]["text"] == "It runs"
    assert server.ask("GET", f"/api/tasks/{task}?include=history").facts["history"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "words"),
    [
        ("POST", "/api/tasks", {"titel": "T", "agent": "lead"}, 400, "invalid", "did you mean `title`"),
        ("POST", "/api/tasks", {"title": "T"}, 403, "not_allowed", "is a worker"),
        ("POST", "/api/tasks", b"not json", 400, "invalid", "JSON object"),
        ("POST", "/api/tasks", [1], 400, "invalid", "JSON object"),
        ("POST", "/api/tasks", b"[" * 100_000, 400, "invalid", "JSON object"),
        ("POST", "/api/tasks", {"title": "T", "agent": "operator"}, 400, "invalid", "not named"),
        ("POST", "/api/tasks", {"title": "T", "depends_on": ["zzzzzzzz"], "agent": "lead"}, 404, "not_found", "zzzz"),
        ("GET", "/api/tasks/zzzzzzzz", None, 404, "not_found", "No task"),
        ("GET", "/api/tasks/zzzzzzzz?colour=red", None, 400, "invalid", "colour"),
        ("GET", "/api/tasks", None, 405, "invalid", "method"),
        ("DELETE", "/api/tasks/zzzzzzzz", None, 405, "invalid", "method"),
        ("GET", "/nothing/../etc", None, 404, "not_found", "nothing at this address"),
    ],
)
def test_a_refusal_is_json_with_a_status_of_its_own(
    server: Listener, method: str, path: str, body: Any, status: int, code: str, words: str
) -> None:
    heard = server.ask(method, path, body)
    assert (heard.status, heard.facts["code"]) == (status, code)
    assert words in heard.facts["message"]
    assert not INSIDE.search(heard.facts["message"])


# Figures


def test_figures_are_what_prometheus_reads(server: Listener) -> None:
    server.ask("GET", "/health")
    server.ask("GET", "/nowhere")
    heard = server.ask("GET", "/metrics")
    assert heard.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = heard.body.decode().splitlines()
    sample = re.compile(r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+-]+')
    assert [line for line in lines if not line.startswith("# ") and not sample.fullmatch(line)] == []
    text = heard.body.decode()
    assert 'swarm_tasks{status="pending"}' in text
    assert 'swarm_http_requests_total{method="GET",address="/health",status="200"}' in text
    assert 'address="other",status="404"' in text
    assert "nowhere" not in text, "what callers make up is no label"
    typed = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(typed) == len(set(typed))


def test_times_are_counted_up_to_each_limit() -> None:
    traffic = Traffic()
    for seconds in (0.001, 0.2, 120.0):
        traffic.count("GET", "/x", 200, seconds)
    text = page(traffic.metrics())
    for limit, number in (("0.005", 1), ("0.25", 2), ("60", 2), ("+Inf", 3)):
        assert f'swarm_http_request_seconds_bucket{{address="/x",le="{limit}"}} {number}\n' in text
    assert 'swarm_http_request_seconds_count{address="/x"} 3\n' in text


def test_labels_are_escaped() -> None:
    assert page([Metric("m", "gauge", "w", {(("l", 'a"\\\n'),): 1})]).endswith('m{l="a\\"\\\\\\n"} 1\n')


# What every answer has


@pytest.mark.parametrize("path", ["/health", "/nothing", "/api/tasks/zzzzzzzz", "/metrics"])
def test_every_answer_keeps_browsers_careful(server: Listener, path: str) -> None:
    headers = server.ask("GET", path).headers
    assert {name: headers[name.lower()] for name in CAREFUL} == CAREFUL
    assert "server" not in headers


def log_of(server: Listener, request_id: str) -> list[dict[str, Any]]:
    """What the log says of a request: written after its answer, so it is waited for."""
    until = time.monotonic() + GIVE_UP_SECONDS
    while True:
        lines = [line for line in server.log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
        told = [entry for entry in map(json.loads, lines) if entry.get("request_id") == request_id]
        if told or time.monotonic() > until:
            return told
        time.sleep(0.01)


def test_a_request_is_found_in_the_log_by_its_id(server: Listener) -> None:
    assert server.ask("GET", "/health", X_Request_Id="mine-1").headers["x-request-id"] == "mine-1"
    given = server.ask("GET", "/health", X_Request_Id="not an id\t!").headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", given)
    (entry,) = log_of(server, "mine-1")
    assert entry["message"].startswith("GET /health 200 in ")
    assert log_of(server, given)


async def broken(scope: Any, receive: Any, send: Any) -> None:
    _ = receive, send
    if scope["type"] == "http":
        raise RuntimeError("secret of /etc/passwd")


def test_a_mistake_of_ours_says_nothing_but_that() -> None:
    heard = TestClient(Requests(broken, Traffic())).get("/")
    assert heard.status_code == 500
    assert "secret" not in heard.text
    assert heard.json()["code"] == "unavailable"
    assert heard.headers["x-request-id"]


async def test_a_body_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walls, "ARRIVAL_SECONDS", 0.01)
    said: list[Any] = []

    async def nothing_arrives() -> Any:
        await asyncio.Event().wait()

    async def note(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/api/tasks", "headers": [(b"host", b"here")]}
    await Walls(broken, {"here"}, [])(scope, nothing_arrives, note)
    assert said[0]["status"] == 408


def test_names_are_read_from_hosts_of_all_kinds() -> None:
    said = {"LocalHost:80": "localhost", "[::1]:8765": "::1", "127.0.0.1": "127.0.0.1", "": "", "[": "", "a@b:1": "b"}
    assert {host: name_of(host) for host in said} == said


# What a pipe does without


def test_a_server_on_a_pipe_imports_nothing_of_this() -> None:
    program = "import sys, swarm_mcp.cli.app, swarm_mcp.cli.serving; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    remote = {
        "swarm_mcp.server.remote",
        "swarm_mcp.server.callers",
        "swarm_mcp.server.sessions",
        "swarm_mcp.cli.remote",
    }
    assert not {name for name in loaded if name.startswith("swarm_mcp.web") or name in remote or name == "jwt"}


# The command line


@pytest.fixture
def refused_start(tmp_path: Path) -> Any:
    """Start a server that must not start; what it says."""

    def start(*options: str, **environment: str) -> str:
        command = [sys.executable, "-m", "swarm_mcp", "serve", "--database", str(tmp_path / "swarm.db"), "--port", "0"]
        done = subprocess.run(
            [*command, *options], check=False, capture_output=True, text=True, cwd=tmp_path, timeout=60,
            env={**os.environ, **environment},
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
        return done.stderr

    return start


def test_an_address_that_others_reach_wants_somebody_to_let_in(refused_start: Any, tmp_path: Path) -> None:
    words = refused_start("--transport", "http", "--host", "0.0.0.0")  # noqa: S104 - it is refused
    assert "swarm-mcp token create" in words
    words = refused_start("--transport", "http", SWARM_OAUTH_ISSUER="https://issuer.example")
    assert "SWARM_OAUTH_AUDIENCE" in words


def test_heard_reads_streams_and_bodies() -> None:
    stream = Heard(200, {"content-type": "text/event-stream"}, b'event: message\r\ndata: {"a":1}\r\n\r\n')
    assert stream.facts == {"a": 1}
