"""Arguments as models send them, and the sentence that they get back when something is wrong with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from swarm_mcp.model.draft import DRAFT_ALIASES
from swarm_mcp.model.errors import Invalid, Refusal
from swarm_mcp.model.ids import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

SHOWN = 5
LONGEST = 2_000_000
"""Characters of one call's arguments together."""


def read_arguments(model: type[BaseModel], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The arguments of a call as the operation takes them.

    Raises:
        Invalid: one short sentence for each thing that is wrong.

    """
    arguments = tidied(model, dict(given or {}))
    try:
        read = model.model_validate(arguments)
    except ValidationError as error:
        raise Invalid(_explain(model, error), mistakes=len(error.errors(include_url=False))) from None
    except Refusal:
        raise
    except RecursionError:
        raise Invalid("The arguments are nested too deeply.") from None
    return {name: getattr(read, name) for name in type(read).model_fields}


def tidied(model: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    """Null is absent; older words mean ours; a list or map that was sent as JSON text is one."""
    fields = model.model_fields
    kept: dict[str, Any] = {}
    for name, value in given.items():
        meant = DRAFT_ALIASES.get(name, name)
        if value is None or (meant in kept and meant != name):
            continue
        kept[meant if meant in fields and name not in fields else name] = _unpacked(value)
    if "tasks" in fields and isinstance(kept.get("tasks"), list):
        kept["tasks"] = [_tidied_item(each) for each in kept["tasks"]]
    return kept


def _tidied_item(item: object) -> object:
    if not isinstance(item, dict):
        return {"title": item} if isinstance(item, str) else item
    return {DRAFT_ALIASES.get(name, name): _unpacked(value) for name, value in item.items() if value is not None}


def _unpacked(value: object) -> object:
    """Some hosts send a list as its JSON text."""
    if isinstance(value, str) and value[:2] in {'["', "[{", "[]"} and value.endswith("]") and len(value) < LONGEST:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _explain(model: type[BaseModel], error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=True)
    sentences = list(dict.fromkeys(_sentence(model, each) for each in found))
    rest = f" And {len(sentences) - SHOWN} more." if len(sentences) > SHOWN else ""
    return " ".join(sentences[:SHOWN]) + rest


def _sentence(model: type[BaseModel], error: ErrorDetails) -> str:
    """One mistake in one sentence, with its place and the nearest right name."""
    place = [each for each in error["loc"] if not (isinstance(each, str) and "[" in each)]
    where = f"item {place[1] + 1}" if len(place) > 1 and isinstance(place[1], int) else model.__name__
    name = str(place[-1]) if place and not isinstance(place[-1], int) else (str(place[0]) if place else "")
    names = _names(model, len(place) > 2)  # noqa: PLR2004 - tasks, number, field
    match error["type"]:
        case "extra_forbidden":
            near = nearest(name, names)
            hint = f"did you mean {' or '.join(f'`{each}`' for each in near)}?" if near else f"it takes {', '.join(names)}."
            return f"{where} has no argument `{name[:60]}`; {hint}"
        case "missing":
            return f"{where} needs `{name}`."
        case _:
            return f"{where}: `{name}` must be {_wanted(error)}, not {_shown(error['input'])}."


def _names(model: type[BaseModel], inside: bool) -> list[str]:  # noqa: FBT001 - of an item, or of the call
    from swarm_mcp.model.draft import PlanItem  # noqa: PLC0415 - only mistakes pay for it

    return list((PlanItem if inside and "tasks" in model.model_fields else model).model_fields)


def _wanted(error: ErrorDetails) -> str:
    kinds = {
        "string": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list",
        "dict": "a map", "model": "an object",
    }  # fmt: skip
    return next((words for kind, words in kinds.items() if error["type"].startswith(kind)), "something else")


def _shown(value: object) -> str:
    words = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return f"`{words[:60]}{'…' if len(words) > 60 else ''}`"  # noqa: PLR2004
