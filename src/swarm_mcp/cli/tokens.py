"""`token`: with what agents come in from elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from swarm_mcp.cli.acting import VIA, opened
from swarm_mcp.cli.moments import read_duration
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.printing import print_json

app = typer.Typer(help="Tokens of agents that call over HTTP; each opens one project.", no_args_is_help=True)


@app.command()
def create(
    agent: Annotated[str, typer.Argument(help="Who will act with it.", show_default=False)],
    scope: Annotated[str, typer.Option(help="worker, director or operator.")] = "worker",
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

    with opened(chosen) as swarm:
        found = swarm.read(list_tokens).tokens
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    for each in found:
        expires = f"expires {each.expires_at:%Y-%m-%d %H:%MZ}" if each.expires_at else "does not expire"
        used = f"used {each.last_used_at:%Y-%m-%d %H:%MZ}" if each.last_used_at else "never used"
        typer.echo(f"{each.id}\t{each.agent}\t{each.scope}\t{each.state}\t{expires}\t{used}")


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="Its id, as `token list` has it.", show_default=False)],
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

    with opened(chosen) as swarm:
        done = swarm.write(lambda db: revoke_token(db, token), via=VIA)
    if as_json:
        print_json(done.model_dump(mode="json"))
    else:
        typer.echo(done.message)
