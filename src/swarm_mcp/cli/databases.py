"""`db`: the care of the database itself, which is the operator's."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.options import AsJson, Database, settings
from swarm_mcp.cli.printing import as_json_text, in_one_line, on_terminal, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from swarm_mcp.model.custody import Condition, Kept, Revision
    from swarm_mcp.model.record import Answer
    from swarm_mcp.repository.database import Database as Stored

app = typer.Typer(
    help="Database care: the board's schema and health, backups, and what brings them back.", no_args_is_help=True
)
To = Annotated[
    str,
    typer.Argument(
        metavar="REVISION", help="Where to; see `db history`.", show_default=False, autocompletion=completing.revisions
    ),
]


@app.command()
def init(*, as_json: AsJson = False, database: Database = "") -> None:
    """Make a board; one that is there is left as it is.

    Example: swarm-mcp db init --database ./board.db
    """
    from swarm_mcp.operations import custody  # noqa: PLC0415 - help must not import the board

    done(database, custody.initialise, as_json=as_json)


@app.command()
def upgrade(revision: To = "", *, as_json: AsJson = False, database: Database = "") -> None:
    """Bring the board to the newest revision, or another one, after a snapshot.

    Example: swarm-mcp db upgrade
    """
    from swarm_mcp.operations import custody  # noqa: PLC0415

    done(database, lambda stored: custody.move_to(stored, revision, back=False), as_json=as_json)


@app.command()
def downgrade(revision: To = "", *, as_json: AsJson = False, database: Database = "") -> None:
    """Bring the board back to the revision before, or another one, after a snapshot.

    Example: swarm-mcp db downgrade 0004
    """
    from swarm_mcp.operations import custody  # noqa: PLC0415

    done(database, lambda stored: custody.move_to(stored, revision, back=True), as_json=as_json)


@app.command()
def current(*, as_json: AsJson = False, database: Database = "") -> None:
    """Print the board's revision.

    Example: swarm-mcp db current
    """
    from swarm_mcp.operations import custody  # noqa: PLC0415

    with stored_board(database) as stored:
        found = custody.require_board(stored)
        newest = custody.newest()
    if as_json:
        print_json({"revision": found, "newest": newest})
    else:
        typer.echo(found)


@app.command()
def history(*, as_json: AsJson = False, database: Database = "") -> None:
    """List the revisions of the schema, the newest first, and which one the board has.

    Example: swarm-mcp db history
    """
    from swarm_mcp.operations import custody  # noqa: PLC0415

    with stored_board(database) as stored:
        found = custody.revisions(stored)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    elif on_terminal():
        show_history(found)
    else:
        for each in found:
            typer.echo("\t".join((each.revision, "current" if each.is_current else "", each.words)))


@app.command()
def status(*, as_json: AsJson = False, database: Database = "") -> None:
    """Tell what the database is like: engine, place, size, revision, how it is set up, and how many rows there are.

    Example: swarm-mcp db status --json
    """
    from swarm_mcp.operations import custody  # noqa: PLC0415

    with stored_board(database) as stored:
        found = custody.look(stored)
    if as_json:
        print_json(found.model_dump(mode="json"))
    elif on_terminal():
        show_status(found)
    else:
        for name, value in facts(found):
            typer.echo(f"{name}\t{value}")


@app.command()
def vacuum(*, as_json: AsJson = False, database: Database = "") -> None:
    """Give back the room that the database does not need; other writers wait meanwhile.

    Example: swarm-mcp db vacuum
    """
    from swarm_mcp.operations import custody  # noqa: PLC0415

    done(database, custody.tidy, as_json=as_json)


@app.command()
def schema(
    *,
    dialect: Annotated[
        str,
        typer.Option(help="sqlite or postgresql.", autocompletion=completing.words(("sqlite", "postgresql"))),
    ] = "sqlite",
    to: Annotated[Path | None, typer.Option(help="A file; else it is printed.", show_default=False)] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
) -> None:
    """Print the schema as documented SQL; executed on an empty database, it makes a board.

    Example: swarm-mcp db schema --dialect postgresql
    """
    from swarm_mcp.interchange.exporting import replacing  # noqa: PLC0415
    from swarm_mcp.repository import ddl  # noqa: PLC0415

    if dialect not in ddl.DIALECTS:
        raise typer.BadParameter(f"`{dialect[:40]}` is neither sqlite nor postgresql.", param_hint="--dialect")
    words = ddl.schema(dialect)
    if to is None:
        typer.echo(words, nl=False)
        return
    with replacing(to, forced=force) as partial:  # which spares databases: the name of the board is quickly typed
        partial.write_text(words, encoding="utf-8")


@contextmanager
def stored_board(database: str) -> Generator[Stored]:
    """The database that the settings name, as it is: nothing is made or migrated."""
    from swarm_mcp.repository.database import Database as Stored  # noqa: PLC0415

    stored = Stored(settings(database=database).database)
    try:
        yield stored
    finally:
        stored.close()


def done(database: str, act: Callable[[Stored], Kept], *, as_json: bool) -> None:
    """Do something to the database, and print what came of it."""
    with stored_board(database) as stored:
        answer = act(stored)
    say(answer, as_json=as_json)


def say(answer: Answer, *, as_json: bool) -> None:
    """Print an answer."""
    words = as_json_text(answer.structured()) if as_json else in_one_line(answer.message)
    typer.echo(words)


def facts(found: Condition) -> list[tuple[str, str]]:
    """The condition as names and values."""
    return [
        *((name, str(getattr(found, name))) for name in ("engine", "library", "place", "revision", "newest")),
        *((f"bytes.{name}", str(value)) for name, value in found.bytes.items()),
        *((f"setting.{name}", value) for name, value in found.settings.items()),
        *((f"rows.{name}", str(value)) for name, value in found.rows.items()),
    ]


def show_status(found: Condition) -> None:
    """The condition for a terminal."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415 - a path is no markup

    console = Console(highlight=False)
    console.print(Text(found.message, style="bold"))
    facts = Table.grid(padding=(0, 2))
    for name in ("engine", "library", "place", "revision", "newest"):
        facts.add_row(name, Text(str(getattr(found, name))))
    for name, value in found.bytes.items():
        facts.add_row(f"{name}, bytes", f"{value:,}")
    console.print(facts)
    rows, setup = Table("rows of", "", box=None), Table("setting", "", box=None)
    rows.columns[1].justify = "right"
    for name, value in found.rows.items():
        rows.add_row(name, f"{value:,}")
    for name, value in found.settings.items():
        setup.add_row(name, value)
    both = Table.grid(padding=(0, 4))
    both.add_row(rows, setup)
    console.print(both)


def show_history(found: list[Revision]) -> None:
    """The revisions for a terminal."""
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("revision", "", "what for", box=box.SIMPLE_HEAD)
    for each in found:
        table.add_row(each.revision, "← the board" if each.is_current else "", each.words)
    Console(highlight=False).print(table)
