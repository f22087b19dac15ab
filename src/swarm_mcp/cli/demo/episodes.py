"""What a performance is to show of the hierarchy, as the ledger and the tables have it, whatever the script meant."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.model.task import ExecutionStatus
from swarm_mcp.repository import agents, work

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from swarm_mcp.cli.demo.cast import Cast
    from swarm_mcp.cli.demo.ledger import Ledger
    from swarm_mcp.repository.database import Transaction

FEW = "with fewer than three workers nobody is killed"
BY_THE_BOARD = "chosen by itself"
"""How the reasons begin of a delegation for which the board chose the agent."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Something that a performance is to show, and what there is of it."""

    title: str
    found: tuple[str, ...]
    """Sentences; none if it did not happen."""
    wanted: str = ""
    """What failed if it did not happen, as a clause; empty if it need not."""
    excuse: str = ""
    """Why it need not happen."""

    @property
    def failure(self) -> str:
        """What is missing, as a clause; empty if nothing is."""
        return "" if self.found or self.excuse else self.wanted

    def lines(self) -> list[str]:
        """The episode as it is printed."""
        if not self.found:
            return [f"{self.title}: {f'does not apply; {self.excuse}' if self.excuse else 'missing'}."]
        return [f"{self.title}: {' '.join(self.found)}"]


def episodes(db: Transaction, ledger: Ledger, cast: Cast, killed: Collection[str], *, crashed: bool) -> list[Episode]:
    """Look for each of them.

    Args:
        db: the transaction.
        ledger: the ledger, replayed.
        cast: who was to play.
        killed: those whom the demo has killed on purpose.
        crashed: whether somebody's process ended otherwise than planned, with whatever part it had.

    """
    excuse = "somebody whose part it may have been has crashed" if crashed else ""
    return [
        Episode("Hierarchy", tuple(hierarchy(ledger, cast)), "the hierarchy was not used", excuse),
        Episode("Questions", tuple(questions(ledger)), "no question was asked and answered", excuse),
        Episode("Sent back", tuple(reviews(ledger)), "no review sent work back that was then accepted", excuse),
        Episode(
            "Taken over", tuple(takeovers(db, ledger, killed)), "nobody took over what the killed worker held",
            excuse if cast.victim else FEW,
        ),
    ]  # fmt: skip


def hierarchy(ledger: Ledger, cast: Cast) -> Iterator[str]:
    """Who stood where, and what was handed down; nothing unless supervisors handed on what the director gave them."""
    above = {each.data["agent"]: each.data["superior"] for each in ledger.entries if each.kind == "agent_registered"}
    joined = {(each.data["agent"], each.data["team"]) for each in ledger.entries if each.kind == "team_joined"}
    handed = [each for each in ledger.entries if each.kind == "delegated"]
    in_place = all(above.get(each.name) == each.superior for each in cast.below)
    in_teams = all((each.name, each.team) in joined for each in cast.workers)
    if in_place and in_teams and {each.who for each in handed} & {each.name for each in cast.supervisors}:
        to = Counter(each.data["to"].partition(":")[0] if ":" in each.data["to"] else "agent" for each in handed)
        chosen = sum(BY_THE_BOARD in each.data["reasoning"] for each in handed)
        yield f"{cast.counted}; work was handed down {len(handed)} times: {to['team']} times to a team,"
        yield f"{to['specialty']} to a specialty, {to['agent']} to an agent, and of those the board chose {chosen}."


def questions(ledger: Ledger) -> Iterator[str]:
    """Which questions were asked, and who answered: a sentence for each that was answered."""
    asked: dict[str, str] = {}
    for each in ledger.entries:
        if each.kind == "asked":
            asked[each.task] = each.who
        elif each.kind == "resumed" and "answered" in each.data and each.task in asked:
            yield f"{asked.pop(each.task)} asked about {each.task}, and {each.who} answered."


def reviews(ledger: Ledger) -> Iterator[str]:
    """Which work was sent back and accepted when it was handed in again."""
    back: dict[str, str] = {}
    for each in ledger.entries:
        if each.kind == "sent_back":
            back[each.task] = each.who
        elif each.kind == "accepted" and each.task in back:
            who = back.pop(each.task)
            also = "" if who == each.who else f" {each.who}"
            yield f"{who} sent {each.task} back, and{also} accepted what was made of it."


def takeovers(db: Transaction, ledger: Ledger, killed: Collection[str]) -> Iterator[str]:
    """What agents held whose processes are gone, and who took it over and completed it."""
    for task in sorted({task for task, attempt, _ in ledger.claims if attempt > 1}):
        attempts = work.executions(db, task)
        for lost, after in pairwise(attempts):
            names = agents.agent_names(db, [lost.agent_id, after.agent_id])
            who, heir = names[lost.agent_id], names[after.agent_id]
            gone = lost.status == ExecutionStatus.RECALLED and agents.agent_row(db, lost.agent_id).lifecycle == "failed"
            if gone and who != heir and ledger.tasks[task].status == TaskStatus.COMPLETED:
                how = "was killed" if who in killed else "crashed"
                done = "completed it" if after is attempts[-1] else "went on with it"
                yield f"{who} {how} while it held {task}; {heir} took it over as attempt {after.attempt} and {done}."
