"""Checking a board: everything that has to be true of it, looked at without trusting what is stored."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from swarm_mcp.model.errors import Unavailable
from swarm_mcp.model.soundness import Aspect, Checked, Finding
from swarm_mcp.operations import replaying
from swarm_mcp.operations.moves import END_OF_TIME
from swarm_mcp.repository import health, indexed, migrate, recount
from swarm_mcp.repository.failures import Damaged
from swarm_mcp.repository.ranking import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from swarm_mcp.repository.database import Database, Transaction

    Told = Callable[[str], None]
    Look = Callable[[Transaction], Iterable[tuple[str, str]]]

RELYING = (Aspect.ORDER, Aspect.COUNTER, Aspect.STATUS, Aspect.TALLY, Aspect.CLAIM, Aspect.VERSION)
LISTED = 100
"""Findings of one kind that are listed; the others are counted."""
NO_BOARD = "There is no board there yet. `swarm-mcp db init` makes one."


@dataclass(slots=True)
class Findings:
    """What was found so far."""

    counts: Counter[Aspect] = field(default_factory=Counter[Aspect])
    listed: list[Finding] = field(default_factory=list[Finding])

    def add(self, kind: Aspect, subject: str, words: str) -> None:
        """Note one more."""
        self.counts[kind] += 1
        if self.counts[kind] <= LISTED:
            self.listed.append(Finding(kind=kind, subject=subject, words=words))


def check(database: Database, told: Told = lambda _: None) -> Checked:
    """Look at everything, and change nothing.

    Each aspect is one transaction, so that a busy board is not kept from tidying up its log; the ledger is replayed
    some hundred tasks at a time. What damage makes unreadable is not looked at further.

    Args:
        database: the board.
        told: is told what is being looked at.

    Raises:
        Unavailable: there is no board, or not one of ours, or of another revision.

    """
    findings = Findings()
    unseen: list[str] = []
    try:
        require_current(database)
        unseen += look_at(database, findings, told)
        if not database.read(health.looks_at_pages):
            unseen.append(health.WITHOUT_PAGES)
    except Damaged as damaged:
        findings.add(Aspect.FILE, "the board", damaged.message)
    return report(findings, unseen)


def require_current(database: Database) -> None:
    """Refuse what is no board of this revision.

    Raises:
        Unavailable: says what it is.

    """
    if database.path is not None and not database.path.exists():
        raise Unavailable(NO_BOARD)
    revision = database.revision()
    if revision is None:
        raise Unavailable(NO_BOARD)
    if revision != migrate.HEAD:
        raise Unavailable(
            f"The board is at revision {revision}: bring it to {migrate.HEAD} first (swarm-mcp db upgrade)."
        )


def look_at(database: Database, findings: Findings, told: Told) -> list[str]:
    """Look at one aspect after the other, and tell what was left out because it relies on what is wrong."""
    if not _look(database, findings, Aspect.FILE, told):
        return ["everything else: it cannot be read from a damaged file."]
    for aspect in (Aspect.SCHEMA, Aspect.REFERENCE):
        _look(database, findings, aspect, told)
    if findings.counts[Aspect.SCHEMA] or findings.counts[Aspect.REFERENCE]:
        return [f"{', '.join((*RELYING, Aspect.LEDGER, Aspect.WORDS))}: they rely on the schema and the references."]
    for aspect in RELYING:
        _look(database, findings, aspect, told)
    _replay(database, findings, told)
    _look(database, findings, Aspect.WORDS, told)
    return []


def report(findings: Findings, unseen: list[str]) -> Checked:
    """The findings as an answer."""
    total = findings.counts.total()
    counts = {kind.value: count for kind, count in findings.counts.items() if count}
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    return Checked(
        message=f"{total:,} {'finding' if total == 1 else 'findings'}: {kinds}." if total else "The board is sound.",
        sound=not total,
        counts=counts,
        findings=findings.listed,
        not_checked=unseen,
    )


def _look(database: Database, findings: Findings, aspect: Aspect, told: Told) -> bool:
    """Look at one aspect; whether nothing was found."""
    told(aspect.value)

    def ask(db: Transaction) -> list[tuple[Aspect, str, str]]:
        return [(kind, subject, words) for kind, subject, words in LOOKS[aspect](db)]

    try:
        found = database.read(ask)
    except Damaged as damaged:  # so much that it cannot be read
        found = [(Aspect.FILE, "the board", damaged.message)]
    for kind, subject, words in found:
        findings.add(kind, subject, words)
    return not found


def _replay(database: Database, findings: Findings, told: Told) -> None:
    told(Aspect.LEDGER.value)
    last = ""
    while True:
        last, found = database.read(partial(replaying.differences, after=last))
        for subject, words in found:
            findings.add(Aspect.LEDGER, subject, words)
        if not last:
            return


def _pages(db: Transaction) -> Iterator[tuple[Aspect, str, str]]:
    for words in health.damaged_pages(db):
        yield Aspect.FILE, "the database" if db.is_postgres else "the file", words


def _order(db: Transaction) -> Iterator[tuple[Aspect, str, str]]:
    found = list(recount.out_of_order(db))
    circle = Order(db).circle() if found else []
    if circle:
        path = " → ".join([*circle[:12], *(["…"] if len(circle) > 12 else []), circle[0]])  # noqa: PLR2004 - a line
        yield Aspect.CYCLE, circle[0], f"{path}: each waits for the one before it, or is a part of it"
    for subject, words in found:
        yield Aspect.ORDER, subject, words


def _counters(db: Transaction) -> Iterator[tuple[Aspect, str, str]]:
    for row in recount.miscounted(db, END_OF_TIME):
        for name in (*recount.COUNTERS, "due"):
            kept, real = getattr(row, name), getattr(row, f"real_{name}")
            if kept != real:
                yield Aspect.COUNTER, row.id, f"{name} is {kept}, and should be {real}"


def _statuses(db: Transaction) -> Iterator[tuple[Aspect, str, str]]:
    for row in recount.disagreeing(db, END_OF_TIME):
        if row.status == "pending":
            yield Aspect.STATUS, row.id, "is pending with something in its way"
        elif row.held and row.status != "blocked":
            yield Aspect.STATUS, row.id, f"is {row.status} and has a hold"
        elif row.archived:
            yield Aspect.STATUS, row.id, f"is {row.status} and archived"
        else:
            yield Aspect.STATUS, row.id, "is blocked with nothing in its way"


def _tally(db: Transaction) -> Iterator[tuple[Aspect, str, str]]:
    for row in recount.mistallied(db):
        which = f"{'archived ' if row.archived else ''}{row.status}"
        yield Aspect.TALLY, row.project, f"the tally of {which} tasks says {row.kept}, there are {row.found}"


def _claims(db: Transaction) -> Iterator[tuple[Aspect, str, str]]:
    for row in recount.broken_claims(db):
        yield Aspect.CLAIM, row.id, row.words


def _versions(db: Transaction) -> Iterator[tuple[Aspect, str, str]]:
    for row in recount.misversioned(db):
        words = f"is at version {row.version}, with {row.events} events that count, up to {row.newest}"
        yield Aspect.VERSION, row.id, words


def _of(kind: Aspect, look: Look) -> Callable[[Transaction], Iterator[tuple[Aspect, str, str]]]:
    return lambda db: ((kind, subject, words) for subject, words in look(db))


LOOKS: dict[Aspect, Callable[[Transaction], Iterable[tuple[Aspect, str, str]]]] = {
    Aspect.FILE: _pages,
    Aspect.SCHEMA: _of(Aspect.SCHEMA, health.drift),
    Aspect.REFERENCE: _of(Aspect.REFERENCE, health.orphans),
    Aspect.ORDER: _order,
    Aspect.COUNTER: _counters,
    Aspect.STATUS: _statuses,
    Aspect.TALLY: _tally,
    Aspect.CLAIM: _claims,
    Aspect.VERSION: _versions,
    Aspect.WORDS: _of(Aspect.WORDS, indexed.misindexed),
}
"""How each aspect is looked at, but for the ledger, which takes many transactions."""
