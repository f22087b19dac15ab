"""JSON objects in what a model wrote: the surroundings are read tolerantly, the objects strictly.

Only an outermost object counts. What is nested in another one, also in one that cannot be read, is no object of its
own; neither is what stands in quotation marks, in a quoted line, or after the words "for example".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.strict_json import parse_json_at

LENGTH_LIMIT = 1_000_000
"""Characters of a text; reports have some thousands."""

MEANT = re.compile(r"""\{\s*(?:["'}]|//|/\*|#|[\w$-]+\s*:)""")
"""A brace with which somebody began an object, and not one of a template or of prose."""
PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|#[^\n]*|/\*.*?\*/|[{}"]', re.DOTALL)
"""What decides where an object ends: braces, and strings and comments, in which braces do not count."""
PYTHONIC = re.compile(r"""\{\s*'""")
PYTHONIC_PIECE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|#[^\n]*|[{}"']""", re.DOTALL)
QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“", "‘": "’", "«": "»", "‹": "›"}  # noqa: RUF001
VALUE = re.compile(r"""["']\s*:\s*\[?\s*$""")
"""Before an object that is the value of a key: part of another one that broke off."""
EXAMPLE = re.compile(
    r"(?:\bexamples?|\bfor instance|\bsuch as|\be\.\s?g\.|\bsample|\btemplate)\b[^.!?{}]*\s*(?:```\w*\s*)?$",
    re.IGNORECASE,
)
BEFORE = 120
"""Characters before an object in which it may be called an example."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object of a text, or what was meant as one and cannot be read."""

    words: str
    value: dict[str, object] | None
    wrong: str = ""
    """Why it cannot be read, as a sentence."""
    aside: bool = False
    """Quoted, or called an example."""


def objects_in(text: str, name: str = "text") -> list[Found]:
    """The outermost objects of a text, in their order, with those that cannot be read.

    Args:
        text: prose around JSON.
        name: what the sentences call it.

    Raises:
        Invalid: the text is too long.

    """
    if len(text) > LENGTH_LIMIT:
        raise Invalid(f"`{name}` has {len(text):,} characters; at most {LENGTH_LIMIT:,} are searched for JSON.")
    plain = QUOTED_LINE.sub(lambda line: " " * len(line[0]), text)
    found: list[Found] = []
    place = plain.find("{")
    while place >= 0:
        end = place + 1
        if MEANT.match(plain, place):
            each, end = _object_at(plain, place, name)
            found.append(each)
        place = plain.find("{", end)
    return found


def _object_at(text: str, start: int, name: str) -> tuple[Found, int]:
    """The object that begins there, and where it ends."""
    try:
        value, end = parse_json_at(text, start, name)
    except Invalid as refusal:
        end = _end_of(text, start)
        return Found(text[start:end], None, refusal.message, _is_aside(text, start, end)), end
    return Found(text[start:end], cast("dict[str, object]", value), aside=_is_aside(text, start, end)), end


def _end_of(text: str, start: int) -> int:
    """Where the braces that open there are closed; the end of the text if they never are."""
    depth = 0
    pieces = PYTHONIC_PIECE if PYTHONIC.match(text, start) else PIECE
    for piece in pieces.finditer(text, start):
        if piece[0] in {'"', "'"}:  # a string without an end
            return len(text)
        depth += {"{": 1, "}": -1}.get(piece[0], 0)
        if not depth:
            return piece.end()
    return len(text)


def _is_aside(text: str, start: int, end: int) -> bool:
    """Whether somebody quotes the object or calls it an example, or it was torn out of another one.

    A whole text in quotation marks is not quoted.
    """
    mark = text[start - 1 : start]
    quoted = mark in QUOTES and text[end : end + 1] == QUOTES[mark] and text[start - 3 : start] != "```"
    alone = not text[: max(start - 1, 0)].strip() and not text[end + 1 :].strip()
    before = text[max(0, start - BEFORE) : start]
    return (quoted and not alone) or bool(VALUE.search(before) or EXAMPLE.search(before))
