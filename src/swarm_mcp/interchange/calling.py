"""What a call of an operation looks like from outside: its parameters, as a model that reads them."""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from swarm_mcp.model import arguments as arg
from swarm_mcp.operations.catalog import CATALOG
from swarm_mcp.repository.database import Transaction

if TYPE_CHECKING:
    from swarm_mcp.operations.catalog import Operation

READINGS: dict[object, object] = {str: arg.Text, int: arg.Whole}
"""How what comes over the wire is read where an operation says no more than the plain type."""


@cache
def model_of(name: str) -> type[BaseModel]:
    """The arguments of an operation, by its name."""
    return arguments_model(CATALOG[name])


def arguments_model(operation: Operation) -> type[BaseModel]:
    """What a call must look like: the operation's parameters, and `agent` where it takes one."""
    hints = get_type_hints(operation.run, localns={"Transaction": Transaction}, include_extras=True)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(operation.run).parameters.items():
        if name == "db":
            continue
        hint = READINGS.get(hints[name], hints[name])
        fields[name] = (hint, _default(parameter))
    if operation.takes_agent:
        fields["agent"] = (arg.Agent, "")
    config = ConfigDict(extra="forbid", coerce_numbers_to_str=True, arbitrary_types_allowed=False)
    return create_model(operation.name, __config__=config, **fields)


def _default(parameter: inspect.Parameter) -> Any:
    """What is meant where nothing is said; an empty list or map is made anew, which costs less than copying one."""
    if parameter.default is parameter.empty:
        return ...
    if isinstance(parameter.default, list | dict) and not parameter.default:
        return Field(default_factory=type(parameter.default))
    return parameter.default
