"""What Prometheus is told, in its text format (version 0.0.4).

Written by hand: it is a page of text, and the usual library would be one more package and a registry for the whole
process. Tasks and events are counted in the database, so that every replica tells the same of them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""Seconds, up to which answers are counted."""
METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"})
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Traffic:
    """What this process has answered since it began."""

    def __init__(self, listeners: Callable[[], int] = int) -> None:
        self.open = 0
        """Requests that are being served."""
        self._listeners = listeners
        self._answered: Counter[tuple[str, str, int]] = Counter()
        self._fast: Counter[tuple[str, float]] = Counter()
        self._seconds: Counter[str] = Counter()
        self._number: Counter[str] = Counter()

    def count(self, method: str, address: str, status: int, seconds: float) -> None:
        """Note one answer; `address` is one of a few that are known, never what a caller wrote."""
        self._answered[method if method in METHODS else "other", address, status] += 1
        self._number[address] += 1
        self._seconds[address] += seconds  # type: ignore[assignment]
        for limit in BUCKETS:
            if seconds <= limit:
                self._fast[address, limit] += 1

    def metrics(self) -> Iterable[Metric]:
        """The same for Prometheus."""
        yield Metric("swarm_http_requests_open", "gauge", "Requests that are being served.", {(): self.open})
        yield Metric("swarm_listeners", "gauge", "Clients that are told of changes.", {(): self._listeners()})
        yield Metric(
            "swarm_http_requests_total",
            "counter",
            "Requests answered, by address and status.",
            {
                (("method", method), ("address", address), ("status", str(status))): number
                for (method, address, status), number in sorted(self._answered.items())
            },
        )
        times: dict[tuple[tuple[str, str], ...], float] = {}
        for address, number in sorted(self._number.items()):
            for limit in BUCKETS:
                times[("", "bucket"), ("address", address), ("le", f"{limit:g}")] = self._fast[address, limit]
            times[("", "bucket"), ("address", address), ("le", "+Inf")] = number
            times[("", "sum"), ("address", address)] = self._seconds[address]
            times[("", "count"), ("address", address)] = number
        yield Metric("swarm_http_request_seconds", "histogram", "How long answers took.", times)


class Metric(NamedTuple):
    """One metric with its samples: by their labels, of which one without a name is a suffix of the metric's."""

    name: str
    kind: str
    words: str
    samples: Mapping[tuple[tuple[str, str], ...], float]


def page(metrics: Iterable[Metric]) -> str:
    """All of them as Prometheus reads them."""
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.words}", f"# TYPE {metric.name} {metric.kind}"]
        for labels, value in metric.samples.items():
            suffix = "".join(f"_{text}" for name, text in labels if not name)
            said = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels if name)
            lines.append(f"{metric.name}{suffix}{f'{{{said}}}' if said else ''} {value:.10g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
