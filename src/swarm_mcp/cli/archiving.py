"""`archive`: finished work, put away and written out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swarm_mcp.cli.acting import VIA, opened_there
from swarm_mcp.cli.moments import read_duration
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.printing import print_json


def archive_finished(
    *,
    older_than: Annotated[
        str, typer.Option(help="Only what was finished so long ago: 30d, 12h, 90m or 4w; 0d is everything.")
    ] = "30d",
    to: Annotated[
        Path | None,
        typer.Option(help="A folder; each goes there as task_ID_TIME.tar.gz, with all below it.", show_default=False),
    ] = None,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Archive finished tasks with everything below them: they leave the lists, and `import archive` reads the files.

    Failed and cancelled tasks stay while something open waits for them.

    Example: swarm-mcp archive --older-than 30d --to archives
    """
    age = read_duration(older_than, "--older-than")
    chosen = settings(database=database, project=project)
    from swarm_mcp.cli.exporting import progress  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.interchange.archives import archive  # noqa: PLC0415

    with opened_there(chosen) as swarm, progress("Archiving") as (_, told):
        done = archive(swarm, older_than=age, folder=to, told=told, via=VIA)
    if as_json:
        print_json(done.model_dump(mode="json"))
    else:
        typer.echo("\n".join([done.message, *(f"file: {name}" for name in done.files)]))
