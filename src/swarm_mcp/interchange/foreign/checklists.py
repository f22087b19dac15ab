"""What a Markdown text says beside its words: its first heading, and the boxes under headings of acceptance."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)$")
BOX = re.compile(r"([ \t]*)(?:[-*+]|\d{1,9}[.)])[ \t]+\[([ xX])\][ \t]+(\S.*)$")
BULLET = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
ACCEPTANCE = re.compile(r"\bacceptance\b|\bcriteri(?:a|on)\b|\bdefinition of done\b|\bdone when\b", re.IGNORECASE)


class Box(NamedTuple):
    """An item of a checklist."""

    text: str
    ticked: bool


@dataclass(slots=True)
class Outline:
    """What was found."""

    heading: str = ""
    """The words of the first heading."""
    criteria: list[Box] = field(default_factory=list[Box])
    """The boxes under a heading of acceptance, or under one of its own headings."""
    others: int = 0
    """How many boxes stand elsewhere: deliverables, steps, questions."""


def outline(text: str) -> Outline:
    """Look through a text; what stands in code is neither a heading nor a box."""
    found = Outline()
    accepting = 0
    """The level of the heading of acceptance under which this is, or 0."""
    words: list[str] = []
    """The lines of the box that is being read."""
    ticked, margin = False, 0

    def end_box() -> None:
        if words:
            found.criteria.append(Box(" ".join(words), ticked))
        words.clear()

    for line in _prose(text):
        heading = HEADING.match(line)
        box = None if heading else BOX.match(line)
        if heading or box or not line.strip() or BULLET.match(line):
            end_box()
        elif words and len(line) - len(line.lstrip()) > margin:
            words.append(line.strip())
        else:
            end_box()
        if heading:
            level = len(heading[1])
            found.heading = found.heading or heading[2]
            if not accepting or level <= accepting:
                accepting = level if ACCEPTANCE.search(heading[2]) else 0
        elif box and accepting:
            margin, ticked = len(box[1]), box[2] != " "
            words.append(box[3].strip())
        elif box:
            found.others += 1
    end_box()
    return found


def _prose(text: str) -> Iterator[str]:
    """The lines that are not code between fences; a fence that does not end goes to the end of the text."""
    fence = ""
    for line in text.splitlines():
        mark = FENCE.match(line)
        if fence:
            ends = mark and mark[1].startswith(fence) and not mark[2].strip()
            fence = "" if ends else fence
        elif mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
        else:
            yield line
