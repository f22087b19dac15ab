"""YAML between two lines of dashes at the top of a Markdown file: read as the text that it is, within limits.

Only what is absent (`null`, `~`) is told from text: an id such as 007, a date or `no` stays as it was written, because
YAML's guesses about them are famously wrong. Tags, anchors and aliases have no place in a ticket, so that neither
objects nor a few lines that mean a gigabyte come through.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.strict_json import storable

if TYPE_CHECKING:
    from yaml import MappingNode, Node

SIZE_LIMIT = 64 * 1024
"""Characters. Tickets have a few hundred."""
DEPTH_LIMIT = 10
BEGINS = re.compile(r"---[ \t]*\r?\n")
ENDS = re.compile(r"^(?:---|\.\.\.)[ \t]*\r?$\n?", re.MULTILINE)


def split_front_matter(text: str, name: str) -> tuple[dict[str, object], str] | None:
    """The front matter's fields and the Markdown below it; None where a file has none.

    Values are texts, lists, maps, and None.

    Args:
        text: the file.
        name: what the sentences call it.

    Raises:
        Invalid: it does not end, is too large, is no YAML, or uses more of YAML than tickets need.

    """
    begins = BEGINS.match(text)
    if begins is None:
        return None
    ends = ENDS.search(text, begins.end())
    if ends is None:
        raise Invalid(f"`{name}` begins with a line of dashes, and no other one ends its front matter.")
    if ends.start() - begins.end() > SIZE_LIMIT:
        raise Invalid(f"`{name}` has a front matter of more than {SIZE_LIMIT // 1024} KiB, which is too much.")
    return _fields(text[begins.end() : ends.start()], name), text[ends.end() :]


def _fields(text: str, name: str) -> dict[str, object]:
    import yaml  # noqa: PLC0415 - only tickets need it

    try:
        found = _loader()(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark is not None else 1
        raise Invalid(f"The front matter of `{name}` is no plain YAML: line {line}: {_problem(error)}.") from None
    except yaml.YAMLError:
        raise Invalid(f"The front matter of `{name}` holds characters that YAML forbids.") from None
    except (RecursionError, ValueError):
        raise Invalid(f"The front matter of `{name}` cannot be read.") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Invalid(f"The front matter of `{name}` is no list of fields such as `id: TSK-001`.")
    fields, _ = storable(cast("object", found))
    return cast("dict[str, object]", fields)


def _problem(error: Any) -> str:
    """What PyYAML says, without its quotations of what it found."""
    return re.sub(r"[^\w ,'-]+", " ", str(error.problem or "it cannot be read"))[:100].strip()


@cache
def _loader() -> type[Any]:
    """PyYAML's safe loader, with most of it taken away."""
    import yaml  # noqa: PLC0415

    class Plain(yaml.SafeLoader):
        """Texts, lists, maps, and nothing."""

        depth = 0

        def compose_node(self, parent: Node | None, index: Any) -> Node | None:
            event = self.peek_event()
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise yaml.MarkedYAMLError(
                    problem="anchors and aliases are not followed", problem_mark=event.start_mark
                )
            if getattr(event, "tag", None):
                raise yaml.MarkedYAMLError(problem="tags are not understood", problem_mark=event.start_mark)
            if self.depth >= DEPTH_LIMIT:
                raise yaml.MarkedYAMLError(problem="lists are nested too deeply", problem_mark=event.start_mark)
            self.depth += 1
            try:
                return super().compose_node(parent, index)
            finally:
                self.depth -= 1

        def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
            del deep
            keys = [each.value for each, _ in node.value if isinstance(each, yaml.ScalarNode)]
            if len(set(keys)) < len(node.value):
                what = "a key stands twice in one map, or is no text"
                raise yaml.MarkedYAMLError(problem=what, problem_mark=node.start_mark)
            return dict(zip(keys, (self.construct_object(each, deep=True) for _, each in node.value), strict=True))

    Plain.yaml_implicit_resolvers = {
        first: [each for each in known if each[0].endswith(":null")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Plain
