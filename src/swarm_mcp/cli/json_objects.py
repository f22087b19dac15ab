"""JSON that is typed as an option's value."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.strict_json import parse_json_at

Config = Annotated[
    str, typer.Option(metavar="JSON", help="What programs keep about it: an object.", show_default=False)
]


def read_object(words: str, option: str) -> dict[str, Any]:
    """A JSON object, with nothing in it that would be lost.

    Raises:
        Invalid: it is something else; the sentence names the option.

    """
    text = words.strip()
    value, end = parse_json_at(text, 0, option)
    if not isinstance(value, dict) or end < len(text):
        raise Invalid(f'`{option}` is no JSON object, like {{"model": "small"}}.')
    return value
