"""Asking before something is done that cannot be taken back: on a terminal, and nowhere else."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask. Needed where nobody can be asked.")]


def require_yes(question: str, *, yes: bool) -> None:
    """Go on if it was said, or is said now.

    Raises:
        BadParameter: nobody can be asked here.
        Exit: the answer is no; with exit code 1.

    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter("Nobody can be asked here: say --yes if it is meant.", param_hint="--yes")
    if not typer.confirm(question, default=False, err=True):
        typer.echo("Nothing was done.", err=True)
        raise typer.Exit(1)
