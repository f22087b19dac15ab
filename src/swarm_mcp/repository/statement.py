"""Statements that every call needs: compiled once by SQLAlchemy, executed on the driver's own cursor.

SQLAlchemy's Core compiles the SQL, chooses the parameters' order and converts the values, exactly as it would by
itself; what is left out is its execution context and result object, two thirds of the time of a statement that finds
one row by its key (measured on SQLite: 8 µs against 25). Statements that are made up for one call go through the
connection as usual.
"""

from __future__ import annotations

import re
from collections import namedtuple
from functools import cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Insert, Select, bindparam, literal_column, update
from sqlalchemy.ext.compiler import compiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Dialect, Executable, Table
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.sql.elements import BindParameter

    from swarm_mcp.repository.database import Transaction

BARE_LIMIT = re.compile(r"\bLIMIT \?")
"""SQLite looks at a parameter that stands alone after LIMIT while it plans, and so prepares the statement anew at each
execution (20 to 50 µs for one of many columns); at one that is part of an expression it does not look."""

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Lengths of a list for which there is a statement; shorter lists repeat their last value."""
ITEMS = tuple(f"item_{n}" for n in range(SIZES[-1]))

FEW = 4
"""So many rows psycopg executes faster one by one: many are a pipeline to it, which costs as much as two statements."""

NUMERIC = 1700
"""PostgreSQL's type of exact numbers, for whoever wants to know what the driver delivers. Only numbers ask, and what is
right for these is right for floating ones."""

Row: TypeAlias = Any
"""A row of a statement: a named tuple of its columns. What it has is known to the statement alone."""
type_of_row = namedtuple  # noqa: PYI024 - made from a statement's columns at run time


@cache
def row_type(names: tuple[str, ...]) -> Any:
    """The named tuple of these columns; many statements share one."""
    return type_of_row("Row", names, rename=True)  # pyright: ignore[reportUntypedNamedTuple] - see above


class Plan(NamedTuple):
    """A statement as the driver takes it."""

    sql: str
    parameters: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    pick: Callable[[Mapping[str, Any]], Any] | None
    """The values in their order, where they need neither defaults nor conversion."""
    defaults: dict[str, Any]
    """What the driver is given for a parameter that has no value."""
    make: Callable[[Iterable[Any]], Any]
    convert: tuple[tuple[int, Callable[[Any], Any]], ...]


class Statement:
    """One statement with named parameters. Rows are named tuples of its columns.

    An insert takes a value for each column; those left out get the column's default.
    """

    __slots__ = ("_other", "_plans", "_source")

    def __init__(self, source: Executable, *, postgres: Executable | None = None) -> None:
        """Prepare `source`, or, where PostgreSQL has to be asked otherwise, that other one."""
        self._source = source
        self._other = source if postgres is None else postgres
        self._plans: list[Plan | None] = [None, None]
        """For SQLite and for PostgreSQL: a process may have boards on both."""

    def run(self, db: Transaction, values: Mapping[str, Any]) -> None:
        """Execute it for its effect."""
        plan = self._plans[db.is_postgres] or self._compile(db)
        db.driver.execute(plan.sql, _bound(plan, values))

    def run_many(self, db: Transaction, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute it for its effect, once for each of these."""
        plan = self._plans[db.is_postgres] or self._compile(db)
        bound = [_bound(plan, values) for values in rows]
        if db.is_postgres and len(bound) <= FEW:
            for each in bound:
                db.driver.execute(plan.sql, each)
        else:
            db.driver.executemany(plan.sql, bound)

    def all(self, db: Transaction, values: Mapping[str, Any]) -> list[Any]:
        """Every row."""
        plan = self._plans[db.is_postgres] or self._compile(db)
        found = db.driver.execute(plan.sql, _bound(plan, values)).fetchall()
        return [_row(plan, raw) for raw in found] if plan.convert else list(map(plan.make, found))

    def first(self, db: Transaction, values: Mapping[str, Any]) -> Any:
        """The first row, or None."""
        plan = self._plans[db.is_postgres] or self._compile(db)
        found = db.driver.execute(plan.sql, _bound(plan, values)).fetchall()
        return _row(plan, found[0]) if found else None

    def scalar(self, db: Transaction, values: Mapping[str, Any]) -> Any:
        """The first column of the first row, or None."""
        row = self.first(db, values)
        return None if row is None else row[0]

    def scalars(self, db: Transaction, values: Mapping[str, Any]) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self.all(db, values)]

    def _compile(self, db: Transaction) -> Plan:
        dialect = db.dialect
        source = self._other if db.is_postgres else self._source
        compiled = source.compile(dialect=dialect, **_columns_to_insert(source))  # type: ignore[attr-defined]
        defaults = {
            name: value
            for name, value in compiled.params.items()
            if value is not None and not compiled.binds[name].required
        }
        defaults |= _column_defaults(source, compiled.params)
        names = compiled.positiontup or []
        parameters = tuple((name, _to_driver(compiled.binds[name], dialect)) for name in names)
        defaults = {name: _converted(defaults.get(name), process) for name, process in parameters}
        columns = list(_columns(source))
        row = row_type(tuple(column.key for column in columns))
        convert = tuple(
            (place, processor)
            for place, column in enumerate(columns)
            if (processor := column.type.dialect_impl(dialect).result_processor(dialect, NUMERIC)) is not None
        )
        sql = BARE_LIMIT.sub("LIMIT ? + 0", str(compiled))
        needs_nothing = all(process is None and defaults[name] is None for name, process in parameters)
        pick = itemgetter(*names) if len(names) > 1 and needs_nothing else None
        make = partial(tuple.__new__, row)  # what `row._make` comes to, without a function of Python's for each row
        plan = Plan(sql, parameters, pick, defaults, make, convert)
        self._plans[db.is_postgres] = plan
        return plan


class ListStatement:
    """A statement about a list of values, such as ids: `make` is given that many parameters and returns it."""

    __slots__ = ("_make", "_statements")

    def __init__(self, make: Callable[[list[BindParameter[Any]]], Executable]) -> None:
        self._make = make
        self._statements: dict[int, Statement] = {}

    def all(self, db: Transaction, wanted: Sequence[Any], values: Mapping[str, Any] | None = None) -> list[Any]:
        """The rows for these values, however many they are, batch by batch."""
        found: list[Any] = []
        for start in range(0, len(wanted), SIZES[-1]):
            batch = wanted[start : start + SIZES[-1]]
            size = next(each for each in SIZES if each >= len(batch))
            padded = [*batch, *[batch[-1]] * (size - len(batch))]
            found += self._statement(size).all(db, {**(values or {}), **dict(zip(ITEMS, padded, strict=False))})
        return found

    def _statement(self, size: int) -> Statement:
        if size not in self._statements:
            self._statements[size] = Statement(self._make([bindparam(name) for name in ITEMS[:size]]))
        return self._statements[size]


@cache
def setting(table: Table, keys: tuple[str, ...], columns: tuple[str, ...], *, returning: bool = False) -> Statement:
    """The update of these columns (`new_…`) of the rows with these keys (`key_…`): a statement for each combination."""
    statement = update(table).values({column: bindparam(f"new_{column}") for column in columns})
    statement = statement.where(*(table.c[key] == bindparam(f"key_{key}") for key in keys))
    return Statement(statement.returning(*table.c) if returning else statement)


def set_columns(db: Transaction, table: Table, keys: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Set columns of the rows with these keys."""
    bound = {f"new_{name}": value for name, value in values.items()} | {
        f"key_{name}": key for name, key in keys.items()
    }
    setting(table, tuple(keys), tuple(sorted(values))).run(db, bound)


class Unsought(ColumnElement[Any]):
    """A column by which SQLite shall not look for rows; PostgreSQL decides for itself."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type


@compiles(Unsought)
def _as_it_is(element: Unsought, compiler: SQLCompiler, **said: Any) -> str:
    return compiler.process(element.column, **said)


@compiles(Unsought, "sqlite")
def _with_a_plus(element: Unsought, compiler: SQLCompiler, **said: Any) -> str:
    return f"+{compiler.process(element.column, **said)}"


def among(column: ColumnElement[str], *words: str) -> ColumnElement[bool]:
    """Whether a column has one of these fixed words, which become part of the statement's text."""
    return column.in_([literal_column(f"'{word}'") for word in words])


def _bound(plan: Plan, values: Mapping[str, Any]) -> Sequence[Any]:
    if plan.pick is not None:
        return plan.pick(values)
    defaults = plan.defaults
    bound: list[Any] = []
    for name, process in plan.parameters:
        if name in values:
            value = values[name]
            bound.append(value if process is None or value is None else process(value))
        else:
            bound.append(defaults[name])
    return bound


def _converted(value: Any, process: Callable[[Any], Any] | None) -> Any:
    """A default as the driver takes it. What a column makes anew for each row (a list, a map) is the same text."""
    made = value() if callable(value) else value
    return made if process is None or made is None else process(made)


def _row(plan: Plan, raw: Sequence[Any]) -> Any:
    values: list[Any] | None = None  # as with many rows in which all that would be converted is absent
    for place, process in plan.convert:
        if raw[place] is not None:
            if values is None:
                values = list(raw)
            values[place] = process(raw[place])
    return plan.make(raw if values is None else values)


def _to_driver(bind: BindParameter[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return bind.type.dialect_impl(dialect).bind_processor(dialect)


def _columns(source: Executable) -> Iterable[Any]:
    if isinstance(source, Select):
        return source.selected_columns
    return getattr(source, "exported_columns", ())


def _columns_to_insert(source: Executable) -> dict[str, list[str]]:
    """An insert without values inserts every column that the database does not compute itself."""
    if not isinstance(source, Insert) or source._values is not None:  # noqa: SLF001 - nothing public tells
        return {}
    return {
        "column_keys": [
            column.key
            for column in source.table.columns
            if column.computed is None
            and column.server_default is None
            and not (column.primary_key and column is source.table.autoincrement_column)  # type: ignore[attr-defined]
        ]
    }


def _column_defaults(source: Executable, names: Iterable[str]) -> dict[str, Any]:
    """The defaults of the columns that an insert may leave out; a callable makes a new value each time."""
    if not isinstance(source, Insert):
        return {}
    found: dict[str, Any] = {}
    for name in names:
        column = source.table.columns.get(name)
        if column is not None and column.default is not None:
            given = column.default.arg  # type: ignore[attr-defined]
            found[name] = (lambda make=given: make(None)) if callable(given) else given
    return found
