"""Whether an answer's text and its structured content say the same: hosts show the model one of them, not both."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.lifecycle import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving import Answer

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d):\d\d")
ID = re.compile(r"\b(?=[a-z]*[0-9])[a-z0-9]{8}\b")
STATUS = re.compile(rf"\b({'|'.join(TaskStatus)})\b")
PERCENT = re.compile(r"(\d+)%")
WORDS_FOR = {"lapsed": "claim lapsed", "view": ""}
"""What is said in other words: a flag's, or nothing where the whole answer shows it."""


def unsaid(answer: Answer) -> list[str]:
    """The facts that the text does not mention, and what the text says without the facts knowing it."""
    text = _flat(answer.text)
    lacking = [f"{path}={value!r}" for path, value in _leaves(answer.facts) if not _says(text, path, value)]
    facts = json.dumps(answer.facts, ensure_ascii=False)
    for pattern in (ID, STATUS, PERCENT):
        lacking += [f"text: {found}" for found in pattern.findall(answer.text) if found not in facts]
    return lacking


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, f"{path}.{name}")
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from _leaves(each, f"{path}[{n}]")
    elif value is not None:
        yield path, value


def _says(text: str, path: str, value: object) -> bool:
    name = path.rsplit(".", 1)[-1]
    if name in WORDS_FOR:
        return WORDS_FOR[name] in text
    if isinstance(value, bool):
        return json.dumps(value) in text
    if isinstance(value, int | float):
        return value == 0 or any(_stands(text, each) for each in (f"{value:g}", f"{value:,}", str(value)))
    instant = INSTANT.match(str(value))
    if instant:
        return f"{instant[1]}Z" in text or str(value)[:10] in text
    return _flat(str(value)) in text


def _stands(text: str, number: str) -> bool:
    return re.search(rf"(?<![\d.]){re.escape(number)}(?!\d)", text) is not None


def _flat(text: str) -> str:
    return " ".join(text.split())
