"""The people of a foreign plan: who they are here, and who has to be announced."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from swarm_mcp.model import ids
from swarm_mcp.model.errors import Refusal
from swarm_mcp.operations import naming
from swarm_mcp.operations.naming import Place
from swarm_mcp.repository import agents

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

NOBODY = frozenset({"", "operator", "system"})
PLACES = frozenset({"agent", "team", "specialty"})
NAME_LIMIT = 63
ALIKE = 1000
"""How many names that cannot be kept may come to the same one."""


class People:
    """Whom the names of a plan mean. A name that nobody has here becomes an agent that has not called yet."""

    def __init__(self, db: Transaction) -> None:
        self.db = db
        self.announced: list[str] = []
        """The names of those who are new."""
        self.renamed: list[str] = []
        """Sentences about names that could not be kept."""
        self.skipped: list[str] = []
        """Sentences about those who could not be found a place."""
        self._places: dict[str, Place | Refusal] = {}
        self._strangers: set[str] = set()
        """The names of authors that are no agents, and were reported."""

    def whose(self, ref: str, name: str) -> Place:
        """Where a task lies: with an agent, a team or a specialty of that name; with nobody if it cannot."""
        if not name.strip():
            return Place()
        place = self._place(name)
        try:
            if isinstance(place, Refusal):
                raise place
            if place.agent is not None:
                naming.check_handing_to(self.db, place.agent, [])
        except Refusal as refusal:
            self.skipped.append(f"{ref}: it was assigned to nobody. {refusal.message}")
            return Place()
        return place

    def who(self, name: str) -> str | None:
        """The id of an agent who did or said something; nobody is the operator."""
        if name.strip().lower() in NOBODY:
            return None
        place = self._place(name)
        if isinstance(place, Place) and place.agent is not None:
            return place.agent.id
        if name not in self._strangers:
            self._strangers.add(name)
            words = place.message if isinstance(place, Refusal) else f"`{name[:80]}` is no agent here."
            self.skipped.append(f"What `{name[:80]}` did and said has no author here. {words}")
        return None

    def _place(self, name: str) -> Place | Refusal:
        if name not in self._places:
            try:
                self._places[name] = self._find(name.strip())
            except Refusal as refusal:
                self._places[name] = refusal
        return self._places[name]

    def _find(self, name: str) -> Place:
        if name.partition(":")[0] in PLACES or _is_a_name(name):
            place = naming.find_place(self.db, name)
            return place or Place(agent=self._announce(ids.fold_name(name), name))
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        folded = ids.fold_name(re.sub(r"[^a-z0-9_.-]+", "_", plain).strip("_.-")[:NAME_LIMIT] or "somebody")
        for n in range(1, ALIKE):
            candidate = folded if n == 1 else f"{folded[: NAME_LIMIT - 4]}_{n}"
            row = agents.find_agent(self.db, candidate)
            if row is not None and row.title == name:
                return Place(agent=row)
            if row is None and naming.find_place(self.db, candidate) is None:
                self.renamed.append(f"`{name[:80]}` is called {candidate} here.")
                return Place(agent=self._announce(candidate, name))
        return Place()

    def _announce(self, name: str, spelt: str) -> Row:
        self.announced.append(name)
        return naming.announce(self.db, name, spelt)


def _is_a_name(name: str) -> bool:
    try:
        ids.fold_name(name)
    except Refusal:
        return name.strip().lower() in ids.RESERVED
    return True
