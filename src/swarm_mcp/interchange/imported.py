"""The report of an import: what became of everything that a document says."""

from __future__ import annotations

from swarm_mcp.model.record import Answer, Record


class Mapped(Record):
    """What became of one of the document's words for a status."""

    word: str
    status: str
    tasks: int


class Imported(Answer):
    """What an import did, or would do. All lists are sentences, and begin with the foreign id where there is one."""

    format: str
    name: str
    dry_run: bool = False
    created: int = 0
    already: int = 0
    """Tasks that an earlier import brought; they were left as they are."""
    subtasks: int = 0
    archived: int = 0
    edges: dict[str, int] = {}
    """New dependencies by type."""
    statuses: dict[str, int] = {}
    """The new tasks by the status that they have on this board."""
    mapped: list[Mapped] = []
    brought: dict[str, int] = {}
    """What came with the tasks, by kind: criteria, comments, notes, progress, context, participants, feedback,
    notices."""
    people: list[str] = []
    """The names of the agents that it announced: they have not called here yet."""
    renamed: list[str] = []
    dangling: list[str] = []
    guessed: list[str] = []
    skipped: list[str] = []
    contradictions: list[str] = []
    ids: dict[str, str] = {}
    """The new tasks' ids by their foreign ids; empty after a dry run."""
