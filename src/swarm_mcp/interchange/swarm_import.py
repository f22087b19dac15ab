"""A board of ours, put on another: all of it in one transaction, row by row, and twice the same as once.

Into an empty project everything comes as it was, so that an export of it is the file again. Into another one comes what
is not there: a task that is here is left as it is, with all that belongs to it, and people are known by their names. An
id that is taken by something else is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.imported import Imported, Mapped
from swarm_mcp.interchange.importing import NAMESPACE, Rehearsed
from swarm_mcp.interchange.reuniting import reunite
from swarm_mcp.interchange.swarm_arrival import Arrival
from swarm_mcp.interchange.swarm_people import People
from swarm_mcp.interchange.swarm_source import Source, opened
from swarm_mcp.model.errors import Invalid
from swarm_mcp.operations import changing, moves, placing
from swarm_mcp.operations.projects import LIMITS
from swarm_mcp.repository import graph, loaded, loading, projects, tasks
from swarm_mcp.repository.graph import Node
from swarm_mcp.repository.whole import BATCH

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import BinaryIO

    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction

POLICIES = ("title", "completion_checks", "lease_minutes", "max_lapses", "max_depth", "require_review")
BROUGHT = {
    "agent": "agents", "team": "teams", "team_member": "members of teams", "external_ref": "names elsewhere",
    "criterion": "criteria", "delegation": "delegations", "execution": "attempts", "progress": "progress",
    "context": "context", "note": "notes", "feedback": "feedback", "participant": "participants",
    "conversation": "conversations", "message": "messages", "inbox": "copies in inboxes", "event": "events",
}  # fmt: skip
"""What comes with the tasks and edges, as it is called in a report."""
MENDINGS = 100
"""How often the order is mended around what was here before."""


def import_board(swarm: Swarm, path: Path, **said: Any) -> Imported:
    """Put a file of our lines on the board; see `import_stream`."""
    return import_stream(swarm, lambda: opened(path), path.name, **said)


def import_stream(
    swarm: Swarm,
    opening: Callable[[], AbstractContextManager[BinaryIO]],
    name: str,
    *,
    parent: str = "",
    namespace: str = "",
    dry_run: bool = False,
    via: str = "script",
    begun: Callable[[int | None], None] = lambda _: None,
    told: Callable[[int], None] = lambda _: None,
) -> Imported:
    """Put lines on the board as the operator; they are read again when the database was busy.

    Args:
        swarm: the board.
        opening: opens where they come from.
        name: what that is called.
        parent: see `import_lines`, like `namespace` and `told`.
        namespace: …
        dry_run: do it all, and undo it.
        via: who really called.
        begun: called with how many rows there are.
        told: …

    Raises:
        Refusal: see `import_lines`; nothing was written.

    """

    def change(db: Transaction) -> Imported:
        with opening() as stream:
            source = Source(stream, name)
            begun(source.rows)
            report = import_lines(db, source, name, parent=parent, namespace=namespace, told=told)
        if dry_run:
            words = report.message.replace("Imported", "Would import", 1)
            raise Rehearsed(report.model_copy(update={"dry_run": True, "message": words}))
        return report

    try:
        return swarm.write(change, via=via)
    except Rehearsed as rehearsed:
        return rehearsed.report


def import_lines(
    db: Transaction, source: Source, name: str, *, parent: str, namespace: str, told: Callable[[int], None]
) -> Imported:
    """Put what a source says on the board, inside the caller's transaction.

    Args:
        db: the transaction.
        source: the lines.
        name: what the file is called.
        parent: the task under which those go that are parts of nothing.
        namespace: goes before the names that tasks had elsewhere.
        told: called with how many more rows are read.

    Raises:
        Invalid: a line that cannot be, or names what is not there.
        Conflict: ids that are taken by something else.
        CycleRefused: tasks that would wait for each other.

    """
    if namespace and not NAMESPACE.fullmatch(namespace):
        raise Invalid(f"`{namespace[:63]}` is no namespace: use up to 63 letters, digits, `_`, `.` or `-`.")
    graph.lock_graph(db)
    above = tasks.resolve_task(db, parent) if parent.strip() else None
    fresh = loading.is_empty(db)
    people = People(db, source, fresh=fresh)
    arrival = Arrival(db, source, people, fresh=fresh, shifts=loading.begin(db, fresh=fresh), namespace=namespace)
    if fresh and not source.is_part:
        _take_policies(db, source)
    for kind, batch in source.batches(BATCH):
        (people if kind in People.KINDS else arrival).take(kind, batch)
        told(len(batch))
    loading.go_on_counting(db)
    loaded.count(db)
    loaded.index_context(db)
    _settle(db, source, arrival)
    if above is not None:
        for each in loaded.roots(db):
            changing.update_task(db, task=each, parent=above.id)
    if not fresh:
        arrival.edges.update(reunite(db))
    loading.end(db, fresh=fresh)
    if arrival.created and not (fresh and not source.is_part):
        moves.record(
            db, "plan_imported", None,
            {"format": "swarm", "name": name, "namespace": namespace, "tasks": arrival.created},
        )  # fmt: skip
    return _report(arrival, people, name)


def _take_policies(db: Transaction, source: Source) -> None:
    for name, (least, most) in LIMITS.items():
        if not least <= source.project[name] <= most:
            source.refuse(f"the project's {name} has to be {least} to {most}.", 1)
    projects.update_project(db, {each: source.project[each] for each in POLICIES})
    found = projects.find_project(db, db.project.slug)
    assert found is not None  # noqa: S101 - it is the one that is open
    db.project = found


def _settle(db: Transaction, source: Source, arrival: Arrival) -> None:
    """Make what came agree with what was here, where the two meet; refuse what does not agree with itself."""
    if arrival.cut:
        arrival.record_cuts()
    _mend_order(db, source)
    untrue = loaded.untrue(db)
    if untrue and not (source.is_part or arrival.already):
        raise Invalid(
            f"Nothing was imported: {untrue[0]} is said to be pending or blocked, and what stands in its way says "
            "otherwise. The file was changed by hand; export the board again."
        )
    parents = [] if arrival.fresh else loaded.parents_here(db)
    for parent in parents:
        _check_parts(db, parent)
    moves.turn(db, [*parents, *untrue])


def _check_parts(db: Transaction, parent: str) -> None:
    """Refuse open work under a parent of this board that is finished or in review."""
    row = tasks.task_row(db, parent)
    if row.open_subtasks and row.status not in {"pending", "blocked"}:
        placing.check_open_parent(row)


def _mend_order(db: Transaction, source: Source) -> None:
    """Find room in this board's order for what came, where the two meet."""
    for _ in range(MENDINGS):
        broken = loaded.broken(db)
        if not broken:
            return
        came = loading.found(db, "loaded", (task for each in broken for task in each[:2]))
        for each in broken:
            if each.before in came and each.after in came:
                how = "is a part of" if each.kind == "part" else "waits for"
                source.refuse_all(
                    f"{each.after} {how} {each.before} and comes before it in the order of the file: they wait for "
                    "each other in a circle, or the file was changed by hand."
                )
            if each.kind == "blocks":
                graph.connect(db, Node(each.before, finish=True), Node(each.after, finish=False))
            else:
                graph.connect(db, Node(each.before, finish=False), Node(each.after, finish=False))
                graph.connect(db, Node(each.after, finish=True), Node(each.before, finish=True))
    raise Invalid("Nothing was imported: its order cannot be brought together with that of this board.")


def _report(arrival: Arrival, people: People, name: str) -> Imported:
    created, already = arrival.created, arrival.already
    tasks_ = f"{created:,} {'task' if created == 1 else 'tasks'}"
    rest = f"; {already:,} {'was' if already == 1 else 'were'} there already" if already else ""
    stored = sum(arrival.stored.values()) + sum(people.stored.values())
    return Imported(
        message=f"Imported {tasks_} in {stored:,} rows from {name}{rest}.",
        format="swarm",
        name=name,
        created=created,
        already=already,
        subtasks=arrival.subtasks,
        edges=dict(arrival.edges),
        statuses=dict(arrival.statuses),
        mapped=[Mapped(word=status, status=status, tasks=count) for status, count in arrival.statuses.items()],
        brought={BROUGHT[kind]: count for kind, count in (people.stored + arrival.stored).items() if kind in BROUGHT},
        renamed=people.sentences,
        dangling=arrival.dangling(),
        skipped=arrival.skipped(),
    )
