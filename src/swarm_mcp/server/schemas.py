"""Tools made from operations: the signature is the schema, the docstring is the description.

Written out once into `tools.json`, so that listing tools needs neither the database nor its library; a test holds
the file against the signatures, and `python -m swarm_mcp.server.schemas` writes it anew.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.calling import arguments_model
from swarm_mcp.operations.catalog import CATALOG
from swarm_mcp.server.toolbox import FILE

if TYPE_CHECKING:
    from swarm_mcp.operations.catalog import Operation

ORDER = (
    "claim_task", "get_task", "report_progress", "complete_task", "share_context", "add_note", "send_message",
    "check_inbox", "create_plan", "create_task", "update_task", "list_tasks", "delegate", "review_task",
    "register_agent", "list_agents", "get_overview", "join_task",
)  # fmt: skip
"""The worker's tools first, in the order of its loop; then the director's."""


def operations() -> dict[str, Operation]:
    """Every operation that is a tool, in the order of the list."""
    import_module("swarm_mcp.operations")
    return {name: CATALOG[name] for name in ORDER}


def tool_of(operation: Operation) -> dict[str, Any]:
    """The tool as hosts see it."""
    lines = (operation.run.__doc__ or "").strip().split("\n\n")[0]
    schema = trimmed(arguments_model(operation).model_json_schema())
    return {
        "name": operation.name,
        "description": " ".join(lines.split()),
        "inputSchema": {"type": "object", **schema},
        "annotations": {
            "readOnlyHint": not operation.writes,
            "destructiveHint": operation.destroys,
            "idempotentHint": operation.repeatable or not operation.writes,
            "openWorldHint": False,
        },
        "profiles": sorted(operation.profiles),
    }


def trimmed(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without noise: definitions inlined; titles, empty defaults and closed doors left out."""
    definitions = schema.pop("$defs", {})

    def trim(node: object) -> object:
        if isinstance(node, list):
            return [trim(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return trim(definitions[node["$ref"].rsplit("/", 1)[1]])
        kept = {name: value for name, value in node.items() if name not in {"title", "additionalProperties"}}
        if kept.get("default") in ("", 0, [], {}, False, None):
            kept.pop("default", None)
        properties = kept.get("properties")
        if isinstance(properties, dict):
            kept["properties"] = {name: trim(value) for name, value in properties.items()}
            kept.pop("description", None)
        return {name: value if name == "properties" else trim(value) for name, value in kept.items()}

    result = trim(schema)
    assert isinstance(result, dict)  # noqa: S101 - a schema is an object
    return result


def written() -> str:
    """The text of `tools.json` as it should be."""
    tools = [tool_of(operation) for operation in operations().values()]
    return json.dumps(tools, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
