"""Overviews as text: each view's entries in a line or two, and whatever else it has as `name: value`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange import roster_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swarm_mcp.model.task import Overview

SAID = {"status_breakdown", "completion_percentage", "total_tasks"}
"""What the first sentence of a summary says already."""


def lines(answer: Overview) -> list[str]:
    """An overview as lines; the first is its sentence."""
    return [answer.message, *_details(answer)]


def _details(answer: Overview) -> Iterator[str]:
    for name, value in (answer.model_extra or {}).items():
        if name == "lines":
            yield from value
        elif name in {"agents", "pools"}:
            yield from map(roster_text.load, value)
        elif isinstance(value, list):
            yield from (f"{_heading(name)}{_entry(each)}" for each in value)
        elif value not in ({}, 0, 0.0, "") and (answer.view != "summary" or name not in SAID):
            yield f"{name.replace('_', ' ')}: {_plain(value)}"


def _heading(name: str) -> str:
    """What an entry that is no item is."""
    return "" if name == "items" else f"{name.removesuffix('s').replace('_', ' ')}: "


def _entry(each: Any) -> str:
    """One entry of a view, by what it has."""
    match each:
        case {"call": call}:
            return f"{each['task']} {each['title']}: {each['why']}; blocks {each.get('blocks', 0)} → {call}"
        case {"done_after": after, "hours": hours}:
            assumed = f" ({each['estimate']})" if "estimate" in each else ""
            return f"{_task(each)}: {hours:g} h{assumed}, done after {after:g} h"
        case {"deadline": deadline}:
            return f"{_task(each)}, {deadline[:10]} {deadline[11:16]}Z"
        case {"waiter": waiter}:
            return f"{each['task']} is {each['status']} and {waiter} waits for it"
        case {"counts": counts}:
            more = f" and {each['ended_more']} more" if "ended_more" in each else ""
            ended = "; ".join(each.get("ended", ()))
            return f"{each['at']}: {_plain(counts)}{f' ({ended}{more})' if ended else ''}"
        case _:
            return _plain(each)


def _task(each: dict[str, Any]) -> str:
    whose = f" → {each['assignee']}" if "assignee" in each else ""
    return f"{each['task']} {each['title']} [{each['status']}]{whose}"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
