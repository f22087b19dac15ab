"""`token`: with what agents come in from elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli.moments import read_duration
from swarm_mcp.cli.options import AsJson, Database, Project, settings

if TYPE_CHECKING:
    from swarm_mcp.config import Settings
    from swarm_mcp.operations.swarm import Swarm

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

    swarm = _opened(chosen)
    try:
        made = swarm.write(
            lambda db: create_token(db, agent, scope=scope, valid_for=valid_for, told=expires.strip()),
            via="command line",
        )
    finally:
        swarm.close()
    if as_json:
        typer.echo(json.dumps(made.model_dump(mode="json"), indent=2))
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

    swarm = _opened(chosen)
    try:
        found = swarm.read(list_tokens).tokens
    finally:
        swarm.close()
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], indent=2))
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

    swarm = _opened(chosen)
    try:
        done = swarm.write(lambda db: revoke_token(db, token), via="command line")
    finally:
        swarm.close()
    typer.echo(json.dumps(done.model_dump(mode="json"), indent=2) if as_json else done.message)


def _opened(chosen: Settings) -> Swarm:
    from swarm_mcp.operations.swarm import open_swarm  # noqa: PLC0415

    return open_swarm(chosen.database, project=chosen.project)
