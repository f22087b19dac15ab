"""How much of a list one answer shows, and which call shows more."""

from __future__ import annotations

from swarm_mcp.model.errors import Invalid

MOST = 200


def read_limit(limit: int) -> int:
    """How many are shown at most; what goes beyond the most is taken as the most.

    Raises:
        Invalid: it is less than one.

    """
    if limit < 1:
        raise Invalid(f"limit is 1 to {MOST}; got {limit}.")
    return min(limit, MOST)


def at_most(limit: int) -> str:
    """What an answer says if more was asked for than it shows at once; it begins with a blank."""
    return f" (at most {MOST} at once)" if limit > MOST else ""


def shows_more(shown: int, limit: int, total: int) -> str:
    """Which argument shows what was left out of an overview: a wider limit, or, where that would not do, less of it."""
    return f"limit={min(MOST, total)} shows more" if shown == limit < MOST else "under=… narrows it"
