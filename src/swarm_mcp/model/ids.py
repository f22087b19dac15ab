"""Names and identifiers: how they look, how they are made, how they are read."""

from __future__ import annotations

import re
import secrets
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING

from swarm_mcp.model.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits without look-alikes (no 0 o 1 l i)."""

FAIR = 256 // len(ALPHABET) * len(ALPHABET)
"""Bytes below it stand for each letter equally often."""
LETTER_OF = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
UNFAIR = bytes(range(FAIR, 256))

TASK_ID_LENGTH = 8
PREFIX_MINIMUM = 4
TASK_ID = re.compile(r"[a-z0-9]{8}")
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")

RESERVED = frozenset({"operator", "system", "all", "superior", "anyone", "auto"})
"""Words that `to`, `assignee`, `ask` and `pool` understand; nobody may be called so."""


def new_task_id() -> str:
    """Eight letters and digits: 8.5e11 ids, drawn from the system's randomness."""
    found = b""
    while len(found) < TASK_ID_LENGTH:  # at once, unless more than eight of the bytes are too large
        found += secrets.token_bytes(16).translate(LETTER_OF, UNFAIR)
    return found[:TASK_ID_LENGTH].decode()


def new_uuid() -> str:
    """A random UUID in its usual spelling."""
    return str(uuid.uuid4())


@lru_cache(maxsize=1024)
def fold_name(name: str) -> str:
    """A name as it is stored: lower case, blanks as underscores. Every call says one, and always the same few.

    Raises:
        Invalid: it is not a name, or a reserved word.

    """
    folded = re.sub(r"\s+", "_", name.strip().lower())
    if not NAME.fullmatch(folded):
        raise Invalid(
            f"`{name[:80]}` is not a name: use up to 63 letters, digits, `_`, `.` or `-`, "
            "beginning with a letter or digit."
        )
    if folded in RESERVED:
        raise Invalid(f"`{folded}` is a reserved word; choose another name.")
    return folded


def misspelt(name: str, known: Iterable[str]) -> list[str]:
    """The known names of which a name seems to be a misspelling, best first.

    `worker_2` is no misspelling of `worker_1`, nor `dev-b` of `dev-a`: numbers and single letters tell names apart.
    """
    mark = re.compile(r"\d+|(?<![a-z])[a-z](?![a-z])")
    close = nearest(name, known, cutoff=0.8)
    return [each for each in close if mark.findall(each) == mark.findall(name)]


def nearest(word: str, choices: Iterable[str], *, count: int = 3, cutoff: float = 0.6) -> list[str]:
    """The choices that look most like the word, best first; none if nothing is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - only mistakes pay for it

    return get_close_matches(word, list(choices), n=count, cutoff=cutoff)


def did_you_mean(near: Sequence[str]) -> str:
    """What a refusal says besides where something like the word is known; it begins with a blank."""
    return f" Did you mean {' or '.join(f'`{each}`' for each in near)}?" if near else ""


def unknown_word(word: str, what: str, known: Iterable[str]) -> Invalid:
    """The refusal of a word that is none of those that may stand there: it names the nearest, and all."""
    words = list(known)
    folded = word.strip().lower().replace("-", "_").replace(" ", "_")
    hint = did_you_mean(nearest(folded, words, count=1))
    return Invalid(f"`{word[:40]}` is no {what}.{hint} Known: {', '.join(words)}.")
