"""The board as lossless JSON lines (see `swarm_lines`), row by row: a million tasks take no more memory than a few."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.exporting import Exported, Wanted
from swarm_mcp.interchange.swarm_lines import END, FORMAT, HEADER, VERSION, LineWriter, encode
from swarm_mcp.repository import whole
from swarm_mcp.repository.kinds import KINDS, NUMBERED
from swarm_mcp.repository.migrate import HEAD
from swarm_mcp.repository.whole import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TextIO

    from swarm_mcp.repository.database import Transaction

PEOPLE = ("agent", "team", "team_member")
Everybody = dict[str, list[Sequence[Any]]]
STEP = 1000
"""Rows between two reports of how far it is."""


def expected(db: Transaction, wanted: Wanted) -> int:
    """How many rows there will be, but for the people of a part."""
    scope = Scope(wanted.task, wanted.since)
    return sum(whole.count(db, kind, scope) for name, kind in KINDS.items() if name not in PEOPLE)


def write(db: Transaction, path: Path, wanted: Wanted, told: Callable[[int], None]) -> Exported:
    """Write the lines to a new file."""
    with open(path, "x", encoding="utf-8", newline="\n", opener=private) as target:
        counts = write_lines(db, target, Scope(wanted.task, wanted.since), told)
    others = {name: count for name, count in counts.items() if name != "task"}
    tasks, rows = counts["task"], sum(counts.values())
    part = "" if wanted == Wanted() else ", a part of the board"
    message = f"Exported {tasks:,} {'task' if tasks == 1 else 'tasks'} in {rows:,} rows{part}."
    return Exported(message=message, format="swarm", tasks=tasks, counts=others)


def everybody(db: Transaction) -> Everybody:
    """The project's agents, teams and memberships."""
    return {name: whole.people(db, name) for name in PEOPLE}


def private(path: str, flags: int) -> int:
    """Open a file for its owner alone: what is private on the board is in it."""
    return os.open(path, flags, 0o600)


def write_lines(
    db: Transaction, target: TextIO, scope: Scope, told: Callable[[int], None], all_people: Everybody | None = None
) -> dict[str, int]:
    """Write a header, the rows and the end; how many rows of each kind.

    Args:
        db: the transaction.
        target: where to.
        scope: whole project or some of its tasks.
        told: called with how many more rows are written.
        all_people: `everybody`, if that is known.

    """
    people = _people(db, scope, everybody(db) if all_people is None else all_people)
    counts = {
        name: len(people[name]) if name in PEOPLE else whole.count(db, kind, scope) for name, kind in KINDS.items()
    }
    target.write(encode(_header(db, scope, counts)) + "\n")
    bases = _bases(db, scope)
    for name, kind in KINDS.items():
        writer = LineWriter(kind, is_postgres=db.is_postgres, bases=bases)
        rows = people[name] if name in PEOPLE else whole.stream(db, kind, scope)
        written = 0
        for written, row in enumerate(rows, start=1):
            target.write(encode(writer.line(row)) + "\n")
            if not written % STEP and name not in PEOPLE:
                told(STEP)
        if name not in PEOPLE:
            told(written % STEP)
    target.write(encode({"row": END, "rows": sum(counts.values())}) + "\n")
    return counts


def _header(db: Transaction, scope: Scope, counts: dict[str, int]) -> dict[str, Any]:
    header: dict[str, Any] = {"row": HEADER, "format": FORMAT, "version": VERSION, "revision": HEAD}
    header["exported_at"] = db.now.isoformat(timespec="microseconds")
    header["project"] = whole.project(db)
    if not scope.is_whole:
        since = {"since": scope.since.isoformat(timespec="microseconds")} if scope.since is not None else {}
        header["part"] = {**({"task": scope.root} if scope.root else {}), **since}
    return {**header, "counts": counts}


def _bases(db: Transaction, scope: Scope) -> dict[str, int]:
    return {name: whole.before_first(db, KINDS[name], scope) for name in NUMBERED}


def _people(db: Transaction, scope: Scope, rows: Everybody) -> Everybody:
    """Agents, teams and memberships: all of them, or those whom the rows of a part name, and whoever is above them."""
    if scope.is_whole:
        return rows
    columns = {name: [field.name for field in KINDS[name].fields] for name in PEOPLE}
    named = _named(db, scope)
    teams = [dict(zip(columns["team"], row, strict=True)) for row in rows["team"]]
    named |= {each["supervisor_id"] for each in teams if each["id"] in named and each["supervisor_id"]}
    for row in reversed(rows["agent"]):  # superiors come first, so that the way up is one pass from behind
        said = dict(zip(columns["agent"], row, strict=True))
        if said["id"] in named and said["superior_id"]:
            named.add(said["superior_id"])
    wanted = {"agent": ("id",), "team": ("id",), "team_member": ("team_id", "agent_id")}
    return {
        name: [row for row in rows[name] if named.issuperset(row[columns[name].index(key)] for key in wanted[name])]
        for name in PEOPLE
    }


def _named(db: Transaction, scope: Scope) -> set[str]:
    """The ids of agents and teams in the rows of a part; and other words of their documents, which are no ids."""
    found: set[str] = set()
    for name, kind in KINDS.items():
        if name in PEOPLE:
            continue
        places = [n for n, field in enumerate(kind.fields) if field.refers in {"agent", "team"}]
        writer = LineWriter(kind, is_postgres=db.is_postgres, bases=dict.fromkeys(NUMBERED, 0))
        for row in whole.stream(db, kind, scope):
            found.update(row[n] for n in places if row[n])
            if name in {"event", "delegation", "task"}:
                said = writer.line(row)
                found.update(_texts([said.get("data"), said.get("before"), said.get("reserved_from")]))
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) == 36:  # noqa: PLR2004 - a UUID
            yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
