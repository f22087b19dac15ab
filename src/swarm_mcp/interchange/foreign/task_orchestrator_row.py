"""One row of Task Orchestrator's tables, in our words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from swarm_mcp.interchange.foreign.document import PlanCriterion, PlanFeedback, PlanItem, PlanNotice
from swarm_mcp.interchange.foreign.instants import deadline_of, instant_of
from swarm_mcp.interchange.foreign.task_orchestrator_phases import NUMBERS
from swarm_mcp.interchange.foreign.wording import complexity_of, priority_of, stated_hold, status_of
from swarm_mcp.model.draft import read_hours
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.ids import TASK_ID
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.model.memory import ContextKind
from swarm_mcp.model.strict_json import parse_json
from swarm_mcp.model.task import EdgeType

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping
    from datetime import tzinfo
    from decimal import Decimal

    from swarm_mcp.interchange.foreign.entry import Entry
    from swarm_mcp.interchange.foreign.task_orchestrator_phases import Phases
    from swarm_mcp.interchange.foreign.task_orchestrator_sharing import Sharing

Json = dict[str, object]

ID_LIMIT = 100
NESTING_LIMIT = 500
"""Tasks within one another, which only our exports can say."""
BESIDE = "swarm_tasks"
"""A table that our exports add, with what the columns of that program cannot say."""
NOBODY = "user"
"""Who created a task where that program does not know; to us it is the operator."""
INTENT = "intent"
"""The key under which the column `context` is shared: why, what, and when it is done."""
FILES = frozenset({"file_refs", "file_references"})
BEST = 5


def said(row: Json) -> Json:
    """What our export said beside the columns; nothing where it cannot be read, which is no more than a hint."""
    try:
        found, _ = parse_json(str(row.get("said") or "{}"), BESIDE)
    except Invalid:
        return {}
    return cast("Json", found) if isinstance(found, dict) else {}


def texts(of: Json, key: str) -> list[str]:
    """The texts of a list that our export wrote."""
    value = of.get(key)
    return [each for each in cast("list[object]", value) if isinstance(each, str)] if isinstance(value, list) else []


def _text(of: Json, key: str) -> str:
    value = of.get(key)
    return value if isinstance(value, str) else ""


def in_order(rows: Mapping[str, Json], beside: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Every ref with that of its parent, parents first, else in the order of the file; a circle begins somewhere."""
    parents = {ref: _text(beside.get(ref, {}), "parent") for ref in rows}
    placed: set[str] = set()
    for ref in rows:
        chain: dict[str, None] = {}
        while ref in rows and ref not in placed and ref not in chain:
            chain[ref] = None
            ref = parents[ref]  # noqa: PLW2901 - upwards
        for each in reversed(chain):
            above = parents[each]
            yield each, above
            placed.add(each)


def item(entry: Entry, beside: Json, zone: tzinfo, phases: Phases) -> PlanItem:
    """A row of `tasks`; what it depends on and what else belongs to it comes from elsewhere."""
    title, description = entry.titled(entry.text("title"), entry.text("description"))
    word = entry.text("status").strip()
    status, is_ours = _status(entry, word, beside)
    creator = entry.text("created_by").strip()
    phase, tags = phases.of(entry)
    found = PlanItem(
        ref=entry.ref,
        id=_id(entry),
        title=title,
        parent=entry.parent.ref if entry.parent else "",
        description=description,
        status=status.value,
        source_status=word,
        hold=stated_hold(word),
        priority=priority_of(entry).value,
        phase=phase,
        tags=tags,
        assignee=entry.text("assignee").strip(),
        creator="" if creator == NOBODY else creator,
        criteria=tuple(_criteria(entry)),
        estimated_hours=_hours(entry, "estimated_hours"),
        actual_hours=_hours(entry, "actual_hours"),
        deadline=deadline_of(entry, "deadline", zone),
        created_at=instant_of(entry, "created_at", zone),
        updated_at=instant_of(entry, "updated_at", zone),
        completed_at=instant_of(entry, "completed_at", zone),
        summary=entry.text("completion_summary"),
        feedback=tuple(_feedback(entry)),
        raw=dict(entry.values),
    )
    return _with_more(found, replace(entry, values=beside), zone, is_ours=is_ours) if beside else found


def _with_more(found: PlanItem, entry: Entry, zone: tzinfo, *, is_ours: bool) -> PlanItem:
    """What our export could say beside the columns."""
    beside = entry.values
    phase = beside.get("phase")
    return replace(
        found,
        source_status=_text(beside, "source_status") if is_ours and "source_status" in beside else found.source_status,
        hold=_text(beside, "hold") if is_ours and found.status == TaskStatus.BLOCKED else found.hold,
        archived=beside.get("archived") is True,
        complexity=complexity_of(entry),
        task_type=_text(beside, "task_type"),
        area=_text(beside, "area"),
        phase=phase if isinstance(phase, int) and 0 <= phase <= NUMBERS else found.phase,
        tags=tuple(dict.fromkeys([*texts(beside, "tags"), *found.tags])),
        started_at=instant_of(entry, "started_at", zone),
        relations=tuple(_relations(entry)),
    )


def _relations(entry: Entry) -> Iterator[tuple[EdgeType, str]]:
    for each in dict.fromkeys(texts(entry.values, "relations")):
        kind, _, other = each.partition(":")
        if kind in set(EdgeType) - {EdgeType.BLOCKS} and other and other != entry.ref:
            yield EdgeType(kind), other


def _id(entry: Entry) -> str:
    if TASK_ID.fullmatch(entry.ref):
        return entry.ref
    entry.guess("its id is none of ours (eight lower-case letters and digits); it gets another one")
    return ""


def _status(entry: Entry, word: str, beside: Json) -> tuple[TaskStatus, bool]:
    """The status, and whether it is the one that our export knows, nobody having changed it since."""
    if beside.get("exported") == word:
        try:
            return TaskStatus(_text(beside, "status") or word), True
        except ValueError:
            pass
    return status_of(entry, word), False


def _criteria(entry: Entry) -> Iterator[PlanCriterion]:
    """A JSON list of `{criterion, measurable}`; what is none is a criterion in words."""
    text = entry.text("success_criteria").strip()
    if not text:
        return
    try:
        found, _ = parse_json(text, "success_criteria")
    except Invalid:
        entry.guess("its `success_criteria` are no JSON and were taken as one criterion in words")
        found = text
    for each in cast("list[object]", found) if isinstance(found, list) else [found]:
        if isinstance(each, dict):
            one = cast("Json", each)
            words, check = _plain(one.get("criterion")), _plain(one.get("measurable"))
            others = {key: value for key, value in one.items() if key not in {"criterion", "measurable"}}
            words = words or "; ".join(f"{key}: {_plain(value)}" for key, value in others.items())
        else:
            words, check = _plain(each), ""
        if words or check:
            yield PlanCriterion(text=words, measurable=check)


def _plain(value: object) -> str:
    """A value as text: true stays `true`."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _hours(entry: Entry, key: str) -> Decimal | None:
    value = entry.values.get(key)
    try:
        return read_hours(round(value, 6) if isinstance(value, float) else str(value or "").strip(), key)
    except Invalid as refusal:
        entry.skip(f"its `{key}` was left out. {refusal.message.rstrip('.')}")
        return None


def _feedback(entry: Entry) -> Iterator[PlanFeedback]:
    quality, timeliness = _rating(entry, "feedback_quality"), _rating(entry, "feedback_timeliness")
    notes = entry.text("feedback_notes").strip()
    if quality or timeliness or notes:
        yield PlanFeedback(quality=quality, timeliness=timeliness, notes=notes)


def _rating(entry: Entry, key: str) -> int | None:
    value = entry.values.get(key)
    words = str(value).strip().removesuffix(".0") if value is not None else ""
    if not words:
        return None
    if words.isascii() and words.isdigit() and len(words) == 1 and 1 <= int(words) <= BEST:
        return int(words)
    entry.skip(f"its `{key}` (`{words[:20]}`) is no rating from 1 to {BEST} and was left out")
    return None


def edges(entry: Entry, found: list[str], known: Mapping[str, Entry], inherited: Container[str]) -> tuple[str, ...]:
    """What a task waits for, without what our export added for a program that knows no parents."""
    kept: dict[str, None] = {}
    for ref in found:
        if ref not in known:
            entry.findings.dangling.append((entry.ref, ref))
        elif ref == entry.ref:
            entry.skip("it depends on itself; that was left out")
        elif ref in kept:
            entry.skip(f"it names {ref} as a dependency more than once")
        elif known[ref] in entry.ancestors():
            entry.skip(f"it depends on {ref}, of which it is a part; that was left out")
        elif ref not in inherited and entry not in known[ref].ancestors():  # it waits for its parts anyway
            kept[ref] = None
    return tuple(kept)


def notice(entry: Entry, zone: tzinfo) -> PlanNotice:
    """A row of `notifications`, in the columns of 2.3 or those of 2.9."""
    values = entry.values
    return PlanNotice(
        kind=_plain(values.get("event_type") if values.get("type") is None else values["type"]) or "note",
        text=_plain(values.get("message")),
        agent=_plain(values.get("agent_id")),
        at=instant_of(entry, "created_at", zone),
        read=_plain(values.get("read")) not in {"", "0", "false"},
    )


def contribution(row: Json) -> Json:
    """A row of `collaboration_events`, as archives and the older files have them."""
    return {
        "agent": row.get("agent_id"), "timestamp": row.get("created_at"), "type": row.get("event_type"),
        "content": row.get("content"), "request_id": row.get("request_id"),
    }  # fmt: skip


def share_intent(shared: Sharing, entry: Entry) -> None:
    """The column `context` of 2.9: why, what, and when it is done."""
    words = entry.text("context")
    if words.strip():
        creator = entry.text("created_by").strip()
        by = "" if creator == NOBODY else creator
        at = entry.values.get("created_at")
        shared.put(INTENT, words, kind=ContextKind.REQUIREMENT, by=by, at=at)


def share_file(shared: Sharing, row: Json) -> None:
    """A file that a task refers to, as some versions kept them in a table."""
    path = _plain(row.get("file_path") or row.get("path"))
    if path:
        about = {key: value for key, value in row.items() if value is not None and key not in {"id", "task_id"}}
        shared.put(path, about if len(about) > 1 else path, kind=ContextKind.ARTIFACT)
