"""A task as somebody proposes it: every word checked before anything is written."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.lifecycle import choose, read_priority
from swarm_mcp.model.task import Complexity, EdgeType

BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TITLE_LIMIT = 500
HOURS_LIMIT = Decimal(1_000_000)
LIST_LIMIT = 200
LARGEST_NUMBER = 2**63
"""Beyond it no database stores a whole number."""
LARGEST_DOUBLE = 2**1023
"""Beyond it most readers of JSON lose a number altogether."""


def as_list(value: object) -> object:
    """A single value where a list is meant is a list of one; null is absent."""
    if value is None:
        return []
    return [value] if isinstance(value, str | int | float | dict) and value != "" else value or []


def as_text(value: object) -> object:
    """Null is absent."""
    return "" if value is None else value


def as_number(value: object) -> object:
    """Null and the empty text are absent."""
    return 0 if value is None or value == "" else value


def check_whole(number: int) -> int:
    """Refuse what no database can store."""
    if abs(number) >= LARGEST_NUMBER:
        raise ValueError(number)
    return number


Text = Annotated[str, BeforeValidator(as_text)]
Texts = Annotated[list[str], BeforeValidator(as_list)]
Whole = Annotated[int, AfterValidator(check_whole)]
Wholes = Annotated[list[Whole], BeforeValidator(as_list)]
Hours = Annotated[float, BeforeValidator(as_number)]


class PlanItem(BaseModel):
    """One task of a plan."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    title: Text
    ref: Text = ""
    description: Text = ""
    parent: Text = ""
    depends_on: Texts = []
    priority: Text = "medium"
    assignee: Text = ""
    criteria: Texts = []
    checks: Annotated[Texts, Field(description="CEL over measurements")] = []
    deadline: Text = ""
    estimated_hours: Hours = 0
    tags: Texts = []
    area: Text = ""
    touches: Texts = []
    needs_review: bool = False


class TaskDraft(PlanItem):
    """One task with everything that can be said of it."""

    complexity: Text = ""
    phase: Annotated[int, BeforeValidator(as_number)] = 0
    task_type: Text = ""
    source: Text = ""


DRAFT_ALIASES = {"waits_for": "depends_on", "blocked_by": "depends_on", "dependencies": "depends_on"}
"""Words that models use for it; understood everywhere, shown nowhere."""


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
        raise Invalid(
            f"`{str(words)[:40]}` is no {what}: write 2026-12-31T17:00:00+01:00, or 2026-12-31."
        ) from None
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
    try:
        exact = Decimal(str(hours or 0))
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


def draft_columns(draft: TaskDraft | PlanItem) -> dict[str, Any]:
    """The columns that a draft fills by itself, checked.

    Raises:
        Invalid: one sentence about the first thing that is wrong.

    """
    phase = getattr(draft, "phase", 0)
    if phase and not 1 <= phase <= 10:  # noqa: PLR2004 - the model's phases
        raise Invalid(f"phase is 1 to 10, or 0 for none; got {phase}.")
    complexity = getattr(draft, "complexity", "")
    return {
        "title": check_title(draft.title),
        "description": draft.description,
        "tags": check_texts(draft.tags, "tags"),
        "task_type": getattr(draft, "task_type", "").strip(),
        "area": draft.area.strip(),
        "phase": phase or None,
        "complexity": choose(complexity, Complexity, "complexity").value if complexity.strip() else "",
        "source": getattr(draft, "source", "").strip(),
        "touches": check_texts(draft.touches, "touches"),
        "estimated_hours": read_hours(draft.estimated_hours, "estimated_hours"),
        "deadline": read_instant(draft.deadline, "deadline"),
        "priority": read_priority(draft.priority).value,
        "needs_review": draft.needs_review,
    }


def check_clean(value: object, where: str = "") -> None:
    """Refuse what no database or host can carry: NUL characters, lone surrogates, numbers that JSON has not.

    Raises:
        Invalid: one is there.

    """
    if isinstance(value, str):
        if "\x00" in value or (not value.isascii() and not _encodes(value)):
            raise Invalid(f"{where or 'The text'} has a NUL character or half a surrogate pair; leave it out.")
    elif isinstance(value, int | float):
        if not math.isfinite(value) if isinstance(value, float) else abs(value) > LARGEST_DOUBLE:
            raise Invalid(f"{where or 'The value'} has a number that JSON cannot carry: NaN, infinite or far too large.")
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            check_clean(getattr(value, name), name)
    elif isinstance(value, dict):
        for name, each in value.items():
            check_clean(name, where)
            check_clean(each, where or str(name))
    elif isinstance(value, list | tuple):
        for each in value:
            check_clean(each, where)
    elif isinstance(value, BaseModel):
        check_clean(dict(value), where)


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
