"""`token`: with what agents come in from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import VIA, opened, opened_there
from swarm_mcp.cli.moments import read_duration
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.printing import Column, on_terminal, print_json, print_rows, print_table
from swarm_mcp.model.bearer import TokenScope

if TYPE_CHECKING:
    from datetime import datetime

    from swarm_mcp.model.bearer import Token

COLUMNS = [
    Column("token"),
    Column("agent", flexible=True),
    Column("scope"),
    Column("state"),
    Column("expires"),
    Column("last used"),
]
app = typer.Typer(help="Tokens of agents that call over HTTP; each opens one project.", no_args_is_help=True)


@app.command()
def create(
    agent: Annotated[
        str, typer.Argument(help="Who will act with it.", show_default=False, autocompletion=completing.agents)
    ],
    scope: Annotated[
        str, typer.Option(help="worker, director or operator.", autocompletion=completing.words(TokenScope))
    ] = "worker",
    expires: Annotated[str, typer.Option(help="How long it is valid: 30d, 12h, 90m or 4w; for ever if empty.")] = "",
    *,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Make a token and print it, once; from the first one on, callers over HTTP have to show one.

    Example: swarm-mcp token create ada --scope worker --expires 30d
    """
    valid_for = read_duration(expires, "--expires") if expires.strip() else None
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations.tokens import create_token  # noqa: PLC0415 - help must not import the board

    with opened(chosen) as swarm:
        made = swarm.write(
            lambda db: create_token(db, agent, scope=scope, valid_for=valid_for, told=expires.strip()),
            via=VIA,
        )
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        typer.echo(made.message, err=True)
        typer.echo(made.secret)


@app.command("list")
def list_(*, as_json: AsJson = False, database: Database = "", project: Project = "") -> None:
    """List the tokens of a project; never what they are.

    Example: swarm-mcp token list --json
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations.tokens import list_tokens  # noqa: PLC0415

    with opened_there(chosen) as swarm:
        listed = swarm.read(list_tokens)
    found = listed.tokens
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    elif on_terminal():
        rows = ((*_about(each), _moment(each.expires_at), _moment(each.last_used_at)) for each in found)
        print_table(COLUMNS, rows, title=listed.message)
    else:
        print_rows(
            (
                *_about(each),
                f"expires {_moment(each.expires_at)}" if each.expires_at else "does not expire",
                f"used {_moment(each.last_used_at)}" if each.last_used_at else "never used",
            )
            for each in found
        )


def _about(token: Token) -> tuple[str, str, str, str]:
    return token.id, token.agent, token.scope, token.state


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%MZ}" if moment else "never"


@app.command()
def revoke(
    token: Annotated[
        str,
        typer.Argument(help="Its id, as `token list` has it.", show_default=False, autocompletion=completing.tokens),
    ],
    *,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Let a token open nothing any more.

    Example: swarm-mcp token revoke k3x9m2qa
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations.tokens import revoke_token  # noqa: PLC0415

    with opened_there(chosen) as swarm:
        done = swarm.write(lambda db: revoke_token(db, token), via=VIA)
    if as_json:
        print_json(done.model_dump(mode="json"))
    else:
        typer.echo(done.message)
