"""What happened: the figures of a performance, and whether it was a success."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from swarm_mcp.cli.demo import ledger, receipts
from swarm_mcp.cli.demo.episodes import episodes
from swarm_mcp.cli.demo.receipts import RECEIPTS
from swarm_mcp.model.lifecycle import SETTLED, TaskStatus
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rich.console import Console

    from swarm_mcp.cli.demo.cast import Cast
    from swarm_mcp.cli.demo.episodes import Episode
    from swarm_mcp.cli.demo.troupe import Telling
    from swarm_mcp.repository.database import Transaction

COLUMNS = {
    "claims": "claim_task", "done": "complete_task", "reports": "report_progress", "shared": "share_context",
    "handed on": "delegate", "wrote": "send_message", "reviews": "review_task",
}  # fmt: skip
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a performance, as the board has it."""

    statuses: dict[str, int]
    claims: int
    seconds: float
    tellings: Sequence[Telling]
    acknowledged: int
    collisions: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    """Sentences about processes that ended otherwise than they should."""
    episodes: list[Episode] = field(default_factory=list)

    @property
    def unfinished(self) -> int:
        """How many tasks are neither completed nor were cancelled in the plan."""
        return sum(count for status, count in self.statuses.items() if status not in SETTLED)

    @property
    def failure(self) -> str:
        """Why this was no success, as a sentence; empty if it was one."""
        wrong = [
            f"{self.unfinished} tasks are not completed" * bool(self.unfinished),
            f"{len(self.collisions)} collisions" * bool(self.collisions),
            f"{len(self.lost)} acknowledged writes are lost" * bool(self.lost),
            f"{len(self.out_of_order)} claims were too early" * bool(self.out_of_order),
            *(each.failure for each in self.episodes),
        ]
        found = "; ".join(each for each in wrong if each)
        return f"The demo failed: {found}." if found else ""


def judge(
    db: Transaction,
    tellings: Sequence[Telling],
    *,
    seconds: float,
    crashes: list[str],
    cast: Cast | None = None,
    killed: Collection[str] = (),
) -> Outcome:
    """Compare what the agents were told with what is on the board, and look for what was to be seen.

    Args:
        db: the transaction.
        tellings: what the agents told.
        seconds: how long it took.
        crashes: sentences about processes that ended otherwise than planned.
        cast: who was to play; without it nothing in particular was to be seen.
        killed: those whom the demo has killed on purpose.

    """
    replayed = ledger.replay(db)
    return Outcome(
        statuses=tasks.tallies(db),
        claims=len(replayed.claims),
        seconds=seconds,
        tellings=tellings,
        acknowledged=sum(each["what"] in RECEIPTS for each in tellings),
        collisions=[*replayed.collisions, *receipts.collisions(tellings)],
        lost=receipts.lost(db, replayed, tellings),
        out_of_order=replayed.out_of_order,
        crashes=crashes,
        episodes=episodes(db, replayed, cast, killed, crashed=bool(crashes)) if cast is not None else [],
    )


def show(outcome: Outcome, console: Console, names: Sequence[str]) -> None:
    """Print what happened: who did what, and what was checked."""
    console.print(who_did_what(outcome, names))
    for line in summary(outcome):
        console.print(Text(line), soft_wrap=True)


def who_did_what(outcome: Outcome, names: Sequence[str]) -> Table:
    """A row for every agent, counted from what the board acknowledged to it."""
    counts = Counter((each["agent"], each["what"]) for each in outcome.tellings)
    table = Table("agent", *COLUMNS, box=box.SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for name in names:
        table.add_row(name, *(str(counts[name, tool] or "") for tool in COLUMNS.values()))
    return table


def summary(outcome: Outcome) -> list[str]:
    """The figures as sentences."""
    total = sum(outcome.statuses.values())
    completed = outcome.statuses.get(TaskStatus.COMPLETED, 0)
    cancelled = outcome.statuses.get(TaskStatus.CANCELLED, 0)
    also = f" ({cancelled} are cancelled in the plan)" if cancelled else ""
    return [
        f"{completed} of {total} tasks completed{also} in {outcome.seconds:.1f} s with {outcome.claims} claims.",
        *_checked("Collisions", "two holders of one task, or one attempt given out twice", outcome.collisions),
        *_checked("Writes lost", f"of {outcome.acknowledged} that the board acknowledged", outcome.lost),
        *_checked("Too early", "claims before what the task waits for was completed", outcome.out_of_order),
        *(line for each in outcome.episodes for line in each.lines()),
        *(f"Crashed: {each}" for each in outcome.crashes),
    ]


def _checked(what: str, meaning: str, found: list[str]) -> list[str]:
    more = [f"  … and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return [f"{what} ({meaning}): {len(found) or 'none'}.", *(f"  {each}" for each in found[:SHOWN]), *more]
