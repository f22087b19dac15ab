"""Durations and moments as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_duration(text: str, option: str) -> timedelta:
    """A number and a unit.

    Raises:
        BadParameter: it is none; the sentence names the option.

    """
    said = re.fullmatch(r"(\d{1,5})\s*([mhdw])", text.strip().lower(), re.ASCII)
    if said is None:
        raise typer.BadParameter(f"`{text[:40]}` is no duration: say 30d, 12h, 90m or 4w.", param_hint=option)
    return timedelta(**{UNITS[said[2]]: int(said[1])})


def read_moment(text: str, option: str) -> datetime:
    """A date, a time or so long ago: an aware datetime; what names no zone is UTC.

    Raises:
        BadParameter: it is none; the sentence names the option.

    """
    said = text.strip()
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        if not re.fullmatch(r"\d+\s*[a-z]", said, re.ASCII | re.IGNORECASE):
            words = f"`{text[:40]}` is no moment: say 2026-11-01, 2026-11-01T08:00+01:00 or 30d."
            raise typer.BadParameter(words, param_hint=option) from None
        return datetime.now(UTC) - read_duration(said, option)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
