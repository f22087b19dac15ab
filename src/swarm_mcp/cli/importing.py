"""`import`: another program's plan, put on the board."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, tzinfo
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import VIA, opened
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.printing import in_one_line, on_terminal, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from swarm_mcp.config import Settings
    from swarm_mcp.interchange.foreign.document import PlanDocument
    from swarm_mcp.interchange.imported import Imported
    from swarm_mcp.operations.swarm import Swarm

FORMATS = {"taskmaster": "taskmaster", "beads": "beads", "task-orchestrator": "task_orchestrator", "tickets": "tickets"}
"""The formats of other programs, and the module of `interchange.foreign` that reads each: `read(path, zone)`."""
OURS = ("swarm", "archive")
"""What another board of ours wrote, which is taken row by row."""
KNOWN = (*FORMATS, *OURS)
SHOWN = 20
"""Sentences of one kind on a terminal; pipes and JSON get all of them."""


def import_plan(
    format_: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help=f"What wrote it: {', '.join(KNOWN)}.",
            show_default=False,
            autocompletion=completing.words(KNOWN),
        ),
    ],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file or folder.", show_default=False)],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would be done, and do nothing.")] = False,
    parent: Annotated[
        str,
        typer.Option(help="The task under which it goes.", show_default=False, autocompletion=completing.tasks),
    ] = "",
    namespace: Annotated[str, typer.Option(help="What tells its ids from another plan's.", show_default=False)] = "",
    timezone: Annotated[
        str,
        typer.Option(help="The zone of times that name none: UTC, Europe/Berlin.", autocompletion=completing.zones),
    ] = "UTC",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Put another program's plan on the board: all of it, or nothing; again, and only what is new is added.

    Example: swarm-mcp import taskmaster .taskmaster/tasks/tasks.json --dry-run
    """
    if format_ not in KNOWN:
        raise typer.BadParameter(
            f"`{format_[:40]}` is no known format. Known: {', '.join(KNOWN)}.", param_hint="FORMAT"
        )
    zone = read_zone(timezone)
    chosen = settings(database=database, project=project)
    take = import_ours if format_ in OURS else import_foreign
    report = take(format_, path, chosen, zone=zone, parent=parent, namespace=namespace, dry_run=dry_run)
    if as_json:
        print_json(report.model_dump(mode="json"))
    elif on_terminal():
        show(report)
    else:
        typer.echo("\n".join(map(in_one_line, lines(report))))


def import_foreign(
    format_: str, path: Path, chosen: Settings, *, zone: tzinfo, dry_run: bool, **where: str
) -> Imported:
    """Take what another program wrote."""
    from swarm_mcp.cli.exporting import progress  # noqa: PLC0415
    from swarm_mcp.interchange import importing  # noqa: PLC0415 - help must not import the board

    document = reader_of(format_)(path, zone)
    with (
        rehearsed(chosen) if dry_run else opened(chosen) as swarm,
        progress(f"Importing {path.name}") as (begun, told),
    ):
        begun(len(document.items))
        return importing.import_document(swarm, document, dry_run=dry_run, via=VIA, told=told, **where)


def import_ours(format_: str, path: Path, chosen: Settings, *, zone: tzinfo, dry_run: bool, **where: str) -> Imported:
    """Take what another board of ours wrote: its times name their zones."""
    _ = zone
    from swarm_mcp.cli.exporting import progress  # noqa: PLC0415
    from swarm_mcp.interchange import archives, swarm_source  # noqa: PLC0415
    from swarm_mcp.interchange.swarm_import import import_stream  # noqa: PLC0415

    opening = swarm_source.opened if format_ == "swarm" else archives.opened
    with (
        rehearsed(chosen) if dry_run else opened(chosen) as swarm,
        progress(f"Importing {path.name}") as (begun, told),
    ):
        return import_stream(
            swarm,
            lambda: opening(path),
            path.name,
            dry_run=dry_run,
            via=VIA,
            begun=begun,
            told=told,
            **where,
        )


def reader_of(format_: str) -> Callable[[Path, tzinfo], PlanDocument]:
    """What makes a document of a file of that format."""
    return import_module(f"swarm_mcp.interchange.foreign.{FORMATS[format_]}").read


def read_zone(name: str) -> tzinfo:
    """A time zone by its name.

    Raises:
        BadParameter: this computer does not know it.

    """
    if name.upper() == "UTC":  # known even where there is no table of zones
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise typer.BadParameter(
            f"`{name[:40]}` is no time zone; write Europe/Berlin, or UTC.", param_hint="--timezone"
        ) from None


@contextmanager
def rehearsed(chosen: Settings) -> Generator[Swarm]:
    """A board for a dry run, which creates nothing and migrates nothing: the real one if it can be, else a copy."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from swarm_mcp.operations.swarm import Swarm, open_swarm  # noqa: PLC0415
    from swarm_mcp.repository import migrate  # noqa: PLC0415
    from swarm_mcp.repository.database import Database as Stored  # noqa: PLC0415

    stored = Stored(chosen.database)
    with TemporaryDirectory(prefix="swarm-rehearsal-") as folder:
        copy = Path(folder) / "swarm.db"
        is_there = stored.path is None or stored.path.exists()
        if is_there and not migrate.pending(stored):
            swarm = Swarm(stored, chosen.project)
        else:
            if is_there and stored.is_embedded:
                stored.backup(copy)
            stored.close()
            swarm = open_swarm(copy, project=chosen.project)
        try:
            yield swarm
        finally:
            swarm.close()


def lines(report: Imported) -> list[str]:
    """The report for a pipe: a line for each thing, which begins with its kind."""
    return [
        report.message,
        *(f"status: {each.word or '(none)'} → {each.status}: {each.tasks}" for each in report.mapped),
        *(f"{what}: {count}" for what, count in figures(report).items()),
        *(f"announced: {name}" for name in report.people),
        *(f"{kind}: {sentence}" for kind, sentences in remarks(report).items() for sentence in sentences),
    ]


def figures(report: Imported) -> dict[str, int]:
    """How much of everything came; what did not come is left out."""
    counts = {
        "subtasks": report.subtasks,
        "archived": report.archived,
        **{f"dependencies: {kind}": count for kind, count in report.edges.items()},
        **report.brought,
    }
    return {what: count for what, count in counts.items() if count}


def remarks(report: Imported) -> dict[str, list[str]]:
    """What the author of the plan should know, by kind."""
    return {
        "renamed": report.renamed,
        "dangling": report.dangling,
        "guessed": report.guessed,
        "skipped": report.skipped,
        "contradiction": report.contradictions,
    }


def show(report: Imported) -> None:
    """The report for a terminal."""
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    console.print(Text(in_one_line(report.message), style="bold"))
    if report.created:
        table = Table("status there", "status here", "tasks", box=box.SIMPLE_HEAD)
        table.columns[-1].justify = "right"
        for each in report.mapped:
            table.add_row(Text(in_one_line(each.word) or "(none)"), each.status, f"{each.tasks:,}")
        console.print(table)
        counts = Table("what came", "", box=box.SIMPLE_HEAD)
        counts.columns[-1].justify = "right"
        for what, count in figures(report).items():
            counts.add_row(what, f"{count:,}")
        if counts.rows:
            console.print(counts)
    if report.people:
        console.print(Text(f"New here, and not yet seen: {in_one_line(', '.join(report.people))}."))
    notes = Table.grid(padding=(0, 2))
    for kind, sentences in remarks(report).items():
        for sentence in sentences[:SHOWN]:
            notes.add_row(kind, Text(in_one_line(sentence)))
        if len(sentences) > SHOWN:
            notes.add_row(kind, f"… and {len(sentences) - SHOWN} more; --json shows all.")
    if notes.rows:
        console.print(notes)
