"""Routing: which of the agents below fits a task, by whole words, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

from swarm_mcp.model.agent import Availability
from swarm_mcp.model.errors import NotFound
from swarm_mcp.model.task import DelegationState, ExecutionStatus
from swarm_mcp.model.words import forms, words
from swarm_mcp.operations.answering import shorten
from swarm_mcp.operations.availability import availability, is_full
from swarm_mcp.repository import crew, figures, work

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.figures import Figures
    from swarm_mcp.repository.statement import Row

SPECIALTY, CAPABILITY, DESCRIPTION = 9.0, 4.0, 1.0
"""What a word of a task is worth where an agent has it. The second word of a kind counts half, the third a quarter:
no number of capabilities outweighs the specialty, nor any number of descriptive words a capability."""
IN_TITLE, IN_DESCRIPTION = 1.0, 0.5
"""What it is worth where the task has it: in title, tags, area, type or pool, or only in the description."""
READ = 20_000
"""Characters of a task's description that are read for its words."""
USUAL = (
    "add agent build change check create develop fix get good handle help implement improve make need new prepare"
    " project run set task team thing update use way well work worker write"
)
USUAL_WORDS = frozenset(USUAL.split())
"""They count in a specialty or capability, where they were chosen, and not in the prose of an agent's description."""
AWAY = "is offline"
SHOWN = 3
NAMED = 5


@dataclass(slots=True)
class Match:
    """An agent, and what of it a task's words have met."""

    agent: Row
    score: float = 0.0
    met: list[str] = field(default_factory=list)
    """The specialty, capabilities and descriptive words, a phrase for each kind."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent that was chosen, and the sentence that says why."""

    agent: Row
    why: str


def choose(db: Transaction, row: Row) -> Choice:
    """The best agent below whoever acts: it matches, is not full, and has not given this task back.

    Among the available ones the best match wins, then the lesser load, the better record, the one seen last, the name;
    those that are offline come after all that are available. The operator and root directors choose among all.

    Raises:
        NotFound: nobody fits; the sentence says why, and names whom one could name instead.

    """
    below = None if db.actor.is_operator or db.actor.is_root else db.actor.id
    candidates = [each for each in crew.at_work(db, below=below) if each.id != db.actor.id]
    task = task_words(row)
    matches = [match for each in candidates if (match := match_agent(each, task)).score]
    hands = figures.in_hand(db, [match.agent.id for match in matches])
    passed = _passed_over(db, row, matches, hands)
    free = [match for match in matches if match.agent.id not in passed]
    if not free:
        raise _nobody(db, row, candidates, [(match, passed[match.agent.id]) for match in matches])
    away = {match.agent.id for match in free if _is_away(db, match.agent, hands[match.agent.id])}
    best = min((match.agent.id in away, -match.score) for match in free)
    finalists = [match for match in free if (match.agent.id in away, -match.score) == best]
    known = figures.figures(db, [match.agent.id for match in finalists])
    chosen = min(finalists, key=lambda match: _rank(row, match.agent, known[match.agent.id]))
    better = sorted((match for match in matches if match.score > chosen.score), key=lambda match: -match.score)
    remarks = [f"{each.agent.name} fits better but {passed.get(each.agent.id, AWAY)}" for each in better[:SHOWN]]
    if chosen.agent.id in away:
        remarks.insert(0, "offline, as is everybody who fits and could take it")
    return Choice(chosen.agent, _why(row, chosen, known[chosen.agent.id], remarks))


def _passed_over(db: Transaction, row: Row, matches: Sequence[Match], hands: dict[str, Figures]) -> dict[str, str]:
    """Why each of those who fit and yet cannot be chosen is not, as a predicate, by id."""
    back = _gave_back(db, row)
    found: dict[str, str] = {}
    for match in matches:
        agent = match.agent
        if agent.id in back:
            found[agent.id] = "gave it back"
        elif is_full(agent, hands[agent.id].working):
            found[agent.id] = f"holds all that its capacity allows ({agent.capacity})"
    return found


def task_words(row: Row) -> dict[str, float]:
    """What each form of a task's words is worth."""
    prominent = [row.title, *map(str, row.tags), row.area, row.task_type, row.pool_specialty or ""]
    found: dict[str, float] = {}
    for text, worth in ((row.description[:READ], IN_DESCRIPTION), (" ".join(prominent), IN_TITLE)):
        for word in words(text):
            found.update(dict.fromkeys(forms(word), worth))
    return found


def match_agent(agent: Row, task: dict[str, float]) -> Match:
    """How well an agent fits the words of a task: nought if they have none in common."""
    found = Match(agent)
    specialty = _worth(words(agent.specialty), task)
    if specialty:
        found.score += SPECIALTY * specialty
        found.met.append(f"specialty {agent.specialty}")
    single: dict[str, float] = {}
    met: list[str] = []
    for capability in map(str, agent.capabilities):
        own = words(capability)
        share = _worth(own, task)
        if share:
            met.append(shorten(" ".join(capability.split()), 40))
            for word in own:
                if _worth([word], task):
                    single[word] = max(single.get(word, 0.0), share)
    found.score += CAPABILITY * _sum(single.values())
    if met:
        found.met.append(f"{'capability' if len(met) == 1 else 'capabilities'} {', '.join(met[:SHOWN])}")
    prose = {
        word: _worth([word], task)
        for word in words(agent.description)
        if word not in single and not forms(word) & USUAL_WORDS and _worth([word], task)
    }
    found.score += DESCRIPTION * _sum(prose.values())
    if prose and not found.met:
        found.met.append(f"description {', '.join(list(prose)[:SHOWN])}")
    found.score = round(found.score, 6)
    return found


def _worth(own: Sequence[str], task: dict[str, float]) -> float:
    """What the words of a name are worth on average, if a task has them."""
    return fmean(max(task.get(form, 0.0) for form in forms(word)) for word in own) if own else 0.0


def _sum(worths: Iterable[float]) -> float:
    return sum(worth / 2**n for n, worth in enumerate(sorted(worths, reverse=True)))


def _gave_back(db: Transaction, row: Row) -> set[str]:
    """Those who declined or released this very task, or let it lapse, and were not handed it again since."""
    latest: dict[str | None, bool] = {}
    for attempt in work.executions(db, row.id):
        latest[attempt.agent_id] = attempt.status in {ExecutionStatus.RELEASED, ExecutionStatus.LAPSED}
    for each in work.delegations(db, row.id):
        if each.to_agent_id is not None and each.state != DelegationState.RECALLED:
            latest[each.to_agent_id] = each.state == DelegationState.DECLINED or bool(each.lapses)
    return {agent for agent, gave_back in latest.items() if agent and gave_back}


def _is_away(db: Transaction, agent: Row, known: Figures) -> bool:
    return availability(db, agent, busy=bool(known.live)) is Availability.OFFLINE


def _rank(row: Row, agent: Row, known: Figures) -> tuple[object, ...]:
    """Ties: the lesser load, the better record, the one seen last, the name."""
    record = (known.completed + 1) / (known.ended + 2)  # who has no record stands between good and bad
    seen = agent.last_seen_at.timestamp() if agent.last_seen_at is not None else 0.0
    return (_load(row, agent, known), -record, -(known.quality or 3.0), -seen, agent.name)


def _load(row: Row, agent: Row, known: Figures) -> int:
    """How many other tasks lie with an agent: that it has this one already makes it no worse."""
    return known.load - int(agent.id in {row.assignee_id, row.holder_id})


def _why(row: Row, chosen: Match, known: Figures, remarks: Sequence[str]) -> str:
    load = _load(row, chosen.agent, known)
    record = f"{round(100 * known.completed / known.ended)}% of {known.ended} done" if known.ended else "no record yet"
    parts = [*chosen.met, f"{load} open {'task' if load == 1 else 'tasks'}", record, *remarks]
    return f"{chosen.agent.name}: {'; '.join(parts)}."


def _nobody(db: Transaction, row: Row, candidates: Sequence[Row], passed: Sequence[tuple[Match, str]]) -> NotFound:
    """The refusal where nobody fits: why, and whom one could name."""
    if not candidates:
        return NotFound(
            f"Nobody who is active stands below {db.actor.name}: hand {row.id} to a team or a specialty, or leave it "
            "to anyone.",
            task=row.id,
        )
    known = figures.in_hand(db, [each.id for each in candidates])
    idle = [
        each.name
        for each in candidates
        if availability(db, each, busy=bool(known[each.id].live)) is Availability.IDLE
        and each.id not in {match.agent.id for match, _ in passed}
    ]
    hint = (
        f"Name one with `to`, for instance {' or '.join(idle[:NAMED])}, who {'is' if len(idle) == 1 else 'are'} idle."
    )
    if not idle:
        hint = "Name one with `to`, or a team or specialty; list_agents() shows all."
    if passed:
        ordered = sorted(passed, key=lambda pair: (-pair[0].score, pair[0].agent.name))
        said = "; ".join(f"{match.agent.name} {why}" for match, why in ordered[:NAMED])
        more = f"; {len(passed) - NAMED} more likewise" if len(passed) > NAMED else ""
        return NotFound(
            f"Nobody who fits {row.id} can take it: {said}{more}. {hint}", task=row.id, candidates=idle[:NAMED]
        )
    count = f"the {len(candidates):,} agents" if len(candidates) > 1 else "the one agent"
    return NotFound(
        f"Nobody fits {row.id}: none of its words is in the specialty, capabilities or description of {count} that "
        f"could take it. {hint}",
        task=row.id,
        candidates=idle[:NAMED],
    )
