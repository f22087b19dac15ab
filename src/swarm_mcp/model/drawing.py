"""Trees of tasks and graphs of what they depend on, as records."""

from __future__ import annotations

from pydantic import Field

from swarm_mcp.model.record import Answer, Record
from swarm_mcp.model.task import TaskLine


class TreeNode(TaskLine):
    """A task where it stands in a tree."""

    depth: int = 0


class Tree(Answer):
    """Tasks depth first, each with how deep it stands."""

    nodes: list[TreeNode] = Field(default_factory=list)
    is_cut: bool = False
    """Whether there are more."""


class EdgeLine(Record):
    """A dependency as one row of a list: what depends, how, and on what."""

    task: str
    title: str
    status: str
    type: str = "blocks"
    depends_on: str
    depends_on_title: str
    depends_on_status: str


class Graph(Answer):
    """The dependencies of some tasks."""

    edges: list[EdgeLine] = Field(default_factory=list)
