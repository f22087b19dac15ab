"""`tasks tree`: tasks below each other, and what each waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.cli.acting import asked
from swarm_mcp.cli.options import AsJson, Database, Project, settings
from swarm_mcp.cli.printing import console, in_one_line, note, on_terminal, print_answer
from swarm_mcp.cli.statuses import colour
from swarm_mcp.cli.tasks.rows import besides, whose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from swarm_mcp.model.drawing import Tree, TreeNode

GUIDE = 3
"""Cells for each level of a tree."""
LEAST = 12
"""Cells below which words are not cut: a title keeps them, and of what keeps a task less is not begun."""
MORE = "There are more: --all shows them, and a task in the place of the whole board less."


def tree(
    task: Annotated[
        str,
        typer.Argument(help="Only this one and what is below it.", show_default=False, autocompletion=completing.tasks),
    ] = "",
    *,
    limit: Annotated[int, typer.Option(help="At most so many tasks.", min=1)] = 200,
    everything: Annotated[bool, typer.Option("--all", help="However many there are.")] = False,
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Draw the tree of tasks: how each stands, who has it, how far it is, and what it waits for.

    Example: swarm-mcp tasks tree k3x9m2qa
    """
    chosen = settings(database=database, project=project)
    from swarm_mcp.operations import drawing  # noqa: PLC0415 - help must not import the board

    found = asked(chosen, lambda db: drawing.tree(db, under=task, limit=None if everything else limit))
    if as_json:
        print_answer(found, as_json=True)
        return
    if on_terminal():
        screen = console()
        if not found.nodes:
            screen.print("There are no tasks yet.")
        for line in drawn(found.nodes, screen.width):
            screen.print(line, no_wrap=True, crop=False)
    else:
        for node in found.nodes:
            typer.echo(f"{'  ' * node.depth}{said(node)}")
    tell_cut(found)


def tell_cut(found: Tree) -> None:
    """Say that there are more tasks, beside them."""
    if found.is_cut:
        note(MORE)


def said(node: TreeNode) -> str:
    """One task in one line for a pipe."""
    from swarm_mcp.operations.trees import MARKS  # noqa: PLC0415

    parts = [f"{MARKS[node.status]} {node.status} {node.id} {in_one_line(node.title)}", *_details(node)]
    return " ".join(part for part in parts if part)


def _details(node: TreeNode) -> tuple[str, str, str]:
    who = in_one_line(whose(node))
    kept = besides(node)
    percent = f"{node.progress}%" if 0 < node.progress < 100 else ""  # noqa: PLR2004 - a status says the rest
    return percent, f"→ {who}" if who else "", f"· {kept}" if kept else ""


def drawn(nodes: Sequence[TreeNode], width: int) -> Iterator[Text]:
    """The tree for a terminal of so many cells: each task in one line, whose title gives way first."""
    for node, lines in zip(nodes, guides([node.depth for node in nodes]), strict=True):
        yield _line(node, lines, width)


def guides(depths: Sequence[int]) -> list[str]:
    """The lines that lead to each node of a tree, from how deep each stands."""
    found: list[str] = []
    goes_on: list[bool] = []
    for depth in reversed(depths):
        del goes_on[depth + 1 :]
        goes_on += [False] * (depth + 1 - len(goes_on))
        above = "".join("│  " if each else "   " for each in goes_on[1:depth])
        found.append("" if depth == 0 else above + ("├─ " if goes_on[depth] else "└─ "))
        goes_on[depth] = True
    return found[::-1]


def _line(node: TreeNode, lead: str, width: int) -> Text:
    from rich.cells import cell_len  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from swarm_mcp.operations.trees import MARKS  # noqa: PLC0415

    if len(lead) > width // 2:  # deeper than there is room for: the nearest levels remain
        lead = "… " + lead[-(width // 2 // GUIDE) * GUIDE :]
    percent, who, kept = _details(node)
    line = Text.assemble((lead, "bright_black"), no_wrap=True, overflow="ellipsis")
    line.append(f"{MARKS[node.status]} ", style=colour(node.status))
    line.append(f"{node.id} ", style="bright_black")
    stands = f"  {node.status} {percent}".rstrip()
    rest = cell_len(stands) + (cell_len(who) + 1 if who else 0)
    title = Text(in_one_line(node.title))
    room = width - line.cell_len - rest
    if title.cell_len > room:
        title.truncate(max(room, LEAST), overflow="ellipsis")
    line.append_text(title)
    line.append(stands, style=colour(node.status))
    line.append(f" {who}" if who else "", style="cyan")
    left = width - line.cell_len - 1
    if kept and (left >= LEAST or left >= cell_len(kept)):
        line.append(f" {kept}", style="bright_black")
    line.truncate(width, overflow="ellipsis")
    return line
