"""The orders of lists of tasks, and cursors into them."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.errors import Invalid
from swarm_mcp.repository.search import BELONGING

if TYPE_CHECKING:
    from swarm_mcp.repository.statement import Row

SORTS: dict[str, tuple[str, ...]] = {
    "urgency": ("finished", "urgency", "due", "created_at", "id"),
    "created": ("created_at", "id"),
    "updated": ("updated_at", "id"),
    "deadline": ("due", "id"),
}
BEST = "best"
ORDERS = {**SORTS, BEST: ("distance", *SORTS["urgency"])}
"""What is searched for comes in the best order, which no list without words has."""
DESCENDING = frozenset({"updated"})
INSTANTS = frozenset({"due", "created_at", "updated_at"})
_compactly = json.JSONEncoder(separators=(",", ":")).encode


def cursor_after(row: Row, sort: str) -> str:
    """Where the page after this row begins."""
    values = [getattr(row, name) for name in ORDERS[sort]]
    plain = [each.isoformat() if isinstance(each, datetime) else each for each in values]
    return base64.urlsafe_b64encode(_compactly([sort, *plain]).encode()).decode().rstrip("=")


def read_cursor(sort: str, cursor: str) -> dict[str, Any]:
    """Where the page begins, as values of the statement."""
    if not cursor.strip():
        return {}
    names = ORDERS[sort]
    try:
        padded = cursor.strip() + "=" * (-len(cursor.strip()) % 4)
        made_for, *values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        read = [
            datetime.fromisoformat(each) if name in INSTANTS else each for name, each in zip(names, values, strict=True)
        ]
        if made_for != sort or any(
            type(each) is not (datetime if name in INSTANTS else str if name == "id" else int)
            or (isinstance(each, datetime) and each.tzinfo is None)
            or (isinstance(each, int) and abs(each) > BELONGING)  # no order has more classes
            for name, each in zip(names, read, strict=True)
        ):
            raise ValueError(cursor)  # noqa: TRY301 - one sentence for every way of being wrong
    except (ValueError, TypeError, UnicodeDecodeError):
        raise Invalid(f"`{cursor[:40]}` is no cursor of this list; leave it empty to begin anew.") from None
    return {f"after_{name}": each for name, each in zip(names, read, strict=True)}
