"""Arguments of operations, each documented once, as a type.

Where a name does not say it, a few words reach the schema: few, because hosts send them with every request.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

LARGEST_NUMBER = 2**63
"""Beyond it no database stores a whole number."""


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


def as_map(value: object) -> object:
    """Null and the empty text are an absent map."""
    return value or {}


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

Agent = Annotated[Text, Field(description="who calls; empty: you")]
NextOrNamed = Annotated[Text, Field(description="id; empty: the next")]
Pool = Annotated[Text, Field(description="a team, specialty or anyone")]
Under = Annotated[Text, Field(description="only below this task")]
Since = Annotated[Text, Field(description="a date or time: what happened since")]
LeaseMinutes = Annotated[Whole, Field(description="0: the project's")]
Attempt = Annotated[Whole, Field(description="0: your latest")]
Percent = Annotated[Whole, Field(description="0 to 100; -1: none")]
WaitsFor = Annotated[Texts, Field(description="tasks that it waits for")]
Ask = Annotated[Text, Field(description="agent or operator; empty: your superior")]
Summary = Annotated[Text, Field(description="what was done; those who wait for it read this")]
Outcome = Annotated[Text, Field(description="completed, partial or failed")]
Measurements = Annotated[dict[str, Any], BeforeValidator(as_map), Field(description='for checks: {"p95_ms": 120}')]
Evidence = Annotated[
    dict[str, str], BeforeValidator(as_map), Field(description='for criteria, by number: {"1": "CI run 42"}')
]
Outputs = Annotated[dict[str, Any], BeforeValidator(as_map), Field(description="results for those who wait")]
Artifacts = Annotated[Texts, Field(description="paths or links")]
Confidence = Annotated[float, Field(description="0 to 1; -1: none")]
AnyValue = Annotated[Any, Field(description="any JSON")]
ContextKind = Annotated[Text, Field(description="fact, requirement, decision or artifact")]
ReplyTo = Annotated[Text, Field(description="a message's id: m12")]
WaitSeconds = Annotated[Whole, Field(description="up to 45, for news or a task ready for you")]
Reread = Annotated[bool, Field(description="the last batch again")]

Ref = Annotated[Text, Field(description="its name in this plan")]
Parent = Annotated[Text, Field(description="ref or id")]
DependsOn = Annotated[Texts, Field(description="refs or ids of what must be completed before")]
Priority = Annotated[Text, Field(description="critical, high, medium or low")]
Assignee = Annotated[Text, Field(description="agent, team or specialty; empty: anyone")]
Criteria = Annotated[Texts, Field(description="done when …; need evidence")]
Checks = Annotated[Texts, Field(description="CEL over measurements: p95_ms < 200")]
Deadline = Annotated[Text, Field(description="2099-12-31, or a time with offset")]
Touches = Annotated[Texts, Field(description="paths that it will change")]
Key = Annotated[Text, Field(description="the same key never creates twice")]
Complexity = Annotated[Text, Field(description="low, medium, high or very_high")]
Phase = Annotated[Whole, BeforeValidator(as_number), Field(description="1 to 10")]

Role = Annotated[Text, Field(description="director, supervisor, coordinator, worker or specialist")]
Superior = Annotated[Text, Field(description="an agent; operator makes root directors")]
Capacity = Annotated[Whole, Field(description="claims at once; 0: no limit")]
TeamRole = Annotated[Text, Field(description="lead, member, trainee … or supervisor")]
LifecycleWord = Annotated[Text, Field(description="active, paused, failed or terminated")]
Leave = Annotated[bool, Field(description="no longer take part")]

Clear = Annotated[Texts, Field(description="assignee, parent, deadline, tags, description, estimated_hours")]
Subtree = Annotated[bool, Field(description="cancel what is below too")]
Version = Annotated[Whole, Field(description="refused if it changed since")]
Rating = Annotated[Whole, Field(description="1 to 5")]
