"""The people of a board that is imported: who they are here."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from swarm_mcp.model import ids
from swarm_mcp.model.errors import Conflict
from swarm_mcp.operations import hierarchy
from swarm_mcp.repository import agents, loading, whole
from swarm_mcp.repository.kinds import KINDS
from swarm_mcp.repository.loading import Misfit

if TYPE_CHECKING:
    from swarm_mcp.interchange.swarm_source import Line, Source
    from swarm_mcp.repository.database import Transaction


class People:
    """Agents and teams by their ids in the file."""

    KINDS = ("agent", "team", "team_member")

    def __init__(self, db: Transaction, source: Source, *, fresh: bool) -> None:
        self.db = db
        self.source = source
        self.fresh = fresh
        self.ids: dict[str, str] = {}
        """What they are called here, by what the file calls them."""
        self.changed: dict[str, str] = {}
        """Those that are called otherwise."""
        self.stored: Counter[str] = Counter()
        self.sentences: list[str] = []
        self._known = {"agent": {}, "team": {}} if fresh else self._here()
        self._levels: dict[str, int] = {}
        self._root = None if fresh else hierarchy.oldest_active_root(db)

    def _here(self) -> dict[str, dict[str, str]]:
        """The ids of this project's agents and teams by their names."""
        found: dict[str, dict[str, str]] = {}
        for name in ("agent", "team"):
            fields = [field.name for field in KINDS[name].fields]
            own, called = fields.index("id"), fields.index("name")
            found[name] = {row[called]: row[own] for row in whole.people(self.db, name)}
        return found

    def here(self, line: Line, name: str) -> str | None:
        """Who a line names, by the id that it has here."""
        value = line[name]
        if value is None:
            return None
        known = self.ids.get(value)
        if known is None:
            self.source.refuse(f"`{name}` names {value[:40]}, of which there is no line before.", line.number)
        return known

    def take(self, kind: str, batch: list[Line]) -> None:
        """Store those who are not here yet."""
        if kind == "team_member":
            self._take_members(batch)
            return
        taken = loading.found(self.db, kind, (line["id"] for line in batch), "project")
        news = [line for line in batch if self._is_new(kind, line, taken)]
        for line in news:
            if kind == "agent":
                self._place(line)
            else:
                line["supervisor_id"] = self.here(line, "supervisor_id")
        self._store(kind, news)

    def _is_new(self, kind: str, line: Line, taken: dict[str, Any]) -> bool:
        """Find out who somebody is here: the one of that name, or a new one."""
        name, told = line["name"], line["id"]
        if told in self.ids:
            self.source.refuse(f"the {kind} {name} has an id that is used twice.", line.number)
        other = "team" if kind == "agent" else "agent"
        if name in self._known[other]:
            raise Conflict(f"Nothing was imported: {name} is a {kind} in the file and a {other} of this board.")
        known = self._known[kind].get(name)
        own = known or (ids.new_uuid() if told in taken else told)
        self.ids[told] = own
        if own != told:
            self.changed[told] = own
        if known is None:
            self._known[kind][name] = own
            line["id"] = own
        elif own != told:
            self.sentences.append(f"{name}: that is the {kind} of this name on this board.")
        return known is None

    def _place(self, line: Line) -> None:
        """Newcomers to a board with people come below its root director, if nobody is above them."""
        line["superior_id"] = self.here(line, "superior_id")
        if self.fresh:
            return
        if line["superior_id"] is None and self._root is not None:
            line["superior_id"] = self._root.id
            self.sentences.append(f"{line['name']}: stands below {self._root.name} on this board.")
        above = line["superior_id"]
        if above is not None and above not in self._levels:
            self._levels[above] = agents.agent_row(self.db, above).level
        line["level"] = self._levels[above] + 1 if above is not None else 0
        self._levels[line["id"]] = line["level"]

    def _take_members(self, batch: list[Line]) -> None:
        taken = loading.found(self.db, "team_member", (line["id"] for line in batch))
        here = set[tuple[str, str]]() if self.fresh else loading.memberships(self.db)
        news: list[Line] = []
        for line in batch:
            line["team_id"], line["agent_id"] = self.here(line, "team_id"), self.here(line, "agent_id")
            if (line["team_id"], line["agent_id"]) in here:
                continue
            if line["id"] in taken:
                line["id"] = ids.new_uuid()
            news.append(line)
        self._store("team_member", news)

    def _store(self, kind: str, lines: list[Line]) -> None:
        try:
            loading.insert_rows(self.db, kind, lines)
        except Misfit as misfit:
            words = f"this {kind} contradicts itself, or another line."
            self.source.refuse(words, lines[misfit.place].number)
        self.stored[kind] += len(lines)
