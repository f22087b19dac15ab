"""The examples work as they are."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mcp import Client, StdioServerParameters

if TYPE_CHECKING:
    from typing import Any

MEASURED = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
EXAMPLES = Path(__file__).parents[1] / "examples"


async def test_the_configuration_for_claude_desktop_starts_a_server(tmp_path: Path) -> None:
    config: dict[str, Any] = json.loads((EXAMPLES / "claude_desktop_config.json").read_text())
    server = config["mcpServers"]["swarm-mcp"]
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {"PATH": scripts, "SWARM_DATABASE": str(tmp_path / "board.db"), **MEASURED, **server.get("env", {})}
    parameters = StdioServerParameters(command=server["command"], args=server["args"], env=env, cwd=tmp_path)
    async with Client(parameters) as client:
        made = await client.call_tool("create_task", {"title": "Say hello"})
        claimed = await client.call_tool("claim_task", {})
    assert made.structured_content is not None
    assert claimed.structured_content is not None
    assert claimed.structured_content["task"]["id"] == made.structured_content["task"]["id"]
    assert claimed.structured_content["brief"]["agent"] == "claude"
