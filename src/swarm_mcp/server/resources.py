"""Resources: the board as documents under `swarm://`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from swarm_mcp.interchange import task_documents, text
from swarm_mcp.model.draft import check_clean
from swarm_mcp.model.errors import Invalid, NotFound, Refusal
from swarm_mcp.operations import browsing, details, overview, trees
from swarm_mcp.operations.answering import shorten
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row
    from swarm_mcp.server.identity import Caller

PLAIN = "text/plain"
MARKDOWN = "text/markdown"
OPEN = ["in_progress", "requires_assistance", "in_review", "pending", "partial", "blocked"]
PAGE = 50

DOCUMENTS: dict[str, tuple[str, str, Callable[[Transaction, Row, int], str]]] = {
    "": (MARKDOWN, "The brief of a task", lambda db, row, _: task_documents.brief(db, row)),
    "tree": (
        PLAIN, "Its subtasks, and what each waits for",
        lambda db, row, _: "\n".join(trees.lines(db, row, limit=200)) + "\n",
    ),
    "graph": ("text/vnd.mermaid", "Its dependency graph", lambda db, row, _: task_documents.mermaid(db, row)),
    "context": ("application/yaml", "Its shared context", lambda db, row, _: task_documents.context_yaml(db, row)),
    "progress": ("application/jsonl", "Its progress reports", task_documents.progress_lines),
    "notes": (MARKDOWN, "The reader's own notes on it", task_documents.notes_markdown),
    "history": (PLAIN, "Everything that happened to it", task_documents.history),
}  # fmt: skip
"""What there is under a task: type, description, and how it is made."""

PAGED = frozenset({"progress", "notes", "history"})


class Resources:
    """The resources of one board. Everything here blocks and belongs on a worker thread."""

    def __init__(self, swarm: Swarm) -> None:
        self.swarm = swarm

    def page(self, cursor: str, caller: Caller) -> dict[str, Any]:
        """A page of the open tasks, for a host to offer."""

        def ask(db: Transaction) -> dict[str, Any]:
            found = browsing.list_tasks(db, status=OPEN, limit=PAGE, cursor=cursor)
            listed = [
                {"uri": f"swarm://tasks/{line.id}", "name": f"{line.id} {line.title}", "mimeType": MARKDOWN}
                for line in found.tasks
            ]
            if not cursor:
                listed.insert(0, {"uri": "swarm://overview", "name": "overview", "mimeType": PLAIN})
            more = {"nextCursor": found.next_cursor} if found.next_cursor else {}
            return {"resources": listed, **more}

        return self.swarm.read(ask, agent=caller.name, via=caller.name, connection=caller.id)

    def templates(self) -> list[dict[str, Any]]:
        """The addresses under which a task's documents are."""
        listed = [
            {
                "uriTemplate": "swarm://tasks{?status,assignee,ready,limit,cursor}", "name": "tasks",
                "description": "Tasks as rows", "mimeType": PLAIN,
            }
        ]  # fmt: skip
        for name, (kind, description, _) in DOCUMENTS.items():
            path = f"/{name}" if name else ""
            query = "{?cursor}" if name in PAGED else ""
            listed.append(
                {
                    "uriTemplate": f"swarm://tasks/{{task_id}}{path}{query}", "name": name or "task",
                    "description": description, "mimeType": kind,
                }
            )  # fmt: skip
        return listed

    def read(self, uri: str, caller: Caller) -> dict[str, Any]:
        """One resource.

        Raises:
            NotFound: there is none under this address.
            Invalid: its query cannot be understood.

        """

        def ask(db: Transaction) -> tuple[str, str]:
            return document(db, uri)

        try:
            kind, words = self.swarm.read(ask, agent=caller.name, via=caller.name, connection=caller.id)
        except Refusal as refusal:
            refusal.facts["uri"] = uri[:500]
            raise
        return {"contents": [{"uri": uri, "mimeType": kind, "text": words}]}


def document(db: Transaction, uri: str) -> tuple[str, str]:
    """The type and the text of what is under an address.

    Raises:
        Refusal: there is nothing, or its query cannot be understood.

    """
    path, query = _parts(uri)
    match path:
        case ["overview"]:
            _check_query(query, "swarm://overview", ())
            return PLAIN, text.render(overview.get_overview(db)) + "\n"
        case ["tasks"]:
            return PLAIN, _list(db, query)
        case ["tasks", task_id, *rest] if (name := "/".join(rest)) in DOCUMENTS:
            _check_query(query, f"swarm://tasks/…/{name}", ("cursor",) if name in PAGED else ())
            kind, _, make = DOCUMENTS[name]
            return kind, make(db, tasks.resolve_task(db, task_id), details.read_cursor(query.get("cursor", "")))
        case _:
            raise NotFound(f"No resource `{uri[:200]}`.")


def _parts(uri: str) -> tuple[list[str], dict[str, str]]:
    """The path and the query of an address of ours."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise NotFound(f"No resource `{uri[:200]}`.") from None
    if parts.scheme != "swarm":
        raise NotFound(f"No resource `{uri[:200]}`; all of them begin with swarm://.")
    path = [unquote(each) for each in f"{parts.netloc}{parts.path}".split("/") if each]
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    check_clean([path, query], "The address")
    return path, query


def _check_query(query: dict[str, str], where: str, known: Sequence[str]) -> None:
    unknown = [name for name in query if name not in known]
    if unknown:
        takes = f"{', '.join(known)}, not" if known else "no"
        raise Invalid(f"{where} takes {takes} `{shorten(unknown[0], 40)}`.")


def _list(db: Transaction, query: dict[str, str]) -> str:
    _check_query(query, "swarm://tasks", ("status", "assignee", "ready", "limit", "cursor"))
    limit = query.get("limit", "50")
    if not limit.isascii() or not limit.isdigit() or len(limit) > 6:  # noqa: PLR2004
        raise Invalid(f"limit must be a whole number, not `{shorten(limit, 40)}`.")
    ready = query.get("ready", "false").lower()
    if ready not in {"true", "false", "1", "0", ""}:
        raise Invalid(f"ready is true or false, not `{shorten(ready, 40)}`.")
    found = browsing.list_tasks(
        db,
        status=[each for each in query.get("status", "").split(",") if each],
        assignee=query.get("assignee", ""),
        ready=ready in {"true", "1"},
        limit=int(limit),
        cursor=query.get("cursor", ""),
    )
    return text.render(found) + "\n"
