"""`doctor`: what is installed and how the database is; changes nothing."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

import typer

from swarm_mcp import __version__
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.model.errors import Refusal

if TYPE_CHECKING:
    from swarm_mcp.config import Settings


def doctor(*, as_json: AsJson = False, database: Database = "", project: Project = "") -> None:
    """Tell versions, settings and the database's health; exit code 1 if something is wrong. Changes nothing.

    Example: swarm-mcp doctor
    """
    chosen = settings(database=database, project=project)
    found = {**versions(), **health(chosen)}
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        typer.echo("\n".join(f"{name + ':':<14}{value}" for name, value in found.items()))
    if not as_json and found["health"] == "ok":
        if found["revision"] == found["schema"]:
            typer.echo("`swarm-mcp db check` looks at everything that the board has counted.")
        else:
            kept = "" if str(found["database"]).startswith("postgresql") else ", after a snapshot"
            typer.echo(f"The next command that opens the board brings its schema up to date{kept}.")
    if found["health"] not in {"ok", "new"}:
        raise typer.Exit(1)


def versions() -> dict[str, str]:
    """What is installed."""
    from importlib.metadata import version  # noqa: PLC0415

    from swarm_mcp.repository.sqlite import driver  # noqa: PLC0415

    found = {"swarm-mcp": __version__, "python": platform.python_version(), "sqlite": driver().sqlite_version}
    return found | {name: version(name) for name in ("mcp", "SQLAlchemy", "pydantic")}


def health(chosen: Settings) -> dict[str, str]:
    """How the database is: `new` if there is none yet, `ok`, or a sentence that says what is wrong."""
    from swarm_mcp.operations.swarm import Swarm  # noqa: PLC0415
    from swarm_mcp.repository import migrate  # noqa: PLC0415
    from swarm_mcp.repository.database import Database as Stored  # noqa: PLC0415
    from swarm_mcp.repository.health import damages  # noqa: PLC0415

    try:
        stored = Stored(chosen.database)
    except Refusal as refusal:
        return {"project": chosen.project, "health": refusal.message}
    said = {"database": stored.shown, "project": chosen.project, "schema": migrate.HEAD}
    if stored.path is not None and not stored.path.exists():
        return {**said, "revision": "none", "health": "new"}
    try:
        revision = stored.revision() or "none"
        if not stored.is_embedded:
            said["postgresql"] = stored.server_version
            if revision == "none":
                return {**said, "revision": revision, "health": "new"}
        found = [] if migrate.pending(stored) else Swarm(stored, chosen.project).read(damages)
    except Refusal as refusal:
        return {**said, "health": refusal.message}
    finally:
        stored.close()
    return {**said, "revision": revision, "health": "; ".join(found) or "ok"}
