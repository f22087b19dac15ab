"""The calls that a text tells an agent to make, read as the code that they look like."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

ARGUMENT = re.compile(r"\b([a-z_]+)=(?=[\"\[{\d…])")
"""An argument that is named, in a call or by itself."""


@dataclass(frozen=True)
class Call:
    """A tool and what it is given; `...` stands for what the reader fills in."""

    tool: str
    said: dict[str, Any] = field(default_factory=dict)


def calls_in(text: str) -> list[Call]:
    """Every call of a text, in order; one that is no Python fails."""
    found: list[Call] = []
    for match in re.finditer(r"\b([a-z_]+)\(", text):
        words = text[match.start() : _end(text, match.end())]
        node = ast.parse(words.replace("[…]", "[...]"), mode="eval").body
        assert isinstance(node, ast.Call)
        assert not node.args, f"{words}: tools take no positional arguments"
        found.append(Call(match[1], {each.arg: ast.literal_eval(each.value) for each in node.keywords if each.arg}))
    return found


def _end(text: str, start: int) -> int:
    """Where the parenthesis that was opened before `start` is closed, plus one."""
    depth, quoted = 1, False
    for place in range(start, len(text)):
        character = text[place]
        quoted ^= character == '"'
        if not quoted:
            depth += (character == "(") - (character == ")")
        if not depth:
            return place + 1
    raise AssertionError(f"never closed: {text[start - 20 : start + 60]}")


def arguments_in(text: str) -> set[str]:
    """Every name that stands before a value."""
    return set(ARGUMENT.findall(text))
