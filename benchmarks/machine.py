"""Where and with what a run was made: ratios travel between machines, times do not."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from swarm_mcp.repository.database import Database

PACKAGES = ("swarm-mcp-server", "mcp", "pydantic", "SQLAlchemy", "anyio")
TICKS_A_SECOND = 100
"""Of the processor time in Linux's /proc/PID/stat."""


def machine_facts() -> dict[str, str | int]:
    """Return the processor, the cores, the load before the run, and every version that matters."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "load": f"{os.getloadavg()[0]:.2f}",
        "python": platform.python_version(),
        "sqlite": Database("unopened.db").sqlite_version,
        **{package: _version(package) for package in PACKAGES},
    }


def processor_seconds(process: int) -> float:
    """Return the processor time that a process has used so far, on Linux."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"
