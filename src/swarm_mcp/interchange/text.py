"""Answers as plain text: the same facts as the structured content, in few tokens."""

from __future__ import annotations

import json
from functools import singledispatch
from typing import TYPE_CHECKING

from swarm_mcp.model.message import Inbox, Sent
from swarm_mcp.model.task import (
    Brief,
    Claimed,
    Completed,
    ContextView,
    CriterionView,
    Holding,
    Overview,
    Planned,
    ResultView,
    TaskLine,
    TaskList,
    Written,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.model.record import Answer


def row(line: TaskLine) -> str:
    """One task in one line: `k3x9m2qa high in_progress 45% Build auth API → backend_dev · waits for m2qa7c4d`."""
    whose = " / ".join(each for each in (line.assignee, line.holder) if each)
    more = f" +{line.depends_on_more}" if line.depends_on_more else ""
    extras = [
        f"waits for {', '.join(line.depends_on)}{more}" if line.depends_on else "",
        f"held: {line.hold}" if line.hold else "",
        "claim lapsed" if line.lapsed else "",
        f"due {line.deadline[:10]}" if line.deadline else "",
    ]
    parts = [
        line.id,
        line.priority if line.priority != "medium" else "",
        line.status,
        f"{line.progress}%" if line.progress else "",
        line.title,
        f"→ {whose}" if whose else "",
        *(f"· {each}" for each in extras if each),
    ]
    return " ".join(part for part in parts if part)


def criterion(view: CriterionView) -> str:
    """One criterion in one line."""
    words = view.text or f"check: {view.check}"
    outcome = "" if view.outcome == "open" else f" [{view.outcome}{f': {view.reason}' if view.reason else ''}]"
    shown = f" ({view.evidence})" if view.evidence else ""
    return f"{view.n}. {words}{outcome}{shown}"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    kept = [line for line in lines if line]
    return [f"{title}:", *(f"- {line}" for line in kept)] if kept else []


@singledispatch
def render(answer: Answer) -> str:
    """An answer as text; it begins with the answer's sentence."""
    return answer.message


@render.register
def _(answer: Written) -> str:
    return "\n".join([answer.message, *_footer(answer.warnings, answer.unread, answer.ready)])


def _footer(warnings: Iterable[str], unread: int, ready: int | None) -> list[str]:
    lines = [f"Note: {warning}" for warning in warnings]
    counts = [f"{ready} ready for you" if ready is not None else "", f"{unread} unread" if unread else ""]
    told = " · ".join(each for each in counts if each)
    return [*lines, told] if told else lines


@render.register
def _(answer: Completed) -> str:
    lines = [answer.message]
    lines += [criterion(view) for view in answer.criteria]
    lines += [f"unblocked {each.id} {each.title}{f' → {each.assignee}' if each.assignee else ''}" for each in answer.unblocked]
    if answer.unblocked_more:
        lines.append(f"and {answer.unblocked_more} more")
    return "\n".join([*lines, *_footer(answer.warnings, answer.unread, answer.ready)])


@render.register
def _(answer: Planned) -> str:
    lines = [answer.message, *(f"{ref} = {task}" for ref, task in answer.ids.items())]
    if answer.ready:
        lines.append(f"ready: {' '.join(answer.ready)}")
    if answer.order:
        lines.append("order: " + " | ".join(" ".join(wave) for wave in answer.order))
    if answer.more:
        lines.append(answer.more)
    return "\n".join([*lines, *_footer(answer.warnings, answer.unread, None)])


@render.register
def _(answer: TaskList) -> str:
    lines = [answer.message, *(row(line) for line in answer.tasks)]
    if answer.next_cursor:
        lines.append(f'next: cursor="{answer.next_cursor}"')
    return "\n".join(lines)


@render.register
def _(answer: Claimed) -> str:
    lines = [answer.message]
    if answer.brief is not None:
        lines += brief_lines(answer.brief)
    lines += _section("You also hold", (row(line) for line in answer.held))
    return "\n".join(lines)


@render.register
def _(answer: Holding) -> str:
    lines = [answer.message, *(row(line) for line in answer.held)]
    if answer.next:
        lines.append(f"Next: {' · '.join(answer.next)}")
    return "\n".join([*lines, *_footer((), answer.unread, None)])


@render.register
def _(answer: Brief) -> str:
    return "\n".join([answer.message, *brief_lines(answer)])


def brief_lines(brief: Brief) -> list[str]:
    """A brief below its sentence: what to do, done when, why, results, context, and what to call next."""
    lines: list[str] = [row(brief.task)] if brief.task is not None else []
    if brief.attempt:
        until = f", yours until {brief.lease_until[11:16]}Z" if brief.lease_until else ""
        lines.append(f"attempt {brief.attempt}{until}")
    if brief.task is not None and brief.task.version:
        lines[-1] += f" · version {brief.task.version}"
    if brief.description:
        lines += ["To do:", brief.description]
    lines += _section("In the way", brief.in_the_way)
    if brief.criteria:
        lines += ["Done when:", *(criterion(view) for view in brief.criteria)]
    lines += _section("Part of", (row(line) for line in brief.parents))
    if brief.delegation:
        lines += _section("Delegated", (f"{name}: {_value(value)}" for name, value in brief.delegation.items()))
    lines += _section("Subtasks", (row(line) for line in brief.subtasks))
    lines += _section("Results of what it waited for", map(_result, brief.results))
    lines += _section("Shared context", map(_context, brief.context))
    lines += _section("Also being changed", brief.also_changing)
    lines += _section("Review", brief.review)
    lines += _section("Your notes", brief.notes)
    for title, section in (
        ("Messages", brief.messages), ("Progress", brief.progress_log), ("History", brief.history),
        ("Attempts", brief.executions), ("Delegations", brief.delegations),
    ):  # fmt: skip
        lines += _section(title, section)
    lines += ["Tree:", *brief.tree] if brief.tree else []
    lines += _section("Left out", brief.left_out)
    if brief.unread:
        lines.append(f"{brief.unread} unread: check_inbox()")
    if brief.next:
        lines.append(f"Next: {' · '.join(brief.next)}")
    return lines


def _result(result: ResultView) -> str:
    by = f" by {result.by}" if result.by else ""
    parts = [f"{result.id} {result.title}{by}: {result.summary}"]
    if result.outputs:
        parts.append(f"outputs {_value(result.outputs)}")
    if result.artifacts:
        parts.append(f"artifacts {', '.join(result.artifacts)}")
    return "; ".join(parts)


def _context(view: ContextView) -> str:
    why = f" (because {view.rationale})" if view.rationale else ""
    where = f"on {view.task}, " if view.task else ""
    return f"{view.key} = {_value(view.value)}{why} [{view.kind}, {where}{view.by}]"


def _value(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


@render.register
def _(answer: Inbox) -> str:
    lines = [answer.message]
    for item in answer.items:
        sender = f" from {item.sender}" if item.sender else ""
        about = f" about {item.task}{f' {item.title}' if item.title else ''}" if item.task else ""
        lines.append(f"{item.id} {item.type}{sender}{about} at {item.at[11:16]}Z: {item.text}")
    return "\n".join(lines)


@render.register
def _(answer: Sent) -> str:
    return "\n".join([answer.message, *_footer((), answer.unread, None)])


@render.register
def _(answer: Overview) -> str:
    extra = answer.model_extra or {}
    lines = [answer.message]
    for name, value in extra.items():
        if name == "lines":
            lines += value
        elif name == "items":
            lines += [
                f"{each['task']} {each['title']}: {each['why']}; blocks {each.get('blocks', 0)} → {each['call']}" for each in value
            ]
        elif value not in ({}, 0, 0.0, "") and name not in {"status_breakdown", "completion_percentage", "total_tasks"}:
            shown = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else f"{value:g}"
            lines.append(f"{name.replace('_', ' ')}: {shown}")
    return "\n".join(lines)
