"""Success criteria that a machine can check: CEL expressions over what was measured.

CEL, the Common Expression Language (https://cel.dev), has no loops but its macros, and reaches nothing
outside its measurements; nothing is ever handed to Python's own evaluation. This is the only module that
knows the library that evaluates it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.expression import FUNCTIONS, MACROS, Expression, Path, read_expression, tokens_of
from swarm_mcp.model.measurements import Size, UnusableMeasurementError, cut, expand, find, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cel import Program

__all__ = ["Verdict", "check_expression", "evaluate", "expand", "names_of"]

WORK_LIMIT = 3_000_000_000
"""Nanoseconds that evaluating may take by the worst estimate: evaluation cannot be interrupted."""
SHOWN_NAMES = 5
SHOWN_CHECK = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a check, and in a few words why; no words when it passed."""

    outcome: Literal["passed", "failed", "unresolved"]
    reason: str = ""


def check_expression(text: str) -> None:
    """Refuse a check that could never be evaluated.

    Raises:
        Invalid: it does not parse, calls unknown functions, or is too long or too deeply nested.

    """
    _parse(text)


def names_of(text: str) -> frozenset[str]:
    """The measurements that a check needs, as dotted paths (`test_suite.exit_code`).

    Names that a macro binds are none. `has(x.y)` asks by itself: it needs `x`, and `x.y` may be missing
    in all of that check. A check that needs nothing is a manual criterion; so is an empty one.

    Raises:
        Invalid: as `check_expression`.

    """
    if not text.strip():
        return frozenset()
    expression, _ = _parse(text)
    return frozenset(".".join(path) for path in expression.needed)


def evaluate(text: str, measurements: Mapping[str, object]) -> Verdict:
    """Whether a check holds over expanded measurements.

    Unresolved is everything but a plain true or false: a name without a measurement (also where the answer
    would not depend on it), an error while computing, another kind of result, too much work, or a check
    that does not parse or names no measurement at all.
    """
    try:
        expression, program = _parse(text)
        known = _needed_of(expression, measurements)
    except (Invalid, UnusableMeasurementError) as refusal:
        return Verdict("unresolved", str(refusal))
    missing = sorted(".".join(path) for path in expression.needed if find(known, path) is None)
    if missing:
        return Verdict("unresolved", f"{_listed(missing)} {'was' if len(missing) == 1 else 'were'} not measured")
    shown = f"measured {_measured(known, expression.needed)}"
    try:
        result: object = program.execute(known)
    except Exception as error:  # whatever the library raises, the check is unresolved
        return Verdict("unresolved", f"{cut(text, SHOWN_CHECK)} {_trouble(error, expression)}, {shown}")
    if result is True:
        return Verdict("passed")
    if result is False:
        return Verdict("failed", f"{cut(text, SHOWN_CHECK)}, {shown}")
    return Verdict("unresolved", f"gave {_shown(result)}, not true or false")


def _parse(text: str) -> tuple[Expression, Program]:
    """What a check needs, and the compiled program.

    Raises:
        Invalid: it does not parse, or can never be evaluated.

    """
    tokens = tokens_of(text)
    if not tokens:
        raise Invalid("The check is empty.")
    import cel  # noqa: PLC0415 - costs 0.24 s, which a start without checks need not pay

    try:
        program = cel.compile(text)
    except ValueError as error:
        place = re.search(r"<input>:(\d+):(\d+):", str(error))
        where = f" at line {place[1]}, character {place[2]}" if place else ""
        raise Invalid(
            f"The check `{cut(text)}` does not parse{where}. Write CEL over measurements, such as `p95_ms < 200`."
        ) from None
    unknown = [name for name in program.functions() if name.isidentifier() and name not in FUNCTIONS]
    if unknown:  # a macro of the wrong form is a call too
        raise Invalid(
            f"Checks know no function `{cut(unknown[0])}` of that form. Known: {', '.join(sorted(FUNCTIONS | MACROS))}."
        )
    return read_expression(tokens), program


def _needed_of(expression: Expression, measurements: Mapping[str, object]) -> dict[str, object]:
    """The measurements that the expression looks at, and no others.

    Raises:
        UnusableMeasurementError: it looks at none, at more than can be evaluated in time, or at no figures.

    """
    if not expression.needed:
        raise UnusableMeasurementError("names no measurement, so it needs evidence")
    size = Size()
    names = {path[0] for path in expression.needed | expression.optional}
    known = {name: plain(measurements[name], name, size) for name in names if name in measurements}
    if _worst_case(expression, size) > WORK_LIMIT:
        raise UnusableMeasurementError(
            "may take too long over lists or texts of this size; measure a count or a maximum instead"
        )
    return {name: value for name, value in known.items() if value is not None}


def _worst_case(expression: Expression, size: Size) -> int:
    """Nanoseconds, if every round of every macro looks at all that was measured.

    Measured per item: 4 ns to compare, 100 ns where map and filter copy what they have gathered so far in
    each round.
    """
    rounds: int = max(size.longest, expression.growth + 1) ** expression.nesting
    copies: int = size.longest**expression.maps
    look = size.values * (100 if expression.maps or expression.filters else 5) + size.characters
    growth: int = (1 + expression.growth) ** (2 + expression.macros)
    return rounds * (copies * look * growth + expression.patterns)


def _trouble(error: Exception, expression: Expression) -> str:
    """Why a check could not be computed, in our own words."""
    if isinstance(error, TypeError):
        hint = " (in arithmetic, 2 and 2.0 do not mix: write double(x))" if expression.arithmetic else ""
        return f"combines kinds of values that do not go together{hint}"
    if isinstance(error, ZeroDivisionError):
        return "divides by zero"
    if isinstance(error, OverflowError):
        return "leaves the range of 64-bit numbers"
    if isinstance(error, LookupError):
        return "asks for an item that was not measured"
    return "reads a value as something that it is not"


def _measured(known: Mapping[str, object], needed: Iterable[Path]) -> str:
    """The values that decided: `240`, or `errors 3, p95_ms 240`."""
    paths = sorted(needed)
    if len(paths) == 1:
        return _shown(find(known, paths[0]))
    values = [f"{cut('.'.join(path))} {_shown(find(known, path))}" for path in paths[:SHOWN_NAMES]]
    more = f" and {len(paths) - SHOWN_NAMES} more" if len(paths) > SHOWN_NAMES else ""
    return f"{', '.join(values)}{more}"


def _listed(names: Sequence[str]) -> str:
    shown = [f"`{cut(name)}`" for name in names[:SHOWN_NAMES]]
    if len(names) > SHOWN_NAMES:
        return f"{', '.join(shown)} and {len(names) - SHOWN_NAMES} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]


def _shown(value: object) -> str:
    return cut(json.dumps(value, ensure_ascii=False, default=str))
