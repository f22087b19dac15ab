"""`export`: the board as files, ours or those of other programs."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import VIA, opened_there
from swarm_mcp.cli.moments import read_moment
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.printing import as_json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from swarm_mcp.interchange.exporting import Exported, Wanted
    from swarm_mcp.operations.swarm import Swarm

FORMATS = "swarm (lossless JSON lines), taskmaster, task-orchestrator, markdown, mermaid, csv"


def offered(incomplete: str) -> list[str]:
    """The formats that a shell offers."""
    from swarm_mcp.interchange.exporting import formats  # noqa: PLC0415 - help must not import the board

    return completing.words(formats())(incomplete)


def export_board(
    format_: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help=f"What will read it: {FORMATS}.",
            show_default=False,
            autocompletion=offered,
        ),
    ],
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="The new file or folder; - is standard output.", show_default=False),
    ],
    *,
    task: Annotated[
        str,
        typer.Option(
            help="Only this task and everything below it.", show_default=False, autocompletion=completing.tasks
        ),
    ] = "",
    since: Annotated[
        str,
        typer.Option(
            help="Only tasks that changed since: 2026-11-01, 2026-11-01T08:00+01:00 or 30d; whole, as they are now.",
            show_default=False,
        ),
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is there, if an export could have written it.")
    ] = False,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Write the board out as it is at one moment: the whole file appears, or nothing; what is there stays.

    Example: swarm-mcp export swarm board.jsonl --task k3x9m2qa
    """
    to_stdout = str(path) == "-"
    if to_stdout and as_json:
        raise typer.BadParameter("standard output takes the file or its report, not both.", param_hint="--json")
    moment = read_moment(since, "--since") if since.strip() else None
    chosen = settings(database=database, project=project)
    from swarm_mcp.interchange.exporting import Wanted, formats  # noqa: PLC0415 - help must not import the board

    if format_ not in formats():
        known = ", ".join(formats())
        raise typer.BadParameter(f"`{format_[:40]}` is no known format. Known: {known}.", param_hint="FORMAT")
    wanted = Wanted(task.strip(), moment)
    with opened_there(chosen) as swarm:
        done = (write_out if to_stdout else write)(swarm, format_, path, wanted, forced=force)
    typer.echo(as_json_text(done.model_dump(mode="json")) if as_json else done.message, err=to_stdout)


def write(swarm: Swarm, format_: str, path: Path, wanted: Wanted, *, forced: bool) -> Exported:
    """Write to a place, showing how far it is where somebody looks."""
    from swarm_mcp.interchange.exporting import export  # noqa: PLC0415

    with progress(f"Writing {path.name}") as (begun, told):
        return export(swarm, format_, path, wanted, forced=forced, told=told, begun=begun, via=VIA)


def write_out(swarm: Swarm, format_: str, _: Path, wanted: Wanted, *, forced: bool) -> Exported:
    """Write to standard output, when there is all of it: whoever reads gets no half of a board."""
    from shutil import copyfileobj  # noqa: PLC0415
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from swarm_mcp.model.errors import Invalid  # noqa: PLC0415

    with TemporaryDirectory(prefix="swarm-export-") as folder:
        path = Path(folder) / "board"
        done = write(swarm, format_, path, wanted, forced=forced)
        if path.is_dir():
            raise Invalid(f"{format_} is a folder of files, which do not fit into one stream. Name a folder.")
        sys.stdout.flush()
        with path.open("rb") as source:
            copyfileobj(source, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    return done.model_copy(update={"name": ""})


@contextmanager
def progress(words: str) -> Generator[tuple[Callable[[int | None], None], Callable[[int], None]]]:
    """A bar on standard error, if that is a terminal: what to tell the whole to, and what each step."""
    if not sys.stderr.isatty():
        yield (lambda _: None), (lambda _: None)
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task(escape(words), total=None)
        yield (lambda total: bar.update(shown, total=total)), (lambda more: bar.advance(shown, more))
