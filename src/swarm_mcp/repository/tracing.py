"""Spans for OpenTelemetry: of each transaction and each operation, below whatever called it.

Nothing of it is there unless somebody has configured a provider of tracers (see cli/telemetry.py, or a script's own):
then `tracer` is None, and a call costs the look at it. What spans say are names of ours, the project, the agent and how
it ended; never a word of a task, a note or a message, and no text of an exception, which could repeat them.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from swarm_mcp.model.agent import THE_OPERATOR
from swarm_mcp.model.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span, Tracer

    from swarm_mcp.model.agent import Actor
    from swarm_mcp.repository.database import Transaction

P = ParamSpec("P")
T = TypeVar("T")

BROKEN = "broken"
"""The outcome of what raised something that is no refusal."""

tracer: Tracer | None = None
"""What makes the spans; None where nobody wants any."""


def begin() -> bool:
    """Trace from now on if a provider of tracers has been configured; whether we do."""
    global tracer  # noqa: PLW0603 - one for the process, as the provider is
    if tracer is None and ("opentelemetry.trace" in sys.modules or "OTEL_PYTHON_TRACER_PROVIDER" in os.environ):
        from opentelemetry import trace  # noqa: PLC0415 - scripts do without

        provider = trace.get_tracer_provider()
        if not isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
            tracer = provider.get_tracer("swarm-mcp")
    return tracer is not None


def operation(
    name: str,
) -> Callable[[Callable[Concatenate[Transaction, P], T]], Callable[Concatenate[Transaction, P], T]]:
    """Run an operation of that name in a span of its own, where anybody wants one."""

    def trace(run: Callable[Concatenate[Transaction, P], T]) -> Callable[Concatenate[Transaction, P], T]:
        def traced(db: Transaction, *args: P.args, **kwargs: P.kwargs) -> T:
            if tracer is None:
                return run(db, *args, **kwargs)
            with _span(f"swarm.operation/{name}", {"swarm.project": db.project.slug, "swarm.agent": _who(db.actor)}):
                return run(db, *args, **kwargs)

        return traced

    return trace


def transaction(opening: AbstractContextManager[T], *, deadline: float | None = None) -> AbstractContextManager[T]:
    """Open a transaction in a span of its own, where anybody wants one.

    Its event `begun` ends the wait for other writers and the database, its event `committing` the work.

    Args:
        opening: what opens it.
        deadline: until when it waits for others, of those that write; a change that is run again has the same.

    """
    return opening if tracer is None else _transaction(opening, deadline)


def request(method: str, headers: Mapping[str, str]) -> AbstractContextManager[Callable[[str, int], None]]:
    """Serve a request over HTTP in a span of its own, below that of a proxy that names one in `traceparent`.

    Gives what is to be told the address, as metrics call it, and the status.
    """
    return _NOTHING if tracer is None else _request(tracer, method, headers)


@contextmanager
def _request(tracer: Tracer, method: str, headers: Mapping[str, str]) -> Generator[Callable[[str, int], None]]:
    from opentelemetry.propagate import extract  # noqa: PLC0415 - see begin()
    from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415

    said = {"http.request.method": method}
    with tracer.start_as_current_span(method, extract(headers), SpanKind.SERVER, said, record_exception=False) as span:

        def tell(label: str, status: int) -> None:
            span.update_name(f"{method} {label}")
            span.set_attributes({"http.route": label, "http.response.status_code": status})
            if status >= 500:  # noqa: PLR2004 - what HTTP calls the server's mistake
                span.set_status(StatusCode.ERROR)

        yield tell


def _who(actor: Actor) -> str:
    """Who acts; a name that the board does not know may be any words of whoever calls, and is not repeated."""
    return actor.name if actor.id is not None or actor == THE_OPERATOR else "unknown"


@contextmanager
def _transaction(opening: AbstractContextManager[T], deadline: float | None) -> Generator[T]:
    attributes: dict[str, Any] = {}
    if deadline is not None:
        attributes["swarm.try"] = _tries.count(deadline)
    with _span(f"swarm.transaction/{'read' if deadline is None else 'write'}", attributes) as span, opening as link:
        span.set_attribute("db.system.name", "postgresql" if getattr(link, "is_postgres", False) else "sqlite")
        span.add_event("begun")
        yield link
        if deadline is not None:
            span.add_event("committing")


@contextmanager
def _span(name: str, attributes: dict[str, Any]) -> Generator[Span]:
    from opentelemetry.trace import StatusCode  # noqa: PLC0415 - see begin()

    assert tracer is not None  # noqa: S101 - nobody comes here otherwise
    with tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        outcome = BROKEN
        try:
            yield span
            outcome = "ok"
        except Refusal as refusal:
            outcome = refusal.code
            raise
        finally:
            span.set_attribute("swarm.outcome", outcome)
            if outcome != "ok":
                span.set_attribute("error.type", outcome)
                span.set_status(StatusCode.ERROR)


class _Tries(threading.local):
    """How often the change at hand has been begun on this thread; its deadline is what its tries have in common."""

    deadline = 0.0
    tries = 0

    def count(self, deadline: float) -> int:
        self.tries = self.tries + 1 if deadline == self.deadline else 1
        self.deadline = deadline
        return self.tries


_tries = _Tries()


def _ignore(label: str, status: int) -> None:
    """Tell nobody."""


_NOTHING = nullcontext(_ignore)
