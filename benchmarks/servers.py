"""The two programs that are compared: the floor, and swarm-mcp."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.board import AGENT

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR = [sys.executable, str(Path(__file__).with_name("floor.py"))]
TEXT = "the quick brown fox"


def swarm(database: Path, *, profile: str = "director", agent: str = AGENT) -> Sequence[str]:
    """Return the command of a server on this board, which has every tool unless told otherwise."""
    options = ["--database", str(database), "--agent", agent, "--profile", profile]
    return [sys.executable, "-m", "swarm_mcp", "serve", *options]
