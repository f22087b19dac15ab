"""The board behind a server: opened in the background, so that the first list of tools waits for nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swarm_mcp.operations.swarm import Swarm


class Board:
    """A swarm that is opened on first use, once, on a worker thread."""

    def __init__(self, target: str, project: str) -> None:
        self.target = target
        self.project = project
        self._swarm: Swarm | None = None
        self.opening = threading.Lock()

    def open(self) -> Swarm:
        """The swarm, opened and migrated now if it was not yet. Blocks.

        Raises:
            Unavailable: the database cannot be used; asking again tries again.

        """
        with self.opening:
            if self._swarm is None:
                from swarm_mcp.operations.swarm import open_swarm  # noqa: PLC0415 - what takes long to import

                self._swarm = open_swarm(self.target, project=self.project)
            return self._swarm

    def close(self) -> None:
        """Let go of the database."""
        if self._swarm is not None:
            self._swarm.close()
