"""Text that was decoded with the wrong code page on its way here, recognised but never changed."""

from __future__ import annotations

import re

CODE_PAGES = ("cp1252", "cp1254", "mac_roman", "latin-1")
"""The usual suspects, each of which turns the bytes of UTF-8 into two to four other characters."""

RUN = re.compile(r"[^\x00-\x7f]{2,}")
HEADLESS_EMOJI = re.compile(rb"\x9f[\x80-\xbf](?:[\xa0-\xbf]|[\x80-\x9f]\xef\xb8\x8f)")
"""Old Macs have no character for the byte that begins an emoji. Turkish has words like `üçü`, so the last byte
is none of a letter, or a variation selector follows."""
TELLTALES = ("ðŸ", "ğŸ", "â€", "ï»¿")
"""Beginnings of an emoji, a quotation mark and a byte order mark, of which the page may have lost the rest."""


def misdecoded(text: str) -> str:
    """The first run of characters that reads as UTF-8 in another code page; empty if there is none.

    `Ã©` for `é` in Windows-1252, `ğŸ¯` for a target in Windows-1254, `üéØ` for the same on old Macs.
    """
    if text.isascii():
        return ""
    return next((run[0] for run in RUN.finditer(text) if _is_misdecoded(run[0])), "")


def _is_misdecoded(run: str) -> bool:
    if run.startswith(TELLTALES):
        return True
    for page in CODE_PAGES:
        try:
            data = run.encode(page)
        except UnicodeEncodeError:
            continue
        if _is_likely(data) or (page == "mac_roman" and HEADLESS_EMOJI.match(data)):
            return True
    return False


def _is_likely(data: bytes) -> bool:
    """Whether bytes are UTF-8 for what people write: accents, punctuation and signs, emoji, longer words.

    A few characters in a row may be UTF-8 for a single other one by accident: an accented letter with an
    apostrophe for a phonetic sign, or with a hard blank and `»`, as French ends a quotation, for an ideograph.
    """
    decoded = data.decode(errors="replace")
    lost = decoded.count("\ufffd")
    found = decoded.replace("\ufffd", "")
    words = len(found) > max(1, lost) and all(each >= "\u0800" for each in found)
    if lost:  # the page had no character for some bytes, which only a longer text survives
        return words
    signs = any("\u2000" <= each <= "\u2bff" or each >= "\ufe00" for each in found)
    accents = all("\u00a0" <= each <= "\u017f" for each in found)
    return words or signs or accents
