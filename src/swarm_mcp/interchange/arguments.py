"""Arguments as models send them, and the sentence that they get back when something is wrong with them."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from swarm_mcp.model.draft import DRAFT_ALIASES, PlanItem, check_clean
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.ids import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

SHOWN = 5
WIDTH = 60
ITEMS = "tasks"
"""The one argument whose entries have arguments themselves."""
CONTAINERS = {"array": ("[", "{"), "object": ("{",)}
"""What a list or a map begins with, where a host sends it as JSON text."""
KINDS = {
    "string": "text", "int": "a whole number", "float": "a number", "finite": "a number", "bool": "true or false",
    "list": "a list", "dict": "a map", "model": "an object", "value_error": "a smaller number",
}  # fmt: skip
"""What is wanted, by the beginning of pydantic's name for the mistake."""


def read_arguments(model: type[BaseModel], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The arguments of a call as the operation takes them.

    Raises:
        Invalid: one short sentence for each thing that is wrong.

    """
    try:
        check_clean(dict(given or {}))
        read = model.model_validate(tidied(model, given or {}))
    except ValidationError as error:
        sentences = _explain(model, error)
        rest = f" And {len(sentences) - SHOWN} more." if len(sentences) > SHOWN else ""
        raise Invalid(" ".join(sentences[:SHOWN]) + rest, mistakes=len(sentences)) from None
    except RecursionError:
        raise Invalid("The arguments are nested too deeply.") from None
    return dict(vars(read))


def tidied(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """Null is absent; older words mean ours; a list or map that was sent as JSON text is one."""
    kinds = _kinds(model)
    kept: dict[str, Any] = {}
    for said, value in given.items():
        alias = DRAFT_ALIASES.get(said, said)
        name = alias if alias in kinds else said
        meant = _unpacked(value, kinds.get(name, ""))
        if meant is None or (meant == "" and kinds.get(name, "string") not in {"string", "any"}):
            continue
        kept[name] = [*_listed(kept[name]), *_listed(meant)] if name in kept else meant
    if ITEMS in kinds and ITEMS in kept:
        kept[ITEMS] = [_tidied_item(each) for each in _listed(kept[ITEMS])]
    return kept


@cache
def _kinds(model: type[BaseModel]) -> dict[str, str]:
    """What each argument is: string, integer, number, boolean, array, object or any."""
    return {name: each.get("type", "any") for name, each in model.model_json_schema()["properties"].items()}


def _tidied_item(item: object) -> object:
    if isinstance(item, dict):
        return tidied(PlanItem, item)
    return {"title": item} if isinstance(item, str) else item


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _unpacked(value: object, kind: str) -> object:
    """A list or a map from its JSON text, and lists without their nulls. Free text stays as it is."""
    if isinstance(value, str) and value.strip().startswith(CONTAINERS.get(kind, ("\0",))):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return [each for each in value if each is not None] if isinstance(value, list) and kind == "array" else value


def _explain(model: type[BaseModel], error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_input=True)
    return list(dict.fromkeys(_sentence(model, each) for each in found))


def _sentence(model: type[BaseModel], error: ErrorDetails) -> str:
    """One mistake in one sentence, with its place and the nearest right name."""
    place = list(error["loc"])
    where, fields = model.__name__, list(model.model_fields)
    if place[0] == ITEMS and len(place) > 1:
        where, fields = f"item {int(place[1]) + 1}", list(PlanItem.model_fields)
        place = place[2:]
    if not place:
        return f"{where} must be {_wanted(error)}, not {_shown(error['input'])}."
    name = str(place[0])
    match error["type"]:
        case "extra_forbidden":
            near = nearest(DRAFT_ALIASES.get(name, name), fields)
            meant = " or ".join(f"`{each}`" for each in near)
            hint = f"did you mean {meant}?" if near else f"it takes {', '.join(fields)}."
            return f"{where} has no argument `{name[:WIDTH]}`; {hint}"
        case "missing":
            return f"{where} needs `{name}`."
        case _:
            part = f" (at {_spot(place[1])})" if len(place) > 1 else ""
            return f"{where}: `{name}`{part} must be {_wanted(error)}, not {_shown(error['input'])}."


def _spot(place: int | str) -> str:
    return str(place + 1) if isinstance(place, int) else place[:WIDTH]


def _wanted(error: ErrorDetails) -> str:
    return next((words for kind, words in KINDS.items() if error["type"].startswith(kind)), "something else")


def _shown(value: object) -> str:
    words = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return f"`{words[:WIDTH]}{'…' if len(words) > WIDTH else ''}`"
