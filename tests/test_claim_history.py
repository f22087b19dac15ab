"""Claims as many processes see them, some of which are killed: what they were told has to have an order.

The checker, `history.py`, is tested first: it is worth nothing unless it rejects what cannot be.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import recount
from history import LEASE, NOT_HEARD, Call, problems
from sqlalchemy import update

from swarm_mcp import open_swarm, operations
from swarm_mcp.repository import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swarm_mcp.repository.database import Transaction

pytestmark = pytest.mark.no_cover
CLAIMANTS = Path(__file__).parent / "processes" / "claimants.py"
TASKS = 3

# --- the checker ----------------------------------------------------------------------------------------------------


def told(*said: tuple[Any, ...], task: str = "t") -> list[Call]:
    """Calls one after the other: what, agent, attempt, answer, and if need be more about them."""
    calls: list[Call] = []
    for n, (what, agent, attempt, answer, *more) in enumerate(said):
        call = Call(what, task, agent, agent, attempt, now=n, began=2 * n, ended=2 * n + 1, answer=answer)
        calls.append(call._replace(**dict(*more)))
    return [each if each.answer is not NOT_HEARD else each._replace(ended=None) for each in calls]


SOUND: dict[str, list[Call]] = {
    "claimed, reported, completed": told(("claim", "a", 0, 1), ("report", "a", 1, 1), ("completed", "a", 1, 1)),
    "given back and taken by another": told(("claim", "a", 0, 1), ("release", "a", 1, 1), ("claim", "b", 0, 2)),
    "what is held is refused to others": told(("claim", "a", 0, 1), ("claim", "b", 0, 0), ("next", "b", 0, 0)),
    "the holder gets its attempt again": told(("claim", "a", 0, 1), ("claim", "a", 0, 1), ("report", "a", 1, 1)),
    "taken after it expired": told(
        ("claim", "a", 0, 1), ("claim", "b", 0, 2, {"now": LEASE + 1}), ("report", "a", 1, 0)
    ),
    "late but not swept": told(("claim", "a", 0, 1), ("report", "a", 1, 1, {"now": 9 * LEASE})),
    "swept": told(("claim", "a", 0, 1), ("sweep", "", 0, 1, {"now": LEASE + 1}), ("report", "a", 1, 0)),
    "a completion repeated": told(("claim", "a", 0, 1), ("completed", "a", 1, 1), ("completed", "a", 1, 1)),
    "retried": told(("claim", "a", 0, 1), ("failed", "a", 1, 1), ("again", "", 0, 1), ("next", "b", 0, 2)),
    "nobody heard it, and it took effect": told(("claim", "a", 0, NOT_HEARD), ("claim", "b", 0, 0)),
    "nobody heard it, and it did not": told(("claim", "a", 0, NOT_HEARD), ("claim", "b", 0, 1), ("report", "b", 1, 1)),
    "nobody heard a release": told(("claim", "a", 0, 1), ("release", "a", 1, NOT_HEARD), ("claim", "b", 0, 2)),
    "what looked idle was the sweep of what was claimed meanwhile": told(
        ("next", "c", 0, 0, {"began": 0, "ended": 9, "now": 2 * LEASE}), ("claim", "a", 0, 1), ("report", "a", 1, 0)
    ),
    "told in another order than it happened": told(
        ("claim", "b", 0, 2, {"began": 0, "ended": 9}), ("claim", "a", 0, 1, {"began": 1}), ("release", "a", 1, 1)
    ),
}
WRONG: dict[str, list[Call]] = {
    "two hold it": told(("claim", "a", 0, 1), ("claim", "b", 0, 2)),
    "two hold one attempt": told(("claim", "a", 0, 1), ("claim", "b", 0, 1)),
    "two claims at once": told(
        ("claim", "a", 0, 1, {"began": 0, "ended": 9}), ("next", "b", 0, 2, {"began": 1, "ended": 8})
    ),
    "an attempt goes backward": told(
        ("claim", "a", 0, 1), ("release", "a", 1, 1), ("claim", "b", 0, 2), ("release", "b", 2, 1), ("claim", "a", 0, 1)
    ),
    "an attempt is left out": told(("claim", "a", 0, 1), ("release", "a", 1, 1), ("claim", "b", 0, 3)),
    "a stale report succeeds": told(
        ("claim", "a", 0, 1), ("release", "a", 1, 1), ("claim", "b", 0, 2), ("report", "a", 1, 1)
    ),
    "a stale completion succeeds": told(
        ("claim", "a", 0, 1), ("claim", "b", 0, 2, {"now": LEASE + 1}), ("completed", "a", 1, 1)
    ),
    "an earlier attempt of the holder itself succeeds": told(
        ("claim", "a", 0, 1), ("release", "a", 1, 1), ("claim", "a", 0, 2), ("report", "a", 1, 1)
    ),
    "a write before its claim": told(("report", "a", 1, 1), ("claim", "a", 0, 1)),
    "taken before it expired": told(("claim", "a", 0, 1), ("claim", "b", 0, 2, {"now": LEASE})),
    "swept before it expired": told(("claim", "a", 0, 1), ("sweep", "", 0, 1), ("report", "a", 1, 0)),
    "a live claim is called lost": told(("claim", "a", 0, 1), ("report", "a", 1, 0)),
    "finished work is claimed": told(("claim", "a", 0, 1), ("completed", "a", 1, 1), ("claim", "b", 0, 2)),
    "refused though it is free": told(("claim", "a", 0, 0), ("claim", "b", 0, 1)),
    "an acknowledged release is forgotten": told(("claim", "a", 0, 1), ("release", "a", 1, 1), ("report", "a", 1, 1)),
    "what nobody heard does not excuse it": told(
        ("claim", "a", 0, 1), ("report", "a", 1, NOT_HEARD), ("claim", "b", 0, 2)
    ),
}


@pytest.mark.parametrize("calls", SOUND.values(), ids=SOUND)
def test_a_history_that_can_have_happened_is_accepted(calls: Sequence[Call]) -> None:
    assert problems(calls, "t") == []


@pytest.mark.parametrize("calls", WRONG.values(), ids=WRONG)
def test_a_history_that_cannot_have_happened_is_rejected(calls: Sequence[Call]) -> None:
    (problem,) = problems(calls, "t")
    assert problem.startswith("t: ")


@pytest.mark.parametrize("what", ["sweep", "next"])
def test_what_had_expired_may_be_left_out_only_where_rows_are_locked_and_somebody_is_at_it(what: str) -> None:
    began, ended, long_after = 2, 9, 3 * LEASE
    claim, sweep, during, later = told(
        ("claim", "a", 0, 1),
        (what, "b", 0, int(what == "sweep"), {"began": began, "ended": ended, "now": long_after}),
        ("report", "a", 1, 1, {"began": 3, "ended": 4}),
        ("report", "a", 1, 1, {"began": 10, "ended": 11}),
    )
    assert problems([claim, sweep, during, later], "t", passing_over=True) == []
    assert problems([claim, sweep, during, later], "t")
    assert problems([claim, sweep, later], "t", passing_over=True)


def test_of_what_concerns_another_task_only_sweeps_and_what_is_next_matter() -> None:
    elsewhere = told(("claim", "a", 0, 1), ("report", "a", 1, 1), task="other")
    assert problems([*elsewhere, *told(("claim", "b", 0, 1))], "t") == []


# --- the board ------------------------------------------------------------------------------------------------------


def fight(path: Path, seed: int, *broken: str) -> tuple[list[str], list[list[Any]]]:
    """Let processes claim the tasks of a new board, and kill some of them; the tasks, and everything that was said."""
    swarm = open_swarm(path)

    def prepare(db: Transaction) -> list[str]:
        db.execute(update(tables.project).values(lease_minutes=1, max_lapses=1_000_000))
        made = operations.create_plan(db, tasks=[{"title": f"Task {n}"} for n in range(TASKS)])
        return list(made.ids.values())

    chosen = swarm.write(prepare)
    swarm.close()
    words = [sys.executable, CLAIMANTS, path, str(seed), *broken]
    done = subprocess.run(words, input=" ".join(chosen), check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return chosen, [json.loads(line) for line in done.stdout.splitlines()]


def heard(said: list[list[Any]]) -> list[Call]:
    """What was asked together with what was answered."""
    answers = {line[1]: line[2:] for line in said if line[0] == "told"}
    calls: list[Call] = []
    for _, number, what, task, agent, connection, attempt, now, began in (line for line in said if line[0] == "asked"):
        answer, about, ended = answers.get(number, (NOT_HEARD, "" if what == "next" else task, None))
        if answer != -1:
            calls.append(Call(what, about, agent, connection, attempt, now, began, ended, answer))
    return calls


def test_what_many_processes_were_told_of_their_claims_has_an_order_though_some_were_killed(
    place: Path | str,
) -> None:
    print(f"seed {(seed := random.SystemRandom().randrange(10**6))}")
    tasks, said = fight(place, seed)
    assert [line for line in said if line[0] == "error"] == []
    calls = heard(said)
    passing_over = not isinstance(place, Path)
    assert [problem for task in tasks for problem in problems(calls, task, passing_over=passing_over)] == []
    assert recount.problems(place) == []
    # It was a fight: of everything that matters, there was some.
    counted = Counter((call.what, min(call.answer, 1)) for call in calls if call.answer is not NOT_HEARD)
    assert all(counted[what, 1] for what in ("claim", "next", "report", "release", "again"))
    assert all(counted[what, 0] for what in ("claim", "report", "release", "completed", "failed"))
    assert counted["completed", 1] + counted["failed", 1]
    assert any(call.answer is NOT_HEARD for call in calls)
    assert max(call.answer or 0 for call in calls) > 5


@pytest.mark.parametrize("broken", ["the guard of claims", "the fence", "expiry"])
def test_the_history_of_a_board_that_is_broken_has_no_order(place: Path | str, broken: str) -> None:
    tasks, said = fight(place, 1, broken)
    calls = heard(said)
    assert [problem for task in tasks for problem in problems(calls, task, passing_over=not isinstance(place, Path))]
