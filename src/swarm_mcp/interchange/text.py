"""Answers as plain text: the same facts as the structured content, in few tokens."""

from __future__ import annotations

import json
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange import overviews, roster_text
from swarm_mcp.interchange.row_text import in_one_line, row, row_of_facts
from swarm_mcp.model.agent import AgentList
from swarm_mcp.model.following import Outcome
from swarm_mcp.model.message import Inbox, Sent
from swarm_mcp.model.registration import PolicyChange, Registered
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
    TaskList,
    Written,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from swarm_mcp.model.record import Answer


def criterion(view: CriterionView) -> str:
    """One criterion in one line."""
    words = view.text or f"check: {view.check}"
    outcome = "" if view.outcome == "open" else f" [{view.outcome}{f': {view.reason}' if view.reason else ''}]"
    shown = f" ({view.evidence})" if view.evidence else ""
    return _indented(f"{view.n}. {words}{outcome}{shown}")


def _indented(words: str) -> str:
    """Somebody's words as one entry, whatever lines they have."""
    return words.replace("\n", "\n  ")


def _minute(instant: str) -> str:
    """A moment of the last days."""
    return f"{instant[5:10]} {instant[11:16]}Z"


def _bullets(entries: Iterable[str]) -> list[str]:
    return [f"- {_indented(entry)}" for entry in entries if entry]


@singledispatch
def render(answer: Answer) -> str:
    """An answer as text; it begins with the answer's sentence."""
    return answer.message


@render.register
def _(answer: Written) -> str:
    return "\n".join([answer.message, *_changes(answer)])


def _changes(answer: Written) -> list[str]:
    """What every write tells below its sentence."""
    task = answer.task
    counts = [
        task.status if task is not None and task.status not in answer.message else "",
        f"version {task.version}" if task is not None else "",
        f"attempt {answer.attempt}" if answer.attempt else "",
    ]
    return _footer(answer.warnings, answer.unread, answer.ready, counts)


def _footer(warnings: Iterable[str], unread: int, ready: int | None = None, counts: Iterable[str] = ()) -> list[str]:
    lines = [f"Note: {warning}" for warning in warnings]
    known = [*counts, f"{ready} ready for you" if ready is not None else "", f"{unread} unread" if unread else ""]
    told = " · ".join(each for each in known if each)
    return [*lines, told] if told else lines


@render.register
def _(answer: Completed) -> str:
    lines = [answer.message]
    lines += [criterion(view) for view in answer.criteria]
    for each in answer.unblocked:
        whose = f" → {each.assignee}" if each.assignee else ""
        lines.append(f"unblocked {each.id} {in_one_line(each.title)}{whose}")
    if answer.unblocked_more:
        lines.append(f"and {answer.unblocked_more} more")
    return "\n".join([*lines, *_changes(answer)])


@render.register
def _(answer: Planned) -> str:
    lines = [answer.message, *(f"{ref} = {task}" for ref, task in answer.ids.items())]
    if answer.ready:
        lines.append(f"ready: {' '.join(answer.ready)}")
    if answer.order:
        lines.append("order: " + " | ".join(" ".join(wave) for wave in answer.order))
    if answer.more:
        lines.append(answer.more)
    return "\n".join([*lines, *_footer(answer.warnings, answer.unread)])


@render.register
def _(answer: TaskList) -> str:
    lines = [answer.message, *map(row_of_facts, answer.lines)]
    if answer.next_cursor:
        lines.append(f'next: cursor="{answer.next_cursor}"')
    return "\n".join(lines)


@render.register
def _(answer: AgentList) -> str:
    return "\n".join([answer.message, *roster_text.roster(answer)])


@render.register
def _(answer: Claimed) -> str:
    if answer.brief is None:
        return "\n".join([answer.message, *_footer((), answer.unread)])
    held = _bullets(map(row, answer.held))
    return "\n".join([answer.message, *brief_lines(answer.brief), *(["You also hold:", *held] if held else [])])


@render.register
def _(answer: Holding) -> str:
    lines = [answer.message, *(row(line) for line in answer.held)]
    if answer.next:
        lines.append(f"Next: {' · '.join(answer.next)}")
    return "\n".join([*lines, *_footer((), answer.unread)])


@render.register
def _(answer: Brief) -> str:
    return "\n".join([answer.message, *brief_lines(answer)])


def brief_lines(brief: Brief) -> list[str]:
    """A brief below its sentence: what to do, done when, why, results, context, and what to call next."""
    lines = brief_head(brief)
    for title, section in brief_sections(brief):
        lines += [f"{title}:", *section]
    return [*lines, *brief_tail(brief)]


def brief_head(brief: Brief) -> list[str]:
    """The task as a row; who reads, its attempt, and the version that it has read."""
    until = f", yours until {brief.lease_until[11:16]}Z" if brief.lease_until else ""
    known = [
        f"you are {brief.agent}" if brief.agent else "",
        f"attempt {brief.attempt}{until}" if brief.attempt else "",
        f"version {brief.task.version}" if brief.task is not None else "",
    ]
    told = " · ".join(each for each in known if each)
    return [*([row(brief.task)] if brief.task is not None else []), *([told] if told else [])]


def brief_sections(brief: Brief) -> list[tuple[str, list[str]]]:
    """The sections of a brief that are not empty, in the order of their weight: a title and its lines."""
    return [(title, lines(value)) for title, name, lines in SECTIONS if (value := getattr(brief, name))]


def brief_tail(brief: Brief) -> list[str]:
    """What is unread, and what to call next."""
    unread = [f"{brief.unread} unread: check_inbox()"] if brief.unread else []
    return [*unread, f"Next: {' · '.join(brief.next)}"] if brief.next else unread


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


SECTIONS: tuple[tuple[str, str, Callable[[Any], list[str]]], ...] = (
    ("To do", "description", lambda words: [words]),
    ("In the way", "in_the_way", _bullets),
    ("Done when", "criteria", lambda views: [criterion(view) for view in views]),
    ("Part of", "parents", lambda rows: _bullets(map(row, rows))),
    ("Delegated", "delegation", lambda said: _bullets(f"{name}: {_value(value)}" for name, value in said.items())),
    ("Subtasks", "subtasks", lambda rows: _bullets(map(row, rows))),
    ("Results of what it waited for", "results", lambda views: _bullets(map(_result, views))),
    ("Shared context", "context", lambda views: _bullets(map(_context, views))),
    ("Also being changed", "also_changing", _bullets),
    ("Review", "review", _bullets),
    ("Your notes", "notes", _bullets),
    ("Messages", "messages", _bullets),
    ("Progress", "progress_log", _bullets),
    ("History", "history", _bullets),
    ("Attempts", "executions", _bullets),
    ("Delegations", "delegations", _bullets),
    ("Tree", "tree", list),
    ("Left out", "left_out", _bullets),
)
"""A brief's sections in the order of their weight: title, field, and how its value reads."""


@render.register
def _(answer: Outcome) -> str:
    lists = {"Artifacts": answer.artifacts, "Issues": answer.issues, "Next": answer.next_actions}
    lines = [answer.message, _indented(answer.summary)]
    if answer.outputs:
        lines.append(_indented(f"Outputs: {_value(answer.outputs)}"))
    for title, entries in lists.items():
        lines += [f"{title}:", *_bullets(entries)] if entries else []
    rest = f"{answer.left_out} has the rest" if answer.left_out else ""
    return "\n".join(line for line in [*lines, rest, f"version {answer.task.version}"] if line)


@render.register
def _(answer: Inbox) -> str:
    lines = [answer.message]
    for item in answer.items:
        sender = f" from {item.sender}" if item.sender else ""
        about = f" about {item.task}{f' {in_one_line(item.title)}' if item.title else ''}" if item.task else ""
        lines.append(_indented(f"{item.id} {item.type}{sender}{about} at {_minute(item.at)}: {item.text}"))
    return "\n".join(lines)


@render.register
def _(answer: Sent) -> str:
    return "\n".join([answer.message, *_footer((), answer.unread)])


@render.register
def _(answer: Registered) -> str:
    agent = answer.agent
    more = (f"{name} {_value(value)}" for name, value in (agent.model_extra or {}).items())
    known = [agent.role, agent.lifecycle, f"level {agent.level}", f"below {agent.superior}" if agent.superior else ""]
    line = " · ".join(each for each in (*known, *more) if each)
    return "\n".join([answer.message, line, *_footer(answer.warnings, answer.unread)])


@render.register
def _(answer: PolicyChange) -> str:
    said = {True: "yes", False: "no"}
    known = ", ".join(
        f"{name} {said[value] if isinstance(value, bool) else _value(value)}" for name, value in answer.policies.items()
    )
    return f"{answer.message}\n{known}"


@render.register
def _(answer: Overview) -> str:
    return "\n".join(overviews.lines(answer))
