"""A task as somebody proposes it: every word checked before anything is written."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.errors import Invalid, Refusal, gathered, noting
from swarm_mcp.model.ids import nearest
from swarm_mcp.model.lifecycle import choose, read_priority
from swarm_mcp.model.task import Complexity, EdgeType

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import ErrorDetails

BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TITLE_LIMIT = 500
HOURS_LIMIT = Decimal(1_000_000)
LIST_LIMIT = 200
PHASES = 10
MISTAKES_SHOWN = 5
LARGEST_DOUBLE = 2**1023
"""Beyond it most readers of JSON lose a number altogether."""


class PlanItem(BaseModel):
    """One task of a plan."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    title: arg.Text
    ref: arg.Ref = ""
    description: arg.Text = ""
    parent: arg.Parent = ""
    depends_on: arg.DependsOn = []
    priority: arg.Priority = "medium"
    assignee: arg.Assignee = ""
    criteria: arg.Criteria = []
    checks: arg.Checks = []
    deadline: arg.Deadline = ""
    estimated_hours: arg.Hours = 0
    tags: arg.Texts = []
    area: arg.Text = ""
    touches: arg.Touches = []
    needs_review: bool = False


D = TypeVar("D", bound=PlanItem)


class TaskDraft(PlanItem):
    """One task with everything that can be said of it."""

    complexity: arg.Complexity = ""
    phase: arg.Phase = 0
    task_type: arg.Text = ""
    source: arg.Text = ""


DRAFT_ALIASES = {"waits_for": "depends_on", "blocked_by": "depends_on", "dependencies": "depends_on"}
"""Words that models use for it; understood everywhere, shown nowhere."""


def read_draft(kind: type[D], said: object) -> D:
    """A draft as a script gives it: a map of its fields, or one that was read already. Times may be datetimes.

    Raises:
        Invalid: fields that there are not, or values that are none; a sentence for each.

    """
    if isinstance(said, kind):
        return said
    if isinstance(said, dict):
        said = {name: each.isoformat() if isinstance(each, datetime) else each for name, each in said.items()}
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise Invalid(" ".join(_mistake(kind, each) for each in found[:MISTAKES_SHOWN])) from None


def _mistake(kind: type[BaseModel], error: ErrorDetails) -> str:
    """One mistake in one sentence."""
    if not error["loc"]:
        return "A task is a map of its fields, with at least a title."
    name = str(error["loc"][0])[:60]
    if error["type"] == "missing":
        return f"A task needs `{name}`."
    if error["type"] == "extra_forbidden":
        near = " or ".join(f"`{each}`" for each in nearest(name, kind.model_fields))
        hint = f"did you mean {near}?" if near else f"it takes {', '.join(kind.model_fields)}."
        return f"A task has no `{name}` here; {hint}"
    return f"`{name}` cannot be `{str(error['input'])[:60]}`."


def check_title(title: str) -> str:
    """A title as it is stored: trimmed, otherwise as written.

    Raises:
        Invalid: empty, or over 500 characters.

    """
    trimmed = title.strip()
    if not trimmed:
        raise Invalid("A task needs a title.")
    if len(trimmed) > TITLE_LIMIT:
        raise Invalid(
            f"The title has {len(trimmed)} characters; at most {TITLE_LIMIT}. Put the rest into the description."
        )
    return trimmed


def read_instant(words: str | datetime, what: str) -> datetime | None:
    """A time with an offset, in UTC; a bare date is the end of that day in UTC; "" is none.

    Raises:
        Invalid: it is no time, or nobody knows in which zone.

    """
    if not words:
        return None
    try:
        if isinstance(words, str) and BARE_DATE.fullmatch(words.strip()):
            return datetime.fromisoformat(words.strip()).replace(
                hour=23, minute=59, second=59, microsecond=999999, tzinfo=UTC
            )
        moment = words if isinstance(words, datetime) else datetime.fromisoformat(words.strip())
    except ValueError:
        raise Invalid(f"`{str(words)[:40]}` is no {what}: write 2026-12-31T17:00:00+01:00, or 2026-12-31.") from None
    if moment.tzinfo is None:
        raise Invalid(f"The {what} {words} has no offset; write {moment.isoformat()}Z if it is UTC.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Invalid(f"The {what} {words} is outside the calendar.") from None


def read_hours(hours: float | Decimal | str, what: str) -> Decimal | None:
    """Hours as an exact decimal; 0 is absent.

    Raises:
        Invalid: negative, absurd, or finer than six places.

    """
    if not hours:
        return None
    try:
        exact = Decimal(str(hours))
    except InvalidOperation:
        raise Invalid(f"`{str(hours)[:40]}` is no number of hours.") from None
    if not exact.is_finite() or exact < 0 or exact > HOURS_LIMIT:
        raise Invalid(f"{what} must be between 0 and {HOURS_LIMIT:,}; got {hours}.")
    if exact != round(exact, 6):
        raise Invalid(f"{what} has at most six decimal places; got {hours}.")
    return exact or None


def read_edge(words: str) -> tuple[str, EdgeType]:
    """What a dependency says: `m2qa7c4d` waits for it, `enables:m2qa7c4d` is a softer relation.

    Raises:
        Invalid: the part before the colon is no type of dependency.

    """
    name, kind = words.strip(), EdgeType.BLOCKS
    head, colon, tail = name.partition(":")
    folded = head.strip().lower().replace("-", "_")
    if colon and folded in set(EdgeType):
        return tail.strip(), EdgeType(folded)
    if not name:
        raise Invalid("A dependency is empty; name a task.")
    return name, kind


def check_texts(texts: list[str], what: str, *, limit: int = LIST_LIMIT) -> list[str]:
    """Trimmed, without empty ones and repetitions.

    Raises:
        Invalid: too many.

    """
    kept = list(dict.fromkeys(each.strip() for each in texts if each.strip()))
    if len(kept) > limit:
        raise Invalid(f"{what} takes at most {limit}; got {len(kept)}.")
    return kept


def check_json(value: object, what: str) -> None:
    """Refuse what JSON cannot say: objects of a program, NaN, infinities."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise Invalid(f"{what} is no JSON: NaN, infinities and objects of a program cannot be kept.") from None


def draft_columns(draft: TaskDraft | PlanItem) -> dict[str, Any]:
    """The columns that a draft fills by itself, checked.

    Raises:
        Invalid: everything that is wrong, a sentence each.

    """
    found: list[Refusal] = []
    columns: dict[str, Any] = {
        "description": draft.description,
        "task_type": getattr(draft, "task_type", "").strip(),
        "area": draft.area.strip(),
        "source": getattr(draft, "source", "").strip(),
        "needs_review": draft.needs_review,
    }
    checked: dict[str, Callable[[], object]] = {
        "title": lambda: check_title(draft.title),
        "tags": lambda: check_texts(draft.tags, "tags"),
        "phase": lambda: _read_phase(getattr(draft, "phase", 0)),
        "complexity": lambda: _read_complexity(getattr(draft, "complexity", "")),
        "touches": lambda: check_texts(draft.touches, "touches"),
        "estimated_hours": lambda: read_hours(draft.estimated_hours, "estimated_hours"),
        "deadline": lambda: read_instant(draft.deadline, "deadline"),
        "priority": lambda: read_priority(draft.priority).value,
    }
    for name, read in checked.items():
        with noting(found):
            columns[name] = read()
    if found:
        raise gathered(found)
    return columns


def _read_phase(phase: int) -> int | None:
    if phase and not 1 <= phase <= PHASES:
        raise Invalid(f"phase is 1 to {PHASES}, or 0 for none; got {phase}.")
    return phase or None


def _read_complexity(words: str) -> str:
    return choose(words, Complexity, "complexity").value if words.strip() else ""


def check_clean(value: object, where: str = "") -> None:
    """Refuse what no database or host can carry: NUL characters, lone surrogates, numbers that JSON has not.

    Raises:
        Invalid: one is there.

    """
    match value:
        case str():
            if "\x00" in value or (not value.isascii() and not _encodes(value)):
                raise Invalid(f"{where or 'The text'} has a NUL character or half a surrogate pair; leave it out.")
        case int() | float():
            if not abs(value) <= LARGEST_DOUBLE:  # a NaN is not smaller either
                what = where or "The value"
                raise Invalid(f"{what} has a number that JSON cannot carry: NaN, infinite or too large.")
        case dict():
            for name, each in value.items():
                check_clean(name, where)
                check_clean(each, where or str(name))
        case list() | tuple():
            for each in value:
                check_clean(each, where)
        case BaseModel():
            check_clean(dict(value), where)
        case _:
            pass


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
