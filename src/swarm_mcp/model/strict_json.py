"""JSON from elsewhere, read so that nothing is lost in silence and nothing unstorable comes through."""

from __future__ import annotations

import json
import math
from collections import Counter
from contextlib import contextmanager
from functools import lru_cache
from sys import intern
from typing import TYPE_CHECKING, NoReturn, cast

from swarm_mcp.model.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Generator

DEPTH_LIMIT = 100
"""Lists and objects within one another. Whoever stores or compares them recurses; plans have about five."""


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
    with _refusing(name):
        return storable(_decoder(name).decode(text))


def parse_json_at(text: str, start: int, name: str) -> tuple[object, int]:
    """The JSON value that begins somewhere in a text, and where it ends; refused like `parse_json`.

    What is unstorable in it is refused as well, since nobody would be told that it was replaced.
    """
    with _refusing(name):
        value, end = _decoder(name).raw_decode(text, start)
        clean, changes = storable(value)
    if changes:
        raise Invalid(f"`{name}` has a NUL character or half a surrogate pair; leave it out.")
    return clean, end


@contextmanager
def _refusing(name: str) -> Generator[None]:
    """What the reader of JSON minds, in a sentence."""
    try:
        yield
    except json.JSONDecodeError as error:
        raise Invalid(f"`{name}` is not JSON: line {error.lineno}, column {error.colno} cannot be read.") from None
    except ValueError:  # an integer of more digits than Python reads
        raise Invalid(f"`{name}` holds a number that is too long.") from None
    except RecursionError:
        raise Invalid(f"`{name}` nests lists or objects too deeply.") from None


@lru_cache(maxsize=8)
def _decoder(name: str) -> json.JSONDecoder:
    def constant(words: str) -> NoReturn:
        raise Invalid(f"`{name}` holds {words}, which is not a number.")

    def number(words: str) -> float:
        value = float(words)
        if math.isinf(value):
            raise Invalid(f"`{name}` holds the number {words[:20]}, which is too large.")
        return value

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = {intern(key): value for key, value in pairs}  # the same few keys in every record of a large file
        if len(found) < len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise Invalid(f"`{name}` has the key `{twice[:40]}` twice in one object; keep one of them.")
        return found

    return json.JSONDecoder(parse_constant=constant, parse_float=number, object_pairs_hook=unique)


def storable(value: object, depth: int = DEPTH_LIMIT) -> tuple[object, int]:
    """The value with every text made storable, in place, and how many texts had to change.

    Raises:
        RecursionError: lists and objects are nested more deeply than that.

    """
    if depth < 0:
        raise RecursionError
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value, 0
        clean = value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return clean, int(clean != value)
    changes = 0
    if isinstance(value, list):
        items = cast("list[object]", value)
        for place, each in enumerate(items):
            items[place], changed = storable(each, depth - 1)
            changes += changed
    elif isinstance(value, dict):
        entries = cast("dict[object, object]", value)
        for key, each in list(entries.items()):
            clean_key, changed = storable(key, depth)
            if changed:
                del entries[key]
            entries[clean_key], inside = storable(each, depth - 1)
            changes += changed + inside
    return cast("object", value), changes
