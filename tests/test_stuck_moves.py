"""Stuck work moves: whatever has happened on a board, the calls that `stuck` prints bring everything to its end.

Hypothesis lets a director, a supervisor and their workers make a mess (`mess.py`). Then every agent that is still there
only claims and completes, and the director only makes the calls that it reads in `stuck`. `SWARM_EXAMPLES=500` plays
longer, and differently each time.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from mess import IMPOSSIBLE, STAFF, Mess, Step
from postgres import place_of, played_on
from recount import Recount, looking

from swarm_mcp import operations
from swarm_mcp.cli.demo.superior import read_call
from swarm_mcp.model.errors import CriteriaUnmet, LimitReached, Refusal
from swarm_mcp.repository import tasks as stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Clock

    from swarm_mcp.repository.database import Database, Transaction

EXAMPLES = int(os.environ.get("SWARM_EXAMPLES", "0"))
PLAY = settings(
    max_examples=EXAMPLES or 40, derandomize=not EXAMPLES, database=None, deadline=None, print_blob=True,
    report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
)  # fmt: skip
ROUNDS = 100

N = st.integers(0, 99)
WHO = st.sampled_from(["lead", "lead", *STAFF])
PLAN = st.builds(Step, st.sampled_from(["create", "nest", "nest"]), st.just("lead"), N, N)
STEP = st.builds(
    Step, st.sampled_from([
        "create", "create", "create", "nest", "nest", "depend", "hold", "claim", "claim", "claim_next", "ask",
        "put_down", "wait_for", "finish", "finish", "delegate", "lapse", "end_agent", "cancel", "archive", "again",
        "unassign", "criteria", "urgent", "leave_team", "review", "drop_out", "split",
    ]),
    WHO, N, N,
)  # fmt: skip


class Recovery:
    """What brings a board to its end: agents that claim and complete, and a director that does as it is told."""

    def __init__(self, mess: Mess) -> None:
        self.mess, self.board, self.clock = mess, mess.board, mess.clock
        self.told: list[str] = []

    def run(self) -> None:
        for _ in range(ROUNDS):
            self.work()
            self.clock.advance(minutes=31)
            for name in self.present():
                self.board.inbox(name)
            self.board.sweep()
            self.work()
            if not self.mess.open():
                break
            self.direct()
        left = [f"{row.id} {row.status}" for row in self.mess.open()]
        assert not left, f"{left} after {self.told[-20:]}"
        assert self.stuck("lead") == []

    def present(self) -> list[str]:
        """Whoever calls the board from time to time."""
        rows = [self.board.agent(name) for name in STAFF]
        return [row.name for row in rows if row.lifecycle == "active" and row.name not in self.mess.gone]

    def work(self) -> None:
        """Everybody claims and completes, as long as there is something to claim."""
        while sum(self.take(name) + self.complete_all(name) for name in self.present()):
            pass

    def take(self, name: str) -> int:
        with suppress(LimitReached):
            return self.board.claim(name).task is not None
        return 0

    def complete_all(self, name: str) -> int:
        """Complete what can be completed of what an agent holds; how much that was."""
        agent = self.board.agent(name)
        held = self.mess.swarm.read(lambda db: stored.held_by(db, agent.id, limit=100))
        rows = [self.board.row(row.id) for row in held]
        ready = [row for row in rows if row.status == "in_progress" and not row.waits and not row.open_subtasks]
        for row in ready:
            claimed = self.board.claim(name, row.id)
            assert claimed.brief is not None
            evidence = {str(each.n): "Look at it." for each in claimed.brief.criteria}
            said = {"evidence": evidence, "measurements": {"n": 0}, "attempt": claimed.attempt}
            try:
                self.board.complete(name, row.id, outcome="failed" if row.title == IMPOSSIBLE else "completed", **said)
            except CriteriaUnmet:
                self.board.complete(name, row.id, outcome="partial", **said)
        return len(ready)

    def stuck(self, reader: str, **said: Any) -> list[dict[str, Any]]:
        def look(db: Transaction) -> Any:
            return operations.get_overview(db, view="stuck", limit=200, **said).model_extra

        return self.mess.swarm.read(look, agent=reader)["items"]

    def direct(self) -> None:
        """Make every call that is printed, each on the board as it is then."""
        first = self.stuck("lead")
        assert first or self.under_way(), f"{[(row.id, row.status) for row in self.mess.open()]} and nothing is stuck"
        done: set[str] = set()
        for _ in range(len(first)):
            call = next((each for each in self.stuck("lead") if each["task"] not in done), None)
            if call is None:
                return
            done.add(call["task"])
            self.follow("lead", call)

    def under_way(self) -> bool:
        """Whether somebody has a live claim, and may still be working."""
        return any(row.lease_until and row.lease_until > self.clock.now for row in self.mess.open())

    def follow(self, who: str, item: dict[str, Any]) -> None:
        name, said = read_call(item["call"])
        self.told.append(f"{who}: {item['why']} → {item['call']}")
        operation: Callable[..., object] = getattr(operations, name)
        try:
            self.board.call("" if who == "operator" else who, operation, **said)
        except Refusal as refusal:
            raise AssertionError(f"{self.told[-1]}: {refusal.message}") from refusal
        if name == "send_message" and "to" in said:  # whoever is asked does what it reads
            reader = "" if said["to"] == "operator" else said["to"]
            (theirs,) = (each for each in self.stuck(reader) if each["task"] == said["task"])
            assert not theirs["call"].startswith("send_message(to"), theirs
            self.follow(said["to"], theirs)


POLICIES = st.fixed_dictionaries(
    {
        "require_review": st.sampled_from([False, False, True]),
        "completion_checks": st.sampled_from(["enforce", "enforce", "warn", "off"]),
        "max_lapses": st.sampled_from([2, 5]),
    }
)


@pytest.mark.no_cover
def test_whatever_has_happened_the_calls_of_stuck_bring_everything_to_its_end(database: Database, clock: Clock) -> None:
    @played_on(database, PLAY)
    @given(policy=POLICIES, plan=st.lists(PLAN, min_size=5, max_size=9), steps=st.lists(STEP, min_size=20, max_size=50))
    def play(policy: dict[str, Any], plan: list[Step], steps: list[Step]) -> None:
        mess = Mess(database, clock, policy)
        for step in (*plan, *steps):
            clock.advance(seconds=1)
            with suppress(Refusal):
                getattr(mess, step.verb)(step)
        Recovery(mess).run()
        with looking(place_of(database)) as connection:
            assert Recount(connection, mess.swarm.project).check() == []

    play()
