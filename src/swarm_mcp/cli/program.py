"""A command-line program: its global options, and how it fails. With all commands it is `cli.app`."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from swarm_mcp import __version__
from swarm_mcp.cli import calls
from swarm_mcp.cli.printing import note
from swarm_mcp.cli.telemetry import set_up_tracing
from swarm_mcp.model.errors import Refusal

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Why a file to which stdout goes takes no more."""


def new_program() -> typer.Typer:
    """The program without commands yet."""
    app = typer.Typer(
        name="swarm-mcp",
        help="One durable board for a swarm of agents.",
        invoke_without_command=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(program)
    return app


def program(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """One durable board for a swarm of agents."""
    calls.typed.clear()
    if version:
        typer.echo(__version__)
        raise typer.Exit
    set_up_tracing()
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def carry_out(app: typer.Typer) -> None:
    """Run the command that was typed; a refusal is one sentence on stderr and exit code 1."""
    for name, way in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # whoever started us has closed it
            setattr(sys, name, Path(os.devnull).open(way, encoding="utf-8"))  # noqa: SIM115 - to the end of the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal of another encoding shows `?` for what it has not
    try:
        app(prog_name="swarm-mcp")  # however it was started: shells complete this name
    except Refusal as refusal:
        note(refusal.message)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        if error.errno not in FULL:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the end of the process would fail at it again
        # A command prints when it has committed: whoever reads a failure here would do everything a second time.
        reason = error.strerror or "the disk behind it is full or out of order"
        note(f"The answer could not be printed: {reason}. What the command did is done.")
        sys.exit(1)
