"""What a model reports or proposes as JSON: the agent reports and delegations of the orchestration blueprint, and ours.

A field may have several names. Whatever has an unknown name, a value of the wrong kind, or says two things at once is
refused: a report is taken as it was meant or not at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from swarm_mcp.model.draft import check_clean
from swarm_mcp.model.errors import Ambiguous, Invalid
from swarm_mcp.model.ids import nearest
from swarm_mcp.model.lifecycle import TaskStatus, read_status
from swarm_mcp.model.prose import objects_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from swarm_mcp.model.prose import Found

BLOCKING_LIMIT = 10
KEY = re.compile(r"""\b(\w+)["']?\s*:""")
LOOKS_LIKE = 2
"""Fields of a shape that an object has which was meant to have it."""


@dataclass(frozen=True, slots=True)
class Report:
    """How an attempt at a task ended, as its agent says."""

    status: TaskStatus
    agent: str = ""
    specialty: str = ""
    task: str = ""
    execution: str = ""
    attempt: int = 0
    summary: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)
    artifacts: list[str] = field(default_factory=list)
    next_actions: list[str] = field(default_factory=list)
    issues: list[str] = field(default_factory=list)
    blocking_issues: list[str] = field(default_factory=list)
    error: str = ""
    confidence: float = -1
    measurements: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    actual_hours: float = 0


@dataclass(frozen=True, slots=True)
class Handover:
    """To whom a task is to be handed, and with what words."""

    to: str
    reasoning: str = ""
    priority: str = ""
    estimated_minutes: int = 0
    required_resources: list[str] = field(default_factory=list)
    success_criteria: list[str] = field(default_factory=list)
    risk_factors: list[str] = field(default_factory=list)
    depends_on: list[str] = field(default_factory=list)
    context_requirements: list[str] = field(default_factory=list)
    expected_deliverables: list[str] = field(default_factory=list)


def report_in(text: str) -> Report:
    """The report in a model's prose.

    Raises:
        Invalid: there is none, or it cannot be read.
        Ambiguous: several objects may be meant.

    """
    return report_of(_the_one(text, REPORT))


def report_of(said: Mapping[str, object]) -> Report:
    """A report from the map of its fields.

    Raises:
        Invalid: it is none, or contradicts itself.

    """
    values = _read(said, REPORT)
    started, ended = values.pop("started", None), values.pop("ended", None)
    if started and ended and (started.tzinfo is None) == (ended.tzinfo is None) and ended < started:
        raise Invalid("The report ends before it starts.")
    success = values.pop("success", None)
    status: TaskStatus | None = values.pop("status", None)
    if status is None:
        status = TaskStatus.COMPLETED if success else TaskStatus.FAILED
    elif (status, success) in {(TaskStatus.COMPLETED, False), (TaskStatus.FAILED, True)}:
        raise Ambiguous(f"The report says {status} and success={str(success).lower()}; only one of them can be true.")
    if len(values.get("blocking_issues", [])) > BLOCKING_LIMIT:
        raise Invalid(f"blocking_issues takes at most {BLOCKING_LIMIT}; got {len(values['blocking_issues'])}.")
    return Report(status=status, **values)


def handover_in(text: str) -> Handover:
    """The delegation in a model's prose; refused like a report."""
    return Handover(**_read(_the_one(text, HANDOVER), HANDOVER))


# --- kinds of values -------------------------------------------------------------------------------------------------


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Invalid("a text")
    return value


def _name(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Invalid("a name or a number")
    return str(value).strip()


def _texts(value: object) -> list[str]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        raise Invalid("a list of texts")
    return [_text(each) for each in cast("list[object]", given)]


def _names(value: object) -> list[str]:
    return [_name(each) for each in (cast("list[object]", value) if isinstance(value, list) else [value])]


def _map(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("a map")
    return cast("dict[str, Any]", value)


def _words_by_name(value: object) -> dict[str, str]:
    return {name: _text(each) for name, each in _map(value).items()}


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid("true or false")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid("a number")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("a whole number")
    return value


def _moment(value: object) -> datetime:
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
    except ValueError:
        raise Invalid("a time") from None


def _anything(value: object) -> object:
    return value


# --- shapes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of an object, by each of their names: what they are here, and how they are read."""

    what: str
    marks: frozenset[str]
    """Fields of which it must have one."""
    fields: dict[str, tuple[str, Callable[[object], object]]]
    ignored: frozenset[str] = frozenset()
    """Fields that follow from the others."""


def _named(*fields: tuple[str, Callable[[object], object]]) -> dict[str, tuple[str, Callable[[object], object]]]:
    """Fields by each of their names; the first is what they are called here."""
    return {name: (names.split()[0], read) for names, read in fields for name in names.split()}


REPORT = Shape(
    "report",
    frozenset({"status", "success"}),
    _named(
        ("status outcome", lambda value: read_status(_text(value))), ("success", _truth), ("agent agent_name", _name),
        ("specialty agent_type", _text), ("task task_id", _name), ("execution execution_id", _name),
        ("attempt", _whole), ("started start_time started_at", _moment), ("ended end_time ended_at", _moment),
        ("summary completion_summary", _text), ("outputs", _map), ("artifacts artifacts_created", _texts),
        ("next_actions", _texts), ("issues issues_found", _texts), ("blocking_issues", _texts),
        ("error error_details", _text), ("confidence confidence_score", _number), ("measurements", _map),
        ("evidence", _words_by_name), ("actual_hours", _number), ("duration_seconds is_successful", _anything),
    ),
    frozenset({"duration_seconds"}),
)  # fmt: skip
HANDOVER = Shape(
    "delegation",
    frozenset({"to"}),
    _named(
        ("to assigned_agent", _name), ("reasoning", _text), ("priority", _text),
        ("estimated_minutes estimated_duration_minutes", _whole), ("required_resources", _texts),
        ("success_criteria", _texts), ("risk_factors", _texts), ("depends_on dependencies", _names),
        ("context_requirements", _texts), ("expected_deliverables", _texts),
    ),
)  # fmt: skip


def _read(said: Mapping[str, object], shape: Shape) -> dict[str, Any]:
    """The fields of an object under the names that they have here; absent and null ones are left out.

    Raises:
        Invalid: a field that there is not, a value of the wrong kind, or two values for one field.

    """
    values: dict[str, Any] = {}
    for name, value in said.items():
        if name not in shape.fields:
            near = " or ".join(f"`{each}`" for each in nearest(str(name), shape.fields))
            hint = f"; did you mean {near}?" if near else "."
            raise Invalid(f"A {shape.what} has no `{str(name)[:60]}`{hint}")
        field_name, read = shape.fields[name]
        if value is None or field_name in shape.ignored:
            continue
        check_clean(value, name)
        try:
            known = read(value)
        except Invalid as wanted:
            raise Invalid(
                wanted.message if wanted.message.endswith(".") else f"`{name}` must be {wanted.message}."
            ) from None
        if field_name in values and values[field_name] != known:
            raise Ambiguous(f"The {shape.what} says two different things of `{field_name}`.")
        values[field_name] = known
    if not shape.marks & values.keys():
        raise Invalid(f"A {shape.what} needs {' or '.join(f'`{each}`' for each in sorted(shape.marks))}.")
    return values


def _the_one(text: str, shape: Shape) -> dict[str, object]:
    """The one object of a text that has the shape.

    Raises:
        Invalid: there is none that can be read.
        Ambiguous: several that differ may be meant.

    """
    found = objects_in(text)
    meant = [each for each in found if _was_meant(each, shape)]
    if not meant:
        raise Invalid(f"The text holds no JSON object that is a {shape.what}; write one, with {_marks(shape)}.")
    chosen = [each for each in meant if not each.aside]
    if not chosen:
        raise Invalid(f"The only {shape.what} in the text is quoted or an example; write yours by itself.")
    first = chosen[0]
    if any(each.value is None or first.value is None or each.value != first.value for each in chosen[1:]):
        raise Ambiguous(f"The text holds {len(chosen)} different objects that may be the {shape.what}; write only one.")
    if first.value is None:
        raise Invalid(f"The {shape.what} in the text cannot be read: {first.wrong}")
    return first.value


def _was_meant(found: Found, shape: Shape) -> bool:
    """Whether an object has the shape, or was meant to have it: only then can it be the one."""
    if found.value is None:
        keys = set(KEY.findall(found.words))
        known = {shape.fields[name][0] for name in keys & shape.fields.keys()}
        return bool(shape.marks & known) and len(known) >= LOOKS_LIKE
    known = {shape.fields[name][0] for name in found.value if name in shape.fields}
    if not shape.marks & known:
        return False
    try:
        _read(found.value, shape)
    except Invalid:
        return len(known) >= LOOKS_LIKE
    except Ambiguous:
        return True
    return True


def _marks(shape: Shape) -> str:
    return " or ".join(f"`{each}`" for each in sorted(shape.marks))
