"""MCP Inspector's command line, as a developer would point it at us: over a pipe, HTTP, and HTTP+SSE."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from listening import listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from javascript import Programs

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

GENERATIONS = ["modern", "legacy"]


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """What the Inspector is told, by transport: one board in all of them."""
    board = tmp_path_factory.mktemp("inspected") / "swarm.db"
    with listening(board) as listener:
        yield {
            "stdio": [sys.executable, "-m", "swarm_mcp", "serve", "--database", str(board)],
            "http": ["--transport", "http", "--server-url", f"{listener.url}/mcp"],
            "sse": ["--transport", "sse", "--server-url", f"{listener.url}/sse"],
        }


def inspect(programs: Programs, target: list[str], generation: str, method: str, *words: str) -> dict[str, Any]:
    """What the Inspector prints."""
    asked = ["--cli", "--protocol-era", generation, *target, "--method", method, *words]
    done = programs.run("@modelcontextprotocol/inspector", "mcp-inspector", *asked)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("transport", ["stdio", "http", "sse"])
def test_the_inspector_lists_tools_and_calls_one(
    programs: Programs, targets: dict[str, list[str]], transport: str, generation: str
) -> None:
    target = targets[transport]
    listed = inspect(programs, target, generation, "tools/list", "--strict")
    assert {"claim_task", "create_task"} <= {tool["name"] for tool in listed["tools"]}
    title = f"Over {transport}, {generation}"
    call = ["--tool-name", "create_task", "--tool-arg", f"title={title}", "--tool-arg", "agent=lead"]
    made = inspect(programs, target, generation, "tools/call", *call)
    assert not made["isError"]
    found = inspect(
        programs, target, generation, "tools/call", "--tool-name", "get_task", "--tool-arg",
        f"task={made['structuredContent']['task']['id']}", "--tool-arg", "agent=lead",
    )  # fmt: skip
    assert found["structuredContent"]["task"]["title"] == title


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_inspector_reads_a_resource_and_a_prompt(
    programs: Programs, targets: dict[str, list[str]], generation: str
) -> None:
    target = targets["http"]
    prompts = inspect(programs, target, generation, "prompts/list")["prompts"]
    assert "direct" in {prompt["name"] for prompt in prompts}
    uris = [each["uri"] for each in inspect(programs, target, generation, "resources/list")["resources"]]
    read = inspect(programs, target, generation, "resources/read", "--uri", uris[0])
    assert read["contents"][0]["text"]
