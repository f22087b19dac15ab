"""Changing a task: its words, its place, what it waits for; holding, retrying, reopening, cancelling, archiving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.draft import check_texts, check_title, read_edge, read_hours, read_instant
from swarm_mcp.model.errors import Conflict, IllegalMove, Invalid, NotAllowed
from swarm_mcp.model.lifecycle import SETTLED, TaskStatus, read_priority
from swarm_mcp.model.task import DelegationState, Written
from swarm_mcp.operations import acting, claims, moves, placing, regrouping, telling
from swarm_mcp.operations.answering import ready_count, task_change, unread
from swarm_mcp.operations.authority import has_worked, is_own, others_with_authority, require_authority
from swarm_mcp.operations.catalog import DIRECTING, operation
from swarm_mcp.operations.naming import NOWHERE
from swarm_mcp.repository import events, graph, tasks, work

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

CLEARABLE = frozenset({"assignee", "parent", "deadline", "tags", "description", "estimated_hours"})


@operation(profiles=DIRECTING, destroys=True, long_with=["subtree"])
def update_task(
    db: Transaction,
    *,
    task: str,
    title: arg.Text = "",
    description: arg.Text = "",
    priority: arg.Priority = "",
    parent: arg.Text = "",
    deadline: arg.Deadline = "",
    estimated_hours: arg.Hours = 0,
    tags: arg.Texts = [],
    add_depends_on: arg.Texts = [],
    drop_depends_on: arg.Texts = [],
    add_criteria: arg.Texts = [],
    add_checks: arg.Texts = [],
    drop_criteria: arg.Wholes = [],
    clear: arg.Clear = [],
    action: arg.Text = "",
    reason: arg.Text = "",
    subtree: arg.Subtree = False,
    version: arg.Version = 0,
) -> Written:
    """Edit a task, or act on it: hold, resume, recall, retry, reopen, cancel, archive, unarchive. `clear` empties
    fields.
    """
    if action.strip() or parent.strip() or clear or add_depends_on or drop_depends_on:
        graph.lock_graph(db)
    row = tasks.resolve_task(db, task)
    check_version(db, row, version)
    words = _words(title, description, priority, deadline, estimated_hours, tags, clear)
    if words or parent.strip() or "parent" in clear or "assignee" in clear:
        require_authority(db, row, "edit")
    said: list[str] = []
    if words:
        row = moves.change(db, row, "edited", words).row
        said.append(f"changed {', '.join(sorted(words))}")
    if "assignee" in clear:
        claims.end_delegation(db, row.id, DelegationState.RECALLED, "assigned to nobody")
        before = row.assignee_id
        row = moves.change(db, row, "unassigned", {**NOWHERE, "reserved_from": None, "lapses": 0}).row
        words = f"{db.actor.name} assigned {row.id} {row.title[:80]} to nobody."
        telling.tell(db, row, "recalled", words, also=(before,))
        said.append("assigned to nobody")
    row = _set_parent(db, row, parent, clear, said)
    row = _set_edges(db, row, add_depends_on, drop_depends_on, said)
    _set_criteria(db, row, add_criteria, add_checks, drop_criteria, said)
    warnings: list[str] = []
    if action.strip():
        row, did = acting.act(db, tasks.task_row(db, row.id), action, reason, subtree=subtree)
        said.append(did)
    if not said:
        raise Invalid("Nothing to change: name a field, an edge, a criterion or an action.")
    row = claims.touched(db, tasks.task_row(db, row.id))
    if said[-1] != f"is {row.status}":
        said.append(f"it is {row.status}")
    return Written(
        task=task_change(row), message=f"{row.id} {'; '.join(said)}.", warnings=warnings,
        unread=unread(db), ready=ready_count(db) if action else None,
    )  # fmt: skip


def check_version(db: Transaction, row: Row, version: int) -> None:
    """Refuse an edit of what has changed since it was read.

    Raises:
        Conflict: says what changed.

    """
    if version and version != row.version:
        since = [each for each in events.latest_task_events(db, row.id, limit=50) if (each.version or 0) > version]
        fields = sorted({name for each in since for name in each.data if name in moves.VERSIONED})
        kinds = ", ".join(each.kind for each in reversed(since[:5]))
        raise Conflict(
            f"{row.id} is at version {row.version}, not {version}: since then it was {kinds or 'changed'}. "
            f'get_task(task="{row.id}") shows it as it is.',
            task=row.id,
            version=row.version,
            changed=fields,
        )


def _words(
    title: str, description: str, priority: str, deadline: str, hours: float, tags: list[str], clear: list[str]
) -> dict[str, Any]:
    unknown = [each for each in clear if each not in CLEARABLE]
    if unknown:
        raise Invalid(f"`{unknown[0][:40]}` cannot be cleared; clear takes {', '.join(sorted(CLEARABLE))}.")
    given: dict[str, Any] = {}
    if title.strip():
        given["title"] = check_title(title)
    if description:
        given["description"] = description
    if priority.strip():
        given["priority"] = read_priority(priority).value
    if deadline:
        given["deadline"] = read_instant(deadline, "deadline")
    if hours:
        given["estimated_hours"] = read_hours(hours, "estimated_hours")
    if tags:
        given["tags"] = check_texts(tags, "tags")
    both = [each for each in clear if each in given]
    if both:
        raise Invalid(f"`{both[0]}` is both set and cleared; say one of them.")
    empties: dict[str, Any] = {"deadline": None, "tags": [], "description": "", "estimated_hours": None}
    return given | {each: empties[each] for each in clear if each in empties}


def _set_parent(db: Transaction, row: Row, parent: str, clear: list[str], said: list[str]) -> Row:
    if parent.strip():
        above = tasks.resolve_task(db, parent)
        require_authority_or_own(db, above, "move anything under")
        if row.status not in SETTLED:
            placing.check_open_parent(above)
        row = regrouping.set_parent(db, row, above)
        said.append(f"moved under {above.id}")
    elif "parent" in clear:
        row = regrouping.set_parent(db, row, None)
        said.append("moved to the top")
    return row


def _set_edges(db: Transaction, row: Row, add: list[str], drop: list[str], said: list[str]) -> Row:
    if add:
        require_authority_or_own(db, row, "add dependencies to")
        wanted = [(tasks.resolve_task(db, name), kind) for name, kind in map(read_edge, add)]
        row, sentences = placing.add_edges(db, row, wanted)
        said += sentences or ["has these edges already"]
    for words in drop:
        name, kind = read_edge(words)
        other = tasks.resolve_task(db, name)
        edge = next(
            (each for each in graph.edges_of(db, row.id) if each.depends_on_id == other.id and each.type == kind), None
        )
        if edge is None:
            raise Invalid(f"{row.id} has no edge `{kind}` to {other.id}.")
        if edge.created_by_id is None or edge.created_by_id != db.actor.id:
            require_authority(db, row, "drop dependencies of")
        row = regrouping.drop_edges(db, row, [(other.id, kind)])
        said.append(f"no longer: {placing.say_edge(row.id, other.id, kind)}")
    return row


def require_authority_or_own(db: Transaction, row: Row, doing: str) -> None:
    """Refuse whoever neither has authority over a task nor works on it."""
    if not is_own(db.actor, row):
        require_authority(db, row, doing)


def _set_criteria(
    db: Transaction, row: Row, texts: list[str], checks: list[str], drop: list[int], said: list[str]
) -> None:
    if not (texts or checks or drop):
        return
    require_authority(db, row, "change the criteria of")
    if row.status in {TaskStatus.COMPLETED, TaskStatus.CANCELLED}:
        raise IllegalMove(f"{row.id} is {row.status}; its criteria are settled.", status=row.status)
    known = {each.position: each for each in work.criteria(db, row.id)}
    waived: dict[str, bool] = {}
    if drop:
        waived = check_waiver(db, row)
        unknown = [n for n in drop if n not in known]
        if unknown:
            raise Invalid(f"{row.id} has no criterion {unknown[0]}.")
        work.drop_criteria(db, row.id, drop)
        said.append(f"criteria {', '.join(map(str, sorted(drop)))} dropped")
    added = placing.checked_criteria(texts, checks)
    last = max(known, default=0)
    work.insert_criteria(db, row.id, added, after=last)
    if added:
        said.append(f"{len(added)} {'criterion' if len(added) == 1 else 'criteria'} added")
    were = (known[n] for n in sorted(set(drop)))
    data = {
        "dropped": drop, "added": len(added),
        "were": [[row.position, row.text, row.measurable, row.outcome, row.evidence, row.reason] for row in were],
        "are": [[n, *words] for n, words in enumerate(added, start=last + 1)],
    }  # fmt: skip
    moves.record(db, "criteria_changed", row, {**data, **waived})
    telling.tell(db, row, "criteria_changed", f"{db.actor.name} changed the criteria of {row.id}.")


def check_waiver(db: Transaction, row: Row, what: str = "drop its criteria") -> dict[str, bool]:
    """Dropping a criterion or the review of what one works, or worked, on is a waiver; what the ledger says of it."""
    if not has_worked(db, row):
        return {}
    if others_with_authority(db, row):
        raise NotAllowed(
            f"{db.actor.name} worked on {row.id} and cannot {what}: that is a waiver, for somebody else with authority."
        )
    return {"self_waived": True}
