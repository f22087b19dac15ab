"""A status on a terminal: its mark, its word, its colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.lifecycle import TaskStatus

if TYPE_CHECKING:
    from rich.text import Text

COLOURS = {
    TaskStatus.PENDING: "white", TaskStatus.BLOCKED: "bright_black", TaskStatus.IN_PROGRESS: "cyan",
    TaskStatus.REQUIRES_ASSISTANCE: "yellow", TaskStatus.IN_REVIEW: "magenta", TaskStatus.PARTIAL: "yellow",
    TaskStatus.COMPLETED: "green", TaskStatus.FAILED: "red", TaskStatus.CANCELLED: "bright_black",
}  # fmt: skip


def colour(status: str) -> str:
    """The colour of a status."""
    return COLOURS[TaskStatus(status)]


def marked(status: str) -> Text:
    """A status as its mark and its word."""
    from rich.text import Text  # noqa: PLC0415 - help must not wait for it

    from swarm_mcp.operations.trees import MARKS  # noqa: PLC0415 - nor import the board

    return Text(f"{MARKS[status]} {status}", style=colour(status), no_wrap=True)
