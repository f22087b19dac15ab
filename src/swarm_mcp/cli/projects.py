"""`project`: the projects of a database."""

from __future__ import annotations

from typing import Annotated

import typer

from swarm_mcp.cli.acting import VIA, act, asked, opened, opened_there
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.printing import Column, on_terminal, print_facts, print_json, print_rows, print_table

YES_OR_NO = {True: "yes", False: "no"}
COLUMNS = [Column("project"), Column("tasks", flexible=True, wraps=True)]
app = typer.Typer(help="The projects of a database: nothing crosses from one to another.", no_args_is_help=True)


@app.command()
def create(
    slug: Annotated[
        str, typer.Argument(help="Its name: lower-case letters, digits, `_`, `.` and `-`.", show_default=False)
    ],
    database: Database = "",
) -> None:
    """Create a project; one that exists is left as it is.

    Example: swarm-mcp project create billing
    """
    chosen = settings(database=database)
    from swarm_mcp.operations.projects import create_project  # noqa: PLC0415 - help must not import the board

    with opened(chosen) as swarm:
        is_new = swarm.write(lambda db: create_project(db, slug), via=VIA)
    typer.echo(
        f"Created the project {slug}." if is_new else f"There is a project {slug} already; it was left as it is."
    )


@app.command("list")
def list_(*, as_json: AsJson = False, database: Database = "") -> None:
    """List the projects, with how many tasks each has.

    Example: swarm-mcp project list --json
    """
    chosen = settings(database=database)
    from swarm_mcp.operations.projects import list_projects  # noqa: PLC0415

    with opened_there(chosen) as swarm:
        found = swarm.read(list_projects)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    elif on_terminal():
        print_table(COLUMNS, ((each.slug, counted(each.tasks)) for each in found))
    else:
        print_rows((each.slug, sum(each.tasks.values())) for each in found)


@app.command("show")
def show_project(*, as_json: AsJson = False, database: Database = "", project: Project = "") -> None:
    """Show a project's policies, and how many tasks it has.

    Example: swarm-mcp project show --project billing
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations.projects import project_facts  # noqa: PLC0415

    facts = asked(chosen, project_facts)
    if as_json:
        print_json(facts)
    else:
        reviewed = YES_OR_NO[facts["require_review"]]
        print_facts({**facts, "require_review": reviewed, "tasks": counted(facts["tasks"])})


@app.command("set")
def set_(
    policies: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE",
            help="title, completion_checks (enforce, warn, off), lease_minutes, max_lapses, max_depth, "
            "require_review (yes, no).",
            show_default=False,
        ),
    ],
    *,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Change a project's policies; the ledger keeps what they were.

    Example: swarm-mcp project set lease_minutes=60 require_review=yes
    """
    pairs = [each.partition("=") for each in policies]
    for words, (name, sign, _) in zip(policies, pairs, strict=True):
        if not sign or not name.strip():
            raise typer.BadParameter(f"`{words[:60]}` is not of the form KEY=VALUE.", param_hint="KEY=VALUE")
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations.projects import read_policy, set_policy  # noqa: PLC0415

    given = {name.strip(): read_policy(name.strip(), value) for name, _, value in pairs}
    act(chosen, lambda db: set_policy(db, **given), agent="", as_json=as_json)


def counted(tasks: dict[str, int]) -> str:
    """How many tasks there are, with how many have each status."""
    statuses = ", ".join(f"{count:,} {status}" for status, count in tasks.items())
    return f"{sum(tasks.values()):,}" + (f" ({statuses})" if statuses else "")
