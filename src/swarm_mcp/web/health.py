"""How the server is: for balancers, for people, and for Prometheus."""

from __future__ import annotations

import logging
import shutil
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from swarm_mcp import __version__
from swarm_mcp.repository import events, migrate, projects, tasks
from swarm_mcp.web.answers import answer
from swarm_mcp.web.metrics import CONTENT_TYPE, Metric, page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.web.entrance import Run
    from swarm_mcp.web.metrics import Traffic

_log = logging.getLogger(__name__)

LITTLE_SPACE = 100 * 1024 * 1024
"""Bytes free below which a disk is said to be nearly full."""
UNHEALTHY = 503


class Health:
    """Looks after one server and its board."""

    def __init__(self, swarm: Swarm, run: Run, traffic: Traffic) -> None:
        self._swarm = swarm
        self._run = run
        self._traffic = traffic

    async def health(self, request: Request) -> Response:
        """Whether calls can be served: 200, or 503 if the database cannot be read."""
        _ = request
        found = await self._run(partial(self._look, lambda db: projects.find_project(db, self._swarm.project)))
        facts = {"status": _status(found), "database": "ok" if found["status"] == "ok" else "unavailable"}
        return answer({**facts, "timestamp": _now()}, _code(found))

    async def detailed(self, request: Request) -> Response:
        """The same with what it depends on; only the database decides the status."""
        _ = request
        database = await self._run(partial(self._look, _last_event))
        seq, at = database.pop("found", None) or (0, None)
        if database["status"] == "ok":
            database |= {"revision": await self._run(self._swarm.database.revision), "schema": migrate.HEAD}
        checks = {
            "database": database,
            "disk_space": _disk(self._swarm.database.path),
            "memory": {"status": "ok", "resident_bytes": resident_bytes()},
            "events": {"status": "ok" if database["status"] == "ok" else "unknown", "latest": seq, "latest_at": at},
        }
        facts = {"status": _status(database), "version": __version__, "timestamp": _now(), "checks": checks}
        return answer(facts, _code(database))

    async def metrics(self, request: Request) -> Response:
        """Everything that can be counted."""
        _ = request
        found = await self._run(partial(self._look, lambda db: (tasks.tallies(db), _last_event(db))))
        return Response(page(self._metrics(found)), headers={"Content-Type": CONTENT_TYPE})

    def _metrics(self, found: dict[str, Any]) -> Iterator[Metric]:
        yield Metric("swarm_info", "gauge", "The version that runs.", {(("version", __version__),): 1})
        is_up = found["status"] == "ok"
        yield Metric("swarm_database_up", "gauge", "Whether the board can be read.", {(): int(is_up)})
        if is_up:
            tallies, (seq, _) = found["found"]
            seconds = found["latency_ms"] / 1000
            yield Metric("swarm_database_seconds", "gauge", "How long these figures took.", {(): seconds})
            by_status = {(("status", str(status)),): number for status, number in sorted(tallies.items())}
            yield Metric("swarm_tasks", "gauge", "Tasks of the project, without archived ones.", by_status)
            yield Metric("swarm_events_latest", "counter", "The number of the latest event.", {(): seq})
        yield Metric("swarm_resident_bytes", "gauge", "Memory of this process.", {(): resident_bytes()})
        yield from self._traffic.metrics()

    def _look(self, question: Any) -> dict[str, Any]:
        """Ask the board something, and see how long that takes; on a worker thread."""
        began = time.perf_counter()
        try:
            found = self._swarm.read(question)
        except Exception as error:  # whatever it is: this is where it is told
            _log.warning("the board cannot be read: %s", error)
            return {"status": "unavailable"}
        return {"status": "ok", "latency_ms": round((time.perf_counter() - began) * 1000, 2), "found": found}


def resident_bytes() -> int:
    """The memory of this process; where the system does not tell, the most that it ever was."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        pages = 0
    if pages or sys.platform == "win32":
        return pages * 4096
    import resource  # noqa: PLC0415 - not there on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _last_event(db: Transaction) -> tuple[int, str | None]:
    row = events.latest_event(db)
    return (row.seq, row.at.isoformat()) if row is not None else (0, None)


def _disk(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {"status": "unknown"}
    try:
        usage = shutil.disk_usage(path.parent)
    except OSError:
        return {"status": "unknown"}
    status = "ok" if usage.free >= LITTLE_SPACE else "low"
    return {"status": status, "free_bytes": usage.free, "free_percent": round(100 * usage.free / usage.total, 1)}


def _status(found: dict[str, Any]) -> str:
    return "healthy" if found["status"] == "ok" else "unhealthy"


def _code(found: dict[str, Any]) -> int:
    return 200 if found["status"] == "ok" else UNHEALTHY


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
