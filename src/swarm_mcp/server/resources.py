"""Resources: the board as documents under `swarm://`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from swarm_mcp.interchange import (
    agent_documents,
    conversation_documents,
    ledger_documents,
    task_documents,
    text,
)
from swarm_mcp.interchange.addresses import OFFERED
from swarm_mcp.model.draft import check_clean
from swarm_mcp.model.errors import Invalid, NotFound, Refusal
from swarm_mcp.model.ids import fold_name
from swarm_mcp.operations import browsing, details, overview, roster, trees
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.limits import MOST
from swarm_mcp.repository import conversations, tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row
    from swarm_mcp.server.identity import Caller

T = TypeVar("T")
PLAIN = "text/plain"
MARKDOWN = "text/markdown"
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


def _address(name: str) -> str:
    """The template of a document of a task."""
    return f"swarm://tasks/{{task_id}}{f'/{name}' if name else ''}{'{?cursor}' if name in PAGED else ''}"


TEMPLATES: tuple[tuple[str, str, str, str], ...] = (
    ("swarm://tasks{?status,assignee,ready,limit,cursor}", "tasks", "Tasks as rows", PLAIN),
    *((_address(name), name or "task", words, kind) for name, (kind, words, _) in DOCUMENTS.items()),
    ("swarm://agents{?cursor}", "agents", "The hierarchy: who there is, load, record", PLAIN),
    ("swarm://agents/{name}", "agent", "An agent, what it holds and what is assigned to it", MARKDOWN),
    ("swarm://agents/{name}/inbox", "inbox", "What the reader has not read; nothing is marked", PLAIN),
    (
        "swarm://conversations/{id}{?cursor}",
        "conversation",
        "What its reader may read of a thread, by its id or its task's",
        PLAIN,
    ),
    ("swarm://events{?after,limit}", "events", "The ledger: everything that happened", PLAIN),
)
"""Every address that has variables: the template, a name, what is there, and its type."""


class Resources:
    """The resources of one board. Everything here blocks and belongs on a worker thread."""

    def __init__(self, swarm: Swarm) -> None:
        self.swarm = swarm

    def page(self, cursor: str, caller: Caller) -> dict[str, Any]:
        """A page of the open tasks, for a host to offer."""

        def ask(db: Transaction) -> dict[str, Any]:
            found = browsing.list_tasks(db, status=list(OFFERED), limit=PAGE, cursor=cursor)
            listed = [
                {"uri": f"swarm://tasks/{line.id}", "name": f"{line.id} {line.title}", "mimeType": MARKDOWN}
                for line in found.tasks
            ]
            if not cursor:
                listed = [*_standing(db.actor.name), *listed]
            more = {"nextCursor": found.next_cursor} if found.next_cursor else {}
            return {"resources": listed, **more}

        return self.ask(ask, caller)

    def ask(self, question: Callable[[Transaction], T], caller: Caller) -> T:
        """A read in the name of the connection."""
        return self.swarm.read(
            question, agent=caller.name, via=caller.name, connection=caller.id, subject=caller.subject
        )

    def templates(self) -> list[dict[str, Any]]:
        """The addresses that have variables."""
        return [
            {"uriTemplate": template, "name": name, "description": words, "mimeType": kind}
            for template, name, words, kind in TEMPLATES
        ]

    def read(self, uri: str, caller: Caller) -> dict[str, Any]:
        """One resource.

        Raises:
            NotFound: there is none under this address.
            Invalid: its query cannot be understood.

        """
        try:
            kind, words = self.ask(lambda db: document(db, uri), caller)
        except Refusal as refusal:
            refusal.facts["uri"] = uri[:500]
            raise
        return {"contents": [{"uri": uri, "mimeType": kind, "text": words}]}


def watched_at(db: Transaction, uri: str) -> str:
    """The address of a resource without its query, and with the ids of what it shows: as events have it.

    Raises:
        Refusal: the one that reading it would raise.

    """
    try:
        document(db, uri)
    except Refusal as refusal:
        refusal.facts["uri"] = uri[:500]
        raise
    path, _ = _parts(uri)
    match path:
        case ["tasks", task_id, *rest]:
            path = ["tasks", tasks.resolve_task(db, task_id).id, *rest]
        case ["agents", name, *rest]:
            path = ["agents", fold_name(name), *rest]
        case ["conversations", name]:
            thread = conversations.find_conversation(db, name.strip().lower())
            path = ["conversations", thread.id if thread is not None else name]
        case _:
            pass
    return f"swarm://{'/'.join(path)}"


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
            return _about_project(db, path, query, uri)


def _about_project(db: Transaction, path: list[str], query: dict[str, str], uri: str) -> tuple[str, str]:
    """Documents about agents, about what they said, and about everything that happened."""
    match path:
        case ["agents"]:
            _check_query(query, "swarm://agents", ("cursor",))
            agents = roster.list_agents(db, limit=MOST, cursor=query.get("cursor", ""))
            return PLAIN, text.render(agents) + "\n"
        case ["agents", name]:
            _check_query(query, "swarm://agents/…", ())
            return MARKDOWN, agent_documents.agent_markdown(db, name)
        case ["agents", name, "inbox"]:
            _check_query(query, "swarm://agents/…/inbox", ())
            return PLAIN, conversation_documents.inbox_text(db, name)
        case ["conversations", name]:
            _check_query(query, "swarm://conversations/…", ("cursor",))
            after = details.read_cursor(query.get("cursor", ""))
            return PLAIN, conversation_documents.conversation_text(db, name, after)
        case ["events"]:
            _check_query(query, "swarm://events", ("after", "limit"))
            after, limit = _whole(query, "after", 0), _whole(query, "limit", MOST)
            return PLAIN, ledger_documents.ledger_lines(db, after, limit)
        case _:
            raise NotFound(f"No resource `{uri[:200]}`.")


def _standing(reader: str) -> list[dict[str, Any]]:
    """What a host can offer on every board."""
    return [
        {"uri": "swarm://overview", "name": "overview", "mimeType": PLAIN},
        {"uri": "swarm://agents", "name": "agents", "mimeType": PLAIN},
        {"uri": f"swarm://agents/{reader}/inbox", "name": f"inbox of {reader}", "mimeType": PLAIN},
    ]


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
    ready = query.get("ready", "false").lower()
    if ready not in {"true", "false", "1", "0", ""}:
        raise Invalid(f"ready is true or false, not `{shorten(ready, 40)}`.")
    found = browsing.list_tasks(
        db,
        status=[each for each in query.get("status", "").split(",") if each],
        assignee=query.get("assignee", ""),
        ready=ready in {"true", "1"},
        limit=_whole(query, "limit", PAGE),
        cursor=query.get("cursor", ""),
    )
    return text.render(found) + "\n"


def _whole(query: dict[str, str], name: str, default: int) -> int:
    """A whole number of a query."""
    words = query.get(name, "") or str(default)
    if not words.isascii() or not words.isdigit() or len(words) > 18:  # noqa: PLR2004 - 64 bits
        raise Invalid(f"{name} must be a whole number, not `{shorten(words, 40)}`.")
    return int(words)
