"""The kinds of rows that belong to a project, as they leave one database and enter another.

What follows from the rest is left out and made anew: counters, the places in queues, indexes of words, the tally. The
order of the graph (`rank`, `end_rank`) is kept, because it is cheaper to check than to make. So is left out what is
this database's alone: connections and who claimed through which, tokens (with the digests of their secrets), and the
answers that are kept for repeated calls.

Only messages and events have numbers that something refers to. They are told from the first one on, gaps included, so
that all of them can be moved by one distance; the other numbers are told by the order of the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Float, Integer, SmallInteger, String

from swarm_mcp.repository import tables
from swarm_mcp.repository.types import ExactDecimal, Json, UtcTime

if TYPE_CHECKING:
    from sqlalchemy import Column, Table

NUMBERED = {"message": "id", "event": "seq"}
"""Kinds whose rows are referred to by their number, and its column."""
LEFT_OUT = {
    "task": {"connection_id", "waits", "gates", "subtasks", "open_subtasks", "lane", "urgency", "finished", "due"},
    "event": {"xact"},
} | {name: {"id"} for name in ("progress", "context", "note", "feedback", "inbox")}
UNBOUNDED = 2**63 - 1
SPANS = {SmallInteger: 15, Integer: 31, BigInteger: 63}
"""Bits of the numbers that a column can hold."""


class Field(NamedTuple):
    """One value of a row."""

    name: str
    """As the column is called."""
    type: str
    """text, integer, float, boolean, time, decimal or json."""
    nullable: bool
    empty: Any
    """What it is when nothing is said; for a column that has to be said, `...`."""
    choices: tuple[str, ...]
    """The words that it may be; none: any."""
    most: int
    """Characters of a text (0: as many as there are), or the largest number."""
    refers: str
    """The kind of row that it names, if it names one."""
    says: str
    """What the table says of it."""


class Kind(NamedTuple):
    """A kind of rows: a table, as it leaves one database and enters another."""

    name: str
    fields: tuple[Field, ...]
    order: tuple[str, ...]
    """The columns by which its rows are ordered: everything comes after what it refers to."""
    own: str
    """How it belongs to a project: by its `project`, or by its task or team."""

    @property
    def has_project(self) -> bool:
        """Whether its rows name their project."""
        return "project" in table_of(self.name).c


def table_of(name: str) -> Table:
    """The table of a kind."""
    return tables.metadata.tables[name]


ORDERS = {
    "agent": ("id",),
    "team": ("id",),
    "team_member": ("id",),
    "task": ("rank", "id"),
    "external_ref": ("id",),
    "dependency": ("task_id", "depends_on_id", "type"),
    "criterion": ("task_id", "position"),
    "delegation": ("id",),
    "execution": ("task_id", "attempt"),
    "progress": ("id",),
    "context": ("id",),
    "note": ("id",),
    "feedback": ("id",),
    "participant": ("task_id", "agent_id"),
    "conversation": ("id",),
    "message": ("id",),
    "inbox": ("id",),
    "event": ("seq",),
}


def _kind(name: str, order: tuple[str, ...]) -> Kind:
    table = table_of(name)
    out = LEFT_OUT.get(name, set()) | {"project"}
    own = "task" if "task_id" in table.c else "team" if "team_id" in table.c else "project"
    return Kind(name, tuple(_field(table, each) for each in table.c if each.name not in out), order, own)


def _field(table: Table, column: Column[Any]) -> Field:
    choices = next(
        (tuple(each.info["words"]) for each in table.constraints if _is_choice_of(each, column.name)),
        (),
    )
    refers = next((key.column.table.name for key in column.foreign_keys), "")
    most, says = _most(column), column.doc or ""
    return Field(column.name, _type_name(column), bool(column.nullable), _empty(column), choices, most, refers, says)


def _is_choice_of(constraint: object, column: str) -> bool:
    return isinstance(constraint, CheckConstraint) and constraint.info.get("column") == column


def _type_name(column: Column[Any]) -> str:
    if column.foreign_keys and NUMBERED.get(next(iter(column.foreign_keys)).column.table.name):
        return "integer"
    found = {UtcTime: "time", Json: "json", ExactDecimal: "decimal", Boolean: "boolean", Float: "float"}
    for type_, name in found.items():
        if isinstance(column.type, type_):
            return name
    return "text" if isinstance(column.type, String) or column.foreign_keys else "integer"


def _empty(column: Column[Any]) -> Any:
    """What need not be said, because nothing is there: a default that is empty, or no value."""
    if column.nullable:
        return None
    default = column.default.arg if column.default is not None else ...  # type: ignore[attr-defined]
    made = default(None) if callable(default) else default
    return made if made in ("", [], {}, 0, False) and made is not ... else ...


def _most(column: Column[Any]) -> int:
    length = getattr(column.type, "length", None)
    if length:
        return int(length)
    return next((2**bits - 1 for type_, bits in SPANS.items() if type(column.type) is type_), UNBOUNDED)


KINDS = {name: _kind(name, order) for name, order in ORDERS.items()}
"""Every kind of rows that belongs to a project, in the order in which they refer to each other."""
PROJECT = Kind("project", tuple(_field(tables.project, each) for each in tables.project.c), ("slug",), "project")
"""The project itself, as the header tells it."""
