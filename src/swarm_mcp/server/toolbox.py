"""The list of tools, as it was written out: ready before anything that takes long to import."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swarm_mcp.model.agent import Profile

FILE = Path(__file__).with_name("tools.json")
SHOW = frozenset({"name", "description", "inputSchema", "annotations"})


@cache
def every_tool() -> tuple[dict[str, Any], ...]:
    """All tools, each with the profiles that offer it."""
    return tuple(json.loads(FILE.read_text(encoding="utf-8")))


def listed(profile: Profile) -> list[dict[str, Any]]:
    """The tools of a profile, in the form in which hosts get them."""
    offered = [tool for tool in every_tool() if profile in tool["profiles"]]
    return [{name: value for name, value in tool.items() if name in SHOW} for tool in offered]
