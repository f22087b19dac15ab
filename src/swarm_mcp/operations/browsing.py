"""Browsing: lists of tasks, filtered, sorted, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.ids import did_you_mean, nearest, unknown_word
from swarm_mcp.model.lifecycle import read_priority, read_status
from swarm_mcp.model.record import spoken_facts
from swarm_mcp.model.task import TaskList
from swarm_mcp.model.tokens import fitting
from swarm_mcp.operations import naming
from swarm_mcp.operations.answering import lines_told
from swarm_mcp.operations.catalog import EVERY, operation
from swarm_mcp.operations.limits import at_most, read_limit
from swarm_mcp.repository import listing, sorting, tasks

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction

TAG_LIMIT = 1000
"""Characters: a database gives up on patterns that are far longer."""
ALWAYS_FIT = 20
"""Rows of ASCII that need not be weighed: at their longest they stay below an answer's ceiling."""


@operation(
    profiles=EVERY - {"worker"},
    writes=False,
    takes_agent=False,
    long_with=("assignee", "under", "overdue", "tag", "area", "text"),
)
def list_tasks(
    db: Transaction,
    *,
    status: arg.Texts = [],
    assignee: arg.Text = "",
    under: arg.Under = "",
    ready: bool = False,
    overdue: bool = False,
    priority: arg.Text = "",
    tag: arg.Text = "",
    area: arg.Text = "",
    text: arg.Text = "",
    sort: arg.Text = "urgency",
    limit: int = 20,
    cursor: arg.Text = "",
) -> TaskList:
    """Tasks as rows, with `total` and `next_cursor`. `sort`: urgency, created, updated, deadline."""
    wanted = read_filter(
        db, status=status, assignee=assignee, under=under, ready=ready, overdue=overdue, priority=priority, tag=tag,
        area=area, text=text,
    )  # fmt: skip
    return page_of(db, wanted, sort=sort, limit=limit, cursor=cursor)


def read_filter(
    db: Transaction,
    *,
    status: list[str],
    assignee: str,
    under: str,
    ready: bool,
    overdue: bool,
    priority: str,
    tag: str,
    area: str,
    text: str,
    archived: bool = False,
) -> listing.Filter:
    """Which tasks are meant; `archived` has the archived ones in the place of all others.

    Raises:
        Refusal: a word that is none of those that may stand there, or somebody or something that is not known.

    """
    if len(tag) > TAG_LIMIT:
        raise Invalid(f"A tag that is looked for has at most {TAG_LIMIT:,} characters; this one has {len(tag):,}.")
    return listing.Filter(
        statuses=tuple(dict.fromkeys(read_status(word).value for word in status)),
        place=_place(db, assignee),
        under=tasks.resolve_task(db, under).id if under.strip() else "",
        ready=ready,
        overdue=overdue,
        priority=read_priority(priority).value if priority.strip() else "",
        tag=tag.strip(),
        area=area.strip(),
        text=text.strip(),
        archived=archived,
        reader=db.actor.id,
        is_operator=db.actor.is_operator,
    )


def page_of(db: Transaction, wanted: listing.Filter, *, sort: str, limit: int, cursor: str) -> TaskList:
    """One page of the tasks that are meant."""
    sort = sort.strip().lower() or "urgency"
    if sort not in sorting.SORTS:
        raise unknown_word(sort, "order", sorting.SORTS)
    most = read_limit(limit)
    if wanted.text and sort == "urgency":
        sort = sorting.BEST
    page = listing.find(db, wanted, sort=sort, limit=most, cursor=cursor)
    lines = lines_told(db, page.rows)
    if len(lines) > ALWAYS_FIT or not all(line["title"].isascii() and line.get("hold", "").isascii() for line in lines):
        lines = fitting(lines, spoken_facts)
    if len(lines) < len(page.rows):
        page.next_cursor = sorting.cursor_after(page.rows[len(lines) - 1], sort)
    total = f"{page.total:,}" if page.exact else f"more than {page.total:,}"
    common = "; add a word: this is in more than can be ranked" if wanted.text and not page.exact else ""
    return TaskList(
        lines=lines,
        total=page.total,
        next_cursor=page.next_cursor,
        message=f"{len(lines)} of {total} {'task' if page.total == 1 else 'tasks'}{at_most(limit)}{common}.",
    )


def _place(db: Transaction, assignee: str) -> tuple[tuple[str, str | None], ...]:
    """Whose tasks: a column and its value for each part of a place."""
    if not assignee.strip():
        return ()
    if assignee.strip().lower() == "anyone":
        return tuple(naming.NOWHERE.items())
    place = naming.find_place(db, assignee)
    if place is None:
        near = nearest(assignee.strip().lower(), naming.known_names(db))
        raise Invalid(f"Nobody is called `{assignee[:63]}`.{did_you_mean(near)}")
    return tuple((name, value) for name, value in place.columns().items() if value is not None)
