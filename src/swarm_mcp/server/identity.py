"""Who is calling: names for connections, and what each connection remembers of its agents."""

from __future__ import annotations

import os
import re
import socket
import time
from typing import TYPE_CHECKING

from swarm_mcp.model import ids
from swarm_mcp.model.errors import Ambiguous, Invalid
from swarm_mcp.operations import upkeep
from swarm_mcp.repository import connections

if TYPE_CHECKING:
    from collections.abc import Callable

    from swarm_mcp.repository.database import Transaction

HEARTBEAT_SECONDS = 15.0
"""How often a reader is looked after at most: enough to renew the shortest lease, a minute, in its second half."""
NAMES_SHOWN = 20


class Caller:
    """One live connection: its name, who has acted through it, and the attempts that they know of."""

    subject = ""
    """Whose credential was shown with the connection's requests, if one was."""

    def __init__(self, fixed_name: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = ids.new_uuid()
        self._fixed_name = ids.fold_name(fixed_name) if fixed_name.strip() else ""
        self.name = self._fixed_name
        """The name that an empty `agent` means."""
        self.acted: set[str] = set()
        """Who has written through this connection."""
        self._clock = clock
        self._spelling = {self.name: fixed_name.strip()}
        self._seen: dict[str, float] = {}
        self._silent: set[str] = set()
        self._attempts: dict[tuple[str, str], int] = {}
        self._meant: dict[str, str] = {}
        self._registered = False

    @property
    def is_known(self) -> bool:
        """Whether the connection has a name and the board knows of it."""
        return self._registered

    def register(self, db: Transaction, client: str) -> str:
        """Enter the connection into the board; one without a name gets the client's, with the lowest free number.

        Returns:
            The name, to be kept with `registered()` once this is committed.

        """
        name = self._fixed_name or free_name(db, name_of_client(client))
        connections.close_connection(db, self.id)
        connections.open_connection(db, self.id, name, host=socket.gethostname(), process=self.process())
        return name

    def process(self) -> int:
        """Which process ends with the connection; 0 if none does."""
        return os.getpid()

    def registered(self, name: str) -> None:
        """Keep the name that was committed."""
        self.name, self._registered = name, True

    def unregistered(self, name: str) -> None:
        """Go on under a name that the board could not write down."""
        self.name = name

    def fallback(self, client: str) -> str:
        """The name without asking the board."""
        return name_of_client(client)

    def leave(self, db: Transaction) -> None:
        """Take the connection off the board."""
        connections.close_connection(db, self.id)

    def agent(self, given: str, *, writing: bool) -> str:
        """Whose call this is.

        Raises:
            Ambiguous: several agents act through this connection, and a write does not say which.

        """
        name = ids.fold_name(given) if given.strip() else ""
        if name:
            self._spelling[name] = given.strip()
        if not name and writing and len(self.acted) > 1:
            names = sorted(self.acted)
            more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
            raise Ambiguous(
                f"Several agents act through this connection ({', '.join(names[:NAMES_SHOWN])}{more}): say which one "
                "this is, agent=…",
                candidates=names[:NAMES_SHOWN],
            )
        return name or self.name

    def spelt(self, agent: str) -> str:
        """An agent's name as whoever called wrote it, which the board keeps as its title."""
        return self._spelling.get(agent) or agent

    def has_acted(self, agent: str) -> None:
        """Note that an agent wrote through this connection."""
        self.acted.add(agent)
        self._seen[agent] = self._clock()

    def has_read(self, agent: str) -> None:
        """Note that an agent read through this connection; from time to time the board should hear of it."""
        now = self._clock()
        if now - self._seen.get(agent, -HEARTBEAT_SECONDS) >= HEARTBEAT_SECONDS:
            self._seen[agent] = now
            self._silent.add(agent)

    @property
    def has_silent_readers(self) -> bool:
        """Whether somebody read of whom the board has not heard for a while."""
        return bool(self._silent)

    def readers_to_note(self) -> list[str]:
        """Those who read and of whom the board has not heard; each is named once."""
        silent, self._silent = self._silent, set()
        return sorted(silent)

    def remember(self, agent: str, task: str, attempt: int, *, said: str = "") -> None:
        """Keep the attempt that an agent last claimed or read here, and by what name it called the task."""
        if attempt:
            self._attempts[agent, task] = attempt
        if said.strip():
            self._meant[said.strip()] = task

    def attempt(self, agent: str, said: str) -> int:
        """The attempt that an agent means when it says none; 0 if this connection knows none."""
        task = self._meant.get(said.strip(), said.strip().lower())
        known = self._attempts.get((agent, task))
        if known is not None or len(task) < ids.PREFIX_MINIMUM:
            return known or 0
        known_here = list(self._attempts.items())  # other calls add to them meanwhile
        fits = [attempt for (who, each), attempt in known_here if who == agent and each.startswith(task)]
        return fits[0] if len(fits) == 1 else 0


def name_of_client(client: str) -> str:
    """A client's name as an agent's: lower case, dashes for what a name cannot have."""
    folded = re.sub(r"[^a-z0-9_.-]+", "-", client.strip().lower()).strip("-._")[:50]
    try:
        return ids.fold_name(folded or "agent")
    except Invalid:
        return "agent"


def free_name(db: Transaction, base: str) -> str:
    """The client's name if no live connection uses it, else with the lowest number that none uses."""
    taken = set()
    for each in connections.connections(db):
        if _is_live(db, each):
            taken.add(each.agent)
        elif each.process:
            connections.close_connection(db, each.id)
    if base not in taken:
        return base
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def _is_live(db: Transaction, row: object) -> bool:
    """Whether a connection is still there: its process lives, or it was seen just now from another machine."""
    if row.process and row.host == socket.gethostname():  # type: ignore[attr-defined]
        try:
            os.kill(row.process, 0)  # type: ignore[attr-defined]
        except ProcessLookupError:
            return False
        except (PermissionError, OSError):
            pass
    return db.now - row.seen_at <= upkeep.CONNECTION_SILENT  # type: ignore[attr-defined]
