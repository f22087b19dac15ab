"""JSON from elsewhere, read so that nothing is lost in silence and nothing unstorable comes through."""

from __future__ import annotations

import json
import math
from typing import NoReturn, cast

from swarm_mcp.model.errors import Invalid


def parse_json(text: str, name: str) -> tuple[object, int]:
    """The value of a JSON text, and in how many texts an unstorable character was replaced.

    NUL characters and halves of surrogate pairs, which no database keeps, become U+FFFD.

    Args:
        text: the document.
        name: what the sentences call it.

    Raises:
        Invalid: not JSON, or JSON that would lose something: a key twice in one object, a number that is
            none or beyond a float, lists nested too deeply to be walked.

    """

    def constant(words: str) -> NoReturn:
        raise Invalid(f"`{name}` holds {words}, which is not a number.")

    def number(words: str) -> float:
        value = float(words)
        if math.isinf(value):
            raise Invalid(f"`{name}` holds the number {words[:20]}, which is too large.")
        return value

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
            raise Invalid(f"`{name}` has the key `{twice[:40]}` twice in one object; keep one of them.")
        return found

    try:
        value: object = json.loads(text, parse_constant=constant, parse_float=number, object_pairs_hook=unique)
        return _storable(value) if "\\u" in text or "\x00" in text else (value, 0)
    except json.JSONDecodeError as error:
        raise Invalid(f"`{name}` is not JSON: line {error.lineno}, column {error.colno} cannot be read.") from None
    except ValueError:  # an integer of more digits than Python reads
        raise Invalid(f"`{name}` holds a number that is too long.") from None
    except RecursionError:
        raise Invalid(f"`{name}` nests lists or objects too deeply.") from None


def _storable(value: object) -> tuple[object, int]:
    """A copy in which every text can be stored, and how many texts had to change."""
    if isinstance(value, str):
        clean = value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return clean, int(clean != value)
    if isinstance(value, list):
        items = [_storable(each) for each in cast("list[object]", value)]
        return [each for each, _ in items], sum(count for _, count in items)
    if isinstance(value, dict):
        entries = [(_storable(key), _storable(each)) for key, each in cast("dict[str, object]", value).items()]
        return (
            {str(key): each for (key, _), (each, _) in entries},
            sum(first + second for (_, first), (_, second) in entries),
        )
    return value, 0
