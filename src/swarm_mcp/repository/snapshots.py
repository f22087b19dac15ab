"""Snapshots: a whole copy of the board, taken before something is done to it that cannot be taken back."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from swarm_mcp.model.errors import Unavailable

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Database


def snapshot(database: Database, before: str) -> Path:
    """Copy the board, and tell where the copy is.

    Args:
        database: the board.
        before: what is about to be done, as part of the copy's name: `reset`, `0004-to-0003`.

    Raises:
        Unavailable: the copy cannot be written, so nothing should be done.

    """
    kept = beside(database, f"before-{before}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            "The board was not copied, and so nothing was done: the folder for the copy cannot be made."
        ) from error
    database.backup(kept)
    return kept


def beside(database: Database, words: str) -> Path:
    """A name for a copy that is not taken: beside the file, or in the user's data folder for a board on a server."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    if database.path is not None:
        return database.path.with_name(f"{database.path.name}.{words}-{stamp}")
    from swarm_mcp.config import default_database  # noqa: PLC0415 - boards in files do without the settings

    name = database.shown.split("?", 1)[0].rsplit("/", 1)[-1]
    return Path(default_database()).with_name(f"{re.sub('[^A-Za-z0-9_.-]', '_', name)}.{words}-{stamp}.db")
