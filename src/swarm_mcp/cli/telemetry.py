"""Where spans go: what OpenTelemetry's own variables say, set up only if they ask for it."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from swarm_mcp import __version__
from swarm_mcp.repository import tracing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace.export import SpanExporter

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
LAST_SPANS_SECONDS = 1.0
"""How long the end of the process waits for the last spans to be sent."""
NOT_INSTALLED = (
    "OpenTelemetry's variables ask for traces, but what sends them is not installed, and nothing is traced: "
    "pip install 'swarm-mcp-server[telemetry]'.\n"
)


def set_up_tracing() -> None:
    """Send spans where the environment says; nothing is imported where it says nothing.

    `opentelemetry-instrument` and programs of one's own may have set up theirs already, which is then left alone.
    """
    if tracing.begin() or not (names := wanted()):
        return
    try:
        provide(names)
    except ImportError:
        sys.stderr.write(NOT_INSTALLED)
    else:
        tracing.begin()


def wanted() -> list[str]:
    """The names of the exporters that the environment asks for, as OpenTelemetry specifies them."""
    said = os.environ.get("OTEL_TRACES_EXPORTER", "").strip()
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return []
    if not said and any(os.environ.get(each) for each in ENDPOINTS):
        said = "otlp"
    return [each.strip() for each in said.split(",") if each.strip() not in {"", "none"}]


def provide(names: list[str]) -> None:
    """Make a provider of tracers, which sends in the background, and at the end of the process what is left.

    Raises:
        ImportError: an exporter is not installed, or the library itself.

    """
    from opentelemetry import trace  # noqa: PLC0415 - only those pay for it who want it
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    told = Resource.create({"service.version": __version__})
    named = told.attributes.get("service.name", "unknown_service")
    if str(named).startswith("unknown_service"):  # what the library calls those that nobody has named
        told = told.merge(Resource({"service.name": "swarm-mcp"}))
    provider = TracerProvider(resource=told, shutdown_on_exit=False)
    for exporter in exporters(names):
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    # By itself the library tries for half a minute to reach whoever collects, and a host does not wait so long.
    ending = threading.Event()
    last = threading.Thread(target=lambda: (ending.wait(), provider.shutdown()), name="last-spans", daemon=True)
    last.start()  # now, because at the end some Pythons start no thread any more
    atexit.register(lambda: (ending.set(), last.join(LAST_SPANS_SECONDS)))


def exporters(names: list[str]) -> Iterator[SpanExporter]:
    """The exporters of those names.

    Raises:
        ImportError: one is not installed.

    """
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter  # noqa: PLC0415

    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    for name in names:
        if name == "console":
            yield ConsoleSpanExporter(out=sys.stderr)  # stdout is the wire, or what a command prints
            continue
        full = f"otlp_proto_{'grpc' if protocol == 'grpc' else 'http'}" if name == "otlp" else name
        found = list(entry_points(group="opentelemetry_traces_exporter", name=full))
        if not found:
            raise ImportError(full)
        yield found[0].load()()
