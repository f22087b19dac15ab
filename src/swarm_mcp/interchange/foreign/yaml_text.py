"""YAML from elsewhere as JSON values, within limits: no objects, no merged maps, no few lines that mean a gigabyte.

Times stay the text that they are: whoever knows what they mean reads them.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.strict_json import storable

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE_LIMIT = 4 * 1024 * 1024
"""Characters."""
NODES_LIMIT = 200_000
"""Values within values, those that an alias repeats counted again."""
DEPTH_LIMIT = 50
LARGEST = sys.float_info.max
"""What a number in JSON may be."""


def parse_yaml(text: str, name: str) -> object:
    """The JSON value of a YAML text; nothing at all is None.

    Args:
        text: the document; a second one in it is refused.
        name: what the sentences call it.

    Raises:
        Invalid: it is no YAML, too large, nested too deeply, or uses what only programs need.

    """
    import yaml  # noqa: PLC0415 - few formats need it

    if len(text) > SIZE_LIMIT:
        raise Invalid(f"`{name}` has more than {SIZE_LIMIT // 2**20} MiB, which is too much for YAML.")
    loader = _loader()
    try:
        _survey(yaml.parse(text, Loader=loader), name)
        value = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader with something taken away
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise Invalid(f"`{name}` is no plain YAML: line {line} cannot be read.") from None
    except yaml.YAMLError:
        raise Invalid(f"`{name}` is no plain YAML.") from None
    except (RecursionError, ValueError, OverflowError, TypeError):
        raise Invalid(f"`{name}` holds a value that cannot be read.") from None
    return _Plain(name).value(value, 0)


def _survey(events: Iterator[Any], name: str) -> None:
    """Look at what is there before anything is made of it: the parser does not recurse, what makes values does."""
    import yaml  # noqa: PLC0415

    depth = 0
    for nodes, event in enumerate(events):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_LIMIT or nodes > 2 * NODES_LIMIT:
            raise Invalid(f"`{name}` nests its values too deeply, or has too many of them.")


@cache
def _loader() -> type[Any]:
    """The safe loader, without times and without merged maps, each of which could double what the last one did."""
    import yaml  # noqa: PLC0415

    fastest: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Plain(fastest):  # pyright: ignore[reportUntypedBaseClass]
        """Texts, numbers, booleans, lists, maps, and nothing."""

    unwanted = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge", "tag:yaml.org,2002:value")
    Plain.yaml_implicit_resolvers = {
        first: [each for each in known if each[0] not in unwanted]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Plain


class _Plain:
    """Values as JSON has them, as many as are allowed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.left = NODES_LIMIT

    def value(self, value: object, depth: int) -> object:
        self.left -= 1
        if self.left < 0 or depth > DEPTH_LIMIT:
            raise Invalid(f"`{self.name}` nests its values too deeply, or repeats them too often.")
        match value:
            case dict():
                items = cast("dict[object, object]", value).items()
                return {self._key(key): self.value(each, depth + 1) for key, each in items}
            case list() | tuple() | set():
                return [self.value(each, depth + 1) for each in cast("list[object]", value)]
            case float() | int() if not abs(value) <= LARGEST:  # a NaN is not smaller either
                return str(value)
            case None | bool() | int() | float():
                return value
            case str():
                return storable(value)[0]
            case _:  # bytes, and times that were tagged as such
                return storable(str(value))[0]

    def _key(self, key: object) -> str:
        return storable(key if isinstance(key, str) else "" if key is None else str(key))[0]  # type: ignore[return-value]
