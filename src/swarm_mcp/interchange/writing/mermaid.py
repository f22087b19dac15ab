"""A flowchart in Mermaid: parents around their parts, and an arrow from each task to those that wait for it.

Browsers draw no large ones: Mermaid itself refuses more than 500 edges, and a text of more than 50,000 characters. So a
board is drawn up to those limits, in the order of its tree, and the file and the report say what is missing; `--task`
draws a part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.interchange.exporting import Exported
from swarm_mcp.interchange.sheets import Sheet, expected, left_out, sheets
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.operations.answering import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from swarm_mcp.interchange.exporting import Wanted
    from swarm_mcp.repository.database import Transaction

__all__ = ["expected", "label", "write"]

NODES = 300
EDGES = 500
CHARACTERS = 49_000
TITLE = 60
"""Characters of a title that are shown."""
COLOURS = {
    TaskStatus.BLOCKED: "#eeeeee", TaskStatus.IN_PROGRESS: "#cfe0f5", TaskStatus.REQUIRES_ASSISTANCE: "#f5e6c8",
    TaskStatus.IN_REVIEW: "#e3d7f2", TaskStatus.PARTIAL: "#f5f0c8", TaskStatus.COMPLETED: "#cfe8cf",
    TaskStatus.FAILED: "#f5cfcf", TaskStatus.CANCELLED: "#dddddd",
}  # fmt: skip
ESCAPED = str.maketrans({each: f"#{ord(each)};" for each in "\"#&<>`\\%{}[]()|;:*_~$'"})
"""Characters that end a label, begin a directive, or are markup in it, as Mermaid's own entities."""


def write(db: Transaction, path: Path, wanted: Wanted, told: Callable[[int], None]) -> Exported:
    """Write the drawing."""
    found: list[Sheet] = []
    total = waiting = 0
    for sheet in sheets(db, wanted, told):
        total += 1
        waiting += len(sheet.edges)
        if len(found) < NODES:
            found.append(sheet)
    count = len(found)
    lines, edges = _drawing(found)
    while sum(len(line) + 1 for line in lines) > CHARACTERS:
        count = count * 9 // 10
        lines, edges = _drawing(found[:count])
    missing = _missing(total - count, waiting - edges)
    path.write_text(
        "\n".join([*lines, *([f"  %% {missing}"] if missing else [])]) + "\n", encoding="utf-8", newline="\n"
    )
    drawn = f"Drew {count:,} {'task' if count == 1 else 'tasks'}."
    return Exported(
        message=f"{drawn}{f' {missing}' if missing else ''}{left_out(db, wanted)}",
        format="mermaid",
        tasks=count,
        counts={"dependencies": edges, "tasks left out": total - count, "dependencies left out": waiting - edges},
    )


def _drawing(shown: list[Sheet]) -> tuple[list[str], int]:
    """The lines for these tasks, and how many edges are among them."""
    known = {sheet.row.id for sheet in shown}
    edges = [
        f"  {_node(each.depends_on_id)} {'-->' if each.type == 'blocks' else f'-. {_word(each.type)} .->'} "
        f"{_node(sheet.row.id)}"
        for sheet in shown
        for each in sheet.edges
        if each.depends_on_id in known
    ][:EDGES]
    return ["flowchart TD", *_boxes(shown), *edges, *_colours(shown)], len(edges)


def _missing(tasks: int, edges: int) -> str:
    """What is not drawn, in a sentence."""
    named = [f"{tasks:,} tasks"] * bool(tasks) + [f"{edges:,} dependencies"] * bool(edges)
    return f"Left out: {' and '.join(named)}; a smaller part is drawn with --task." if named else ""


def _boxes(shown: list[Sheet]) -> Iterable[str]:
    """The tasks: whoever has parts that are drawn is a box around them."""
    around = {sheet.parent for sheet in shown}
    opened: list[int] = []
    for sheet in shown:
        while opened and opened[-1] >= sheet.depth:
            yield f"  {'  ' * opened.pop()}end"
        indent = "  " * (sheet.depth + 1)
        node = f'{_node(sheet.row.id)}["{label(sheet.row.id, sheet.row.title)}"]'
        if sheet.row.id in around:
            yield f"{indent}subgraph {node}"
            opened.append(sheet.depth)
        else:
            yield f"{indent}{node}"
    while opened:
        yield f"  {'  ' * opened.pop()}end"


def _node(task: str) -> str:
    """A task's id in the drawing; of itself one might begin with a word that Mermaid knows."""
    return f"n{task}"


def label(task: str, title: str) -> str:
    """A title that is text and nothing else. It begins with the id: a title like `1. Dig` would be taken for a list."""
    words = "".join(each for each in " ".join(title.split()) if each.isprintable())
    return f"{task} {shorten(words, TITLE).translate(ESCAPED)}"


def _word(kind: str) -> str:
    return kind.replace("_", " ")


def _colours(shown: list[Sheet]) -> Iterable[str]:
    for status, colour in COLOURS.items():
        nodes = [_node(sheet.row.id) for sheet in shown if sheet.row.status == status]
        if nodes:
            yield f"  classDef {status} fill:{colour}"
            yield f"  class {','.join(nodes)} {status}"
