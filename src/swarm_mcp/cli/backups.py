"""`db backup`, `restore`, `reset` and `seed`: a whole board copied, brought back, emptied, filled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli.acting import VIA, opened
from swarm_mcp.cli.asking import Yes, require_yes
from swarm_mcp.cli.databases import done, say
from swarm_mcp.cli.options import AsJson, Database, Project, settings

if TYPE_CHECKING:
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction

WORKERS = 4
"""How many workers the example has, besides a director and two supervisors."""


def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The new file.", show_default=False)],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
    as_json: AsJson = False,
    database: Database = "",
) -> None:
    """Copy the board to a file while others go on working; the file is a board itself, also of one on PostgreSQL.

    Example: swarm-mcp db backup /var/backups/board.db
    """
    if str(path) == "-":
        raise typer.BadParameter("a board is a file, and no stream; name one.", param_hint="PATH")
    from swarm_mcp.operations import custody  # noqa: PLC0415 - help must not import the board

    done(database, lambda stored: custody.back_up(stored, path, force=force), as_json=as_json)


def restore(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="What `db backup` has written.", show_default=False)],
    *,
    yes: Yes = False,
    as_json: AsJson = False,
    database: Database = "",
) -> None:
    """Put a backup in the place of the board: it is verified first, and what it replaces is kept.

    Example: swarm-mcp db restore /var/backups/board.db --yes
    """
    from swarm_mcp.operations import custody  # noqa: PLC0415

    require_yes(f"Replace the board by {path.name}? It is kept beside.", yes=yes)
    done(database, lambda stored: custody.restore(stored, path), as_json=as_json)


def reset(*, yes: Yes = False, as_json: AsJson = False, database: Database = "") -> None:
    """Empty the board, all of its projects, after a snapshot; tokens stay.

    Example: swarm-mcp db reset --yes
    """
    from swarm_mcp.operations import custody  # noqa: PLC0415

    require_yes("Take everything off the board? A copy is kept.", yes=yes)
    done(database, custody.reset, as_json=as_json)


def seed(*, as_json: AsJson = False, database: Database = "", project: Project = "") -> None:
    """Put the demo's hierarchy and plan into an empty project, to try things with.

    Example: swarm-mcp db seed --project trial
    """
    chosen = settings(database=database, project=project)
    with opened(chosen) as swarm:
        _seed(swarm, as_json=as_json)


def _seed(swarm: Swarm, *, as_json: bool) -> None:
    """Register the cast and import the plan, in one transaction."""
    from dataclasses import replace  # noqa: PLC0415

    from swarm_mcp import operations  # noqa: PLC0415
    from swarm_mcp.cli.demo.cast import DIRECTOR, cast_for  # noqa: PLC0415
    from swarm_mcp.cli.demo.stage import plan_file  # noqa: PLC0415
    from swarm_mcp.interchange.foreign import taskmaster  # noqa: PLC0415
    from swarm_mcp.interchange.importing import import_plan  # noqa: PLC0415
    from swarm_mcp.model.custody import Kept  # noqa: PLC0415
    from swarm_mcp.model.errors import Conflict  # noqa: PLC0415
    from swarm_mcp.repository.crew import places  # noqa: PLC0415
    from swarm_mcp.repository.tasks import tallies  # noqa: PLC0415

    with plan_file(None) as plan:
        document = taskmaster.read(plan)
    # Whoever the plan assigns is not here: everybody may take everything.
    document = replace(document, items=tuple(replace(item, assignee="") for item in document.items))
    cast = cast_for(WORKERS)

    def fill(db: Transaction) -> Kept:
        if places(db) or tallies(db) or tallies(db, archived=True):
            raise Conflict(
                f"The project {db.project.slug} is not empty. Make another one for it: swarm-mcp project create NAME."
            )
        operations.register_agent(db, name=DIRECTOR, role="director")
        for member in cast.below:
            operations.register_agent(db, **member.registration())
        report = import_plan(db, document)
        agents = len(cast.below) + 1
        return Kept(message=f"{db.project.slug} has {agents} agents in 2 teams and {report.created} tasks now.")

    say(swarm.write(fill, via=VIA), as_json=as_json)
