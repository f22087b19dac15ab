"""A task as one line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swarm_mcp.model.task import TaskLine


def row(line: TaskLine) -> str:
    """One task in one line: `k3x9m2qa high in_progress 45% Build auth API → backend_dev · waits for m2qa7c4d`."""
    return row_of_facts(vars(line))


def row_of_facts(line: Mapping[str, Any]) -> str:
    """The same of a record's facts, with or without what is empty."""
    told = line.get
    parts = [line["id"]]
    if told("priority", "medium") != "medium":
        parts.append(line["priority"])
    parts.append(line["status"])
    if told("progress"):
        parts.append(f"{line['progress']}%")
    parts.append(in_one_line(line["title"]))
    if told("assignee") or told("holder"):
        parts.append("→ " + " / ".join(each for each in (told("assignee"), told("holder")) if each))
    if told("depends_on"):
        more = f" +{line['depends_on_more']}" if told("depends_on_more") else ""
        parts.append(f"· waits for {', '.join(line['depends_on'])}{more}")
    if told("hold"):
        parts.append(f"· held: {in_one_line(line['hold'])}")
    if told("lapsed"):
        parts.append("· claim lapsed")
    if told("deadline"):
        parts.append(f"· due {_day(line['deadline'])}")
    return " ".join(parts)


def in_one_line(words: str) -> str:
    """Somebody's words without the line ends that would make them look like lines of ours."""
    return " ".join(words.split()) if "\n" in words or "\r" in words else words


def _day(instant: str) -> str:
    """A deadline: its day, and its time unless that is the day's end."""
    return instant[:10] if instant[11:19] == "23:59:59" else f"{instant[:16]}Z"
