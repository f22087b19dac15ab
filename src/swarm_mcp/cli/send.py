"""`send`: a message to agents, as the operator or as one of them."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import act
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, settings


def send(
    to: Annotated[
        str,
        typer.Argument(
            help="An agent, a team, all, or operator; left out with --reply-to, it is whoever is answered.",
            show_default=False,
            autocompletion=completing.agents,
        ),
    ],
    text: Annotated[
        str | None, typer.Argument(help="What is said; - reads it from standard input.", show_default=False)
    ] = None,
    *,
    task: Annotated[
        str,
        typer.Option(help="The task that it is about.", show_default=False, autocompletion=completing.tasks),
    ] = "",
    reply_to: Annotated[
        str, typer.Option(metavar="ID", help="The message that it answers, as the inbox shows it.", show_default=False)
    ] = "",
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Send a message; to answer a question resumes the task that waits for it.

    Example: swarm-mcp send --reply-to m42 "Use the staging database."
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp import operations  # noqa: PLC0415 - help must not import the board

    if text is None and not reply_to.strip():
        raise typer.BadParameter("Say what is sent, too.", param_hint="TEXT")
    whom, said = ("", to) if text is None else (to, text)
    words = sys.stdin.read() if said == "-" else said
    change = partial(operations.send_message, to=whom, text=words, task=task, reply_to=reply_to)
    act(chosen, change, agent=agent, as_json=as_json)
