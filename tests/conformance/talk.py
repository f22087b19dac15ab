"""Tools of the conformance suite that speak to the client before they answer: logs, progress, and questions."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from content import Tool, said, text
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    ClientCapabilities,
    SamplingCapability,
    SamplingMessage,
    TextContent,
)

PAUSE_SECONDS = 0.05
"""The suite wants to see that messages come one after another while a tool is at work."""
OPTIONS = ["option1", "option2", "option3"]
DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
TITLED = [{"const": f"value{n}", "title": f"Choice {n}"} for n in (1, 2, 3)]
CHOICES = {
    "untitledSingle": {"type": "string", "enum": OPTIONS},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {"type": "string", "enum": OPTIONS, "enumNames": ["Option One", "Option Two", "Option Three"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": OPTIONS}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}
ACCOUNT = {
    "username": {"type": "string", "description": "User's response"},
    "email": {"type": "string", "description": "User's email address"},
}


async def log(ctx: Any, call: Any) -> dict[str, Any]:
    """Three messages, one after another."""
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message("info", words, related_request_id=ctx.request_id)
        await asyncio.sleep(PAUSE_SECONDS)
    return said(text("It has logged."))


async def progress(ctx: Any, call: Any) -> dict[str, Any]:
    """Three steps, one after another."""
    for done in (0, 50, 100):
        await ctx.session.report_progress(done, 100)
        await asyncio.sleep(PAUSE_SECONDS)
    return said(text("It has got on."))


async def sample(ctx: Any, call: Any) -> dict[str, Any]:
    """Whatever the client's model says."""
    prompt = SamplingMessage(role="user", content=TextContent(type="text", text=call.arguments["prompt"]))
    answer = await ctx.session.create_message([prompt], max_tokens=100, related_request_id=ctx.request_id)
    return said(text(f"LLM response: {answer.content.text}"))


async def ask(ctx: Any, message: str, fields: dict[str, Any], required: tuple[str, ...] = ()) -> str:
    """What somebody at the client's side filled in."""
    form = {"type": "object", "properties": fields, "required": list(required)}
    answer = await ctx.session.elicit_form(message, form, related_request_id=ctx.request_id)
    return f"action={answer.action}, content={json.dumps(answer.content)}"


async def elicit(ctx: Any, call: Any) -> dict[str, Any]:
    """A form of two fields."""
    return said(text(f"User response: {await ask(ctx, call.arguments['message'], ACCOUNT, ('username', 'email'))}"))


async def elicit_defaults(ctx: Any, call: Any) -> dict[str, Any]:
    """A form that is filled in already."""
    return said(text(f"Elicitation completed: {await ask(ctx, 'Who are you?', DEFAULTS)}"))


async def elicit_choices(ctx: Any, call: Any) -> dict[str, Any]:
    """A form of choices."""
    return said(text(f"Elicitation completed: {await ask(ctx, 'Choose.', CHOICES)}"))


async def need_sampling(ctx: Any, call: Any) -> dict[str, Any]:
    """Nothing for a client that has not said that it has a model."""
    if not ctx.session.check_client_capability(ClientCapabilities(sampling=SamplingCapability())):
        raise MCPError(
            code=MISSING_REQUIRED_CLIENT_CAPABILITY,
            message="A client that offers sampling is needed.",
            data={"requiredCapabilities": {"sampling": {}}},
        )
    return said(text("You have what it takes."))


def demanding(name: str) -> dict[str, Any]:
    """The schema of a tool with one argument."""
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


TOOLS = {
    "test_tool_with_logging": Tool(log),
    "test_logging_tool": Tool(log),
    "test_tool_with_progress": Tool(progress),
    "test_sampling": Tool(sample, demanding("prompt")),
    "test_elicitation": Tool(elicit, demanding("message")),
    "test_elicitation_sep1034_defaults": Tool(elicit_defaults),
    "test_elicitation_sep1330_enums": Tool(elicit_choices),
    "test_missing_capability": Tool(need_sampling),
}
