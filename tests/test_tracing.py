"""Spans: whose children they are, what they say and never say, and that there are none where nobody wants any."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from listening import call, handshake, listening, old_call, visiting
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from serving import LEGACY, MODERN, wired

from swarm_mcp import operations
from swarm_mcp.cli.telemetry import wanted
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import tracing
from swarm_mcp.repository.failures import Contended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

WORD = "Zanzibar"
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"


class Collector:
    """Whoever collects spans, as OTLP sends them: a server on this machine."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Taker(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                collector.bodies.append(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - what the base class calls it
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
        self.environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server.server_address[1]}"}

    @property
    def requests(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies]

    @property
    def spans(self) -> list[Span]:
        """Every span that came, in the order of their beginnings."""
        found = [
            span for request in self.requests for resource in request.resource_spans
            for scope in resource.scope_spans for span in scope.spans
        ]  # fmt: skip
        return sorted(found, key=lambda span: span.start_time_unix_nano)

    def lines(self, name: str) -> list[list[str]]:
        """For each span of that name: the names of those around it, itself first; `remote` is the caller's own."""
        by_id = {span.span_id: span for span in self.spans}
        found: list[list[str]] = []
        for span in self.spans:
            if span.name == name:
                line = [span.name]
                while span.parent_span_id:
                    if span.parent_span_id.hex() == CALLER:
                        assert span.trace_id.hex() == TRACE
                        line.append("remote")
                        break
                    span = by_id[span.parent_span_id]  # noqa: PLW2901
                    line.append(span.name)
                found.append(line)
        return found

    def facts(self, name: str) -> list[dict[str, Any]]:
        """The attributes of every span of that name."""
        return [
            {each.key: each.value.string_value or each.value.int_value for each in span.attributes}
            for span in self.spans if span.name == name
        ]  # fmt: skip


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Somebody who collects."""
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, args=(0.02,))
    thread.start()
    yield collector
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


@contextmanager
def remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Keep what is traced in this process meanwhile."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with monkeypatch.context() as patch:
        patch.setattr(tracing, "tracer", provider.get_tracer("test"))
        yield exporter


# Over the wires


def test_over_stdio_operations_are_below_transactions_below_the_librarys_spans(
    tmp_path: Path, collector: Collector
) -> None:
    with wired(tmp_path / "swarm.db", "--agent", "lead", **collector.environment) as wire:
        made = wire.call("create_task", {"title": WORD})
        task = made["structuredContent"]["task"]["id"]
        wire.send("tools/call", {"name": "get_task", "arguments": {"task": task}}, traceparent=TRACEPARENT)
        assert WORD in json.dumps(wire.hear())
        wire.call("get_overview", {})  # long, and so on a worker thread
        wire.rest()
        assert wire.process.wait() == 0
    assert collector.lines("swarm.operation/create_task") == [
        ["swarm.operation/create_task", "swarm.transaction/write", "tools/call create_task"]
    ]
    assert collector.lines("swarm.operation/get_overview") == [
        ["swarm.operation/get_overview", "swarm.transaction/read", "tools/call get_overview"]
    ]
    assert collector.lines("swarm.operation/get_task") == [
        ["swarm.operation/get_task", "swarm.transaction/read", "tools/call get_task", "remote"]
    ]
    assert collector.facts("swarm.operation/create_task") == [
        {"swarm.project": "default", "swarm.agent": "lead", "swarm.outcome": "ok"}
    ]


@pytest.mark.parametrize(("path", "mode"), [("/mcp", MODERN), ("/mcp", LEGACY), ("/sse", LEGACY)])
def test_over_http_the_request_is_around_the_librarys_span(
    tmp_path: Path, collector: Collector, path: str, mode: str
) -> None:
    with listening(tmp_path / "swarm.db", **collector.environment) as listener:
        with visiting(listener, path, mode=mode) as desk:
            desk.call("create_task", title=WORD)
        assert listener.stop() == 0
    posted = "POST /messages/director" if path == "/sse" else f"POST {path}"
    assert collector.lines("swarm.operation/create_task") == [
        ["swarm.operation/create_task", "swarm.transaction/write", "tools/call create_task", posted]
    ]


def test_a_request_is_below_the_span_that_a_proxy_names(tmp_path: Path, collector: Collector) -> None:
    with listening(tmp_path / "swarm.db", **collector.environment) as listener:
        body, headers = call("claim_task")
        assert listener.ask("POST", "/mcp/worker", body, traceparent=TRACEPARENT, **headers).status == 200
        assert listener.ask("GET", "/api/tasks/zzzzzzzz", traceparent=TRACEPARENT).status == 404
        listener.stop()
    assert collector.lines("swarm.operation/claim_task")[0][2:] == [
        "tools/call claim_task", "POST /mcp/worker", "remote"
    ]  # fmt: skip
    (line,) = collector.lines("swarm.operation/get_task")
    assert line[1:] == ["swarm.transaction/read", "GET /api/tasks/{task_id}", "remote"]
    (facts,) = collector.facts("GET /api/tasks/{task_id}")
    assert facts["http.response.status_code"] == 404


def test_no_span_repeats_what_anybody_wrote(tmp_path: Path, collector: Collector) -> None:
    board = tmp_path / "swarm.db"
    with listening(board, **collector.environment) as listener, visiting(listener, name="lead") as lead:
        task = lead.call("create_task", title=WORD, description=WORD, criteria=[WORD]).task
        lead.call("claim_task", task=task)
        lead.call("add_note", task=task, text=WORD)
        lead.call("share_context", task=task, key=WORD, value=WORD)
        lead.call("send_message", to="operator", text=WORD)
        lead.call("report_progress", task=task, message=WORD)
        lead.call("list_tasks", text=WORD)
        assert WORD in lead.refusal("get_task", task=f"{WORD} nowhere").text
        lead.refusal("create_task", title=WORD, colour=WORD)
        lead.refusal("complete_task", task=task, attempt=77, summary=WORD)
        assert WORD in lead.read(f"swarm://tasks/{task}/notes")
        listener.ask("POST", "/api/tasks", {"title": WORD, "agent": "lead"})
        listener.ask("GET", f"/api/tasks/{WORD}?agent={WORD}")
        listener.ask("GET", f"/{WORD}")
        listener.ask("POST", "/mcp", {WORD: WORD}, **call("get_task")[1])
        listener.stop()
    named = {span.name for span in collector.spans}
    told = {"add_note", "share_context", "send_message", "report_progress", "list_tasks", "complete_task"}
    assert {f"swarm.operation/{each}" for each in told} <= named
    outcomes = {facts["swarm.outcome"] for facts in collector.facts("swarm.operation/get_task")}
    assert outcomes >= {"not_found"}
    assert WORD.lower() not in str(collector.requests).lower()


def test_a_session_of_the_older_generation_is_traced_at_whichever_server_it_comes_to(
    tmp_path: Path, collector: Collector
) -> None:
    board = tmp_path / "swarm.db"
    with listening(board, name="one") as one, listening(board, name="two", **collector.environment) as two:
        session = handshake(one)
        assert not old_call(two, session, "get_overview")["isError"]
        two.stop()
    assert ["swarm.operation/get_overview", "swarm.transaction/read", "tools/call get_overview", "POST /mcp"] in (
        collector.lines("swarm.operation/get_overview")
    )


# Commands and scripts


def run(*words: str, board: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], check=False, capture_output=True, text=True, cwd=board.parent,
        env={**os.environ, "SWARM_DATABASE": str(board), **environment},
    )  # fmt: skip


def test_a_command_is_traced_and_its_output_is_its_own(tmp_path: Path, collector: Collector) -> None:
    board = tmp_path / "swarm.db"
    words = ("-m", "swarm_mcp", "token", "create", "ada", "--json")
    done = run(*words, board=board, OTEL_TRACES_EXPORTER="otlp,console", **collector.environment)
    assert json.loads(done.stdout)["secret"].startswith("swarm_")
    assert '"name": "swarm.transaction/write"' in done.stderr
    assert ["swarm.transaction/write"] in collector.lines("swarm.transaction/write")
    names = {
        each.key: each.value.string_value
        for request in collector.requests for resource in request.resource_spans
        for each in resource.resource.attributes
    }  # fmt: skip
    assert names["service.name"] == "swarm-mcp"
    assert json.loads(done.stdout)["secret"] not in done.stderr + str(collector.requests)


SCRIPT = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from swarm_mcp import open_swarm, operations

memory, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
trace.set_tracer_provider(provider)
swarm = open_swarm("swarm.db")
with trace.get_tracer("mine").start_as_current_span("mine"), swarm.writing(agent="ada") as db:
    operations.create_plan(db, tasks=[{"title": "One"}])
    operations.list_tasks(db)
names = {each.context.span_id: each.name for each in memory.get_finished_spans()}
for each in memory.get_finished_spans():
    print(each.name, "<", names[each.parent.span_id] if each.parent else "")
"""


def test_the_spans_of_a_script_are_below_its_own(tmp_path: Path) -> None:
    done = run("-c", SCRIPT, board=tmp_path / "swarm.db")
    assert done.stdout.splitlines() == [
        "swarm.operation/create_plan < swarm.transaction/write",
        "swarm.operation/list_tasks < swarm.transaction/write",
        "swarm.transaction/write < mine",
        "mine < ",
    ], done.stderr


# Transactions


def nothing(db: Any) -> None:
    """A change that changes nothing."""


def test_a_change_that_is_run_again_is_a_span_each_time(place: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    swarm = open_swarm(place)
    turns = iter([Contended(), None])

    def change(db: Any) -> int:
        if error := next(turns):
            raise error
        return len(operations.list_tasks(db).tasks)

    with remembered(monkeypatch) as exporter:
        swarm.write(change)
        swarm.write(nothing)
    swarm.close()
    tries = [
        (each.attributes["swarm.try"], each.attributes["swarm.outcome"])
        for each in exporter.get_finished_spans() if each.name == "swarm.transaction/write"
    ]  # fmt: skip
    assert tries == [(1, "busy"), (2, "ok"), (1, "ok")]


def test_the_wait_for_another_writer_ends_with_an_event(database_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swarm = open_swarm(database_path)
    inside = threading.Event()
    with remembered(monkeypatch) as exporter:
        second = threading.Thread(target=lambda: (inside.wait(), swarm.write(nothing)))
        second.start()
        with swarm.writing():
            inside.set()
            while not swarm.database._store._gate.waiting:  # type: ignore[union-attr]
                threading.Event().wait(0.001)
        second.join()
    swarm.close()
    first, last = exporter.get_finished_spans()
    assert [each.name for each in first.events] == ["begun", "committing"]
    assert last.start_time < first.events[1].timestamp <= last.events[0].timestamp


def test_what_breaks_inside_is_told_as_broken_and_no_more(place: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    swarm = open_swarm(place)

    def change(db: Any) -> None:
        raise RuntimeError(WORD)

    with remembered(monkeypatch) as exporter, pytest.raises(RuntimeError, match=WORD):
        swarm.write(change)
    swarm.close()
    (span,) = exporter.get_finished_spans()
    assert span.attributes["swarm.outcome"] == span.attributes["error.type"] == "broken"
    assert span.attributes["db.system.name"] == ("postgresql" if isinstance(place, str) else "sqlite")
    assert WORD not in span.to_json()


# Where nobody wants any


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9"}, ["otlp"]),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, ["console", "otlp"]),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, []),
        ({"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "True"}, []),
        ({"OTEL_METRICS_EXPORTER": "console"}, []),
    ],
)
def test_the_usual_variables_say_where_spans_go(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], names: list[str]
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert wanted() == names


@pytest.mark.parametrize(
    ("environment", "traces"),
    [({}, False), ({"OTEL_SERVICE_NAME": "mine"}, False), ({"OTEL_TRACES_EXPORTER": "console"}, True)],
)
def test_a_server_imports_what_sends_spans_only_if_it_is_asked_to(
    tmp_path: Path, environment: dict[str, str], traces: bool
) -> None:
    with wired(tmp_path / "swarm.db", PYTHONPROFILEIMPORTTIME="1", **environment) as wire:
        wire.call("create_task", {"title": "T"})
        wire.rest()
        assert wire.process.wait() == 0
    log = wire.log.read_text()
    assert "opentelemetry.trace" in log, "the library's own interface is always there"
    assert ("opentelemetry.sdk" in log) is traces
    assert ("swarm.operation/create_task" in log) is traces


def test_a_collector_that_is_not_there_keeps_nobody(tmp_path: Path) -> None:
    with wired(tmp_path / "swarm.db", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as wire:
        assert not wire.call("create_task", {"title": "T"})["isError"]
        wire.rest()
        assert wire.process.wait() == 0


@pytest.mark.parametrize(
    ("hidden", "asked"), [("opentelemetry.sdk", "otlp"), ("nothing", "otlp,of_somebody_else"), ("requests", "otlp")]
)
def test_what_is_not_installed_is_told_in_a_sentence(tmp_path: Path, hidden: str, asked: str) -> None:
    program = f"import sys; sys.modules['{hidden}'] = None; from swarm_mcp.__main__ import main; main()"
    done = run("-c", program, "version", board=tmp_path / "swarm.db", OTEL_TRACES_EXPORTER=asked)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert "pip install 'swarm-mcp-server[telemetry]'" in done.stderr
    assert "Traceback" not in done.stderr
