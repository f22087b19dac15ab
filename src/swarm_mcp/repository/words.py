"""Words as they are indexed and as they are searched for: one rule for both.

SQLite's tokenizer makes a word of every run of letters and digits, whatever their case and accents; everything else
parts words, so that `auth_api` and `src/auth.py` are phrases of two and three. Scripts that are written without spaces
would be one word from a full stop to the next: here each of their characters becomes a word of its own.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

UNSPACED = re.compile(
    "["
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff\uff66-\uff9f"  # kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
    "]"
)
"""Characters that are indexed as words; what is searched for with several of them is a phrase."""
APART = re.compile(r"[\W_]+")
WORDS = 8
"""How many words of a search count …"""
LONGEST = 100
"""… and how much of each."""
SHORTEST_PREFIX = 3
"""Bytes of a word whose end may be missing: one or two letters begin so much that they mean themselves alone, whereas
one Korean syllable says something."""


def spaced(text: str) -> str:
    """A text as the index is given it."""
    return text if text.isascii() else UNSPACED.sub(r" \g<0> ", text)


class Sought(NamedTuple):
    """A word that is searched for."""

    word: str
    whole: str
    """The same in the language of the index …"""
    phrase: str
    """… and there as the beginning of a word, if its end may be missing."""


def sought(text: str) -> list[Sought]:
    """The words of a search; none if there is nothing but punctuation.

    The end of a word may be missing, unless punctuation says that the word ends there.
    """
    encodable = text.encode(errors="ignore").decode()
    words = [word[:LONGEST] for word in encodable.split() if any(map(str.isalnum, word[:LONGEST]))]
    return [_sought(word) for word in dict.fromkeys(words)][:WORDS]


def value_text(value: Any) -> str:
    """The words of a JSON value, keys and numbers too."""
    return value if isinstance(value, str) else " ".join(_leaves(json.loads(json.dumps(value))))


def _sought(word: str) -> Sought:
    text = spaced(word).replace('"', " ").replace("\0", " ")
    whole, last = f'"{text}"', APART.split(text)[-1]
    return Sought(word, whole, f"{whole}*" if len(last.encode()) >= SHORTEST_PREFIX else whole)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield str(value)
