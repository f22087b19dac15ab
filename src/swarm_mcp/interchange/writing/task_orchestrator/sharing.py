"""What is shared about a task, as that program's versions keep it: rows of 2.9, and the files of 2.3.

A row that repeats what a file says in full has a request id that begins with `swarm:`, by which a reader of ours knows.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from swarm_mcp.interchange.foreign.task_orchestrator_row import INTENT
from swarm_mcp.interchange.foreign.task_orchestrator_sharing import FACT, LISTED, OURS
from swarm_mcp.model.memory import ContextKind
from swarm_mcp.model.message import MessageType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from swarm_mcp.repository.statement import Row

CONTRIBUTED = re.compile(r"(update|discovery|sync) ([1-9]\d*)")
"""Keys that a reader of ours gives to what was shared there without one."""
LISTS = {kind: (name, inside) for name, (kind, inside) in LISTED.items()}
SOMEBODY = "operator"
"""Who did what nobody else did."""


class Event(NamedTuple):
    """A row of `collaboration_events`, without its task."""

    agent: str
    kind: str
    content: str
    request: str | None
    at: str


class Shared(NamedTuple):
    """Everything that is shared about a task."""

    intent: str
    """The column `context`: why, what, and when it is done."""
    events: list[Event]
    yaml: str
    """Empty if there is nothing that needs it."""
    progress: str
    """JSON lines."""


def shared(
    task_id: str, context: Iterable[Row], progress: Iterable[Row], messages: Iterable[Row], names: Any
) -> Shared:
    """What is shared about a task.

    Args:
        task_id: the task.
        context: the latest of every key.
        progress: the reports, oldest first.
        messages: what everybody may read.
        names: of all agents that occur, by their ids.

    """
    intent, events, filed = "", list[Event](), list[Any]()
    numbers: dict[str, int] = {}
    for each in context:
        if each.key == INTENT and each.kind == ContextKind.REQUIREMENT and isinstance(each.value, str) and not intent:
            intent = each.value
        elif _is_contribution(each, numbers):
            kind = each.key.partition(" ")[0]
            events.append(Event(names.get(each.by_id, SOMEBODY), kind, each.value, None, each.at.isoformat()))
        else:
            filed.append(each)
    events += [
        Event(
            names.get(each.by_id, SOMEBODY), "update", f"{each.key}: {_as_words(each.value)}", f"{OURS}context:{n}",
            each.at.isoformat(),
        )
        for n, each in enumerate(filed, 1)
    ]  # fmt: skip
    lines: list[str] = []
    for n, each in enumerate(progress, 1):
        agent, at = names.get(each.agent_id, SOMEBODY), each.at.isoformat()
        report = {"timestamp": at, "agent": agent, "progress": each.percent, "message": each.message}
        lines.append(json.dumps(report, ensure_ascii=False) + "\n")
        parts = [f"{each.percent}%" if each.percent is not None else "", each.message]
        events.append(Event(agent, "progress", " - ".join(filter(None, parts)), f"{OURS}progress:{n}", at))
    events += [
        Event(
            names.get(each.sender_id, SOMEBODY), "question" if each.type == MessageType.QUESTION else "comment",
            each.text, None, each.at.isoformat(),
        )
        for each in messages
    ]  # fmt: skip
    return Shared(intent, events, _yaml(task_id, filed, names) if filed else "", "".join(lines))


def _is_contribution(each: Row, numbers: dict[str, int]) -> bool:
    """Whether a value is one that a reader of ours would name the same again."""
    found = CONTRIBUTED.fullmatch(each.key)
    plain = each.kind == ContextKind.FACT and isinstance(each.value, str) and not each.rationale
    if found is None or not plain or int(found[2]) != numbers.get(found[1], 0) + 1:
        return False
    numbers[found[1]] = int(found[2])
    return True


def _as_words(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _yaml(task_id: str, filed: list[Any], names: Any) -> str:
    """The documented shape, with who said what and when beside it."""
    import yaml  # noqa: PLC0415 - only tasks with shared context need it

    context: dict[str, Any] = {}
    said: dict[str, dict[str, str]] = {}
    for each in filed:
        about = {"by": names.get(each.by_id, SOMEBODY), "at": each.at.isoformat()}
        said[each.key] = about | ({"rationale": each.rationale} if each.rationale else {})
        if each.kind in LISTS:
            name, inside = LISTS[ContextKind(each.kind)]
            entries = context.setdefault(name, [])
            entries.append(_entry(each, inside, f"{each.kind} {len(entries) + 1}", about))
        else:
            context[f"{each.key}{FACT}" if each.key in LISTED else each.key] = each.value
    latest = max(filed, key=lambda each: each.at)
    document = {
        "task_id": task_id, "updated_at": latest.at.isoformat(), "updated_by": names.get(latest.by_id, SOMEBODY),
        "context": context, "said": said,
    }  # fmt: skip
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)


def _entry(each: Row, inside: str, usual: str, about: dict[str, str]) -> object:
    """One requirement, decision or artifact."""
    key = {} if each.key == usual else {"key": each.key}
    if each.kind == ContextKind.REQUIREMENT:
        plain = not key and not isinstance(each.value, dict)
        return each.value if plain else {inside: each.value, **key}
    if each.kind == ContextKind.DECISION:
        return {inside: each.value, "rationale": each.rationale, "made_by": about["by"], "date": about["at"], **key}
    return {"type": each.key, inside: each.value, "created_by": about["by"], "date": about["at"]}


def markdown(notes: Iterable[Row], names: Any) -> Iterator[tuple[str, str]]:
    """Private notes: each author's, as one text, with a line of dashes and the time before each."""
    found: dict[str, list[str]] = {}
    for each in notes:
        author = names.get(each.agent_id, SOMEBODY)
        found.setdefault(author, []).append(f"---\n{each.at.isoformat()}\n{each.text}")
    for author, texts in found.items():
        yield author, "\n\n".join(texts)
