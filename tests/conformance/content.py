"""Tools, prompts and resources of the conformance suite that answer with the same content each time."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

RED_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA="
NOTHING = {"type": "object", "properties": {}}


@dataclass(frozen=True)
class Tool:
    """A tool of the suite's."""

    answer: Callable[..., Any]
    schema: dict[str, Any] = field(default_factory=lambda: NOTHING)

    def listed(self, name: str) -> dict[str, Any]:
        return {"name": name, "description": "For the conformance suite.", "inputSchema": self.schema}


@dataclass(frozen=True)
class Prompt:
    """A prompt of the suite's."""

    answer: Callable[..., Any]
    arguments: tuple[str, ...] = ()

    def listed(self, name: str) -> dict[str, Any]:
        arguments = [{"name": each, "description": "An argument.", "required": True} for each in self.arguments]
        return {"name": name, "description": "For the conformance suite.", "arguments": arguments}


def said(*blocks: dict[str, Any], failed: bool = False) -> dict[str, Any]:
    """The result of a tool."""
    return {"resultType": "complete", "content": list(blocks), "isError": failed}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def embedded(uri: str, words: str, kind: str = "text/plain") -> dict[str, Any]:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": kind, "text": words}}


IMAGE = {"type": "image", "data": RED_DOT, "mimeType": "image/png"}
AUDIO = {"type": "audio", "data": SILENCE, "mimeType": "audio/wav"}


def always(*blocks: dict[str, Any], failed: bool = False) -> Tool:
    """A tool that says the same to everybody."""

    async def answer(ctx: Any, call: Any) -> dict[str, Any]:
        return said(*blocks, failed=failed)

    return Tool(answer)


async def look(ctx: Any, call: Any) -> dict[str, Any]:
    """Any arguments will do; what is looked at is their schema and their headers."""
    return said(text("Seen."))


def speaking(*parts: Callable[[dict[str, str]], dict[str, Any]]) -> Callable[..., Any]:
    """A prompt's answer, each part made of its arguments."""

    def answer(request: Any) -> dict[str, Any]:
        messages = [{"role": "user", "content": part(request.arguments or {})} for part in parts]
        return {"resultType": "complete", "messages": messages}

    return answer


ALL_KEYWORDS = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
IN_A_HEADER = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
MIXED = embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json")

TOOLS = {
    "test_simple_text": always(text("This is a simple text response for testing.")),
    "test_image_content": always(IMAGE),
    "test_audio_content": always(AUDIO),
    "test_embedded_resource": always(embedded("test://embedded-resource", "This is an embedded resource content.")),
    "test_multiple_content_types": always(text("Multiple content types test:"), IMAGE, MIXED),
    "test_error_handling": always(text("This tool intentionally returns an error for testing"), failed=True),
    "json_schema_2020_12_tool": Tool(look, ALL_KEYWORDS),
    "test_argument_in_header": Tool(look, IN_A_HEADER),
}
PROMPTS = {
    "test_simple_prompt": Prompt(speaking(lambda _: text("This is a simple prompt for testing."))),
    "test_prompt_with_arguments": Prompt(
        speaking(lambda a: text(f"Prompt with arguments: arg1='{a['arg1']}', arg2='{a['arg2']}'")), ("arg1", "arg2")
    ),
    "test_prompt_with_embedded_resource": Prompt(
        speaking(
            lambda a: embedded(a["resourceUri"], "Embedded resource content for testing."),
            lambda _: text("Please process the embedded resource above."),
        ),
        ("resourceUri",),
    ),
    "test_prompt_with_image": Prompt(speaking(lambda _: IMAGE, lambda _: text("Please analyze the image above."))),
}
FIXED = {
    "test://static-text": {"mimeType": "text/plain", "text": "This is the content of the static text resource."},
    "test://static-binary": {"mimeType": "image/png", "blob": RED_DOT},
    "test://watched-resource": {"mimeType": "text/plain", "text": "Nothing happens here."},
}
RESOURCES = [
    {"uri": uri, "name": uri, "description": "For the conformance suite.", "mimeType": about["mimeType"]}
    for uri, about in FIXED.items()
]
TEMPLATES = [
    {
        "uriTemplate": "test://template/{id}/data",
        "name": "template",
        "description": "For the conformance suite.",
        "mimeType": "application/json",
    }
]


def contents(uri: str) -> dict[str, Any] | None:
    """What is at an address of the suite's; None if it is none of those."""
    if uri in FIXED:
        return {"uri": uri, **FIXED[uri]}
    match = re.fullmatch(r"test://template/([^/]+)/data", uri)
    if match is None:
        return None
    facts = {"id": match[1], "templateTest": True, "data": f"Data for ID: {match[1]}"}
    return {"uri": uri, "mimeType": "application/json", "text": json.dumps(facts)}
