"""Tools and prompts of the conformance suite that need more before they answer, in the newer generation's way.

What is needed goes back as a result, and comes with the next call, together with a state that only we can have written.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from content import Prompt, Tool, said, text
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

KEY = secrets.token_bytes(32)


def form(message: str, field: str, kind: str = "string") -> dict[str, Any]:
    """A question to somebody, with one field to fill in."""
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def sampling(words: str, tokens: int) -> dict[str, Any]:
    """A question to the client's model."""
    messages = [{"role": "user", "content": text(words)}]
    return {"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": tokens}}


ROOTS = {"method": "roots/list", "params": {}}


def needed(requests: dict[str, Any], state: str = "") -> dict[str, Any]:
    """The result that asks for more."""
    result = {"resultType": "input_required", "inputRequests": requests}
    return {**result, "requestState": signed(state)} if state else result


def signed(state: str) -> str:
    return f"{state}.{hmac.new(KEY, state.encode(), hashlib.sha256).hexdigest()}"


def state_of(call: Any) -> str:
    """The state that came back, without its signature; empty if none did."""
    state = call.request_state or ""
    words = state.rpartition(".")[0]
    if state and not hmac.compare_digest(signed(words).encode(), state.encode()):
        raise MCPError(code=INVALID_PARAMS, message="This state was not written here.")
    return words


def answers(call: Any) -> dict[str, Any]:
    """What came for each question: records of the protocol."""
    return call.input_responses or {}


def filled(response: Any, field: str) -> str:
    """One field of a form; empty if it was not filled in."""
    return str((getattr(response, "content", None) or {}).get(field, "")) if response is not None else ""


def asking(requests: dict[str, Any], state: str = "") -> Tool:
    """A tool that asks until everything is there, and then says what it was told."""

    async def answer(ctx: Any, call: Any) -> dict[str, Any]:
        known = state_of(call)
        if known != state or not requests.keys() <= answers(call).keys():
            return needed(requests, state)
        told = {key: value.model_dump(mode="json") for key, value in answers(call).items() if key in requests}
        return said(text(f"{known} {told}".strip()))

    return Tool(answer)


async def greet(ctx: Any, call: Any) -> dict[str, Any]:
    """Ask for a name until there is one."""
    name = filled(answers(call).get("user_name"), "name")
    return said(text(f"Hello, {name}!")) if name else needed({"user_name": form("What is your name?", "name")})


async def two_steps(ctx: Any, call: Any) -> dict[str, Any]:
    """Ask for a name, then for a color, and remember the name meanwhile."""
    step, _, name = state_of(call).partition(":")
    if step == "second" and "step2" in answers(call):
        return said(text(f"{name} likes {filled(answers(call)['step2'], 'color')}."))
    if step == "first" and "step1" in answers(call):
        name = filled(answers(call)["step1"], "name")
        return needed({"step2": form("Step 2: What is your favorite color?", "color")}, f"second:{name}")
    return needed({"step1": form("Step 1: What is your name?", "name")}, "first")


async def as_able(ctx: Any, call: Any) -> dict[str, Any]:
    """Ask only for what the client has said it can do."""
    able = ctx.session.client_capabilities
    possible = {
        "name": (able and able.elicitation, form("What is your name?", "name")),
        "capital": (able and able.sampling, sampling("What is the capital of France?", 100)),
        "roots": (able and able.roots, ROOTS),
    }
    return needed({key: request for key, (can, request) in possible.items() if can is not None})


def in_context(request: Any) -> dict[str, Any]:
    """A prompt that needs to know more."""
    context = filled(answers(request).get("user_context"), "context")
    if not context:
        return needed({"user_context": form("What context should the prompt use?", "context")})
    return {"resultType": "complete", "messages": [{"role": "user", "content": text(f"In the context of {context}.")}]}


NAME = form("What is your name?", "name")
CONFIRM = {"confirm": form("Please confirm", "ok", "boolean")}
ALL_KINDS = {"user_name": NAME, "greeting": sampling("Generate a greeting", 50), "client_roots": ROOTS}
TOOLS = {
    "test_input_required_result_elicitation": Tool(greet),
    "test_streaming_elicitation": Tool(greet),
    "test_input_required_result_sampling": asking(
        {"capital_question": sampling("What is the capital of France?", 100)}
    ),
    "test_input_required_result_list_roots": asking({"client_roots": ROOTS}),
    "test_input_required_result_request_state": asking(CONFIRM, "state-ok"),
    "test_input_required_result_tampered_state": asking(CONFIRM, "sealed"),
    "test_input_required_result_multiple_inputs": asking(ALL_KINDS, "asked-for-all"),
    "test_input_required_result_multi_round": Tool(two_steps),
    "test_input_required_result_capabilities": Tool(as_able),
}
PROMPTS = {"test_input_required_result_prompt": Prompt(in_context)}
