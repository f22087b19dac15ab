"""Words of a text as they are compared: whole, in one case, and alike in the singular, the plural and with -ing."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts that do not part their words, or inflect them beyond recognition: Thai, Japanese, Chinese, Korean."""
RUN = re.compile(rf"[{UNSPACED}]+|[a-z](?:\+\+|\#)(?!\w)|[^\W_{UNSPACED}]+")
"""A stretch of unspaced script, a language such as C++ or C#, or a word; an underscore parts words."""
FILLER_WORDS = (
    "a about after all also an and any are as at be been before between but by can could did do does done each every"
    " for from had has have he her his how i if in into is it its just may me might more most must my no nor not of on"
    " one or our out over own per s shall she should so some such t than that the their them then there these they"
    " this those through to too two under until up upon us via was we were what when where which while who whom whose"
    " why will with within without would you your"
)
FILLERS = frozenset(FILLER_WORDS.split())
"""They say nothing about what a text is about."""
SINGLE_SYLLABLE = re.compile(r"[^aeiouy]*[aeiouy][^aeiouwxy]")
"""Such a stem doubles its last letter before -ing: what stands there alone has lost an e, as in `writing`."""
SHORTEST = 3


def words(text: str) -> list[str]:
    """The words of a text that say what it is about, in their order, each once.

    Of scripts without spaces every two neighbouring characters are a word: whoever looks for one finds it, whatever
    stands around it.
    """
    found: dict[str, None] = {}
    for run in RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if len(run) > 1 and re.match(f"[{UNSPACED}]", run):
            found.update(dict.fromkeys(run[n : n + 2] for n in range(len(run) - 1)))
        elif run not in FILLERS:
            found[run] = None
    return list(found)


@lru_cache(maxsize=16_384)
def forms(word: str) -> frozenset[str]:
    """A word and what it may be a plural or an -ing of: two words are the same if they share a form.

    `tests`, `testing` and `test` are one; `latest`, `contest` and `testament` are others.
    """
    found = {word}
    if not word.isascii() or not word.isalpha():
        return frozenset(found)
    if word.endswith("s") and len(word) > SHORTEST:
        found.add(word[:-1])
        if word.endswith("ies"):
            found.add(f"{word[:-3]}y")
        elif word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
            found.add(word[:-2])
    for each in tuple(found):
        if each.endswith("ing") and len(each) > SHORTEST + 2:
            found |= _without_ing(each[:-3])
    return frozenset(found)


def _without_ing(stem: str) -> set[str]:
    """What may stand before -ing: `writ` is write, `plann` is plan, `test` and `review` are themselves."""
    found = {f"{stem}e"}
    if not SINGLE_SYLLABLE.fullmatch(stem):
        found.add(stem)
    if len(stem) > SHORTEST and stem[-1] == stem[-2]:
        found.add(stem[:-1])
    return found
