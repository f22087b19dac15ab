"""What a model pays for the tool list on every request, in o200k tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bpe_openai import get_encoding

from benchmarks.measure import Measure
from benchmarks.pipe import Pipe
from benchmarks.servers import swarm

if TYPE_CHECKING:
    from benchmarks.board import Board

GOALS = {"worker": 1550, "director": 3300}


def measure_tokens(board: Board) -> list[Measure]:
    """Count name, description and input schema of every tool of each profile."""
    encoding = get_encoding("o200k_base")
    measures: list[Measure] = []
    for profile, goal in GOALS.items():
        with Pipe(swarm(board.path, profile=profile)) as pipe:
            tools = pipe.request("tools/list", {}).result["tools"]
        texts = [f"{tool['name']}\n{tool.get('description', '')}\n{_compact(tool['inputSchema'])}" for tool in tools]
        count = sum(len(encoding.encode(text)) for text in texts)
        facts: dict[str, float | int | str] = {"tokens": count, "tools": len(tools)}
        measures.append(
            Measure(
                f"tool list of the {profile} profile",
                f"≤ {goal:,} tokens",
                f"{count:,} tokens ({len(tools)} tools)",
                count <= goal,
                facts,
            )
        )
    return measures


def _compact(schema: object) -> str:
    return json.dumps(schema, separators=(",", ":"), ensure_ascii=False)
