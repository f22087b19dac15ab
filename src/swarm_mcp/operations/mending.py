"""Mending a board: what follows from the rest is worked out anew, and all else is left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model.agent import THE_OPERATOR
from swarm_mcp.model.lifecycle import WAITING
from swarm_mcp.model.soundness import MENDED, Aspect, Checked
from swarm_mcp.operations import checking, moves
from swarm_mcp.operations.moves import END_OF_TIME
from swarm_mcp.repository import indexing, projects, recount, tasks
from swarm_mcp.repository.ranking import Order
from swarm_mcp.repository.snapshots import snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from swarm_mcp.operations.checking import Told
    from swarm_mcp.repository.database import Database, Transaction


def repair(database: Database, told: Told = lambda _: None) -> Checked:
    """Check a board, and work out anew what can be, after a snapshot; the ledger says what was done.

    Counters, ranks, tallies and the indexes of words are counted again; tasks become pending or blocked as what stands
    in their way has it, with the events that this has. Files, references, claims, versions and the ledger are left:
    what is right there only a person, or a backup, can say.

    Args:
        database: the board.
        told: is told what is being looked at.

    Returns:
        What is still wrong afterwards, and what was mended.

    Raises:
        Unavailable: there is no board of this revision, or the snapshot cannot be written.

    """
    before = checking.check(database, told)
    wanted = [kind for kind in MENDED if kind.value in before.counts]
    if Aspect.CYCLE.value in before.counts:  # nothing has an order then
        wanted = [kind for kind in wanted if kind is not Aspect.ORDER]
    if not wanted:
        left = list(before.counts)
        return before.model_copy(update={"left": left, "message": f"{before.message}{_left(left)}"})
    kept = snapshot(database, "repair")
    told("repairing")
    database.write(lambda db: _mend(db, wanted, before.counts, kept))
    after = checking.check(database, told)
    gone = {kind: count - after.counts.get(kind, 0) for kind, count in before.counts.items()}
    mended = {kind: count for kind, count in gone.items() if count > 0}
    left = list(after.counts)
    said = ", ".join(f"{count:,} {kind}" for kind, count in mended.items())
    return after.model_copy(
        update={
            "mended": mended,
            "left": left,
            "snapshot": str(kept),
            "message": f"Mended: {said}. {after.message}{_left(left)} The board as it was before is in {kept}.",
        }
    )


def _left(kinds: list[str]) -> str:
    return f" Left alone, because nothing else says what is right: {', '.join(kinds)}." if kinds else ""


def _mend(db: Transaction, wanted: list[Aspect], counts: Mapping[str, int], kept: Path) -> None:
    """All of it in one transaction, the statuses last: what they set free is counted as always."""
    recount.keep_others_out(db)
    if Aspect.ORDER in wanted:
        Order(db).store(db)
    recount.set_counters(db, recount.miscounted(db, END_OF_TIME))
    recount.set_tally(db)
    if Aspect.WORDS in wanted:
        indexing.index_everything(db)
    wrong: dict[str, list[str]] = {}
    for row in recount.disagreeing(db, END_OF_TIME):
        if row.status in WAITING:
            wrong.setdefault(row.project, []).append(row.id)
    db.actor, db.via = THE_OPERATOR, "command line"
    for slug in projects.slugs(db):
        db.project = projects.find_project(db, slug)
        moves.turn(db, wrong.get(slug, []))
        tasks.write_counts(db)  # they are counted for the project that is open
        data = {"mended": {kind.value: counts[kind.value] for kind in wanted}, "snapshot": kept.name}
        moves.record(db, "repaired", None, data)
